//! Opens Parquet files and fetches the column chunks of their row groups.
//!
//! Format: `docs/spec/datafile.md#foreign-files`. Source: Paimon 1.4.2 `ParquetReaderFactory`.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::Schema;
use async_trait::async_trait;
use headwater_io::{FileIo, ReadInPlace};
use headwater_spec::predicate::Predicate;
use headwater_spec::stats::ColumnStats;
use headwater_spec::types::arrow_schema;
use headwater_spec::{DataField, RowType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::RowGroupMetaData;

use super::chunks::{Chunks, WINDOW_BYTES};
use super::decode::{Source, Unit};
use super::footer::read_footer;
use super::guard::guarded;
use super::projection::project;
use super::stats::chunk_stats;
use crate::error::{FormatError, Result};
use crate::file::{FileReader, UnitDecoder};

/// An open Parquet file.
pub(crate) struct ParquetFile {
    io: Arc<dyn FileIo>,
    path: String,
    size: u64,
    /// The file itself, if it is large and of this machine.
    in_place: Option<Arc<dyn ReadInPlace>>,
    metadata: ArrowReaderMetadata,
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, size, .. } = self;
        f.debug_struct("ParquetFile")
            .field("path", path)
            .field("size", size)
            .finish_non_exhaustive()
    }
}

impl ParquetFile {
    pub(crate) async fn open(io: Arc<dyn FileIo>, path: &str, size: u64) -> Result<Self> {
        let footer = read_footer(io.as_ref(), path, size).await?;
        let metadata = Arc::new(footer);
        let metadata = guarded(|| ArrowReaderMetadata::try_new(metadata, reader_options()))
            .map_err(|reason| FormatError::corrupt(path, format!("schema: {reason}")))?;
        let in_place = if size > WINDOW_BYTES { io.open_in_place(path).await? } else { None };
        Ok(Self { io, path: path.to_owned(), size, in_place, metadata })
    }

    fn group(&self, unit: usize) -> Option<&RowGroupMetaData> {
        self.metadata.metadata().row_groups().get(unit)
    }

    /// What is known of a top-level column in a row group.
    fn stats(&self, group: &RowGroupMetaData, field: &DataField) -> Option<ColumnStats> {
        let chunk = group.columns().iter().find(|c| {
            let [name] = c.column_path().parts() else { return false };
            *name == field.name
        })?;
        chunk_stats(chunk, &field.data_type.kind)
    }

    /// The metadata with the Arrow types of a projection.
    fn typed(&self, schema: Option<Schema>) -> Result<ArrowReaderMetadata> {
        let Some(schema) = schema else { return Ok(self.metadata.clone()) };
        let options = reader_options().with_schema(Arc::new(schema));
        let metadata = Arc::clone(self.metadata.metadata());
        ArrowReaderMetadata::try_new(metadata, options)
            .map_err(|e| FormatError::corrupt(&self.path, format!("schema: {e}")))
    }
}

/// The schema comes from the file's types alone, whatever an Arrow writer left beside them.
fn reader_options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

#[async_trait]
impl FileReader for ParquetFile {
    fn row_count(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    fn units(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    fn unit_rows(&self, unit: usize) -> u64 {
        self.group(unit).and_then(|g| u64::try_from(g.num_rows()).ok()).unwrap_or(0)
    }

    fn prune(&self, fields: &[DataField], predicate: &Predicate) -> Vec<usize> {
        let may_match = |group: &RowGroupMetaData| {
            predicate.may_match(group.num_rows(), &|column| {
                fields.get(column).and_then(|field| self.stats(group, field))
            })
        };
        let groups = self.metadata.metadata().row_groups().iter().enumerate();
        groups.filter(|(_, group)| may_match(group)).map(|(i, _)| i).collect()
    }

    async fn fetch(&self, unit: usize, fields: &[DataField]) -> Result<Box<dyn UnitDecoder>> {
        let Some(group) = self.group(unit) else {
            let reason = format!("it has no row group {unit}");
            return Err(FormatError::corrupt(&self.path, reason));
        };
        let columns = self.metadata.parquet_schema();
        let projection = project(&self.path, self.metadata.schema(), columns, fields)?;
        let metadata = self.typed(projection.schema(self.metadata.schema()))?;
        let mask = ProjectionMask::leaves(columns, projection.leaves.iter().copied());
        let leaves = &projection.leaves;
        let (io, in_place) = (self.io.as_ref(), self.in_place.as_ref());
        let chunks = Chunks::fetch(io, &self.path, self.size, in_place, group, leaves).await?;
        let source = (!leaves.is_empty()).then_some(Source { chunks, metadata, mask });
        Ok(Box::new(Unit::new(
            self.path.clone(),
            unit,
            usize::try_from(group.num_rows()).unwrap_or(usize::MAX),
            arrow_schema(&RowType::new(fields.to_vec())),
            source,
            projection.narrow,
        )))
    }
}
