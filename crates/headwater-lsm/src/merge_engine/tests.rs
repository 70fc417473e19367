//! Engines against a model that goes record by record.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use headwater_spec::options::MergeOptions;
use headwater_spec::schema::NewTable;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataType, TableSchema};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest};

use super::MergeRules;
use crate::error::LsmError;
use crate::key_value::{DELETE, INSERT, KeyEncoder, UPDATE_AFTER, UPDATE_BEFORE, is_retract};
use crate::merge::{SortMerge, SortMergeOptions};
use crate::run::RunReader;
use crate::sort_buffer::SortBuffer;

type Value = Option<i64>;
/// Kind and values, the key first.
type Row = (i8, Vec<Value>);
/// Sequence number too.
type Stored = (i64, i8, Vec<Value>);

/// A table of BIGINT columns whose first one is the key.
fn table(columns: &[&str], options: &[(&str, &str)]) -> TableSchema {
    let mut table = NewTable::new().option("bucket", "1").primary_key([columns[0]]);
    for column in columns {
        table = table.column(*column, DataType::parse("BIGINT").unwrap());
    }
    for (key, value) in options {
        table = table.option(*key, *value);
    }
    table.into_schema(0).unwrap()
}

/// A run of the rows, whose sequence numbers go on from `first`; and how many came late.
fn flushed(
    schema: &TableSchema,
    rows: &[Row],
    first: i64,
) -> Result<(Vec<crate::KeyValueBatch>, u64), LsmError> {
    let options = MergeOptions::parse(schema).unwrap();
    let rules = MergeRules::new(schema, &options);
    let mut buffer = SortBuffer::new().ordered_by(rules.order(&schema.fields)?);
    let encoder = KeyEncoder::new(&[schema.fields[0].data_type.clone()])?;
    // Several batches, so that values come from several places.
    let mut next = first;
    for rows in rows.chunks(3) {
        let columns: Vec<ArrayRef> = (0..schema.fields.len())
            .map(|c| Arc::new(rows.iter().map(|r| r.1[c]).collect::<Int64Array>()) as ArrayRef)
            .collect();
        let keys = encoder.encode(&columns[..1])?;
        let batch = RecordBatch::try_new(arrow_schema(&schema.row_type()), columns).unwrap();
        let kinds: Vec<i8> = rows.iter().map(|r| r.0).collect();
        buffer.add(keys, next, Some(kinds.into()), batch)?;
        next += i64::try_from(rows.len()).unwrap();
    }
    let mut drain = buffer.drain(rules.function(&schema.fields)?, 4)?;
    let mut batches = Vec::new();
    while let Some(batch) = drain.next_batch()? {
        batches.push(batch);
    }
    Ok((batches, drain.older_rows()))
}

fn stored(batches: &[crate::KeyValueBatch]) -> Vec<Stored> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.len() {
            let value = |column: &ArrayRef| {
                let column = column.as_primitive::<Int64Type>();
                column.is_valid(row).then(|| column.value(row))
            };
            let values = batch.values.columns().iter().map(value).collect();
            rows.push((batch.sequence.value(row), batch.kinds.value(row), values));
        }
    }
    rows
}

/// What a reader sees of several flushes.
fn read(schema: &TableSchema, flushes: &[&[Row]]) -> Result<Vec<Row>, LsmError> {
    let options = MergeOptions::parse(schema).unwrap();
    let rules = MergeRules::new(schema, &options);
    let mut runs: Vec<Box<dyn RunReader>> = Vec::new();
    let mut first = 0;
    for rows in flushes {
        let (batches, _) = flushed(schema, rows, first)?;
        runs.push(Box::new(crate::BatchesRun::new(batches)));
        first += i64::try_from(rows.len()).unwrap();
    }
    let merge_options = SortMergeOptions { batch_rows: 5, drop_deletes: true, ordered_runs: false };
    let merge = SortMerge::new(runs, rules.function(&schema.fields)?, merge_options)
        .ordered_by(rules.order(&schema.fields)?);
    let batches = merge.collect::<Result<Vec<_>, _>>()?;
    Ok(stored(&batches).into_iter().map(|(_, kind, values)| (kind, values)).collect())
}

fn row(kind: i8, values: &[impl Into<Value> + Copy]) -> Row {
    (kind, values.iter().map(|v| (*v).into()).collect())
}

const PARTIAL: (&str, &str) = ("merge-engine", "partial-update");

