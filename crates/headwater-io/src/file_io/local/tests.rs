use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::publish::{link_no_replace, publish_by};
use super::*;

fn durable() -> (TempDir, LocalFileIo) {
    let dir = tempfile::tempdir().unwrap();
    let io = LocalFileIo::open(dir.path().to_str().unwrap(), SyncMode::Durable).unwrap();
    (dir, io)
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn synced(io: &LocalFileIo, dir: &TempDir) -> Vec<String> {
    let real = std::fs::canonicalize(dir.path()).unwrap();
    let mut log = io.root.durable.synced.lock().unwrap();
    let relative =
        |path: &PathBuf| path.strip_prefix(&real).unwrap_or(path).to_str().unwrap().to_owned();
    std::mem::take(&mut *log).iter().map(relative).collect()
}

async fn make(io: &LocalFileIo, path: &str) {
    io.create(path).await.unwrap().finish().await.unwrap();
}

#[tokio::test]
async fn a_finished_file_syncs_content_then_its_directory_and_once_those_above() {
    let (dir, io) = durable();
    make(&io, "db.db/t/bucket-0/data-0").await;
    assert_eq!(synced(&io, &dir), ["content", "db.db/t/bucket-0", "db.db/t", "db.db", ""]);
    make(&io, "db.db/t/bucket-0/data-1").await;
    assert_eq!(synced(&io, &dir), ["content", "db.db/t/bucket-0"]);
    make(&io, "db.db/t/bucket-1/data-2").await;
    assert_eq!(synced(&io, &dir), ["content", "db.db/t/bucket-1", "db.db/t"]);
}

#[tokio::test]
async fn directories_that_others_made_are_synced_too() {
    let (dir, io) = durable();
    std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
    assert_eq!(io.publish("a/b/snapshot-1", "x".into()).await.unwrap(), Publish::Published);
    assert_eq!(synced(&io, &dir), ["content", "a/b", "a", ""]);
}

#[tokio::test]
async fn a_directory_made_again_is_synced_again() {
    let (dir, io) = durable();
    make(&io, "a/b/f").await;
    io.delete_dir("a").await.unwrap();
    synced(&io, &dir);
    make(&io, "a/b/f").await;
    assert_eq!(synced(&io, &dir), ["content", "a/b", "a", ""]);
}

#[tokio::test]
async fn a_made_directory_is_durable_and_a_hint_is_not_synced() {
    let (dir, io) = durable();
    io.create_dir("db.db/t").await.unwrap();
    assert_eq!(synced(&io, &dir), ["db.db", ""]);
    io.overwrite("db.db/t/LATEST", "1".into()).await.unwrap();
    assert_eq!(synced(&io, &dir), [""; 0]);
}

#[tokio::test]
async fn nothing_is_synced_when_syncing_is_off() {
    let dir = tempfile::tempdir().unwrap();
    let io = LocalFileIo::open(dir.path().to_str().unwrap(), SyncMode::Off).unwrap();
    make(&io, "a/b/f").await;
    io.create_dir("c/d").await.unwrap();
    assert_eq!(io.publish("a/s", "x".into()).await.unwrap(), Publish::Published);
    assert_eq!(synced(&io, &dir), [""; 0]);
}

#[tokio::test]
async fn links_out_of_the_root_are_followed_for_reading_only() {
    let (dir, io) = durable();
    let outside = tempfile::tempdir().unwrap();
    let out = |name: &str| outside.path().join(name);
    std::fs::create_dir(out("d")).unwrap();
    std::fs::write(out("d/victim"), "precious").unwrap();
    symlink(out("d"), dir.path().join("link")).unwrap();
    let escapes = |error: &IoError| matches!(error, IoError::Escape { .. });

    assert_eq!(io.read("link/victim").await.unwrap(), "precious");
    assert!(escapes(&io.create("link/new").await.map(drop).unwrap_err()));
    assert!(escapes(&io.create("link/new/deeper/f").await.map(drop).unwrap_err()));
    assert!(escapes(&io.publish("link/new", "x".into()).await.unwrap_err()));
    assert!(escapes(&io.overwrite("link/victim", "x".into()).await.unwrap_err()));
    assert!(escapes(&io.delete("link/victim").await.unwrap_err()));
    assert!(escapes(&io.create_dir("link/new/dir").await.unwrap_err()));
    assert!(escapes(&io.delete_dir("link/d").await.unwrap_err()));
    assert_eq!(names(&out("d")), ["victim"]);
    assert_eq!(std::fs::read_to_string(out("d/victim")).unwrap(), "precious");
}

#[tokio::test]
async fn removing_a_link_leaves_what_it_leads_to() {
    let (dir, io) = durable();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("victim"), "precious").unwrap();
    std::fs::create_dir(dir.path().join("t")).unwrap();
    symlink(outside.path(), dir.path().join("t/link")).unwrap();
    symlink(outside.path(), dir.path().join("top")).unwrap();
    symlink(outside.path().join("victim"), dir.path().join("file")).unwrap();
    io.delete_dir("t").await.unwrap();
    io.delete_dir("top").await.unwrap();
    io.delete("file").await.unwrap();
    assert_eq!(names(dir.path()), [""; 0]);
    assert_eq!(names(outside.path()), ["victim"]);
}

