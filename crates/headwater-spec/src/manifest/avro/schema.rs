//! The schema that a file was written with, and how to skip a value of it.
//!
//! Names and namespaces only matter for references inside one schema. A recursive type is refused:
//! no manifest has one.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::cursor::Cursor;
use crate::error::SpecError;

/// Deepest nesting of types.
const MAX_DEPTH: usize = 32;
/// Most types in a schema, counted as often as they are referred to.
const MAX_TYPES: usize = 2000;

/// A type of the writer's schema.
#[derive(Debug)]
pub struct Type {
    /// What it is.
    pub shape: Shape,
    depth: usize,
    types: usize,
}

/// What a value of a type looks like in bytes.
#[derive(Debug)]
pub enum Shape {
    /// `null`: no bytes.
    Null,
    /// `boolean`: a byte.
    Boolean,
    /// `int`.
    Int,
    /// `long`.
    Long,
    /// `float`: 4 bytes.
    Float,
    /// `double`: 8 bytes.
    Double,
    /// `bytes`.
    Bytes,
    /// `string`.
    String,
    /// `fixed`, with its length.
    Fixed(usize),
    /// `enum`: the number of a symbol.
    Enum,
    /// `array` of items.
    Array(Arc<Type>),
    /// `map` from texts to values.
    Map(Arc<Type>),
    /// `union` of branches.
    Union(Vec<Arc<Type>>),
    /// `record` of fields, in order.
    Record(Vec<Field>),
}

/// A field of a record.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: Arc<Type>,
}

impl Type {
    /// Parses the text of a schema; `what` names the file in errors.
    ///
    /// # Errors
    /// It is no schema, or a recursive one.
    pub fn parse(text: &[u8], what: &'static str) -> Result<Arc<Self>, SpecError> {
        let json: Value = serde_json::from_slice(text)
            .map_err(|e| SpecError::corrupt(what, format!("its Avro schema is not JSON: {e}")))?;
        Parser { what, names: HashMap::new() }.parse(&json, "", 0)
    }

    /// What Avro calls such a type.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.shape {
            Shape::Null => "null",
            Shape::Boolean => "boolean",
            Shape::Int => "int",
            Shape::Long => "long",
            Shape::Float => "float",
            Shape::Double => "double",
            Shape::Bytes => "bytes",
            Shape::String => "string",
            Shape::Fixed(_) => "fixed",
            Shape::Enum => "enum",
            Shape::Array(_) => "array",
            Shape::Map(_) => "map",
            Shape::Union(_) => "union",
            Shape::Record(_) => "record",
        }
    }

    /// Whether values take no bytes: a count of them costs a writer nothing.
    #[must_use]
    pub fn is_zero_width(&self) -> bool {
        match &self.shape {
            Shape::Null | Shape::Fixed(0) => true,
            Shape::Record(fields) => fields.iter().all(|field| field.of.is_zero_width()),
            _ => false,
        }
    }

    /// Moves past a value.
    ///
    /// # Errors
    /// The bytes are cut or damaged.
    pub fn skip(&self, cursor: &mut Cursor<'_>) -> Result<(), SpecError> {
        match &self.shape {
            Shape::Null => {}
            Shape::Boolean => {
                cursor.take(1)?;
            }
            Shape::Int | Shape::Long | Shape::Enum => {
                cursor.long()?;
            }
            Shape::Float => {
                cursor.take(4)?;
            }
            Shape::Double => {
                cursor.take(8)?;
            }
            Shape::Bytes | Shape::String => {
                cursor.bytes()?;
            }
            Shape::Fixed(length) => {
                cursor.take(*length)?;
            }
            Shape::Array(item) => skip_items(None, item, cursor)?,
            Shape::Map(value) => skip_items(Some(&Shape::String), value, cursor)?,
            Shape::Union(branches) => {
                let branch = cursor.long()?;
                let branch = usize::try_from(branch).ok().and_then(|i| branches.get(i));
                let branch = branch.ok_or_else(|| cursor.corrupt("no such branch of a union"))?;
                branch.skip(cursor)?;
            }
            Shape::Record(fields) => {
                for field in fields {
                    field.of.skip(cursor)?;
                }
            }
        }
        Ok(())
    }
}

fn skip_items(key: Option<&Shape>, item: &Type, cursor: &mut Cursor<'_>) -> Result<(), SpecError> {
    let zero_width = key.is_none() && item.is_zero_width();
    while let Some(block) = cursor.item_block()? {
        if let Some(bytes) = block.bytes {
            cursor.take(bytes)?;
        } else if !zero_width {
            // Each item takes a byte at least, so the input's end bounds the loop.
            for _ in 0..block.count {
                if key.is_some() {
                    cursor.bytes()?;
                }
                item.skip(cursor)?;
            }
        }
    }
    Ok(())
}

