use headwater_spec::{BinaryRow, DataFileMeta, DataType, Datum, SimpleStats, TypeKind};

use super::{
    CompactionStep, Levels, Pick, Picker, PickerOptions, RewriteRules, RunSize, pick_full,
};

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

fn file(name: &str, level: i32, keys: (i32, i32), numbers: (i64, i64), size: i64) -> DataFileMeta {
    let key = |k: i32| {
        BinaryRow::from_values(&[Some(Datum::Int(k))], &[DataType::not_null(TypeKind::Int)])
            .unwrap()
    };
    DataFileMeta {
        file_name: name.to_owned(),
        file_size: size,
        row_count: 1,
        min_key: key(keys.0),
        max_key: key(keys.1),
        key_stats: SimpleStats::empty(),
        value_stats: SimpleStats::empty(),
        min_sequence_number: numbers.0,
        max_sequence_number: numbers.1,
        schema_id: 0,
        level,
        extra_files: Vec::new(),
        creation_time_millis: None,
        delete_row_count: Some(0),
        embedded_index: None,
        file_source: None,
        value_stats_cols: None,
        external_path: None,
        first_row_id: None,
        write_cols: None,
    }
}

fn names(files: &[DataFileMeta]) -> Vec<&str> {
    files.iter().map(|file| file.file_name.as_str()).collect()
}

#[test]
fn runs_of_level_0_come_newest_first() {
    let levels = Levels::new(
        [
            file("old", 0, (1, 9), (0, 4), 10),
            file("high", 4, (1, 9), (0, 0), 500),
            file("new", 0, (1, 9), (5, 9), 30),
            file("higher", 5, (1, 4), (0, 0), 700),
            file("highest", 5, (5, 9), (0, 0), 800),
        ],
        3,
    );
    assert_eq!((levels.count(), levels.run_count()), (6, 4));
    let sizes: Vec<_> = levels.runs().iter().map(|r| (r.level, r.bytes, r.files)).collect();
    assert_eq!(sizes, [(0, 30, 1), (0, 10, 1), (4, 500, 1), (5, 1500, 2)]);
    let unit = levels.unit(Pick { runs: 3, output_level: 4 });
    assert_eq!(names(&unit.files), ["new", "old", "high"]);
    assert_eq!(names(&unit.above), ["higher", "highest"]);
    assert!(!unit.drop_deletes, "level 5 has older records");
    assert!(levels.unit(Pick { runs: 4, output_level: 5 }).drop_deletes);
}

#[test]
fn results_take_the_place_of_files() {
    let old = file("a", 0, (1, 9), (0, 4), 10);
    let mut levels = Levels::new([old.clone(), file("b", 0, (1, 9), (5, 9), 10)], 6);
    let up = DataFileMeta { level: 5, ..old.clone() };
    levels.replace(&[old], &[up]);
    let found: Vec<_> = levels.files().map(|f| (f.file_name.as_str(), f.level)).collect();
    assert_eq!(found, [("b", 0), ("a", 5)]);
}

/// The steps of a full compaction of these files, small ones below 100 bytes.
fn steps(files: Vec<DataFileMeta>, must: &dyn Fn(&DataFileMeta) -> bool) -> Vec<String> {
    let levels = Levels::new(files, 6);
    let unit = levels.unit(pick_full(6, &levels.runs()).unwrap());
    let types = [DataType::not_null(TypeKind::Int)];
    let rules = RewriteRules { key_types: &types, small_bytes: 100, must };
    let show = |step: &CompactionStep| match step {
        CompactionStep::Upgrade(file) => format!("up {}", file.file_name),
        CompactionStep::Rewrite(sections) => {
            let section = |runs: &Vec<Vec<DataFileMeta>>| {
                runs.iter().map(|run| names(run).join("+")).collect::<Vec<_>>().join("|")
            };
            sections.iter().map(section).collect::<Vec<_>>().join(" ")
        }
    };
    unit.steps(&rules).unwrap().iter().map(show).collect()
}

#[test]
fn large_files_that_share_no_key_only_change_their_level() {
    let large = |name, level, keys| file(name, level, keys, (0, 0), 200);
    let small = |name, keys| file(name, 0, keys, (0, 0), 20);
    let plain = |_: &DataFileMeta| false;
    let files = vec![large("a", 0, (1, 2)), large("b", 0, (5, 9)), large("c", 0, (9, 12))];
    assert_eq!(steps(files, &plain), ["up a", "b|c"]);
    // What is in the last level already stays.
    assert_eq!(steps(vec![large("a", 5, (1, 2)), large("b", 0, (5, 9))], &plain), ["up b"]);
    // Small files go with their neighbours, up to a large one.
    let files =
        vec![small("a", (1, 1)), small("b", (2, 2)), large("c", 0, (3, 4)), small("d", (5, 5))];
    assert_eq!(steps(files, &plain), ["a b", "up c", "up d"]);
    let files = vec![large("a", 0, (1, 2)), large("b", 0, (5, 9))];
    assert_eq!(steps(files, &|f| f.file_name == "b"), ["up a", "b"]);
}

#[test]
fn a_file_with_retractions_is_rewritten_into_the_last_level() {
    let with =
        |deletes| DataFileMeta { delete_row_count: deletes, ..file("a", 0, (1, 2), (0, 0), 200) };
    let plain = |_: &DataFileMeta| false;
    assert_eq!(steps(vec![with(Some(0))], &plain), ["up a"]);
    assert_eq!(steps(vec![with(Some(1))], &plain), ["a"]);
    assert_eq!(steps(vec![with(None)], &plain), ["a"]);
}
