//! Canonical JSON rows to batches and back, and short ways to make, write and read tables.

use std::path::Path;

use arrow::array::{ArrayRef, AsArray, Int8Array, RecordBatch};
use arrow::datatypes::Int8Type;
use headwater::canonical::Lines;
use headwater::io::file_io::local::SyncMode;
use headwater::io::open_root;
use headwater::spec::row::arrow::array_from_datums;
use headwater::{
    CatalogOptions, DataType, Datum, Env, Identifier, NewTable, Overwrite, Table, TypeKind,
};
use headwater_spec::schema::NewColumn;
use serde_json::Value;

/// Environment of a test.
pub(crate) fn env() -> Env {
    Env::system(2, 512 << 20)
}

/// Runs a future to its end.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    headwater::io::host::block_on(future).unwrap()
}

/// The canonical lines of the newest snapshot (or the one the table was opened at).
pub(crate) async fn lines(table: &Table) -> Result<Vec<String>, headwater::Error> {
    let read = table.new_read().with_row_kind();
    let mut lines = Lines::default();
    let fields = &table.row_type().fields;
    let columns: Vec<usize> = (0..fields.len()).collect();
    for batch in read.collect().await? {
        let kinds = batch.column(fields.len()).as_primitive::<Int8Type>().clone();
        lines.add(&batch.project(&columns).unwrap(), fields, Some(&kinds)).unwrap();
    }
    Ok(lines.sorted().into_iter().map(|l| String::from_utf8(l.to_vec()).unwrap()).collect())
}

/// The lines of a table whose functions keep arrays in the order of Java's hash tables, with the
/// elements in some order that does not depend on it; those of other tables as they are.
pub(crate) fn without_hash_order(table: &str, lines: &[String]) -> Vec<String> {
    fn sorted(value: &mut Value) {
        if let Value::Array(items) = value {
            items.sort_by_key(ToString::to_string);
        }
    }
    if !table.starts_with("agg_collections") {
        return lines.to_vec();
    }
    let line = |line: &String| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        row["row"].as_object_mut().unwrap().values_mut().for_each(sorted);
        row.to_string()
    };
    let mut lines: Vec<String> = lines.iter().map(line).collect();
    lines.sort();
    lines
}

/// Opens the table in a directory.
pub(crate) async fn open(dir: &Path) -> Result<Table, headwater::Error> {
    Table::open_path(dir.to_str().unwrap(), env()).await
}

/// Opens a table without syncing its files to disk, for tests in which nothing loses power.
pub(crate) fn open_unsynced(dir: &Path) -> Table {
    let io = open_root(dir.to_str().unwrap(), SyncMode::Off).unwrap();
    run(Table::open_io(io, "t", env())).unwrap()
}

