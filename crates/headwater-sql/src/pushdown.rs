//! Turns a query's filters into the library's predicates.
//!
//! What has no translation is left out; the query filters again, so a predicate may keep rows too
//! many, never too few. Three-valued logic: a row whose comparison is unknown is kept by neither.

use arrow::datatypes::DataType as Arrow;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use headwater::spec::row::arrow::datum_at;
use headwater::spec::types::arrow_type;
use headwater::{Datum, Op, Predicate, RowType};

/// The conjunction of those filters that translate wholly; `None` if none does.
pub(crate) fn predicate_of(filters: &[Expr], columns: &RowType) -> Option<Predicate> {
    let parts: Vec<Predicate> = filters.iter().filter_map(|f| conjuncts(f, columns)).collect();
    match parts.len() {
        0 => None,
        1 => parts.into_iter().next(),
        _ => Some(Predicate::And(parts)),
    }
}

/// Whether a part of the filter can be translated.
pub(crate) fn is_translatable(filter: &Expr, columns: &RowType) -> bool {
    conjuncts(filter, columns).is_some()
}

/// Whether the filter can be translated without loss.
pub(crate) fn is_whole(filter: &Expr, columns: &RowType) -> bool {
    translate(filter, columns, false).is_some()
}

/// Of `a AND b` one side is enough.
fn conjuncts(expr: &Expr, columns: &RowType) -> Option<Predicate> {
    if let Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) = expr {
        return match (conjuncts(left, columns), conjuncts(right, columns)) {
            (Some(a), Some(b)) => Some(Predicate::And(vec![a, b])),
            (one, None) | (None, one) => one,
        };
    }
    translate(expr, columns, false)
}

/// The whole of `expr` (negated: of NOT `expr`), or nothing.
fn translate(expr: &Expr, columns: &RowType, negated: bool) -> Option<Predicate> {
    match expr {
        Expr::Alias(alias) => translate(&alias.expr, columns, negated),
        Expr::Not(inner) => translate(inner, columns, !negated),
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let parts =
                vec![translate(left, columns, negated)?, translate(right, columns, negated)?];
            // NOT (a AND b) is NOT a OR NOT b, with unknowns as well.
            Some(if (*op == Operator::And) == negated {
                Predicate::Or(parts)
            } else {
                Predicate::And(parts)
            })
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let op = comparison(*op)?;
            let (column, literal, op) = match (left.as_ref(), right.as_ref()) {
                (Expr::Column(column), Expr::Literal(value, _)) => (column, value, op),
                (Expr::Literal(value, _), Expr::Column(column)) => (column, value, swapped(op)),
                _ => return None,
            };
            let (index, datum) = operand(column, literal, columns)?;
            Some(Predicate::leaf(index, if negated { opposite(op)? } else { op }, [datum]))
        }
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
            let Expr::Column(column) = inner.as_ref() else { return None };
            let is_null = matches!(expr, Expr::IsNull(_)) != negated;
            let op = if is_null { Op::IsNull } else { Op::IsNotNull };
            Some(Predicate::leaf(columns.index_of(&column.name)?, op, []))
        }
        Expr::InList(list) => in_list(list, columns, negated),
        Expr::Between(between) => self::between(between, columns, negated),
        Expr::Like(like) if !negated && !like.negated => starts_with(like, columns),
        Expr::Column(column) => boolean(column, columns, !negated),
        Expr::IsTrue(inner) if !negated => translate(inner, columns, false),
        Expr::IsFalse(inner) if !negated => translate(inner, columns, true),
        _ => None,
    }
}

const fn comparison(op: Operator) -> Option<Op> {
    Some(match op {
        Operator::Eq => Op::Eq,
        Operator::NotEq => Op::Ne,
        Operator::Lt => Op::Lt,
        Operator::LtEq => Op::Le,
        Operator::Gt => Op::Gt,
        Operator::GtEq => Op::Ge,
        _ => return None,
    })
}

/// The comparison with its sides exchanged.
const fn swapped(op: Op) -> Op {
    match op {
        Op::Lt => Op::Gt,
        Op::Le => Op::Ge,
        Op::Gt => Op::Lt,
        Op::Ge => Op::Le,
        other => other,
    }
}

const fn opposite(op: Op) -> Option<Op> {
    Some(match op {
        Op::Eq => Op::Ne,
        Op::Ne => Op::Eq,
        Op::Lt => Op::Ge,
        Op::Le => Op::Gt,
        Op::Gt => Op::Le,
        Op::Ge => Op::Lt,
        _ => return None,
    })
}

fn operand(column: &Column, literal: &ScalarValue, columns: &RowType) -> Option<(usize, Datum)> {
    let index = columns.index_of(&column.name)?;
    Some((index, datum(literal, columns, index)?))
}

/// The literal as a value of the column's type; nothing if it is null, not a plain value, or
/// would change on the way.
fn datum(literal: &ScalarValue, columns: &RowType, index: usize) -> Option<Datum> {
    let data_type = &columns.fields.get(index)?.data_type;
    let wanted = arrow_type(&data_type.kind);
    if literal.is_null() || matches!(wanted, Arrow::List(_) | Arrow::Map(..) | Arrow::Struct(_)) {
        return None;
    }
    let same = if literal.data_type() == wanted {
        literal.clone()
    } else {
        let there = literal.cast_to(&wanted).ok()?;
        let back = there.cast_to(&literal.data_type()).ok()?;
        if back != *literal {
            return None;
        }
        there
    };
    let array = same.to_array().ok()?;
    datum_at(array.as_ref(), 0, data_type).ok()?
}