#[tokio::test]
async fn a_link_as_the_last_component_is_never_written_through() {
    let (dir, io) = durable();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    symlink(&victim, dir.path().join("f")).unwrap();
    symlink(outside.path().join("nothing"), dir.path().join("dangling")).unwrap();
    for path in ["f", "dangling"] {
        let created = io.create(path).await.map(drop);
        assert!(matches!(created, Err(IoError::AlreadyExists { .. })), "{path}");
        assert_eq!(io.publish(path, "x".into()).await.unwrap(), Publish::Exists);
    }
    io.overwrite("f", "mine".into()).await.unwrap();
    assert_eq!(io.read("f").await.unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(names(outside.path()), ["victim"]);
}

#[tokio::test]
async fn a_dangling_directory_link_is_not_written_behind() {
    let (dir, io) = durable();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path().join("later"), dir.path().join("d")).unwrap();
    assert!(io.create("d/f").await.is_err());
    assert!(io.create_dir("d/e").await.is_err());
    assert_eq!(names(outside.path()), [""; 0]);
}

#[tokio::test]
async fn links_inside_the_root_and_a_linked_root_work() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("real/a")).unwrap();
    symlink(dir.path().join("real"), dir.path().join("root")).unwrap();
    symlink(dir.path().join("real/a"), dir.path().join("real/b")).unwrap();
    let root = dir.path().join("root");
    let io = LocalFileIo::open(root.to_str().unwrap(), SyncMode::Durable).unwrap();
    make(&io, "b/f").await;
    assert!(io.exists("a/f").await.unwrap());
}

#[tokio::test]
async fn publishing_by_hard_link_does_not_replace_and_leaves_one_name() {
    let (dir, io) = durable();
    let publish = |data: &[u8]| publish_by(&io.root, "s/snapshot-1", data, link_no_replace);
    assert_eq!(publish(b"one").unwrap(), Publish::Published);
    assert_eq!(publish(b"two").unwrap(), Publish::Exists);
    assert_eq!(names(&dir.path().join("s")), ["snapshot-1"]);
    assert_eq!(io.read("s/snapshot-1").await.unwrap(), "one");
    assert_eq!(std::fs::metadata(dir.path().join("s/snapshot-1")).unwrap().nlink(), 1);
}

#[test]
fn a_publish_that_happened_in_spite_of_an_error_counts() {
    let (dir, io) = durable();
    let lost_reply = |temp: &Path, target: &Path| {
        std::fs::rename(temp, target)?;
        Err(std::io::Error::from(ErrorKind::TimedOut))
    };
    let outcome = publish_by(&io.root, "s/snapshot-1", b"x", lost_reply);
    assert_eq!(outcome.unwrap(), Publish::Published);
    // A repeated call finds the name taken by the first.
    let repeated = |temp: &Path, target: &Path| {
        std::fs::hard_link(temp, target)?;
        std::fs::hard_link(temp, target)
    };
    let outcome = publish_by(&io.root, "s/snapshot-2", b"x", repeated);
    assert_eq!(outcome.unwrap(), Publish::Published);
    assert_eq!(names(&dir.path().join("s")), ["snapshot-1", "snapshot-2"]);
}

#[test]
fn a_publish_that_certainly_failed_is_a_write_error_and_leaves_nothing() {
    let (dir, io) = durable();
    let full = |_: &Path, _: &Path| Err(std::io::Error::from(ErrorKind::StorageFull));
    let error = publish_by(&io.root, "s/snapshot-1", b"x", full).unwrap_err();
    assert!(matches!(error, IoError::Write { .. }), "{error}");
    assert_eq!(names(&dir.path().join("s")), [""; 0]);
}

#[test]
fn a_publish_whose_file_vanished_is_unknown() {
    let (_dir, io) = durable();
    let vanished = |temp: &Path, _: &Path| {
        std::fs::remove_file(temp)?;
        Err(std::io::Error::from(ErrorKind::TimedOut))
    };
    let error = publish_by(&io.root, "s/snapshot-1", b"x", vanished).unwrap_err();
    assert!(matches!(error, IoError::OutcomeUnknown { .. }), "{error}");
}