#[test]
fn partial_update_keeps_the_newest_values_that_are_not_null() {
    let schema = table(&["k", "a", "b"], &[PARTIAL]);
    let one = [row(INSERT, &[Some(1), Some(10), None]), row(INSERT, &[Some(2), None, None])];
    let two = [row(UPDATE_AFTER, &[Some(1), None, Some(20)])];
    let merged = [row(INSERT, &[Some(1), Some(10), Some(20)]), row(INSERT, &[Some(2), None, None])];
    assert_eq!(read(&schema, &[&one, &two]).unwrap(), merged);
    let both: Vec<Row> = one.iter().chain(&two).cloned().collect();
    assert_eq!(read(&schema, &[&both]).unwrap(), merged);
}

#[test]
fn a_lone_record_passes_untouched() {
    for engine in ["partial-update", "aggregation", "first-row", "deduplicate"] {
        let schema = table(&["k", "a"], &[("merge-engine", engine)]);
        for kind in [INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE] {
            let (batches, older) = flushed(&schema, &[row(kind, &[7, 5])], 3).unwrap();
            assert_eq!(stored(&batches), [(3, kind, vec![Some(7), Some(5)])], "{engine}");
            assert_eq!(older, 0);
        }
    }
}

#[test]
fn retractions_without_a_rule_are_an_error_that_names_the_options() {
    for (engine, option) in [
        ("partial-update", "partial-update.remove-record-on-delete"),
        ("first-row", "ignore-delete"),
    ] {
        let schema = table(&["k", "a"], &[("merge-engine", engine)]);
        let rows = [row(INSERT, &[1, 5]), row(DELETE, &[1, 5])];
        let error = flushed(&schema, &rows, 0).unwrap_err().to_string();
        assert!(error.contains(option) && error.contains(engine), "{error}");
    }
}

#[test]
fn a_delete_removes_the_row_where_the_option_says_so() {
    let remove = ("partial-update.remove-record-on-delete", "true");
    let schema = table(&["k", "a", "b"], &[PARTIAL, remove]);
    let rows = [row(INSERT, &[1, 5, 6]), row(DELETE, &[1, 5, 6])];
    assert_eq!(read(&schema, &[&rows[..1], &rows[1..]]).unwrap(), []);
    let (batches, _) = flushed(&schema, &rows, 0).unwrap();
    assert_eq!(stored(&batches), [(1, DELETE, vec![Some(1), Some(5), Some(6)])]);
    // -U changes nothing.
    let rows = [row(INSERT, &[1, 5, 6]), row(UPDATE_BEFORE, &[1, 9, 9])];
    assert_eq!(read(&schema, &[&rows]).unwrap(), [row(INSERT, &[1, 5, 6])]);
}

/// The observations of the format notes.
#[test]
fn a_sequence_group_decides_about_its_columns() {
    let schema = table(&["k", "g", "v", "w"], &[PARTIAL, ("fields.g.sequence-group", "v")]);
    let rows = [
        row(INSERT, &[Some(1), Some(2), Some(10), None]),
        row(INSERT, &[Some(1), Some(1), Some(20), Some(7)]),
        row(INSERT, &[Some(1), Some(2), None, None]),
        row(INSERT, &[Some(1), None, Some(99), Some(8)]),
        row(DELETE, &[1, 3, 1, 1]),
    ];
    for (count, expected) in [
        (2, row(INSERT, &[Some(1), Some(2), Some(10), Some(7)])),
        (3, row(INSERT, &[Some(1), Some(2), None, Some(7)])),
        (4, row(INSERT, &[Some(1), Some(2), None, Some(8)])),
        (5, row(INSERT, &[Some(1), Some(3), None, Some(8)])),
    ] {
        let found = read(&schema, &[&rows[..count]]).unwrap();
        assert_eq!(found, std::slice::from_ref(&expected), "{count}");
        let single: Vec<&[Row]> = rows[..count].chunks(1).collect();
        assert_eq!(read(&schema, &single).unwrap(), [expected], "{count}");
    }
    assert_eq!(flushed(&schema, &rows[..2], 0).unwrap().1, 1);
}

#[test]
fn a_delete_of_a_listed_group_removes_the_row() {
    let options = [
        PARTIAL,
        ("fields.g.sequence-group", "v"),
        ("partial-update.remove-record-on-sequence-group", "g"),
    ];
    let schema = table(&["k", "g", "v", "w"], &options);
    let first = row(INSERT, &[1, 2, 10, 7]);
    let late = row(DELETE, &[1, 1, 10, 7]);
    let newest = row(DELETE, &[1, 2, 10, 7]);
    assert_eq!(read(&schema, &[&[first.clone(), late]]).unwrap(), std::slice::from_ref(&first));
    assert_eq!(read(&schema, &[&[first], &[newest]]).unwrap(), []);
}

