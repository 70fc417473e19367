//! Cases with a name: seeds that once failed, as `differential.rs` printed them, and what results
//! of merges depend on (`compat/deviations.md#merging-what-depends-on-when-records-meet`).

use headwater_testkit::require_java;

use super::case::Case;
use super::play::play;

/// Plays a case of `cases/`.
fn agrees(name: &str, text: &str) {
    let Some(oracle) = require_java(name) else { return };
    let case = Case::from_json(&serde_json::from_str(text).unwrap());
    if let Err(wrong) = play(&case, oracle) {
        panic!("{name}: {}\n{}", wrong.text(), case.pretty());
    }
}

/// A test of each case, which is in `cases/<name>.json`.
macro_rules! cases {
    ($($name:ident,)*) => {$(
        #[test]
        fn $name() {
            agrees(stringify!($name), include_str!(concat!("cases/", stringify!($name), ".json")));
        }
    )*};
}

cases! {
    a_group_without_sequence_shows_until_it_is_merged,
    a_lone_array_is_not_made_distinct,
    a_lone_delete_is_taken_back_from_nothing,
    columns_that_no_file_has_are_null,
    inserts_after_a_removal_add_to_the_removed_row,
    only_deletes_in_a_group_are_a_delete,
    statistics_of_nothing_but_nan,
    the_function_of_keys_may_ignore_retractions,
    the_smaller_value_is_newer_across_files,
    values_of_a_removed_row_show_through_nulls,
}