#[test]
fn an_error_after_the_name_is_visible_is_unknown() {
    let (dir, io) = durable();
    // The directory moves away between the rename and its sync.
    let moved = dir.path().join("moved");
    fn rename_then_move(temp: &Path, target: &Path) -> std::io::Result<()> {
        std::fs::rename(temp, target)?;
        let parent = target.parent().unwrap();
        std::fs::rename(parent, parent.with_file_name("moved"))
    }
    let error = publish_by(&io.root, "s/snapshot-1", b"x", rename_then_move).unwrap_err();
    assert!(matches!(error, IoError::OutcomeUnknown { .. }), "{error}");
    assert_eq!(names(&moved), ["snapshot-1"]);
}

#[tokio::test]
async fn an_unfinished_file_that_is_dropped_is_removed() {
    let (dir, io) = durable();
    let mut writer = io.create("d/f").await.unwrap();
    writer.write(Bytes::from(vec![1; 3 << 20])).await.unwrap();
    assert_eq!(names(&dir.path().join("d")), ["f"]);
    drop(writer);
    assert_eq!(names(&dir.path().join("d")), [""; 0]);
}

#[tokio::test]
async fn a_missing_root_reads_as_empty_and_is_made_by_the_first_write() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("not/yet");
    let io = LocalFileIo::open(root.to_str().unwrap(), SyncMode::Durable).unwrap();
    assert_eq!(io.list("").await.unwrap(), []);
    assert!(!io.exists("").await.unwrap());
    io.delete("f").await.unwrap();
    io.delete_dir("d").await.unwrap();
    assert!(!root.exists());
    make(&io, "f").await;
    assert!(root.join("f").exists());
    assert!(LocalFileIo::open("", SyncMode::Off).is_err());
}

#[tokio::test]
async fn a_file_where_a_directory_should_be_is_an_error() {
    let (_dir, io) = durable();
    make(&io, "f").await;
    assert!(io.create("f/g").await.is_err());
    assert!(io.publish("f/g", "x".into()).await.is_err());
    assert!(io.list("f").await.is_err());
    io.create_dir("d").await.unwrap();
    assert!(io.delete("d").await.is_err());
    assert!(io.read("d").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_share_new_directories() {
    let (_dir, io) = durable();
    let paths: Vec<_> = (0..100).map(|i| format!("a/b/c{}/f{i}", i % 3)).collect();
    futures::future::join_all(paths.iter().map(|path| make(&io, path))).await;
    assert_eq!(io.list("a/b/c0").await.unwrap().len(), 34);
}

#[tokio::test]
async fn a_directory_is_moved_at_once_and_never_over_another() {
    let (dir, io) = durable();
    make(&io, "db/a/schema/f").await;
    make(&io, "db/taken/f").await;
    assert_eq!(io.move_dir("db/a", "db/taken").await.unwrap(), Publish::Exists);
    assert_eq!(io.move_dir("db/a", "other/b").await.unwrap(), Publish::Published);
    assert_eq!(names(&dir.path().join("other/b/schema")), ["f"]);
    assert_eq!(names(&dir.path().join("db")), ["taken"]);
    for gone in ["db/a", "db/taken/f", "nowhere/x"] {
        let error = io.move_dir(gone, "db/c").await.unwrap_err();
        assert!(matches!(error, IoError::NotFound { .. }), "{gone}: {error}");
    }
    let memory = crate::file_io::memory::MemoryFileIo::new();
    let error = memory.move_dir("a", "b").await.unwrap_err();
    assert_eq!(error.kind(), crate::IoErrorKind::Unsupported);
}

#[tokio::test]
async fn one_writer_at_a_time_has_the_turn() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_str().unwrap();
    let (one, other) = (
        LocalFileIo::open(root, SyncMode::Off).unwrap(),
        LocalFileIo::open(root, SyncMode::Off).unwrap(),
    );
    assert!(matches!(one.turn("t/snapshot").await, Turn::None));
    one.create_dir("t/snapshot").await.unwrap();
    let held = one.turn("t/snapshot").await;
    assert!(matches!(held, Turn::Ours(_)));
    assert!(matches!(other.turn("t/snapshot").await, Turn::Taken));
    assert!(matches!(other.turn("t").await, Turn::Ours(_)));
    drop(held);
    assert!(matches!(other.turn("t/snapshot").await, Turn::Ours(_)));
    assert!(one.list("t/snapshot").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_open_file_is_read_though_its_name_is_gone() {
    let (_dir, io) = durable();
    let mut writer = io.create("f").await.unwrap();
    writer.write("0123456789".into()).await.unwrap();
    writer.finish().await.unwrap();
    assert!(matches!(io.open_in_place("g").await, Err(IoError::NotFound { .. })));
    let file = io.open_in_place("f").await.unwrap().unwrap();
    file.will_read(0..10);
    io.delete("f").await.unwrap();
    assert_eq!(file.read(2..5).unwrap(), "234");
    let short = file.read(5..11).unwrap_err();
    assert!(matches!(short, IoError::Short { expected: 6, actual: 5, .. }), "{short}");
}
