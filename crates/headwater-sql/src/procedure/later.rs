//! Procedures of Paimon that this version does not have, and what to do instead where something
//! can be done.
//!
//! Source: Paimon 1.3 to 2.0, `ProcedureBase#identifier`, `SparkProcedures`.

use super::DATABASE;
use crate::error::SqlError;

const NOTHING: &str = "";
const ALTER_COLUMN: &str = "use ALTER TABLE t ALTER COLUMN c SET DEFAULT value";
const DROP_PARTITION: &str = "use ALTER TABLE t DROP PARTITION (…)";
const OLDER_ROWS: &str = "older snapshots can be read: t VERSION AS OF id";

/// Sorted by name.
const LATER: [(&str, &str); 58] = [
    ("alter_column_default_value", ALTER_COLUMN),
    ("alter_function", NOTHING),
    ("alter_view_dialect", NOTHING),
    ("clear_consumers", NOTHING),
    ("clone", "use CREATE TABLE t AS SELECT * FROM s"),
    ("compact_chain_table", NOTHING),
    ("copy", "use COPY query TO 'file', or CREATE TABLE t AS SELECT * FROM s"),
    ("copy_files", NOTHING),
    ("create_branch", NOTHING),
    ("create_function", NOTHING),
    ("create_global_index", NOTHING),
    ("create_privileged_user", NOTHING),
    ("create_tag", NOTHING),
    ("create_tag_from_timestamp", NOTHING),
    ("create_tag_from_watermark", NOTHING),
    ("data_evolution_merge_into", NOTHING),
    ("delete_branch", NOTHING),
    ("delete_tag", NOTHING),
    ("drop_function", NOTHING),
    ("drop_global_index", NOTHING),
    ("drop_partition", DROP_PARTITION),
    ("drop_privileged_user", NOTHING),
    ("expire_changelogs", NOTHING),
    ("expire_partitions", DROP_PARTITION),
    ("expire_snapshots", NOTHING),
    ("expire_tags", NOTHING),
    ("fast_forward", NOTHING),
    ("full_text_search", NOTHING),
    ("grant_privilege_to_user", NOTHING),
    ("init_file_based_privilege", NOTHING),
    ("mark_partition_done", NOTHING),
    ("materialize_deletion_vectors", NOTHING),
    ("merge_branch", NOTHING),
    ("merge_into", "use MERGE INTO"),
    ("migrate_database", NOTHING),
    ("migrate_iceberg_table", NOTHING),
    ("migrate_table", NOTHING),
    ("purge_files", NOTHING),
    ("query_service", NOTHING),
    ("reassign_row_id", NOTHING),
    ("remove_orphan_files", NOTHING),
    ("remove_unexisting_files", NOTHING),
    ("remove_unexisting_manifests", NOTHING),
    ("rename_branch", NOTHING),
    ("rename_tag", NOTHING),
    ("repair", NOTHING),
    ("repair_earliest_snapshot", NOTHING),
    ("replace_tag", NOTHING),
    ("reset_consumer", NOTHING),
    ("revoke_privilege_from_user", NOTHING),
    ("rewrite_file_index", NOTHING),
    ("rollback", OLDER_ROWS),
    ("rollback_to", OLDER_ROWS),
    ("rollback_to_as_latest", OLDER_ROWS),
    ("rollback_to_timestamp", OLDER_ROWS),
    ("rollback_to_watermark", OLDER_ROWS),
    ("trigger_tag_automatic_creation", NOTHING),
    ("vector_search", NOTHING),
];

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    LATER.iter().map(|(name, _)| *name)
}

/// The refusal of one of them; `None` for a name that Paimon does not know.
pub(super) fn refusal(name: &str) -> Option<SqlError> {
    let (name, instead) = LATER.iter().find(|(known, _)| *known == name)?;
    let advice = match *instead {
        NOTHING => "it is not in this version".to_owned(),
        instead => format!("it is not in this version; {instead}"),
    };
    Some(SqlError::unsupported(format!("procedure {DATABASE}.{name} is"), advice))
}
