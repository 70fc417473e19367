//! `sum` and `product`.

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type,
};

use super::FunctionError;
use super::fold::{Combine, fold_primitive};
use super::numbers::{DecimalType, NoQuotient, Number};
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Steps};

/// Sum of the values; nulls do not count. A retraction subtracts, from nothing too.
///
/// Integers wrap at their width. A DECIMAL of more than 18 digits that overflows is null; one of
/// up to 18 digits is not held to its precision.
///
/// Format: `docs/spec/aggregate-functions.md#functions`. Source: Paimon 1.4.2 `FieldSumAgg`.
#[derive(Debug)]
pub(super) struct Sum(pub(super) Target);

/// Product of the values; nulls do not count. A retraction divides, if there is a value.
///
/// Integers wrap at their width and divide without remainder. A DECIMAL is rounded half away from
/// zero; one that overflows is null.
///
/// Format: `docs/spec/aggregate-functions.md#functions`. Source: Paimon 1.4.2 `FieldProductAgg`.
#[derive(Debug)]
pub(super) struct Product(pub(super) Target);

macro_rules! column_function {
    ($function:ident) => {
        impl ColumnFunction for $function {
            fn name(&self) -> &'static str {
                self.0.function
            }

            fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
                self.0.check_primitive(column)?;
                match *column.data_type() {
                    Arrow::Int8 => fold_primitive::<Int8Type>(column, steps, self),
                    Arrow::Int16 => fold_primitive::<Int16Type>(column, steps, self),
                    Arrow::Int32 => fold_primitive::<Int32Type>(column, steps, self),
                    Arrow::Int64 => fold_primitive::<Int64Type>(column, steps, self),
                    Arrow::Float32 => fold_primitive::<Float32Type>(column, steps, self),
                    Arrow::Float64 => fold_primitive::<Float64Type>(column, steps, self),
                    Arrow::Decimal128(precision, scale) => {
                        let decimal = DecimalType { precision, scale: scale.unsigned_abs() };
                        fold_primitive::<Decimal128Type>(column, steps, &self.decimal(decimal))
                    }
                    _ => Err(self.0.wrong_array(column).into()),
                }
            }
        }
    };
}

column_function!(Sum);
column_function!(Product);

impl Sum {
    const fn decimal(&self, decimal: DecimalType) -> DecimalSum {
        DecimalSum(decimal)
    }
}

impl Product {
    const fn decimal(&self, decimal: DecimalType) -> DecimalProduct<'_> {
        DecimalProduct { target: &self.0, decimal }
    }
}

impl<N: Number> Combine<N> for Sum {
    fn combine(&self, acc: N, input: N) -> Result<Option<N>, FunctionError> {
        Ok(Some(acc.plus(input)))
    }

    fn take_back(&self, acc: Option<N>, input: Option<N>) -> Result<Option<N>, FunctionError> {
        Ok(match (acc, input) {
            (Some(acc), Some(input)) => Some(acc.minus(input)),
            (None, Some(input)) => Some(input.negated()),
            (acc, None) => acc,
        })
    }
}

impl<N: Number> Combine<N> for Product {
    fn combine(&self, acc: N, input: N) -> Result<Option<N>, FunctionError> {
        Ok(Some(acc.times(input)))
    }

    fn take_back(&self, acc: Option<N>, input: Option<N>) -> Result<Option<N>, FunctionError> {
        match (acc, input) {
            (Some(acc), Some(input)) => acc.over(input).map(Some).ok_or_else(|| by_zero(&self.0)),
            (acc, _) => Ok(acc),
        }
    }
}

struct DecimalSum(DecimalType);

impl Combine<i128> for DecimalSum {
    fn combine(&self, acc: i128, input: i128) -> Result<Option<i128>, FunctionError> {
        Ok(self.0.plus(acc, input))
    }

    fn take_back(
        &self,
        acc: Option<i128>,
        input: Option<i128>,
    ) -> Result<Option<i128>, FunctionError> {
        Ok(match (acc, input) {
            (Some(acc), Some(input)) => self.0.minus(acc, input),
            (None, Some(input)) => self.0.checked(input).map(|value| -value),
            (acc, None) => acc,
        })
    }
}

struct DecimalProduct<'a> {
    target: &'a Target,
    decimal: DecimalType,
}

impl Combine<i128> for DecimalProduct<'_> {
    fn combine(&self, acc: i128, input: i128) -> Result<Option<i128>, FunctionError> {
        Ok(self.decimal.times(acc, input))
    }

    fn take_back(
        &self,
        acc: Option<i128>,
        input: Option<i128>,
    ) -> Result<Option<i128>, FunctionError> {
        let (Some(acc), Some(input)) = (acc, input) else { return Ok(acc) };
        self.decimal.over(acc, input).map_err(|none| match none {
            NoQuotient::ByZero => by_zero(self.target),
            NoQuotient::Endless => FunctionError::EndlessQuotient {
                function: self.target.function,
                column: self.target.column.clone(),
                dividend: acc,
                divisor: input,
            },
        })
    }
}

fn by_zero(target: &Target) -> FunctionError {
    FunctionError::DivisionByZero { function: target.function, column: target.column.clone() }
}
