//! Every schema, snapshot, changelog and plain tag that stock Java wrote: decoded and encoded
//! again the bytes are the same, and no cut document is taken for a whole one.

use headwater_spec::{Snapshot, TableSchema};
use headwater_testkit::files::{list_files, read_file};
use headwater_testkit::{fixture_path, golden_tables};

fn documents(matches: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let root = fixture_path("warehouse/golden.db");
    list_files(&root)
        .into_iter()
        .filter(|path| matches(path))
        .map(|path| (path.clone(), read_file(&root.join(&path))))
        .collect()
}

#[test]
fn schemas_of_java_keep_their_bytes() {
    let schemas = documents(|path| path.contains("/schema/schema-"));
    assert!(schemas.len() >= golden_tables().len(), "{} schemas", schemas.len());
    for (path, bytes) in schemas {
        let schema = TableSchema::from_json(&bytes).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(schema.to_json().unwrap().as_bytes(), bytes, "{path}");
    }
}

#[test]
fn snapshots_changelogs_and_plain_tags_of_java_keep_their_bytes() {
    let snapshots = documents(|path| {
        path.contains("/snapshot/snapshot-")
            || path.contains("/changelog/changelog-")
            || path.contains("/tag/tag-") && !path.contains("tag-success-file")
    });
    assert!(snapshots.len() >= 300, "{} snapshots", snapshots.len());
    for (path, bytes) in snapshots {
        let snapshot = Snapshot::from_json(&bytes).unwrap_or_else(|e| panic!("{path}: {e}"));
        // A tag with a time to live has two more keys, which a snapshot does not keep.
        if !String::from_utf8_lossy(&bytes).contains("tagTimeRetained") {
            assert_eq!(snapshot.to_json().unwrap().as_bytes(), bytes, "{path}");
        }
    }
}

#[test]
fn cut_documents_are_errors() {
    for (path, bytes) in documents(|path| {
        path.starts_with("nested_a/schema/") || path.starts_with("watermark_a/snapshot/snapshot-")
    }) {
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            assert!(TableSchema::from_json(cut).is_err(), "{path} cut to {length}");
            assert!(Snapshot::from_json(cut).is_err(), "{path} cut to {length}");
        }
    }
}

#[test]
fn hostile_documents_are_errors_without_panic() {
    let deep = format!("{{\"fields\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let duplicate = r#"{"version":3,"id":1,"id":2,"baseManifestList":"a","deltaManifestList":"b"}"#;
    for text in [deep.as_str(), duplicate, "", "null", "[]", "{", "{\"id\":1e400}", "\u{0}"] {
        assert!(Snapshot::from_json(text.as_bytes()).is_err(), "{:.40}", text);
        assert!(TableSchema::from_json(text.as_bytes()).is_err(), "{:.40}", text);
    }
}

#[test]
fn schemas_of_old_versions_mean_what_their_version_says() {
    let text = |version: &str| {
        format!(
            "{{{version}\"id\":0,\"fields\":[],\"highestFieldId\":0,\"partitionKeys\":[],\
             \"primaryKeys\":[],\"options\":{{}}}}"
        )
    };
    let option = |version: &str, key: &str| {
        TableSchema::from_json(text(version).as_bytes()).unwrap().option(key).map(str::to_owned)
    };
    assert_eq!(option("", "bucket").as_deref(), Some("1"));
    assert_eq!(option("\"version\":1,", "file.format").as_deref(), Some("orc"));
    assert_eq!(option("\"version\":2,", "bucket"), None);
    assert_eq!(option("\"version\":2,", "file.format").as_deref(), Some("orc"));
    assert_eq!(option("\"version\":3,", "file.format"), None);
}
