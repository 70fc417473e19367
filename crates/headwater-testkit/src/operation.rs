//! The operations of a file system, as the crashing and the faulty one name them.

use headwater_io::IoError;

/// One kind of operation of [`FileIo`](headwater_io::FileIo) or of one of its writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `read`, `read_range` and `read_ranges`.
    Read,
    /// `size`.
    Size,
    /// `exists`.
    Exists,
    /// `list`.
    List,
    /// `create`.
    Create,
    /// `FileWriter::write`.
    Write,
    /// `FileWriter::finish`.
    Finish,
    /// `FileWriter::abort`.
    Abort,
    /// `publish`.
    Publish,
    /// `overwrite`.
    Overwrite,
    /// `delete`.
    Delete,
    /// `create_dir`.
    CreateDir,
    /// `move_dir`; the path is the one it moves from.
    MoveDir,
    /// `delete_dir`.
    DeleteDir,
}

impl Operation {
    /// Whether it can change what is stored.
    pub const fn changes_files(self) -> bool {
        !matches!(self, Self::Read | Self::Size | Self::Exists | Self::List)
    }

    /// Its name as errors show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Size => "size",
            Self::Exists => "exists",
            Self::List => "list",
            Self::Create => "create",
            Self::Write => "write",
            Self::Finish => "finish",
            Self::Abort => "abort",
            Self::Publish => "publish",
            Self::Overwrite => "overwrite",
            Self::Delete => "delete",
            Self::CreateDir => "create_dir",
            Self::MoveDir => "move_dir",
            Self::DeleteDir => "delete_dir",
        }
    }

    /// The error of this operation on `path`.
    pub(crate) fn error(self, path: &str, reason: &str) -> IoError {
        let (path, op, source) = (path.to_owned(), self.name(), reason.to_owned().into());
        if self.changes_files() {
            IoError::Write { path, op, source }
        } else {
            IoError::Read { path, op, source }
        }
    }
}
