//! Pages of the documentation that are made of what the code does.

use crate::fixtures::repository_root;

/// Holds a page to what the code says now, or writes it anew with `HEADWATER_BLESS=1`.
///
/// # Panics
/// When the page is another, or cannot be written.
pub fn hold_page(path: &str, page: &str) {
    let file = repository_root().join(path);
    if std::env::var("HEADWATER_BLESS").is_ok_and(|v| v == "1") {
        std::fs::write(&file, page).expect("the page can be written");
        return;
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    let first = page.lines().zip(stored.lines()).find(|(new, old)| new != old);
    assert!(page == stored, "{path} is stale, first at {first:?}: run cargo xtask docs");
}
