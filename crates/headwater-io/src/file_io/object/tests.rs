//! Stores that lie, lose replies or cut answers.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, Error, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    PutMultipartOptions, PutResult,
};

use super::writer::PART_BYTES;
use super::*;
use crate::env::{FixedClock, SeededRandom};

/// What happens to one conditional put.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing.
    None,
    /// Stored, but the reply is an error.
    LostReply,
    /// Not stored, but the reply says so.
    Liar,
    /// Not stored; error.
    Failed,
    /// Not stored; a conflicting request was under way.
    Conflict,
    /// Stored by an earlier delivery of the same request: already there.
    Repeated,
    /// A rival stores other bytes; the reply is an error.
    Rival,
    /// Refused for good.
    Denied,
}

/// A store in memory whose puts go wrong as scripted; after the script all goes well.
#[derive(Debug)]
struct Faulty {
    inner: InMemory,
    script: Mutex<Vec<Fault>>,
    puts: AtomicUsize,
    unreadable: bool,
    cut: bool,
    uploads: AtomicUsize,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn failed() -> Error {
    Error::Generic { store: "faulty", source: "connection reset".into() }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.puts.fetch_add(1, Ordering::SeqCst);
        let fault = {
            let mut script = self.script.lock().unwrap();
            if script.is_empty() { Fault::None } else { script.remove(0) }
        };
        let path = key.to_string();
        match fault {
            Fault::None => self.inner.put_opts(key, payload, options).await,
            Fault::LostReply => {
                drop(self.inner.put_opts(key, payload, options).await);
                Err(failed())
            }
            Fault::Liar => Ok(PutResult { e_tag: None, version: None }),
            Fault::Failed => Err(failed()),
            Fault::Conflict => Err(Error::Precondition { path, source: "409".into() }),
            Fault::Repeated => {
                self.inner.put_opts(key, payload.clone(), options.clone()).await?;
                self.inner.put_opts(key, payload, options).await
            }
            Fault::Rival => {
                self.inner.put(key, PutPayload::from_static(b"rival")).await?;
                Err(failed())
            }
            Fault::Denied => Err(Error::PermissionDenied { path, source: "403".into() }),
        }
    }

    async fn put_multipart_opts(
        &self,
        key: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.uploads.fetch_add(1, Ordering::SeqCst);
        self.inner.put_multipart_opts(key, options).await
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        if self.unreadable {
            return Err(failed());
        }
        let found = self.inner.get_opts(key, options).await?;
        if !self.cut {
            return Ok(found);
        }
        let (meta, range, attributes) =
            (found.meta.clone(), found.range.clone(), found.attributes.clone());
        let bytes = found.bytes().await?;
        let half = bytes.slice(..bytes.len() / 2);
        let payload = GetResultPayload::Stream(futures::stream::iter([Ok(half)]).boxed());
        Ok(GetResult { payload, meta, range, attributes })
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        Err(Error::Generic { store: "faulty", source: "nothing here may copy".into() })
    }
}

impl Faulty {
    fn new(script: &[Fault]) -> Self {
        Self {
            inner: InMemory::new(),
            script: Mutex::new(script.to_vec()),
            puts: AtomicUsize::new(0),
            unreadable: false,
            cut: false,
            uploads: AtomicUsize::new(0),
        }
    }
}

fn io(store: Faulty) -> (Arc<Faulty>, ObjectFileIo) {
    let store = Arc::new(store);
    let shared: Arc<dyn ObjectStore> = Arc::clone(&store) as Arc<dyn ObjectStore>;
    let io = ObjectFileIo::new(shared, "wh", "faulty://wh").unwrap();
    let io = io.with_clock(Arc::new(FixedClock::new(0)), Arc::new(SeededRandom::new(1)));
    (store, io)
}

async fn stored(store: &Faulty) -> Option<Bytes> {
    let found = store.inner.get(&Path::from("wh/s/snapshot-1")).await.ok()?;
    found.bytes().await.ok()
}

#[tokio::test]
async fn published_means_stored_whatever_the_reply_was() {
    for fault in [Fault::None, Fault::LostReply, Fault::Liar, Fault::Failed, Fault::Conflict] {
        let (store, io) = io(Faulty::new(&[fault]));
        let outcome = io.publish("s/snapshot-1", "ours".into()).await.unwrap();
        assert_eq!(outcome, Publish::Published, "{fault:?}");
        assert_eq!(stored(&store).await.unwrap(), "ours", "{fault:?}");
        let again = matches!(fault, Fault::Liar | Fault::Failed | Fault::Conflict);
        assert_eq!(store.puts.load(Ordering::SeqCst), 1 + usize::from(again), "{fault:?}");
    }
}

#[tokio::test]
async fn a_repeated_request_that_meets_its_own_object_is_published() {
    let (store, io) = io(Faulty::new(&[Fault::Repeated]));
    assert_eq!(io.publish("s/snapshot-1", "ours".into()).await.unwrap(), Publish::Published);
    assert_eq!(stored(&store).await.unwrap(), "ours");
}

#[tokio::test]
async fn a_rivals_object_exists_and_stays_whatever_the_reply_was() {
    for rest in [Fault::None, Fault::LostReply, Fault::Liar, Fault::Failed, Fault::Conflict] {
        let (store, io) = io(Faulty::new(&[Fault::Rival, rest]));
        let outcome = io.publish("s/snapshot-1", "ours!".into()).await.unwrap();
        assert_eq!(outcome, Publish::Exists, "same size");
        let outcome = io.publish("s/snapshot-1", "longer".into()).await.unwrap();
        assert_eq!(outcome, Publish::Exists, "other size, {rest:?}");
        assert_eq!(stored(&store).await.unwrap(), "rival");
    }
}

