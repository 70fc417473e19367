//! Which leaf columns of a file are read for the wanted fields, and as which Arrow types.
//!
//! Columns and nested fields are found by name. Format: `docs/spec/datafile.md#resolution`.
//! Source: Paimon 1.4.2 `ParquetReaderFactory#clipParquetSchema`.

use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, FieldRef, Fields, Schema, TimeUnit};
use headwater_spec::types::arrow_type;
use headwater_spec::{DataField, DataType, TypeKind};
use parquet::basic::Type as Physical;
use parquet::schema::types::SchemaDescriptor;

use crate::error::{FormatError, Result};

/// What to read.
#[derive(Debug, Default)]
pub(super) struct Projection {
    /// Positions of leaf columns, ascending.
    pub(super) leaves: Vec<usize>,
    /// INT96 leaves that are read in nanoseconds, with the column's name: they may overflow.
    pub(super) narrow: Vec<(usize, String)>,
    /// INT96 leaves that are read in a coarser unit.
    units: Vec<(usize, TimeUnit)>,
}

/// Plans the reading of `fields` from a file with this schema.
///
/// Each leaf of `schema` is one of the leaves of `columns`, in the same order.
pub(super) fn project(
    path: &str,
    schema: &Schema,
    columns: &SchemaDescriptor,
    fields: &[DataField],
) -> Result<Projection> {
    let mut planner = Planner { path, columns, found: Projection::default() };
    planner.row(schema.fields(), 0, fields, "")?;
    let mut found = planner.found;
    found.leaves.sort_unstable();
    found.leaves.dedup();
    Ok(found)
}

impl Projection {
    /// The schema with the Arrow types to read; `None` if they are the default ones.
    pub(super) fn schema(&self, schema: &Schema) -> Option<Schema> {
        if self.units.is_empty() {
            return None;
        }
        let fields = with_units(schema.fields(), &self.units, &mut 0);
        Some(Schema::new(fields))
    }
}

struct Planner<'a> {
    path: &'a str,
    columns: &'a SchemaDescriptor,
    found: Projection,
}

impl Planner<'_> {
    /// Plans fields of a row whose first leaf is `base`; whether one of them is in the file.
    fn row(
        &mut self,
        file: &Fields,
        base: usize,
        wanted: &[DataField],
        prefix: &str,
    ) -> Result<bool> {
        let mut any = false;
        for field in wanted {
            let mut leaf = base;
            for there in file {
                if *there.name() == field.name {
                    let name = format!("{prefix}{}", field.name);
                    self.node(there.data_type(), leaf, &field.data_type, &name)?;
                    any = true;
                    break;
                }
                leaf += leaf_count(there.data_type());
            }
        }
        Ok(any)
    }

    fn node(&mut self, file: &Arrow, leaf: usize, wanted: &DataType, name: &str) -> Result<()> {
        match (file, &wanted.kind) {
            (Arrow::Struct(there), TypeKind::Row(fields)) => {
                if !self.row(there, leaf, fields, &format!("{name}."))? {
                    // Some leaf must tell which rows are null.
                    self.found.leaves.push(leaf);
                }
                Ok(())
            }
            (Arrow::Struct(there), TypeKind::Variant) => self.variant(there, leaf, name),
            (Arrow::List(element), TypeKind::Array(kind)) => {
                self.node(element.data_type(), leaf, kind, &format!("{name}.element"))
            }
            (Arrow::Map(entries, _), TypeKind::Map(..) | TypeKind::Multiset(_)) => {
                let Arrow::Struct(there) = entries.data_type() else {
                    return Err(self.mismatch(file, wanted, name));
                };
                let count = DataType::not_null(TypeKind::Int);
                let (key, value) = match &wanted.kind {
                    TypeKind::Map(key, value) => (key.as_ref(), value.as_ref()),
                    TypeKind::Multiset(element) => (element.as_ref(), &count),
                    _ => return Err(self.mismatch(file, wanted, name)),
                };
                let [k, v] = there.as_ref() else {
                    return Err(self.mismatch(file, wanted, name));
                };
                self.node(k.data_type(), leaf, key, &format!("{name}.key"))?;
                let next = leaf + leaf_count(k.data_type());
                self.node(v.data_type(), next, value, &format!("{name}.value"))
            }
            (file, kind) if readable(file, kind) => {
                self.found.leaves.push(leaf);
                let int96 = self
                    .columns
                    .columns()
                    .get(leaf)
                    .is_some_and(|c| c.physical_type() == Physical::INT96);
                if int96 && let Arrow::Timestamp(unit, _) = arrow_type(kind) {
                    match unit {
                        TimeUnit::Nanosecond => self.found.narrow.push((leaf, name.to_owned())),
                        unit => self.found.units.push((leaf, unit)),
                    }
                }
                Ok(())
            }
            _ => Err(self.mismatch(file, wanted, name)),
        }
    }

    fn variant(&mut self, there: &Fields, leaf: usize, name: &str) -> Result<()> {
        if there.iter().any(|f| f.name() == "typed_value") {
            let path = self.path;
            let what = format!(
                "column '{name}' of data file {path}: shredded variants are not read by this version"
            );
            return Err(FormatError::Unsupported { what });
        }
        let bytes = DataType::not_null(TypeKind::BYTES);
        let fields =
            [DataField::new(0, "value", bytes.clone()), DataField::new(1, "metadata", bytes)];
        self.row(there, leaf, &fields, &format!("{name}.")).map(|_| ())
    }

    fn mismatch(&self, file: &Arrow, wanted: &DataType, name: &str) -> FormatError {
        FormatError::column(self.path, name, format!("the file has {file}, the schema {wanted}"))
    }
}

