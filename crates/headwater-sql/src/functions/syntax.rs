//! Expressions that Flink writes in its own way: parsed here where the parser does not know them,
//! and rewritten to calls of functions that the planner knows.

mod json_calls;
mod rewriting;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, TrimWhereField, UnaryOperator,
    Value,
};
use datafusion::sql::sqlparser::dialect::{Dialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::parse::type_of_tokens;

pub(crate) use self::rewriting::rewrite_expr;

type Parsed = Option<Result<Expr, ParserError>>;

/// A call of a function by its plain name.
fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn text(value: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(value.into()))
}

fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
        _ => None,
    }
}

/// Takes the next token when it is this word.
fn eat(parser: &mut Parser<'_>, wanted: &str) -> bool {
    let there = word(&parser.peek_token_ref().token).is_some_and(|word| word == wanted);
    if there {
        parser.next_token();
    }
    there
}

/// What starts an expression: CAST, CEILING, `MAP[`, and the JSON functions with their clauses.
pub(crate) fn parse_prefix(parser: &mut Parser<'_>) -> Parsed {
    let name = word(&parser.peek_token_ref().token)?;
    let opening = &parser.peek_nth_token_ref(1).token;
    match (name.as_str(), opening) {
        ("CAST", Token::LParen) => Some(cast(parser, CastKind::Cast)),
        ("TRY_CAST", Token::LParen) => Some(cast(parser, CastKind::TryCast)),
        ("CEILING", Token::LParen) => {
            parser.next_token();
            Some(parser.parse_ceil_floor_expr(true))
        }
        ("MAP", Token::LBracket) => map(parser),
        ("TRIM", Token::LParen) => trim_spaces(parser),
        ("JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS", Token::LParen) => {
            Some(json_calls::query(parser, &name))
        }
        ("JSON_OBJECT" | "JSON_ARRAY", Token::LParen) => Some(json_calls::construct(parser, &name)),
        ("JSON_OBJECTAGG" | "JSON_ARRAYAGG", Token::LParen) => {
            Some(Err(ParserError::ParserError(super::table::lacking(&name))))
        }
        _ => None,
    }
}

/// CAST with the types of Flink; other types are left to the parser.
fn cast(parser: &mut Parser<'_>, kind: CastKind) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_keyword_is(Keyword::AS)?;
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    loop {
        match &parser.peek_token_ref().token {
            Token::EOF | Token::SemiColon => break,
            Token::RParen if depth == 0 => break,
            Token::RParen => depth -= 1,
            Token::LParen => depth += 1,
            _ => {}
        }
        tokens.push(parser.next_token());
    }
    let count = tokens.len();
    let data_type = match type_of_tokens(tokens) {
        Ok(wanted) => {
            DataType::Custom(ObjectName::from(vec![Ident::new(wanted.to_string())]), Vec::new())
        }
        Err(_) => {
            (0..count).for_each(|_| parser.prev_token());
            parser.parse_data_type()?
        }
    };
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast { kind, expr, data_type, array: false, format: None })
}

/// `TRIM(BOTH FROM text)`: the parser wants the characters as well.
fn trim_spaces(parser: &mut Parser<'_>) -> Parsed {
    let at = |n: usize| word(&parser.peek_nth_token_ref(n).token).unwrap_or_default();
    let side = match at(2).as_str() {
        "BOTH" => TrimWhereField::Both,
        "LEADING" => TrimWhereField::Leading,
        "TRAILING" => TrimWhereField::Trailing,
        _ => return None,
    };
    if at(3) != "FROM" {
        return None;
    }
    take(parser, 4);
    let parsed = parser.parse_expr().and_then(|expr| {
        parser.expect_token(&Token::RParen)?;
        Ok(Expr::Trim {
            expr: Box::new(expr),
            trim_where: Some(side),
            trim_what: None,
            trim_characters: None,
        })
    });
    Some(parsed)
}