/// The definition that a `create` operation of the oracle describes.
pub(crate) fn definition(operation: &Value) -> NewTable {
    let names = |key: &str| -> Vec<String> {
        operation[key]
            .as_array()
            .into_iter()
            .flatten()
            .map(|v| v.as_str().unwrap().into())
            .collect()
    };
    let columns = operation["fields"].as_array().unwrap().iter().map(|f| NewColumn {
        name: f["name"].as_str().unwrap().to_owned(),
        data_type: match &f["type"] {
            Value::String(text) => DataType::parse(text).unwrap(),
            other => DataType::from_json(other).unwrap(),
        },
        comment: f["comment"].as_str().or(f["description"].as_str()).map(str::to_owned),
        default_value: f["default"].as_str().or(f["defaultValue"].as_str()).map(str::to_owned),
    });
    NewTable {
        columns: columns.collect(),
        partition_keys: names("partition"),
        primary_keys: names("pk"),
        options: operation["options"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
            .collect(),
        comment: operation["comment"].as_str().map(str::to_owned),
    }
}

/// Makes `name` in database `golden` of a warehouse and returns the opened table.
pub(crate) async fn create(
    warehouse: &Path,
    name: &str,
    definition: &NewTable,
) -> Result<Table, headwater::Error> {
    let options = CatalogOptions { create: true, ..CatalogOptions::default() };
    create_with(warehouse, name, definition, options).await
}

/// As [`create`], with options of the catalog.
pub(crate) async fn create_with(
    warehouse: &Path,
    name: &str,
    definition: &NewTable,
    options: CatalogOptions,
) -> Result<Table, headwater::Error> {
    use headwater::Catalog;
    let warehouse = warehouse.to_str().unwrap();
    let catalog = headwater::open_catalog_with(warehouse, options, env()).await?;
    catalog.create_database("golden", true).await?;
    let id = Identifier::new("golden", name);
    catalog.create_table(&id, definition, false).await?;
    headwater::open_table(&catalog, &id).await
}

/// Rows of an operation, `{"kind":..,"row":{..}}` each, as a batch and its row kinds.
pub(crate) fn batch(table: &Table, rows: &[Value]) -> (RecordBatch, Int8Array) {
    let kinds: Int8Array = rows
        .iter()
        .map(|r| match r["kind"].as_str() {
            None | Some("+I") => 0,
            Some("-U") => 1,
            Some("+U") => 2,
            Some("-D") => 3,
            Some(other) => panic!("kind {other}"),
        })
        .collect::<Vec<i8>>()
        .into();
    let columns: Vec<ArrayRef> = table
        .row_type()
        .fields
        .iter()
        .map(|f| {
            let values: Vec<_> = rows
                .iter()
                .map(|r| {
                    let row = if r.get("row").is_some() { &r["row"] } else { r };
                    datum(&row[&f.name], &f.data_type.kind)
                })
                .collect();
            array_from_datums(&values, &f.data_type).unwrap()
        })
        .collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    (RecordBatch::try_new_with_options(table.arrow_schema(), columns, &options).unwrap(), kinds)
}

/// Writes rows as one commit that adds or replaces.
pub(crate) async fn write(
    table: &Table,
    user: &str,
    identifier: i64,
    rows: &[Value],
    how: Overwrite,
) -> Result<Option<i64>, headwater::Error> {
    let mut write = table.new_write().commit_user(user).overwrite(how).streaming().build()?;
    let (batch, kinds) = batch(table, rows);
    write.write_kinds(&batch, Some(&kinds)).await?;
    Ok(write.commit(identifier).await?.snapshot_id)
}

/// Partition values given as canonical JSON, by column.
pub(crate) fn partition_spec(
    table: &Table,
    values: &serde_json::Map<String, Value>,
) -> Vec<(String, Option<Datum>)> {
    let kind = |name: &str| &table.row_type().field(name).unwrap().data_type.kind;
    values.iter().map(|(name, value)| (name.clone(), datum(value, kind(name)))).collect()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// A value in canonical form.
pub(crate) fn datum(value: &Value, kind: &TypeKind) -> Option<Datum> {
    let text = || value.as_str().unwrap_or_else(|| panic!("{value} is no text"));
    let int = || value.as_i64().unwrap_or_else(|| panic!("{value} is no number"));
    if value.is_null() {
        return None;
    }
    Some(match kind {
        TypeKind::Boolean => Datum::Boolean(value.as_bool().unwrap()),
        TypeKind::TinyInt => Datum::TinyInt(int() as i8),
        TypeKind::SmallInt => Datum::SmallInt(int() as i16),
        TypeKind::Int => Datum::Int(int() as i32),
        TypeKind::BigInt => Datum::BigInt(int()),
        TypeKind::Float => match value {
            Value::String(bits) => {
                Datum::Float(f32::from_bits(u32::from_str_radix(bits, 16).unwrap()))
            }
            number => Datum::Float(number.as_f64().unwrap() as f32),
        },
        TypeKind::Double => match value {
            Value::String(bits) => {
                Datum::Double(f64::from_bits(u64::from_str_radix(bits, 16).unwrap()))
            }
            number => Datum::Double(number.as_f64().unwrap()),
        },
        TypeKind::Decimal { precision, scale } => {
            let digits: String = text().chars().filter(|c| *c != '.').collect();
            Datum::Decimal {
                unscaled: digits.parse().unwrap(),
                precision: *precision,
                scale: *scale,
            }
        }
        TypeKind::Char(_) | TypeKind::VarChar(_) => Datum::String(text().to_owned()),
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => Datum::Bytes(hex(text())),
        TypeKind::Date | TypeKind::Time(_) | TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let kind = match kind {
                TypeKind::TimestampLtz(p) => TypeKind::Timestamp(*p),
                other => other.clone(),
            };
            let text = text().trim_end_matches('Z').replace('T', " ");
            headwater::spec::partition::parse_value(&text, &DataType::nullable(kind)).unwrap()
        }
        TypeKind::Array(e) | TypeKind::Vector(e, _) => {
            Datum::Array(value.as_array().unwrap().iter().map(|v| datum(v, &e.kind)).collect())
        }
        TypeKind::Map(k, v) => pairs(value, &k.kind, &v.kind),
        TypeKind::Multiset(e) => pairs(value, &e.kind, &TypeKind::Int),
        TypeKind::Row(fields) => {
            Datum::Row(fields.iter().map(|f| datum(&value[&f.name], &f.data_type.kind)).collect())
        }
        TypeKind::Variant => Datum::Variant {
            value: hex(value["value"].as_str().unwrap()),
            metadata: hex(value["metadata"].as_str().unwrap()),
        },
    })
}

fn pairs(value: &Value, key: &TypeKind, item: &TypeKind) -> Datum {
    Datum::Map(
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (datum(&pair[0], key), datum(&pair[1], item)))
            .collect(),
    )
}
