//! Damaged and hostile files: a typed error that names the file, or the true rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::io::{FileIo, LocalFileIo, MemoryFileIo, Pools, Random, SeededRandom, SyncMode};
use headwater::spec::manifest::{
    AvroWriteOptions, Codec, ManifestEntry, write_entries, write_list,
};
use headwater::spec::path::{manifest_file, snapshot_file};
use headwater::{Catalog, Error, ErrorKind, Identifier, NewTable, Table};
use headwater_testkit::{TempDir, amount};

use crate::rows::run;
use crate::small::{
    Change, Row, append, catalog, copy_files, create, env, files_below, keyed, open, read, rows,
    write,
};

const TABLE: &str = "db.db/t";

struct Sample {
    io: Arc<dyn FileIo>,
    rows: Vec<Row>,
    /// The rows before the newest snapshot.
    earlier: Vec<Row>,
}

async fn sample(definition: &NewTable) -> Sample {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let env = env(&Pools::new(2), 1);
    create(&io, &env, definition).await.unwrap();
    let table = open(&io, &env).await.unwrap();
    let (mut all, mut earlier) = (Vec::new(), Vec::new());
    for id in 0..3_i32 {
        let change = Change::insert(rows(&["a", "b"], id * 3..id * 4 + 8, &format!("v{id}")));
        write(&table, "u", id.into(), &change).await.unwrap();
        earlier = std::mem::take(&mut all);
        all = change.apply(&earlier, !definition.primary_keys.is_empty());
    }
    Sample { io, rows: all, earlier }
}

fn definitions() -> [NewTable; 2] {
    [keyed("2").partitioned_by(["dt"]).option("manifest.merge-min-count", "2"), append()]
}

/// What a file is for.
fn kind_of(path: &str) -> &'static str {
    let inside = path.strip_prefix("db.db/t/").unwrap();
    match inside.split_once('/').unwrap() {
        ("schema", _) => "schema",
        ("snapshot", name) if name.starts_with("snapshot-") => "snapshot",
        ("snapshot", _) => "hint",
        ("manifest", name) if name.starts_with("manifest-list-") => "manifest list",
        ("manifest", _) => "manifest",
        _ => "data file",
    }
}

async fn table_files(io: &Arc<dyn FileIo>) -> Vec<(String, &'static str)> {
    let files = files_below(io.as_ref(), TABLE).await;
    files.into_iter().map(|(path, _)| (path.clone(), kind_of(&path))).collect()
}

/// Reads a copy in which one file has other bytes, or is gone.
async fn read_with(
    sample: &Sample,
    pools: &Pools,
    path: &str,
    content: Option<Vec<u8>>,
) -> Result<Vec<Row>, Error> {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    copy_files(sample.io.as_ref(), io.as_ref()).await;
    match content {
        Some(content) => io.overwrite(path, content.into()).await.unwrap(),
        None => io.delete(path).await.unwrap(),
    }
    read(&open(&io, &env(pools, 5)).await?).await
}

/// The error has a kind that says what to do, and names the file.
fn check_error(error: &Error, path: &str, context: &str) {
    let text = error.to_string();
    let name = path.rsplit('/').next().unwrap();
    let kinds = [ErrorKind::Corrupt, ErrorKind::NotFound, ErrorKind::Unsupported];
    assert!(kinds.contains(&error.kind()), "{context}: {:?}: {text}", error.kind());
    // Sound files in the wrong place are told with the snapshot that puts them together.
    let named = text.contains(name) || text.contains("snapshot-3") && context.ends_with("swapped");
    assert!(named, "{context}: it does not name the file: {text}");
    assert!(text.len() > name.len() + 10, "{context}: it gives no reason: {text}");
}

