use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_spec::ErrorKind;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest};

use super::{SortMerge, SortMergeOptions};
use crate::error::LsmError;
use crate::key_value::KeyValueBatch;
use crate::merge_engine::Deduplicate;
use crate::run::{BatchesRun, RunReader};
use crate::test_data::{KeyForm, Record, batch, deduplicate, deduplicated, record, records};

/// A run of the records, cut after every `batch_rows` records, with an empty batch first.
fn run(form: KeyForm, records: &[Record], batch_rows: usize) -> Box<dyn RunReader> {
    let batches = records.chunks(batch_rows).map(|records| batch(form, records));
    let empty = batch(form, &[]);
    Box::new(BatchesRun::new(std::iter::once(empty).chain(batches).collect()))
}

fn merge(runs: Vec<Box<dyn RunReader>>, all: bool, options: SortMergeOptions) -> Vec<Record> {
    let merge = SortMerge::new(runs, deduplicate(all), options);
    let batches = merge.collect::<Result<Vec<_>, _>>().unwrap();
    for batch in &batches {
        assert!(!batch.is_empty() && batch.len() <= options.batch_rows);
    }
    records(&batches)
}

fn options(batch_rows: usize, drop_deletes: bool) -> SortMergeOptions {
    SortMergeOptions { batch_rows, drop_deletes, ordered_runs: false }
}

fn form() -> impl Strategy<Value = KeyForm> {
    any::<bool>().prop_map(|native| if native { KeyForm::I64 } else { KeyForm::Rows })
}

/// A sorted run: keys of a small or large range, shifted so that runs overlap or do not.
fn sorted_run() -> impl Strategy<Value = Vec<Record>> {
    (0_i64..4, prop_keys()).prop_flat_map(|(shift, keys)| {
        let rows = keys.len();
        (
            Just(keys.into_iter().map(move |k| k + shift * 40).collect::<Vec<_>>()),
            prop::collection::vec((0_i64..12, 0_i8..4), rows),
        )
            .prop_map(|(keys, rest)| {
                keys.into_iter().zip(rest).map(|(k, (s, kind))| record(k, s, kind)).collect()
            })
    })
}

