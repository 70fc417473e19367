//! CAST and TRY_CAST between Flink's types. Which value becomes which follows Flink 1.20: numbers
//! wrap, DECIMAL rounds, texts are cut to their length, what cannot be read is an error.

mod from_text;
mod moments;
mod nested;
mod numeric;
mod to_text;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, StringArray, make_array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType as Arrow, Field, Fields, TimeUnit};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{Cast, Expr, TryCast};
use headwater::spec::types::arrow_type;
use headwater::{DataType, TypeKind};

use super::call::{Call, Param, Spec, failed};
use super::types::name_of;
use super::zone::Zone;
use crate::parse::parse_type;

pub(super) use self::from_text::{clamped_date, parse_date, parse_timestamp};
pub(super) use self::moments::{Kind, Moments, dates, moments_of, of_unit, times};
pub(super) use self::numeric::narrow_wrapping;
pub(super) use self::to_text::{Texts, range, texts_of};

/// Name of CAST in a rewritten query: `$cast(value, 'TYPE')`.
pub(crate) const CAST: &str = "$cast";
/// Name of TRY_CAST in a rewritten query.
pub(crate) const TRY_CAST: &str = "$try_cast";

use Param::{Any, Text};

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&[CAST], &[Any, Text], target_type, |c| run(c, false))
        .nulls()
        .total()
        .simplified(|args, types| as_plain(args, types, false)),
    Spec::new(&[TRY_CAST], &[Any, Text], target_type, |c| run(c, true))
        .nulls()
        .simplified(|args, types| as_plain(args, types, true)),
];

/// The same names for DataFusion's own casts.
pub(super) const DATAFUSION: &[Spec] = &[
    Spec::new(&[CAST], &[Any, Text], target_type, |c| plain(c, false))
        .nulls()
        .simplified(|args, _| to_plain(args, false)),
    Spec::new(&[TRY_CAST], &[Any, Text], target_type, |c| plain(c, true))
        .nulls()
        .simplified(|args, _| to_plain(args, true)),
];

/// What a cast goes by.
struct Rules<'a> {
    zone: &'a Zone,
    /// All values are constants of the statement.
    constant: bool,
}

/// Why a value has no result.
#[derive(Debug)]
struct Failure {
    row: usize,
    reason: String,
    /// It is a number that does not fit, which is null where nulls may be.
    overflow: bool,
}

/// Results, null in the rows that failed.
struct Converted {
    array: ArrayRef,
    failures: Vec<Failure>,
}

impl Converted {
    fn whole(array: ArrayRef) -> Self {
        Self { array, failures: Vec::new() }
    }
}

fn wanted(scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    match scalars.get(1) {
        Some(Some(ScalarValue::Utf8(Some(text)))) => {
            parse_type(text).map_err(|e| failed(format!("type {text}: {e}")))
        }
        _ => plan_err!("CAST: the type must be constant"),
    }
}

fn target_type(_: &[Arrow], scalars: &[Option<&ScalarValue>]) -> Result<Arrow> {
    Ok(sql_type(&wanted(scalars)?.kind))
}

/// The type of an array in a query that carries the values.
fn sql_type(kind: &TypeKind) -> Arrow {
    let list = |t: &DataType| Arc::new(Field::new_list_field(sql_type(&t.kind), true));
    match kind {
        TypeKind::Timestamp(0) => Arrow::Timestamp(TimeUnit::Second, None),
        TypeKind::TimestampLtz(0) => Arrow::Timestamp(TimeUnit::Second, Some("UTC".into())),
        TypeKind::Array(element) => Arrow::List(list(element)),
        TypeKind::Map(key, value) => map_type(sql_type(&key.kind), sql_type(&value.kind)),
        TypeKind::Row(fields) => Arrow::Struct(
            fields
                .iter()
                .map(|f| Field::new(&f.name, sql_type(&f.data_type.kind), true))
                .collect::<Fields>(),
        ),
        other => arrow_type(other),
    }
}

