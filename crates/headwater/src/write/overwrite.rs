//! What an overwrite replaces, and that new rows lie inside.

use std::collections::HashSet;

use headwater_metadata::commit::OverwriteScope;
use headwater_spec::BinaryRow;
use headwater_spec::predicate::{Op, Predicate};

use super::builder::Overwrite;
use crate::error::{Error, Result};
use crate::table::Table;

/// A checked overwrite.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// Rows are added.
    Append,
    /// The whole table.
    Table,
    /// Partitions that match; columns count among the partition columns.
    Matching(Predicate),
    /// Partitions that new rows come for.
    Dynamic,
}

impl Target {
    pub(super) fn new(table: &Table, overwrite: Overwrite) -> Result<Self> {
        let keys = &table.schema().partition_keys;
        let given = match overwrite {
            Overwrite::None => return Ok(Self::Append),
            Overwrite::Dynamic if keys.is_empty() => return Ok(Self::Table),
            Overwrite::Dynamic => return Ok(Self::Dynamic),
            Overwrite::Static(given) if given.is_empty() => return Ok(Self::Table),
            Overwrite::Static(given) => given,
        };
        let mut parts = Vec::new();
        for (name, value) in given {
            let Some(at) = keys.iter().position(|k| k == &name) else {
                return Err(Error::Request {
                    table: table.name().to_owned(),
                    reason: format!(
                        "'{name}' is not a partition column, which are: {}",
                        keys.join(", ")
                    ),
                });
            };
            parts.push(match value {
                Some(value) => Predicate::leaf(at, Op::Eq, [value]),
                None => Predicate::leaf(at, Op::IsNull, []),
            });
        }
        Ok(Self::Matching(Predicate::And(parts)))
    }

    /// Whether earlier rows go.
    pub(super) const fn replaces(&self) -> bool {
        !matches!(self, Self::Append)
    }

    /// What a commit with files of these partitions replaces.
    pub(super) fn scope(&self, partitions: HashSet<BinaryRow>) -> Option<OverwriteScope> {
        match self {
            Self::Append => None,
            Self::Table => Some(OverwriteScope::Table),
            Self::Matching(predicate) => Some(OverwriteScope::Matching(predicate.clone())),
            Self::Dynamic => Some(OverwriteScope::Partitions(partitions)),
        }
    }
}

/// Refuses rows outside of the partitions that a static overwrite replaces.
pub(super) fn check_inside<'a>(
    table: &Table,
    target: &Target,
    partitions: impl Iterator<Item = &'a BinaryRow>,
) -> Result<()> {
    let Target::Matching(predicate) = target else { return Ok(()) };
    let types = table.partition_types()?;
    for partition in partitions {
        let values = headwater_metadata::plan::partition_values(partition, &types)?;
        if !predicate.matches(&|i| values.get(i).cloned().flatten()) {
            return Err(Error::Request {
                table: table.name().to_owned(),
                reason: format!(
                    "a row belongs to partition {values:?}, outside of the partition that is overwritten"
                ),
            });
        }
    }
    Ok(())
}
