//! Reads files that were written under another schema of their table.
//!
//! Columns and fields of nested rows are matched by field id; a column that the file's schema
//! lacks is null (defaults apply on write, never on read); changed types are cast. Rules:
//! `docs/spec/schema.md#reading`. Source: Paimon 1.4.2 `SchemaEvolutionUtil`, `CastExecutors`.

mod cast;
mod decimal;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, RecordBatchOptions, StructArray,
    new_null_array,
};
use arrow::datatypes::{DataType as Arrow, SchemaRef};
use headwater_spec::predicate::Predicate;
use headwater_spec::types::{arrow_schema, arrow_type};
use headwater_spec::{DataField, DataType, Datum, RowType, TypeKind};

use crate::error::{FormatError, Result};
use cast::Cast;

/// How the columns of a table are read from a file that was written under another schema.
#[derive(Debug, Clone)]
pub struct Mapping {
    wanted: Vec<DataField>,
    schema: SchemaRef,
    /// Columns to read, those of the file's schema with nested rows cut to what is wanted.
    file: Vec<DataField>,
    /// For each wanted column, how it comes from the columns read.
    columns: Vec<Option<(usize, Change)>>,
}

/// How a value changes between two types.
#[derive(Debug, Clone)]
enum Change {
    /// Not at all.
    None,
    /// By a conversion of the value.
    Cast(Cast),
    /// The fields of a row: the one to take and its change, or null.
    Row(Vec<Option<(usize, Change)>>),
    /// The elements of an array.
    Element(Box<Change>),
    /// Keys and values of a map.
    Map(Box<Change>, Box<Change>),
}

/// Maps `wanted` columns to those of the file's schema, by field id.
///
/// # Errors
/// `Unsupported`, naming the column, for a change of type that this version cannot read.
pub fn file_fields(file_schema: &[DataField], wanted: &[DataField]) -> Result<Mapping> {
    let (file, columns) = map_fields(file_schema, wanted, "")?;
    let schema = arrow_schema(&RowType::new(wanted.to_vec()));
    Ok(Mapping { wanted: wanted.to_vec(), schema, file, columns })
}

type Mapped = (Vec<DataField>, Vec<Option<(usize, Change)>>);

fn map_fields(file: &[DataField], wanted: &[DataField], prefix: &str) -> Result<Mapped> {
    let mut read: Vec<DataField> = Vec::new();
    let mut columns = Vec::with_capacity(wanted.len());
    for field in wanted {
        let Some(there) = file.iter().find(|f| f.id == field.id) else {
            columns.push(None);
            continue;
        };
        let name = format!("{prefix}{}", field.name);
        let (data_type, change) = map_type(&there.data_type, &field.data_type, &name)?;
        columns.push(Some((read.len(), change)));
        read.push(DataField { data_type, ..there.clone() });
    }
    Ok((read, columns))
}

/// The type to read from the file, and how its values become those of the wanted type.
fn map_type(file: &DataType, wanted: &DataType, name: &str) -> Result<(DataType, Change)> {
    let with = |kind: TypeKind| DataType { kind, nullable: file.nullable };
    Ok(match (&file.kind, &wanted.kind) {
        (a, b) if a == b => (file.clone(), Change::None),
        (TypeKind::Row(there), TypeKind::Row(fields)) => {
            let (read, columns) = map_fields(there, fields, &format!("{name}."))?;
            // A row of nothing still says which rows are null.
            let in_place = columns.len() == read.len()
                && columns.iter().all(|c| matches!(c, Some((_, Change::None))))
                && read.iter().zip(fields).all(|(a, b)| a.name == b.name);
            let kind = TypeKind::Row(read);
            let same = in_place && arrow_type(&kind) == arrow_type(&wanted.kind);
            (with(kind), if same { Change::None } else { Change::Row(columns) })
        }
        (TypeKind::Array(a), TypeKind::Array(b)) => {
            let (element, change) = map_type(a, b, &format!("{name}.element"))?;
            (with(TypeKind::Array(Box::new(element))), Change::Element(Box::new(change)))
        }
        (TypeKind::Multiset(a), TypeKind::Multiset(b)) => {
            let (element, change) = map_type(a, b, &format!("{name}.element"))?;
            let change = Change::Map(Box::new(change), Box::new(Change::None));
            (with(TypeKind::Multiset(Box::new(element))), change)
        }
        (TypeKind::Map(k, v), TypeKind::Map(wanted_k, wanted_v)) => {
            let (key, key_change) = map_type(k, wanted_k, &format!("{name}.key"))?;
            let (value, value_change) = map_type(v, wanted_v, &format!("{name}.value"))?;
            let change = Change::Map(Box::new(key_change), Box::new(value_change));
            (with(TypeKind::Map(Box::new(key), Box::new(value))), change)
        }
        (a, b) => {
            let cast = Cast::between(a, b).ok_or_else(|| FormatError::Unsupported {
                what: format!(
                    "column '{name}' was written as {file} and is {wanted} now: \
                     this change of type is not read by this version"
                ),
            })?;
            (file.clone(), Change::Cast(cast))
        }
    })
}

