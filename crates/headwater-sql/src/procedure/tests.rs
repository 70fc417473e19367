//! Arguments in Flink's and Spark's order, and names that are not there.

use std::sync::Arc;

use super::arguments::{Kind, Parameter, bind};
use super::{PROCEDURES, Procedure, find, later};
use crate::parse::{CallArgument, CallValue};

/// A procedure whose two orders differ from the second argument on.
const SAMPLE: Procedure = Procedure {
    name: "sample",
    parameters: &[
        Parameter::required("table", Kind::Text),
        Parameter::optional("a", Kind::Text),
        Parameter::optional("b", Kind::Text),
        Parameter::optional("sure", Kind::Boolean),
        Parameter::refused("later", Kind::Text, "leave it out"),
    ],
    flink: &["table", "a", "b", "sure"],
    spark: &["table", "b", "a"],
    run: |_, _| {
        Box::pin(async {
            crate::show::batch(vec![("a", true, Arc::new(arrow::array::NullArray::new(0)))])
        })
    },
};

fn text(text: &str) -> CallValue {
    CallValue::Text(text.to_owned())
}

fn given(arguments: &[(Option<&str>, CallValue)]) -> Vec<CallArgument> {
    let argument = |(name, value): &(Option<&str>, CallValue)| CallArgument {
        name: name.map(str::to_owned),
        value: value.clone(),
    };
    arguments.iter().map(argument).collect()
}

fn bound(arguments: &[(Option<&str>, CallValue)]) -> Result<(String, String), String> {
    let bound = bind(&SAMPLE, &given(arguments)).map_err(|e| e.to_string())?;
    let of = |name| bound.text(name).unwrap_or("none").to_owned();
    Ok((of("a"), of("b")))
}

#[test]
fn arguments_by_place_are_taken_when_both_orders_say_the_same() {
    let t = || (None, text("t"));
    let yes = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
    assert_eq!(bound(&[t()]), yes("none", "none"));
    // Blanks and NULL are placeholders.
    assert_eq!(bound(&[t(), (None, text(" ")), (None, CallValue::Missing)]), yes("none", "none"));
    assert_eq!(bound(&[t(), (None, text("x")), (None, text("x"))]), yes("x", "x"));
    // Spark's order has no fourth argument.
    let fourth = (None, CallValue::Boolean(true));
    assert_eq!(bound(&[t(), (None, text("x")), (None, text("y")), fourth]), yes("x", "y"));
    assert_eq!(bound(&[t(), (Some("B"), text("y")), (Some("a"), text("x"))]), yes("x", "y"));
    assert_eq!(
        bound(&[t(), (None, text("x")), (None, text("y"))]).unwrap_err(),
        "the arguments of sys.sample stand in one order in Flink and in another in Spark: name \
         them, CALL sys.sample(a => 'x', b => 'y', table => 't') or CALL sys.sample(a => 'y', \
         b => 'x', table => 't')"
    );
}

#[test]
fn wrong_arguments_say_what_is_right() {
    let t = || (None, text("t"));
    for (arguments, reason) in [
        (vec![], "sys.sample needs the argument 'table'"),
        (vec![(None, text(""))], "'table' of sys.sample must be a text"),
        (vec![(None, CallValue::Number("1".into()))], "'table' of sys.sample must be a text"),
        (vec![t(), (Some("sure"), text("x"))], "'sure' of sys.sample must be TRUE or FALSE"),
        (vec![t(), (Some("table"), text("x"))], "'table' of sys.sample is given twice"),
        (
            vec![t(), (Some("a"), text("x")), (Some("A"), text("x"))],
            "'a' of sys.sample is given twice",
        ),
        (vec![t(), (Some("tabel"), text("x"))], "did you mean 'table'?"),
        (vec![t(), (Some("what_is_this"), text("x"))], "which are: table, a, b, sure"),
        (vec![t(), (Some("later"), text("x"))], "not supported: leave it out"),
        (vec![t(), t(), t(), t(), t()], "takes 4 arguments at most (table, a, b, sure), 5 are"),
    ] {
        let message = bound(&arguments).unwrap_err();
        assert!(message.contains(reason), "{message}");
    }
    // What is not given is not refused.
    assert!(bound(&[t(), (Some("later"), CallValue::Missing)]).is_ok());
}

#[test]
fn procedures_are_found_refused_or_unknown() {
    assert_eq!(find("Compact_Manifest").map(|p| p.name).unwrap(), "compact_manifest");
    let message = |name: &str| find(name).map(|p| p.name).unwrap_err().to_string();
    assert_eq!(
        message("expire_snapshots"),
        "procedure sys.expire_snapshots is not supported: it is not in this version"
    );
    assert!(message("merge_into").contains("use MERGE INTO"));
    assert!(message("compact_manifests").contains("did you mean sys.compact_manifest?"));
    assert!(message("xyz").contains("SHOW PROCEDURES"));
    let names: Vec<_> = later::names().collect();
    assert!(names.is_sorted());
    assert!(PROCEDURES.iter().all(|p| !names.contains(&p.name)));
    assert!(PROCEDURES.is_sorted_by_key(|p| p.name));
    for procedure in PROCEDURES {
        for name in procedure.flink.iter().chain(procedure.spark) {
            assert!(procedure.parameters.iter().any(|p| p.name == *name), "{name}");
        }
    }
}
