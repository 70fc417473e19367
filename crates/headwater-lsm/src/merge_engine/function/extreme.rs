//! `max` and `min`.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, BinaryArray, StringArray};
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};

use super::FunctionError;
use super::fold::{Combine, Folded, fold, fold_primitive, pick};
use super::target::Target;
use crate::error::LsmError;
use crate::merge_engine::steps::{ColumnFunction, Steps};

/// Largest or smallest value; nulls do not count.
///
/// Numbers and times by value, `-0.0` below `0.0`, NaN above all; texts and bytes by unsigned
/// bytes. Types without order are an error once two values meet. Of equal values `max` keeps the
/// older, `min` the newer.
///
/// Format: `docs/spec/aggregate-functions.md#numbers`. Source: Paimon 1.4.2 `FieldMaxAgg`,
/// `FieldMinAgg`, `InternalRowUtils#compare`.
#[derive(Debug)]
pub(super) struct Extreme {
    pub(super) target: Target,
    /// Whether the largest is wanted.
    pub(super) max: bool,
}

impl ColumnFunction for Extreme {
    fn name(&self) -> &'static str {
        self.target.function
    }

    fn fold(&self, column: &ArrayRef, steps: &Steps) -> Result<ArrayRef, LsmError> {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond};
        match column.data_type() {
            Arrow::Int8 => fold_primitive::<Int8Type>(column, steps, self),
            Arrow::Int16 => fold_primitive::<Int16Type>(column, steps, self),
            Arrow::Int32 => fold_primitive::<Int32Type>(column, steps, self),
            Arrow::Int64 => fold_primitive::<Int64Type>(column, steps, self),
            Arrow::Float32 => fold_primitive::<Float32Type>(column, steps, self),
            Arrow::Float64 => fold_primitive::<Float64Type>(column, steps, self),
            Arrow::Decimal128(..) => fold_primitive::<Decimal128Type>(column, steps, self),
            Arrow::Date32 => fold_primitive::<Date32Type>(column, steps, self),
            Arrow::Time32(Millisecond) => {
                fold_primitive::<Time32MillisecondType>(column, steps, self)
            }
            Arrow::Timestamp(Millisecond, _) => {
                fold_primitive::<TimestampMillisecondType>(column, steps, self)
            }
            Arrow::Timestamp(Microsecond, _) => {
                fold_primitive::<TimestampMicrosecondType>(column, steps, self)
            }
            Arrow::Timestamp(Nanosecond, _) => {
                fold_primitive::<TimestampNanosecondType>(column, steps, self)
            }
            Arrow::Utf8 => {
                let texts = self.target.downcast::<StringArray>(column)?;
                self.pick(column, steps, |a, b| Some(texts.value(a).cmp(texts.value(b))))
            }
            Arrow::Binary => {
                let bytes = self.target.downcast::<BinaryArray>(column)?;
                self.pick(column, steps, |a, b| Some(bytes.value(a).cmp(bytes.value(b))))
            }
            _ => self.pick(column, steps, |_, _| None),
        }
    }
}

impl Extreme {
    /// Whether `input` takes the place of `acc`, which compares to it like this.
    fn replaces(&self, acc_to_input: Ordering) -> bool {
        (acc_to_input == Ordering::Less) == self.max
    }

    /// Goes over the numbers of rows; `compare` returns none for a type without order.
    fn pick(
        &self,
        column: &ArrayRef,
        steps: &Steps,
        compare: impl Fn(usize, usize) -> Option<Ordering>,
    ) -> Result<ArrayRef, LsmError> {
        let nulls = column.logical_nulls();
        let function = Rows { extreme: self, compare };
        let Folded { values, nulls } = fold(nulls.as_ref(), steps, |row| row, &function)?;
        let valid = |key| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(key));
        pick(column, values.into_iter().enumerate().map(|(key, row)| valid(key).then_some(row)))
    }
}

/// Java's order of a type's values.
trait Ordered: Copy {
    fn order(self, other: Self) -> Ordering;
}

macro_rules! ordered {
    ($($t:ty),*) => {$(
        impl Ordered for $t {
            fn order(self, other: Self) -> Ordering {
                self.cmp(&other)
            }
        }
    )*};
}

macro_rules! ordered_float {
    ($($t:ty),*) => {$(
        impl Ordered for $t {
            /// Any NaN is above all and equal to another.
            fn order(self, other: Self) -> Ordering {
                match (self.is_nan(), other.is_nan()) {
                    (false, false) => self.total_cmp(&other),
                    (a, b) => a.cmp(&b),
                }
            }
        }
    )*};
}

ordered!(i8, i16, i32, i64, i128);
ordered_float!(f32, f64);

impl<V: Ordered> Combine<V> for Extreme {
    fn combine(&self, acc: V, input: V) -> Result<Option<V>, FunctionError> {
        Ok(Some(if self.replaces(acc.order(input)) { input } else { acc }))
    }

    fn take_back(&self, _: Option<V>, _: Option<V>) -> Result<Option<V>, FunctionError> {
        Err(self.target.no_retraction())
    }
}

struct Rows<'a, C> {
    extreme: &'a Extreme,
    compare: C,
}

impl<C: Fn(usize, usize) -> Option<Ordering>> Combine<usize> for Rows<'_, C> {
    fn combine(&self, acc: usize, input: usize) -> Result<Option<usize>, FunctionError> {
        let Target { function, column, data_type, .. } = &self.extreme.target;
        let order = (self.compare)(acc, input).ok_or_else(|| FunctionError::Incomparable {
            function,
            column: column.clone(),
            data_type: data_type.clone(),
        })?;
        Ok(Some(if self.extreme.replaces(order) { input } else { acc }))
    }

    fn take_back(
        &self,
        _: Option<usize>,
        _: Option<usize>,
    ) -> Result<Option<usize>, FunctionError> {
        Err(self.extreme.target.no_retraction())
    }
}
