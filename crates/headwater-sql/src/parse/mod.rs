//! From the tokens of a statement to what it asks for.
//!
//! Everything but queries is parsed here, with Flink's and Spark's words; queries go to
//! DataFusion's parser, with the tokens' own places, so that a complaint names the script's line.

mod alter;
mod call;
mod columns;
mod create;
mod cursor;
mod explain;
mod insert;
mod set;
mod show;
mod table;
#[cfg(test)]
mod tests;
mod travel;
mod types;
mod view;

use datafusion::sql::parser::{DFParserBuilder, Statement as QueryStatement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use headwater::DataType;

pub(crate) use self::alter::{Alter, AlterAction, AlterStatement, ColumnChange};
pub(crate) use self::call::{Call, CallArgument, CallValue, table_parts};
pub(crate) use self::columns::column_list;
pub(crate) use self::create::CatalogStatement;
pub(crate) use self::cursor::Cursor;
pub(crate) use self::explain::{Explain, ExplainMode};
pub(crate) use self::insert::Insert;
pub(crate) use self::set::SetStatement;
pub(crate) use self::show::{Describe, Pattern, Show};
pub(crate) use self::table::{Column, CreateTable, Like, Watermark, options};
pub(crate) use self::travel::take_versions;
pub(crate) use self::view::CreateView;
use crate::dialect::HeadwaterDialect;
use crate::dml::{self, Change};
use crate::error::SqlError;
use crate::hint::{Hint, Hints};
use crate::rewrite::{output_names, rewrite};

/// How deep queries may nest.
pub(crate) const RECURSION_LIMIT: usize = 128;

/// A query, ready to be planned, and what its columns are called where the planner would show its
/// inner workings.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) statement: Box<QueryStatement>,
    pub(crate) names: Vec<Option<String>>,
}

/// The type that a text names.
pub(crate) fn parse_type(text: &str) -> Result<DataType, SqlError> {
    let mut tokens = Vec::new();
    Tokenizer::new(&HeadwaterDialect, text)
        .tokenize_with_location_into_buf(&mut tokens)
        .map_err(|e| SqlError::invalid(e.to_string()))?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    type_of_tokens(tokens)
}

/// The type that these tokens name, all of them.
pub(crate) fn type_of_tokens(tokens: Vec<TokenWithSpan>) -> Result<DataType, SqlError> {
    let mut cursor = Cursor::new(tokens);
    let data_type = types::data_type(&mut cursor)?;
    cursor.end()?;
    Ok(data_type)
}

/// What a statement asks for. Names are as written: one to three parts.
#[derive(Debug)]
pub(crate) enum Statement {
    Catalog(CatalogStatement),
    CreateDatabase {
        name: Vec<String>,
        if_not_exists: bool,
    },
    DropDatabase {
        name: Vec<String>,
        if_exists: bool,
        cascade: bool,
    },
    CreateTable(Box<CreateTable>),
    CreateView(Box<CreateView>),
    /// `view`: whether the statement says VIEW; `temporary`: whether it says TEMPORARY.
    DropTable {
        name: Vec<String>,
        if_exists: bool,
        temporary: bool,
        view: bool,
    },
    Alter(Box<Alter>),
    Truncate {
        name: Vec<String>,
        partition: Vec<(String, Option<String>)>,
    },
    Show(Show),
    Describe(Describe),
    Set(SetStatement),
    Use {
        name: Vec<String>,
    },
    /// Spark's REFRESH TABLE: nothing is cached, so only the name is looked up.
    Refresh {
        name: Vec<String>,
    },
    Insert(Box<Insert>),
    /// DELETE, UPDATE, MERGE.
    Change(Box<Change>),
    Copy(Box<QueryStatement>),
    Call(Call),
    Explain(Box<Explain>),
    Query(Query),
}

/// A statement and the warnings about its hints.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) statement: Statement,
    pub(crate) warnings: Vec<String>,
}

/// Parses one statement.
pub(crate) fn parse(tokens: Vec<TokenWithSpan>, hints: Vec<Hint>) -> Result<Parsed, SqlError> {
    let mut cursor = Cursor::new(tokens).with_hints(Hints::new(hints)?);
    let statement = statement(&mut cursor)?;
    Ok(Parsed { statement, warnings: std::mem::take(&mut cursor.hints).finish()? })
}