struct Parser {
    what: &'static str,
    names: HashMap<String, Arc<Type>>,
}

impl Parser {
    fn parse(
        &mut self,
        json: &Value,
        namespace: &str,
        depth: usize,
    ) -> Result<Arc<Type>, SpecError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("nested too deeply"));
        }
        match json {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let branches = branches.iter().map(|b| self.parse(b, namespace, depth + 1));
                let branches = branches.collect::<Result<Vec<_>, _>>()?;
                self.build(Shape::Union(branches))
            }
            Value::Object(_) => self.complex(json, namespace, depth),
            _ => Err(self.wrong("a type that is no text, list or object")),
        }
    }

    fn complex(
        &mut self,
        json: &Value,
        namespace: &str,
        depth: usize,
    ) -> Result<Arc<Type>, SpecError> {
        let kind = json.get("type").ok_or_else(|| self.wrong("an object without \"type\""))?;
        let Some(kind) = kind.as_str() else {
            return self.parse(kind, namespace, depth + 1);
        };
        match kind {
            "array" => {
                let item = self.child(json, "items", namespace, depth)?;
                self.build(Shape::Array(item))
            }
            "map" => {
                let value = self.child(json, "values", namespace, depth)?;
                self.build(Shape::Map(value))
            }
            "record" | "error" | "enum" | "fixed" => {
                let name = self.full_name(json, namespace)?;
                let shape = match kind {
                    "enum" => Shape::Enum,
                    "fixed" => Shape::Fixed(self.fixed_size(json)?),
                    _ => self.record(json, &name, depth)?,
                };
                let built = self.build(shape)?;
                if self.names.insert(name, Arc::clone(&built)).is_some() {
                    return Err(self.wrong("two types of one name"));
                }
                Ok(built)
            }
            name => self.named(name, namespace),
        }
    }

    fn child(
        &mut self,
        json: &Value,
        key: &str,
        namespace: &str,
        depth: usize,
    ) -> Result<Arc<Type>, SpecError> {
        let child = json.get(key).ok_or_else(|| self.wrong("a list without a type of items"))?;
        self.parse(child, namespace, depth + 1)
    }

    fn record(&mut self, json: &Value, name: &str, depth: usize) -> Result<Shape, SpecError> {
        let namespace = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let fields = json.get("fields").and_then(Value::as_array);
        let fields = fields.ok_or_else(|| self.wrong("a record without fields"))?;
        let mut parsed: Vec<Field> = Vec::new();
        for field in fields {
            let name = field.get("name").and_then(Value::as_str);
            let name = name.ok_or_else(|| self.wrong("a field without a name"))?;
            let of = self.child(field, "type", namespace, depth)?;
            parsed.push(Field { name: name.to_owned(), of });
        }
        Ok(Shape::Record(parsed))
    }

    fn fixed_size(&self, json: &Value) -> Result<usize, SpecError> {
        let size = json.get("size").and_then(Value::as_u64);
        let size = size.and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| self.wrong("a fixed type without a size"))
    }

    fn full_name(&self, json: &Value, enclosing: &str) -> Result<String, SpecError> {
        let name = json.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| self.wrong("a named type without a name"))?;
        let namespace = json.get("namespace").and_then(Value::as_str).unwrap_or(enclosing);
        Ok(qualified(name, namespace))
    }

    fn named(&self, name: &str, namespace: &str) -> Result<Arc<Type>, SpecError> {
        let shape = match name {
            "null" => Shape::Null,
            "boolean" => Shape::Boolean,
            "int" => Shape::Int,
            "long" => Shape::Long,
            "float" => Shape::Float,
            "double" => Shape::Double,
            "bytes" => Shape::Bytes,
            "string" => Shape::String,
            _ => {
                let found = self.names.get(&qualified(name, namespace));
                let found = found.or_else(|| self.names.get(name));
                return found
                    .map(Arc::clone)
                    .ok_or_else(|| self.wrong(&format!("unknown or recursive type {name:?}")));
            }
        };
        self.build(shape)
    }

    fn build(&self, shape: Shape) -> Result<Arc<Type>, SpecError> {
        let children: Vec<&Type> = match &shape {
            Shape::Array(item) | Shape::Map(item) => vec![item],
            Shape::Union(branches) => branches.iter().map(AsRef::as_ref).collect(),
            Shape::Record(fields) => fields.iter().map(|field| field.of.as_ref()).collect(),
            _ => Vec::new(),
        };
        let depth = children.iter().map(|child| child.depth).max().unwrap_or(0) + 1;
        let types = children.iter().fold(1_usize, |sum, child| sum.saturating_add(child.types));
        if depth > MAX_DEPTH {
            return Err(self.wrong("nested too deeply"));
        }
        if types > MAX_TYPES {
            return Err(self.wrong("too many types"));
        }
        Ok(Arc::new(Type { shape, depth, types }))
    }

    fn wrong(&self, reason: &str) -> SpecError {
        SpecError::corrupt(self.what, format!("its Avro schema has an error: {reason}"))
    }
}