#[test]
fn cut_zeroed_missing_and_swapped_files_never_give_wrong_rows() {
    run(async {
        let pools = Pools::new(2);
        let mut seen: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
        let mut wrong = Vec::new();
        for definition in definitions() {
            let sample = sample(&definition).await;
            let files = table_files(&sample.io).await;
            for (path, kind) in &files {
                let whole = sample.io.read(path).await.unwrap().to_vec();
                let length = whole.len();
                let mut damages = vec![("missing", None)];
                for keep in [0, 1, length / 2, length.saturating_sub(1)] {
                    damages.push(("cut", Some(whole[..keep].to_vec())));
                }
                for from in [0, length / 2, length - length.min(9)] {
                    let mut zeroed = whole.clone();
                    zeroed[from..].fill(0);
                    damages.push(("zeroed", Some(zeroed)));
                }
                let mut longer = whole.clone();
                longer.extend_from_slice(b"\x01more");
                damages.push(("longer", Some(longer)));
                for (other, same) in &files {
                    if other != path && same == kind && *kind != "hint" {
                        let theirs = sample.io.read(other).await.unwrap().to_vec();
                        damages.push(("swapped", Some(theirs)));
                    }
                }
                for (damage, content) in damages {
                    let context = format!("{path} {damage}");
                    let found = read_with(&sample, &pools, path, content).await;
                    let counts = seen.entry((*kind, damage)).or_default();
                    counts[usize::from(found.is_ok())] += 1;
                    match found {
                        // What is not published is not there: the table as it was before.
                        Ok(found) if *kind == "snapshot" && damage == "missing" => {
                            assert!(found == sample.rows || found == sample.earlier, "{context}");
                        }
                        Ok(found) => {
                            if found != sample.rows {
                                wrong.push(context);
                            }
                        }
                        Err(error) if *kind == "schema" && damage == "missing" => {
                            assert_eq!(error.kind(), ErrorKind::NotFound, "{context}");
                            assert!(error.to_string().contains("'db.t'"), "{context}: {error}");
                        }
                        Err(error) => {
                            assert_ne!(*kind, "hint", "{context}: {error}");
                            check_error(&error, path, &context);
                        }
                    }
                }
            }
        }
        for ((kind, damage), [errors, rows]) in &seen {
            println!("{kind} {damage}: {errors} errors, {rows} times the true rows");
        }
        assert_eq!(wrong, <[String; 0]>::default(), "wrong rows");
        // Every kind of file that the newest snapshot needs is noticed when it is damaged.
        for kind in ["schema", "snapshot", "manifest list", "manifest", "data file"] {
            for damage in ["cut", "zeroed"] {
                assert!(seen[&(kind, damage)][0] > 0, "{kind} {damage}");
            }
        }
    });
}

#[test]
fn flipped_bits_are_errors_or_rows_and_never_panics() {
    run(async {
        let pools = Pools::new(2);
        let random = SeededRandom::new(7);
        let draw = |bound: usize| {
            usize::try_from(random.next_u64() % u64::try_from(bound).unwrap()).unwrap()
        };
        // Errors, true rows, wrong rows.
        let mut seen: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for definition in definitions() {
            let sample = sample(&definition).await;
            let files = table_files(&sample.io).await;
            let kinds: std::collections::BTreeSet<&str> = files.iter().map(|f| f.1).collect();
            for kind in kinds {
                let of_kind: Vec<&String> =
                    files.iter().filter(|f| f.1 == kind).map(|f| &f.0).collect();
                for _ in 0..amount(250, 5_000) {
                    let path = of_kind[draw(of_kind.len())];
                    let mut content = sample.io.read(path).await.unwrap().to_vec();
                    let bit = draw(content.len() * 8);
                    content[bit / 8] ^= 1 << (bit % 8);
                    let found = read_with(&sample, &pools, path, Some(content)).await;
                    let counts = seen.entry(kind).or_default();
                    match found {
                        Ok(found) if found == sample.rows => counts[1] += 1,
                        Ok(_) => counts[2] += 1,
                        Err(error) => {
                            counts[0] += 1;
                            assert_ne!(error.kind(), ErrorKind::Internal, "{path}, {bit}: {error}");
                        }
                    }
                }
            }
        }
        for (kind, [errors, rows, wrong]) in &seen {
            println!("{kind}: {errors} errors, {rows} true rows, {wrong} silently wrong");
        }
        // Blocks of manifests have checksums.
        for kind in ["manifest", "manifest list", "hint"] {
            assert_eq!(seen[kind][2], 0, "{kind}");
        }
        // So have pages of data files, but their headers and footers have none.
        let data = &seen["data file"];
        assert!(data[2] * 200 <= data.iter().sum(), "{data:?}");
    });
}

