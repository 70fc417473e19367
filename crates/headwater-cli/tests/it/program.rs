//! The binary as a child process.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// What a finished process said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Said {
    /// Standard output of a process that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }
}

/// A command that starts the binary with these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    without_user(&mut command);
    command
}

/// Takes what the user of this machine has set away from a command.
pub(crate) fn without_user(command: &mut Command) {
    let of_user =
        |name: &str| ["HEADWATER_", "XDG_", "RUST_"].iter().any(|prefix| name.starts_with(prefix));
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        if of_user(&name) {
            command.env_remove(name);
        }
    }
    command.env("HOME", "/nonexistent");
}

/// Runs the binary to its end.
pub(crate) fn headwater(arguments: &[&str]) -> Said {
    said(command(arguments).output().unwrap())
}

/// Runs the binary in a directory.
pub(crate) fn headwater_in(directory: &Path, arguments: &[&str]) -> Said {
    said(command(arguments).current_dir(directory).output().unwrap())
}

/// Starts the binary and gives it its standard input, which must be small.
pub(crate) fn start(arguments: &[&str], input: &str) -> Child {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child
}

/// Runs the binary on this standard input.
pub(crate) fn headwater_with_input(arguments: &[&str], input: &str) -> Said {
    said(start(arguments, input).wait_with_output().unwrap())
}

/// Runs statements in a warehouse, which is made when it is missing.
pub(crate) fn sql(warehouse: &str, statements: &str) -> Said {
    headwater(&["sql", "--warehouse", warehouse, "--create", "--format", "csv", "-c", statements])
}

pub(crate) fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