#[tokio::test]
async fn a_put_without_any_usable_reply_ends_as_unknown() {
    for fault in [Fault::Liar, Fault::Failed] {
        let (store, io) = io(Faulty::new(&[fault; 20]));
        let error = io.publish("s/snapshot-1", "ours".into()).await.unwrap_err();
        assert!(matches!(error, IoError::OutcomeUnknown { .. }), "{fault:?}: {error}");
        assert_eq!(store.puts.load(Ordering::SeqCst), 5);
    }
}

#[tokio::test]
async fn an_unreadable_object_is_unknown() {
    for fault in [Fault::None, Fault::LostReply, Fault::Failed, Fault::Conflict, Fault::Rival] {
        let (_store, io) = io(Faulty { unreadable: true, ..Faulty::new(&[fault]) });
        let error = io.publish("s/snapshot-1", "ours".into()).await.unwrap_err();
        assert!(matches!(error, IoError::OutcomeUnknown { .. }), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn a_definite_refusal_published_nothing() {
    let (store, io) = io(Faulty::new(&[Fault::Denied]));
    let error = io.publish("s/snapshot-1", "ours".into()).await.unwrap_err();
    assert!(matches!(error, IoError::Write { .. }), "{error}");
    assert_eq!((stored(&store).await, store.puts.load(Ordering::SeqCst)), (None, 1));
}

#[tokio::test]
async fn a_conflict_that_never_ends_published_nothing() {
    let (store, io) = io(Faulty::new(&[Fault::Conflict; 20]));
    let error = io.publish("s/snapshot-1", "ours".into()).await.unwrap_err();
    assert!(matches!(error, IoError::Write { .. }), "{error}");
    assert_eq!(stored(&store).await, None);
}

#[tokio::test]
async fn a_refusal_after_an_unclear_reply_is_still_unknown() {
    let (_store, io) = io(Faulty::new(&[Fault::Failed, Fault::Denied]));
    let error = io.publish("s/snapshot-1", "ours".into()).await.unwrap_err();
    assert!(matches!(error, IoError::OutcomeUnknown { .. }), "{error}");
}

#[tokio::test]
async fn a_data_file_survives_a_lost_reply_and_is_not_read_back_without_need() {
    let (store, io) = io(Faulty { unreadable: true, ..Faulty::new(&[]) });
    let mut writer = io.create("s/snapshot-1").await.unwrap();
    writer.write("data".into()).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), 4);
    assert_eq!(stored(&store).await.unwrap(), "data");

    let (store, io) = self::io(Faulty::new(&[Fault::LostReply]));
    let mut writer = io.create("s/snapshot-1").await.unwrap();
    writer.write("data".into()).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), 4);
    assert_eq!(stored(&store).await.unwrap(), "data");
}

#[tokio::test]
async fn a_cut_answer_is_short_and_never_data() {
    let (store, io) = io(Faulty { cut: true, ..Faulty::new(&[]) });
    store.inner.put(&Path::from("wh/f"), PutPayload::from_static(b"0123456789")).await.unwrap();
    let short = |error: &IoError| matches!(error, IoError::Short { .. });
    assert!(short(&io.read("f").await.unwrap_err()));
    assert!(short(&io.read_range("f", 2..6).await.unwrap_err()));
    assert!(short(&io.read_ranges("f", &[0..2, 4..9]).await.unwrap_err()));
}

#[tokio::test]
async fn a_file_of_exactly_one_part_needs_no_multipart_upload() {
    for (bytes, uploads) in [(PART_BYTES, 0), (PART_BYTES + 1, 1)] {
        let (store, io) = io(Faulty::new(&[]));
        let mut writer = io.create("s/snapshot-1").await.unwrap();
        writer.write(Bytes::from(vec![7; bytes])).await.unwrap();
        assert_eq!(writer.finish().await.unwrap(), u64::try_from(bytes).unwrap());
        assert_eq!(store.uploads.load(Ordering::SeqCst), uploads);
        assert_eq!(stored(&store).await.unwrap().len(), bytes);
    }
}

#[tokio::test]
async fn a_multipart_upload_does_not_replace_an_object() {
    let (store, io) = io(Faulty::new(&[]));
    io.overwrite("s/snapshot-1", "first".into()).await.unwrap();
    let mut writer = io.create("s/snapshot-1").await.unwrap();
    let error = writer.write(Bytes::from(vec![7; PART_BYTES + 1])).await.unwrap_err();
    assert!(matches!(error, IoError::AlreadyExists { .. }), "{error}");
    writer.abort().await.unwrap();
    assert_eq!(stored(&store).await.unwrap(), "first");
}

#[tokio::test]
async fn keys_are_the_paths_as_they_are() {
    let (store, io) = io(Faulty::new(&[]));
    io.overwrite("dt=a%2Fb~/f#1", "x".into()).await.unwrap();
    let keys: Vec<_> =
        store.inner.list(None).map_ok(|meta| meta.location).try_collect().await.unwrap();
    assert_eq!(keys, [Path::parse("wh/dt=a%2Fb~/f#1").unwrap()]);
    assert!(matches!(io.size("a\u{1}b").await, Err(IoError::Escape { .. })));
}

#[tokio::test]
async fn files_beside_the_prefix_are_not_seen() {
    let (store, io) = io(Faulty::new(&[]));
    for key in ["wh2/f", "f", "wh/f"] {
        store.inner.put(&Path::from(key), PutPayload::from_static(b"x")).await.unwrap();
    }
    let names: Vec<_> = io.list("").await.unwrap().into_iter().map(|child| child.name).collect();
    assert_eq!(names, ["f"]);
    assert!(!io.exists("wh2").await.unwrap());
}
