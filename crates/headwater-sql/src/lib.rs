//! SQL on Paimon tables: DataFusion for queries, own parsing for everything that Flink's dialect
//! says differently.
//!
//! A [`SqlSession`] runs scripts: it cuts them into statements, and gives one [`StatementResult`]
//! for each, in order. The first error ends the script; it knows the statement's number and line.
//!
//! ```no_run
//! # async fn example(catalog: std::sync::Arc<dyn headwater::Catalog>, env: headwater::Env)
//! # -> Result<(), headwater_sql::SqlError> {
//! use futures::StreamExt;
//! use headwater_sql::{Output, SessionOptions, SqlSession};
//!
//! let session = SqlSession::new(SessionOptions::new(catalog, env)).await?;
//! let mut results = session.run_script("CREATE TABLE t (id INT); SELECT * FROM t");
//! while let Some(result) = results.next().await {
//!     let result = result?;
//!     match result.output {
//!         Output::Message(text) => println!("{text}"),
//!         Output::Affected(rows) => println!("{rows} rows written"),
//!         Output::Changed(changed) => println!("{changed}"),
//!         Output::Rows(mut rows) => {
//!             while let Some(batch) = rows.next().await {
//!                 println!("{} rows", batch?.num_rows());
//!             }
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod assign;
mod changelog;
mod column_kind;
mod connector;
mod dialect;
mod digits;
mod dml;
mod error;
mod explain;
mod files;
mod float_rule;
mod floats;
mod functions;
mod hint;
mod label;
mod leaf;
mod names;
mod parse;
mod procedure;
mod progress;
mod provider;
mod pushdown;
mod result;
mod rewrite;
mod sample;
mod scan_exec;
mod script;
mod session;
pub mod settings;
mod show;
mod sink;
mod sorted;
mod system_table;
mod table_reference;
mod write_exec;
mod zone_rule;

pub use digits::check_digits;
pub use error::{SqlError, SqlErrorKind};
pub use functions::Flavour;
pub use progress::Progress;
pub use result::{Changed, Output, RowStream, StatementKind, StatementResult};
pub use script::ends_statement;
pub use session::{ScriptResults, SessionOptions, SqlSession};
