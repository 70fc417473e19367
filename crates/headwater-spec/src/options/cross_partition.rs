//! How the index of a table is built whose keys move between partitions.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::table::{duration, int, value};
use crate::error::SpecError;
use crate::schema::TableSchema;

/// `cross-partition-upsert.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrossPartitionOptions {
    /// `cross-partition-upsert.index-ttl`: files that are older are left out when the index of keys
    /// is built; default none are.
    pub index_ttl: Option<Duration>,
    /// `cross-partition-upsert.bootstrap-parallelism`: splits that are read at the same time for it;
    /// default 10, at least 1.
    pub bootstrap_parallelism: NonZeroUsize,
}

impl CrossPartitionOptions {
    pub(super) fn parse(schema: &TableSchema) -> Result<Self, SpecError> {
        let key = "cross-partition-upsert.index-ttl";
        let index_ttl = match value(schema, key)? {
            Some(_) => Some(duration(schema, key, 0)?),
            None => None,
        };
        let key = "cross-partition-upsert.bootstrap-parallelism";
        let given = int(schema, key, 10)?;
        let bootstrap_parallelism = usize::try_from(given)
            .ok()
            .and_then(NonZeroUsize::new)
            .ok_or_else(|| SpecError::Option {
                key: key.to_owned(),
                reason: format!("{given} is not a number of readers: 1 or more"),
            })?;
        Ok(Self { index_ttl, bootstrap_parallelism })
    }
}
