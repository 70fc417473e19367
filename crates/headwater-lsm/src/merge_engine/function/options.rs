//! The options of a column's function: `fields.<column>.*`.

/// What the options of a column say to its function. A function looks at those that it knows.
///
/// Format: `docs/spec/aggregate-functions.md#functions`. Source: Paimon 1.4.2 `CoreOptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionOptions {
    /// `list-agg-delimiter`: what stands between the texts of `listagg`.
    pub list_agg_delimiter: String,
    /// `distinct`: whether `listagg` and `collect` leave out what is there already.
    pub distinct: bool,
    /// `nested-key`: fields that tell the rows of `nested_update` and `nested_partial_update`
    /// apart; none if empty.
    pub nested_key: Vec<String>,
    /// `count-limit`: rows that `nested_update` keeps.
    pub count_limit: usize,
    /// `ts-field`: the field that says how new a value of `merge_map_with_keytime` is; the last
    /// one if none.
    pub ts_field: Option<String>,
    /// `ignore-retract`: whether retractions are left out.
    pub ignore_retract: bool,
}

impl Default for FunctionOptions {
    fn default() -> Self {
        Self {
            list_agg_delimiter: ",".to_owned(),
            distinct: false,
            nested_key: Vec::new(),
            count_limit: 2_147_483_647,
            ts_field: None,
            ignore_retract: false,
        }
    }
}