/// Reads with the given document in place of one of the sample's, and wants an error or the rows.
async fn read_document(sample: &Sample, path: &str, document: String, context: &str) -> bool {
    let found = read_with(sample, &Pools::new(2), path, Some(document.into_bytes())).await;
    match found {
        Ok(found) => {
            assert_eq!(found, sample.rows, "{context}");
            true
        }
        Err(error) => {
            check_error(&error, path, context);
            false
        }
    }
}

#[test]
fn absurd_documents_are_errors_that_name_the_file() {
    run(async {
        let sample = sample(&keyed("1")).await;
        for inside in ["schema/schema-0", "snapshot/snapshot-3"] {
            let path = format!("{TABLE}/{inside}");
            let text = String::from_utf8(sample.io.read(&path).await.unwrap().to_vec()).unwrap();
            let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
            let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
            let wrong = [
                deep(100_000),
                objects(100_000),
                String::new(),
                "null".into(),
                "[]".into(),
                "{}".into(),
                format!("\u{feff}{text}"),
                format!("{text}{text}"),
                text.replace("\"id\" : ", "\"id\" : 1e400, \"z\" : "),
                text.replace("\"id\" : ", "\"id\" : 99999999999999999999, \"z\" : "),
                text.replace("\"id\" : ", "\"id\" : 1.5, \"z\" : "),
                text.replace("\"id\" : ", "\"id\" : \"3\", \"z\" : "),
                text.replace("\"id\" : ", "\"id\" : -1, \"z\" : "),
            ];
            for document in wrong {
                let shown: String = document.chars().take(60).collect();
                let context = format!("{inside}: {shown}");
                let rows = read_document(&sample, &path, document, &context).await;
                assert!(!rows, "{context}");
            }
            // Unknown keys of a snapshot are skipped, however deep.
            for key in ["x", "options"] {
                let with =
                    format!("{{\"{key}\":{},", [deep(10_000), objects(10_000)].join(",\"y\":"));
                let rows =
                    read_document(&sample, &path, text.replacen('{', &with, 1), inside).await;
                assert!(!rows || inside.starts_with("snapshot"), "{inside}: {key}");
            }
            // Known keys twice: refused, or one of them counts; unknown keys do not matter.
            for twice in [
                text.replacen('{', "{\"id\" : 7,", 1),
                text.replacen(
                    '{',
                    "{\"unknown\" : {\"unknown\" : [1, 2]}, \"unknown\" : 1e400,",
                    1,
                ),
                text.replacen('{', "{\"timeMillis\" : 99999999999999999999,", 1),
            ] {
                read_document(&sample, &path, twice, inside).await;
            }
        }
    });
}

#[test]
fn absurd_types_and_keys_of_a_schema_are_errors() {
    run(async {
        let sample = sample(&keyed("1")).await;
        let path = format!("{TABLE}/schema/schema-0");
        let text = String::from_utf8(sample.io.read(&path).await.unwrap().to_vec()).unwrap();
        assert!(text.contains("\"STRING\"") && text.contains("[ \"dt\", \"id\" ]"), "{text}");
        let typed = |with: &str| text.replacen("\"STRING\"", with, 1);
        let quoted = |with: String| typed(&format!("\"{with}\""));
        let nested = format!("{}INT{}", "ARRAY<".repeat(50_000), ">".repeat(50_000));
        for document in [
            quoted(nested),
            quoted("ROW<a ".repeat(50_000)),
            quoted(format!("VARCHAR({})", "9".repeat(1000))),
            quoted("DECIMAL(39, 40)".into()),
            quoted("TIMESTAMP(-1)".into()),
            quoted(String::new()),
            typed("{\"type\":\"ARRAY\"}"),
            typed("7"),
            text.replace("[ \"dt\", \"id\" ]", "[ \"dt\", \"gone\" ]"),
            text.replace("\"bucket\" : \"1\"", "\"bucket\" : \"many\""),
            text.replace("\"bucket\" : \"1\"", "\"bucket\" : 1"),
        ] {
            assert_ne!(document, text);
            let shown: String = document.chars().skip(60).take(80).collect();
            let found =
                read_with(&sample, &Pools::new(2), &path, Some(document.into_bytes())).await;
            let error = found.unwrap_err();
            let kinds = [ErrorKind::Corrupt, ErrorKind::Invalid, ErrorKind::Unsupported];
            assert!(kinds.contains(&error.kind()), "{shown}: {:?} {error}", error.kind());
        }
    });
}

