//! From a user's address to a root.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::error::{IoError, Result};
use crate::file_io::FileIo;
use crate::file_io::local::{LocalFileIo, SyncMode};
use crate::file_io::memory::MemoryFileIo;

/// Addresses that every build understands, for messages.
const SUPPORTED: &str = "use a directory, file://, memory:// or s3://bucket/prefix";

/// Opens the root at a directory (plain path or `file://`), in memory (`memory://`, empty and
/// private to the returned value) or on S3 (`s3://bucket/prefix`, cargo feature `s3`; credentials
/// come from the `AWS_*` environment variables). A missing directory is not made before something
/// is written.
///
/// # Errors
/// The address names a store that this build does not have, or is malformed.
pub fn open_root(uri_or_dir: &str, sync: SyncMode) -> Result<Arc<dyn FileIo>> {
    let Some((scheme, rest)) = split_scheme(uri_or_dir) else {
        return Ok(Arc::new(LocalFileIo::open(uri_or_dir, sync)?));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => Ok(Arc::new(LocalFileIo::open(&file_uri_path(uri_or_dir, rest)?, sync)?)),
        "memory" => Ok(Arc::new(MemoryFileIo::new())),
        "s3" | "s3a" => open_s3(uri_or_dir, rest),
        _ => Err(unsupported(uri_or_dir, SUPPORTED)),
    }
}

/// Files of this machine as a store of that library, for engines that read the user's CSV and
/// Parquet files. Not for tables.
#[must_use]
pub fn local_object_store() -> Arc<dyn ObjectStore> {
    Arc::new(LocalFileSystem::new())
}

#[cfg(feature = "s3")]
fn open_s3(uri: &str, rest: &str) -> Result<Arc<dyn FileIo>> {
    use object_store::aws::{AmazonS3Builder, S3ConditionalPut};

    use crate::file_io::object::ObjectFileIo;

    let (bucket, prefix) = bucket_and_prefix(uri, rest)?;
    let store = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .build()
        .map_err(|source| IoError::Root { root: uri.to_owned(), source: Box::new(source) })?;
    Ok(Arc::new(ObjectFileIo::new(Arc::new(store), prefix, uri)?))
}

#[cfg(not(feature = "s3"))]
fn open_s3(uri: &str, rest: &str) -> Result<Arc<dyn FileIo>> {
    bucket_and_prefix(uri, rest)?;
    Err(unsupported(uri, "this program was built without S3; build it with the cargo feature `s3`"))
}

/// `bucket/some/prefix/` as bucket and prefix without slashes at its ends.
fn bucket_and_prefix<'a>(uri: &str, rest: &'a str) -> Result<(&'a str, &'a str)> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(unsupported(uri, "the bucket is missing: write s3://bucket/prefix"));
    }
    Ok((bucket, prefix.trim_matches('/')))
}

/// `scheme://rest`, where the scheme is what RFC 3986 allows; anything else is a plain path.
/// `file:/dir` counts as well.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    if let Some(path) = text.strip_prefix("file:")
        && path.starts_with('/')
    {
        return Some(("file", path.strip_prefix("//").unwrap_or(path)));
    }
    let (scheme, rest) = text.split_once("://")?;
    let mut chars = scheme.chars();
    let starts_well = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    let goes_on_well = chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (starts_well && goes_on_well).then_some((scheme, rest))
}

/// The directory of a `file` address, with `%XX` undone. Another host is refused.
fn file_uri_path(uri: &str, rest: &str) -> Result<String> {
    let path = rest.strip_prefix("localhost/").map_or_else(|| rest.to_owned(), |p| format!("/{p}"));
    if !path.starts_with('/') {
        return Err(unsupported(uri, "a file address needs an absolute path: file:///directory"));
    }
    percent_decoded(&path).ok_or_else(|| unsupported(uri, "it has a '%' without two hex digits"))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn unsupported(uri: &str, reason: &str) -> IoError {
    IoError::Unsupported { uri: uri.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_and_file_addresses_are_local() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        for address in [
            path.to_owned(),
            format!("file://{path}"),
            format!("file:{path}"),
            format!("FILE://{path}"),
            format!("file://localhost{path}"),
        ] {
            let root = open_root(&address, SyncMode::Off).unwrap();
            assert_eq!(root.root(), path, "{address}");
        }
    }

    #[test]
    fn escapes_in_a_file_address_are_undone() {
        assert_eq!(percent_decoded("/a%20b%C3%BC").unwrap(), "/a bü");
        for bad in ["/a%2", "/a%zz", "/a%+1", "/a%FF"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }

    #[test]
    fn memory_roots_are_empty_and_private() {
        let a = open_root("memory://", SyncMode::Off).unwrap();
        assert_eq!(a.root(), "memory://");
    }

    #[test]
    fn unknown_schemes_name_what_is_supported() {
        for uri in ["hdfs://nn/x", "oss://b/x", "http://h/x"] {
            let error = open_root(uri, SyncMode::Durable).unwrap_err();
            assert_eq!(error.kind(), crate::IoErrorKind::Unsupported);
            assert!(error.to_string().contains("memory://"), "{error}");
        }
    }

    #[test]
    fn file_addresses_of_other_hosts_are_refused() {
        let error = open_root("file://host/share", SyncMode::Off).unwrap_err();
        assert_eq!(error.kind(), crate::IoErrorKind::Unsupported);
    }

    #[cfg(not(feature = "s3"))]
    #[test]
    fn s3_without_the_feature_names_the_feature() {
        let error = open_root("s3://bucket/prefix", SyncMode::Durable).unwrap_err();
        assert!(error.to_string().contains("cargo feature `s3`"), "{error}");
    }

    #[test]
    fn s3_without_a_bucket_is_refused() {
        assert!(open_root("s3:///prefix", SyncMode::Durable).is_err());
    }

    #[test]
    fn a_name_with_a_colon_is_a_plain_path() {
        assert_eq!(split_scheme("a:b"), None);
        assert_eq!(split_scheme("dir/x://y"), None);
        assert_eq!(split_scheme("9p://y"), None);
        assert_eq!(split_scheme("s3a://b/p"), Some(("s3a", "b/p")));
    }
}