fn statement(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    let first = match cursor.peek() {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        Some(Token::LParen) => "(".to_owned(),
        _ => return Err(cursor.expected("a statement")),
    };
    match first.as_str() {
        "CREATE" => create::create(cursor),
        "DROP" => create::drop(cursor),
        "ALTER" => alter::alter(cursor),
        "TRUNCATE" => alter::truncate(cursor),
        "SHOW" => show::show(cursor).map(Statement::Show),
        "DESCRIBE" | "DESC" => show::describe(cursor),
        "SET" => set::set(cursor).map(Statement::Set),
        "RESET" => set::reset(cursor).map(Statement::Set),
        "USE" => create::use_name(cursor),
        "REFRESH" => {
            cursor.need_keyword("REFRESH")?;
            cursor.need_keyword("TABLE")?;
            let name = cursor.dotted_name("a table's name")?;
            cursor.end()?;
            Ok(Statement::Refresh { name })
        }
        "INSERT" => insert::insert(cursor).map(|insert| Statement::Insert(Box::new(insert))),
        "DELETE" => dml::delete(cursor).map(|change| Statement::Change(Box::new(change))),
        "UPDATE" => dml::update(cursor).map(|change| Statement::Change(Box::new(change))),
        "MERGE" => dml::merge(cursor).map(|change| Statement::Change(Box::new(change))),
        "COPY" => query_statement(cursor).map(|s| Statement::Copy(Box::new(s))),
        "CALL" => call::call(cursor).map(Statement::Call),
        "EXPLAIN" => explain::explain(cursor),
        "SELECT" | "WITH" | "VALUES" | "FROM" | "TABLE" | "(" => {
            query(cursor).map(Statement::Query)
        }
        other => Err(refused(other, cursor)),
    }
}

/// The error of a statement that this version does not run.
fn refused(word: &str, cursor: &Cursor) -> SqlError {
    const LATER: &str = "planned for a later release";
    match word {
        "ANALYZE" => SqlError::unsupported(format!("{word} is"), LATER),
        "START" | "COMMIT" | "ROLLBACK" => {
            SqlError::unsupported(format!("{word} is"), "every statement commits for itself")
        }
        "BEGIN" | "EXECUTE" => SqlError::unsupported(
            format!("{word} is"),
            "there are no statement sets: write the statements one after the other",
        ),
        "ADD" | "REMOVE" => SqlError::unsupported(format!("{word} is"), "nothing loads jars here"),
        "LOAD" | "UNLOAD" => {
            SqlError::unsupported(format!("{word} is"), "there are no modules to load")
        }
        "GRANT" | "REVOKE" | "PREPARE" | "REPLACE" | "STOP" | "RENAME" | "COMPILE"
        | "DEALLOCATE" | "VACUUM" | "CACHE" | "UNCACHE" | "MSCK" | "REPAIR" => {
            SqlError::unsupported(format!("{word} is"), "no such statement here")
        }
        _ => cursor.expected(
            "a statement (SELECT, WITH, VALUES, INSERT, UPDATE, DELETE, MERGE, COPY, CREATE, DROP, ALTER, TRUNCATE, SHOW, \
             DESCRIBE, USE, SET, RESET, EXPLAIN, CALL)",
        ),
    }
}

/// The rest of the statement, which must be a query.
pub(super) fn query(cursor: &mut Cursor) -> Result<Query, SqlError> {
    let tokens = take_versions(cursor.rest(), &mut cursor.hints)?;
    let mut statement = parse_one(tokens)?;
    let names = output_names(&statement);
    rewrite(&mut statement, &mut cursor.hints)?;
    Ok(Query { statement: Box::new(statement), names })
}

/// DataFusion's parse of a query or COPY, ready to be planned.
fn query_statement(cursor: &mut Cursor) -> Result<QueryStatement, SqlError> {
    let tokens = take_versions(cursor.rest(), &mut cursor.hints)?;
    let mut statement = parse_one(tokens)?;
    rewrite(&mut statement, &mut cursor.hints)?;
    Ok(statement)
}

/// `(p = 'x', q)`: partition columns with a value, or (`None`) without one.
pub(super) type PartitionSpec = Vec<(String, Option<Option<String>>)>;

/// `(p = 'x', …)`; a column without a value is allowed only if `open`.
fn partition_spec(cursor: &mut Cursor, open: bool) -> Result<PartitionSpec, SqlError> {
    cursor.need_symbol(&Token::LParen)?;
    let mut values: PartitionSpec = Vec::new();
    loop {
        let name = cursor.name("a partition column")?;
        if values.iter().any(|(known, _)| *known == name) {
            return Err(cursor.complain(format!("partition column '{name}' is given twice")));
        }
        let value = if open && cursor.peek() != Some(&Token::Eq) {
            None
        } else {
            cursor.need_symbol(&Token::Eq)?;
            Some(cursor.literal("a value")?)
        };
        values.push((name, value));
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    cursor.need_symbol(&Token::RParen)?;
    Ok(values)
}

/// `(p = 'x', …)`, every column with its value; `None` is null.
fn closed_partition_spec(cursor: &mut Cursor) -> Result<Vec<(String, Option<String>)>, SqlError> {
    let values = partition_spec(cursor, false)?;
    Ok(values.into_iter().map(|(name, value)| (name, value.flatten())).collect())
}

fn parse_one(tokens: Vec<TokenWithSpan>) -> Result<QueryStatement, SqlError> {
    let mut parser = DFParserBuilder::new(tokens)
        .with_dialect(&HeadwaterDialect)
        .with_recursion_limit(RECURSION_LIMIT)
        .build()
        .map_err(SqlError::from_parser)?;
    let mut statements = parser.parse_statements().map_err(SqlError::from_parser)?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(statement), true) => {
            if let QueryStatement::Statement(inner) = &statement
                && !matches!(**inner, SqlStatement::Query(_))
            {
                return Err(SqlError::invalid("this is not a query"));
            }
            Ok(statement)
        }
        _ => Err(SqlError::invalid("this is not one statement")),
    }
}
