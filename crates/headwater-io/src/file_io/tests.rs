//! What every kind of root must do alike; run on a directory, on memory and below a key prefix.

use std::sync::Arc;

use object_store::memory::InMemory;
use tempfile::TempDir;

use super::*;
use crate::error::{IoError, IoErrorKind};
use crate::{LocalFileIo, MemoryFileIo, ObjectFileIo, SyncMode};

struct Roots {
    all: Vec<Arc<dyn FileIo>>,
    _dir: TempDir,
}

fn roots() -> Roots {
    let dir = tempfile::tempdir().unwrap();
    let durable = dir.path().join("durable/warehouse");
    let relaxed = dir.path().join("relaxed");
    let local = |path: &std::path::Path, sync| {
        Arc::new(LocalFileIo::open(path.to_str().unwrap(), sync).unwrap())
    };
    let all: Vec<Arc<dyn FileIo>> = vec![
        local(&durable, SyncMode::Durable),
        local(&relaxed, SyncMode::Off),
        Arc::new(MemoryFileIo::new()),
        Arc::new(ObjectFileIo::new(Arc::new(InMemory::new()), "some/prefix/", "test").unwrap()),
    ];
    Roots { all, _dir: dir }
}

async fn make(io: &dyn FileIo, path: &str, data: &'static [u8]) {
    let mut writer = io.create(path).await.unwrap();
    writer.write(Bytes::from_static(data)).await.unwrap();
    let size = writer.finish().await.unwrap();
    assert_eq!(size, u64::try_from(data.len()).unwrap());
}

fn names(children: &[FileStatus]) -> Vec<(&str, bool, u64)> {
    children.iter().map(|child| (child.name.as_str(), child.is_dir, child.size)).collect()
}

#[tokio::test]
async fn a_written_file_is_read_back_whole_and_in_ranges() {
    for io in roots().all {
        make(&*io, "db.db/t/bucket-0/data-1.parquet", b"0123456789").await;
        let path = "db.db/t/bucket-0/data-1.parquet";
        assert_eq!(io.size(path).await.unwrap(), 10);
        assert_eq!(io.read(path).await.unwrap(), "0123456789");
        assert_eq!(io.read_range(path, 3..7).await.unwrap(), "3456");
        assert_eq!(io.read_range(path, 0..10).await.unwrap(), "0123456789");
        assert_eq!(io.read_range(path, 4..4).await.unwrap(), "");
        let ranges = [8..10, 0..1, 5..5, 1..9];
        let parts = io.read_ranges(path, &ranges).await.unwrap();
        assert_eq!(parts, ["89", "0", "", "12345678"]);
    }
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    for io in roots().all {
        io.create("a/empty").await.unwrap().finish().await.unwrap();
        assert_eq!(io.size("a/empty").await.unwrap(), 0);
        assert_eq!(io.read("a/empty").await.unwrap(), "");
        assert!(io.exists("a/empty").await.unwrap());
    }
}

#[tokio::test]
async fn a_range_past_the_end_is_short_and_never_less_data() {
    for io in roots().all {
        make(&*io, "f", b"0123456789").await;
        for (range, actual) in [(5..11, 5), (10..11, 0), (20..30, 0), (0..u64::MAX, 10)] {
            let error = io.read_range("f", range.clone()).await.unwrap_err();
            assert_eq!(error.kind(), IoErrorKind::Corrupt, "{range:?} {io:?}");
            let IoError::Short { offset, expected, actual: got, .. } = error else {
                panic!("{error} for {range:?} of {io:?}")
            };
            assert_eq!((offset, expected), (range.start, range.end - range.start));
            assert_eq!(got, actual, "{range:?} {io:?}");
        }
        let error = io.read_ranges("f", &[0..4, 8..12]).await.unwrap_err();
        assert!(matches!(error, IoError::Short { .. }), "{error}");
        let backwards = Range { start: 4, end: 3 };
        assert!(io.read_range("f", backwards).await.is_err());
    }
}

