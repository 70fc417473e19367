//! Manifests that stock Java wrote: decoded, encoded again, cut and damaged.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests read the golden tables from disk, and fail by panicking"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use headwater_spec::manifest::{
    AvroWriteOptions, Codec, DeletionVectorRange, EntryKind, EntryWriter, GlobalIndexMeta,
    IndexManifestEntry, ManifestEntry, ManifestFileMeta, merge_entries, read_entries, read_index,
    read_list, write_entries, write_index, write_list,
};
use headwater_spec::{BinaryRow, DataFileMeta, FileSource, SimpleStats, SpecError};
use headwater_testkit::fixture_path;
use proptest::prelude::*;

const CODECS: [Codec; 5] =
    [Codec::Null, Codec::Deflate, Codec::Snappy, Codec::Zstandard, Codec::Bzip2];

fn options(codec: Codec) -> AvroWriteOptions {
    AvroWriteOptions { codec, ..AvroWriteOptions::new(*b"0123456789abcdef") }
}

// ---- The golden files ----

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Entries,
    List,
    Index,
}

/// All manifests of the golden tables that are Avro files.
fn golden_files() -> Vec<(Family, PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    collect(&fixture_path("warehouse/golden.db"), &mut found);
    found.sort();
    assert!(found.len() > 1000, "{} files", found.len());
    found
}

fn collect(dir: &Path, found: &mut Vec<(Family, PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.parent().unwrap().ends_with("manifest") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let family = if name.starts_with("manifest-list-") {
                Family::List
            } else if name.starts_with("index-manifest-") {
                Family::Index
            } else if name.starts_with("manifest-") {
                Family::Entries
            } else {
                continue;
            };
            let bytes = std::fs::read(&path).unwrap();
            if bytes.starts_with(b"Obj") {
                found.push((family, path, bytes));
            }
        }
    }
}

/// Reads a file and writes it again.
fn rewrite(family: Family, bytes: &[u8], to: &AvroWriteOptions) -> Result<Vec<u8>, SpecError> {
    match family {
        Family::Entries => write_entries(&read_entries(bytes)?, to),
        Family::List => write_list(&read_list(bytes)?, to),
        Family::Index => write_index(&read_index(bytes)?, to),
    }
}

/// Reads a file; the text says everything that was read.
fn text(family: Family, bytes: &[u8]) -> Result<String, SpecError> {
    Ok(match family {
        Family::Entries => format!("{:?}", read_entries(bytes)?),
        Family::List => format!("{:?}", read_list(bytes)?),
        Family::Index => format!("{:?}", read_index(bytes)?),
    })
}

/// An Avro file taken apart by hand, with the block bytes as they are stored.
struct Parts {
    meta: Vec<(String, Vec<u8>)>,
    header_bytes: usize,
    sync: [u8; 16],
    blocks: Vec<(i64, Vec<u8>)>,
    /// Where each block ends.
    ends: Vec<usize>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let mut at = 4;
        let count = number(bytes, &mut at);
        let mut meta = Vec::new();
        for _ in 0..count {
            let key = String::from_utf8(blob(bytes, &mut at)).unwrap();
            meta.push((key, blob(bytes, &mut at)));
        }
        assert_eq!(number(bytes, &mut at), 0, "one block of header entries");
        let sync = bytes[at..at + 16].try_into().unwrap();
        at += 16;
        let mut parts = Self { meta, header_bytes: at, sync, blocks: Vec::new(), ends: Vec::new() };
        while at < bytes.len() {
            let rows = number(bytes, &mut at);
            parts.blocks.push((rows, blob(bytes, &mut at)));
            assert_eq!(bytes[at..at + 16], sync);
            at += 16;
            parts.ends.push(at);
        }
        parts
    }

    fn codec(&self) -> Codec {
        let (_, name) = self.meta.iter().find(|(key, _)| key == "avro.codec").unwrap();
        Codec::from_option(std::str::from_utf8(name).unwrap()).unwrap()
    }

    /// Rows and plain bytes of each block.
    fn plain(&self) -> Vec<(i64, Vec<u8>)> {
        let plain = |stored: &[u8]| match self.codec() {
            Codec::Null => stored.to_vec(),
            Codec::Zstandard => zstd::decode_all(stored).unwrap(),
            Codec::Snappy => {
                let data = &stored[..stored.len() - 4];
                snap::raw::Decoder::new().decompress_vec(data).unwrap()
            }
            other => panic!("no golden file has {other:?}"),
        };
        self.blocks.iter().map(|(rows, stored)| (*rows, plain(stored))).collect()
    }
}

