//! What the session is, and MOD, which is an operator with a name.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;

use super::call::{Call, Param, Spec, returns};
use super::decimal;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["current_database"], &[], returns::text, |c| {
        Ok(Arc::new(StringArray::from(vec![c.database; c.rows])))
    })
    .total()
    .volatility(Volatility::Stable),
    Spec::new(&["mod"], &[Param::Number, Param::Number], mod_type, modulo).total().unify(|types| {
        let integers = types.iter().all(Arrow::is_integer);
        if integers { Ok(types.to_vec()) } else { decimal::decimals(types) }
    }),
];

/// Of two integers the type of the second.
fn mod_type(types: &[Arrow], scalars: &[Option<&ScalarValue>]) -> Result<Arrow> {
    if types.iter().all(Arrow::is_integer) {
        return Ok(types.get(1).cloned().unwrap_or(Arrow::Int64));
    }
    decimal::remainder_type(types, scalars)
}

fn modulo(call: &Call<'_>) -> Result<ArrayRef> {
    if !call.result.data_type().is_integer() {
        return decimal::remainder(call);
    }
    let wide = |at: usize| -> Result<Int64Array> {
        Ok(cast(call.arg(at)?, &Arrow::Int64)?.as_primitive::<Int64Type>().clone())
    };
    let (a, b) = (wide(0)?, wide(1)?);
    let rows = call.strict(|row| match b.value(row) {
        0 => call.fail("division by zero"),
        divisor => Ok(Some(a.value(row).wrapping_rem(divisor))),
    })?;
    super::cast::narrow_wrapping(&Int64Array::from(rows), call.result.data_type())
}