fn in_list(list: &InList, columns: &RowType, negated: bool) -> Option<Predicate> {
    let Expr::Column(column) = list.expr.as_ref() else { return None };
    let index = columns.index_of(&column.name)?;
    let mut literals = Vec::with_capacity(list.list.len());
    for item in &list.list {
        let Expr::Literal(value, _) = item else { return None };
        literals.push(datum(value, columns, index)?);
    }
    let op = if list.negated == negated { Op::In } else { Op::NotIn };
    Some(Predicate::leaf(index, op, literals))
}

fn between(between: &Between, columns: &RowType, negated: bool) -> Option<Predicate> {
    let Expr::Column(column) = between.expr.as_ref() else { return None };
    let (Expr::Literal(low, _), Expr::Literal(high, _)) =
        (between.low.as_ref(), between.high.as_ref())
    else {
        return None;
    };
    let (index, low) = operand(column, low, columns)?;
    let (_, high) = operand(column, high, columns)?;
    Some(if between.negated == negated {
        Predicate::And(vec![
            Predicate::leaf(index, Op::Ge, [low]),
            Predicate::leaf(index, Op::Le, [high]),
        ])
    } else {
        Predicate::Or(vec![
            Predicate::leaf(index, Op::Lt, [low]),
            Predicate::leaf(index, Op::Gt, [high]),
        ])
    })
}

/// `LIKE 'abc%'` without another sign in it.
fn starts_with(like: &Like, columns: &RowType) -> Option<Predicate> {
    let Expr::Column(column) = like.expr.as_ref() else { return None };
    let Expr::Literal(pattern, _) = like.pattern.as_ref() else { return None };
    let pattern = pattern.try_as_str()??;
    if like.case_insensitive || like.escape_char.is_some() || pattern.contains('\\') {
        return None;
    }
    let index = columns.index_of(&column.name)?;
    if arrow_type(&columns.fields.get(index)?.data_type.kind) != Arrow::Utf8 {
        return None;
    }
    let (prefix, op) = match pattern.strip_suffix('%') {
        Some(prefix) => (prefix, Op::StartsWith),
        None => (pattern, Op::Eq),
    };
    if prefix.contains(['%', '_']) || (prefix.is_empty() && op == Op::StartsWith) {
        return None;
    }
    Some(Predicate::leaf(index, op, [Datum::String(prefix.to_owned())]))
}

fn boolean(column: &Column, columns: &RowType, value: bool) -> Option<Predicate> {
    let index = columns.index_of(&column.name)?;
    let is_boolean = arrow_type(&columns.fields.get(index)?.data_type.kind) == Arrow::Boolean;
    is_boolean.then(|| Predicate::leaf(index, Op::Eq, [Datum::Boolean(value)]))
}

/// A predicate for people: `amount >= 10 AND status IN ('paid', 'sent')`.
pub(crate) fn describe(predicate: &Predicate, columns: &RowType) -> String {
    match predicate {
        Predicate::And(parts) => joined(parts, " AND ", columns),
        Predicate::Or(parts) => format!("({})", joined(parts, " OR ", columns)),
        Predicate::Leaf { column, op, literals } => {
            let name = columns.fields.get(*column).map_or("?", |f| f.name.as_str());
            let values: Vec<String> = literals.iter().take(10).map(show).collect();
            let more = if literals.len() > 10 { ", …" } else { "" };
            let list = format!("{}{more}", values.join(", "));
            match op {
                Op::Eq => format!("{name} = {list}"),
                Op::Ne => format!("{name} <> {list}"),
                Op::Lt => format!("{name} < {list}"),
                Op::Le => format!("{name} <= {list}"),
                Op::Gt => format!("{name} > {list}"),
                Op::Ge => format!("{name} >= {list}"),
                Op::In => format!("{name} IN ({list})"),
                Op::NotIn => format!("{name} NOT IN ({list})"),
                Op::IsNull => format!("{name} IS NULL"),
                Op::IsNotNull => format!("{name} IS NOT NULL"),
                Op::StartsWith => format!("{name} starts with {list}"),
            }
        }
    }
}

fn joined(parts: &[Predicate], with: &str, columns: &RowType) -> String {
    let parts: Vec<String> = parts.iter().map(|part| describe(part, columns)).collect();
    parts.join(with)
}

fn show(datum: &Datum) -> String {
    match datum {
        Datum::Boolean(v) => v.to_string(),
        Datum::TinyInt(v) => v.to_string(),
        Datum::SmallInt(v) => v.to_string(),
        Datum::Int(v) => v.to_string(),
        Datum::BigInt(v) => v.to_string(),
        Datum::Float(v) => v.to_string(),
        Datum::Double(v) => v.to_string(),
        Datum::String(v) => crate::names::literal(v),
        Datum::Decimal { unscaled, precision, scale } => {
            ScalarValue::Decimal128(Some(*unscaled), *precision, scale.cast_signed()).to_string()
        }
        Datum::Date(days) => ScalarValue::Date32(Some(*days)).to_string(),
        Datum::Time(millis) => ScalarValue::Time32Millisecond(Some(*millis)).to_string(),
        Datum::Timestamp { millis, nanos } => {
            let whole = ScalarValue::TimestampMillisecond(Some(*millis), None).to_string();
            if *nanos == 0 { whole } else { format!("{whole}+{nanos}ns") }
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
