//! Minimum, maximum and null count of top-level columns, from footers.
//!
//! Format: `docs/spec/manifest.md#statistics`. Source: Paimon 1.4.2 `ParquetSimpleStatsExtractor`.

use arrow::array::{Array, RecordBatch};
use headwater_spec::stats::ColumnStats;
use headwater_spec::{DataField, DataType, Datum, TypeKind};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use super::writer::holds_nan;

/// What a writer must know about its columns besides the statistics in the footer.
#[derive(Debug)]
pub(super) struct StatsCollector {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    data_type: DataType,
    /// Position among the leaves, for a column that is one itself.
    leaf: Option<usize>,
    nulls: i64,
    group_nan: bool,
    any_nan: bool,
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
                    nulls: 0,
                    group_nan: false,
                    any_nan: false,
                };
                leaf += leaf_count(&field.data_type.kind);
                column
            })
            .collect();
        Self { columns }
    }

    /// Counts what the footer will not tell.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            column.nulls = column
                .nulls
                .saturating_add(i64::try_from(array.null_count()).unwrap_or(i64::MAX));
            column.group_nan |= holds_nan(array.as_ref());
        }
    }

    /// Ends a row group; the leaves with a NaN in it.
    pub(super) fn end_group(&mut self) -> Vec<usize> {
        let mut leaves = Vec::new();
        for column in &mut self.columns {
            if std::mem::take(&mut column.group_nan) {
                column.any_nan = true;
                leaves.extend(column.leaf);
            }
        }
        leaves
    }

    /// The statistics of each column of the whole file.
    pub(super) fn finish(&self, metadata: &ParquetMetaData) -> Vec<ColumnStats> {
        self.columns.iter().map(|column| column.stats(metadata)).collect()
    }
}

impl Column {
    fn stats(&self, metadata: &ParquetMetaData) -> ColumnStats {
        let Some(leaf) = self.leaf else { return ColumnStats::default() };
        let mut stats = ColumnStats { null_count: Some(self.nulls), ..ColumnStats::default() };
        if self.any_nan || !has_bounds(&self.data_type.kind) {
            return stats;
        }
        for group in metadata.row_groups() {
            let Some(chunk) = group.columns().get(leaf) else { return stats };
            let all_null = chunk
                .statistics()
                .and_then(Statistics::null_count_opt)
                .is_some_and(|n| Some(n) == u64::try_from(group.num_rows()).ok());
            if all_null {
                continue;
            }
            let (min, max) = bounds(chunk, &self.data_type.kind);
            let (Some(min), Some(max)) = (min, max) else {
                return ColumnStats { min: None, max: None, ..stats };
            };
            if stats.min.as_ref().is_none_or(|m| min.compare(m).is_some_and(|o| o.is_lt())) {
                stats.min = Some(min);
            }
            if stats.max.as_ref().is_none_or(|m| max.compare(m).is_some_and(|o| o.is_gt())) {
                stats.max = Some(max);
            }
        }
        stats
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
/// Floats give no bounds: a footer does not say whether it left out a NaN, which is the largest
/// value of all.
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
    match (statistics, kind) {
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
        (Statistics::Float(s), TypeKind::Float) => (
            s.min_opt().filter(|v| !v.is_nan()).map(|v| Datum::Float(*v)),
            s.max_opt().filter(|v| !v.is_nan()).map(|v| Datum::Float(*v)),
        ),
        (Statistics::Double(s), TypeKind::Double) => (
            s.min_opt().filter(|v| !v.is_nan()).map(|v| Datum::Double(*v)),
            s.max_opt().filter(|v| !v.is_nan()).map(|v| Datum::Double(*v)),
        ),
        (Statistics::ByteArray(s), TypeKind::Char(_) | TypeKind::VarChar(_)) => (
            s.min_opt().and_then(|v| text(v.data())),
            s.max_opt().and_then(|v| text(v.data())),
        ),
        (Statistics::FixedLenByteArray(s), TypeKind::Decimal { precision, scale }) => {
            if !same_decimal(chunk, *precision, *scale) {
                return (None, None);
            }
            let datum = |bytes: &[u8]| {
                let unscaled = big_endian(bytes)?;
                Some(Datum::Decimal { unscaled, precision: *precision, scale: *scale })
            };
            (
                s.min_opt().and_then(|v| datum(v.data())),
                s.max_opt().and_then(|v| datum(v.data())),
            )
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
