//! Temporary tables and views: known to one session, stored nowhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::sql::parser::Statement as QueryStatement;

use crate::connector::ConnectorTable;
use crate::names::{Current, FullName};

/// What a temporary name stands for.
#[derive(Debug, Clone)]
pub(crate) enum Temporary {
    /// A query.
    View(Arc<View>),
    /// Rows that a connector reads or writes.
    Table(Arc<ConnectorTable>),
}

/// The query of a view, and what its names mean.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) query: QueryStatement,
    /// Names of the query's columns, where the planner would show its inner workings.
    pub(crate) names: Vec<Option<String>>,
    /// Names that the statement gives to the columns; empty: the query's.
    pub(crate) columns: Vec<String>,
    pub(crate) comment: Option<String>,
    /// Where names without catalog or database look.
    pub(crate) current: Current,
}

/// All temporary tables and views of a session, by their whole names.
pub(crate) type Temporaries = BTreeMap<FullName, Temporary>;

impl Temporary {
    /// What it is, in SQL's words.
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::View(_) => "view",
            Self::Table(_) => "table",
        }
    }
}
