//! Minimum, maximum and null count of top-level columns, from footers.
//!
//! Format: `docs/spec/manifest.md#statistics`. Source: Paimon 1.4.2 `ParquetSimpleStatsExtractor`.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type};
use headwater_spec::stats::ColumnStats;
use headwater_spec::{DataField, DataType, Datum, TypeKind};
use parquet::basic::SortOrder;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

/// Statistics of the columns of a file that is being written.
#[derive(Debug, Default)]
pub(super) struct StatsCollector {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    data_type: DataType,
    /// Position among the leaves, for a column that is one itself.
    leaf: Option<usize>,
    stats: ColumnStats,
    nulls: i64,
    group_nulls: i64,
    /// The current row group holds a NaN.
    group_nan: bool,
    /// A row group did not tell its bounds.
    unknown: bool,
}

impl StatsCollector {
    pub(super) fn new(fields: &[DataField]) -> Self {
        let mut leaf = 0;
        let columns = fields
            .iter()
            .map(|field| {
                let is_leaf = is_leaf(&field.data_type.kind);
                let column = Column {
                    data_type: field.data_type.clone(),
                    leaf: is_leaf.then_some(leaf),
                    stats: ColumnStats::default(),
                    nulls: 0,
                    group_nulls: 0,
                    group_nan: false,
                    unknown: false,
                };
                leaf += leaf_count(&field.data_type.kind);
                column
            })
            .collect();
        Self { columns }
    }

    /// Takes what the footer will not tell: null counts of all types, exact bounds of floats.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            let nulls = i64::try_from(array.null_count()).unwrap_or(i64::MAX);
            column.group_nulls = column.group_nulls.saturating_add(nulls);
            if let Some((min, max)) = float_bounds(array.as_ref()) {
                column.group_nan |= is_nan(&max);
                column.widen(min, max);
            }
        }
    }

    /// Ends the chunk of a leaf; whether it holds a NaN, which its bounds do not cover.
    pub(super) fn end_chunk(
        &mut self,
        leaf: usize,
        chunk: &ColumnChunkMetaData,
        group_rows: usize,
    ) -> bool {
        let Some(column) = self.columns.iter_mut().find(|c| c.leaf == Some(leaf)) else {
            return false;
        };
        let nulls = std::mem::take(&mut column.group_nulls);
        column.nulls = column.nulls.saturating_add(nulls);
        let kind = &column.data_type.kind;
        let all_null = usize::try_from(nulls).is_ok_and(|n| n == group_rows);
        if has_bounds(kind) && !all_null && !matches!(kind, TypeKind::Float | TypeKind::Double) {
            match bounds(chunk, kind) {
                (Some(min), Some(max)) => column.widen(min, max),
                _ => column.unknown = true,
            }
        }
        std::mem::take(&mut column.group_nan)
    }

    /// The statistics of each column of the whole file.
    pub(super) fn finish(self) -> Vec<ColumnStats> {
        self.columns.into_iter().map(Column::finish).collect()
    }
}

impl Column {
    fn widen(&mut self, min: Datum, max: Datum) {
        let ColumnStats { min: low, max: high, .. } = &mut self.stats;
        if low.as_ref().is_none_or(|m| min.compare(m).is_some_and(|o| o.is_lt())) {
            *low = Some(min);
        }
        if high.as_ref().is_none_or(|m| max.compare(m).is_some_and(|o| o.is_gt())) {
            *high = Some(max);
        }
    }

    fn finish(self) -> ColumnStats {
        let null_count = self.leaf.map(|_| self.nulls);
        if self.unknown || self.leaf.is_none() {
            return ColumnStats { null_count, ..ColumnStats::default() };
        }
        ColumnStats { null_count, ..self.stats }
    }
}