#[test]
fn aggregation_folds_and_takes_back() {
    let options = [
        ("merge-engine", "aggregation"),
        ("fields.s.aggregate-function", "sum"),
        ("fields.m.aggregate-function", "max"),
        ("fields.m.ignore-retract", "true"),
    ];
    let schema = table(&["k", "s", "m", "n"], &options);
    let rows = [
        row(INSERT, &[Some(1), Some(5), Some(9), Some(1)]),
        row(UPDATE_BEFORE, &[Some(1), Some(2), Some(8), None]),
        row(UPDATE_AFTER, &[Some(1), Some(4), Some(10), None]),
        row(INSERT, &[2, 1, 1, 1]),
    ];
    let expected =
        [row(INSERT, &[Some(1), Some(7), Some(10), Some(1)]), row(INSERT, &[2, 1, 1, 1])];
    assert_eq!(read(&schema, &[&rows]).unwrap(), expected);
    assert_eq!(read(&schema, &[&rows[..2], &rows[2..]]).unwrap(), expected);
    // A lone retraction is stored with its value, and taken for a value by the next merge.
    let lone = [row(DELETE, &[1, 5, 0, 0]), row(INSERT, &[1, 3, 0, 0])];
    let (batches, _) = flushed(&schema, &lone, 0).unwrap();
    assert_eq!(stored(&batches)[0].2[1], Some(-2));
}

#[test]
fn an_aggregated_row_is_removed_where_the_option_says_so() {
    let options = [
        ("merge-engine", "aggregation"),
        ("fields.s.aggregate-function", "sum"),
        ("aggregation.remove-record-on-delete", "true"),
    ];
    let schema = table(&["k", "s"], &options);
    let rows = [row(INSERT, &[1, 1]), row(DELETE, &[1, 100]), row(INSERT, &[1, 5])];
    assert_eq!(read(&schema, &[&rows[..2]]).unwrap(), []);
    // As in Java, what comes after the delete in the same merge adds to the values of the delete.
    assert_eq!(read(&schema, &[&rows]).unwrap(), [row(INSERT, &[1, 105])]);
}

#[test]
fn first_row_keeps_the_first() {
    let ignore = ("ignore-delete", "true");
    let schema = table(&["k", "a"], &[("merge-engine", "first-row"), ignore]);
    let rows = [row(DELETE, &[1, 4]), row(INSERT, &[1, 5]), row(UPDATE_AFTER, &[1, 6])];
    assert_eq!(read(&schema, &[&rows]).unwrap(), [row(INSERT, &[1, 5])]);
}

#[test]
fn deduplicate_passes_over_deletes_that_are_ignored() {
    let schema = table(&["k", "a"], &[("ignore-delete", "true")]);
    let rows = [row(INSERT, &[1, 5]), row(DELETE, &[1, 5]), row(DELETE, &[2, 1])];
    assert_eq!(read(&schema, &[&rows]).unwrap(), [row(INSERT, &[1, 5])]);
}

#[test]
fn the_sequence_field_decides_in_both_directions_and_counts_late_rows() {
    for (order, newest) in [("ascending", 9), ("descending", 3)] {
        let options = [("sequence.field", "s"), ("sequence.field.sort-order", order)];
        let schema = table(&["k", "s", "v"], &options);
        let rows = [
            row(INSERT, &[Some(1), Some(5), Some(0)]),
            row(INSERT, &[Some(1), Some(9), Some(1)]),
            row(INSERT, &[Some(1), Some(3), Some(2)]),
            row(INSERT, &[Some(1), None, Some(3)]),
            row(INSERT, &[Some(1), Some(newest), Some(4)]),
        ];
        let expected = [row(INSERT, &[1, newest, 4])];
        assert_eq!(read(&schema, &[&rows]).unwrap(), expected, "{order}");
        let single: Vec<&[Row]> = rows.chunks(1).collect();
        assert_eq!(read(&schema, &single).unwrap(), expected, "{order}");
        assert_eq!(flushed(&schema, &rows, 0).unwrap().1, 2, "{order}");
    }
}

const GROUPED: [&str; 9] = ["k", "g", "a", "s", "h", "i", "b", "c", "o"];

fn grouped() -> TableSchema {
    let options = [
        PARTIAL,
        ("fields.g.sequence-group", "a,s"),
        ("fields.s.aggregate-function", "sum"),
        ("fields.h,i.sequence-group", "b,c"),
        ("partial-update.remove-record-on-sequence-group", "i"),
    ];
    table(&GROUPED, &options)
}

