//! Rows that wait on local disk.

use arrow::array::RecordBatch;
use headwater_io::Env;

use crate::error::Result;
use crate::spill::{Spilled, SpilledReader, Spilling};

/// Rows that wait on local disk, to be read once, in the order in which they came. Nothing of them
/// stays behind. All batches have the same columns, none of them a dictionary.
#[derive(Debug)]
pub struct Spool {
    env: Env,
    rows: Option<Spilled>,
}

impl Spool {
    /// No rows yet.
    #[must_use]
    pub const fn new(env: Env) -> Self {
        Self { env, rows: None }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// No directory for temporary files takes them: those that wait are lost.
    pub async fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let how = Spilling::reading(&self.env.scratch);
        let rows = self.rows.take();
        let job = move || {
            let mut rows = match rows {
                Some(rows) => rows,
                None => Spilled::new(how.file()?, &how, batch.schema()),
            };
            rows.add(&how, &batch)?;
            Ok::<_, crate::error::Error>(rows)
        };
        self.rows = Some(self.env.pools.run(job).await??);
        Ok(())
    }

    /// Reads the rows.
    #[must_use]
    pub fn read(self) -> SpooledRows {
        SpooledRows { env: self.env, rows: self.rows.map(Spilled::read) }
    }
}

/// The rows of a [`Spool`].
#[derive(Debug)]
pub struct SpooledRows {
    env: Env,
    rows: Option<SpilledReader>,
}

impl SpooledRows {
    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// They cannot be read back.
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Some(mut rows) = self.rows.take() else { return Ok(None) };
        let job = move || {
            let batch = rows.next_batch()?;
            Ok::<_, crate::error::Error>((rows, batch))
        };
        let (rows, batch) = self.env.pools.run(job).await??;
        self.rows = batch.is_some().then_some(rows);
        Ok(batch)
    }
}
