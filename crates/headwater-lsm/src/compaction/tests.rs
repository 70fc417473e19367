use super::{Pick, Picker, PickerOptions, RunSize, pick_full};

fn runs(sizes: &[(usize, u64)]) -> Vec<RunSize> {
    sizes.iter().map(|&(level, bytes)| RunSize { level, bytes, files: 1 }).collect()
}

fn pick(options: PickerOptions, sizes: &[(usize, u64)]) -> Option<Pick> {
    Picker::new(options).pick(6, &runs(sizes), 0, 0)
}

#[test]
fn few_runs_wait() {
    assert_eq!(pick(PickerOptions::default(), &[]), None);
    assert_eq!(pick(PickerOptions::default(), &[(0, 1), (0, 1), (0, 1), (5, 9)]), None);
}

#[test]
fn much_above_the_last_run_means_everything() {
    let everything = Some(Pick { runs: 5, output_level: 5 });
    let sizes = [(0, 51), (0, 50), (0, 50), (0, 50), (5, 100)];
    assert_eq!(pick(PickerOptions::default(), &sizes), everything);
}

#[test]
fn runs_of_like_size_join() {
    // 10 joins 10, 20 joins, 1,000 does not; level 0 takes no result, so level 4's neighbour is 3.
    let sizes = [(0, 10), (0, 10), (0, 20), (4, 1_000), (5, 10_000)];
    let found = pick(PickerOptions::default(), &sizes);
    assert_eq!(found, Some(Pick { runs: 3, output_level: 3 }));
}

#[test]
fn a_run_of_level_1_is_taken_where_there_is_no_room_below_it() {
    let sizes = [(0, 10), (0, 10), (0, 10), (1, 1_000), (5, 10_000)];
    let found = pick(PickerOptions::default(), &sizes);
    assert_eq!(found, Some(Pick { runs: 4, output_level: 1 }));
}

#[test]
fn too_many_runs_shrink_to_the_trigger() {
    let sizes = [(0, 1), (0, 10), (0, 100), (0, 1_000), (0, 10_000), (5, 100_000)];
    let found = pick(PickerOptions::default(), &sizes);
    assert_eq!(found, Some(Pick { runs: 6, output_level: 5 }));
}

#[test]
fn level_0_can_be_forced_up() {
    let forced = PickerOptions { force_up_level_0: true, ..PickerOptions::default() };
    assert_eq!(
        pick(forced.clone(), &[(0, 10), (5, 1_000)]),
        Some(Pick { runs: 1, output_level: 4 })
    );
    assert_eq!(pick(forced, &[(4, 10), (5, 1_000)]), None);
}

#[test]
fn an_interval_acts_at_first_and_when_it_is_over() {
    let options =
        PickerOptions { optimization_interval_millis: Some(100), ..PickerOptions::default() };
    let mut picker = Picker::new(options);
    let runs = runs(&[(0, 1), (5, 100)]);
    let everything = Some(Pick { runs: 2, output_level: 5 });
    assert_eq!(picker.pick(6, &runs, 0, 1_000), everything);
    assert_eq!(picker.pick(6, &runs, 0, 1_100), None);
    assert_eq!(picker.pick(6, &runs, 0, 1_101), everything);
}

#[test]
fn a_full_compaction_that_is_done_does_nothing() {
    assert_eq!(pick_full(6, &runs(&[(5, 10)])), None);
    assert_eq!(pick_full(6, &runs(&[(4, 10)])), Some(Pick { runs: 1, output_level: 5 }));
    assert_eq!(pick_full(6, &[]), None);
}
