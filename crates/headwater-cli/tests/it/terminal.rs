//! The binary on a terminal: types, and waits for what appears.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};

use crate::program::without_user;

/// How long something may take to appear on a loaded machine.
const TIMEOUT_MILLIS: u64 = 120_000;
/// Ctrl-C.
pub(crate) const CTRL_C: &str = "\u{3}";
/// Ctrl-D.
pub(crate) const CTRL_D: &str = "\u{4}";
/// The arrow that goes back in history.
pub(crate) const UP: &str = "\u{1b}[A";

/// A terminal in which the binary runs.
pub(crate) struct Terminal {
    session: PtySession,
}

impl Terminal {
    /// Starts `headwater sql` in a directory that is also the user's, on a terminal of 100 columns.
    pub(crate) fn shell(directory: &Path, arguments: &[&str]) -> Self {
        Self::start(directory, 100, &[&["sql"], arguments].concat(), &[])
    }

    /// Starts the binary on a terminal of so many columns, with variables of the environment.
    pub(crate) fn start(
        directory: &Path,
        columns: u16,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        // The size is set before the binary looks at it.
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("stty rows 50 cols {columns} && exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_headwater"))
            .args(arguments)
            .current_dir(directory);
        without_user(&mut command);
        command.env("HOME", directory).env("TERM", "xterm").envs(variables.iter().copied());
        let options = Options::new().timeout_ms(Some(TIMEOUT_MILLIS)).strip_ansi_escape_codes(true);
        Self { session: spawn_with_options(command, options).unwrap() }
    }

    /// Types something.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
    }

    /// Types bytes that need not be text.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let mut file = self.session.process().get_file_handle().unwrap();
        file.write_all(bytes).unwrap();
    }

    /// Types a line and Enter.
    pub(crate) fn line(&mut self, line: &str) {
        self.keys(&format!("{line}\r"));
    }

    /// Waits until a text appears, and gives what came before it.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> String {
        // The reader takes each byte for a character.
        let bytes: String = text.bytes().map(char::from).collect();
        match self.session.exp_string(&bytes) {
            Ok(before) => as_utf8(&before),
            Err(error) => panic!("{text:?} did not appear: {}", as_utf8(&error.to_string())),
        }
    }

    /// Waits for the prompt of a database, and gives what came before it.
    #[track_caller]
    pub(crate) fn prompt(&mut self, database: &str) -> String {
        self.expect(&format!("{database}> "))
    }

    /// Waits for the end, and gives the exit code, as a shell would, and what came last.
    #[track_caller]
    pub(crate) fn end(mut self) -> (i32, String) {
        let rest = as_utf8(&self.session.exp_eof().unwrap());
        match self.session.process().wait().unwrap() {
            WaitStatus::Exited(_, code) => (code, rest),
            WaitStatus::Signaled(_, signal, _) => (128 + signal as i32, rest),
            other => panic!("{other:?}: {rest}"),
        }
    }
}

/// The text whose bytes the reader took for characters.
fn as_utf8(text: &str) -> String {
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
