//! Fields of nested rows that the options of a column name.

use headwater_spec::{DataField, TypeKind};

use super::target::Target;
use super::{FunctionError, FunctionOptions};

/// The fields of the rows in an array or of the values in a map.
fn fields(field: &DataField) -> &[DataField] {
    let row = match &field.data_type.kind {
        TypeKind::Array(element) => &element.kind,
        TypeKind::Map(_, value) => &value.kind,
        _ => return &[],
    };
    if let TypeKind::Row(fields) = row { fields } else { &[] }
}

fn position(
    target: &Target,
    fields: &[DataField],
    option: &str,
    name: &str,
) -> Result<usize, FunctionError> {
    fields.iter().position(|field| field.name == name).ok_or_else(|| {
        let names = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
        target.option(option, format!("names '{name}', the rows have the fields {names}"))
    })
}

/// Positions of the fields of `nested-key`.
pub(super) fn key_fields(
    target: &Target,
    field: &DataField,
    options: &FunctionOptions,
) -> Result<Vec<usize>, FunctionError> {
    let fields = fields(field);
    options.nested_key.iter().map(|name| position(target, fields, "nested-key", name)).collect()
}

/// Position of the field of `ts-field`, the last one by default; it must be text.
pub(super) fn time_field(
    target: &Target,
    field: &DataField,
    options: &FunctionOptions,
) -> Result<usize, FunctionError> {
    let fields = fields(field);
    let time = match &options.ts_field {
        Some(name) => position(target, fields, "ts-field", name)?,
        None => fields.len().saturating_sub(1),
    };
    match fields.get(time) {
        Some(field)
            if !matches!(field.data_type.kind, TypeKind::Char(_) | TypeKind::VarChar(_)) =>
        {
            let (name, kind) = (&field.name, &field.data_type.kind);
            let reason = format!("must name a field of type STRING, '{name}' has type {kind}");
            Err(target.option("ts-field", reason))
        }
        _ => Ok(time),
    }
}
