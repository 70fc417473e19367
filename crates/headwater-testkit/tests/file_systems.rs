//! The crashing and the faulty file system do what they promise.

use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use headwater_io::{FileIo, IoError, LocalFileIo, MemoryFileIo, Publish, SyncMode};
use headwater_testkit::files::list_files;
use headwater_testkit::{CrashPoint, CrashingFileIo, Fault, FaultyFileIo, Operation, TempDir};

const DATA: &[u8] = b"0123456789";

fn bytes() -> Bytes {
    Bytes::from_static(DATA)
}

/// Writes a data file, publishes a document that needs it, reads it back, removes a hint.
async fn job(io: &dyn FileIo) -> Result<(), IoError> {
    let mut writer = io.create("t/data").await?;
    writer.write(bytes()).await?;
    writer.write(bytes()).await?;
    writer.finish().await?;
    if io.publish("t/snapshot", bytes()).await? == Publish::Exists {
        io.read("t/snapshot").await?;
    }
    io.overwrite("t/hint", bytes()).await?;
    io.delete("t/hint").await
}

fn whole(io: &MemoryFileIo, path: &str) -> Option<Bytes> {
    block_on(io.read(path)).ok()
}

#[test]
fn a_published_document_never_lacks_its_data_whatever_the_crash() {
    let dry = CrashingFileIo::new(Arc::new(MemoryFileIo::new()));
    block_on(job(&dry)).unwrap();
    assert_eq!(dry.operations(), 7);
    assert!(!dry.crashed());
    for n in 0..dry.operations() {
        for point in CrashPoint::ALL {
            let stored = Arc::new(MemoryFileIo::new());
            let io = CrashingFileIo::crash_at(Arc::clone(&stored) as Arc<dyn FileIo>, n, point);
            assert!(block_on(job(&io)).is_err(), "{n} {point:?}");
            assert!(io.crashed() && io.operations() == n + 1);
            if let Some(document) = whole(&stored, "t/snapshot") {
                assert_eq!(document, bytes(), "{n} {point:?}");
                assert_eq!(whole(&stored, "t/data").unwrap().len(), 20, "{n} {point:?}");
            }
            let published = n > 4 || (n == 4 && point == CrashPoint::After);
            assert_eq!(whole(&stored, "t/snapshot").is_some(), published, "{n} {point:?}");
        }
    }
}

#[test]
fn a_torn_write_leaves_a_cut_file_that_no_clean_up_removes() {
    let stored = Arc::new(MemoryFileIo::new());
    let inner = Arc::clone(&stored) as Arc<dyn FileIo>;
    let io = CrashingFileIo::crash_at(inner, 2, CrashPoint::Torn(3));
    assert!(block_on(job(&io)).is_err());
    assert_eq!(whole(&stored, "t/data").unwrap(), &b"0123456789012"[..]);
    assert!(block_on(io.delete("t/data")).is_err());
    assert!(whole(&stored, "t/data").is_some());
}

#[test]
fn an_unfinished_file_survives_the_death_of_its_writer() {
    let dir = TempDir::new();
    let stored = LocalFileIo::open(dir.text(), SyncMode::Off).unwrap();
    let io = CrashingFileIo::crash_at(Arc::new(stored), 1, CrashPoint::Before);
    let created = block_on(async {
        let writer = io.create("data").await?;
        let died = io.exists("data").await.is_err();
        drop(writer);
        Ok::<_, IoError>(died)
    });
    assert!(created.unwrap());
    assert_eq!(list_files(dir.path()), ["data"]);
}

#[test]
fn a_lost_reply_is_an_unknown_outcome_of_something_that_happened() {
    let stored = Arc::new(MemoryFileIo::new());
    let io = FaultyFileIo::new(Arc::clone(&stored) as Arc<dyn FileIo>);
    io.inject(Operation::Publish, "snapshot", Fault::LostReply, 1);
    let error = block_on(io.publish("t/snapshot", bytes())).unwrap_err();
    assert!(matches!(error, IoError::OutcomeUnknown { .. }), "{error}");
    assert_eq!(whole(&stored, "t/snapshot"), Some(bytes()));
    let other = Bytes::from_static(b"another writer's");
    assert_eq!(block_on(io.publish("t/snapshot", other)).unwrap(), Publish::Exists);
    assert_eq!(io.fired(), 1);
}

#[test]
fn a_liar_reports_a_publish_that_never_happened() {
    let stored = Arc::new(MemoryFileIo::new());
    let io = FaultyFileIo::new(Arc::clone(&stored) as Arc<dyn FileIo>);
    io.inject(Operation::Publish, "", Fault::Lie, 1);
    assert_eq!(block_on(io.publish("t/snapshot", bytes())).unwrap(), Publish::Published);
    assert_eq!(whole(&stored, "t/snapshot"), None);
}

#[test]
fn a_fault_hits_the_chosen_occurrence_only() {
    let stored = Arc::new(MemoryFileIo::new());
    block_on(stored.overwrite("a", bytes())).unwrap();
    let io = FaultyFileIo::new(stored);
    io.inject_later(Operation::Read, "a", Fault::Error, (1, 1));
    assert!(block_on(io.read("a")).is_ok());
    assert!(block_on(io.read("a")).is_err());
    assert!(block_on(io.read("a")).is_ok());
}
