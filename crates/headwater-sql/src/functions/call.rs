//! How a function of this crate is described, checked and called: names, parameters, result, and
//! the loop body over rows.

use crate::zone_rule::{mixed, refusal};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, ListArray,
    MapArray, StringArray,
};
use arrow::datatypes::{DataType as Arrow, Field, FieldRef, Float64Type, Int64Type};
use chrono::NaiveDateTime;
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::Context;

/// What a parameter takes; arguments are cast to the type in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// Text (Utf8).
    Text,
    /// An integer of any width (Int64).
    Long,
    /// Any number (Float64).
    Double,
    /// BOOLEAN.
    Bool,
    /// BYTES (Binary).
    Bytes,
    /// Text or BYTES, as it is.
    TextOrBytes,
    /// A number, as it is.
    Number,
    /// DATE, TIME or a timestamp, as it is.
    Moment,
    /// An array (List).
    List,
    /// A map, as it is.
    Map,
    /// Anything, as it is.
    Any,
}

/// The type of a result: from the types of the arguments, and from those that are constants.
pub(super) type Returns = fn(&[Arrow], &[Option<&ScalarValue>]) -> Result<Arrow>;

/// A value that is the same for all rows of a statement, from the time of its start.
pub(super) type AtStart = fn(NaiveDateTime, &Context) -> ScalarValue;

/// Another expression for a call, given the types of its arguments.
pub(super) type Simplify = fn(&[Expr], &[Arrow]) -> Option<Expr>;

/// From the types that arguments have to those that they are brought to.
pub(super) type Unify = fn(&[Arrow]) -> Result<Vec<Arrow>>;

/// A function: one row of what this crate registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    /// Names in SQL, small letters; the first is the main one.
    pub(super) names: &'static [&'static str],
    pub(super) params: &'static [Param],
    /// How many of the parameters must be given.
    pub(super) required: usize,
    /// The last parameter may be given any number of times.
    pub(super) variadic: bool,
    /// Whether the word NULL, which has no type, is an argument.
    pub(super) untyped_null: bool,
    /// Whether the result is never null without a null among the arguments.
    pub(super) total: bool,
    pub(super) volatility: Volatility,
    pub(super) returns: Returns,
    /// The value for a whole statement that starts at this moment.
    pub(super) at_start: Option<AtStart>,
    /// The same in terms that the optimizer knows.
    pub(super) simplified: Option<Simplify>,
    /// The values of all rows.
    pub(super) eval: fn(&Call<'_>) -> Result<ArrayRef>,
    /// Brings arguments to common types, after the parameters were checked.
    pub(super) unify: Option<Unify>,
}

impl Spec {
    /// All parameters required, no NULL without a type, the same result for the same arguments.
    pub(super) const fn new(
        names: &'static [&'static str],
        params: &'static [Param],
        returns: Returns,
        eval: fn(&Call<'_>) -> Result<ArrayRef>,
    ) -> Self {
        Self {
            names,
            params,
            required: params.len(),
            variadic: false,
            untyped_null: false,
            total: false,
            volatility: Volatility::Immutable,
            at_start: None,
            simplified: None,
            returns,
            eval,
            unify: None,
        }
    }

    /// Only the first `required` parameters must be given.
    pub(super) const fn required(mut self, required: usize) -> Self {
        self.required = required;
        self
    }

    /// The last parameter may be repeated.
    pub(super) const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    /// Takes the word NULL.
    pub(super) const fn nulls(mut self) -> Self {
        self.untyped_null = true;
        self
    }

    /// No null comes out where none goes in.
    pub(super) const fn total(mut self) -> Self {
        self.total = true;
        self
    }

    pub(super) const fn volatility(mut self, volatility: Volatility) -> Self {
        self.volatility = volatility;
        self
    }

    /// One value for a whole statement.
    pub(super) const fn at_start(mut self, value: AtStart) -> Self {
        self.at_start = Some(value);
        self.volatility = Volatility::Stable;
        self
    }

