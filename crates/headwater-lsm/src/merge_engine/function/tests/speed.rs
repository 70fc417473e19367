//! How long functions take; run by hand with `--release -- --ignored --nocapture`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use headwater_spec::TypeKind;

use super::{ADD, field};
use crate::merge_engine::function::{FunctionOptions, column_function};
use crate::merge_engine::steps::Steps;

const KEYS: usize = 1_000_000;

#[test]
#[ignore = "prints times"]
#[expect(clippy::disallowed_methods, reason = "measures")]
fn time_of_functions_over_a_million_keys() {
    let mut steps = Steps::with_capacity(KEYS, 2 * KEYS);
    let mut rows = 0;
    for key in 0..KEYS {
        for _ in 0..=key % 3 {
            steps.push(rows, ADD);
            rows += 1;
        }
        steps.end_key();
    }
    let dense: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row.cast_signed() as i64)));
    let sparse: ArrayRef = Arc::new(Int64Array::from_iter(
        (0..rows).map(|row| (row % 7 != 0).then_some(row.cast_signed() as i64)),
    ));
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("text {row}"))));
    for (what, column) in [("bigint", dense), ("bigint with nulls", sparse), ("string", texts)] {
        let text = what == "string";
        let kind = if text { TypeKind::STRING } else { TypeKind::BigInt };
        for name in ["sum", "max", "last_value", "last_non_null_value", "first_value"] {
            if text && name == "sum" {
                continue;
            }
            let function =
                column_function(name, &field(&kind), &FunctionOptions::default()).unwrap();
            let start = std::time::Instant::now();
            let folded = function.fold(&column, &steps).unwrap();
            let nanos = start.elapsed().as_nanos() / rows as u128;
            println!("{name:20} {what:18} {nanos:3} ns a record, {} keys", folded.len());
        }
    }
}