fn prop_keys() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::btree_set(-60_i64..60, 0..50).prop_map(|keys| keys.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn merged_runs_are_what_a_map_says(
        runs in prop::collection::vec((sorted_run(), 1_usize..30), 0..7),
        form in form(),
        all in any::<bool>(),
        batch_rows in 1_usize..40,
        drop_deletes in any::<bool>(),
    ) {
        // Which of two records with equal key and sequence wins shows in the value.
        let runs: Vec<(Vec<Record>, usize)> = runs
            .into_iter()
            .enumerate()
            .map(|(i, (mut run, rows))| {
                run.iter_mut().for_each(|r| r.value = format!("{} of run {i}", r.value));
                (run, rows)
            })
            .collect();
        let readers = runs.iter().map(|(records, rows)| run(form, records, *rows)).collect();
        let merged = merge(readers, all, options(batch_rows, drop_deletes));
        let plain: Vec<_> = runs.into_iter().map(|(records, _)| records).collect();
        prop_assert_eq!(merged, deduplicated(&plain, drop_deletes));
    }

    /// Runs in the order of their sequence numbers need no look at them.
    #[test]
    fn ordered_runs_merge_as_their_numbers_say(
        runs in prop::collection::vec(sorted_run(), 0..7),
        form in form(),
        all in any::<bool>(),
        batch_rows in 1_usize..40,
        drop_deletes in any::<bool>(),
    ) {
        let numbered = |shown: bool| -> Vec<Vec<Record>> {
            let run = |(i, run): (i64, &Vec<Record>)| {
                let number = |r: &Record| if shown { r.sequence + 100 * i } else { 7 };
                run.iter().map(|r| Record { sequence: number(r), ..r.clone() }).collect()
            };
            (0..).zip(&runs).map(run).collect()
        };
        let ordered = SortMergeOptions { ordered_runs: true, ..options(batch_rows, drop_deletes) };
        let readers = numbered(true).iter().map(|records| run(form, records, batch_rows)).collect();
        let expected = merge(readers, all, ordered);
        prop_assert_eq!(&expected, &deduplicated(&numbered(true), drop_deletes));
        let readers = numbered(false).iter().map(|records| run(form, records, batch_rows)).collect();
        let merged = merge(readers, all, ordered);
        let expected: Vec<_> = expected.into_iter().map(|r| Record { sequence: 7, ..r }).collect();
        prop_assert_eq!(merged, expected);
    }

    /// Records with distinct sequence numbers may lie in any runs, merged in any steps.
    #[test]
    fn any_split_into_runs_merges_to_the_same(
        rows in prop::collection::vec((-40_i64..40, 0_i8..4, 0_usize..6), 0..200),
        form in form(),
        batch_rows in 1_usize..40,
        merged_first in 0_usize..6,
    ) {
        let all: Vec<Record> =
            rows.iter().zip(0..).map(|(&(key, kind, _), seq)| record(key, seq, kind)).collect();
        let mut runs = vec![BTreeMap::<i64, Record>::new(); 6];
        for (record, &(_, _, run)) in all.iter().zip(&rows) {
            runs[run].insert(record.key, record.clone());
        }
        let keep = options(batch_rows, false);
        let mut readers: Vec<_> = runs
            .into_iter()
            .map(|r| run(form, &r.into_values().collect::<Vec<_>>(), batch_rows))
            .collect();
        let rest = readers.split_off(merged_first);
        let first = SortMerge::new(readers, deduplicate(false), keep);
        let both: Vec<Box<dyn RunReader>> = std::iter::once(Box::new(first) as _).chain(rest).collect();
        let drop = options(batch_rows, true);
        prop_assert_eq!(merge(both, false, drop), deduplicated(&[all], true));
    }
}

/// Long stretches: what goes through as slices instead of being gathered.
#[test]
fn long_runs_that_overlap_in_parts_merge_as_a_map_says() {
    for form in [KeyForm::I64, KeyForm::Rows] {
        for (stretch, batch_rows) in [(1, 4096), (100, 700), (3000, 4096), (3000, 512)] {
            let run_of = |parity: i64| -> Vec<Record> {
                (0..9000)
                    .filter(|k| k / stretch % 2 == parity || k % 7 == 0)
                    .map(|k| record(k, k % 5 + parity, i8::try_from(k % 4).unwrap()))
                    .collect()
            };
            let runs = [run_of(0), run_of(1)];
            for drop_deletes in [false, true] {
                let readers = runs.iter().map(|records| run(form, records, 2048)).collect();
                let options = options(batch_rows, drop_deletes);
                assert_eq!(merge(readers, false, options), deduplicated(&runs, drop_deletes));
            }
        }
    }
}

#[test]
fn runs_that_do_not_overlap_go_through_without_a_copy() {
    let low: Vec<_> = (0..4000).map(|k| record(k, 1, 0)).collect();
    let high: Vec<_> = (4000..8000).map(|k| record(k, 0, 0)).collect();
    let batches: Vec<_> = [&low, &high].map(|r| batch(KeyForm::I64, r)).into();
    let address = |batch: &KeyValueBatch| batch.values.column(1).to_data().buffers()[1].as_ptr();
    let expected: Vec<_> = batches.iter().map(address).collect();
    let runs = batches
        .into_iter()
        .rev()
        .map(|batch| Box::new(BatchesRun::new(vec![batch])) as Box<dyn RunReader>)
        .collect();
    let merge = SortMerge::new(runs, Arc::new(Deduplicate), SortMergeOptions::default());
    let merged: Vec<_> = merge.map(Result::unwrap).collect();
    assert_eq!(merged.iter().map(address).collect::<Vec<_>>(), expected);
}