/// Whether values of a file's leaf can become values of the wanted type.
fn readable(file: &Arrow, wanted: &TypeKind) -> bool {
    match wanted {
        _ if *file == Arrow::Null => !wanted.is_nested(),
        TypeKind::Boolean => *file == Arrow::Boolean,
        TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt => {
            file.is_integer()
        }
        TypeKind::Float => *file == Arrow::Float32,
        TypeKind::Double => matches!(file, Arrow::Float32 | Arrow::Float64),
        TypeKind::Decimal { .. } => file.is_decimal(),
        TypeKind::Char(_) | TypeKind::VarChar(_) => matches!(file, Arrow::Utf8 | Arrow::Binary),
        TypeKind::Binary(_) | TypeKind::VarBinary(_) | TypeKind::Blob => {
            matches!(file, Arrow::Utf8 | Arrow::Binary | Arrow::FixedSizeBinary(_))
        }
        TypeKind::Date => matches!(file, Arrow::Date32 | Arrow::Int32),
        TypeKind::Time(_) => matches!(file, Arrow::Time32(_) | Arrow::Time64(_) | Arrow::Int32),
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            matches!(file, Arrow::Timestamp(..) | Arrow::Int64)
        }
        _ => false,
    }
}

fn leaf_count(t: &Arrow) -> usize {
    match t {
        Arrow::Struct(fields) => fields.iter().map(|f| leaf_count(f.data_type())).sum(),
        Arrow::List(inner) | Arrow::Map(inner, _) => leaf_count(inner.data_type()),
        _ => 1,
    }
}

fn with_units(fields: &Fields, units: &[(usize, TimeUnit)], leaf: &mut usize) -> Fields {
    fields.iter().map(|f| with_unit(f, units, leaf)).collect()
}

fn with_unit(field: &FieldRef, units: &[(usize, TimeUnit)], leaf: &mut usize) -> FieldRef {
    let changed = |t: Arrow| Arc::new(Field::clone(field).with_data_type(t));
    match field.data_type() {
        Arrow::Struct(inner) => changed(Arrow::Struct(with_units(inner, units, leaf))),
        Arrow::List(inner) => changed(Arrow::List(with_unit(inner, units, leaf))),
        Arrow::Map(inner, sorted) => {
            let sorted = *sorted;
            changed(Arrow::Map(with_unit(inner, units, leaf), sorted))
        }
        _ => {
            let at = *leaf;
            *leaf += 1;
            match units.iter().find(|(l, _)| *l == at) {
                Some((_, unit)) => changed(Arrow::Timestamp(*unit, None)),
                None => Arc::clone(field),
            }
        }
    }
}