fn number(bytes: &[u8], at: &mut usize) -> i64 {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
        }
    }
}

fn blob(bytes: &[u8], at: &mut usize) -> Vec<u8> {
    let length = usize::try_from(number(bytes, at)).unwrap();
    *at += length;
    bytes[*at - length..*at].to_vec()
}

#[test]
fn golden_files_written_again_have_java_s_header_and_rows() {
    let mut seen = BTreeMap::<Family, usize>::new();
    for (family, path, java) in golden_files() {
        let java_parts = Parts::of(&java);
        let same = AvroWriteOptions {
            codec: java_parts.codec(),
            ..AvroWriteOptions::new(java_parts.sync)
        };
        let ours = rewrite(family, &java, &same).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let our_parts = Parts::of(&ours);
        assert_eq!(our_parts.meta, java_parts.meta, "{path:?}");
        assert_eq!(ours[..our_parts.header_bytes], java[..java_parts.header_bytes], "{path:?}");
        assert!(our_parts.plain() == java_parts.plain(), "rows of {path:?}");
        assert_eq!(text(family, &ours), text(family, &java), "{path:?}");
        *seen.entry(family).or_default() += 1;
    }
    assert!(seen[&Family::Entries] > 400 && seen[&Family::List] > 800, "{seen:?}");
    assert!(seen[&Family::Index] > 15, "{seen:?}");
}