/// A map as DataFusion makes them.
pub(super) fn map_type(key: Arrow, value: Arrow) -> Arrow {
    let fields =
        Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    Arrow::Map(Arc::new(Field::new("entries", Arrow::Struct(fields), false)), false)
}

fn run(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    let types = call.text(1)?;
    if call.rows == 0 {
        return Ok(new_null_array(call.result.data_type(), 0));
    }
    let wanted = parse_type(types.value(0)).map_err(|e| failed(e.to_string()))?;
    let rules = Rules { zone: &call.context.zone, constant: call.constant };
    let given = call.arg(0)?;
    let converted = convert(given, &wanted.kind, &rules)?;
    if lenient {
        return with_nulls(&converted);
    }
    let nullable = call.fields.first().is_none_or(|f| f.is_nullable());
    match converted.failures.iter().find(|f| !(f.overflow && nullable)) {
        Some(failure) => exec_err!(
            "CAST({} AS {wanted}): {}; TRY_CAST gives NULL instead",
            name_of(given.data_type()),
            failure.reason
        ),
        None => with_nulls(&converted),
    }
}

/// Null in the rows that failed.
fn with_nulls(converted: &Converted) -> Result<ArrayRef> {
    let array = &converted.array;
    if converted.failures.iter().all(|f| array.is_null(f.row)) {
        return Ok(Arc::clone(array));
    }
    let mut valid: Vec<bool> = (0..array.len()).map(|row| array.is_valid(row)).collect();
    for failure in &converted.failures {
        if let Some(valid) = valid.get_mut(failure.row) {
            *valid = false;
        }
    }
    let data = array.to_data().into_builder().nulls(Some(NullBuffer::from(valid)));
    Ok(make_array(data.build()?))
}

fn convert(given: &ArrayRef, wanted: &TypeKind, rules: &Rules<'_>) -> Result<Converted> {
    let from = given.data_type();
    match (from, wanted) {
        (Arrow::Null, _) => Ok(Converted::whole(new_null_array(&sql_type(wanted), given.len()))),
        (Arrow::Dictionary(_, value), _) => {
            convert(&arrow::compute::cast(given, value)?, wanted, rules)
        }
        (Arrow::LargeUtf8 | Arrow::Utf8View, _) => {
            convert(&arrow::compute::cast(given, &Arrow::Utf8)?, wanted, rules)
        }
        (_, TypeKind::Char(length)) => Ok(Converted::whole(cut(given, *length, true, rules)?)),
        (_, TypeKind::VarChar(length)) => Ok(Converted::whole(cut(given, *length, false, rules)?)),
        (Arrow::Utf8, TypeKind::Binary(_) | TypeKind::VarBinary(_)) => {
            let bytes: BinaryArray = given
                .as_string::<i32>()
                .iter()
                .collect::<Vec<_>>()
                .into_iter()
                .map(|text| text.map(str::as_bytes))
                .collect();
            Ok(Converted::whole(bytes_of(&bytes, wanted)))
        }
        (
            Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_),
            TypeKind::Binary(_) | TypeKind::VarBinary(_),
        ) => {
            let bytes = arrow::compute::cast(given, &Arrow::Binary)?;
            Ok(Converted::whole(bytes_of(bytes.as_binary::<i32>(), wanted)))
        }
        (Arrow::Utf8, wanted) if !nested::is_nested(wanted) => {
            from_text::convert(given.as_string::<i32>(), wanted, rules)
        }
        (from, wanted) if numeric::takes(from) && numeric::gives(wanted) => {
            numeric::convert(given, wanted, rules)
        }
        (from, wanted) if moments::takes(from) && moments::gives(wanted) => {
            moments::convert(given, wanted, rules)
        }
        (from, wanted) if nested::is_nested(wanted) && from.is_nested() => {
            nested::convert(given, wanted, rules)
        }
        (from, _) if *from == sql_type(wanted) => Ok(Converted::whole(Arc::clone(given))),
        (from, wanted) => plan_err!(
            "there is no cast from {} to {wanted}{}",
            name_of(from),
            if numeric::takes(from) && moments::gives(wanted) {
                "; use TO_TIMESTAMP(FROM_UNIXTIME(seconds)) or TO_TIMESTAMP_LTZ(number, 3)"
            } else if moments::takes(from) && numeric::gives(wanted) {
                "; use UNIX_TIMESTAMP(CAST(value AS STRING)) or EXTRACT"
            } else {
                ""
            }
        ),
    }
}

