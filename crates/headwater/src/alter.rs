//! Changes of a table's definition, refused when this version could not read the table afterwards.

use headwater_format::evolution;
use headwater_metadata::plan::EntryFilter;
use headwater_metadata::{Catalog, Identifier, TableStore};
use headwater_spec::TableSchema;
use headwater_spec::options::TableOptions;
use headwater_spec::path::POSTPONE_BUCKET;
use headwater_spec::schema::SchemaChange;

use crate::error::{Error, Result};

/// Refuses to give up postponed buckets while rows wait in them: nothing would take them up any more.
async fn check_none_waits(
    store: &TableStore,
    schema: &TableSchema,
    table: &Identifier,
) -> Result<()> {
    let Some(snapshot) = store.latest_snapshot().await? else { return Ok(()) };
    let fields = schema.columns(&schema.partition_keys)?;
    let types: Vec<_> = fields.into_iter().map(|field| field.data_type).collect();
    let filter = EntryFilter { bucket: Some(POSTPONE_BUCKET), ..EntryFilter::default() };
    let (waiting, _) = store.live_entries(&snapshot, &types, &filter).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    Err(Error::Request {
        table: table.to_string(),
        reason: format!(
            "{} files hold rows that wait for their buckets ('bucket' = '-2'): compact the table first",
            waiting.len()
        ),
    })
}

/// Changes a table's definition; returns its new schema, or the present one when the changes
/// change nothing.
///
/// # Errors
/// The table does not exist, a change is not possible, or is one of those that Paimon knows but
/// this version cannot apply to rows that are there.
pub async fn alter_table(
    catalog: &dyn Catalog,
    table: &Identifier,
    changes: &[SchemaChange],
) -> Result<TableSchema> {
    let (store, current) = catalog.load_table(table).await?;
    let has_data = store.latest_snapshot_id().await?.is_some();
    let now = store.env().clock.now_millis();
    let next = current.changed(changes, has_data, now)?;
    if let Some(next) = next.filter(|next| has_data && next.fields != current.fields) {
        for id in store.schema_ids().await? {
            let older = store.schema(id).await?;
            if let Err(error) = evolution::file_fields(&older.fields, &next.fields) {
                return Err(Error::Request {
                    table: table.to_string(),
                    reason: format!("files that are there could not be read: {error}"),
                });
            }
        }
    }
    if let Some(next) = current.changed(changes, has_data, now)? {
        let postponed = |schema: &TableSchema| -> Result<bool> {
            Ok(TableOptions::parse(schema)?.bucket == POSTPONE_BUCKET)
        };
        if has_data && postponed(&current)? && !postponed(&next)? {
            check_none_waits(&store, &current, table).await?;
        }
    }
    Ok(catalog.alter_table(table, changes).await?)
}
