//! What several commands share: sizes of memory, threads, the name of a table, and the settings
//! that come from `headwater.toml` and the environment.

mod file;
mod places;
mod settings;

use std::path::PathBuf;

use headwater::io::host;
use headwater::{Env, SyncMode};

pub(crate) use file::parse_limit;
pub(crate) use places::Environment;
pub(crate) use settings::{FILE, Settings, parse_pair};

/// Where tables live when no warehouse is named; made by the first statement that creates something.
pub(crate) const DEFAULT_WAREHOUSE: &str = "./warehouse";
/// Least memory a command works with.
const LEAST_MEMORY: u64 = 16 << 20;
/// Memory when neither the argument nor the system says how much there is.
const FALLBACK_MEMORY: u64 = 1 << 30;

/// How much of the machine a command may use.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Resources {
    /// Memory for buffers, sorts and joins, such as 512MB, 2GiB or 2g [default: a quarter of the machine]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory)]
    pub(crate) memory: Option<u64>,
    /// Threads that decode, merge and encode [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
    /// Directories for rows that do not fit into memory, separated by ':'; the next one where one
    /// cannot be used [default: the system's temporary directory]
    #[arg(long = "temp-dir", value_name = "DIRS", value_parser = parse_temp_dirs)]
    pub(crate) temp_dirs: Option<TempDirs>,
}

/// Directories for scratch files.
pub(crate) type TempDirs = Vec<PathBuf>;

impl Resources {
    /// These, and what the settings say of the rest.
    pub(crate) fn or(&self, settings: &Settings) -> Self {
        Self {
            memory: self.memory.or(settings.memory),
            threads: self.threads.or(settings.threads),
            temp_dirs: Some(self.temp_dirs.clone().unwrap_or_else(|| settings.temp_dirs.clone())),
        }
    }

    /// Threads to use.
    pub(crate) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(host::cpu_count)
    }

    /// Bytes to use.
    pub(crate) fn memory_bytes(&self) -> usize {
        let bytes = self
            .memory
            .or_else(|| host::total_memory_bytes().map(|total| (total / 4).max(LEAST_MEMORY)))
            .unwrap_or(FALLBACK_MEMORY);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Clock, randomness, threads, a memory budget of `memory_bytes`, and scratch files.
    pub(crate) fn env(&self, memory_bytes: usize) -> Env {
        let env = Env::system(self.threads(), memory_bytes);
        env.scratch_in(self.temp_dirs.clone().unwrap_or_default())
    }
}

/// Whether commits wait for the disk.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Durability {
    /// Do not sync files to disk: faster on slow disks, but a crash of the machine (not of the
    /// process) may lose commits that were acknowledged
    #[arg(long)]
    no_sync: bool,
}

impl Durability {
    /// The mode of file operations.
    pub(crate) const fn sync_mode(self) -> SyncMode {
        if self.no_sync { SyncMode::Off } else { SyncMode::Durable }
    }
}

/// A table as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TableName {
    /// A directory or URI: the name holds a `/`.
    Location(String),
    /// `[catalog.]db.table` in a warehouse.
    Named {
        /// The catalog, when one is named.
        catalog: Option<String>,
        /// The database.
        database: String,
        /// The table.
        table: String,
    },
}

impl TableName {
    /// Reads `[catalog.]db.table`, or a directory or URI.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return Ok(Self::Location(text.to_owned()));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let (catalog, database, table) = match parts.as_slice() {
            [database, table] => (None, *database, *table),
            [catalog, database, table] => (Some(*catalog), *database, *table),
            _ => return Err(Self::FORM.to_owned()),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(Self::FORM.to_owned());
        }
        Ok(Self::Named {
            catalog: catalog.map(str::to_owned),
            database: database.to_owned(),
            table: table.to_owned(),
        })
    }

    const FORM: &'static str =
        "[catalog.]db.table is needed, or a directory or URI with a '/' (such as ./table)";
}

/// Directories separated by ':'.
fn parse_temp_dirs(text: &str) -> Result<TempDirs, String> {
    let dirs: TempDirs = std::env::split_paths(text).collect();
    if dirs.iter().any(|dir| dir.as_os_str().is_empty()) {
        return Err("one or several directories are needed, separated by ':'".to_owned());
    }
    Ok(dirs)
}

/// Bytes of a size such as `512MB`: KB, MB, GB and TB count by 1000; KiB, MiB, GiB, TiB and the
/// single letters k, m, g, t by 1024; no unit means bytes.
fn parse_memory(text: &str) -> Result<u64, String> {
    let bytes = parse_size(text)?;
    if bytes < LEAST_MEMORY {
        return Err(format!("at least {}MiB is needed", LEAST_MEMORY >> 20));
    }
    Ok(bytes)
}

fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits
        .replace('_', "")
        .parse()
        .map_err(|_| "a whole number with a unit such as MB or GiB is needed".to_owned())?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        other => {
            return Err(format!("unknown unit '{other}': use B, KB, MB, GB, KiB, MiB or GiB"));
        }
    };
    number.checked_mul(factor).ok_or_else(|| "too large".to_owned())
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=1024) => Ok(n),
        _ => Err("a number from 1 to 1024 is needed".to_owned()),
    }
}

/// A count such as `10000000` or `10_000_000`, at least 1.
pub(crate) fn parse_count(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse() {
        Ok(n @ 1..) => Ok(n),
        _ => Err("a whole number of at least 1 is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{TableName, parse_count, parse_memory, parse_size, parse_threads};

    #[test]
    fn sizes_count_by_1000_or_1024_as_their_unit_says() {
        assert_eq!(parse_size("512MB"), Ok(512_000_000));
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("2g"), Ok(2 << 30));
        assert_eq!(parse_size("64 kb"), Ok(64_000));
        assert_eq!(parse_size("17"), Ok(17));
    }

    #[test]
    fn sizes_without_number_or_with_unknown_unit_are_refused() {
        for text in ["", "MB", "-1", "1.5GB", "3 parsecs", "99999999999TB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn memory_below_the_least_is_refused() {
        assert!(parse_memory("1MB").is_err());
        assert_eq!(parse_memory("16MiB"), Ok(16 << 20));
    }

    #[test]
    fn a_name_with_a_slash_is_a_location() {
        for text in ["./t", "/w/db.db/t", "file:///w/t", "s3://bucket/t"] {
            assert_eq!(TableName::parse(text), Ok(TableName::Location(text.to_owned())));
        }
    }

    #[test]
    fn a_name_has_a_database_and_perhaps_a_catalog() {
        let named = |catalog: Option<&str>| TableName::Named {
            catalog: catalog.map(str::to_owned),
            database: "db".to_owned(),
            table: "t".to_owned(),
        };
        assert_eq!(TableName::parse("db.t"), Ok(named(None)));
        assert_eq!(TableName::parse("c.db.t"), Ok(named(Some("c"))));
        for text in ["t", "", ".t", "db.", "a.b.c.d"] {
            assert!(TableName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_allow_underscores_and_refuse_zero() {
        assert_eq!(parse_count("10_000_000"), Ok(10_000_000));
        assert!(parse_count("0").is_err());
        assert!(parse_threads("0").is_err());
    }
}