#[test]
fn uncompressed_golden_files_written_again_are_the_same_bytes() {
    let mut seen = 0;
    for (family, path, java) in golden_files() {
        let parts = Parts::of(&java);
        if parts.codec() == Codec::Null || parts.blocks.is_empty() {
            let same =
                AvroWriteOptions { codec: parts.codec(), ..AvroWriteOptions::new(parts.sync) };
            assert!(rewrite(family, &java, &same).unwrap() == java, "{path:?}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn golden_entries_hold_what_the_table_has() {
    let files = golden_files();
    let entries = files.iter().filter(|(family, ..)| *family == Family::Entries);
    let entries: Vec<_> = entries.flat_map(|(_, _, bytes)| read_entries(bytes).unwrap()).collect();
    assert!(entries.iter().any(|e| e.kind == EntryKind::Delete));
    assert!(entries.iter().any(|e| e.file.file_source == Some(FileSource::Compact)));
    assert!(entries.iter().any(|e| !e.file.extra_files.is_empty()));
    assert!(entries.iter().any(|e| e.file.embedded_index.is_some()));
    assert!(entries.iter().any(|e| e.file.value_stats_cols.is_some()));
    assert!(entries.iter().any(|e| e.file.first_row_id.is_some()));
    assert!(entries.iter().any(|e| e.file.write_cols.is_some()));
    assert!(entries.iter().all(|e| e.file.file_name.contains('.')));
    assert!(entries.iter().all(|e| e.file.row_count > 0 && e.file.file_size > 0));
}

#[test]
fn golden_manifests_have_the_entries_that_their_list_counts() {
    for (_, path, bytes) in golden_files().iter().filter(|(family, ..)| *family == Family::List) {
        for meta in read_list(bytes).unwrap() {
            let Ok(manifest) = std::fs::read(path.with_file_name(&meta.file_name)) else {
                continue; // expired
            };
            assert_eq!(manifest.len(), usize::try_from(meta.file_size).unwrap());
            let entries = read_entries(&manifest).unwrap();
            let added = entries.iter().filter(|e| e.kind == EntryKind::Add).count();
            assert_eq!(added, usize::try_from(meta.num_added_files).unwrap(), "{path:?}");
            let deleted = entries.len() - added;
            assert_eq!(deleted, usize::try_from(meta.num_deleted_files).unwrap(), "{path:?}");
            merge_entries(entries).unwrap();
        }
    }
}

#[test]
fn golden_files_survive_every_codec() {
    for (family, path, java) in golden_files().iter().step_by(23) {
        for codec in CODECS {
            let ours = rewrite(*family, java, &options(codec)).unwrap();
            assert_eq!(text(*family, &ours), text(*family, java), "{codec:?} {path:?}");
        }
    }
}

#[test]
fn a_cut_file_is_an_error_except_between_blocks() {
    for (family, path, java) in golden_files().iter().step_by(29) {
        let parts = Parts::of(java);
        for cut in 0..java.len() {
            let result = text(*family, &java[..cut]);
            let between = cut == parts.header_bytes || parts.ends.contains(&cut);
            assert_eq!(result.is_ok(), between, "{path:?} cut at {cut}");
            if let Err(error) = result {
                let expected =
                    matches!(error, SpecError::Truncated { .. } | SpecError::Corrupt { .. });
                assert!(expected, "{path:?} cut at {cut}: {error}");
            }
        }
    }
}

#[test]
fn bytes_after_the_last_block_are_an_error() {
    for (family, path, java) in golden_files().iter().step_by(11) {
        for garbage in [&b"\0"[..], b"x", b"more than a sync marker of garbage"] {
            let longer = [java.as_slice(), garbage].concat();
            assert!(text(*family, &longer).is_err(), "{path:?}");
        }
    }
}

#[test]
fn a_file_of_one_family_is_not_read_as_another() {
    for (family, path, java) in golden_files().iter().step_by(7) {
        for other in [Family::Entries, Family::List, Family::Index] {
            assert_eq!(text(other, java).is_ok(), other == *family, "{path:?} as {other:?}");
        }
    }
}

#[test]
fn changing_any_byte_of_a_file_never_panics() {
    for (family, _, java) in golden_files().iter().step_by(173) {
        let plain = rewrite(*family, java, &options(Codec::Null)).unwrap();
        for file in [java, &plain] {
            for position in 0..file.len() {
                for change in [0x01, 0x80, 0xff] {
                    let mut damaged = file.clone();
                    damaged[position] ^= change;
                    let _ = text(*family, &damaged);
                }
            }
        }
    }
}

#[test]
fn manifests_in_orc_are_unsupported_and_name_the_option() {
    let dir = fixture_path("warehouse/golden.db/manifest_format_a/manifest");
    let mut seen = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let error = read_entries(&bytes).unwrap_err();
        assert!(matches!(error, SpecError::Unsupported { .. }), "{path:?}: {error}");
        assert!(error.to_string().contains("manifest.format"), "{error}");
        seen += 1;
    }
    assert!(seen > 0);
    let error = read_list(b"PAR1....PAR1").unwrap_err();
    assert!(error.to_string().contains("parquet"), "{error}");
}

// ---- Made-up rows ----

fn entry(kind: EntryKind, name: &str) -> ManifestEntry {
    ManifestEntry {
        kind,
        partition: BinaryRow::empty(),
        bucket: 3,
        total_buckets: 4,
        file: DataFileMeta {
            file_name: name.to_owned(),
            file_size: i64::MAX,
            row_count: 17,
            min_key: BinaryRow::empty(),
            max_key: BinaryRow::empty(),
            key_stats: SimpleStats::empty(),
            value_stats: SimpleStats {
                null_counts: vec![Some(1), None, Some(-1)],
                ..SimpleStats::empty()
            },
            min_sequence_number: i64::MIN,
            max_sequence_number: 0,
            schema_id: 0,
            level: 5,
            extra_files: vec!["a".to_owned(), String::new()],
            creation_time_millis: Some(1_700_000_000_000),
            delete_row_count: None,
            embedded_index: Some(vec![1, 2, 3]),
            file_source: Some(FileSource::Append),
            value_stats_cols: Some(Vec::new()),
            external_path: Some("oss://bucket/ä".to_owned()),
            first_row_id: Some(0),
            write_cols: Some(vec!["c".to_owned()]),
        },
    }
}

#[test]
fn a_manifest_of_many_entries_has_a_block_per_64000_bytes() {
    let entries: Vec<_> =
        (0..5000).map(|i| entry(EntryKind::Add, &format!("data-{i}.parquet"))).collect();
    let bytes = write_entries(&entries, &options(Codec::Null)).unwrap();
    let parts = Parts::of(&bytes);
    let (last, full) = parts.blocks.split_last().unwrap();
    assert!(full.len() > 5);
    for (_, block) in full {
        let row = block.len() / usize::try_from(parts.blocks[0].0).unwrap();
        assert!(block.len() >= 64_000 && block.len() < 64_000 + 2 * row, "{}", block.len());
    }
    assert!(last.1.len() < 64_000);
    assert!(read_entries(&bytes).unwrap() == entries);
}

#[test]
fn an_entry_writer_makes_the_same_file_and_counts_complete_blocks() {
    let entries: Vec<_> =
        (0..2000).map(|i| entry(EntryKind::Add, &format!("data-{i}.parquet"))).collect();
    let mut writer = EntryWriter::new(&options(Codec::Zstandard)).unwrap();
    let header = writer.stored_bytes();
    for entry in &entries {
        writer.push(entry).unwrap();
    }
    assert!(writer.stored_bytes() > header);
    let bytes = writer.finish().unwrap();
    assert!(bytes == write_entries(&entries, &options(Codec::Zstandard)).unwrap());
}

#[test]
fn an_empty_list_is_a_header_without_blocks() {
    let bytes = write_list(&[], &options(Codec::Zstandard)).unwrap();
    assert_eq!(bytes.len(), 1006);
    assert_eq!(read_list(&bytes), Ok(Vec::new()));
}

#[test]
fn an_index_entry_with_every_field_survives() {
    let entries = vec![IndexManifestEntry {
        kind: EntryKind::Add,
        partition: BinaryRow::empty(),
        bucket: 0,
        index_type: "DELETION_VECTORS".to_owned(),
        file_name: "index-1".to_owned(),
        file_size: 100,
        row_count: 2,
        deletion_vectors: Some(vec![
            DeletionVectorRange {
                data_file: "a.parquet".to_owned(),
                offset: 1,
                length: i32::MAX,
                cardinality: Some(3),
            },
            DeletionVectorRange {
                data_file: "b.parquet".to_owned(),
                offset: i32::MIN,
                length: 0,
                cardinality: None,
            },
        ]),
        external_path: Some("/elsewhere".to_owned()),
        global_index: Some(GlobalIndexMeta {
            row_range_start: 0,
            row_range_end: i64::MAX,
            index_field_id: 7,
            extra_field_ids: Some(vec![1, -2]),
            index_meta: Some(Vec::new()),
        }),
    }];
    for codec in CODECS {
        let bytes = write_index(&entries, &options(codec)).unwrap();
        assert_eq!(read_index(&bytes).unwrap(), entries);
    }
}

#[test]
fn codec_xz_is_unsupported() {
    let bytes = write_list(&[], &options(Codec::Null)).unwrap();
    let bytes = replace(&bytes, b"\x08null\0", b"\x04xz\0");
    let error = read_list(&bytes).unwrap_err();
    assert!(matches!(error, SpecError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("xz"), "{error}");
}

#[test]
fn another_version_is_unsupported() {
    let bytes = write_entries(&[entry(EntryKind::Add, "a")], &options(Codec::Null)).unwrap();
    let first = Parts::of(&bytes).header_bytes + 3;
    assert_eq!(bytes[first], 4, "version 2");
    let mut newer = bytes;
    newer[first] = 6;
    let error = read_entries(&newer).unwrap_err();
    assert!(matches!(error, SpecError::Unsupported { .. }), "{error}");
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

// ---- Files of other writers ----

/// A file with another schema: its text, then one block with the encoded rows.
fn foreign(schema: &str, rows: u8, block: &[u8]) -> Vec<u8> {
    let mut out = b"Obj\x01\x02".to_vec();
    blob_to(&mut out, b"avro.schema");
    blob_to(&mut out, schema.as_bytes());
    out.push(0);
    out.extend([9; 16]);
    out.push(rows * 2);
    blob_to(&mut out, block);
    out.extend([9; 16]);
    out
}

fn blob_to(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes.len() * 2;
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).unwrap());
    out.extend_from_slice(bytes);
}

const STATS: &str = r#"{"type":"record","name":"s","fields":[
    {"name":"_NULL_COUNTS","type":[{"type":"array","items":["null","long"]},"null"]},
    {"name":"_MAX_VALUES","type":"bytes"},{"name":"_MIN_VALUES","type":"bytes"}]}"#;

