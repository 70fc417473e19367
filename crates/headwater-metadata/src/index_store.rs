//! Reads and writes hash index files of one table.
//!
//! Format: `docs/spec/bucket.md#dynamic`. Source: Paimon 1.4.2 `HashIndexFile`.

use headwater_spec::SpecError;
use headwater_spec::hash_index::{decode, encode};
use headwater_spec::manifest::IndexManifestEntry;
use headwater_spec::path::check_file_name;

use crate::error::{MetadataError, Result};
use crate::store::TableStore;

impl TableStore {
    /// The hashes in an index file, which lies in the directory `dir` of the table.
    ///
    /// # Errors
    /// The file is missing or has another size than is recorded, or it lies outside of the table.
    pub async fn hash_index(&self, dir: &str, file: &IndexManifestEntry) -> Result<Vec<i32>> {
        let parent = "an index manifest";
        check_file_name(&file.file_name)
            .map_err(|e| MetadataError::corrupt(&self.path(parent), e))?;
        let inside = format!("{dir}/{}", file.file_name);
        if file.external_path.is_some() {
            return Err(MetadataError::Invalid(SpecError::Unsupported {
                what: format!("index file {inside}"),
                reason: "it lies outside of the table".to_owned(),
            }));
        }
        let bytes = self.read_recorded(&inside, parent, Some(file.file_size)).await?;
        let (path, count) = (self.path(&inside), file.row_count);
        let decoded = self.env().pools.run(move || decode(&bytes, count)).await?;
        decoded.map_err(|e| MetadataError::corrupt(&path, e))
    }

    /// Writes a new index file with these hashes; returns its size in bytes.
    ///
    /// # Errors
    /// The store failed; what was written of it is not referred to.
    pub async fn write_hash_index(&self, inside: &str, hashes: &[i32]) -> Result<i64> {
        let size = self.write_new(inside, encode(hashes)).await?;
        Ok(i64::try_from(size).unwrap_or(i64::MAX))
    }
}
