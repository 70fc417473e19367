//! `t$snapshots` and the like: what a table's metadata says, as rows. Read-only.
//!
//! Columns and texts are those of Paimon. Source: Paimon 1.4.2 `SystemTableLoader` and the classes
//! of `org.apache.paimon.table.system`.

mod files;
mod manifests;
mod rows;
mod tables;
mod text;

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use headwater::{DataField, DataType, Identifier, NewTable, Table, TableSchema};

use crate::error::SqlError;
use crate::hint::OptionList;
use crate::names::FullName;
use crate::session::Scope;

/// Which system table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Snapshots,
    Schemas,
    Options,
    Files,
    Manifests,
    Partitions,
    Buckets,
}

const KINDS: [(&str, Kind); 7] = [
    ("snapshots", Kind::Snapshots),
    ("schemas", Kind::Schemas),
    ("options", Kind::Options),
    ("files", Kind::Files),
    ("manifests", Kind::Manifests),
    ("partitions", Kind::Partitions),
    ("buckets", Kind::Buckets),
];

/// System tables that Paimon has and this version does not.
const LATER: [&str; 12] = [
    "audit_log",
    "binlog",
    "ro",
    "row_tracking",
    "tags",
    "branches",
    "consumers",
    "aggregation_fields",
    "statistics",
    "table_indexes",
    "file_key_ranges",
    "file_monitor",
];

/// A system table of a table.
#[derive(Debug, Clone)]
pub(crate) struct SystemTable {
    base: String,
    kind: Kind,
}

impl SystemTable {
    /// The system table that a name such as `t$files` means; `None` for other names.
    pub(crate) fn parse(name: &str) -> Result<Option<Self>, SqlError> {
        let mut parts = name.split('$');
        let (Some(base), Some(system)) = (parts.next(), parts.next()) else { return Ok(None) };
        if system.starts_with("branch_") {
            return Err(SqlError::unsupported(
                format!("the branch in '{name}' is"),
                "branches are planned for a later release",
            ));
        }
        let lower = system.to_ascii_lowercase();
        if base.is_empty() || parts.next().is_some() {
            return Err(SqlError::invalid(format!("'{name}' names no system table")));
        }
        if LATER.contains(&lower.as_str()) {
            return Err(SqlError::unsupported(
                format!("the system table '${lower}' is"),
                "planned for a later release",
            ));
        }
        let known = KINDS.iter().find(|(known, _)| *known == lower);
        match known {
            Some((_, kind)) => Ok(Some(Self { base: base.to_owned(), kind: *kind })),
            None => {
                let names: Vec<String> = KINDS.iter().map(|(name, _)| format!("${name}")).collect();
                Err(SqlError::invalid(format!(
                    "there is no system table '${system}'; there are: {}",
                    names.join(", ")
                )))
            }
        }
    }

    /// Its columns.
    pub(crate) fn columns(&self) -> Result<TableSchema, SqlError> {
        let mut table = NewTable::new();
        for (name, data_type) in tables::columns(self.kind) {
            table =
                table.column(*name, DataType::parse(data_type).map_err(headwater::Error::from)?);
        }
        Ok(table.into_schema(0).map_err(headwater::Error::from)?)
    }

    /// Its rows.
    pub(crate) async fn open(
        &self,
        scope: &Scope,
        name: &FullName,
        hint: OptionList,
    ) -> Result<Arc<dyn TableProvider>, SqlError> {
        let id = Identifier::new(&name.id.database, &self.base);
        let base = FullName { catalog: name.catalog.clone(), id };
        let table = scope.open(&base, hint).await?;
        let fields = self.columns()?.fields;
        let batch = self.rows(&table, &fields, &scope.time_zone()).await?;
        Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
    }

    async fn rows(
        &self,
        table: &Table,
        fields: &[DataField],
        zone: &str,
    ) -> Result<RecordBatch, SqlError> {
        let rows = match self.kind {
            Kind::Snapshots => tables::snapshots(table, zone).await?,
            Kind::Schemas => tables::schemas(table, zone).await?,
            Kind::Options => tables::options(table),
            Kind::Files => files::files(table).await?,
            Kind::Manifests => manifests::manifests(table).await?,
            Kind::Partitions => tables::partitions(table).await?,
            Kind::Buckets => tables::buckets(table).await?,
        };
        rows::batch(fields, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, SystemTable};

    #[test]
    fn names_with_a_dollar_mean_system_tables() {
        let parsed = SystemTable::parse("t$snapshots").unwrap().unwrap();
        assert_eq!((parsed.base.as_str(), parsed.kind), ("t", Kind::Snapshots));
        assert!(SystemTable::parse("plain").unwrap().is_none());
        for (name, reason) in [
            ("t$audit_log", "planned for a later release"),
            ("t$branch_b", "branch"),
            ("t$nothing", "there are: $snapshots"),
            ("t$files$x", "names no system table"),
            ("$files", "names no system table"),
        ] {
            let error = SystemTable::parse(name).unwrap_err().to_string();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }
}
