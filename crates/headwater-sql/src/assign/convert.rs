//! Turns arrays of a query into arrays of a table's types; a value that does not fit is an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, MapArray, PrimitiveArray, StructArray,
};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType as Arrow, Field, FieldRef, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use arrow::util::display::array_value_to_string;
use headwater::spec::types::arrow_type;
use headwater::{DataField, DataType, TypeKind};

use crate::error::SqlError;

/// Strict: what does not fit is an error, never null.
const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// Groups of types that are stored into each other.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Family {
    Nothing,
    Boolean,
    Number,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    List,
    Map,
    Row,
    Else,
}

fn family(t: &Arrow) -> Family {
    match t {
        Arrow::Null => Family::Nothing,
        Arrow::Boolean => Family::Boolean,
        Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => Family::Text,
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => {
            Family::Bytes
        }
        Arrow::Date32 | Arrow::Date64 => Family::Date,
        Arrow::Time32(_) | Arrow::Time64(_) => Family::Time,
        Arrow::Timestamp(..) => Family::Timestamp,
        Arrow::List(_) | Arrow::LargeList(_) | Arrow::FixedSizeList(..) => Family::List,
        Arrow::Map(..) => Family::Map,
        Arrow::Struct(_) => Family::Row,
        Arrow::Dictionary(_, value) => family(value),
        other if other.is_numeric() => Family::Number,
        _ => Family::Else,
    }
}

/// Refuses types that are not stored into each other without CAST.
pub(super) fn check_assignable(
    given: &Arrow,
    wanted: &TypeKind,
    column: &str,
) -> Result<(), SqlError> {
    let target = arrow_type(wanted);
    if *given == target || fits(given, wanted, &target) {
        return Ok(());
    }
    Err(SqlError::invalid(format!(
        "column '{column}' is {wanted}, but the query gives {given}; use CAST"
    )))
}

fn fits(given: &Arrow, wanted: &TypeKind, target: &Arrow) -> bool {
    let (from, to) = (family(given), family(target));
    match (from, to) {
        (Family::Nothing, _) => true,
        (_, Family::Row) if matches!(wanted, TypeKind::Variant) => false,
        (Family::Row, Family::Row) => match (given, wanted) {
            (Arrow::Struct(given), TypeKind::Row(fields)) => {
                given.len() == fields.len()
                    && order(given.iter().map(|f| f.name().as_str()), fields)
                        .into_iter()
                        .zip(fields)
                        .all(|(at, field)| {
                            let kind = &field.data_type.kind;
                            given.get(at).is_some_and(|g| {
                                *g.data_type() == arrow_type(kind)
                                    || fits(g.data_type(), kind, &arrow_type(kind))
                            })
                        })
            }
            _ => false,
        },
        (Family::List, Family::List) | (Family::Map, Family::Map) => true,
        (Family::List | Family::Map | Family::Row | Family::Else, _)
        | (_, Family::List | Family::Map | Family::Row | Family::Else | Family::Nothing) => false,
        // A text is parsed; everything plain has a text.
        (Family::Text, _) => true,
        (_, Family::Text) => true,
        (Family::Date | Family::Timestamp, Family::Date | Family::Timestamp) => true,
        (a, b) => a == b,
    }
}

/// For each wanted field the position of the given one: by name if all names are there, else by
/// position.
fn order<'a>(given: impl Iterator<Item = &'a str>, wanted: &[DataField]) -> Vec<usize> {
    let given: Vec<&str> = given.collect();
    let names: BTreeSet<&str> = given.iter().copied().collect();
    if names.len() == wanted.len() && wanted.iter().all(|f| names.contains(f.name.as_str())) {
        wanted.iter().filter_map(|f| given.iter().position(|g| *g == f.name)).collect()
    } else {
        (0..wanted.len()).collect()
    }
}

