//! The system tables that come from documents: snapshots, schemas, options, and what partitions
//! and buckets hold.

use std::collections::BTreeMap;

use headwater::Table;
use headwater::spec::CommitKind;

use super::Kind;
use super::rows::{Cell, Row};
use super::text::{local_millis, row};
use crate::error::SqlError;

/// Names and types of the columns.
pub(super) const fn columns(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Snapshots => &[
            ("snapshot_id", "BIGINT NOT NULL"),
            ("schema_id", "BIGINT NOT NULL"),
            ("commit_user", "STRING NOT NULL"),
            ("commit_identifier", "BIGINT NOT NULL"),
            ("commit_kind", "STRING NOT NULL"),
            ("commit_time", "TIMESTAMP(3) NOT NULL"),
            ("base_manifest_list", "STRING NOT NULL"),
            ("delta_manifest_list", "STRING NOT NULL"),
            ("changelog_manifest_list", "STRING"),
            ("total_record_count", "BIGINT"),
            ("delta_record_count", "BIGINT"),
            ("changelog_record_count", "BIGINT"),
            ("watermark", "BIGINT"),
            ("next_row_id", "BIGINT"),
        ],
        Kind::Schemas => &[
            ("schema_id", "BIGINT NOT NULL"),
            ("fields", "STRING NOT NULL"),
            ("partition_keys", "STRING NOT NULL"),
            ("primary_keys", "STRING NOT NULL"),
            ("options", "STRING NOT NULL"),
            ("comment", "STRING"),
            ("update_time", "TIMESTAMP(3) NOT NULL"),
        ],
        Kind::Options => &[("key", "STRING NOT NULL"), ("value", "STRING NOT NULL")],
        Kind::Files => &[
            ("partition", "STRING"),
            ("bucket", "INT NOT NULL"),
            ("file_path", "STRING NOT NULL"),
            ("file_format", "STRING NOT NULL"),
            ("schema_id", "BIGINT NOT NULL"),
            ("level", "INT NOT NULL"),
            ("record_count", "BIGINT NOT NULL"),
            ("file_size_in_bytes", "BIGINT NOT NULL"),
            ("min_key", "STRING"),
            ("max_key", "STRING"),
            ("null_value_counts", "STRING NOT NULL"),
            ("min_value_stats", "STRING NOT NULL"),
            ("max_value_stats", "STRING NOT NULL"),
            ("min_sequence_number", "BIGINT"),
            ("max_sequence_number", "BIGINT"),
            ("creation_time", "TIMESTAMP(3)"),
            ("deleteRowCount", "BIGINT"),
            ("file_source", "STRING"),
            ("first_row_id", "BIGINT"),
            ("write_cols", "ARRAY<STRING>"),
        ],
        Kind::Manifests => &[
            ("file_name", "STRING NOT NULL"),
            ("file_size", "BIGINT NOT NULL"),
            ("num_added_files", "BIGINT NOT NULL"),
            ("num_deleted_files", "BIGINT NOT NULL"),
            ("schema_id", "BIGINT NOT NULL"),
            ("min_partition_stats", "STRING"),
            ("max_partition_stats", "STRING"),
            ("min_row_id", "BIGINT"),
            ("max_row_id", "BIGINT"),
        ],
        Kind::Partitions => &[
            ("partition", "STRING"),
            ("record_count", "BIGINT NOT NULL"),
            ("file_size_in_bytes", "BIGINT NOT NULL"),
            ("file_count", "BIGINT NOT NULL"),
            ("last_update_time", "TIMESTAMP(3)"),
            ("created_at", "TIMESTAMP(3)"),
            ("created_by", "STRING"),
            ("updated_by", "STRING"),
            ("options", "STRING"),
        ],
        Kind::Buckets => &[
            ("partition", "STRING"),
            ("bucket", "INT NOT NULL"),
            ("record_count", "BIGINT NOT NULL"),
            ("file_size_in_bytes", "BIGINT NOT NULL"),
            ("file_count", "BIGINT NOT NULL"),
            ("last_update_time", "TIMESTAMP(3)"),
        ],
    }
}

