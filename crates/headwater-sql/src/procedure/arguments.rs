//! The arguments of a call: by name, or in Flink's or Spark's order as long as it is clear which.

use std::collections::BTreeMap;

use headwater::options::{nearest_of, parse_duration_millis};

use super::{DATABASE, Procedure, pairs};
use crate::error::SqlError;
use crate::names::literal;
use crate::parse::{CallArgument, CallValue};

/// An argument that a procedure takes.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    /// The only texts that it can be, in any case; none: every text.
    pub(super) values: &'static [&'static str],
    /// What to do instead of giving it: this version does nothing with it.
    pub(super) refused: Option<&'static str>,
}

/// What an argument's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text that is not blank.
    Text,
    /// `key=value,key=value`.
    Pairs,
    /// Such as `1 h`.
    Duration,
    Boolean,
    /// A number, 1 or more.
    Count,
}

impl Kind {
    const fn what(self) -> &'static str {
        match self {
            Self::Text | Self::Pairs | Self::Duration => "a text in single quotes",
            Self::Boolean => "TRUE or FALSE",
            Self::Count => "a whole number, 1 or more",
        }
    }
}

impl Parameter {
    pub(super) const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true, values: &[], refused: None }
    }

    pub(super) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, values: &[], refused: None }
    }

    /// One of these texts.
    pub(super) const fn one_of(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, kind: Kind::Text, required: false, values, refused: None }
    }

    /// One that Paimon knows and this version does not; `advice` says what to do instead.
    pub(super) const fn refused(name: &'static str, kind: Kind, advice: &'static str) -> Self {
        Self { name, kind, required: false, values: &[], refused: Some(advice) }
    }
}

/// The arguments of a call that have a value, by the names of their parameters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments(BTreeMap<&'static str, CallValue>);