/// One key of [`grouped`], record by record.
fn model(records: &[Stored]) -> Stored {
    if let [one] = records {
        return one.clone();
    }
    let groups: [(&[usize], &[usize]); 2] = [(&[1], &[2, 3]), (&[4, 5], &[6, 7])];
    let (mut values, mut filled, mut inserted) = (vec![None; 9], false, false);
    let (mut removed, mut number) = (false, 0);
    for (sequence, kind, input) in records {
        removed = false;
        number = *sequence;
        let retracts = is_retract(*kind);
        if retracts && !filled {
            values.clone_from(input);
        }
        filled = true;
        inserted |= !retracts;
        let of = |values: &[Value], at: &[usize]| at.iter().map(|&c| values[c]).collect::<Vec<_>>();
        let counts = |at: &[usize]| at.iter().any(|&c| input[c].is_some());
        if *kind == DELETE
            && counts(groups[1].0)
            && of(input, groups[1].0) >= of(&values, groups[1].0)
        {
            values.clone_from(input);
            removed = true;
            continue;
        }
        for (by, columns) in groups {
            if !counts(by) {
                continue;
            }
            let wins = of(input, by) >= of(&values, by);
            for &column in columns {
                let sums = column == 3;
                let old = values[column];
                let add = |sign: i64| match (old, input[column]) {
                    (Some(old), Some(new)) => Some(old.wrapping_add(new.wrapping_mul(sign))),
                    (old, None) => old,
                    (None, Some(new)) => Some(new.wrapping_mul(sign)),
                };
                values[column] = match (retracts, wins) {
                    (false, _) if sums => add(1),
                    (true, _) if sums => add(-1),
                    (false, true) => input[column],
                    (true, true) => None,
                    (_, false) => old,
                };
            }
            if wins {
                by.iter().for_each(|&column| values[column] = input[column]);
            }
        }
        if !retracts && input[8].is_some() {
            values[8] = input[8];
        }
        values[0] = input[0];
    }
    (number, if removed || !inserted { DELETE } else { INSERT }, values)
}

fn record(kinds: bool) -> impl Strategy<Value = Row> {
    let value = || prop::option::weighted(0.7, 0_i64..4);
    let kind = if kinds { 0_i8..4 } else { 0..1 };
    (kind, 0_i64..5, prop::collection::vec(value(), 8))
        .prop_map(|(kind, key, rest)| (kind, std::iter::once(Some(key)).chain(rest).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sequence_groups_do_what_the_model_says(
        rows in any::<bool>().prop_flat_map(|kinds| prop::collection::vec(record(kinds), 1..40)),
    ) {
        let schema = grouped();
        let mut by_key = BTreeMap::<Value, Vec<Stored>>::new();
        for (number, (kind, values)) in (0..).zip(&rows) {
            by_key.entry(values[0]).or_default().push((number, *kind, values.clone()));
        }
        let expected: Vec<Stored> = by_key.values().map(|records| model(records)).collect();
        let (batches, _) = flushed(&schema, &rows, 0).unwrap();
        prop_assert_eq!(stored(&batches), expected);
    }

    /// Without retractions it does not matter how rows come to be merged, nor which columns are
    /// asked for.
    #[test]
    fn inserts_merge_to_the_same_in_any_flushes(
        flushes in prop::collection::vec(prop::collection::vec(record(false), 1..15), 1..5),
    ) {
        let schema = grouped();
        let all: Vec<Row> = flushes.iter().flatten().cloned().collect();
        let parts: Vec<&[Row]> = flushes.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(read(&schema, &parts).unwrap(), read(&schema, &[&all]).unwrap());
    }

    /// Whatever the order of arrival, the largest sequence value wins.
    #[test]
    fn the_sequence_field_decides_in_any_flushes(
        flushes in prop::collection::vec(
            prop::collection::vec((0_i64..4, prop::option::of(0_i64..6), 0_i64..100), 1..12),
            1..5,
        ),
        descending in any::<bool>(),
    ) {
        let order = if descending { "descending" } else { "ascending" };
        let options = [("sequence.field", "s"), ("sequence.field.sort-order", order)];
        let schema = table(&["k", "s", "v"], &options);
        let flushes: Vec<Vec<Row>> = flushes
            .into_iter()
            .map(|rows| rows.into_iter().map(|(k, s, v)| row(INSERT, &[Some(k), s, Some(v)])).collect())
            .collect();
        let mut newest = BTreeMap::<Value, Row>::new();
        for row in flushes.iter().flatten() {
            let rank = |s: Value| s.map(|s| if descending { -s } else { s });
            let old = newest.entry(row.1[0]).or_insert_with(|| row.clone());
            if rank(row.1[1]) >= rank(old.1[1]) {
                *old = row.clone();
            }
        }
        let parts: Vec<&[Row]> = flushes.iter().map(Vec::as_slice).collect();
        let expected: Vec<Row> = newest.into_values().collect();
        prop_assert_eq!(read(&schema, &parts).unwrap(), expected);
    }
}