/// A list of one manifest by a writer with its own order of fields and fields of its own; `stats`
/// is the encoded array of null counts.
fn foreign_list(null_counts: &[u8]) -> Vec<u8> {
    let schema = format!(
        r#"{{"type":"record","name":"list","fields":[
            {{"name":"own","type":["null",{{"type":"map","values":{{"type":"array","items":"string"}}}}]}},
            {{"name":"_SCHEMA_ID","type":"int"}},
            {{"name":"_PARTITION_STATS","type":{STATS}}},
            {{"name":"_NUM_DELETED_FILES","type":"long"}},
            {{"name":"_NUM_ADDED_FILES","type":["null","long"]}},
            {{"name":"_MIN_BUCKET","type":"int"}},
            {{"name":"_FILE_SIZE","type":"long"}},
            {{"name":"_FILE_NAME","type":"string"}},
            {{"name":"_VERSION","type":"int"}},
            {{"name":"own2","type":"double"}}]}}"#
    );
    let mut row = vec![2, 2, 2, b'k', 2, 2, b'v', 0, 0]; // own: one key with one item
    row.push(10); // schema id 5
    row.push(0); // branch 0 of the statistics: the array
    row.extend_from_slice(null_counts);
    row.extend([24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    row.extend([24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    row.extend([0, 2, 14, 6, 200, 1]); // 0 deleted, 7 added, bucket 3, 100 bytes
    row.extend([2, b'm', 4]); // name, version 2
    row.extend([0; 8]);
    foreign(&schema, 1, &row)
}

#[test]
fn fields_are_found_by_name_and_unknown_ones_skipped() {
    let list = read_list(&foreign_list(&[4, 2, 4, 0, 0])).unwrap();
    let expected = ManifestFileMeta {
        file_name: "m".to_owned(),
        file_size: 100,
        num_added_files: 7,
        num_deleted_files: 0,
        partition_stats: SimpleStats { null_counts: vec![Some(2), None], ..SimpleStats::empty() },
        schema_id: 5,
        min_bucket: Some(3),
        max_bucket: None,
        min_level: None,
        max_level: None,
        min_row_id: None,
        max_row_id: None,
    };
    assert_eq!(list, vec![expected]);
}

#[test]
fn array_blocks_with_a_size_are_read_and_checked() {
    let one_by_one = read_list(&foreign_list(&[2, 2, 4, 2, 0, 0])).unwrap();
    let with_size = read_list(&foreign_list(&[3, 6, 2, 4, 0, 0])).unwrap();
    assert_eq!(one_by_one, with_size);
    read_list(&foreign_list(&[3, 4, 2, 4, 0, 0])).unwrap_err();
}

#[test]
fn a_claim_of_very_many_items_is_an_error() {
    let many = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0];
    read_list(&foreign_list(&many)).unwrap_err();
    let many_with_size = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 4, 0, 0];
    read_list(&foreign_list(&many_with_size)).unwrap_err();
}

#[test]
fn a_missing_required_field_is_an_error_that_names_it() {
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"_VERSION","type":"int"}]}"#;
    let error = read_entries(&foreign(schema, 1, &[4])).unwrap_err();
    assert!(error.to_string().contains("_KIND"), "{error}");
}

