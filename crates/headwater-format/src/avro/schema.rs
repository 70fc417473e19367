//! The Avro schema that a file is written with, and what Avro has no type for.
//!
//! Source: Paimon 1.4.2 `AvroSchemaConverter#convertToSchema`.

use headwater_spec::{DataField, DataType, TypeKind};
use serde_json::{Value, json};

/// Name of the record of a row; those of nested rows begin with it.
const RECORD: &str = "record";
const NAMESPACE: &str = "org.apache.paimon.avro.generated";

/// Why rows with these columns cannot be written in Avro; `None` if they can.
#[must_use]
pub fn avro_lacks(fields: &[DataField]) -> Option<String> {
    fields.iter().find_map(|field| {
        let reason = if is_name(&field.name) {
            lacks(&field.data_type)?
        } else {
            "Avro names have letters, digits and '_' only".to_owned()
        };
        Some(format!("column '{}': {reason}", field.name))
    })
}

/// Java allows letters of all scripts, in some versions of its library: files are named by their
/// format, so that nothing depends on it.
fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn lacks(of: &DataType) -> Option<String> {
    match &of.kind {
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) if *p > 6 => {
            Some(format!("Avro has no {of}: at most 6 digits of a second are kept"))
        }
        TypeKind::Time(p) if *p > 3 => {
            Some(format!("Avro has no {of}: at most 3 digits of a second are kept"))
        }
        TypeKind::Variant | TypeKind::Blob => Some(format!("Avro has no {of}")),
        // Java writes these and cannot read them.
        TypeKind::Multiset(element) if !is_text(element) => {
            Some(format!("Avro has no {of} whose elements are not text"))
        }
        TypeKind::Array(e) | TypeKind::Vector(e, _) | TypeKind::Multiset(e) => lacks(e),
        TypeKind::Map(k, v) => lacks(k).or_else(|| lacks(v)),
        TypeKind::Row(fields) => avro_lacks(fields),
        _ => None,
    }
}

pub(super) const fn is_text(of: &DataType) -> bool {
    matches!(of.kind, TypeKind::Char(_) | TypeKind::VarChar(_))
}

/// The schema of rows with these columns.
pub(super) fn schema_text(fields: &[DataField]) -> String {
    json!({
        "type": "record",
        "name": RECORD,
        "namespace": NAMESPACE,
        "fields": record_fields(fields, RECORD),
    })
    .to_string()
}

fn record_fields(fields: &[DataField], record: &str) -> Vec<Value> {
    let field = |field: &DataField| {
        let of = type_json(&field.data_type, &format!("{record}_{}", field.name));
        if field.data_type.nullable {
            json!({"name": field.name, "type": of, "default": null})
        } else {
            json!({"name": field.name, "type": of})
        }
    };
    fields.iter().map(field).collect()
}

/// The schema of a type; `record` names the record that it may need.
fn type_json(of: &DataType, record: &str) -> Value {
    let logical = |of: &str, name: &str| json!({"type": of, "logicalType": name});
    let plain = match &of.kind {
        TypeKind::Boolean => json!("boolean"),
        TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int => json!("int"),
        TypeKind::BigInt => json!("long"),
        TypeKind::Float => json!("float"),
        TypeKind::Double => json!("double"),
        TypeKind::Char(_) | TypeKind::VarChar(_) => json!("string"),
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob | TypeKind::Variant => {
            json!("bytes")
        }
        TypeKind::Decimal { precision, scale } => json!({
            "type": "bytes",
            "logicalType": "decimal",
            "precision": precision,
            "scale": scale,
        }),
        TypeKind::Date => logical("int", "date"),
        TypeKind::Time(_) => logical("int", "time-millis"),
        TypeKind::Timestamp(0..=3) => logical("long", "timestamp-millis"),
        TypeKind::Timestamp(_) => logical("long", "timestamp-micros"),
        TypeKind::TimestampLtz(0..=3) => logical("long", "local-timestamp-millis"),
        TypeKind::TimestampLtz(_) => logical("long", "local-timestamp-micros"),
        TypeKind::Array(e) | TypeKind::Vector(e, _) => {
            json!({"type": "array", "items": type_json(e, record)})
        }
        TypeKind::Multiset(e) => map_json(e, &DataType::nullable(TypeKind::Int), record),
        TypeKind::Map(k, v) => map_json(k, v, record),
        TypeKind::Row(fields) => json!({
            "type": "record",
            "name": record,
            "fields": record_fields(fields, record),
        }),
    };
    if of.nullable { json!(["null", plain]) } else { plain }
}

/// Avro's maps have texts for keys; others are arrays of records.
fn map_json(key: &DataType, value: &DataType, record: &str) -> Value {
    if is_text(key) {
        return json!({"type": "map", "values": type_json(value, record)});
    }
    let mut entry = vec![
        json!({"name": "key", "type": type_json(key, &format!("{record}_key"))}),
        json!({"name": "value", "type": type_json(value, &format!("{record}_value"))}),
    ];
    if value.nullable
        && let Some(Value::Object(field)) = entry.last_mut()
    {
        field.insert("default".to_owned(), Value::Null);
    }
    json!({
        "type": "array",
        "items": {"type": "record", "name": record, "fields": entry},
        "logicalType": "map",
    })
}

#[cfg(test)]
mod tests {
    use headwater_spec::{DataField, DataType};

    use super::{avro_lacks, schema_text};

    fn field(name: &str, of: &str) -> DataField {
        DataField::new(0, name, DataType::parse(of).unwrap())
    }

    #[test]
    fn schema_is_the_one_that_java_writes() {
        let fields = [
            field("_KEY_k", "BIGINT NOT NULL"),
            field("a", "INT"),
            field("c", "DECIMAL(12, 2)"),
            field("d", "TIMESTAMP(3)"),
        ];
        // Header of a file of golden table `postpone_a`.
        let java = r#"{"type":"record","name":"record","namespace":"org.apache.paimon.avro.generated","fields":[{"name":"_KEY_k","type":"long"},{"name":"a","type":["null","int"],"default":null},{"name":"c","type":["null",{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}],"default":null},{"name":"d","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}]}"#;
        assert_eq!(schema_text(&fields), java);
    }

    #[test]
    fn what_avro_has_no_type_for_is_named() {
        for (name, of, reason) in [
            ("a", "TIMESTAMP(9)", "TIMESTAMP(9)"),
            ("a", "ARRAY<TIMESTAMP(7)>", "TIMESTAMP(7)"),
            ("a", "TIME(6)", "TIME(6)"),
            ("a b", "INT", "letters"),
            ("1a", "INT", "letters"),
            ("a", "MULTISET<INT>", "MULTISET"),
        ] {
            let lacks = avro_lacks(&[field(name, of)]).unwrap();
            assert!(lacks.contains(reason), "{lacks}");
        }
        for of in ["TIMESTAMP(6)", "MAP<INT, ROW<a INT>>", "MULTISET<STRING>", "DECIMAL(38, 18)"] {
            assert_eq!(avro_lacks(&[field("a_1", of)]), None);
        }
    }
}