impl Mapping {
    /// The columns to read from the file, with the file's names and types.
    #[must_use]
    pub fn fields(&self) -> &[DataField] {
        &self.file
    }

    /// Whether a batch of the file's columns already is one of the wanted columns.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let in_place = |(i, c): (usize, &Option<(usize, Change)>)| matches!(c, Some((at, Change::None)) if *at == i);
        self.file.len() == self.wanted.len()
            && self.columns.iter().enumerate().all(in_place)
            && self
                .file
                .iter()
                .zip(&self.wanted)
                .all(|(a, b)| a.name == b.name && a.data_type.nullable == b.data_type.nullable)
    }

    /// The conjuncts of `predicate` (columns count in the wanted fields) that can be tested in the
    /// file; columns count in [`Mapping::fields`] afterwards.
    ///
    /// A conjunct survives when its columns have the same type in the file, or a smaller integer
    /// type that holds all its literals. Source: Paimon 1.4.2 `SchemaEvolutionUtil#devolveFilters`.
    #[must_use]
    pub fn predicate(&self, predicate: &Predicate) -> Option<Predicate> {
        let parts: Vec<_> =
            predicate.conjuncts().into_iter().filter_map(|c| self.devolve(c)).collect();
        if parts.is_empty() { None } else { Some(Predicate::And(parts)) }
    }

    fn devolve(&self, predicate: &Predicate) -> Option<Predicate> {
        let all = |parts: &[Predicate]| -> Option<Vec<Predicate>> {
            parts.iter().map(|p| self.devolve(p)).collect()
        };
        Some(match predicate {
            Predicate::And(parts) => Predicate::And(all(parts)?),
            Predicate::Or(parts) => Predicate::Or(all(parts)?),
            Predicate::Leaf { column, op, literals } => {
                let (at, _) = self.columns.get(*column)?.as_ref()?;
                let there = &self.file.get(*at)?.data_type.kind;
                let wanted = &self.wanted.get(*column)?.data_type.kind;
                let literals = if there == wanted {
                    literals.clone()
                } else {
                    let narrowed = literals.iter().map(|l| narrow(l, there));
                    narrowed.collect::<Option<Vec<_>>>().filter(|_| integers(there, wanted))?
                };
                Predicate::Leaf { column: *at, op: *op, literals }
            }
        })
    }

    /// Turns a batch of [`Mapping::fields`] into one of the wanted fields.
    ///
    /// # Errors
    /// A value does not fit the new type, or is null where the type allows none.
    pub fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let columns = self.wanted.iter().zip(&self.columns).map(|(field, source)| {
            let name = &field.name;
            let column = match source {
                Some((at, change)) => {
                    let column = batch.columns().get(*at).ok_or_else(|| FormatError::Batch {
                        reason: format!("column '{name}' is missing"),
                    })?;
                    change.apply(column, &field.data_type, name)?
                }
                None => new_null_array(&arrow_type(&field.data_type.kind), rows),
            };
            if !field.data_type.nullable && column.null_count() > 0 {
                let reason = "null in a NOT NULL column".to_owned();
                return Err(FormatError::Value { column: name.clone(), reason });
            }
            Ok(column)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|e| FormatError::Batch { reason: e.to_string() })
    }
}

const fn integer_bits(kind: &TypeKind) -> Option<u32> {
    match kind {
        TypeKind::TinyInt => Some(8),
        TypeKind::SmallInt => Some(16),
        TypeKind::Int => Some(32),
        TypeKind::BigInt => Some(64),
        _ => None,
    }
}

