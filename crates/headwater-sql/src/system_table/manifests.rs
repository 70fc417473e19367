//! `t$manifests`: the manifests of the newest snapshot, or of the one that a hint chooses.

use headwater::Table;

use super::files::partition_types;
use super::rows::{Cell, Row};
use super::text;
use crate::error::SqlError;

/// One row per manifest.
pub(super) async fn manifests(table: &Table) -> Result<Vec<Row>, SqlError> {
    let Some(snapshot) = table.snapshot().await? else { return Ok(Vec::new()) };
    let types = partition_types(table)?;
    let metas = table.store().manifests_of(&snapshot).await.map_err(headwater::Error::from)?;
    let mut rows = Vec::with_capacity(metas.len());
    for meta in metas {
        let stats = &meta.partition_stats;
        let (min, max) = if types.is_empty() {
            ("{}".to_owned(), "{}".to_owned())
        } else {
            (
                text::row(&stats.min_values, &types, ('{', '}'))?,
                text::row(&stats.max_values, &types, ('{', '}'))?,
            )
        };
        rows.push(vec![
            Cell::text(meta.file_name),
            Cell::Long(meta.file_size),
            Cell::Long(meta.num_added_files),
            Cell::Long(meta.num_deleted_files),
            Cell::Long(meta.schema_id),
            Cell::Text(min),
            Cell::Text(max),
            Cell::maybe_long(meta.min_row_id),
            Cell::maybe_long(meta.max_row_id),
        ]);
    }
    Ok(rows)
}
