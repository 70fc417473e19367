//! Types and fields as schema files store them: text for atomic types, objects for nested ones.
//!
//! Format: `docs/spec/schema.md#types`. Source: Paimon 1.4.2 `DataTypeJsonParser`, `DataField`.

use serde_json::{Map, Value, json};

use super::text::MAX_DEPTH;
use super::{DataField, DataType, TypeKind};
use crate::error::SpecError;

impl DataType {
    /// The type in a schema document.
    ///
    /// # Errors
    /// [`SpecError::Type`] or [`SpecError::Json`] says what is wrong.
    pub fn from_json(value: &Value) -> Result<Self, SpecError> {
        type_from(value, 0)
    }

    /// The type as a schema document stores it, keys in Java's order.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let text = |name: &str| {
            Value::String(if self.nullable { name.to_owned() } else { format!("{name} NOT NULL") })
        };
        match &self.kind {
            TypeKind::Array(e) => json!({"type": text("ARRAY"), "element": e.to_json()}),
            TypeKind::Multiset(e) => json!({"type": text("MULTISET"), "element": e.to_json()}),
            TypeKind::Map(k, v) => {
                json!({"type": text("MAP"), "key": k.to_json(), "value": v.to_json()})
            }
            TypeKind::Vector(e, n) => {
                json!({"type": text("VECTOR"), "element": e.to_json(), "length": n})
            }
            TypeKind::Row(fields) => json!({
                "type": text("ROW"),
                "fields": fields.iter().map(DataField::to_json).collect::<Vec<_>>()
            }),
            _ => Value::String(self.to_string()),
        }
    }
}

impl DataField {
    /// A field of a schema document.
    ///
    /// # Errors
    /// [`SpecError::Json`] names the missing or wrong key.
    pub fn from_json(value: &Value) -> Result<Self, SpecError> {
        field_from(value, 0)
    }

    /// The field as a schema document stores it; absent parts are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), self.id.into());
        out.insert("name".into(), self.name.clone().into());
        out.insert("type".into(), self.data_type.to_json());
        if let Some(text) = &self.description {
            out.insert("description".into(), text.clone().into());
        }
        if let Some(text) = &self.default_value {
            out.insert("defaultValue".into(), text.clone().into());
        }
        Value::Object(out)
    }
}

fn wrong(reason: impl Into<String>) -> SpecError {
    SpecError::Json { what: "schema", reason: reason.into() }
}

fn type_from(value: &Value, depth: usize) -> Result<DataType, SpecError> {
    if depth > MAX_DEPTH {
        return Err(wrong(format!("types nest deeper than {MAX_DEPTH}")));
    }
    let object = match value {
        Value::String(text) => return DataType::parse(text),
        Value::Object(object) => object,
        _ => return Err(wrong("a type is neither a text nor an object")),
    };
    let name = object
        .get("type")
        .and_then(Value::as_str)
        .ok_or_else(|| wrong("a type object has no \"type\""))?;
    let part = |key: &str| {
        let inner = object.get(key).ok_or_else(|| wrong(format!("{name} has no \"{key}\"")))?;
        type_from(inner, depth + 1).map(Box::new)
    };
    let kind = if name.starts_with("ARRAY") {
        TypeKind::Array(part("element")?)
    } else if name.starts_with("MULTISET") {
        TypeKind::Multiset(part("element")?)
    } else if name.starts_with("MAP") {
        TypeKind::Map(part("key")?, part("value")?)
    } else if name.starts_with("VECTOR") {
        let length = object
            .get("length")
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| wrong("VECTOR has no \"length\""))?;
        TypeKind::Vector(part("element")?, length)
    } else if name.starts_with("ROW") {
        let fields = object
            .get("fields")
            .and_then(Value::as_array)
            .ok_or_else(|| wrong("ROW has no \"fields\""))?;
        TypeKind::Row(fields.iter().map(|f| field_from(f, depth + 1)).collect::<Result<_, _>>()?)
    } else {
        return Err(wrong(format!("there is no nested type {name:?}")));
    };
    Ok(DataType { kind, nullable: !name.contains("NOT NULL") })
}

fn field_from(value: &Value, depth: usize) -> Result<DataField, SpecError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").ok_or_else(|| wrong("a field has no \"name\""))?;
    let id = value
        .get("id")
        .and_then(Value::as_i64)
        .and_then(|n| i32::try_from(n).ok())
        .ok_or_else(|| wrong(format!("field {name:?} has no \"id\"")))?;
    let data_type =
        value.get("type").ok_or_else(|| wrong(format!("field {name:?} has no \"type\"")))?;
    Ok(DataField {
        id,
        data_type: type_from(data_type, depth)?,
        description: text("description"),
        default_value: text("defaultValue"),
        name,
    })
}
