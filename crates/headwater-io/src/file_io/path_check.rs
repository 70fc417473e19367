//! Which paths a root accepts. Looks at the text only; symbolic links are the local root's matter.

use crate::error::{IoError, Result};

/// Longest path component in bytes that common file systems take.
const MAX_COMPONENT_BYTES: usize = 255;

/// Checks a path to a file: relative, separated by `/`, without empty, `.` or `..` components,
/// without NUL or backslash, components of at most 255 bytes.
///
/// # Errors
/// `Escape`, naming the broken rule.
pub fn check_path(path: &str) -> Result<()> {
    broken_rule(path)
        .map_or(Ok(()), |reason| Err(IoError::Escape { path: path.to_owned(), reason }))
}

/// Checks a path to a directory: as [`check_path`], but `""` is the root and one trailing `/` is
/// fine. Returns the path without that `/`.
pub(crate) fn check_dir(path: &str) -> Result<&str> {
    if path.is_empty() {
        return Ok(path);
    }
    let bare = path.strip_suffix('/').unwrap_or(path);
    broken_rule(bare)
        .map_or(Ok(bare), |reason| Err(IoError::Escape { path: path.to_owned(), reason }))
}

fn broken_rule(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        return Some("it is not relative");
    }
    path.split('/').find_map(|component| match component {
        "" => Some("it has an empty component"),
        "." | ".." => Some("it has a '.' or '..' component"),
        _ if component.contains('\0') => Some("it contains NUL"),
        _ if component.contains('\\') => Some("it contains a backslash"),
        _ if component.len() > MAX_COMPONENT_BYTES => Some("a component is over 255 bytes long"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_tables_are_accepted() {
        let long = "x".repeat(255);
        for path in ["a", "db.db/t/schema/schema-0", "dt=2024-01-01/hr=%2F/bucket-0/d-0.orc", "..a"]
        {
            check_path(path).unwrap();
        }
        check_path(&format!("a/{long}/b")).unwrap();
    }

    #[test]
    fn paths_that_could_leave_the_root_are_refused() {
        let long = format!("a/{}", "x".repeat(256));
        let bad = [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/..",
            "a/../../b",
            ".",
            "a/./b",
            "a//b",
            "a/",
            "a\0b",
            "..\\a",
            "a\\..\\b",
            &long,
        ];
        for path in bad {
            let error = check_path(path).unwrap_err();
            assert!(matches!(error, IoError::Escape { .. }), "{path:?}: {error}");
        }
    }

    #[test]
    fn a_directory_may_be_the_root_or_end_with_a_slash() {
        assert_eq!(check_dir("").unwrap(), "");
        assert_eq!(check_dir("a/b/").unwrap(), "a/b");
        for path in ["/", "a//", "../", "a/../"] {
            check_dir(path).unwrap_err();
        }
    }
}
