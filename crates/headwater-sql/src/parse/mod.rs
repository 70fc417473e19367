//! From the tokens of a statement to what it asks for.
//!
//! Definitions and INSERT are parsed here, with Flink's words; everything that is a query goes to
//! DataFusion's parser, with the tokens' own places, so that a complaint names the script's line.

mod cursor;
mod insert;
mod table;
#[cfg(test)]
mod tests;
mod types;

use datafusion::sql::parser::{DFParserBuilder, Statement as QueryStatement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use headwater::DataType;

use self::cursor::Cursor;
pub(crate) use self::insert::Insert;
pub(crate) use self::table::{Column, CreateTable};
use crate::dialect::HeadwaterDialect;
use crate::error::SqlError;
use crate::rewrite::{output_names, rewrite};

/// How deep queries may nest.
const RECURSION_LIMIT: usize = 128;

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
    CreateDatabase { name: Vec<String>, if_not_exists: bool },
    DropDatabase { name: Vec<String>, if_exists: bool, cascade: bool },
    CreateTable(Box<CreateTable>),
    DropTable { name: Vec<String>, if_exists: bool },
    ShowDatabases,
    ShowTables { database: Option<Vec<String>> },
    ShowCreateTable { name: Vec<String> },
    Describe { name: Vec<String> },
    Use { name: Vec<String> },
    UseCatalog { name: String },
    Insert(Box<Insert>),
    Copy(Box<QueryStatement>),
    Query { statement: Box<QueryStatement>, names: Vec<Option<String>> },
}

/// Parses one statement.
pub(crate) fn parse(tokens: Vec<TokenWithSpan>) -> Result<Statement, SqlError> {
    let mut cursor = Cursor::new(tokens);
    let first = match cursor.peek() {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        Some(Token::LParen) => "(".to_owned(),
        _ => return Err(cursor.expected("a statement")),
    };
    match first.as_str() {
        "CREATE" => create(&mut cursor),
        "DROP" => drop(&mut cursor),
        "SHOW" => show(&mut cursor),
        "DESCRIBE" | "DESC" => {
            cursor.name("DESCRIBE")?;
            cursor.keyword("TABLE");
            cursor.keyword("EXTENDED");
            let name = cursor.dotted_name("a table's name")?;
            cursor.end()?;
            Ok(Statement::Describe { name })
        }
        "USE" => {
            cursor.need_keyword("USE")?;
            let statement = if cursor.keyword("CATALOG") {
                Statement::UseCatalog { name: cursor.name("a catalog's name")? }
            } else {
                Statement::Use { name: cursor.dotted_name("a database's name")? }
            };
            cursor.end()?;
            Ok(statement)
        }
        "INSERT" => insert::insert(&mut cursor).map(|insert| Statement::Insert(Box::new(insert))),
        "COPY" => query_statement(cursor.rest()).map(|s| Statement::Copy(Box::new(s))),
        "EXPLAIN" => explain(&mut cursor),
        "SELECT" | "WITH" | "VALUES" | "FROM" | "TABLE" | "(" => query(cursor.rest()),
        other => Err(refused(other, &cursor)),
    }
}

/// The error of a statement that this version does not run.
fn refused(word: &str, cursor: &Cursor) -> SqlError {
    const LATER: &str = "planned for a later release";
    match word {
        "DELETE" | "UPDATE" | "MERGE" | "TRUNCATE" | "ALTER" | "CALL" | "ANALYZE" => {
            SqlError::unsupported(format!("{word} is"), LATER)
        }
        "SET" | "RESET" => SqlError::unsupported(
            format!("{word} is"),
            "there are no session options; use the options of the table or of the command",
        ),
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" => {
            SqlError::unsupported(format!("{word} is"), "every statement commits for itself")
        }
        "GRANT" | "REVOKE" | "LOAD" | "UNLOAD" | "EXECUTE" | "PREPARE" | "REFRESH" | "REPLACE"
        | "STOP" | "RENAME" | "ADD" | "REMOVE" | "COMPILE" | "DEALLOCATE" | "VACUUM" => {
            SqlError::unsupported(format!("{word} is"), "no such statement here")
        }
        _ => cursor.expected(
            "a statement (SELECT, WITH, VALUES, INSERT, COPY, CREATE, DROP, SHOW, DESCRIBE, USE, \
             EXPLAIN)",
        ),
    }
}