/// `MAP[key, value, ...]`; with one element it is the element of a column called `map`.
fn map(parser: &mut Parser<'_>) -> Parsed {
    let mut depth = 0_usize;
    let mut commas = 0_usize;
    for at in 1.. {
        match &parser.peek_nth_token_ref(at).token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RBracket if depth == 1 => break,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Comma if depth == 1 => commas += 1,
            Token::EOF => break,
            _ => {}
        }
    }
    let empty = parser.peek_nth_token_ref(2).token == Token::RBracket;
    if commas == 0 && !empty {
        return None;
    }
    Some(map_of(parser))
}

fn map_of(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LBracket)?;
    let mut entries = Vec::new();
    while !matches!(parser.peek_token_ref().token, Token::RBracket) {
        entries.push(parser.parse_expr()?);
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::RBracket)?;
    Ok(call(super::maps::MAP_OF, entries))
}

/// What stands behind an expression: IS DISTINCT FROM, IS JSON, BETWEEN SYMMETRIC.
///
/// The right side of IS DISTINCT FROM ends where IS binds less: the parser would take everything.
pub(crate) fn parse_infix(
    dialect: &dyn Dialect,
    parser: &mut Parser<'_>,
    left: &Expr,
    precedence: u8,
) -> Parsed {
    let at = |n: usize| word(&parser.peek_nth_token_ref(n).token).unwrap_or_default();
    let first = at(0);
    let not = at(1) == "NOT";
    let skip = 1 + usize::from(not);
    let (second, third) = (at(skip), at(skip + 1));
    match (first.as_str(), second.as_str(), third.as_str()) {
        ("IS", "DISTINCT", "FROM") => {
            take(parser, skip + 2);
            Some(parser.parse_subexpr(precedence).map(|right| {
                let (left, right) = (Box::new(left.clone()), Box::new(right));
                if not {
                    Expr::IsNotDistinctFrom(left, right)
                } else {
                    Expr::IsDistinctFrom(left, right)
                }
            }))
        }
        ("IS", "JSON", kind) => {
            let known = ["OBJECT", "ARRAY", "SCALAR", "VALUE"].contains(&kind);
            let kind = if known { kind.to_owned() } else { "VALUE".to_owned() };
            take(parser, skip + 1 + usize::from(known));
            let test = call(super::json::IS_JSON, vec![left.clone(), text(kind)]);
            Some(Ok(negated(test, not)))
        }
        _ => between(dialect, parser, left),
    }
}

fn take(parser: &mut Parser<'_>, count: usize) {
    (0..count).for_each(|_| {
        parser.next_token();
    });
}

fn negated(expr: Expr, not: bool) -> Expr {
    if not { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) } } else { expr }
}

/// `[NOT] BETWEEN SYMMETRIC low AND high`: in either order.
fn between(dialect: &dyn Dialect, parser: &mut Parser<'_>, left: &Expr) -> Parsed {
    let at = |n: usize| word(&parser.peek_nth_token_ref(n).token).unwrap_or_default();
    let not = at(0) == "NOT";
    let start = usize::from(not);
    if at(start) != "BETWEEN" {
        return None;
    }
    let symmetric = match at(start + 1).as_str() {
        "SYMMETRIC" => true,
        "ASYMMETRIC" => false,
        _ => return None,
    };
    take(parser, start + 2);
    let bound = dialect.prec_value(Precedence::Between);
    let parsed = parser.parse_subexpr(bound).and_then(|low| {
        parser.expect_keyword_is(Keyword::AND)?;
        Ok((low, parser.parse_subexpr(bound)?))
    });
    Some(parsed.map(|(low, high)| {
        let between = |low: &Expr, high: &Expr| Expr::Between {
            expr: Box::new(left.clone()),
            negated: false,
            low: Box::new(low.clone()),
            high: Box::new(high.clone()),
        };
        let one = between(&low, &high);
        let test = if symmetric {
            Expr::Nested(Box::new(Expr::BinaryOp {
                left: Box::new(one),
                op: BinaryOperator::Or,
                right: Box::new(between(&high, &low)),
            }))
        } else {
            one
        };
        negated(test, not)
    }))
}
