//! The JSON functions with the clauses between their parentheses. The clauses become a text, the
//! third argument, with the default values behind it.

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::{call, eat, text, word};

/// JSON_VALUE, JSON_QUERY, JSON_EXISTS.
pub(super) fn query(parser: &mut Parser<'_>, name: &str) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let mut args = vec![parser.parse_expr()?];
    parser.expect_token(&Token::Comma)?;
    args.push(parser.parse_expr()?);
    let mut clauses: Vec<String> = Vec::new();
    let mut defaults = Vec::new();
    loop {
        if parser.consume_token(&Token::RParen) {
            break;
        }
        let Some(next) = word(&parser.peek_token_ref().token) else {
            return parser.expected_ref("a clause or )", parser.peek_token_ref());
        };
        parser.next_token();
        match next.as_str() {
            "RETURNING" => {
                let wanted = parser.parse_data_type()?;
                clauses.push(format!("RETURNING {}", wanted.to_string().replace(' ', "")));
            }
            "DEFAULT" => {
                defaults.push(parser.parse_expr()?);
                clauses.push(next);
            }
            "NULL" | "ERROR" | "TRUE" | "FALSE" | "UNKNOWN" | "EMPTY" | "ARRAY" | "OBJECT"
            | "ON" | "WITH" | "WITHOUT" | "CONDITIONAL" | "UNCONDITIONAL" | "WRAPPER" => {
                clauses.push(next)
            }
            _ => {
                parser.prev_token();
                return parser.expected_ref("a clause or )", parser.peek_token_ref());
            }
        }
    }
    if !clauses.is_empty() {
        args.push(text(clauses.join(" ")));
    }
    args.extend(defaults);
    Ok(call(name, args))
}

/// JSON_OBJECT, JSON_ARRAY. The first argument tells of nulls (`N`, `A`) and, for each value,
/// whether it is JSON already (`j`) or not (`v`).
pub(super) fn construct(parser: &mut Parser<'_>, name: &str) -> Result<Expr, ParserError> {
    let object = name == "JSON_OBJECT";
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let mut args = Vec::new();
    let mut kinds = String::new();
    // Nulls stay in objects and are left out of arrays, unless a clause says otherwise.
    let mut absent = !object;
    while !parser.consume_token(&Token::RParen) {
        if let Some(clause) = on_null(parser) {
            absent = clause;
            parser.expect_token(&Token::RParen)?;
            break;
        }
        if object {
            let named = word(&parser.peek_token_ref().token).is_some_and(|w| w == "KEY")
                && !matches!(parser.peek_nth_token_ref(1).token, Token::Comma | Token::Period);
            if named {
                parser.next_token();
            }
            args.push(parser.parse_expr()?);
            if !eat(parser, "VALUE") && !parser.consume_token(&Token::Colon) {
                return parser.expected_ref("VALUE", parser.peek_token_ref());
            }
        }
        let value = parser.parse_expr()?;
        kinds.push(if is_json(&value) { 'j' } else { 'v' });
        args.push(value);
        if let Some(clause) = on_null(parser) {
            absent = clause;
            parser.expect_token(&Token::RParen)?;
            break;
        }
        if parser.consume_token(&Token::Comma) {
            continue;
        }
        parser.expect_token(&Token::RParen)?;
        break;
    }
    args.insert(0, text(format!("{}{kinds}", if absent { "A" } else { "N" })));
    Ok(call(name, args))
}

/// `NULL ON NULL` (false) or `ABSENT ON NULL` (true).
fn on_null(parser: &mut Parser<'_>) -> Option<bool> {
    let at = |n: usize| word(&parser.peek_nth_token_ref(n).token).unwrap_or_default();
    let absent = match at(0).as_str() {
        "ABSENT" => true,
        "NULL" => false,
        _ => return None,
    };
    if at(1) != "ON" || at(2) != "NULL" {
        return None;
    }
    super::take(parser, 3);
    Some(absent)
}

/// Whether the value is made by a function that makes JSON: it goes in as it is.
fn is_json(value: &Expr) -> bool {
    match value {
        Expr::Function(function) => {
            let name = function.name.to_string().to_ascii_uppercase();
            name == "JSON_OBJECT" || name == "JSON_ARRAY"
        }
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_json(inner),
        _ => false,
    }
}
