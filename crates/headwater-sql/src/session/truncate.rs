//! TRUNCATE TABLE and DROP PARTITION: an overwrite with nothing.
//!
//! Source: Paimon 1.4.2 `FileStoreCommitImpl#truncateTable`, `dropPartitions`.

use std::sync::Arc;

use headwater::{Datum, Overwrite, Table};

use super::{Scope, SqlSession};
use crate::assign::Assignment;
use crate::error::SqlError;
use crate::label::Label;
use crate::names::FullName;

/// Partition columns with values, as texts.
type PartitionTexts = Vec<(String, Option<String>)>;

impl SqlSession {
    /// Removes all rows of a table, or those of a partition.
    pub(super) async fn truncate(
        &self,
        name: &FullName,
        partition: PartitionTexts,
        scope: &Arc<Scope>,
    ) -> Result<String, SqlError> {
        refuse_temporary(name, scope, "TRUNCATE")?;
        let table = scope.open(name, Vec::new()).await?;
        let values = partition_values(&table, &partition)?;
        let label = self.label(scope)?;
        remove(&table, values, label.as_ref(), scope).await?;
        Ok(if partition.is_empty() {
            format!("table {} has no rows any more", name.id)
        } else {
            format!("partition {} of table {} has no rows any more", shown(&partition), name.id)
        })
    }

    /// Removes the rows of partitions, one after the other.
    pub(super) async fn drop_partitions(
        &self,
        name: &FullName,
        partitions: Vec<PartitionTexts>,
        if_exists: bool,
        scope: &Arc<Scope>,
    ) -> Result<String, SqlError> {
        refuse_temporary(name, scope, "ALTER")?;
        let table = scope.open(name, Vec::new()).await?;
        let label = self.label(scope)?;
        if let Some(label) = &label
            && label.is_committed(&table, scope).await?
        {
            return Ok(format!("no partition of table {} dropped", name.id));
        }
        // All of them are looked at before the first one goes.
        let mut found = Vec::new();
        for partition in &partitions {
            let values = partition_values(&table, partition)?;
            let exists = table.partitions().await?.iter().any(|there| {
                let keys = table.schema().partition_keys.iter().zip(&there.values);
                values.iter().all(|(column, value)| {
                    keys.clone().any(|(key, there)| key == column && there == value)
                })
            });
            if exists {
                found.push(values);
            } else if !if_exists {
                return Err(SqlError::invalid(format!(
                    "table {} has no partition {}; DROP IF EXISTS PARTITION passes over it",
                    name.id,
                    shown(partition)
                )));
            }
        }
        let count = found.len();
        for (number, values) in (1..).zip(found) {
            // The last one ends the statement.
            let label = label.as_ref().filter(|_| number == count);
            remove(&table, values, label, scope).await?;
        }
        Ok(format!("{count} of {} partitions of table {} dropped", partitions.len(), name.id))
    }
}

fn refuse_temporary(name: &FullName, scope: &Scope, what: &str) -> Result<(), SqlError> {
    match scope.temporary(name) {
        Some(there) => Err(SqlError::unsupported(
            format!("{what} of the temporary {} '{}' is", there.what(), name.id),
            "drop it and make it anew",
        )),
        None => Ok(()),
    }
}

fn shown(partition: &[(String, Option<String>)]) -> String {
    let parts: Vec<String> = partition
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => format!("{name}=NULL"),
        })
        .collect();
    format!("({})", parts.join(", "))
}

fn partition_values(
    table: &Table,
    partition: &[(String, Option<String>)],
) -> Result<Vec<(String, Option<Datum>)>, SqlError> {
    Assignment::partition_values(table.schema(), partition)
}

/// Removes rows, unless a run of the script before did.
async fn remove(
    table: &Table,
    values: Vec<(String, Option<Datum>)>,
    label: Option<&Label>,
    scope: &Scope,
) -> Result<(), SqlError> {
    let write = table.new_write().overwrite(Overwrite::Static(values));
    let Some(label) = label else {
        write.build()?.commit_batch().await?;
        return Ok(());
    };
    if label.is_committed(table, scope).await? {
        return Ok(());
    }
    match label.on(write).build()?.commit(label.identifier()).await.map_err(SqlError::from) {
        Err(error) if error.is_committed_before() => label.note(table, scope),
        committed => drop(committed?),
    }
    Ok(())
}
