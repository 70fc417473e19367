//! The process and machine for the binary: runtime, standard streams, files the user names
//! outside any root, the terminal's width, memory figures.

mod allocator;
mod foreground;
mod output_file;

use std::future::Future;
use std::io::{Read, Write};
use std::time::Duration;

pub use allocator::tune_allocator;
pub use foreground::{Ended, Foreground, Interrupt};
pub use output_file::OutputFile;

use crate::error::{IoError, Result};
use crate::pools::build_runtime;

/// Linux counts in hundredths of a second here, whatever the kernel's own rate.
const MILLIS_PER_TICK: u64 = 10;

/// Runs a future to its end on a new multi-thread runtime. For `main`, once.
///
/// # Errors
/// The runtime's threads cannot be started.
pub fn block_on<F: Future>(future: F) -> Result<F::Output> {
    let runtime = build_runtime().map_err(|source| IoError::Root {
        root: "async runtime".to_owned(),
        source: Box::new(source),
    })?;
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    Ok(output)
}

/// The content of a text file that the user named.
///
/// # Errors
/// `NotFound`, `NotText`, or the read failed.
pub fn read_text_file(path: &str) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|source| IoError::read(path, "read", source))?;
    text(path, bytes)
}

/// The content of any file that the user named.
///
/// # Errors
/// `NotFound`, or the read failed.
pub fn read_file(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| IoError::read(path, "read", source))
}

/// Writes a file that the user named, replacing what is there. Not atomic.
///
/// # Errors
/// The write failed.
pub fn write_file(path: &str, data: &[u8]) -> Result<()> {
    std::fs::write(path, data).map_err(|source| IoError::write(path, "write", source))
}

/// Makes the directory that `path` is in, and those above it.
///
/// # Errors
/// A directory cannot be made.
pub fn create_parent_dir(path: &str) -> Result<()> {
    match std::path::Path::new(path).parent() {
        Some(parent) => std::fs::create_dir_all(parent)
            .map_err(|source| IoError::write(&parent.to_string_lossy(), "create", source)),
        None => Ok(()),
    }
}

/// The path from the root of the file system, without links, of something that is there.
///
/// # Errors
/// `NotFound`, or the path is not text.
pub fn absolute_path(path: &str) -> Result<String> {
    let found =
        std::fs::canonicalize(path).map_err(|source| IoError::read(path, "look up", source))?;
    found
        .into_os_string()
        .into_string()
        .map_err(|_| IoError::NotText { path: path.to_owned(), offset: 0 })
}

/// Columns of the terminal that standard output is; `None` when it is none or does not tell.
#[must_use]
pub fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Everything on standard input.
///
/// # Errors
/// `NotText`, or the read failed.
pub fn stdin_to_string() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|source| IoError::read("standard input", "read", source))?;
    text("standard input", bytes)
}

/// Writes to standard output and flushes it. Returns false when nobody reads it any more.
///
/// # Errors
/// The write failed for another reason.
pub fn write_stdout(data: &[u8]) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(data).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(IoError::write("standard output", "write", error)),
    }
}

/// Writes to standard error; a failure has nowhere to go.
pub fn write_stderr(data: &[u8]) {
    let mut out = std::io::stderr().lock();
    drop(out.write_all(data).and_then(|()| out.flush()));
}

/// Most memory this process ever had resident, in KiB; `None` where the system does not tell.
#[must_use]
pub fn peak_rss_kb() -> Option<u64> {
    proc_kb("/proc/self/status", "VmHWM:")
}

/// Processor time that all threads of this process have used, in the program and in the system, to
/// the hundredth of a second; `None` where the system does not tell.
#[must_use]
pub fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat_cpu(&text)
}

/// Fields 14 and 15 of `/proc/self/stat`: ticks in the program and in the system.
fn stat_cpu(text: &str) -> Option<Duration> {
    // The name of the program, in parentheses, may contain anything.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (program, system) = (ticks()?, ticks()?);
    Some(Duration::from_millis(program.checked_add(system)?.checked_mul(MILLIS_PER_TICK)?))
}