fn qualified(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::cursor::{put_bytes, put_long};
    use super::*;

    fn parse(text: &str) -> Result<Arc<Type>, SpecError> {
        Type::parse(text.as_bytes(), "test")
    }

    #[test]
    fn a_type_is_found_by_its_name_in_the_namespace() {
        let schema = parse(
            r#"{"type":"record","name":"a","namespace":"x.y","fields":[
                {"name":"f","type":{"type":"fixed","name":"b","size":3}},
                {"name":"g","type":"b"},{"name":"h","type":["null","x.y.b"]}]}"#,
        );
        let bytes = [0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
        let mut cursor = Cursor::new("test", &bytes);
        schema.unwrap().skip(&mut cursor).unwrap();
        assert_eq!(cursor.remaining(), 0);
    }

    #[test]
    fn a_recursive_type_is_refused() {
        let text = r#"{"type":"record","name":"a","fields":[{"name":"f","type":["null","a"]}]}"#;
        assert!(parse(text).unwrap_err().to_string().contains("recursive"));
    }

    #[test]
    fn deep_nesting_is_refused_whether_written_out_or_by_reference() {
        let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(40), "}".repeat(40));
        assert!(parse(&deep).unwrap_err().to_string().contains("deeply"));
        let mut fields =
            vec![r#"{"name":"f","type":{"type":"record","name":"r0","fields":[]}}"#.to_owned()];
        for i in 1..40 {
            let inner = format!(r#"{{"name":"f","type":"r{}"}}"#, i - 1);
            fields.push(format!(
                r#"{{"name":"f","type":{{"type":"record","name":"r{i}","fields":[{inner}]}}}}"#
            ));
        }
        let text = format!(r#"{{"type":"record","name":"top","fields":[{}]}}"#, fields.join(","));
        assert!(parse(&text).unwrap_err().to_string().contains("deeply"));
    }

    #[test]
    fn references_that_double_the_types_again_and_again_are_refused() {
        let mut fields =
            vec![r#"{"name":"f","type":{"type":"record","name":"r0","fields":[]}}"#.to_owned()];
        for i in 1..20 {
            let before = i - 1;
            fields.push(format!(
                r#"{{"name":"f","type":{{"type":"record","name":"r{i}","fields":[
                    {{"name":"a","type":"r{before}"}},{{"name":"b","type":"r{before}"}}]}}}}"#
            ));
        }
        let text = format!(r#"{{"type":"record","name":"top","fields":[{}]}}"#, fields.join(","));
        assert!(parse(&text).unwrap_err().to_string().contains("too many"));
    }

    #[test]
    fn every_shape_is_skipped_to_its_end() {
        let schema = parse(
            r#"{"type":"record","name":"r","fields":[
                {"name":"a","type":"boolean"},{"name":"b","type":"float"},
                {"name":"c","type":"double"},{"name":"d","type":"string"},
                {"name":"e","type":{"type":"map","values":"long"}},
                {"name":"f","type":{"type":"array","items":"null"}},
                {"name":"g","type":{"type":"array","items":"int"}},
                {"name":"h","type":{"type":"enum","name":"x","symbols":["A"]}}]}"#,
        )
        .unwrap();
        let mut bytes = vec![1];
        bytes.extend([0; 12]);
        put_bytes(&mut bytes, b"text");
        put_long(&mut bytes, 1);
        put_bytes(&mut bytes, b"key");
        put_long(&mut bytes, 1 << 40);
        put_long(&mut bytes, 0);
        put_long(&mut bytes, i64::MAX);
        put_long(&mut bytes, 0);
        put_long(&mut bytes, -2);
        put_long(&mut bytes, 2);
        bytes.extend([4, 6]);
        put_long(&mut bytes, 0);
        put_long(&mut bytes, 0);
        let mut cursor = Cursor::new("test", &bytes);
        schema.skip(&mut cursor).unwrap();
        assert_eq!(cursor.remaining(), 0);
    }

    #[test]
    fn a_schema_that_is_no_json_is_corrupt() {
        assert!(matches!(parse("{"), Err(SpecError::Corrupt { .. })));
        assert!(matches!(parse("3"), Err(SpecError::Corrupt { .. })));
    }
}