/// Texts of at most `length` characters, filled with spaces when `pad`.
fn cut(given: &ArrayRef, length: u32, pad: bool, rules: &Rules<'_>) -> Result<ArrayRef> {
    let unlimited = length == i32::MAX.unsigned_abs();
    if unlimited && *given.data_type() == Arrow::Utf8 {
        return Ok(Arc::clone(given));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let texts = texts_of(given, rules.zone)?;
    let mut rows = Vec::with_capacity(given.len());
    for row in 0..given.len() {
        rows.push(texts.at(row)?.map(|text| {
            if unlimited {
                return text;
            }
            let count = text.chars().count();
            match count < length {
                true if pad => text + &" ".repeat(length - count),
                true => text,
                false => text.chars().take(length).collect(),
            }
        }));
    }
    Ok(Arc::new(StringArray::from(rows)))
}

fn bytes_of(given: &BinaryArray, wanted: &TypeKind) -> ArrayRef {
    let (length, pad) = match wanted {
        TypeKind::Binary(n) => (*n, true),
        TypeKind::VarBinary(n) => (*n, false),
        _ => (u32::MAX, false),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let rows = given.iter().map(|bytes| {
        bytes.map(|bytes| {
            let mut cut = bytes.get(..length).unwrap_or(bytes).to_vec();
            if pad && cut.len() < length {
                cut.resize(length, 0);
            }
            cut
        })
    });
    Arc::new(rows.collect::<BinaryArray>())
}

/// DataFusion's cast, which the optimizer understands, where it does the same.
fn as_plain(args: &[Expr], types: &[Arrow], lenient: bool) -> Option<Expr> {
    let [value, Expr::Literal(ScalarValue::Utf8(Some(text)), _)] = args else { return None };
    let wanted = sql_type(&parse_type(text).ok()?.kind);
    let given = types.first()?;
    let unlimited = parse_type(text).is_ok_and(|t| match t.kind {
        TypeKind::VarChar(n) => n == i32::MAX.unsigned_abs(),
        TypeKind::Char(_) | TypeKind::Binary(_) | TypeKind::VarBinary(_) => false,
        _ => true,
    });
    if *given == wanted && unlimited && !given.is_nested() {
        return Some(value.clone());
    }
    let widens = match (given, &wanted) {
        (Arrow::Int8, Arrow::Int16 | Arrow::Int32 | Arrow::Int64)
        | (Arrow::Int16, Arrow::Int32 | Arrow::Int64)
        | (Arrow::Int32, Arrow::Int64)
        | (Arrow::Date32, Arrow::Timestamp(_, None)) => true,
        (given, Arrow::Float64) => given.is_signed_integer(),
        _ => false,
    };
    widens.then(|| cast_expr(value.clone(), wanted, lenient))
}

fn cast_expr(value: Expr, wanted: Arrow, lenient: bool) -> Expr {
    if lenient {
        Expr::TryCast(TryCast::new(Box::new(value), wanted))
    } else {
        Expr::Cast(Cast::new(Box::new(value), wanted))
    }
}

fn to_plain(args: &[Expr], lenient: bool) -> Option<Expr> {
    let [value, Expr::Literal(ScalarValue::Utf8(Some(text)), _)] = args else { return None };
    let wanted = sql_type(&parse_type(text).ok()?.kind);
    Some(cast_expr(value.clone(), wanted, lenient))
}

/// DataFusion's cast, for calls that were not simplified.
fn plain(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    let options = arrow::compute::CastOptions { safe: lenient, ..Default::default() };
    Ok(arrow::compute::cast_with_options(call.arg(0)?, call.result.data_type(), &options)?)
}