/// Memory that this process may use, in bytes: that of the machine, of its control group or of its
/// address space, whatever is least. `None` where the system does not tell.
#[must_use]
pub fn total_memory_bytes() -> Option<u64> {
    let machine = proc_kb("/proc/meminfo", "MemTotal:").map(|kb| kb.saturating_mul(1024));
    // Version 2 and version 1 of control groups, as a container sees its own.
    let group = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .into_iter()
        .find_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok());
    let space = std::fs::read_to_string("/proc/self/limits").ok();
    let space = space.as_deref().and_then(address_space);
    machine.into_iter().chain(group).chain(space).min()
}

/// The soft limit of `Max address space  1073741824  unlimited  bytes`; `None` when there is none.
fn address_space(limits: &str) -> Option<u64> {
    field_kb(limits, "Max address space")
}

/// Processors that this process may use, at least 1.
#[must_use]
pub fn cpu_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Bytes that an ordinary user can still write to the file system holding `path`; `None` where
/// the system does not tell.
#[must_use]
pub fn local_free_bytes(path: &str) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A `Name:  123 kB` line of a proc file.
fn proc_kb(file: &str, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    field_kb(&text, field)
}

fn field_kb(text: &str, field: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| IoError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_on_gives_a_runtime_with_time() {
        let value = block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            42
        });
        assert_eq!(value.unwrap(), 42);
    }

    #[test]
    fn text_that_is_not_utf8_names_the_byte() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q.sql");
        let path = path.to_str().unwrap();
        write_file(path, b"SELECT \xFF").unwrap();
        assert!(matches!(read_text_file(path), Err(IoError::NotText { offset: 7, .. })));
        write_file(path, "SELECT 'ü'".as_bytes()).unwrap();
        assert_eq!(read_text_file(path).unwrap(), "SELECT 'ü'");
        assert_eq!(read_file(path).unwrap().len(), 11);
    }

    #[test]
    fn a_missing_user_file_is_not_found() {
        assert!(read_text_file("/nonexistent/q.sql").unwrap_err().is_not_found());
    }

    #[test]
    fn proc_fields_are_read_in_kib() {
        assert_eq!(field_kb("VmPeak:\t 9 kB\nVmHWM:\t   1234 kB\n", "VmHWM:"), Some(1234));
        assert_eq!(field_kb("VmHWM:\t lots\n", "VmHWM:"), None);
        assert_eq!(field_kb("", "VmHWM:"), None);
    }

    #[test]
    fn processor_time_is_that_of_program_and_system() {
        let line = "7 (a) b) c) R 1 2 3 4 5 6 7 8 9 10 150 25 13 14";
        assert_eq!(stat_cpu(line), Some(Duration::from_millis(1_750)));
        assert_eq!(stat_cpu("7 (a) R 1 2 3"), None);
        if cfg!(target_os = "linux") {
            let before = cpu_time().unwrap();
            while cpu_time().unwrap() == before {}
        }
    }

    #[test]
    fn a_limit_of_the_address_space_is_a_number_of_bytes() {
        let limits = |soft: &str| {
            format!("Max processes  1  2  processes\nMax address space  {soft}  unlimited  bytes\n")
        };
        assert_eq!(address_space(&limits("1073741824")), Some(1 << 30));
        assert_eq!(address_space(&limits("unlimited")), None);
        assert_eq!(address_space(""), None);
    }

    #[test]
    fn linux_tells_its_memory() {
        if cfg!(target_os = "linux") {
            assert!(peak_rss_kb().unwrap() > 100);
            assert!(total_memory_bytes().unwrap() > 1 << 20);
            assert!(local_free_bytes("/").is_some());
        }
        assert!(cpu_count() >= 1);
    }
}