#[test]
fn of_equal_sequence_numbers_the_later_run_wins() {
    for all in [false, true] {
        let older = [record(1, 5, 0), record(2, 5, 3)];
        let newer = [record(1, 5, 2), record(2, 4, 0)];
        let runs = vec![run(KeyForm::I64, &older, 9), run(KeyForm::I64, &newer, 9)];
        let merged = merge(runs, all, SortMergeOptions::default());
        assert_eq!(merged, [record(1, 5, 2), record(2, 5, 3)]);
    }
}

fn first_error(runs: Vec<Box<dyn RunReader>>, batch_rows: usize) -> LsmError {
    let options = options(batch_rows, false);
    let mut merge = SortMerge::new(runs, Arc::new(Deduplicate), options);
    let error = loop {
        match merge.next_batch() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("no error"),
            Err(error) => break error,
        }
    };
    assert!(matches!(merge.next_batch(), Ok(None)));
    error
}

#[test]
fn a_run_out_of_order_is_an_error() {
    for form in [KeyForm::I64, KeyForm::Rows] {
        let records = [record(1, 0, 0), record(3, 0, 0), record(3, 1, 0)];
        let error = first_error(vec![run(form, &records, 9)], 8);
        assert!(matches!(error, LsmError::NotSorted { run: 0, batch: 1, row: 2 }), "{error}");
        let error = first_error(vec![run(form, &[], 1), run(form, &records, 2)], 8);
        assert!(matches!(error, LsmError::NotSorted { run: 1, batch: 2, row: 0 }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn batches_that_do_not_fit_each_other_are_an_error() {
    let one = [record(1, 0, 0)];
    let error = first_error(vec![run(KeyForm::I64, &one, 1), run(KeyForm::Rows, &one, 1)], 8);
    assert!(matches!(error, LsmError::MixedKeys), "{error}");

    let mut narrow = batch(KeyForm::I64, &one);
    narrow.values = narrow.values.project(&[0]).unwrap();
    let narrow = Box::new(BatchesRun::new(vec![narrow]));
    let error = first_error(vec![run(KeyForm::I64, &one, 1), narrow], 8);
    assert!(matches!(error, LsmError::MixedColumns { .. }), "{error}");

    let mut short = batch(KeyForm::I64, &one);
    short.kinds = vec![0_i8, 0].into();
    let error = first_error(vec![Box::new(BatchesRun::new(vec![short]))], 8);
    assert!(matches!(error, LsmError::Lengths { keys: 1, kinds: 2, .. }), "{error}");

    let mut unknown = batch(KeyForm::I64, &one);
    unknown.kinds = vec![4_i8].into();
    let error = first_error(vec![Box::new(BatchesRun::new(vec![unknown]))], 8);
    assert!(matches!(error, LsmError::RowKind { row: 0, kind: 4 }), "{error}");

    let error = first_error(vec![run(KeyForm::I64, &one, 1)], 0);
    assert!(matches!(error, LsmError::EmptyBatches), "{error}");
}

struct Failing;

impl RunReader for Failing {
    fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        Err(LsmError::source(ErrorKind::Unavailable, "the store is away"))
    }
}

#[test]
fn the_error_of_a_run_keeps_its_kind() {
    assert_eq!(first_error(vec![Box::new(Failing)], 8).kind(), ErrorKind::Unavailable);
}

#[test]
fn values_without_columns_keep_their_count() {
    let strip = |records: &[Record]| {
        let mut batch = batch(KeyForm::I64, records);
        batch.values = batch.values.project(&[]).unwrap();
        Box::new(BatchesRun::new(vec![batch])) as Box<dyn RunReader>
    };
    let runs = vec![
        strip(&[record(1, 0, 0), record(3, 0, 0)]),
        strip(&[record(1, 1, 0), record(2, 1, 0)]),
    ];
    let merge = SortMerge::new(runs, Arc::new(Deduplicate), SortMergeOptions::default());
    let rows: usize = merge.map(|batch| batch.unwrap().values.num_rows()).sum();
    assert_eq!(rows, 3);
}