impl Arguments {
    /// A text, if it is given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(CallValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A number, if it is given.
    pub(super) fn count(&self, name: &str) -> Result<Option<u32>, SqlError> {
        match self.0.get(name) {
            Some(CallValue::Number(text)) => counted(text).map(Some).ok_or_else(|| {
                SqlError::invalid(format!("argument '{name}' must be {}", Kind::Count.what()))
            }),
            _ => Ok(None),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, SqlError> {
        self.text(name)
            .ok_or_else(|| SqlError::invalid(format!("argument '{name}' has to be given")))
    }

    /// The arguments with their names, as a call may write them.
    fn shown(&self) -> String {
        let value = |value: &CallValue| match value {
            CallValue::Missing => "NULL".to_owned(),
            CallValue::Text(text) => literal(text),
            CallValue::Number(number) => number.clone(),
            CallValue::Boolean(value) => value.to_string(),
        };
        let all: Vec<String> =
            self.0.iter().map(|(name, of)| format!("{name} => {}", value(of))).collect();
        all.join(", ")
    }
}

/// A number that buckets or threads can have.
fn counted(text: &str) -> Option<u32> {
    let n = text.trim().parse::<i32>().ok()?;
    u32::try_from(n).ok().filter(|n| *n > 0)
}

/// The arguments of a call of `procedure`.
pub(super) fn bind(procedure: &Procedure, given: &[CallArgument]) -> Result<Arguments, SqlError> {
    let unnamed = given.iter().take_while(|argument| argument.name.is_none()).count();
    let (unnamed, named) = given.split_at_checked(unnamed).unwrap_or((given, &[]));
    let mut arguments = positional(procedure, unnamed)?;
    // An argument by place may be given as NULL, and once more by name.
    let mut seen: Vec<&str> = arguments.0.keys().copied().collect();
    for argument in named {
        let Some(name) = &argument.name else { continue };
        let parameter = parameter(procedure, name)?;
        if seen.contains(&parameter.name) {
            return Err(SqlError::invalid(format!(
                "argument '{}' of {DATABASE}.{} is given twice",
                parameter.name, procedure.name
            )));
        }
        seen.push(parameter.name);
        if let Some(value) = converted(procedure, parameter, &argument.value)? {
            arguments.0.insert(parameter.name, value);
        }
    }
    for parameter in procedure.parameters {
        if parameter.required && !arguments.0.contains_key(parameter.name) {
            return Err(SqlError::invalid(format!(
                "{DATABASE}.{} needs the argument '{}': CALL {DATABASE}.{}({} => …)",
                procedure.name, parameter.name, procedure.name, parameter.name
            )));
        }
        if let Some(advice) = parameter.refused
            && arguments.0.contains_key(parameter.name)
        {
            return Err(SqlError::unsupported(
                format!("argument '{}' of {DATABASE}.{} is", parameter.name, procedure.name),
                advice,
            ));
        }
    }
    Ok(arguments)
}

/// Arguments without names. Where Flink's and Spark's order give them different meanings, they
/// are refused, unless only one of the two is possible.
fn positional(procedure: &Procedure, given: &[CallArgument]) -> Result<Arguments, SqlError> {
    let flink = in_order(procedure, procedure.flink, given);
    let spark = in_order(procedure, procedure.spark, given);
    match (flink, spark) {
        (Ok(flink), Ok(spark)) if flink != spark => Err(SqlError::invalid(format!(
            "the arguments of {DATABASE}.{name} stand in one order in Flink and in another in \
             Spark: name them, CALL {DATABASE}.{name}({}) or CALL {DATABASE}.{name}({})",
            flink.shown(),
            spark.shown(),
            name = procedure.name,
        ))),
        (Ok(arguments), _) | (Err(_), Ok(arguments)) => Ok(arguments),
        (Err(error), Err(_)) => Err(error),
    }
}

fn in_order(
    procedure: &Procedure,
    order: &[&'static str],
    given: &[CallArgument],
) -> Result<Arguments, SqlError> {
    if given.len() > order.len() {
        return Err(SqlError::invalid(format!(
            "{DATABASE}.{} takes {} arguments at most ({}), {} are given",
            procedure.name,
            order.len(),
            order.join(", "),
            given.len()
        )));
    }
    let mut arguments = Arguments::default();
    for (name, argument) in order.iter().zip(given) {
        let parameter = parameter(procedure, name)?;
        if let Some(value) = converted(procedure, parameter, &argument.value)? {
            arguments.0.insert(parameter.name, value);
        }
    }
    Ok(arguments)
}

fn parameter<'a>(procedure: &'a Procedure, name: &str) -> Result<&'a Parameter, SqlError> {
    let known = procedure.parameters;
    known.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names = || known.iter().filter(|p| p.refused.is_none()).map(|p| p.name);
        let hint = match nearest_of(&name.to_ascii_lowercase(), names()) {
            Some(near) => format!("; did you mean '{near}'?"),
            None => format!(", which are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        SqlError::invalid(format!("'{name}' is no argument of {DATABASE}.{}{hint}", procedure.name))
    })
}

/// The value as the parameter takes it; `None` when it is not given: NULL, or for an optional one
/// a blank text, which older Flink needs as a placeholder.
fn converted(
    procedure: &Procedure,
    parameter: &Parameter,
    value: &CallValue,
) -> Result<Option<CallValue>, SqlError> {
    match (parameter.kind, value) {
        (_, CallValue::Missing) => Ok(None),
        (_, CallValue::Text(text)) if text.trim().is_empty() && !parameter.required => Ok(None),
        (Kind::Text, CallValue::Text(text))
            if !parameter.values.is_empty()
                && !parameter
                    .values
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(text.trim())) =>
        {
            Err(SqlError::invalid(format!(
                "argument '{}' of {DATABASE}.{} must be {}, not '{text}'",
                parameter.name,
                procedure.name,
                parameter.values.iter().map(|v| literal(v)).collect::<Vec<_>>().join(" or ")
            )))
        }
        (Kind::Text, CallValue::Text(text)) if !text.trim().is_empty() => Ok(Some(value.clone())),
        (Kind::Pairs, CallValue::Text(text)) => {
            pairs(parameter.name, Some(text)).map(|_| Some(value.clone()))
        }
        (Kind::Duration, CallValue::Text(text)) => match parse_duration_millis(text) {
            Ok(_) => Ok(Some(value.clone())),
            Err(reason) => {
                Err(SqlError::invalid(format!("argument '{}': {reason}", parameter.name)))
            }
        },
        (Kind::Count, CallValue::Number(text)) if counted(text).is_some() => {
            Ok(Some(value.clone()))
        }
        (Kind::Boolean, CallValue::Boolean(_)) => Ok(Some(value.clone())),
        (kind, _) => Err(SqlError::invalid(format!(
            "argument '{}' of {DATABASE}.{} must be {}",
            parameter.name,
            procedure.name,
            kind.what()
        ))),
    }
}
