//! Choosing between values: IF, IFNULL, COALESCE, GREATEST, LEAST, NULLIF. Values are brought to a
//! common type; a DECIMAL beside a DOUBLE becomes a DOUBLE.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::kernels::cmp;
use arrow::compute::kernels::zip::zip;
use arrow::compute::{and, is_null, or};
use arrow::datatypes::{DataType as Arrow, Field, TimeUnit};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Case;

use super::call::{Call, Param, Spec, returns};
use super::decimal::{as_decimal, common_type};
use super::types::name_of;
use crate::column_kind::digits;

use Param::{Any, Bool};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(
        &["if", "if_then_else"],
        &[Bool, Any, Any],
        |t, _| Ok(t.get(1).cloned().unwrap_or(Arrow::Null)),
        |c| choose(c.bool(0)?, c.arg(1)?, c.arg(2)?),
    )
    .unify(|types| {
        let (condition, values) = match types.split_first() {
            Some((condition, values)) => (condition.clone(), common_all(values)?),
            None => return plan_err!("IF takes three arguments"),
        };
        Ok(std::iter::once(condition).chain(values).collect())
    })
    .simplified(|args, _| {
        let [condition, then, otherwise] = args else { return None };
        let when = (Box::new(condition.clone()), Box::new(then.clone()));
        Some(Expr::Case(Case::new(None, vec![when], Some(Box::new(otherwise.clone())))))
    }),
    Spec::new(&["coalesce"], &[Any], returns::first, |c| {
        let mut result = Arc::clone(c.arg(0)?);
        for at in 1..c.count() {
            result = choose(&is_null(&result)?, c.arg(at)?, &result)?;
        }
        Ok(result)
    })
    .variadic()
    .nulls()
    .unify(common_all)
    .simplified(|args, _| Some(coalesce(args.to_vec()))),
    Spec::new(&["ifnull"], &[Any, Any], returns::first, |c| {
        choose(&is_null(c.arg(0)?)?, c.arg(1)?, c.arg(0)?)
    })
    .nulls()
    .unify(common_all)
    .simplified(|args, _| Some(coalesce(args.to_vec()))),
    Spec::new(&["greatest"], &[Any], returns::first, |c| extreme(c, |a, b| cmp::gt(&a, &b)))
        .variadic()
        .unify(common_all),
    Spec::new(&["least"], &[Any], returns::first, |c| extreme(c, |a, b| cmp::lt(&a, &b)))
        .variadic()
        .unify(common_all),
    Spec::new(&["nullif"], &[Any, Any], returns::first, |c| {
        let (a, b) = (c.arg(0)?, c.arg(1)?);
        let common = common_all(&[a.data_type().clone(), b.data_type().clone()])?;
        let Some(common) = common.first() else { return c.fail("takes two arguments") };
        let cast = |array: &ArrayRef| arrow::compute::cast(array, common);
        let equal = cmp::eq(&cast(a)?, &cast(b)?)?;
        Ok(arrow::compute::nullif(a, &equal)?)
    }),
];

/// Null counts as false.
fn choose(condition: &BooleanArray, then: &ArrayRef, otherwise: &ArrayRef) -> Result<ArrayRef> {
    let condition = match condition.nulls() {
        Some(nulls) => BooleanArray::new(condition.values() & nulls.inner(), None),
        None => condition.clone(),
    };
    Ok(zip(&condition, then, otherwise)?)
}

/// Null where any argument is.
fn extreme(
    call: &Call<'_>,
    better: impl Fn(ArrayRef, ArrayRef) -> std::result::Result<BooleanArray, arrow::error::ArrowError>,
) -> Result<ArrayRef> {
    let mut result = Arc::clone(call.arg(0)?);
    if result.data_type().is_nested() {
        return call.fail(format!("does not compare {}", name_of(result.data_type())));
    }
    for at in 1..call.count() {
        let next = call.arg(at)?;
        let first = choose(&better(Arc::clone(&result), Arc::clone(next))?, &result, next)?;
        let unknown = or(&is_null(&result)?, &is_null(next)?)?;
        result = arrow::compute::nullif(&first, &and(&unknown, &unknown)?)?;
    }
    Ok(result)
}

/// All arguments in their common type.
pub(super) fn common_all(types: &[Arrow]) -> Result<Vec<Arrow>> {
    let mut common = Arrow::Null;
    for next in types {
        common = match common_of(&common, next) {
            Some(wider) => wider,
            None => {
                return plan_err!(
                    "values of types {} and {} have no common type; use CAST",
                    name_of(&common),
                    name_of(next)
                );
            }
        };
    }
    Ok(vec![common; types.len()])
}

/// The type that holds the values of both.
pub(super) fn common_of(a: &Arrow, b: &Arrow) -> Option<Arrow> {
    use Arrow::{Date32, Float32, Float64, List, Null, Struct, Timestamp};
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Float64, n) | (n, Float64) if n.is_numeric() => Float64,
        (Float32, n) | (n, Float32) if n.is_integer() => Float32,
        (Float32, n) | (n, Float32) if n.is_numeric() => Float64,
        (a, b) if a.is_integer() && b.is_integer() => {
            let (wide, narrow) = (a.primitive_width()?, b.primitive_width()?);
            if wide >= narrow { a.clone() } else { b.clone() }
        }
        (a, b) if a.is_numeric() && b.is_numeric() => common_type(as_decimal(a)?, as_decimal(b)?),
        (Timestamp(u, zone), Timestamp(v, other)) => {
            let unit = if digits(*u) >= digits(*v) { *u } else { *v };
            Timestamp(unit, zone.clone().or_else(|| other.clone()))
        }
        (Timestamp(unit, zone), Date32) | (Date32, Timestamp(unit, zone)) => {
            Timestamp(*unit, zone.clone())
        }
        (Arrow::Time32(_) | Arrow::Time64(_), Arrow::Time32(_) | Arrow::Time64(_)) => {
            Arrow::Time64(TimeUnit::Nanosecond)
        }
        (List(a), List(b)) => {
            let element = common_of(a.data_type(), b.data_type())?;
            List(Arc::new(Field::new_list_field(element, true)))
        }
        (Arrow::Map(..), Arrow::Map(..)) => {
            let ((k, v), (l, w)) = (entry(a)?, entry(b)?);
            super::cast::map_type(common_of(&k, &l)?, common_of(&v, &w)?)
        }
        (Struct(a), Struct(b)) if a.len() == b.len() => {
            let fields = a.iter().zip(b.iter()).map(|(a, b)| {
                Some(Field::new(a.name(), common_of(a.data_type(), b.data_type())?, true))
            });
            Struct(fields.collect::<Option<Vec<_>>>()?.into())
        }
        _ => return None,
    })
}

/// Types of keys and values of a map.
pub(super) fn entry(map: &Arrow) -> Option<(Arrow, Arrow)> {
    let Arrow::Map(entries, _) = map else { return None };
    let Arrow::Struct(fields) = entries.data_type() else { return None };
    match fields.as_ref() {
        [key, value] => Some((key.data_type().clone(), value.data_type().clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_beside_a_double_is_a_double() {
        let decimal = Arrow::Decimal128(2, 1);
        assert_eq!(common_of(&decimal, &Arrow::Float64), Some(Arrow::Float64));
        assert_eq!(common_of(&Arrow::Int32, &decimal), Some(Arrow::Decimal128(11, 1)));
        assert_eq!(common_of(&Arrow::Int32, &Arrow::Int64), Some(Arrow::Int64));
        assert_eq!(common_of(&Arrow::Utf8, &Arrow::Int32), None);
    }
}
