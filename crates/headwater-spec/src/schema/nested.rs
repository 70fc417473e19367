//! Finds a field by its path: `a`, `row.field`, `array.element.field`, `map.value.field`.
//!
//! Source: Paimon 1.4.2 `SchemaManager.NestedColumnModifier`.

use super::validate::definition;
use crate::error::SpecError;
use crate::types::{DataField, DataType, TypeKind};

/// What stands for the elements of an array in a path.
pub(super) const ELEMENT: &str = "element";
/// What stands for the values of a map in a path.
pub(super) const VALUE: &str = "value";

fn missing(path: &[String]) -> SpecError {
    definition(format!("there is no column '{}'", path.join(".")))
}

/// The fields among which the last part of `path` is, or would be.
pub(super) fn siblings<'a>(
    fields: &'a mut Vec<DataField>,
    path: &[String],
) -> Result<&'a mut Vec<DataField>, SpecError> {
    fn inside<'a>(
        data_type: &'a mut DataType,
        path: &[String],
        depth: usize,
    ) -> Result<&'a mut Vec<DataField>, SpecError> {
        let next = path.get(depth).map(String::as_str);
        match &mut data_type.kind {
            TypeKind::Row(fields) => among(fields, path, depth),
            TypeKind::Array(element) if next == Some(ELEMENT) => inside(element, path, depth + 1),
            TypeKind::Map(_, value) if next == Some(VALUE) => inside(value, path, depth + 1),
            _ => Err(missing(path)),
        }
    }
    fn among<'a>(
        fields: &'a mut Vec<DataField>,
        path: &[String],
        depth: usize,
    ) -> Result<&'a mut Vec<DataField>, SpecError> {
        if depth + 1 >= path.len() {
            return Ok(fields);
        }
        let field = path.get(depth).and_then(|name| fields.iter_mut().find(|f| f.name == *name));
        inside(&mut field.ok_or_else(|| missing(path))?.data_type, path, depth + 1)
    }
    among(fields, path, 0)
}

/// The field at `path`.
pub(super) fn field<'a>(
    fields: &'a mut Vec<DataField>,
    path: &[String],
) -> Result<&'a mut DataField, SpecError> {
    let last = path.last().ok_or_else(|| missing(path))?;
    let found = siblings(fields, path)?.iter_mut().find(|f| f.name == *last);
    found.ok_or_else(|| missing(path))
}

/// The type at `path`, which may also end in an array's element or a map's value.
pub(super) fn data_type<'a>(
    fields: &'a mut [DataField],
    path: &[String],
) -> Result<&'a mut DataType, SpecError> {
    let (first, rest) = path.split_first().ok_or_else(|| missing(path))?;
    let field = fields.iter_mut().find(|f| f.name == *first).ok_or_else(|| missing(path))?;
    let mut current = &mut field.data_type;
    for part in rest {
        current = match &mut current.kind {
            TypeKind::Row(fields) => {
                let field = fields.iter_mut().find(|f| f.name == *part);
                &mut field.ok_or_else(|| missing(path))?.data_type
            }
            TypeKind::Array(element) | TypeKind::Multiset(element) if part == ELEMENT => element,
            TypeKind::Map(_, value) if part == VALUE => value,
            _ => return Err(missing(path)),
        };
    }
    Ok(current)
}
