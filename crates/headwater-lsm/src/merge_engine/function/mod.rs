//! The aggregate functions of columns, by name: `fields.<column>.aggregate-function`.
//!
//! A function folds one column of many keys at a time over the [`super::Steps`] that an engine
//! made. Rules: `docs/spec/aggregate-functions.md#functions`.

mod bool;
mod bytes;
mod collect;
mod error;
mod extreme;
mod fold;
mod ids;
mod ignore_retract;
mod keyed;
mod listagg;
mod lists;
mod merge_map;
mod nested;
mod nested_partial_update;
mod nested_update;
mod numbers;
mod options;
mod pick;
mod sum;
mod target;
mod union;

use std::sync::Arc;

use headwater_spec::options::nearest_of;
use headwater_spec::types::MAX_LENGTH;
use headwater_spec::{DataField, TypeKind};

pub use error::FunctionError;
pub use options::FunctionOptions;

use self::bool::Bools;
use collect::Collect;
use extreme::Extreme;
use ignore_retract::IgnoreRetract;
use listagg::ListAgg;
use merge_map::MergeMap;
use nested_partial_update::NestedPartialUpdate;
use nested_update::NestedUpdate;
use pick::{Keep, Pick};
use sum::{Product, Sum};
use target::Target;
use union::Unions;

use super::steps::ColumnFunction;
use crate::error::LsmError;

/// A function as the registry has it.
struct Entry {
    name: &'static str,
    /// The types it takes, for messages.
    types: &'static str,
    takes: fn(&TypeKind) -> bool,
    /// Whether it can take values back.
    retracts: bool,
    make: fn(Target, &DataField, &FunctionOptions) -> Result<Function, FunctionError>,
}

type Function = Arc<dyn ColumnFunction>;

/// All functions, by name.
///
/// Source: Paimon 1.4.2 `FieldAggregatorFactory` and the classes that implement it.
const FUNCTIONS: &[Entry] = &[
    Entry {
        name: "bool_and",
        types: "BOOLEAN",
        takes: is_boolean,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Bools { target, all: true })),
    },
    Entry {
        name: "bool_or",
        types: "BOOLEAN",
        takes: is_boolean,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Bools { target, all: false })),
    },
    Entry {
        name: "collect",
        types: "ARRAY",
        takes: is_array,
        retracts: true,
        make: |target, field, options| {
            let nested = matches!(&field.data_type.kind, TypeKind::Array(e) if e.kind.is_nested());
            let (distinct, older_first) = (options.distinct, options.ignore_retract);
            Ok(Arc::new(Collect { target, distinct, nested, older_first }))
        },
    },
    Entry {
        name: "first_non_null_value",
        types: ANY,
        takes: any,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Pick { target, keep: Keep::FirstNonNull })),
    },
    Entry {
        name: "first_not_null_value",
        types: ANY,
        takes: any,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Pick { target, keep: Keep::FirstNonNull })),
    },
    Entry {
        name: "first_value",
        types: ANY,
        takes: any,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Pick { target, keep: Keep::First })),
    },
    Entry {
        name: "hll_sketch",
        types: BYTES,
        takes: is_bytes,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Unions { target, what: "HLL sketch", union: union::hll })),
    },
    Entry {
        name: "last_non_null_value",
        types: ANY,
        takes: any,
        retracts: true,
        make: |target, _, _| Ok(Arc::new(Pick { target, keep: Keep::LastNonNull })),
    },
    Entry {
        name: "last_value",
        types: ANY,
        takes: any,
        retracts: true,
        make: |target, _, _| Ok(Arc::new(Pick { target, keep: Keep::Last })),
    },
    Entry {
        name: "listagg",
        types: "STRING",
        takes: is_string,
        retracts: false,
        make: |target, _, options| {
            let (delimiter, distinct) = (options.list_agg_delimiter.clone(), options.distinct);
            Ok(Arc::new(ListAgg { target, delimiter, distinct }))
        },
    },
    Entry {
        name: "max",
        types: ANY,
        takes: any,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Extreme { target, max: true })),
    },
    Entry {
        name: "merge_map",
        types: "MAP",
        takes: is_map,
        retracts: true,
        make: |target, _, _| Ok(Arc::new(MergeMap { target, time: None })),
    },
    Entry {
        name: "merge_map_with_keytime",
        types: "MAP with values of type ROW, of two fields or more",
        takes: is_map_of_rows,
        retracts: false,
        make: |target, field, options| {
            let time = Some(nested::time_field(&target, field, options)?);
            Ok(Arc::new(MergeMap { target, time }))
        },
    },
    Entry {
        name: "min",
        types: ANY,
        takes: any,
        retracts: false,
        make: |target, _, _| Ok(Arc::new(Extreme { target, max: false })),
    },
    Entry {
        name: "nested_partial_update",
        types: ARRAY_OF_ROWS,
        takes: is_array_of_rows,
        retracts: false,
        make: |target, field, options| {
            let key = nested::key_fields(&target, field, options)?;
            if key.is_empty() {
                return Err(target.option("nested-key", "is missing".to_owned()));
            }
            Ok(Arc::new(NestedPartialUpdate { target, key }))
        },
    },
    Entry {
        name: "nested_update",
        types: ARRAY_OF_ROWS,
        takes: is_array_of_rows,
        retracts: true,
        make: |target, field, options| {
            let key = nested::key_fields(&target, field, options)?;
            Ok(Arc::new(NestedUpdate { target, key, count_limit: options.count_limit }))
        },
    },
    Entry {
        name: "primary-key",
        types: ANY,
        takes: any,
        retracts: true,
        make: |target, _, _| Ok(Arc::new(Pick { target, keep: Keep::Key })),
    },
    Entry {
        name: "product",
        types: NUMERIC,
        takes: is_numeric,
        retracts: true,
        make: |target, _, _| Ok(Arc::new(Product(target))),
    },
    Entry {
        name: "rbm32",
        types: BYTES,
        takes: is_bytes,
        retracts: false,
        make: |target, _, _| {
            Ok(Arc::new(Unions { target, what: "32-bit roaring bitmap", union: union::roaring32 }))
        },
    },
    Entry {
        name: "rbm64",
        types: BYTES,
        takes: is_bytes,
        retracts: false,
        make: |target, _, _| {
            Ok(Arc::new(Unions { target, what: "64-bit roaring bitmap", union: union::roaring64 }))
        },
    },
    Entry {
        name: "sum",
        types: NUMERIC,
        takes: is_numeric,
        retracts: true,
        make: |target, _, _| Ok(Arc::new(Sum(target))),
    },
    Entry {
        name: "theta_sketch",
        types: BYTES,
        takes: is_bytes,
        retracts: false,
        make: |target, _, _| {
            Ok(Arc::new(Unions { target, what: "Theta sketch", union: union::theta }))
        },
    },
];