#[tokio::test]
async fn a_missing_file_is_not_found() {
    for io in roots().all {
        make(&*io, "d/f", b"x").await;
        for path in ["nothing", "d/nothing", "no/such/dir/f", "d/f/below"] {
            assert!(io.size(path).await.unwrap_err().is_not_found(), "{path} {io:?}");
            assert!(!io.exists(path).await.unwrap());
        }
        assert!(io.read("d/nothing").await.unwrap_err().is_not_found());
        assert!(io.read_range("d/nothing", 0..1).await.unwrap_err().is_not_found());
        assert!(io.size("d").await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn a_listing_has_the_direct_children_by_name() {
    for io in roots().all {
        assert_eq!(io.list("").await.unwrap(), []);
        assert_eq!(io.list("no/such").await.unwrap(), []);
        make(&*io, "d/b", b"12").await;
        make(&*io, "d/a", b"1").await;
        make(&*io, "d/sub/c", b"123").await;
        make(&*io, "dd/x", b"1").await;
        make(&*io, "d/dt=a%2Fb ü/f", b"1").await;
        let all = [("a", false, 1), ("b", false, 2), ("dt=a%2Fb ü", true, 0), ("sub", true, 0)];
        assert_eq!(names(&io.list("d").await.unwrap()), all);
        assert_eq!(names(&io.list("d/").await.unwrap()), all);
        assert_eq!(names(&io.list("").await.unwrap()), [("d", true, 0), ("dd", true, 0)]);
        assert_eq!(names(&io.list("d/dt=a%2Fb ü").await.unwrap()), [("f", false, 1)]);
    }
}

#[tokio::test]
async fn an_empty_directory_exists_and_is_listed_as_empty() {
    for io in roots().all {
        io.create_dir("db.db").await.unwrap();
        io.create_dir("db.db").await.unwrap();
        assert!(io.exists("db.db").await.unwrap());
        assert_eq!(io.list("db.db").await.unwrap(), []);
        assert_eq!(names(&io.list("").await.unwrap()), [("db.db", true, 0)]);
        io.create_dir("x.db/t/schema").await.unwrap();
        assert!(io.exists("x.db/t").await.unwrap());
    }
}

#[tokio::test]
async fn deleting_is_idempotent() {
    for io in roots().all {
        make(&*io, "d/a", b"1").await;
        make(&*io, "d/b", b"1").await;
        io.delete("d/a").await.unwrap();
        io.delete("d/a").await.unwrap();
        io.delete("no/such/dir/f").await.unwrap();
        assert_eq!(names(&io.list("d").await.unwrap()), [("b", false, 1)]);
    }
}

#[tokio::test]
async fn deleting_a_directory_takes_everything_below_and_nothing_beside() {
    for io in roots().all {
        make(&*io, "d/a/x", b"1").await;
        make(&*io, "d/a/y/z", b"1").await;
        make(&*io, "d/ab", b"1").await;
        io.create_dir("d/a/empty").await.unwrap();
        io.delete_dir("d/a").await.unwrap();
        io.delete_dir("d/a").await.unwrap();
        io.delete_dir("no/such").await.unwrap();
        assert_eq!(names(&io.list("d").await.unwrap()), [("ab", false, 1)]);
        assert!(matches!(io.delete_dir("").await, Err(IoError::Escape { .. })));
        make(&*io, "d/a/x", b"2").await;
        assert_eq!(io.read("d/a/x").await.unwrap(), "2");
    }
}

#[tokio::test]
async fn creating_a_file_twice_is_refused_and_keeps_the_first() {
    for io in roots().all {
        make(&*io, "d/f", b"first").await;
        let second = match io.create("d/f").await {
            Err(error) => Err(error),
            Ok(mut writer) => {
                writer.write(Bytes::from_static(b"second")).await.unwrap();
                writer.finish().await
            }
        };
        assert!(matches!(second, Err(IoError::AlreadyExists { .. })), "{second:?}");
        assert_eq!(io.read("d/f").await.unwrap(), "first");
    }
}

#[tokio::test]
async fn an_aborted_file_is_gone() {
    for io in roots().all {
        let mut writer = io.create("d/f").await.unwrap();
        writer.write(Bytes::from_static(b"half")).await.unwrap();
        writer.abort().await.unwrap();
        assert!(!io.exists("d/f").await.unwrap());
        assert_eq!(io.list("d").await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_large_file_written_in_uneven_pieces_is_intact() {
    let content: Vec<u8> = (0..20_000_019_u32).map(|i| i.to_le_bytes()[0] ^ 7).collect();
    let content = Bytes::from(content);
    for io in roots().all {
        let mut writer = io.create("d/large").await.unwrap();
        let (mut at, mut step) = (0, 1);
        while at < content.len() {
            let end = content.len().min(at + step);
            writer.write(content.slice(at..end)).await.unwrap();
            (at, step) = (end, step * 3);
        }
        assert_eq!(writer.finish().await.unwrap(), 20_000_019);
        assert!(io.read("d/large").await.unwrap() == content, "{io:?}");
        let far = io.read_ranges("d/large", &[19_000_000..20_000_019, 5..9]).await.unwrap();
        assert!(far[0] == content[19_000_000..] && far[1] == content[5..9]);
    }
}

#[tokio::test]
async fn publishing_makes_a_file_once_and_never_replaces_it() {
    for io in roots().all {
        let publish = |text: &'static str| io.publish("t/snapshot/snapshot-1", text.into());
        assert_eq!(publish("one").await.unwrap(), Publish::Published);
        assert_eq!(publish("two").await.unwrap(), Publish::Exists);
        assert_eq!(io.read("t/snapshot/snapshot-1").await.unwrap(), "one");
        // No temporary file stays behind.
        assert_eq!(names(&io.list("t/snapshot").await.unwrap()), [("snapshot-1", false, 3)]);
    }
}

#[tokio::test]
async fn overwriting_replaces_the_whole_content() {
    for io in roots().all {
        io.overwrite("t/snapshot/LATEST", "1234".into()).await.unwrap();
        io.overwrite("t/snapshot/LATEST", "5".into()).await.unwrap();
        assert_eq!(io.read("t/snapshot/LATEST").await.unwrap(), "5");
        assert_eq!(names(&io.list("t/snapshot").await.unwrap()), [("LATEST", false, 1)]);
    }
}

#[tokio::test]
async fn no_operation_takes_a_path_out_of_the_root() {
    for io in roots().all {
        for path in ["../x", "a/../../x", "/etc/x", "a//x", "", "a/./x", "a\0b", "..", "a/"] {
            let escapes = |error: &IoError| matches!(error, IoError::Escape { .. });
            assert!(escapes(&io.read(path).await.unwrap_err()), "{path:?}");
            assert!(escapes(&io.read_range(path, 0..1).await.unwrap_err()));
            let two = [0..1, 4..5];
            assert!(escapes(&io.read_ranges(path, &two).await.unwrap_err()));
            assert!(escapes(&io.size(path).await.unwrap_err()));
            assert!(escapes(&io.create(path).await.map(drop).unwrap_err()));
            assert!(escapes(&io.publish(path, Bytes::new()).await.unwrap_err()));
            assert!(escapes(&io.overwrite(path, Bytes::new()).await.unwrap_err()));
            assert!(escapes(&io.delete(path).await.unwrap_err()));
        }
        for dir in ["../x", "a/../../x", "/etc", "a//x", "a/./x", "a\0b", "..", "a//"] {
            let escapes = |error: &IoError| matches!(error, IoError::Escape { .. });
            assert!(escapes(&io.list(dir).await.unwrap_err()), "{dir:?}");
            assert!(escapes(&io.exists(dir).await.unwrap_err()));
            assert!(escapes(&io.create_dir(dir).await.unwrap_err()));
            assert!(escapes(&io.delete_dir(dir).await.unwrap_err()));
        }
    }
}

#[test]
fn of_racing_publishers_exactly_one_wins_and_its_bytes_stay() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 150;
    // Without syncing: the race is about names.
    let roots = roots();
    for io in &roots.all[1..] {
        let barrier = std::sync::Barrier::new(WRITERS);
        let wins = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (io, barrier) = (Arc::clone(io), &barrier);
                    scope.spawn(move || {
                        let publish = |round| {
                            barrier.wait();
                            let data = format!("writer {writer}").into();
                            let path = format!("t/snapshot/snapshot-{round}");
                            futures::executor::block_on(io.publish(&path, data)).unwrap()
                        };
                        (0..ROUNDS).map(publish).collect::<Vec<_>>()
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect::<Vec<_>>()
        });
        let winners_of = |round: usize| {
            let won = |writer: &usize| wins[*writer][round] == Publish::Published;
            (0..WRITERS).filter(won).collect::<Vec<_>>()
        };
        for round in 0..ROUNDS {
            let winners = winners_of(round);
            assert_eq!(winners.len(), 1, "round {round} of {io:?}");
            let path = format!("t/snapshot/snapshot-{round}");
            let content = futures::executor::block_on(io.read(&path)).unwrap();
            assert_eq!(content, format!("writer {}", winners[0]));
        }
        let left = futures::executor::block_on(io.list("t/snapshot")).unwrap();
        assert_eq!(left.len(), ROUNDS);
    }
}

#[test]
fn files_work_without_an_async_runtime() {
    for io in roots().all {
        futures::executor::block_on(async {
            make(&*io, "d/f", b"x").await;
            assert_eq!(io.read("d/f").await.unwrap(), "x");
        });
    }
}
