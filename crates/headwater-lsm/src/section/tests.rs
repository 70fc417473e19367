use std::cmp::Ordering;

use headwater_spec::Datum;
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::{key_order, sections};

/// Key range and number of a file.
type File = (i32, i32, usize);

fn cut(files: Vec<File>) -> Vec<Vec<Vec<File>>> {
    sections(files, |f| f.0, |f| f.1, Ord::cmp)
}

fn files() -> impl Strategy<Value = Vec<File>> {
    prop::collection::vec((0..100, 0..15), 0..40).prop_map(|ranges| {
        ranges.into_iter().enumerate().map(|(i, (min, len))| (min, min + len, i)).collect()
    })
}

proptest! {
    #[test]
    fn sections_are_disjoint_and_in_order_and_their_runs_do_not_overlap(files in files()) {
        let cut = cut(files.clone());
        for section in &cut {
            prop_assert!(!section.is_empty());
            for run in section {
                prop_assert!(!run.is_empty());
                prop_assert!(run.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", run);
            }
        }
        for pair in cut.windows(2) {
            let end = pair[0].iter().flatten().map(|f| f.1).max();
            let start = pair[1].iter().flatten().map(|f| f.0).min();
            prop_assert!(end < start, "{:?}", pair);
        }
        let mut all: Vec<_> = cut.into_iter().flatten().flatten().collect();
        all.sort_by_key(|f| f.2);
        prop_assert_eq!(all, files);
    }

    /// Sections are as small and runs as few as they can be.
    #[test]
    fn sections_hang_together_and_have_as_few_runs_as_files_meet_in_a_key(files in files()) {
        for section in cut(files) {
            let all: Vec<_> = section.iter().flatten().collect();
            let depth =
                all.iter().map(|f| all.iter().filter(|g| g.0 <= f.0 && f.0 <= g.1).count()).max();
            prop_assert_eq!(Some(section.len()), depth);
            let (start, end) =
                (all.iter().map(|f| f.0).min().unwrap(), all.iter().map(|f| f.1).max().unwrap());
            for key in start..end {
                // No cut between `key` and the next key: some file holds `key` and goes on, or
                // one that starts at `key + 1` would have begun a section of its own.
                prop_assert!(
                    !all.iter().any(|f| f.0 == key + 1) || all.iter().any(|f| f.0 <= key && f.1 > key),
                    "{:?} could be cut after {}", all, key
                );
            }
        }
    }

    #[test]
    fn key_order_is_a_total_order_of_equal_columns(
        a in prop::collection::vec(any::<Option<i32>>(), 2),
        b in prop::collection::vec(any::<Option<i32>>(), 2),
    ) {
        let datums = |key: &[Option<i32>]| key.iter().map(|v| v.map(Datum::Int)).collect::<Vec<_>>();
        // `Option` orders `None` first as well.
        prop_assert_eq!(key_order(&datums(&a), &datums(&b)), Some(a.cmp(&b)));
    }
}

#[test]
fn keys_of_different_columns_have_no_order() {
    assert_eq!(key_order(&[Some(Datum::Int(1))], &[Some(Datum::BigInt(1))]), None);
    assert_eq!(key_order(&[Some(Datum::Int(1))], &[]), None);
    assert_eq!(key_order(&[], &[]), Some(Ordering::Equal));
}

#[test]
fn a_file_joins_the_run_that_ends_first() {
    let files = vec![(0, 9, 0), (1, 3, 1), (4, 5, 2), (6, 20, 3), (10, 12, 4), (21, 22, 5)];
    let expected = vec![
        vec![vec![(0, 9, 0), (10, 12, 4)], vec![(1, 3, 1), (4, 5, 2), (6, 20, 3)]],
        vec![vec![(21, 22, 5)]],
    ];
    assert_eq!(cut(files), expected);
}

#[test]
fn files_that_share_one_key_share_a_section() {
    assert_eq!(cut(vec![(0, 5, 0), (5, 9, 1)]), [[[(0, 5, 0)], [(5, 9, 1)]]]);
    assert_eq!(cut(vec![]), Vec::<Vec<Vec<File>>>::new());
}
