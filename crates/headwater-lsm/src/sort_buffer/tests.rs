use std::sync::Arc;

use arrow::array::Int8Array;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

use super::{SMALL_ROWS, SortBuffer};
use crate::error::LsmError;
use crate::merge_engine::Deduplicate;
use crate::test_data::{KeyForm, Record, deduplicate, deduplicated, keys, record, records, values};

fn add(
    buffer: &mut SortBuffer,
    form: KeyForm,
    first: i64,
    rows: &[Record],
) -> Result<(), LsmError> {
    let kinds = rows
        .iter()
        .any(|r| r.kind != 0)
        .then(|| rows.iter().map(|r| r.kind).collect::<Vec<_>>().into());
    buffer.add(keys(form, rows.iter().map(|r| r.key)), first, kinds, values(rows))
}

fn drained(buffer: &mut SortBuffer, all: bool, batch_rows: usize) -> Vec<Record> {
    let drain = buffer.drain(deduplicate(all), batch_rows).unwrap();
    let batches: Vec<_> = drain.map(Result::unwrap).collect();
    for batch in &batches {
        assert!(!batch.is_empty() && batch.len() <= batch_rows);
    }
    records(&batches)
}

/// Adds rows in batches of `sizes` rows, again and again, leaving `gap` sequence numbers between
/// them; gives back the rows with their numbers.
fn fill(
    buffer: &mut SortBuffer,
    form: KeyForm,
    rows: &[(i64, i8)],
    sizes: &[usize],
    gap: i64,
) -> Vec<Record> {
    let (mut all, mut sequence, mut sizes) = (Vec::new(), 100, sizes.iter().cycle());
    let mut rest = rows;
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap()).min(rest.len());
        let (now, later) = rest.split_at(size);
        let batch: Vec<_> =
            now.iter().zip(sequence..).map(|(&(key, kind), seq)| record(key, seq, kind)).collect();
        add(buffer, form, sequence, &batch).unwrap();
        sequence += i64::try_from(size).unwrap() + gap;
        all.extend(batch);
        rest = later;
    }
    all
}

fn form(native: bool) -> KeyForm {
    if native { KeyForm::I64 } else { KeyForm::Rows }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_buffer_gives_what_a_map_says(
        rows in prop::collection::vec((-80_i64..80, 0_i8..4), 0..400),
        sizes in prop::collection::vec(1_usize..90, 1..5),
        native in any::<bool>(),
        all in any::<bool>(),
        batch_rows in 1_usize..100,
        gap in 0_i64..2,
    ) {
        let mut buffer = SortBuffer::new();
        let added = fill(&mut buffer, form(native), &rows, &sizes, gap);
        prop_assert_eq!(buffer.rows(), rows.len());
        prop_assert_eq!(buffer.memory_size() == 0, rows.is_empty());
        let expected = deduplicated(&[added], false);
        prop_assert_eq!(drained(&mut buffer, all, batch_rows), expected);
        prop_assert!(buffer.is_empty() && buffer.memory_size() == 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]

    /// Enough rows for the radix sort, in batches that are joined and batches that are not, with
    /// keys from narrow to so wide that they share no word with a position.
    #[test]
    fn a_large_buffer_gives_what_a_map_says(
        seed in any::<u64>(),
        key_bits in 1_u32..64,
        sizes in prop::collection::vec(1_usize..2 * SMALL_ROWS, 1..4),
        native in any::<bool>(),
        all in any::<bool>(),
    ) {
        let mut state = seed | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.cast_signed()
        };
        let rows: Vec<(i64, i8)> = (0..5000)
            .map(|_| (next() >> (64 - key_bits), i8::try_from(next() & 3).unwrap()))
            .collect();
        let mut buffer = SortBuffer::new();
        let added = fill(&mut buffer, form(native), &rows, &sizes, 0);
        let expected = deduplicated(&[added], false);
        prop_assert_eq!(drained(&mut buffer, all, 777), expected);
    }
}

#[test]
fn the_extreme_keys_are_sorted() {
    let rows = [(i64::MAX, 0), (0, 0), (i64::MIN, 3), (-1, 0), (i64::MAX, 2), (i64::MIN, 0)];
    let mut buffer = SortBuffer::new();
    let added = fill(&mut buffer, KeyForm::I64, &rows, &[4], 0);
    assert_eq!(drained(&mut buffer, false, 10), deduplicated(&[added], false));
}

#[test]
fn a_single_record_passes_untouched() {
    for kind in 0..4 {
        for all in [false, true] {
            let mut buffer = SortBuffer::new();
            add(&mut buffer, KeyForm::I64, 7, &[record(1, 7, kind)]).unwrap();
            assert_eq!(drained(&mut buffer, all, 10), [record(1, 7, kind)]);
        }
    }
}

#[test]
fn a_buffer_can_be_filled_again_with_later_sequence_numbers_only() {
    let mut buffer = SortBuffer::new();
    add(&mut buffer, KeyForm::I64, 0, &[record(1, 0, 0), record(2, 1, 0)]).unwrap();
    assert_eq!(drained(&mut buffer, false, 10).len(), 2);
    let error = add(&mut buffer, KeyForm::I64, 1, &[record(3, 1, 0)]).unwrap_err();
    assert!(matches!(error, LsmError::SequenceBackwards { first: 1, next: 2 }), "{error}");
    add(&mut buffer, KeyForm::I64, 2, &[record(3, 2, 0)]).unwrap();
    assert_eq!(drained(&mut buffer, false, 10), [record(3, 2, 0)]);
}

#[test]
fn rows_that_do_not_fit_are_refused_and_leave_the_buffer_as_it_was() {
    let rows = [record(1, 0, 0)];
    let mut buffer = SortBuffer::new();
    add(&mut buffer, KeyForm::I64, 0, &rows).unwrap();
    let (key, size) = (|| keys(KeyForm::I64, std::iter::once(1)), buffer.memory_size());

    let error = add(&mut buffer, KeyForm::Rows, 1, &rows).unwrap_err();
    assert!(matches!(error, LsmError::MixedKeys), "{error}");
    let error = buffer.add(key(), 1, Some(Int8Array::from(vec![9])), values(&rows)).unwrap_err();
    assert!(matches!(error, LsmError::RowKind { row: 0, kind: 9 }), "{error}");
    let nulls = Int8Array::from(vec![None::<i8>]);
    let error = buffer.add(key(), 1, Some(nulls), values(&rows)).unwrap_err();
    assert!(matches!(error, LsmError::NullPart { nulls: 1, .. }), "{error}");
    let error = buffer.add(key(), 1, None, values(&[])).unwrap_err();
    assert!(matches!(error, LsmError::Lengths { keys: 1, values: 0, .. }), "{error}");
    let error = buffer.add(key(), i64::MAX, None, values(&rows)).unwrap_err();
    assert!(matches!(error, LsmError::SequenceOverflow { .. }), "{error}");
    let narrow = values(&rows).project(&[0]).unwrap();
    let error = buffer.add(key(), 1, None, narrow).unwrap_err();
    assert!(matches!(error, LsmError::MixedColumns { .. }), "{error}");
    let error = buffer.drain(Arc::new(Deduplicate), 0).unwrap_err();
    assert!(matches!(error, LsmError::EmptyBatches), "{error}");

    assert_eq!(buffer.memory_size(), size);
    assert_eq!(drained(&mut buffer, false, 10), rows);
}
