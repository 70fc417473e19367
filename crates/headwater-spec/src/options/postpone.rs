//! What becomes of rows of a table whose buckets are postponed.

use super::table::{bool_option, int};
use crate::error::SpecError;
use crate::schema::TableSchema;

/// `postpone.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostponeOptions {
    /// `postpone.batch-write-fixed-bucket`: batch writes give rows their buckets at once; default true.
    pub batch_fixed: bool,
    /// `postpone.batch-write-fixed-bucket.max-parallelism`: most buckets that a batch write gives to a
    /// partition which has none; default 2048, at least 1.
    pub batch_max_buckets: u32,
    /// `postpone.default-bucket-num`: buckets that a compaction gives to a partition which has none;
    /// default 1, at least 1.
    pub default_buckets: u32,
}

impl PostponeOptions {
    pub(super) fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        let count = |key: &str, default: i32| {
            let given = int(schema, key, default)?;
            u32::try_from(given).ok().filter(|n| *n > 0).ok_or_else(|| SpecError::Option {
                key: key.to_owned(),
                reason: format!("{given} is not a number of buckets: 1 or more"),
            })
        };
        Ok(Self {
            batch_fixed: bool_option(schema, "postpone.batch-write-fixed-bucket", true)?,
            batch_max_buckets: count("postpone.batch-write-fixed-bucket.max-parallelism", 2048)?,
            default_buckets: count("postpone.default-bucket-num", 1)?,
        })
    }
}
