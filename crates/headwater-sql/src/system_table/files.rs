//! `t$files`: the live data files with what manifests keep of them.

use std::collections::{BTreeMap, BTreeSet};

use headwater::plan::EntryFilter;
use headwater::spec::manifest::ManifestEntry;
use headwater::spec::{DataFileMeta, FileSource};
use headwater::{DataField, DataType, Table, TableSchema};

use super::rows::{Cell, Row};
use super::text;
use crate::error::SqlError;

/// Types of the partition columns.
pub(super) fn partition_types(table: &Table) -> Result<Vec<DataType>, SqlError> {
    types_of(table.schema(), &table.schema().partition_keys)
}

fn types_of(schema: &TableSchema, names: &[String]) -> Result<Vec<DataType>, SqlError> {
    let fields = schema.columns(names).map_err(headwater::Error::from)?;
    Ok(fields.into_iter().map(|field| field.data_type).collect())
}

/// The live files of the table's snapshot.
pub(super) async fn entries(
    table: &Table,
    types: &[DataType],
) -> Result<Vec<ManifestEntry>, SqlError> {
    let Some(snapshot) = table.snapshot().await? else { return Ok(Vec::new()) };
    let all = EntryFilter::default();
    let found = table.store().live_entries(&snapshot, types, &all).await;
    Ok(found.map_err(headwater::Error::from)?.0)
}

/// One row per file.
pub(super) async fn files(table: &Table) -> Result<Vec<Row>, SqlError> {
    let types = partition_types(table)?;
    let schema = table.schema();
    let key_types = types_of(schema, &schema.trimmed_primary_keys())?;
    let entries = entries(table, &types).await?;
    let ids: BTreeSet<i64> = entries.iter().map(|entry| entry.file.schema_id).collect();
    let mut schemas: BTreeMap<i64, Vec<DataField>> = BTreeMap::new();
    for id in ids {
        let written = table.store().schema(id).await.map_err(headwater::Error::from)?;
        schemas.insert(id, written.fields);
    }
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let written = schemas.get(&entry.file.schema_id).map_or(&[][..], Vec::as_slice);
        rows.push(row(table, &entry, (&types, &key_types), written)?);
    }
    Ok(rows)
}

fn row(
    table: &Table,
    entry: &ManifestEntry,
    (types, key_types): (&[DataType], &[DataType]),
    written: &[DataField],
) -> Result<Row, SqlError> {
    let file = &entry.file;
    let key = |row| match key_types {
        [] => Ok(Cell::Null),
        types => text::row(row, types, ('[', ']')).map(Cell::Text),
    };
    let [nulls, mins, maxs] = statistics(&table.schema().fields, file, written)?;
    Ok(vec![
        Cell::Text(text::row(&entry.partition, types, ('{', '}'))?),
        Cell::Int(entry.bucket),
        Cell::Text(path(table, entry)?),
        Cell::text(file.file_name.rsplit('.').next().unwrap_or_default()),
        Cell::Long(file.schema_id),
        Cell::Int(file.level),
        Cell::Long(file.row_count),
        Cell::Long(file.file_size),
        key(&file.min_key)?,
        key(&file.max_key)?,
        Cell::Text(nulls),
        Cell::Text(mins),
        Cell::Text(maxs),
        Cell::Long(file.min_sequence_number),
        Cell::Long(file.max_sequence_number),
        Cell::maybe_time(file.creation_time_millis),
        Cell::maybe_long(file.delete_row_count),
        Cell::maybe_text(file.file_source.map(|source| {
            match source {
                FileSource::Append => "APPEND",
                FileSource::Compact => "COMPACT",
            }
            .to_owned()
        })),
        Cell::maybe_long(file.first_row_id),
        file.write_cols.clone().map_or(Cell::Null, Cell::Texts),
    ])
}

/// The file's address.
fn path(table: &Table, entry: &ManifestEntry) -> Result<String, SqlError> {
    if let Some(outside) = &entry.file.external_path {
        return Ok(outside.clone());
    }
    let inside = table.bucket_directory(&entry.partition, entry.bucket)?;
    let root = table.store().io().root();
    let scheme = if root.starts_with('/') { "file:" } else { "" };
    let file = table.store().path(&format!("{inside}/{}", entry.file.file_name));
    Ok(format!("{scheme}{root}/{file}"))
}

/// Null counts, minima and maxima of the table's columns, found by field id.
fn statistics(
    fields: &[DataField],
    file: &DataFileMeta,
    written: &[DataField],
) -> Result<[String; 3], SqlError> {
    let covered: Vec<&DataField> = match &file.value_stats_cols {
        None => written.iter().collect(),
        Some(names) => {
            names.iter().filter_map(|name| written.iter().find(|f| f.name == *name)).collect()
        }
    };
    let types: Vec<DataType> = covered.iter().map(|field| field.data_type.clone()).collect();
    let stats = file.value_stats.decode(&types).map_err(headwater::Error::from)?;
    let mut nulls = Vec::new();
    let mut mins = Vec::new();
    let mut maxs = Vec::new();
    for field in fields {
        let found = covered.iter().position(|there| there.id == field.id);
        let known = found.and_then(|at| Some((stats.get(at)?, types.get(at)?)));
        let name = || field.name.clone();
        let count = match known {
            Some((stats, _)) => stats.null_count.map(|count| count.to_string()),
            // The file has no such column: all its rows are null.
            None if !written.iter().any(|there| there.id == field.id) => {
                Some(file.row_count.to_string())
            }
            None => None,
        };
        nulls.push((name(), count));
        mins.push((name(), known.and_then(|(s, t)| text::bound(s.min.as_ref(), t))));
        maxs.push((name(), known.and_then(|(s, t)| text::bound(s.max.as_ref(), t))));
    }
    Ok([text::pairs(nulls), text::pairs(mins), text::pairs(maxs)])
}