/// Whether both are integers, the first not the larger one.
fn integers(there: &TypeKind, wanted: &TypeKind) -> bool {
    integer_bits(there).zip(integer_bits(wanted)).is_some_and(|(a, b)| a <= b)
}

fn narrow(literal: &Datum, kind: &TypeKind) -> Option<Datum> {
    let value = match literal {
        Datum::TinyInt(v) => i64::from(*v),
        Datum::SmallInt(v) => i64::from(*v),
        Datum::Int(v) => i64::from(*v),
        Datum::BigInt(v) => *v,
        _ => return None,
    };
    Some(match kind {
        TypeKind::TinyInt => Datum::TinyInt(value.try_into().ok()?),
        TypeKind::SmallInt => Datum::SmallInt(value.try_into().ok()?),
        TypeKind::Int => Datum::Int(value.try_into().ok()?),
        TypeKind::BigInt => Datum::BigInt(value),
        _ => return None,
    })
}

impl Change {
    /// `array` as the Arrow type of `wanted`.
    fn apply(&self, array: &ArrayRef, wanted: &DataType, name: &str) -> Result<ArrayRef> {
        let target = arrow_type(&wanted.kind);
        let misfit = |reason: String| FormatError::Value { column: name.to_owned(), reason };
        match (self, &wanted.kind) {
            (Self::None, _) => Ok(Arc::clone(array)),
            (Self::Cast(cast), _) => cast.apply(array).map_err(misfit),
            (Self::Row(columns), TypeKind::Row(fields)) => {
                let rows = array.as_struct_opt().ok_or_else(|| misfit("it is no row".into()))?;
                let parts = fields.iter().zip(columns).map(|(field, source)| {
                    let part = source
                        .as_ref()
                        .and_then(|(at, change)| Some((rows.columns().get(*at)?, change)));
                    match part {
                        Some((part, change)) => {
                            let name = format!("{name}.{}", field.name);
                            change.apply(part, &field.data_type, &name)
                        }
                        None => Ok(new_null_array(&arrow_type(&field.data_type.kind), rows.len())),
                    }
                });
                let parts = parts.collect::<Result<Vec<_>>>()?;
                let Arrow::Struct(fields) = target else { return Err(misfit("no row".into())) };
                let nulls = rows.nulls().cloned();
                StructArray::try_new_with_length(fields, parts, nulls, rows.len())
                    .map(|a| Arc::new(a) as ArrayRef)
                    .map_err(|e| misfit(e.to_string()))
            }
            (Self::Element(change), TypeKind::Array(kind)) => {
                let list = array.as_list_opt::<i32>();
                let list = list.ok_or_else(|| misfit("it is no array".into()))?;
                let (_, offsets, values, nulls) = list.clone().into_parts();
                let values = change.apply(&values, kind, &format!("{name}.element"))?;
                let Arrow::List(element) = target else { return Err(misfit("no array".into())) };
                ListArray::try_new(element, offsets, values, nulls)
                    .map(|a| Arc::new(a) as ArrayRef)
                    .map_err(|e| misfit(e.to_string()))
            }
            (Self::Map(key, value), kind) => {
                let count = DataType::not_null(TypeKind::Int);
                let (k, v) = match kind {
                    TypeKind::Map(k, v) => (k.as_ref(), v.as_ref()),
                    TypeKind::Multiset(element) => (element.as_ref(), &count),
                    _ => return Err(misfit("it is no map".into())),
                };
                let map = array.as_map_opt().ok_or_else(|| misfit("it is no map".into()))?;
                let (_, offsets, rows, nulls, sorted) = map.clone().into_parts();
                let [keys, values] = rows.columns() else {
                    return Err(misfit("a map has no key and value".into()));
                };
                let columns = vec![
                    key.apply(keys, k, &format!("{name}.key"))?,
                    value.apply(values, v, &format!("{name}.value"))?,
                ];
                let Arrow::Map(entries, _) = target else { return Err(misfit("no map".into())) };
                let Arrow::Struct(fields) = entries.data_type() else {
                    return Err(misfit("a map has no key and value".into()));
                };
                let rows = StructArray::try_new(fields.clone(), columns, None)
                    .map_err(|e| misfit(e.to_string()))?;
                MapArray::try_new(entries, offsets, rows, nulls, sorted)
                    .map(|a| Arc::new(a) as ArrayRef)
                    .map_err(|e| misfit(e.to_string()))
            }
            _ => Err(misfit("it has another shape".into())),
        }
    }
}
