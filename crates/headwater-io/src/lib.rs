//! The world outside: files, clock, randomness, threads, memory.
//!
//! Every other crate reaches files, time, random numbers and threads through the traits and types
//! here, so that a test can replace all of them. Knows nothing about tables.

pub mod env;
pub mod error;
pub mod file_io;
pub mod host;
pub mod memory;
pub mod pools;
pub mod retry;
pub mod scratch;

pub use bytes::Bytes;

pub use env::{Clock, Env, FixedClock, Random, SeededRandom, SystemClock, SystemRandom};
pub use error::{IoError, IoErrorKind, Result, Source};
pub use file_io::local::{LocalFileIo, SyncMode};
pub use file_io::memory::MemoryFileIo;
pub use file_io::object::ObjectFileIo;
pub use file_io::open::{local_object_store, open_root};
pub use file_io::path_check::check_path;
pub use file_io::staged::StagedOutput;
pub use file_io::turn::{Turn, TurnGuard};
pub use file_io::{FileIo, FileStatus, FileWriter, Publish, ReadInPlace};
pub use memory::{MemoryBudget, MemoryError, Reservation};
pub use pools::{PoolError, Pools, Task};
pub use retry::backoff;
pub use scratch::{KeyMap, Scratch, ScratchDir, ScratchFile};
