//! Which format a data file has: decided by its name, never by table options.
//!
//! Format: `docs/spec/layout.md#file-names`. Source: Paimon 1.4.2 `DataFilePathFactory#formatIdentifier`.

use crate::error::{FormatError, Result};

/// Format of a data file. All of them can be named; this version reads and writes Parquet and Avro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileFormat {
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
    /// Apache Avro.
    Avro,
    /// Comma-separated text.
    Csv,
    /// JSON lines.
    Json,
    /// Plain text.
    Text,
}

/// Suffixes of text compression, which come after the format's.
const COMPRESSIONS: [&str; 8] = ["gz", "bz2", "deflate", "snappy", "lz4", "zst", "zstd", "lzo"];

impl FileFormat {
    /// The format called `name`, as in `file.format`.
    ///
    /// # Errors
    /// `Unsupported` when there is no such format.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "parquet" => Self::Parquet,
            "orc" => Self::Orc,
            "avro" => Self::Avro,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "text" | "txt" => Self::Text,
            _ => {
                let what = format!("data files of format '{name}' are not read by this version");
                return Err(FormatError::Unsupported { what });
            }
        })
    }

    /// The format of the file called `name`: the text after its last dot, or after the one before
    /// when the last part names a compression.
    ///
    /// # Errors
    /// `Unsupported` when the name ends with no format's name.
    pub fn of_file(name: &str) -> Result<Self> {
        let mut parts = name.rsplit('/').next().unwrap_or(name).rsplit('.');
        let mut suffix = parts.next().unwrap_or_default();
        if COMPRESSIONS.contains(&suffix)
            && let Some(before) = parts.next()
        {
            suffix = before;
        }
        Self::parse(suffix.strip_prefix("cc-").unwrap_or(suffix))
    }

    /// Its name, which is also the suffix of its files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Orc => "orc",
            Self::Avro => "avro",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Text => "txt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FileFormat;

    #[test]
    fn format_is_the_last_suffix_before_a_compression() {
        for (name, format) in [
            ("data-1-0.parquet", FileFormat::Parquet),
            ("bucket-0/data-1-0.zstd.parquet", FileFormat::Parquet),
            ("data-1-0.orc", FileFormat::Orc),
            ("data-1-0.avro", FileFormat::Avro),
            ("data-1-0.json.gz", FileFormat::Json),
            ("compacted-changelog-1$0-39.cc-parquet", FileFormat::Parquet),
        ] {
            assert_eq!(FileFormat::of_file(name).unwrap(), format, "{name}");
        }
        for name in ["data-1-0", "data-1-0.blob", "parquet", ""] {
            assert_eq!(FileFormat::of_file(name).is_err(), name != "parquet", "{name}");
        }
    }
}
