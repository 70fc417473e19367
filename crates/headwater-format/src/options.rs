//! How data files are laid out and compressed.

use headwater_spec::options::FileOptions;

/// How a data file is written; parsed once per table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOptions {
    /// `file.compression` (`parquet.compression` wins): `zstd`, `snappy`, `lz4`, `gzip` or `none`;
    /// default `zstd`.
    pub compression: String,
    /// `file.compression.zstd-level`: 1 to 22; default 1.
    pub zstd_level: i32,
    /// `parquet.block.size` or `file.block-size`: bytes of a row group; default 128 MiB.
    pub row_group_bytes: usize,
    /// `parquet.page.size`: bytes of a page before compression; default 1 MiB.
    pub page_bytes: usize,
    /// `parquet.page.row.count.limit`: rows of a page; default 20,000.
    pub page_rows: usize,
    /// `parquet.enable.dictionary`: repeated values are stored once; default true.
    pub dictionary: bool,
    /// `parquet.dictionary.page.size`: bytes of distinct values per column; default 1 MiB.
    pub dictionary_bytes: usize,
    /// Ends each block of an Avro file: 16 bytes drawn at random for each file.
    pub sync_marker: [u8; 16],
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            compression: "zstd".to_owned(),
            zstd_level: 1,
            row_group_bytes: 128 << 20,
            page_bytes: 1 << 20,
            page_rows: 20_000,
            dictionary: true,
            dictionary_bytes: 1 << 20,
            sync_marker: [0; 16],
        }
    }
}

impl From<&FileOptions> for WriteOptions {
    /// The options of a table, at level 0; other levels may replace the compression.
    fn from(table: &FileOptions) -> Self {
        Self {
            compression: table.compression.clone(),
            zstd_level: table.zstd_level,
            row_group_bytes: usize::try_from(table.row_group_bytes).unwrap_or(usize::MAX),
            page_bytes: usize::try_from(table.page_bytes).unwrap_or(usize::MAX),
            dictionary: table.dictionary,
            ..Self::default()
        }
    }
}