/// One row per snapshot.
pub(super) async fn snapshots(table: &Table, zone: &str) -> Result<Vec<Row>, SqlError> {
    let store = table.store();
    let mut rows = Vec::new();
    for id in store.snapshot_ids().await.map_err(headwater::Error::from)? {
        let snapshot = store.snapshot(id).await.map_err(headwater::Error::from)?;
        let kind = match snapshot.commit_kind {
            CommitKind::Append => "APPEND",
            CommitKind::Compact => "COMPACT",
            CommitKind::Overwrite => "OVERWRITE",
            CommitKind::Analyze => "ANALYZE",
        };
        rows.push(vec![
            Cell::Long(snapshot.id),
            Cell::Long(snapshot.schema_id),
            Cell::text(snapshot.commit_user),
            Cell::Long(snapshot.commit_identifier),
            Cell::text(kind),
            Cell::Time(local_millis(snapshot.time_millis, zone)),
            Cell::text(snapshot.base_manifest_list),
            Cell::text(snapshot.delta_manifest_list),
            Cell::maybe_text(snapshot.changelog_manifest_list),
            Cell::Long(snapshot.total_record_count),
            Cell::Long(snapshot.delta_record_count),
            Cell::maybe_long(snapshot.changelog_record_count),
            Cell::maybe_long(snapshot.watermark),
            Cell::maybe_long(snapshot.next_row_id),
        ]);
    }
    Ok(rows)
}

/// One row per schema.
pub(super) async fn schemas(table: &Table, zone: &str) -> Result<Vec<Row>, SqlError> {
    let store = table.store();
    let mut rows = Vec::new();
    for id in store.schema_ids().await.map_err(headwater::Error::from)? {
        let schema = store.schema(id).await.map_err(headwater::Error::from)?;
        let (fields, options) = schema.flat_json();
        let names = |names: &[String]| {
            let quoted: Vec<String> = names.iter().map(|name| json_text(name)).collect();
            format!("[{}]", quoted.join(","))
        };
        rows.push(vec![
            Cell::Long(schema.id),
            Cell::text(fields),
            Cell::text(names(&schema.partition_keys)),
            Cell::text(names(&schema.primary_keys)),
            Cell::text(options),
            Cell::maybe_text(schema.comment),
            Cell::Time(local_millis(schema.time_millis, zone)),
        ]);
    }
    Ok(rows)
}

/// A text as JSON writes it.
fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One row per option of the table.
pub(super) fn options(table: &Table) -> Vec<Row> {
    let options = table.schema().options.iter();
    options.map(|(key, value)| vec![Cell::text(key), Cell::text(value)]).collect()
}

/// One row per partition that has files.
pub(super) async fn partitions(table: &Table) -> Result<Vec<Row>, SqlError> {
    let partitions = table.partitions().await?.into_iter();
    let types = super::files::partition_types(table)?;
    let keys = &table.schema().partition_keys;
    let missing = &table.options().partition.default_name;
    Ok(partitions
        .map(|partition| {
            // Not the directory's name, which is escaped and may write dates as numbers.
            let values = keys.iter().zip(&types).zip(&partition.values);
            let parts = values.map(|((key, data_type), value)| {
                let text = super::text::value(value.as_ref(), data_type);
                format!("{key}={}", text.as_deref().unwrap_or(missing))
            });
            vec![
                Cell::text(parts.collect::<Vec<_>>().join("/")),
                Cell::Long(partition.record_count),
                Cell::Long(partition.file_size_bytes),
                Cell::Long(partition.file_count),
                Cell::maybe_time(partition.last_update_millis),
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
            ]
        })
        .collect())
}

/// One row per bucket that has files.
pub(super) async fn buckets(table: &Table) -> Result<Vec<Row>, SqlError> {
    #[derive(Default)]
    struct Sum {
        rows: i64,
        bytes: i64,
        files: i64,
        newest: Option<i64>,
    }
    let types = super::files::partition_types(table)?;
    let mut sums: BTreeMap<(String, i32), Sum> = BTreeMap::new();
    for entry in super::files::entries(table, &types).await? {
        let partition = row(&entry.partition, &types, ('{', '}'))?;
        let sum = sums.entry((partition, entry.bucket)).or_default();
        sum.rows = sum.rows.saturating_add(entry.file.row_count);
        sum.bytes = sum.bytes.saturating_add(entry.file.file_size);
        sum.files = sum.files.saturating_add(1);
        sum.newest = sum.newest.max(entry.file.creation_time_millis);
    }
    Ok(sums
        .into_iter()
        .map(|((partition, bucket), sum)| {
            vec![
                Cell::text(partition),
                Cell::Int(bucket),
                Cell::Long(sum.rows),
                Cell::Long(sum.bytes),
                Cell::Long(sum.files),
                Cell::maybe_time(sum.newest),
            ]
        })
        .collect())
}
