//! Leaves out rows whose time is over: `record-level.expire-time`.
//!
//! Rules: `docs/spec/merge-engines.md#record-level-expiry`. Source: Paimon 1.4.2
//! `RecordLevelExpire`.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::{
    DataType as Arrow, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use headwater_spec::row::arrow::constant_array;
use headwater_spec::{DataField, DataFileMeta, DataType};

use crate::error::{Error, Result};
use crate::table::Table;

/// From here on a BIGINT counts milliseconds.
const LEAST_MILLIS: i64 = 1_000_000_000_000;

/// What is left out of the rows of a read.
#[derive(Debug, Clone)]
pub(crate) struct Expiry(Option<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    table: String,
    field: DataField,
    /// Rows of times before this, in seconds since 1970, are over.
    oldest: i64,
}

impl Expiry {
    pub(crate) fn of(table: &Table) -> Self {
        let rule = table.options().merge.expire.as_ref().and_then(|expire| {
            let after = i64::try_from(expire.after.as_secs()).unwrap_or(i64::MAX);
            Some(Rule {
                table: table.name().to_owned(),
                field: table.schema().field(&expire.column)?.clone(),
                oldest: (table.env().clock.now_millis() / 1000).saturating_sub(after),
            })
        });
        Self(rule)
    }

    /// `fields`, and the column of a row's time if it is not among them.
    pub(crate) fn fields_beside(&self, mut fields: Vec<DataField>) -> Vec<DataField> {
        if let Some(rule) = &self.0
            && !fields.iter().any(|f| f.id == rule.field.id)
        {
            fields.push(rule.field.clone());
        }
        fields
    }

    /// The rows that are not over, with their kinds; `None` if there is none.
    pub(super) fn live(
        &self,
        rows: RecordBatch,
        kinds: ArrayRef,
    ) -> Result<Option<(RecordBatch, ArrayRef)>> {
        let Some(live) = self.mask(&rows)? else { return Ok(Some((rows, kinds))) };
        match live.true_count() {
            0 => Ok(None),
            _ => Ok(Some((filter_record_batch(&rows, &live)?, filter(&kinds, &live)?))),
        }
    }

    /// Which rows are not over; `None` if none is.
    pub(crate) fn mask(&self, rows: &RecordBatch) -> Result<Option<BooleanArray>> {
        let Some(rule) = &self.0 else { return Ok(None) };
        let Some(column) = rows.column_by_name(&rule.field.name) else {
            return Err(Error::Request {
                table: rule.table.clone(),
                reason: format!("there is no column '{}'", rule.field.name),
            });
        };
        let live = rule.live(column)?;
        Ok(Some(live).filter(|live| live.true_count() < live.len()))
    }

    /// Whether a file of the table may hold rows that are over, as far as its statistics tell.
    pub(crate) fn may_be_in(&self, table: &Table, file: &DataFileMeta) -> Result<bool> {
        let Some(rule) = &self.0 else { return Ok(false) };
        if file.schema_id != table.schema().id {
            return Ok(true);
        }
        let named = |name: &String| table.schema().field(name).cloned();
        let fields: Vec<DataField> = match &file.value_stats_cols {
            None => table.schema().fields.clone(),
            Some(names) => names.iter().filter_map(named).collect(),
        };
        let types: Vec<DataType> = fields.iter().map(|f| f.data_type.clone()).collect();
        let stats = file.value_stats.decode(&types)?;
        let at = fields.iter().position(|f| f.id == rule.field.id);
        let Some(min) = at.and_then(|at| stats.get(at)).and_then(|stats| stats.min.clone()) else {
            return Ok(true);
        };
        let oldest = constant_array(Some(&min), &rule.field.data_type, 1)?;
        Ok(rule.live(&oldest)?.true_count() == 0)
    }
}

impl Rule {
    /// Rows without a time never end.
    fn live(&self, column: &ArrayRef) -> Result<BooleanArray> {
        let live = |seconds: Option<i64>| Some(seconds.is_none_or(|s| s >= self.oldest));
        Ok(match column.data_type() {
            Arrow::Int32 => {
                column.as_primitive::<Int32Type>().iter().map(|v| live(v.map(i64::from))).collect()
            }
            Arrow::Int64 => {
                let seconds = |v: i64| if v >= LEAST_MILLIS { v / 1000 } else { v };
                column.as_primitive::<Int64Type>().iter().map(|v| live(v.map(seconds))).collect()
            }
            // Whole milliseconds, then seconds towards 1970, as Java has them.
            Arrow::Timestamp(TimeUnit::Millisecond, _) => {
                let times = column.as_primitive::<TimestampMillisecondType>().iter();
                times.map(|v| live(v.map(|v| v / 1000))).collect()
            }
            Arrow::Timestamp(TimeUnit::Microsecond, _) => {
                let times = column.as_primitive::<TimestampMicrosecondType>().iter();
                times.map(|v| live(v.map(|v| v.div_euclid(1000) / 1000))).collect()
            }
            Arrow::Timestamp(TimeUnit::Nanosecond, _) => {
                let times = column.as_primitive::<TimestampNanosecondType>().iter();
                times.map(|v| live(v.map(|v| v.div_euclid(1_000_000) / 1000))).collect()
            }
            other => {
                return Err(Error::ReadRefused {
                    table: self.table.clone(),
                    reason: format!(
                        "option 'record-level.time-field': column '{}' is a {other}, not INT, BIGINT \
                         or TIMESTAMP",
                        self.field.name
                    ),
                });
            }
        })
    }
}
