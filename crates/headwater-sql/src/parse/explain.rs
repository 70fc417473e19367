//! EXPLAIN.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::insert::{self, Insert};
use super::{Query, Statement, query};
use crate::error::SqlError;

/// What EXPLAIN tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExplainMode {
    /// What would be read, as a tree.
    Plan,
    /// The same, with what happened: the query is run.
    Analyze,
    /// Every step of DataFusion's planner.
    Verbose,
}

/// `EXPLAIN [PLAN FOR | ANALYZE | VERBOSE] query`, or of an INSERT without running it.
#[derive(Debug)]
pub(crate) struct Explain {
    pub(crate) mode: ExplainMode,
    pub(crate) query: Query,
    /// The table that an explained INSERT writes to.
    pub(crate) insert: Option<Box<Insert>>,
}

/// Flink's details of EXPLAIN, which say nothing about this engine.
const DETAILS: [&str; 4] =
    ["ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE"];
/// Spark's modes that ask for DataFusion's own plan.
const LONG: [&str; 4] = ["EXTENDED", "CODEGEN", "COST", "FORMATTED"];

pub(super) fn explain(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("EXPLAIN")?;
    let mut mode = ExplainMode::Plan;
    if cursor.keyword("ANALYZE") {
        if cursor.is_keyword("VERBOSE") {
            return Err(SqlError::unsupported(
                "EXPLAIN ANALYZE VERBOSE is",
                "EXPLAIN ANALYZE says what happened, EXPLAIN VERBOSE how the plan was made",
            ));
        }
        mode = ExplainMode::Analyze;
    } else if cursor.keyword("VERBOSE") || LONG.iter().any(|word| cursor.keyword(word)) {
        mode = ExplainMode::Verbose;
    } else if cursor.keywords(&["PLAN", "FOR"]) {
    } else if let Some(detail) = DETAILS.iter().find(|word| cursor.is_keyword(word)) {
        return Err(SqlError::unsupported(
            format!("EXPLAIN {detail} is"),
            "EXPLAIN, EXPLAIN ANALYZE and EXPLAIN VERBOSE are known",
        ));
    }
    for word in ["CREATE", "DROP", "COPY", "DELETE", "UPDATE", "MERGE", "STATEMENT", "ALTER"] {
        if cursor.is_keyword(word) {
            return Err(SqlError::unsupported(
                format!("EXPLAIN {word} is"),
                "explain the query inside of it",
            ));
        }
    }
    if cursor.is_keyword("INSERT") {
        if mode == ExplainMode::Analyze {
            return Err(SqlError::unsupported(
                "EXPLAIN ANALYZE INSERT is",
                "it would write the rows: explain the query inside of it",
            ));
        }
        let insert = insert::insert(cursor)?;
        let query = Query { statement: insert.query.clone(), names: Vec::new() };
        let insert = Some(Box::new(insert));
        return Ok(Statement::Explain(Box::new(Explain { mode, query, insert })));
    }
    let starts = ["SELECT", "WITH", "VALUES", "FROM", "TABLE"];
    if !starts.iter().any(|word| cursor.is_keyword(word)) && cursor.peek() != Some(&Token::LParen) {
        return Err(cursor.expected("a query, ANALYZE, VERBOSE or PLAN FOR"));
    }
    let query = query(cursor)?;
    Ok(Statement::Explain(Box::new(Explain { mode, query, insert: None })))
}
