//! Parsed expressions that become calls of functions: casts, typed literals, units, patterns,
//! intervals, OVERLAPS.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Interval, ObjectName, ObjectNamePart,
    Subscript, TimezoneInfo, TypedString, Value, ValueWithSpan,
};

use super::super::calendar::{CEIL, FLOOR};
use super::super::cast::{CAST, TRY_CAST};
use super::super::regex::{LIKE_PATTERN, SIMILAR};
use super::{call, negated, text};
use crate::error::SqlError;
use crate::parse::parse_type;

/// Rewrites the expression in place; its parts are rewritten already.
pub(crate) fn rewrite_expr(expr: &mut Expr) -> Result<(), SqlError> {
    if let Some(new) = rewritten(expr)? {
        *expr = new;
    }
    Ok(())
}

/// The parts are moved out of the old expression, which is thrown away.
fn moved(part: &mut Expr) -> Expr {
    std::mem::replace(part, Expr::value(Value::Null))
}

fn rewritten(expr: &mut Expr) -> Result<Option<Expr>, SqlError> {
    Ok(match expr {
        Expr::Cast { kind, expr: value, data_type, array: false, format: None } => {
            cast(kind, value, data_type)
        }
        Expr::TypedString(literal) => typed(literal),
        Expr::Value(ValueWithSpan { value: Value::UnicodeStringLiteral(value), .. }) => {
            Some(text(std::mem::take(value)))
        }
        Expr::Floor { expr: value, field: CeilFloorKind::DateTimeField(unit) } => {
            to_unit(FLOOR, value, unit)
        }
        Expr::Ceil { expr: value, field: CeilFloorKind::DateTimeField(unit) } => {
            to_unit(CEIL, value, unit)
        }
        Expr::Function(function) => {
            function_call(function);
            char_call(function)
        }
        Expr::Like { any: false, pattern, escape_char, .. } => {
            let pattern_now = like_pattern(pattern, escape_char.take())?;
            **pattern = pattern_now;
            None
        }
        Expr::SimilarTo { negated: not, expr: value, pattern, escape_char } => {
            let mut args = vec![moved(value), moved(pattern)];
            if let Some(escape) = escape_char.take() {
                args.push(text(literal_text(escape)?));
            }
            Some(negated(call(SIMILAR, args), *not))
        }
        Expr::Interval(interval) if interval.last_field.is_some() => {
            interval_to(interval)?;
            None
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            if !matches!(**root, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
                access_chain.iter_mut().for_each(field_by_name);
            }
            None
        }
        Expr::BinaryOp { left, op: BinaryOperator::Overlaps, right } => {
            Some(overlaps(left, right)?)
        }
        _ => None,
    })
}

/// `.field` of a value that is no column, as `['field']`.
fn field_by_name(access: &mut AccessExpr) {
    if let AccessExpr::Dot(Expr::Identifier(field)) = access {
        let index = text(field.value.clone());
        *access = AccessExpr::Subscript(Subscript::Index { index });
    }
}

/// Types of Flink stand there as their name; others are the planner's own.
fn cast(kind: &CastKind, value: &mut Expr, data_type: &DataType) -> Option<Expr> {
    let DataType::Custom(name, arguments) = data_type else { return None };
    let [ObjectNamePart::Identifier(Ident { value: name, quote_style: None, .. })] =
        name.0.as_slice()
    else {
        return None;
    };
    if !arguments.is_empty() || parse_type(name).is_err() {
        return None;
    }
    let function = match kind {
        CastKind::Cast => CAST,
        CastKind::TryCast => TRY_CAST,
        CastKind::SafeCast | CastKind::DoubleColon => return None,
    };
    Some(call(function, vec![moved(value), text(name)]))
}

/// `TIMESTAMP '...'` has as many digits behind the second as are written.
fn typed(literal: &TypedString) -> Option<Expr> {
    let Value::SingleQuotedString(value) = &literal.value.value else { return None };
    let wanted = match &literal.data_type {
        DataType::Date => "DATE".to_owned(),
        DataType::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            "TIME(3)".to_owned()
        }
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            let digits = value.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len());
            format!("TIMESTAMP({})", digits.min(9))
        }
        _ => return None,
    };
    Some(call(CAST, vec![text(value.clone()), text(wanted)]))
}

fn to_unit(function: &str, value: &mut Expr, unit: &DateTimeField) -> Option<Expr> {
    if *unit == DateTimeField::NoDateTime {
        return None;
    }
    Some(call(function, vec![moved(value), text(unit.to_string().to_ascii_uppercase())]))
}

fn is_named(function: &Function, names: &[&str]) -> bool {
    match function.name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => {
            names.iter().any(|name| ident.value.eq_ignore_ascii_case(name))
        }
        _ => false,
    }
}

/// Names of functions have no case, also between quotes.
fn plain_name(name: &mut ObjectName) {
    if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice()
        && ident.quote_style.take().is_some()
    {
        ident.value.make_ascii_lowercase();
    }
}

