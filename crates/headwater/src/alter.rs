//! Changes of a table's definition, refused when this version could not read the table afterwards.

use headwater_format::evolution;
use headwater_metadata::{Catalog, Identifier};
use headwater_spec::TableSchema;
use headwater_spec::schema::SchemaChange;

use crate::error::{Error, Result};

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
    Ok(catalog.alter_table(table, changes).await?)
}