    pub(super) const fn simplified(mut self, simplified: Simplify) -> Self {
        self.simplified = Some(simplified);
        self
    }

    pub(super) const fn unify(mut self, unify: Unify) -> Self {
        self.unify = Some(unify);
        self
    }

    /// The main name as SQL writes it.
    pub(super) fn shown(&self) -> String {
        self.names.first().copied().unwrap_or_default().trim_start_matches('$').to_uppercase()
    }
}

/// One call on the rows of a batch.
pub(super) struct Call<'a> {
    pub(super) spec: &'a Spec,
    pub(super) args: Vec<ArrayRef>,
    pub(super) rows: usize,
    pub(super) context: &'a Context,
    pub(super) result: &'a FieldRef,
    pub(super) fields: &'a [FieldRef],
    /// The current database.
    pub(super) database: &'a str,
    /// All arguments are constants.
    pub(super) constant: bool,
}

impl Call<'_> {
    /// An error of this function.
    pub(super) fn fail<T>(&self, reason: impl std::fmt::Display) -> Result<T> {
        exec_err!("{}: {reason}", self.spec.shown())
    }

    /// Whether any argument is null in this row.
    pub(super) fn any_null(&self, row: usize) -> bool {
        self.args.iter().any(|arg| arg.is_null(row) || *arg.data_type() == Arrow::Null)
    }

    pub(super) fn count(&self) -> usize {
        self.args.len()
    }

    pub(super) fn arg(&self, at: usize) -> Result<&ArrayRef> {
        match self.args.get(at) {
            Some(array) => Ok(array),
            None => self.fail(format!("argument {} is missing", at + 1)),
        }
    }

    fn typed<'b, T>(
        &'b self,
        at: usize,
        of: impl Fn(&'b ArrayRef) -> Option<&'b T>,
    ) -> Result<&'b T> {
        let array = self.arg(at)?;
        match of(array) {
            Some(typed) => Ok(typed),
            None => self.fail(format!(
                "argument {} is {}, which it does not take",
                at + 1,
                array.data_type()
            )),
        }
    }

    pub(super) fn text(&self, at: usize) -> Result<&StringArray> {
        self.typed(at, |a| a.as_string_opt::<i32>())
    }

    pub(super) fn long(&self, at: usize) -> Result<&Int64Array> {
        self.typed(at, |a| a.as_primitive_opt::<Int64Type>())
    }

    pub(super) fn double(&self, at: usize) -> Result<&Float64Array> {
        self.typed(at, |a| a.as_primitive_opt::<Float64Type>())
    }

    pub(super) fn bool(&self, at: usize) -> Result<&BooleanArray> {
        self.typed(at, |a| a.as_boolean_opt())
    }

    pub(super) fn bytes(&self, at: usize) -> Result<&BinaryArray> {
        self.typed(at, |a| a.as_binary_opt::<i32>())
    }

    pub(super) fn list(&self, at: usize) -> Result<&ListArray> {
        self.typed(at, |a| a.as_list_opt::<i32>())
    }

    pub(super) fn map(&self, at: usize) -> Result<&MapArray> {
        self.typed(at, |a| a.as_map_opt())
    }

    /// One value for each row; null where any argument is.
    pub(super) fn strict<T>(
        &self,
        f: impl Fn(usize) -> Result<Option<T>>,
    ) -> Result<Vec<Option<T>>> {
        (0..self.rows).map(|row| if self.any_null(row) { Ok(None) } else { f(row) }).collect()
    }

    /// One value for each row, also where an argument is null.
    pub(super) fn each<T>(&self, f: impl Fn(usize) -> Result<Option<T>>) -> Result<Vec<Option<T>>> {
        (0..self.rows).map(f).collect()
    }

    /// Texts, null where any argument is.
    pub(super) fn texts(&self, f: impl Fn(usize) -> Result<Option<String>>) -> Result<ArrayRef> {
        Ok(Arc::new(StringArray::from(self.strict(f)?)))
    }
}

/// The function in DataFusion's terms.
#[derive(Debug)]
pub(super) struct Function {
    spec: Spec,
    signature: Signature,
    context: Arc<Context>,
}

