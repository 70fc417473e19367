//! The scalar functions of Flink, and which of them a session has: its own ones override
//! DataFusion's of the same name. A list of all, with what became of each, is in `table.rs`;
//! expressions that are written in a special way are in `syntax.rs`.

mod aggregates;
mod calendar;
mod call;
mod cast;
mod collections;
mod conditional;
mod decimal;
mod encoding;
mod json;
mod kept;
mod literals;
mod maps;
mod math;
mod numbers;
mod planner;
mod random;
mod refused;
mod regex;
mod round;
mod strings;
pub(crate) mod syntax;
mod system;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod types;
mod url;
mod zone;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDateTime;
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::planner::ExprPlanner;
use headwater::Env;

use self::aggregates::FlinkAggregates;
use self::call::{Function, Spec};
pub(crate) use self::json::Json;
use self::planner::FlinkPlanner;
pub(crate) use self::regex::Whole as WholePattern;
pub(crate) use self::zone::Zone;
use crate::error::SqlError;
use crate::float_rule::FloatsBesideDecimals;
use crate::zone_rule::TimesOfOneZone;

/// Whose functions a session has where Flink's and DataFusion's differ: the option
/// `headwater.functions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// Flink 1.20's, also for operators and CAST: `flink`.
    #[default]
    Flink,
    /// DataFusion's; Flink's only where DataFusion has none of the name: `datafusion`.
    Datafusion,
}

impl std::str::FromStr for Flavour {
    type Err = SqlError;

    fn from_str(name: &str) -> Result<Self, SqlError> {
        match name.to_ascii_lowercase().as_str() {
            "flink" => Ok(Self::Flink),
            "datafusion" => Ok(Self::Datafusion),
            _ => Err(SqlError::invalid(format!(
                "headwater.functions is 'flink' or 'datafusion', not '{name}'"
            ))),
        }
    }
}

/// What functions know of their session.
#[derive(Debug)]
pub(crate) struct Context {
    /// The session's time zone.
    pub(crate) zone: Zone,
    random: Arc<dyn headwater::io::Random>,
    clock: Arc<dyn headwater::io::Clock>,
}

impl Context {
    fn clock_now(&self) -> NaiveDateTime {
        zone::at_millis(self.clock.now_millis()).unwrap_or_default()
    }
}

/// Whether a function of this name is CAST or TRY_CAST.
pub(crate) fn is_cast(name: &str) -> bool {
    name == cast::CAST || name == cast::TRY_CAST
}

/// All functions that this crate makes.
fn specs(flavour: Flavour) -> Vec<&'static Spec> {
    let (casts, patterns) = match flavour {
        Flavour::Flink => (cast::FUNCTIONS, &[][..]),
        Flavour::Datafusion => (cast::DATAFUSION, regex::DATAFUSION),
    };
    [
        types::FUNCTIONS,
        strings::FUNCTIONS,
        strings::SPLITTING,
        math::FUNCTIONS,
        round::FUNCTIONS,
        decimal::FUNCTIONS,
        time::FUNCTIONS,
        calendar::FUNCTIONS,
        regex::FUNCTIONS,
        encoding::FUNCTIONS,
        encoding::URLS,
        json::FUNCTIONS,
        json::BUILDING,
        conditional::FUNCTIONS,
        collections::FUNCTIONS,
        maps::FUNCTIONS,
        system::FUNCTIONS,
        casts,
        patterns,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The session with the functions of this flavour, in this time zone.
///
/// `state` has DataFusion's functions and none of these: a session that changes its mind starts
/// from the same state again.
pub(crate) fn register(
    state: SessionState,
    flavour: Flavour,
    zone: &Zone,
    env: &Env,
) -> Result<SessionState, SqlError> {
    let context = Arc::new(Context {
        zone: zone.clone(),
        random: Arc::clone(&env.random),
        clock: Arc::clone(&env.clock),
    });
    let mut functions = HashMap::new();
    for spec in specs(flavour) {
        for names in spec.names.chunks(1) {
            let function = Arc::new(Function::udf(Spec { names, ..*spec }, &context));
            functions.insert(function.name().to_owned(), function);
        }
    }
    let planners = state.expr_planners().to_vec();
    let mut rules = state.analyzer().rules.clone();
    rules.insert(0, Arc::new(FloatsBesideDecimals));
    rules.insert(0, Arc::new(types::TypesOf));
    if !zone.is_utc() {
        rules.insert(0, Arc::new(TimesOfOneZone { zone: zone.name() }));
    }
    if let (Flavour::Flink, Some(divide)) = (flavour, functions.get(decimal::DIVIDE)) {
        rules.insert(0, Arc::new(FlinkAggregates { divide: Arc::clone(divide) }));
        rules.insert(0, Arc::new(literals::WholeNumbers));
    }
    let mut builder = SessionStateBuilder::new_from_existing(state).with_analyzer_rules(rules);
    if flavour == Flavour::Flink {
        let own: Arc<dyn ExprPlanner> =
            Arc::new(FlinkPlanner { functions: functions.clone(), is_utc: zone.is_utc() });
        builder = builder.with_expr_planners(std::iter::once(own).chain(planners).collect());
    }
    let mut state = builder.build();
    if flavour == Flavour::Flink {
        // Nulls are the least values, in ORDER BY and in windows.
        "nulls_min"
            .clone_into(&mut state.config_mut().options_mut().sql_parser.default_null_ordering);
    }
    if flavour == Flavour::Flink {
        keep_other_names(&mut state, &functions)?;
    }
    for function in functions.into_values() {
        add(&mut state, function, flavour)?;
    }
    for function in refused::functions() {
        let name = function.name().to_owned();
        if state.udaf(&name).is_err() && state.udwf(&name).is_err() {
            add(&mut state, Arc::new(function), Flavour::Datafusion)?;
        }
    }
    Ok(state)
}

/// Takes the names of `functions` from DataFusion's, which keep their others.
fn keep_other_names(
    state: &mut SessionState,
    functions: &HashMap<String, Arc<ScalarUDF>>,
) -> Result<(), SqlError> {
    let shared: Vec<ScalarUDF> = state
        .scalar_functions()
        .iter()
        .filter(|(name, function)| {
            let mut names = std::iter::once(function.name())
                .chain(function.aliases().iter().map(String::as_str));
            !functions.contains_key(*name) && names.any(|name| functions.contains_key(name))
        })
        .map(|(name, function)| kept::under_one_name(name, function))
        .collect();
    for function in shared {
        state.register_udf(Arc::new(function))?;
    }
    Ok(())
}

/// Registers the function; for DataFusion's flavour only where its name is free.
fn add(
    state: &mut SessionState,
    function: Arc<ScalarUDF>,
    flavour: Flavour,
) -> Result<(), SqlError> {
    let name = function.name();
    if flavour == Flavour::Datafusion && !name.starts_with('$') && state.udf(name).is_ok() {
        return Ok(());
    }
    state.register_udf(function)?;
    Ok(())
}
