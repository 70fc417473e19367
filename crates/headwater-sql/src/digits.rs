//! Decimals with more digits than their type says, as sums in tables of merge engine `aggregation`
//! may have: texts show them all, files whose columns have a width refuse them.
//!
//! Rules: `docs/spec/aggregate-functions.md#numbers`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Field, FieldRef,
};
use datafusion::common::Column;
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::logical_expr::dml::CopyTo;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, cast,
};

use crate::error::SqlError;

/// Refuses rows in which a decimal has more digits than its type says: for files that promise the
/// type to their readers.
///
/// # Errors
/// Such a value, with its column and what to do.
pub fn check_digits(batch: &RecordBatch) -> Result<(), SqlError> {
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        check_column(field.name(), column)?;
    }
    Ok(())
}

fn check_column(name: &str, column: &ArrayRef) -> Result<(), SqlError> {
    let Some((value, precision, scale)) = too_long(column) else { return Ok(()) };
    let value = Decimal128Type::format_decimal(value, DECIMAL128_MAX_PRECISION, scale);
    Err(SqlError::invalid(format!(
        "column '{name}': {value} has more digits than DECIMAL({precision}, {scale}), as a sum in \
         a table may; a CAST to a larger DECIMAL keeps them"
    )))
}

/// A value with more digits than its type says, and the type.
fn too_long(array: &ArrayRef) -> Option<(i128, u8, i8)> {
    match array.data_type() {
        DataType::Decimal128(precision, scale) => {
            let limit = 10_u128.pow(u32::from(*precision));
            let mut values = array.as_primitive::<Decimal128Type>().iter().flatten();
            let value = values.find(|value| value.unsigned_abs() >= limit)?;
            Some((value, *precision, *scale))
        }
        DataType::Struct(_) => array.as_struct().columns().iter().find_map(too_long),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            (0..list.len())
                .filter(|row| list.is_valid(*row))
                .find_map(|at| too_long(&list.value(at)))
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let entries = (0..map.len()).filter(|row| map.is_valid(*row)).map(|row| map.value(row));
            entries.into_iter().find_map(|entry| entry.columns().iter().find_map(too_long))
        }
        _ => None,
    }
}

/// The COPY with all digits in texts, and with a check in other files.
pub(crate) fn with_digits(copy: CopyTo) -> PlanResult<CopyTo> {
    let is_text = matches!(copy.file_type.get_ext().as_str(), "csv" | "json");
    if copy.input.schema().fields().iter().all(|field| widest(field.data_type()).is_none()) {
        return Ok(copy);
    }
    let columns = copy.input.schema().iter().map(|(table, field)| {
        let column = Expr::Column(Column::new(table.cloned(), field.name()));
        let changed = match widest(field.data_type()) {
            None => return column,
            Some(data_type) if is_text => cast(column, data_type),
            Some(_) => ScalarUDF::new_from_impl(Checked::new(field.name())).call(vec![column]),
        };
        changed.alias_qualified(table.cloned(), field.name().as_str())
    });
    let columns: Vec<Expr> = columns.collect();
    let input = LogicalPlanBuilder::from(copy.input.as_ref().clone()).project(columns)?.build()?;
    Ok(CopyTo { input: Arc::new(input), ..copy })
}

/// The type with the largest precision for its decimals; `None` if it has no decimals that are
/// shorter.
fn widest(data_type: &DataType) -> Option<DataType> {
    let of_field = |field: &FieldRef| {
        let wide = widest(field.data_type())?;
        Some(Arc::new(Field::clone(field).with_data_type(wide)))
    };
    match data_type {
        DataType::Decimal128(precision, scale) if *precision < DECIMAL128_MAX_PRECISION => {
            Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale))
        }
        DataType::List(element) => of_field(element).map(DataType::List),
        DataType::Map(entries, sorted) => of_field(entries).map(|all| DataType::Map(all, *sorted)),
        DataType::Struct(fields) => {
            let wide: Vec<Option<FieldRef>> = fields.iter().map(of_field).collect();
            if wide.iter().all(Option::is_none) {
                return None;
            }
            let all =
                fields.iter().zip(wide).map(|(old, new)| new.unwrap_or_else(|| Arc::clone(old)));
            Some(DataType::Struct(all.collect()))
        }
        _ => None,
    }
}

/// Gives a column as it is, and refuses what [`check_digits`] refuses.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    column: String,
    signature: Signature,
}

impl Checked {
    fn new(column: &str) -> Self {
        Self { column: column.to_owned(), signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &'static str {
        "$digits"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> PlanResult<DataType> {
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> PlanResult<FieldRef> {
        match arguments.arg_fields.first() {
            Some(field) => Ok(Arc::clone(field)),
            None => Err(DataFusionError::Internal("$digits without a value".to_owned())),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let Some(given) = arrays.first() else {
            return Err(DataFusionError::Internal("$digits without a value".to_owned()));
        };
        check_column(&self.column, given)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(ColumnarValue::Array(Arc::clone(given)))
    }
}