#[test]
fn a_field_of_another_type_is_an_error_that_names_it() {
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"_VERSION","type":"string"}]}"#;
    let error = read_entries(&foreign(schema, 0, &[])).unwrap_err();
    assert!(error.to_string().contains("_VERSION"), "{error}");
}

// ---- Merging ----

fn names(entries: &[ManifestEntry]) -> Vec<(EntryKind, &str)> {
    entries.iter().map(|e| (e.kind, e.file.file_name.as_str())).collect()
}

#[test]
fn a_delete_cancels_its_add_and_the_order_of_the_rest_is_kept() {
    use EntryKind::{Add, Delete};
    let entries = [(Add, "c"), (Delete, "old"), (Add, "b"), (Add, "a"), (Delete, "b"), (Add, "d")];
    let merged = merge_entries(entries.map(|(kind, name)| entry(kind, name))).unwrap();
    assert_eq!(names(&merged), [(Add, "c"), (Delete, "old"), (Add, "a"), (Add, "d")]);
}

#[test]
fn a_file_added_twice_is_corrupt() {
    let error =
        merge_entries([entry(EntryKind::Add, "a"), entry(EntryKind::Add, "a")]).unwrap_err();
    assert!(matches!(error, SpecError::Corrupt { .. }), "{error}");
}

