//! How rows of a table with dynamic buckets get theirs.

use super::table::{bool_option, int, value};
use crate::error::SpecError;
use crate::hash_index::LAST_DYNAMIC_BUCKET;
use crate::schema::TableSchema;

/// `dynamic-bucket.*` and where the index files lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DynamicBucketOptions {
    /// `dynamic-bucket.target-row-num`: keys after which a bucket gets no new ones; default 2
    /// million, at least 1.
    pub target_keys: u64,
    /// `dynamic-bucket.max-buckets`: most buckets of a partition, if there is a bound.
    pub max_buckets: Option<u16>,
    /// `index-file-in-data-file-dir`: index files lie in the directories of their buckets; default
    /// false.
    pub index_beside_data: bool,
}

impl DynamicBucketOptions {
    pub(super) fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        let key = "dynamic-bucket.target-row-num";
        let target = match value(schema, key)? {
            None => 2_000_000,
            Some(text) => text.trim().parse::<i64>().map_err(|_| SpecError::Option {
                key: key.to_owned(),
                reason: format!("{text:?} is not a whole number"),
            })?,
        };
        let key = "dynamic-bucket.max-buckets";
        let max_buckets = match int(schema, key, -1)? {
            -1 => None,
            // Java takes more and never gets there.
            n if n > 0 => Some(
                u16::try_from(n)
                    .map_or(LAST_DYNAMIC_BUCKET + 1, |n| n.min(LAST_DYNAMIC_BUCKET + 1)),
            ),
            n => {
                return Err(SpecError::Option {
                    key: key.to_owned(),
                    reason: format!("{n} is neither a number of buckets (1 or more) nor -1"),
                });
            }
        };
        Ok(Self {
            target_keys: u64::try_from(target).unwrap_or(0).max(1),
            max_buckets,
            index_beside_data: bool_option(schema, "index-file-in-data-file-dir", false)?,
        })
    }
}