/// Everything below a directory, directories too.
async fn tree(dir: &TempDir) -> Vec<String> {
    let io = LocalFileIo::open(dir.text(), SyncMode::Off).unwrap();
    let (mut found, mut open) = (Vec::new(), vec![String::new()]);
    while let Some(dir) = open.pop() {
        for child in io.list(&dir).await.unwrap() {
            let path = if dir.is_empty() { child.name } else { format!("{dir}/{}", child.name) };
            found.push(path.clone());
            if child.is_dir {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn names_that_leave_the_warehouse_are_refused_and_nothing_is_made() {
    run(async {
        let outer = TempDir::new();
        let warehouse = outer.join("deep/warehouse");
        let env = env(&Pools::new(2), 1);
        let warehouse = warehouse.to_str().unwrap();
        let catalog = headwater::open_catalog(warehouse, true, env).await.unwrap();
        catalog.create_database("db", false).await.unwrap();
        let before = tree(&outer).await;
        let long = "x".repeat(256);
        let longer = "é".repeat(128);
        let names = [
            "",
            " ",
            ".",
            "..",
            "../x",
            "a/../../b",
            "/",
            "/tmp/x",
            "a/b",
            "a\\b",
            "..\\x",
            "a\0b",
            "\0",
            "a\nb",
            "\u{7f}",
            "\u{1b}[2J",
            long.as_str(),
            longer.as_str(),
            "x.db",
            ".db",
        ];
        let check = |error: Error, context: &str| {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{context}: {error}");
            let text = error.to_string();
            assert!(!text.chars().any(char::is_control), "{context}: {text:?}");
        };
        for name in names {
            let database = format!("database {name:?}");
            check(catalog.create_database(name, true).await.unwrap_err().into(), &database);
            check(catalog.drop_database(name, true, true).await.unwrap_err().into(), &database);
            check(catalog.database_exists(name).await.unwrap_err().into(), &database);
            check(catalog.list_tables(name).await.unwrap_err().into(), &database);
        }
        for (database, table) in names
            .iter()
            .map(|n| ("db", *n))
            .chain(names.iter().map(|n| (*n, "t")))
            .chain([("db", "t$snapshots"), ("db", "$"), ("sys", "t")])
        {
            let id = Identifier::new(database, table);
            let context = format!("{id:?}");
            let made = catalog.create_table(&id, &keyed("1"), true).await;
            check(made.unwrap_err().into(), &context);
            check(catalog.drop_table(&id, true).await.unwrap_err().into(), &context);
            check(catalog.table_exists(&id).await.unwrap_err().into(), &context);
            check(catalog.load_table(&id).await.unwrap_err().into(), &context);
        }
        assert_eq!(tree(&outer).await, before);
    });
}

#[test]
fn hostile_partition_values_stay_inside_the_table() {
    run(async {
        let outer = TempDir::new();
        let io: Arc<dyn FileIo> =
            Arc::new(LocalFileIo::open(outer.join("w").to_str().unwrap(), SyncMode::Off).unwrap());
        let env = env(&Pools::new(2), 1);
        create(&io, &env, &keyed("1").partitioned_by(["dt"])).await.unwrap();
        let table = open(&io, &env).await.unwrap();
        let values = ["../../../x", "/etc", "a/b", "..", "a\\b", "a=b", "%2F", "tab\tnew\nline"];
        let change = Change::insert(rows(&values, 0..2, "v"));
        write(&table, "u", 1, &change).await.unwrap();
        assert_eq!(read(&table).await.unwrap(), change.apply(&[], true));
        for path in tree(&outer).await {
            assert!(path == "w" || path == "w/db.db" || path.starts_with("w/db.db/t"), "{path}");
        }
        for child in io.list(TABLE).await.unwrap() {
            let known = ["schema", "snapshot", "manifest"].contains(&child.name.as_str());
            assert!(known || child.name.starts_with("dt="), "{}", child.name);
        }
    });
}

fn avro() -> AvroWriteOptions {
    let codec = Codec::from_option("zstd").unwrap();
    AvroWriteOptions { codec, zstd_level: 1, sync_marker: [7; 16] }
}

/// Changes an entry of the newest snapshot's delta, with every size above it made to fit.
async fn forge(io: &Arc<dyn FileIo>, table: &Table, change: impl Fn(&mut ManifestEntry)) {
    let store = table.store();
    let mut snapshot = store.latest_snapshot().await.unwrap().unwrap();
    let list = snapshot.delta_manifest_list.clone();
    let mut metas = store.manifest_list(&list, None, "a test").await.unwrap();
    for meta in &mut metas {
        let mut entries = store.manifest(meta).await.unwrap();
        change(&mut entries[0]);
        let bytes = write_entries(&entries, &avro()).unwrap();
        meta.file_size = i64::try_from(bytes.len()).unwrap();
        io.overwrite(&store.path(&manifest_file(&meta.file_name)), bytes.into()).await.unwrap();
    }
    let bytes = write_list(&metas, &avro()).unwrap();
    snapshot.delta_manifest_list_size = Some(i64::try_from(bytes.len()).unwrap());
    io.overwrite(&store.path(&manifest_file(&list)), bytes.into()).await.unwrap();
    let json = snapshot.to_json().unwrap();
    io.overwrite(&store.path(&snapshot_file(snapshot.id)), json.into()).await.unwrap();
}

/// The error of a read after `forge`; the warehouse also holds a copy of a data file outside of the
/// table, which must not be read.
async fn read_forged(
    sample: &Sample,
    change: impl Fn(&mut ManifestEntry),
) -> Result<Vec<Row>, Error> {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    copy_files(sample.io.as_ref(), io.as_ref()).await;
    let table = open(&io, &env(&Pools::new(2), 5)).await.unwrap();
    let plan = table.new_read().plan().await.unwrap();
    let stolen = plan.splits[0].files().next().unwrap().file_name.clone();
    let bytes = io.read(&format!("{TABLE}/bucket-0/{stolen}")).await.unwrap();
    for outside in ["x.parquet", "db.db/x.parquet", "db.db/t/x.parquet"] {
        io.overwrite(outside, bytes.clone()).await.unwrap();
    }
    forge(&io, &table, change).await;
    read(&table).await
}

#[test]
fn names_and_paths_forged_in_metadata_are_refused() {
    run(async {
        let sample = sample(&keyed("1")).await;
        assert_eq!(read_forged(&sample, |_| ()).await.unwrap(), sample.rows);
        let bad = [
            "../x.parquet",
            "../../x.parquet",
            "../../../x.parquet",
            "/x.parquet",
            "..",
            "",
            "a/b.parquet",
            "a\\b.parquet",
            "a\0.parquet",
        ];
        for name in bad {
            let found = read_forged(&sample, |e| e.file.file_name = name.into()).await;
            let error = found.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name:?}: {error}");
            assert!(error.to_string().contains("manifest-"), "{name:?}: {error}");
        }
        let found =
            read_forged(&sample, |e| e.file.external_path = Some("/etc/passwd".into())).await;
        assert_eq!(found.unwrap_err().kind(), ErrorKind::Unsupported);
        for size in [-1, 0, 1, i64::MAX, i64::MIN] {
            let error = read_forged(&sample, |e| e.file.file_size = size).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "size {size}: {error}");
        }
        for count in [-1, 0, 1, i64::MAX, i64::MIN] {
            let error = read_forged(&sample, |e| e.file.row_count = count).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{count} rows: {error}");
        }

        // Names of lists in a snapshot.
        let path = format!("{TABLE}/{}", snapshot_file(3));
        let text = String::from_utf8(sample.io.read(&path).await.unwrap().to_vec()).unwrap();
        for name in ["../x", "../../../../etc/passwd", "", "..", "/etc/passwd"] {
            let start = text.find("\"baseManifestList\" : \"").unwrap();
            let (head, tail) = text.split_at(start);
            let end = tail.find(",\n").unwrap();
            let forged = format!("{head}\"baseManifestList\" : {name:?}{}", &tail[end..]);
            let context = format!("list {name:?}");
            assert!(!read_document(&sample, &path, forged, &context).await, "{context}");
        }
    });
}

#[test]
fn names_are_refused_by_a_catalog_in_memory_too() {
    run(async {
        let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
        let catalog = catalog(&io, &env(&Pools::new(1), 1));
        for name in ["..", "a/b", "", "x.db"] {
            assert!(catalog.create_database(name, true).await.is_err(), "{name:?}");
        }
        assert_eq!(files_below(io.as_ref(), "").await, []);
    });
}