impl Function {
    pub(super) fn udf(spec: Spec, context: &Arc<Context>) -> ScalarUDF {
        ScalarUDF::new_from_impl(Self {
            spec,
            signature: Signature::user_defined(spec.volatility),
            context: Arc::clone(context),
        })
    }
}

impl Function {
    /// Whether the argument at this place is taken as a BIGINT, whatever integer it is.
    pub(super) fn takes_long(&self, at: usize) -> bool {
        self.spec.params.get(at).or(self.spec.params.last()) == Some(&Param::Long)
    }

    /// The types in which arguments of these types are taken.
    fn accepted(&self, given: &[Arrow]) -> Result<Vec<Arrow>> {
        let spec = &self.spec;
        let most = if spec.variadic { usize::MAX } else { spec.params.len() };
        if given.len() < spec.required || given.len() > most {
            let wanted = match (spec.required, most) {
                (few, usize::MAX) => format!("at least {few}"),
                (few, many) if few == many => few.to_string(),
                (few, many) => format!("{few} to {many}"),
            };
            return plan_err!("{} takes {wanted} arguments, not {}", spec.shown(), given.len());
        }
        let mut types = Vec::with_capacity(given.len());
        for (at, given) in given.iter().enumerate() {
            let Some(param) = spec.params.get(at).or(spec.params.last()) else {
                return plan_err!("{} takes no arguments", spec.shown());
            };
            types.push(accept(spec, *param, at, given)?);
        }
        match spec.unify {
            Some(_) if !self.context.zone.is_utc() && mixed(&types) => {
                plan_err!("{}", refusal(&spec.shown(), &self.context.zone.name()))
            }
            Some(unify) => unify(&types),
            None => Ok(types),
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.spec.names == other.spec.names && self.context.zone == other.context.zone
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.names.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.spec.names.first().copied().unwrap_or_default()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[Arrow]) -> Result<Arrow> {
        (self.spec.returns)(types, &[])
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<Arrow> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        let types = self.accepted(&types)?;
        let result = (self.spec.returns)(&types, args.scalar_arguments)?;
        let nullable = !self.spec.total || args.arg_fields.iter().any(|f| f.is_nullable());
        Ok(Arc::new(Field::new(self.name(), result, nullable)))
    }

    fn coerce_types(&self, given: &[Arrow]) -> Result<Vec<Arrow>> {
        // An error here would be wrapped in words about signatures: `return_field_from_args`
        // gives it.
        Ok(self.accepted(given).unwrap_or_else(|_| given.to_vec()))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let Some(simplified) = self.spec.simplified {
            let types = args.iter().map(|arg| info.get_data_type(arg)).collect::<Result<Vec<_>>>();
            if let Ok(types) = types
                && let Some(expr) = simplified(&args, &types)
            {
                return Ok(ExprSimplifyResult::Simplified(expr));
            }
            return Ok(ExprSimplifyResult::Original(args));
        }
        match (self.spec.at_start, info.query_execution_start_time()) {
            (Some(value), Some(start)) if args.is_empty() => {
                let value = value(start.naive_utc(), &self.context);
                Ok(ExprSimplifyResult::Simplified(Expr::Literal(value, None)))
            }
            _ => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = !args.args.is_empty()
            && args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|a| a.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let call = Call {
            spec: &self.spec,
            args: arrays,
            rows,
            context: &self.context,
            result: &args.return_field,
            fields: &args.arg_fields,
            database: &args.config_options.catalog.default_schema,
            constant,
        };
        let result = (self.spec.eval)(&call)?;
        if constant && self.spec.volatility != Volatility::Volatile {
            return ScalarValue::try_from_array(&result, 0).map(ColumnarValue::Scalar);
        }
        if constant && args.number_rows != 1 {
            // Volatile: each row asks for itself.
            let again = args.args.iter().map(|a| a.to_array(args.number_rows));
            let call = Call { args: again.collect::<Result<_>>()?, rows: args.number_rows, ..call };
            return (self.spec.eval)(&call).map(ColumnarValue::Array);
        }
        Ok(ColumnarValue::Array(result))
    }
}

/// The type in which an argument is given to the function.
fn accept(spec: &Spec, param: Param, at: usize, given: &Arrow) -> Result<Arrow> {
    if let Arrow::Dictionary(_, value) = given {
        return accept(spec, param, at, value);
    }
    if *given == Arrow::Null && !spec.untyped_null {
        return plan_err!(
            "{}: argument {} is NULL without a type; write CAST(NULL AS type)",
            spec.shown(),
            at + 1
        );
    }
    let text = matches!(given, Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View);
    let bytes = matches!(
        given,
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_)
    );
    let null = *given == Arrow::Null;
    let accepted = match param {
        Param::Text if text || null => Some(Arrow::Utf8),
        Param::Long if given.is_integer() || null => Some(Arrow::Int64),
        Param::Double if given.is_numeric() || null => Some(Arrow::Float64),
        Param::Bool if null => Some(Arrow::Boolean),
        Param::Bool if *given == Arrow::Boolean => Some(Arrow::Boolean),
        Param::Bytes if bytes || null => Some(Arrow::Binary),
        Param::TextOrBytes if bytes => Some(Arrow::Binary),
        Param::TextOrBytes if text || null => Some(Arrow::Utf8),
        Param::Number if given.is_numeric() => Some(given.clone()),
        Param::Moment if given.is_temporal() => Some(given.clone()),
        Param::List => match given {
            Arrow::List(_) => Some(given.clone()),
            Arrow::LargeList(element) | Arrow::FixedSizeList(element, _) => {
                Some(Arrow::List(Arc::clone(element)))
            }
            _ => None,
        },
        Param::Map if matches!(given, Arrow::Map(..)) => Some(given.clone()),
        Param::Any => Some(match given {
            _ if text => Arrow::Utf8,
            _ if bytes => Arrow::Binary,
            other => other.clone(),
        }),
        _ => None,
    };
    match accepted {
        Some(accepted) => Ok(accepted),
        None => plan_err!(
            "{}: argument {} must be {}, not {}",
            spec.shown(),
            at + 1,
            param.wanted(),
            super::types::name_of(given)
        ),
    }
}

impl Param {
    const fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text (use CAST(... AS STRING))",
            Self::Long => "an integer",
            Self::Double | Self::Number => "a number",
            Self::Bool => "a BOOLEAN",
            Self::Bytes => "BYTES",
            Self::TextOrBytes => "a text or BYTES",
            Self::Moment => "a DATE, a TIME or a TIMESTAMP",
            Self::List => "an ARRAY",
            Self::Map => "a MAP",
            Self::Any => "a value",
        }
    }
}

/// Results of one type, whatever the arguments.
pub(super) mod returns {
    use super::{Arrow, Result, ScalarValue};
    use arrow::datatypes::TimeUnit;

    type Scalars<'a> = &'a [Option<&'a ScalarValue>];

    pub(in super::super) fn text(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Utf8)
    }
    pub(in super::super) fn int(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Int32)
    }
    pub(in super::super) fn long(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Int64)
    }
    pub(in super::super) fn double(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Float64)
    }
    pub(in super::super) fn bool(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Boolean)
    }
    pub(in super::super) fn bytes(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Binary)
    }
    pub(in super::super) fn date(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Date32)
    }
    pub(in super::super) fn millis(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Timestamp(TimeUnit::Millisecond, None))
    }
    pub(in super::super) fn millis_ltz(_: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(Arrow::Timestamp(TimeUnit::Millisecond, Some("UTC".into())))
    }
    /// The type of the first argument.
    pub(in super::super) fn first(types: &[Arrow], _: Scalars<'_>) -> Result<Arrow> {
        Ok(types.first().cloned().unwrap_or(Arrow::Null))
    }
}

/// An error in computing a value.
pub(super) fn failed(reason: impl Into<String>) -> DataFusionError {
    DataFusionError::Execution(reason.into())
}