/// The unit of TIMESTAMPDIFF and TIMESTAMPADD is a word, not a column. LISTAGG and VARIANCE
/// have other names, LISTAGG a comma where no separator is given.
fn function_call(function: &mut Function) {
    plain_name(&mut function.name);
    if is_named(function, &["LISTAGG"])
        && let FunctionArguments::List(list) = &mut function.args
    {
        if list.args.len() == 1 {
            list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(text(","))));
        }
        function.name = ObjectName::from(vec![Ident::new("string_agg")]);
        return;
    }
    if is_named(function, &["VARIANCE"]) {
        function.name = ObjectName::from(vec![Ident::new("var_samp")]);
        return;
    }
    if !is_named(function, &["TIMESTAMPDIFF", "TIMESTAMPADD"]) {
        return;
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first_mut()
        && let Expr::Identifier(unit) = first
        && unit.quote_style.is_none()
    {
        *first = text(unit.value.to_ascii_uppercase());
    }
}

/// A literal is CHAR(n), and so is UPPER of it: no longer than the literal.
fn char_call(function: &Function) -> Option<Expr> {
    let name = if is_named(function, &["UPPER"]) {
        "$char_upper"
    } else if is_named(function, &["LOWER"]) {
        "$char_lower"
    } else {
        return None;
    };
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(literal @ Expr::Value(value)))] => {
            match &value.value {
                Value::SingleQuotedString(_) => Some(call(name, vec![literal.clone()])),
                _ => None,
            }
        }
        _ => None,
    }
}

fn literal_text(value: ValueWithSpan) -> Result<String, SqlError> {
    match value.value {
        Value::SingleQuotedString(text) => Ok(text),
        other => Err(SqlError::invalid(format!("ESCAPE {other}: the escape must be a text"))),
    }
}

/// A backslash means nothing in Flink's LIKE, and the escape is what ESCAPE says.
fn like_pattern(pattern: &mut Expr, escape: Option<ValueWithSpan>) -> Result<Expr, SqlError> {
    let plain = matches!(pattern, Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(text), .. }) if !text.contains('\\'));
    let pattern = moved(pattern);
    Ok(match escape {
        None if plain => pattern,
        None => call(LIKE_PATTERN, vec![pattern]),
        Some(escape) => {
            let escape = literal_text(escape)?;
            if escape == "\\" || escape.chars().count() != 1 {
                return Err(SqlError::invalid(format!(
                    "ESCAPE '{escape}': the escape must be one character, and no backslash"
                )));
            }
            call(LIKE_PATTERN, vec![pattern, text(escape)])
        }
    })
}

/// `INTERVAL '1 02:03:04.5' DAY TO SECOND` as `INTERVAL '1 days 2 hours 3 minutes 4.5 seconds'`.
fn interval_to(interval: &mut Interval) -> Result<(), SqlError> {
    let (Some(from), Some(to)) = (&interval.leading_field, &interval.last_field) else {
        return Ok(());
    };
    let range = format!("{from} TO {to}").to_ascii_uppercase();
    let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(given), .. }) =
        interval.value.as_ref()
    else {
        return Err(SqlError::invalid(format!("INTERVAL {range} takes a text")));
    };
    const UNITS: [&str; 6] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    let at = |unit: &DateTimeField| {
        let unit = unit.to_string().to_ascii_uppercase();
        UNITS.iter().position(|known| *known == unit)
    };
    let bad = || SqlError::invalid(format!("'{given}' is no INTERVAL {range}"));
    let (first, last) = (at(from).ok_or_else(bad)?, at(to).ok_or_else(bad)?);
    let negative = given.starts_with('-');
    let plain = given.trim_start_matches(['-', '+']);
    let parts: Vec<&str> = plain.split([' ', ':', '-']).collect();
    let units = UNITS.get(first..=last).unwrap_or_default();
    let number = |part: &&str| !part.is_empty() && part.parse::<f64>().is_ok();
    if parts.len() != units.len() || !parts.iter().all(number) {
        return Err(bad());
    }
    let sign = if negative { "-" } else { "" };
    let words = parts.iter().zip(units).map(|(part, unit)| format!("{sign}{part} {unit}"));
    let value = words.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    *interval = Interval {
        value: Box::new(text(value)),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    };
    Ok(())
}

/// `(start, end) OVERLAPS (start, end)`, where an end may be an interval.
fn overlaps(left: &mut Expr, right: &mut Expr) -> Result<Expr, SqlError> {
    let (a, b) = (period(left)?, period(right)?);
    let reaches = |later: &[Expr; 2], earlier: &[Expr; 2]| Expr::BinaryOp {
        left: Box::new(call("greatest", later.to_vec())),
        op: BinaryOperator::GtEq,
        right: Box::new(call("least", earlier.to_vec())),
    };
    Ok(Expr::Nested(Box::new(Expr::BinaryOp {
        left: Box::new(reaches(&a, &b)),
        op: BinaryOperator::And,
        right: Box::new(reaches(&b, &a)),
    })))
}

fn period(side: &mut Expr) -> Result<[Expr; 2], SqlError> {
    if let Expr::Tuple(parts) = side
        && let [start, end] = parts.as_mut_slice()
    {
        let (start, end) = (moved(start), moved(end));
        let end = match end {
            Expr::Interval(_) => Expr::BinaryOp {
                left: Box::new(start.clone()),
                op: BinaryOperator::Plus,
                right: Box::new(end),
            },
            end => end,
        };
        return Ok([start, end]);
    }
    Err(SqlError::invalid("OVERLAPS takes (start, end) on both sides"))
}