fn create(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("CREATE")?;
    if cursor.keyword("DATABASE") || cursor.keyword("SCHEMA") {
        let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
        let name = cursor.dotted_name("a database's name")?;
        if cursor.is_keyword("COMMENT") || cursor.is_keyword("WITH") {
            return Err(SqlError::unsupported(
                "a database with COMMENT or WITH is",
                "a file system catalog stores nothing but its name",
            ));
        }
        cursor.end()?;
        return Ok(Statement::CreateDatabase { name, if_not_exists });
    }
    if cursor.keyword("TABLE") {
        return table::create_table(cursor).map(|t| Statement::CreateTable(Box::new(t)));
    }
    for what in [
        "TEMPORARY",
        "VIEW",
        "EXTERNAL",
        "CATALOG",
        "FUNCTION",
        "INDEX",
        "MATERIALIZED",
        "OR",
        "UNBOUNDED",
        "TAG",
        "BRANCH",
    ] {
        if cursor.is_keyword(what) {
            return Err(SqlError::unsupported(
                format!("CREATE {what} is"),
                "only databases and tables can be created",
            ));
        }
    }
    Err(cursor.expected("DATABASE or TABLE"))
}

fn drop(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("DROP")?;
    if cursor.keyword("DATABASE") || cursor.keyword("SCHEMA") {
        let if_exists = cursor.keywords(&["IF", "EXISTS"]);
        let name = cursor.dotted_name("a database's name")?;
        let cascade = cursor.keyword("CASCADE");
        if !cascade {
            cursor.keyword("RESTRICT");
        }
        cursor.end()?;
        return Ok(Statement::DropDatabase { name, if_exists, cascade });
    }
    if cursor.keyword("TABLE") {
        let if_exists = cursor.keywords(&["IF", "EXISTS"]);
        let name = cursor.dotted_name("a table's name")?;
        cursor.end()?;
        return Ok(Statement::DropTable { name, if_exists });
    }
    Err(cursor.expected("DATABASE or TABLE"))
}

fn show(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.need_keyword("SHOW")?;
    let statement = if cursor.keyword("DATABASES") || cursor.keyword("SCHEMAS") {
        Statement::ShowDatabases
    } else if cursor.keyword("TABLES") {
        let database = if cursor.keyword("FROM") || cursor.keyword("IN") {
            Some(cursor.dotted_name("a database's name")?)
        } else {
            None
        };
        Statement::ShowTables { database }
    } else if cursor.keywords(&["CREATE", "TABLE"]) {
        Statement::ShowCreateTable { name: cursor.dotted_name("a table's name")? }
    } else {
        return Err(cursor.expected("DATABASES, TABLES or CREATE TABLE"));
    };
    cursor.end()?;
    Ok(statement)
}

fn explain(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    for n in 1..4 {
        for word in ["INSERT", "CREATE", "DROP", "COPY", "DELETE", "UPDATE", "MERGE"] {
            if cursor.is_keyword_at(n, word) {
                return Err(SqlError::unsupported(
                    format!("EXPLAIN {word} is"),
                    "explain the query inside of it",
                ));
            }
        }
    }
    // Flink says EXPLAIN PLAN FOR.
    let mut tokens = cursor.rest();
    if cursor.keywords(&["EXPLAIN", "PLAN", "FOR"]) {
        tokens.drain(1..3);
    }
    query(tokens)
}

fn query(tokens: Vec<TokenWithSpan>) -> Result<Statement, SqlError> {
    let mut statement = parse_one(tokens)?;
    let names = output_names(&statement);
    rewrite(&mut statement)?;
    Ok(Statement::Query { statement: Box::new(statement), names })
}

/// DataFusion's parse of a query, EXPLAIN or COPY, ready to be planned.
fn query_statement(tokens: Vec<TokenWithSpan>) -> Result<QueryStatement, SqlError> {
    let mut statement = parse_one(tokens)?;
    rewrite(&mut statement)?;
    Ok(statement)
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