#[test]
fn a_file_added_after_it_was_deleted_is_corrupt_unless_it_was_there_before() {
    use EntryKind::{Add, Delete};
    merge_entries([entry(Delete, "a"), entry(Add, "a")]).unwrap_err();
    let again = merge_entries([entry(Add, "a"), entry(Delete, "a"), entry(Add, "a")]).unwrap();
    assert_eq!(names(&again), [(Add, "a")]);
}

#[test]
fn a_second_delete_of_an_older_file_changes_nothing() {
    use EntryKind::Delete;
    let merged = merge_entries([entry(Delete, "a"), entry(Delete, "a")]).unwrap();
    assert_eq!(names(&merged), [(Delete, "a")]);
}

#[test]
fn statistics_are_no_part_of_the_identity_but_level_and_index_are() {
    let base = entry(EntryKind::Add, "a");
    let mut other = base.clone();
    other.file.value_stats = SimpleStats::empty();
    other.file.row_count = 1;
    other.total_buckets = 9;
    assert_eq!(base.identity(), other.identity());
    let changes: [fn(&mut ManifestEntry); 6] = [
        |e| e.bucket = 0,
        |e| e.file.level = 0,
        |e| e.file.file_name = "b".to_owned(),
        |e| e.file.extra_files = Vec::new(),
        |e| e.file.embedded_index = None,
        |e| e.file.external_path = None,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut other = base.clone();
        change(&mut other);
        assert_ne!(base.identity(), other.identity(), "{number}");
        let delete = ManifestEntry { kind: EntryKind::Delete, ..other };
        assert_eq!(merge_entries([base.clone(), delete]).unwrap().len(), 2, "{number}");
    }
}

// ---- Properties ----

fn any_entry() -> impl Strategy<Value = ManifestEntry> {
    let numbers = (any::<i32>(), any::<i32>(), any::<i64>(), any::<i64>());
    let lists = (
        prop::collection::vec(".{0,5}", 0..4),
        prop::option::of(prop::collection::vec("[a-z]{0,5}", 0..4)),
        prop::collection::vec(any::<Option<i64>>(), 0..6),
    );
    let optional =
        (any::<Option<i64>>(), any::<Option<Vec<u8>>>(), any::<Option<bool>>(), any::<bool>());
    (".{0,12}", numbers, lists, optional).prop_map(|(name, numbers, lists, optional)| {
        let mut made = entry(EntryKind::Add, &name);
        (made.bucket, made.file.level, made.file.file_size, made.file.schema_id) = numbers;
        (made.file.extra_files, made.file.write_cols, made.file.value_stats.null_counts) = lists;
        made.file.value_stats_cols = made.file.write_cols.clone();
        made.file.creation_time_millis = optional.0;
        made.file.embedded_index = optional.1;
        made.file.file_source =
            optional.2.map(|c| if c { FileSource::Compact } else { FileSource::Append });
        made.kind = if optional.3 { EntryKind::Add } else { EntryKind::Delete };
        made
    })
}

proptest! {
    #[test]
    fn every_entry_survives_every_codec(
        entries in prop::collection::vec(any_entry(), 0..8),
        codec in prop::sample::select(CODECS.to_vec()),
    ) {
        let bytes = write_entries(&entries, &options(codec)).unwrap();
        prop_assert_eq!(read_entries(&bytes).unwrap(), entries);
    }

    #[test]
    fn arbitrary_blocks_never_panic(
        block in prop::collection::vec(any::<u8>(), 0..400),
        rows in 0..8_u8,
    ) {
        let sample = write_entries(&[], &options(Codec::Null)).unwrap();
        let mut file = sample;
        file.push(rows * 2);
        blob_to(&mut file, &block);
        file.extend(*b"0123456789abcdef");
        let _ = read_entries(&file);
    }

    #[test]
    fn arbitrary_changes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        codec in prop::sample::select(CODECS.to_vec()),
    ) {
        let entries: Vec<_> =
            (0..5).map(|i| entry(EntryKind::Add, &format!("data-{i}"))).collect();
        let mut file = write_entries(&entries, &options(codec)).unwrap();
        for (position, byte) in changes {
            let position = position.index(file.len());
            file[position] = byte;
        }
        let _ = read_entries(&file);
    }
}
