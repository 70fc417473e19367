//! Keeps a panic of the Parquet library inside the file that caused it.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `decode`; a panic becomes an error like any other complaint about the bytes.
///
/// What `decode` has borrowed must not be used after a failure.
pub(super) fn guarded<T, E: Display>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|s| (*s).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            Err(text.unwrap_or_else(|| "the decoder gave up".to_owned()))
        }
    }
}