/// Exact bounds of a float column; NaN is the largest value, and -0.0 is less than 0.0, as in
/// Java's `Float.compare`.
fn float_bounds(array: &dyn Array) -> Option<(Datum, Datum)> {
    // The kernels order by sign first: a NaN with a sign would come out as the minimum.
    match array.data_type() {
        Arrow::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            let (mut low, mut high) = (min(values)?, max(values)?);
            if low.is_nan() {
                let numbers = || values.iter().flatten().filter(|v| !v.is_nan());
                low = numbers().min_by(f32::total_cmp).unwrap_or(f32::NAN);
                high = f32::NAN;
            } else if high.is_nan() {
                high = f32::NAN;
            }
            Some((Datum::Float(low), Datum::Float(high)))
        }
        Arrow::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            let (mut low, mut high) = (min(values)?, max(values)?);
            if low.is_nan() {
                let numbers = || values.iter().flatten().filter(|v| !v.is_nan());
                low = numbers().min_by(f64::total_cmp).unwrap_or(f64::NAN);
                high = f64::NAN;
            } else if high.is_nan() {
                high = f64::NAN;
            }
            Some((Datum::Double(low), Datum::Double(high)))
        }
        _ => None,
    }
}

const fn is_nan(value: &Datum) -> bool {
    match value {
        Datum::Float(v) => v.is_nan(),
        Datum::Double(v) => v.is_nan(),
        _ => false,
    }
}

const fn is_leaf(kind: &TypeKind) -> bool {
    !kind.is_nested() && !matches!(kind, TypeKind::Variant)
}

fn leaf_count(kind: &TypeKind) -> usize {
    match kind {
        TypeKind::Array(e) | TypeKind::Vector(e, _) => leaf_count(&e.kind),
        TypeKind::Multiset(e) => leaf_count(&e.kind) + 1,
        TypeKind::Map(k, v) => leaf_count(&k.kind) + leaf_count(&v.kind),
        TypeKind::Row(fields) => fields.iter().map(|f| leaf_count(&f.data_type.kind)).sum(),
        TypeKind::Variant => 2,
        _ => 1,
    }
}

/// Whether minimum and maximum of such a column are kept.
const fn has_bounds(kind: &TypeKind) -> bool {
    !matches!(
        kind,
        TypeKind::Binary(_)
            | TypeKind::VarBinary(_)
            | TypeKind::Blob
            | TypeKind::Timestamp(7..)
            | TypeKind::TimestampLtz(7..)
    )
}

/// The statistics of one chunk for pruning; `None` when they prove nothing.
///
/// Floats give no bounds: most writers leave a NaN out, which is the largest value of all.
pub(super) fn chunk_stats(chunk: &ColumnChunkMetaData, kind: &TypeKind) -> Option<ColumnStats> {
    let null_count = chunk.statistics()?.null_count_opt().and_then(|n| i64::try_from(n).ok());
    let (min, max) = match kind {
        TypeKind::Float | TypeKind::Double => (None, None),
        kind if !is_leaf(kind) => return None,
        kind if has_bounds(kind) => bounds(chunk, kind),
        _ => (None, None),
    };
    Some(ColumnStats { min, max, null_count })
}

/// The same statistics without minimum and maximum.
pub(super) fn without_bounds(statistics: &Statistics) -> Statistics {
    let nulls = statistics.null_count_opt();
    match statistics {
        Statistics::Float(_) => Statistics::float(None, None, None, nulls, false),
        _ => Statistics::double(None, None, None, nulls, false),
    }
}