/// The values in the wanted type.
pub(crate) fn convert(
    given: &ArrayRef,
    wanted: &DataType,
    column: &str,
) -> Result<ArrayRef, SqlError> {
    let target = arrow_type(&wanted.kind);
    let failed = |reason: String| {
        SqlError::invalid(format!("column '{column}': {reason} (it is {})", wanted.kind))
    };
    let converted = match (&wanted.kind, given.data_type()) {
        (_, Arrow::Dictionary(_, value)) => {
            let plain =
                cast_with_options(given, value, &STRICT).map_err(|e| failed(e.to_string()))?;
            return convert(&plain, wanted, column);
        }
        (TypeKind::Row(fields), Arrow::Struct(_)) => row(given.as_struct(), fields, column)?,
        (TypeKind::Array(element) | TypeKind::Vector(element, _), t)
            if family(t) == Family::List =>
        {
            let array = list(given, element, &target, column)?;
            if let TypeKind::Vector(_, n) = &wanted.kind {
                check_vector(array.as_list::<i32>(), *n).map_err(failed)?;
            }
            array
        }
        (TypeKind::Map(key, value), Arrow::Map(..)) => {
            map(given.as_map(), key, value, &target, column)?
        }
        (TypeKind::Multiset(element), Arrow::Map(..)) => {
            let count = DataType::not_null(TypeKind::Int);
            map(given.as_map(), element, &count, &target, column)?
        }
        (TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p), Arrow::Timestamp(unit, _)) => {
            let cut = truncate_timestamp(given, *unit, *p);
            cast_with_options(&cut, &target, &STRICT).map_err(|e| failed(plain(&e)))?
        }
        (_, t) if *t == target => Arc::clone(given),
        (_, Arrow::Float32 | Arrow::Float64 | Arrow::Decimal128(..) | Arrow::Decimal256(..))
            if target.is_integer() =>
        {
            whole_numbers(given, &target).map_err(failed)?
        }
        _ => cast_with_options(given, &target, &STRICT).map_err(|e| failed(plain(&e)))?,
    };
    Ok(match (&wanted.kind, converted.data_type()) {
        (TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p), Arrow::Timestamp(unit, _)) => {
            truncate_timestamp(&converted, *unit, *p)
        }
        (TypeKind::Time(p), _) => truncate::<Time32MillisecondType>(&converted, 3, *p),
        _ => converted,
    })
}

/// Numbers as integers; one with a fraction is an error, not cut.
fn whole_numbers(given: &ArrayRef, target: &Arrow) -> Result<ArrayRef, String> {
    let whole = cast_with_options(given, target, &STRICT).map_err(|e| plain(&e))?;
    let same = cast_with_options(&whole, given.data_type(), &STRICT)
        .and_then(|back| not_distinct(given, &back))
        .map_err(|e| plain(&e))?;
    match same.values().iter().position(|same| !same) {
        None => Ok(whole),
        Some(row) => {
            let text = array_value_to_string(given, row).unwrap_or_default();
            Err(format!("{text} is no whole number; use ROUND or CAST"))
        }
    }
}

/// Arrow's message without the name of its variant.
fn plain(error: &arrow::error::ArrowError) -> String {
    let text = error.to_string();
    match text.split_once(" error: ") {
        Some((_, rest)) => rest.to_owned(),
        None => text,
    }
}

fn truncate_timestamp(array: &ArrayRef, unit: TimeUnit, precision: u8) -> ArrayRef {
    match unit {
        TimeUnit::Second => Arc::clone(array),
        TimeUnit::Millisecond => truncate::<TimestampMillisecondType>(array, 3, precision),
        TimeUnit::Microsecond => truncate::<TimestampMicrosecondType>(array, 6, precision),
        TimeUnit::Nanosecond => truncate::<TimestampNanosecondType>(array, 9, precision),
    }
}