const ANY: &str = "any";
const BYTES: &str = "VARBINARY or BYTES";
const ARRAY_OF_ROWS: &str = "ARRAY of ROW";
const NUMERIC: &str = "TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE or DECIMAL";

/// The function `name` for a column.
///
/// # Errors
/// [`FunctionError`] for a name that no function has, a column of a type that the function does
/// not take, and options that it cannot go by.
pub fn column_function(
    name: &str,
    field: &DataField,
    options: &FunctionOptions,
) -> Result<Arc<dyn ColumnFunction>, LsmError> {
    let entry = entry(name).ok_or_else(|| unknown(name, field))?;
    let target = Target::new(entry.name, field);
    let kind = &field.data_type.kind;
    if !(entry.takes)(kind) {
        return Err(LsmError::Function(FunctionError::Type {
            function: entry.name,
            column: field.name.clone(),
            data_type: kind.to_string(),
            expected: entry.types,
        }));
    }
    let function = (entry.make)(target, field, options)?;
    Ok(if options.ignore_retract { Arc::new(IgnoreRetract(function)) } else { function })
}

/// The names of all functions, in alphabetical order.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|entry| entry.name)
}

/// Whether the function can take values back; none if no function has the name.
#[must_use]
pub fn can_retract(name: &str) -> Option<bool> {
    entry(name).map(|entry| entry.retracts)
}

fn entry(name: &str) -> Option<&'static Entry> {
    FUNCTIONS.iter().find(|entry| entry.name == name)
}

fn unknown(name: &str, field: &DataField) -> FunctionError {
    let known = match nearest_of(name, function_names()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("there are {}", function_names().collect::<Vec<_>>().join(", ")),
    };
    FunctionError::Unknown { column: field.name.clone(), function: name.to_owned(), known }
}

const fn any(_: &TypeKind) -> bool {
    true
}

const fn is_boolean(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Boolean)
}

const fn is_string(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::VarChar(MAX_LENGTH))
}

const fn is_bytes(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::VarBinary(_))
}

const fn is_array(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Array(_))
}

fn is_array_of_rows(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Array(element) if matches!(element.kind, TypeKind::Row(_)))
}

const fn is_map(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Map(..))
}

fn is_map_of_rows(kind: &TypeKind) -> bool {
    let TypeKind::Map(_, value) = kind else { return false };
    matches!(&value.kind, TypeKind::Row(fields) if fields.len() >= 2)
}

const fn is_numeric(kind: &TypeKind) -> bool {
    matches!(
        kind,
        TypeKind::TinyInt
            | TypeKind::SmallInt
            | TypeKind::Int
            | TypeKind::BigInt
            | TypeKind::Float
            | TypeKind::Double
            | TypeKind::Decimal { .. }
    )
}

#[cfg(test)]
mod tests;
