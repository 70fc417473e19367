//! Parquet files of stock Java: same schema as ours, same values, same statistics.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use headwater_format::{FileFormat, WriteOptions, encoder};
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, DataType, RowType, TableSchema, TypeKind};
use headwater_testkit::{expected, golden_tables};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::schema::printer::print_schema;

use crate::canonical::{self, line};
use crate::files::{bytes_of, decode, encode};

/// Data files with the columns that their table's only schema gives them.
#[expect(clippy::disallowed_methods, reason = "fixtures lie on disk")]
fn java_files() -> Vec<(String, PathBuf, Vec<DataField>)> {
    let mut found = Vec::new();
    for table in golden_tables() {
        if table.dir.join("schema/schema-1").exists() || table.name.starts_with("names") {
            continue;
        }
        let skipped = ["row-tracking.enabled", "data-evolution.enabled"];
        if skipped.iter().any(|o| table.option(o).is_some()) || table.name.starts_with("variant") {
            continue;
        }
        let json = std::fs::read(table.dir.join("schema/schema-0")).unwrap();
        let schema = TableSchema::from_json(&json).unwrap();
        let mut paths = Vec::new();
        collect(&table.dir, &mut paths);
        for path in paths {
            let fields = file_fields(&schema, table.option("data-file.thin-mode") == Some("true"));
            found.push((table.name.clone(), path, fields));
        }
    }
    assert!(found.len() > 50, "{} files", found.len());
    found
}

fn file_fields(schema: &TableSchema, thin: bool) -> Vec<DataField> {
    let mut fields = Vec::new();
    if !schema.primary_keys.is_empty() {
        if !thin {
            for key in schema.trimmed_primary_keys() {
                let field = schema.field(&key).unwrap();
                let data_type = field.data_type.clone().with_nullable(false);
                let id = field.id + 1_073_741_823;
                fields.push(DataField::new(id, format!("_KEY_{key}"), data_type));
            }
        }
        let (long, byte) = (TypeKind::BigInt, TypeKind::TinyInt);
        let number = |id, name, kind| DataField::new(id, name, DataType::not_null(kind));
        fields.push(number(2_147_483_646, "_SEQUENCE_NUMBER", long));
        fields.push(number(2_147_483_645, "_VALUE_KIND", byte));
    }
    fields.extend(schema.fields.clone());
    fields
}

#[expect(clippy::disallowed_methods, reason = "fixtures lie on disk")]
fn collect(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|n| n != "manifest") {
                collect(&path, out);
            }
        } else if path.extension().is_some_and(|e| e == "parquet") {
            out.push(path);
        }
    }
}

fn schema_text(bytes: bytes::Bytes) -> String {
    let reader = SerializedFileReader::new(bytes).unwrap();
    let mut text = Vec::new();
    print_schema(&mut text, reader.metadata().file_metadata().schema());
    String::from_utf8(text).unwrap()
}

#[test]
fn our_schema_is_that_of_java() {
    for (table, path, fields) in java_files() {
        let encoder = encoder(FileFormat::Parquet, &fields, &WriteOptions::default()).unwrap();
        let ours = schema_text(encoder.finish().unwrap().tail.concat().into());
        let java = schema_text(bytes_of(&path));
        assert_eq!(ours, java, "{table}: {}", path.display());
    }
}

#[test]
fn java_files_survive_our_writer() {
    for (table, path, fields) in java_files() {
        let schema = arrow_schema(&RowType::new(fields.clone()));
        let rows = decode(bytes_of(&path), &fields, 7).unwrap();
        assert!(rows.iter().all(|b| b.schema() == schema && b.num_rows() <= 7), "{table}");
        let (bytes, _) = encode(&fields, &rows, &WriteOptions::default());
        let again = decode(bytes, &fields, 1000).unwrap();
        let concat = |b: &[RecordBatch]| arrow::compute::concat_batches(&schema, b).unwrap();
        assert_eq!(concat(&rows), concat(&again), "{table}");
    }
}

#[test]
fn rows_of_append_tables_are_those_that_java_reads() {
    let mut compared = Vec::new();
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for (table, path, fields) in java_files() {
        if !table.starts_with("types_parquet_a") && !table.starts_with("nested_append") {
            continue;
        }
        let mut lines = Vec::new();
        for batch in decode(bytes_of(&path), &fields, 16).unwrap() {
            for row in 0..batch.num_rows() {
                lines.push(line(&fields, &batch, row));
            }
        }
        match tables.iter_mut().find(|(name, _)| *name == table) {
            Some((_, all)) => all.extend(lines),
            None => tables.push((table, lines)),
        }
    }
    for (table, mut lines) in tables {
        lines.sort_unstable();
        let expected = expected(&table, "latest.jsonl").unwrap();
        assert_eq!(lines, expected.lines().collect::<Vec<_>>(), "{table}");
        compared.push(table);
    }
    assert!(compared.iter().any(|t| t == "types_parquet_a"), "{compared:?}");
}

#[test]
fn our_statistics_are_those_of_java() {
    let files = java_files();
    let mut compared = 0;
    for table in ["types_parquet_a", "types_parquet_b", "nested_a", "nested_b", "multiset_a"] {
        let lines = expected(table, "files.jsonl").unwrap();
        for entry in lines.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()) {
            let file = entry["file"].as_str().unwrap_or_default();
            let found = files.iter().find(|(_, path, _)| path.ends_with(file) && !file.is_empty());
            let (true, Some((_, path, fields))) = (entry["what"] == "entry", found) else {
                continue;
            };
            let rows = decode(bytes_of(path), fields, 1000).unwrap();
            let (_, stats) = encode(fields, &rows, &WriteOptions::default());
            let value_stats = &entry["value_stats"];
            let columns = entry["value_stats_cols"].as_array();
            for (field, stats) in fields.iter().zip(&stats) {
                if field.name.starts_with('_') {
                    continue;
                }
                let position = match columns {
                    Some(names) => names.iter().position(|n| *n == field.name.as_str()),
                    None => {
                        let values = fields.iter().filter(|f| !f.name.starts_with('_'));
                        values.into_iter().position(|f| f.name == field.name)
                    }
                };
                let Some(position) = position else {
                    assert_eq!(*stats, Default::default(), "{table} {}", field.name);
                    continue;
                };
                assert_eq!(
                    serde_json::json!(stats.null_count),
                    value_stats["nulls"][position],
                    "{table} {}",
                    field.name
                );
                for (ours, java) in [(&stats.min, "min"), (&stats.max, "max")] {
                    let ours = canonical::json(ours.as_ref(), &field.data_type);
                    let ours: serde_json::Value = serde_json::from_str(&ours).unwrap();
                    let java = &value_stats[java][field.name.as_str()];
                    let cut = |v: &serde_json::Value| match v.as_str() {
                        // Java cuts strings to 16 characters and rounds the last one up.
                        Some(s) if matches!(field.data_type.kind, TypeKind::VarChar(_)) => {
                            serde_json::json!(s.chars().take(15).collect::<String>())
                        }
                        _ => v.clone(),
                    };
                    assert_eq!(cut(&ours), cut(java), "{table} {}", field.name);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100, "{compared}");
}