fn bounds(chunk: &ColumnChunkMetaData, kind: &TypeKind) -> (Option<Datum>, Option<Datum>) {
    let Some(statistics) = chunk.statistics() else { return (None, None) };
    // The old fields min and max have an order that depends on the writer.
    if statistics.is_min_max_deprecated() {
        return (None, None);
    }
    let signed = chunk.column_descr().sort_order() == SortOrder::SIGNED;
    match (statistics, kind) {
        // Unsigned numbers of other writers have another order than the column's.
        (Statistics::Int32(_) | Statistics::Int64(_), _) if !signed => (None, None),
        (Statistics::Boolean(s), TypeKind::Boolean) => {
            (s.min_opt().map(|v| Datum::Boolean(*v)), s.max_opt().map(|v| Datum::Boolean(*v)))
        }
        (Statistics::Int32(s), kind) => (
            s.min_opt().and_then(|v| datum_of_i32(*v, kind, chunk)),
            s.max_opt().and_then(|v| datum_of_i32(*v, kind, chunk)),
        ),
        (Statistics::Int64(s), kind) => (
            s.min_opt().and_then(|v| datum_of_i64(*v, kind, chunk)),
            s.max_opt().and_then(|v| datum_of_i64(*v, kind, chunk)),
        ),
        (Statistics::ByteArray(s), TypeKind::Char(_) | TypeKind::VarChar(_)) => {
            (s.min_opt().and_then(|v| text(v.data())), s.max_opt().and_then(|v| text(v.data())))
        }
        (Statistics::FixedLenByteArray(s), TypeKind::Decimal { precision, scale }) => {
            if !same_decimal(chunk, *precision, *scale) {
                return (None, None);
            }
            let datum = |bytes: &[u8]| {
                let unscaled = big_endian(bytes)?;
                Some(Datum::Decimal { unscaled, precision: *precision, scale: *scale })
            };
            (s.min_opt().and_then(|v| datum(v.data())), s.max_opt().and_then(|v| datum(v.data())))
        }
        _ => (None, None),
    }
}

fn text(bytes: &[u8]) -> Option<Datum> {
    std::str::from_utf8(bytes).ok().map(|s| Datum::String(s.to_owned()))
}

/// A big-endian two's complement number of at most 16 bytes.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|b| *b >= 0x80);
    let mut all = [if negative { 0xFF } else { 0 }; 16];
    let start = all.len().checked_sub(bytes.len())?;
    all.get_mut(start..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(all))
}

/// Whether a chunk's decimals have the scale of the column; other files may differ.
fn same_decimal(chunk: &ColumnChunkMetaData, precision: u8, scale: u8) -> bool {
    let column = chunk.column_descr();
    column.type_scale() == i32::from(scale) && column.type_precision() <= i32::from(precision)
}

fn datum_of_i32(value: i32, kind: &TypeKind, chunk: &ColumnChunkMetaData) -> Option<Datum> {
    Some(match kind {
        TypeKind::TinyInt => Datum::TinyInt(i8::try_from(value).ok()?),
        TypeKind::SmallInt => Datum::SmallInt(i16::try_from(value).ok()?),
        TypeKind::Int => Datum::Int(value),
        TypeKind::Date => Datum::Date(value),
        TypeKind::Time(_) => Datum::Time(value),
        TypeKind::Decimal { precision, scale } if same_decimal(chunk, *precision, *scale) => {
            Datum::Decimal { unscaled: value.into(), precision: *precision, scale: *scale }
        }
        _ => return None,
    })
}

fn datum_of_i64(value: i64, kind: &TypeKind, chunk: &ColumnChunkMetaData) -> Option<Datum> {
    use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
    Some(match kind {
        TypeKind::BigInt => Datum::BigInt(value),
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let column = chunk.column_descr();
            let unit = match (column.logical_type_ref(), column.converted_type()) {
                (Some(LogicalType::Timestamp(t)), _) => t.unit,
                (_, ConvertedType::TIMESTAMP_MILLIS) => TimeUnit::MILLIS,
                (_, ConvertedType::TIMESTAMP_MICROS) => TimeUnit::MICROS,
                _ => return None,
            };
            let (per_milli, nanos) = match unit {
                TimeUnit::MILLIS => (1, 0),
                TimeUnit::MICROS => (1_000, 1_000),
                TimeUnit::NANOS => (1_000_000, 1),
            };
            Datum::Timestamp {
                millis: value.div_euclid(per_milli),
                nanos: u32::try_from(value.rem_euclid(per_milli) * nanos).ok()?,
            }
        }
        TypeKind::Decimal { precision, scale } if same_decimal(chunk, *precision, *scale) => {
            Datum::Decimal { unscaled: value.into(), precision: *precision, scale: *scale }
        }
        _ => return None,
    })
}