/// Sets the digits behind `precision` to zero, towards the past, as Flink's cast does.
fn truncate<T>(array: &ArrayRef, digits: u8, precision: u8) -> ArrayRef
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64> + TryFrom<i64>,
{
    let Some(superfluous) = digits.checked_sub(precision).filter(|n| *n > 0) else {
        return Arc::clone(array);
    };
    let step = 10_i64.pow(u32::from(superfluous));
    let Some(typed) = array.as_primitive_opt::<T>() else { return Arc::clone(array) };
    let cut: PrimitiveArray<T> = typed.unary(|value| {
        let wide: i64 = value.into();
        let floor = wide.saturating_sub(wide.rem_euclid(step));
        T::Native::try_from(floor).unwrap_or(value)
    });
    Arc::new(cut.with_data_type(array.data_type().clone()))
}

fn row(given: &StructArray, fields: &[DataField], column: &str) -> Result<ArrayRef, SqlError> {
    let order = order(given.column_names().into_iter(), fields);
    let mut columns = Vec::with_capacity(fields.len());
    for (at, field) in order.into_iter().zip(fields) {
        let path = format!("{column}.{}", field.name);
        let Some(child) = given.columns().get(at) else {
            return Err(SqlError::invalid(format!("column '{path}' is missing in the query")));
        };
        columns.push(convert(child, &field.data_type, &path)?);
    }
    let fields = fields
        .iter()
        .map(|f| Arc::new(Field::new(&f.name, arrow_type(&f.data_type.kind), f.data_type.nullable)))
        .collect::<Vec<FieldRef>>();
    StructArray::try_new_with_length(fields.into(), columns, given.nulls().cloned(), given.len())
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|e| SqlError::invalid(format!("column '{column}': {}", plain(&e))))
}

fn list(
    given: &ArrayRef,
    element: &DataType,
    target: &Arrow,
    column: &str,
) -> Result<ArrayRef, SqlError> {
    let failed = |e: arrow::error::ArrowError| {
        SqlError::invalid(format!("column '{column}': {}", plain(&e)))
    };
    let item = match given.data_type() {
        Arrow::List(item) | Arrow::LargeList(item) | Arrow::FixedSizeList(item, _) => item,
        _ => return Err(SqlError::invalid(format!("column '{column}' is not a list"))),
    };
    let given =
        cast_with_options(given, &Arrow::List(Arc::clone(item)), &STRICT).map_err(failed)?;
    let (_, offsets, values, nulls) = given.as_list::<i32>().clone().into_parts();
    let values = convert(&values, element, column)?;
    let Arrow::List(item) = target else {
        return Err(SqlError::invalid(format!("column '{column}' is not a list")));
    };
    ListArray::try_new(Arc::clone(item), offsets, values, nulls)
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(failed)
}

fn check_vector(array: &ListArray, size: u32) -> Result<(), String> {
    let size = i32::try_from(size).unwrap_or(i32::MAX);
    let wrong =
        (0..array.len()).find(|row| array.is_valid(*row) && array.value_length(*row) != size);
    match wrong {
        Some(row) => Err(format!("a value has {} elements", array.value_length(row))),
        None => Ok(()),
    }
}

fn map(
    given: &MapArray,
    key: &DataType,
    value: &DataType,
    target: &Arrow,
    column: &str,
) -> Result<ArrayRef, SqlError> {
    let failed = |e: arrow::error::ArrowError| {
        SqlError::invalid(format!("column '{column}': {}", plain(&e)))
    };
    let keys = convert(given.keys(), key, column)?;
    let values = convert(given.values(), value, column)?;
    let Arrow::Map(entry, sorted) = target else {
        return Err(SqlError::invalid(format!("column '{column}' is not a map")));
    };
    let Arrow::Struct(fields) = entry.data_type() else {
        return Err(SqlError::invalid(format!("column '{column}' is not a map")));
    };
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(failed)?;
    MapArray::try_new(
        Arc::clone(entry),
        given.offsets().clone(),
        entries,
        given.nulls().cloned(),
        *sorted,
    )
    .map(|array| Arc::new(array) as ArrayRef)
    .map_err(failed)
}
