//! Cases that once failed, each with a name: what `differential.rs` printed for a seed.

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

cases! {}
