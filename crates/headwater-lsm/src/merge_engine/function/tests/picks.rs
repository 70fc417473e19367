//! Functions that keep one of the values.

use arrow::array::{ArrayRef, AsArray, ListArray, StringArray};
use arrow::datatypes::Int32Type;
use headwater_spec::{DataType, TypeKind};
use proptest::prelude::*;

use super::{ADD, BACK, OLD_BACK, OLDER, PUT, fold, fold_with};
use crate::merge_engine::function::{FunctionError, FunctionOptions};
use crate::merge_engine::steps::Step;

type Records<'a> = &'a [(Option<&'a str>, Step)];

fn one(name: &str, records: Records<'_>) -> Result<Option<String>, FunctionError> {
    one_with(name, &FunctionOptions::default(), records)
}

fn one_with(
    name: &str,
    options: &FunctionOptions,
    records: Records<'_>,
) -> Result<Option<String>, FunctionError> {
    let column: StringArray = records.iter().map(|(value, _)| *value).collect();
    let steps: Vec<_> = records.iter().map(|(_, step)| *step).collect();
    let column = std::sync::Arc::new(column);
    let folded = fold_with(name, &TypeKind::STRING, options, column, &[&steps])?;
    Ok(folded.as_string::<i32>().iter().next().flatten().map(str::to_owned))
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

const A: Option<&str> = Some("a");
const B: Option<&str> = Some("b");

#[test]
fn last_value_takes_nulls_too_and_a_retraction_leaves_none() {
    let one = |records: Records<'_>| one("last_value", records).unwrap();
    assert_eq!(one(&[]), None);
    assert_eq!(one(&[(A, ADD), (B, ADD)]), text("b"));
    assert_eq!(one(&[(A, ADD), (None, ADD)]), None);
    assert_eq!(one(&[(A, ADD), (B, OLDER)]), text("a"));
    assert_eq!(one(&[(B, OLDER)]), None);
    assert_eq!(one(&[(A, ADD), (None, BACK)]), None);
    assert_eq!(one(&[(A, ADD), (B, OLD_BACK)]), None);
    assert_eq!(one(&[(A, ADD), (B, BACK), (A, ADD)]), text("a"));
    assert_eq!(one(&[(A, ADD), (B, PUT)]), text("b"));
}

#[test]
fn last_non_null_value_passes_nulls_over() {
    let one = |records: Records<'_>| one("last_non_null_value", records).unwrap();
    assert_eq!(one(&[]), None);
    assert_eq!(one(&[(A, ADD), (B, ADD), (None, ADD)]), text("b"));
    assert_eq!(one(&[(A, ADD), (B, OLDER)]), text("a"));
    assert_eq!(one(&[(None, ADD), (B, OLDER)]), text("b"));
    assert_eq!(one(&[(A, ADD), (None, BACK)]), text("a"));
    assert_eq!(one(&[(A, ADD), (B, BACK)]), None);
    assert_eq!(one(&[(A, ADD), (B, OLD_BACK)]), None);
    assert_eq!(one(&[(A, ADD), (None, PUT)]), None);
    assert_eq!(one(&[(A, ADD), (B, PUT), (None, ADD)]), text("b"));
}

#[test]
fn first_value_keeps_the_first_even_null() {
    let one = |records: Records<'_>| one("first_value", records).unwrap();
    assert_eq!(one(&[]), None);
    assert_eq!(one(&[(A, ADD), (B, ADD)]), text("a"));
    assert_eq!(one(&[(None, ADD), (B, ADD)]), None);
    // An older one counts, unless nothing was there: then it starts with that nothing.
    assert_eq!(one(&[(A, ADD), (B, OLDER)]), text("b"));
    assert_eq!(one(&[(A, ADD), (None, OLDER)]), None);
    assert_eq!(one(&[(A, OLDER), (B, ADD)]), None);
    assert_eq!(one(&[(A, ADD), (B, OLDER), (A, ADD)]), text("b"));
    // A replaced value is not a first one.
    assert_eq!(one(&[(A, PUT), (B, ADD), (A, ADD)]), text("b"));
    assert_eq!(one(&[(A, ADD), (B, PUT), (A, ADD)]), text("b"));
}

#[test]
fn first_non_null_value_keeps_the_first_that_is_there() {
    for name in ["first_non_null_value", "first_not_null_value"] {
        let one = |records: Records<'_>| one(name, records).unwrap();
        assert_eq!(one(&[]), None);
        assert_eq!(one(&[(None, ADD), (A, ADD), (B, ADD)]), text("a"));
        // As in Java an older null displaces the value that was found.
        assert_eq!(one(&[(A, ADD), (B, OLDER)]), text("b"));
        assert_eq!(one(&[(A, ADD), (None, OLDER)]), None);
        assert_eq!(one(&[(A, ADD), (None, OLDER), (B, ADD)]), None);
        assert_eq!(one(&[(None, ADD), (A, OLDER), (B, ADD)]), text("b"));
        assert_eq!(one(&[(A, PUT), (B, OLDER), (None, OLDER)]), None);
        assert_eq!(one(&[(A, PUT), (B, OLDER)]), text("a"));
    }
}

#[test]
fn primary_key_is_that_of_the_last_record() {
    let one = |records: Records<'_>| one("primary-key", records).unwrap();
    assert_eq!(one(&[(A, ADD), (B, BACK)]), text("b"));
    assert_eq!(one(&[(A, ADD), (B, OLDER)]), text("a"));
}

#[test]
fn functions_of_first_values_do_not_retract_unless_told_to_ignore_it() {
    let ignore = FunctionOptions { ignore_retract: true, ..FunctionOptions::default() };
    for name in ["first_value", "first_non_null_value", "first_not_null_value"] {
        let error = one(name, &[(A, ADD), (B, BACK)]).unwrap_err();
        assert!(matches!(error, FunctionError::NoRetraction { .. }));
        let message = error.to_string();
        let all = [name, "'c'", "'fields.c.ignore-retract' = 'true'"];
        assert!(all.iter().all(|part| message.contains(part)), "{message}");
        let kept = one_with(name, &ignore, &[(A, ADD), (B, BACK), (B, OLD_BACK)]);
        assert_eq!(kept.unwrap(), text("a"));
    }
    for name in ["last_value", "last_non_null_value"] {
        let kept = one_with(name, &ignore, &[(A, ADD), (B, BACK)]).unwrap();
        assert_eq!(kept, text("a"));
        assert_eq!(one_with(name, &ignore, &[(A, BACK)]).unwrap(), None);
    }
}

#[test]
fn nested_values_are_kept_as_well() {
    let lists = || {
        ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ])
    };
    let kind = TypeKind::Array(Box::new(DataType::nullable(TypeKind::Int)));
    let folded = |name| -> ArrayRef { fold(name, &kind, lists(), &[&[ADD, ADD], &[ADD]]).unwrap() };
    let lengths = |list: &ArrayRef| -> Vec<_> {
        list.as_list::<i32>().iter().map(|list| list.map(|list| list.len())).collect()
    };
    assert_eq!(lengths(&folded("last_value")), [None, Some(0)]);
    assert_eq!(lengths(&folded("last_non_null_value")), [Some(2), Some(0)]);
}

/// Java's classes, word for word in their meaning: one value at a time.
#[derive(Default)]
struct Model {
    acc: Option<u8>,
    initialized: bool,
}

impl Model {
    fn agg(&mut self, name: &str, acc: Option<u8>, input: Option<u8>) -> Option<u8> {
        let first = match name {
            "last_value" | "primary-key" => return input,
            "last_non_null_value" => return input.or(acc),
            "first_value" => !self.initialized,
            _ => !self.initialized && input.is_some(),
        };
        self.initialized |= first;
        if first { input } else { acc }
    }

    fn step(&mut self, name: &str, input: Option<u8>, step: Step) {
        self.acc = match step {
            Step::Add => self.agg(name, self.acc, input),
            Step::AddOlder => self.agg(name, input, self.acc),
            Step::Replace => input,
            Step::Retract | Step::RetractOlder => match name {
                "last_value" => None,
                "primary-key" => input,
                _ => input.map_or(self.acc, |_| None),
            },
        };
    }
}

proptest! {
    #[test]
    fn picks_agree_with_the_model(
        keys in prop::collection::vec(
            prop::collection::vec((prop::option::of(any::<u8>()), 0..5_usize), 0..6),
            0..20,
        ),
    ) {
        for name in ["last_value", "last_non_null_value", "first_value", "first_non_null_value"] {
            let all = [ADD, OLDER, PUT, BACK, OLD_BACK];
            let kinds = if name.starts_with("last") { 5 } else { 3 };
            let steps: Vec<Vec<_>> = keys
                .iter()
                .map(|key| key.iter().map(|(_, step)| all[step % kinds]).collect())
                .collect();
            let column: arrow::array::Int32Array =
                keys.iter().flatten().map(|(value, _)| value.map(i32::from)).collect();
            let steps: Vec<&[Step]> = steps.iter().map(Vec::as_slice).collect();
            let folded = fold(name, &TypeKind::Int, column, &steps).unwrap();
            let expected: Vec<_> = keys.iter().zip(&steps).map(|(key, steps)| {
                let mut model = Model::default();
                for ((value, _), step) in key.iter().zip(*steps) {
                    model.step(name, *value, *step);
                }
                model.acc.map(i32::from)
            }).collect();
            prop_assert_eq!(folded.as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), expected);
        }
    }
}
