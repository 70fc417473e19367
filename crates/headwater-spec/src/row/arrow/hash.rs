//! Hashes of the binary rows of a whole batch.

use ::arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMillisecondType,
};
use ::arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use ::arrow::buffer::NullBuffer;
use ::arrow::datatypes::ArrowPrimitiveType;

use super::{RowEncoder, check_columns, downcast};
use crate::error::SpecError;
use crate::row::murmur::{Murmur, hash_words, length};
use crate::row::section::inline_slot;
use crate::types::{DataType, TypeKind};

/// Fields whose null bits fit into the first header word, behind the row kind.
const ONE_WORD_FIELDS: usize = 56;

/// [`BinaryRow::hash_code`](crate::row::BinaryRow::hash_code) of every row of these columns.
///
/// Columns that live in their slots alone are hashed column by column; a single column of text
/// without a row; the rest goes through one reused row buffer.
///
/// # Errors
/// As [`RowEncoder::encode`].
pub fn hash_rows(columns: &[ArrayRef], types: &[DataType]) -> Result<Vec<i32>, SpecError> {
    let rows = check_columns(columns, types)?;
    if let ([column], [t]) = (columns, types) {
        match t.kind {
            TypeKind::Char(_) | TypeKind::VarChar(_) => {
                let texts = downcast::<StringArray>(column.as_ref(), &t.kind)?;
                return Ok(texts.iter().map(|v| hash_text(v.map(str::as_bytes))).collect());
            }
            TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
                let texts = downcast::<BinaryArray>(column.as_ref(), &t.kind)?;
                return Ok(texts.iter().map(hash_text).collect());
            }
            _ => {}
        }
    }
    if columns.len() <= ONE_WORD_FIELDS && types.iter().all(|t| is_slot_only(&t.kind)) {
        return hash_slots(columns, types, rows);
    }
    let mut encoder = RowEncoder::new(types);
    (0..rows).map(|row| encoder.encode(columns, row).map(hash_words)).collect()
}

/// Whether a value, and null, is its slot and nothing else.
const fn is_slot_only(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Boolean
        | TypeKind::TinyInt
        | TypeKind::SmallInt
        | TypeKind::Int
        | TypeKind::BigInt
        | TypeKind::Float
        | TypeKind::Double
        | TypeKind::Date
        | TypeKind::Time(_) => true,
        TypeKind::Decimal { precision, .. } => *precision <= 18,
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => *p <= 3,
        _ => false,
    }
}

/// Hash of a row of one text column.
fn hash_text(value: Option<&[u8]>) -> i32 {
    let start = Murmur::new();
    let Some(bytes) = value else {
        return start.slot(1 << 8).slot(0).finish(16);
    };
    if let Some(slot) = inline_slot(bytes) {
        return start.slot(0).slot(slot).finish(16);
    }
    // The bytes start behind the header word and the slot.
    let mut state = start.slot(0).slot((16 << 32) | u64::from(length(bytes.len())));
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = state.slot(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        state = state.slot(rest.iter().rev().fold(0, |w, byte| (w << 8) | u64::from(*byte)));
    }
    state.finish(length(16 + bytes.len().next_multiple_of(8)))
}

fn hash_slots(
    columns: &[ArrayRef],
    types: &[DataType],
    rows: usize,
) -> Result<Vec<i32>, SpecError> {
    let mut states = vec![Murmur::new(); rows];
    if columns.iter().all(|c| c.null_count() == 0) {
        states.fill(Murmur::new().slot(0));
    } else {
        let mut headers = vec![0_u64; rows];
        for (index, column) in columns.iter().enumerate() {
            for (row, header) in headers.iter_mut().enumerate() {
                *header |= u64::from(column.is_null(row)) << (8 + index);
            }
        }
        for (state, header) in states.iter_mut().zip(&headers) {
            *state = state.slot(*header);
        }
    }
    for (column, t) in columns.iter().zip(types) {
        mix_column(&mut states, column.as_ref(), &t.kind)?;
    }
    let size = length(8 + 8 * columns.len());
    Ok(states.into_iter().map(|state| state.finish(size)).collect())
}

fn mix_column(states: &mut [Murmur], column: &dyn Array, kind: &TypeKind) -> Result<(), SpecError> {
    match kind {
        TypeKind::Boolean => {
            let values = downcast::<BooleanArray>(column, kind)?;
            let slots = values.values().iter().map(u64::from);
            mix(states, slots, values.nulls());
            Ok(())
        }
        TypeKind::TinyInt => {
            mix_primitive::<Int8Type>(states, column, kind, |v| u64::from(v.cast_unsigned()))
        }
        TypeKind::SmallInt => {
            mix_primitive::<Int16Type>(states, column, kind, |v| u64::from(v.cast_unsigned()))
        }
        TypeKind::Int => {
            mix_primitive::<Int32Type>(states, column, kind, |v| u64::from(v.cast_unsigned()))
        }
        TypeKind::Date => {
            mix_primitive::<Date32Type>(states, column, kind, |v| u64::from(v.cast_unsigned()))
        }
        TypeKind::Time(_) => mix_primitive::<Time32MillisecondType>(states, column, kind, |v| {
            u64::from(v.cast_unsigned())
        }),
        TypeKind::BigInt => mix_primitive::<Int64Type>(states, column, kind, i64::cast_unsigned),
        TypeKind::Float => {
            mix_primitive::<Float32Type>(states, column, kind, |v| u64::from(v.to_bits()))
        }
        TypeKind::Double => mix_primitive::<Float64Type>(states, column, kind, f64::to_bits),
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            mix_primitive::<TimestampMillisecondType>(states, column, kind, i64::cast_unsigned)
        }
        _ => mix_decimal(states, column, kind),
    }
}

fn mix_decimal(
    states: &mut [Murmur],
    column: &dyn Array,
    kind: &TypeKind,
) -> Result<(), SpecError> {
    let values = downcast::<PrimitiveArray<Decimal128Type>>(column, kind)?;
    for (row, state) in states.iter_mut().enumerate() {
        let value = if values.is_null(row) { 0 } else { values.value(row) };
        let slot = i64::try_from(value).map_err(|_| SpecError::Value {
            column: kind.to_string(),
            reason: format!("{value} has too many digits"),
        })?;
        *state = state.slot(slot.cast_unsigned());
    }
    Ok(())
}

fn mix_primitive<P: ArrowPrimitiveType>(
    states: &mut [Murmur],
    column: &dyn Array,
    kind: &TypeKind,
    slot: impl Fn(P::Native) -> u64,
) -> Result<(), SpecError> {
    let values = downcast::<PrimitiveArray<P>>(column, kind)?;
    mix(states, values.values().iter().map(|v| slot(*v)), values.nulls());
    Ok(())
}

/// Mixes one slot into each row; the slot of null is 0.
fn mix(states: &mut [Murmur], slots: impl Iterator<Item = u64>, nulls: Option<&NullBuffer>) {
    match nulls.filter(|n| n.null_count() > 0) {
        None => {
            for (state, slot) in states.iter_mut().zip(slots) {
                *state = state.slot(slot);
            }
        }
        Some(nulls) => {
            for ((state, slot), valid) in states.iter_mut().zip(slots).zip(nulls.iter()) {
                *state = state.slot(if valid { slot } else { 0 });
            }
        }
    }
}
