//! The snapshot document: one consistent state of a table.
//!
//! Format: `docs/spec/snapshot.md`. Source: Paimon 1.4.2 `Snapshot`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::error::SpecError;
use crate::schema::{check_document, pretty};

/// Commit identifier of batch commits and maintenance.
pub const BATCH_COMMIT_IDENTIFIER: i64 = i64::MAX;

/// What kind of change a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CommitKind {
    /// New rows.
    Append,
    /// Rows moved between files.
    Compact,
    /// Rows replaced or removed.
    Overwrite,
    /// Statistics only.
    Analyze,
}

/// One snapshot, with the keys in the order in which Java writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Version of the document, 3.
    #[serde(default)]
    pub version: i32,
    /// Unique id, written by Paimon 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// 1, 2, 3, ... per branch.
    #[serde(default)]
    pub id: i64,
    /// Latest schema when the commit was made.
    #[serde(default)]
    pub schema_id: i64,
    /// List of all earlier changes.
    pub base_manifest_list: String,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_manifest_list_size: Option<i64>,
    /// List of this snapshot's changes.
    pub delta_manifest_list: String,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_manifest_list_size: Option<i64>,
    /// List of this snapshot's changelog files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_manifest_list: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_manifest_list_size: Option<i64>,
    /// Current index manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_manifest: Option<String>,
    /// Who committed.
    #[serde(default)]
    pub commit_user: String,
    /// Which commit of this user.
    #[serde(default)]
    pub commit_identifier: i64,
    /// Kind of change.
    #[serde(default = "append")]
    pub commit_kind: CommitKind,
    /// Clock of the committer, milliseconds since 1970 UTC.
    #[serde(default)]
    pub time_millis: i64,
    /// Written by versions before 1.3; kept.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "ordered")]
    pub log_offsets: Option<IndexMap<String, i64>>,
    /// Rows in all live files, retractions included.
    #[serde(default)]
    pub total_record_count: i64,
    /// Rows added minus rows removed by this snapshot.
    #[serde(default)]
    pub delta_record_count: i64,
    /// Rows in this snapshot's changelog files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changelog_record_count: Option<i64>,
    /// Event time reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<i64>,
    /// Name of the statistics file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<String>,
    /// Free properties.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "ordered")]
    pub properties: Option<IndexMap<String, String>>,
    /// First row id that is not used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_row_id: Option<i64>,
    /// Operation, written by Paimon 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

impl Snapshot {
    /// Reads a snapshot document; unknown keys are skipped.
    ///
    /// # Errors
    /// [`SpecError::Json`] says what is missing or wrong.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SpecError> {
        check_document("snapshot", bytes)?;
        serde_json::from_slice(bytes)
            .map_err(|e| SpecError::Json { what: "snapshot", reason: e.to_string() })
    }

    /// The document, byte for byte as Java prints it.
    ///
    /// # Errors
    /// [`SpecError::Json`] if a value cannot be printed.
    pub fn to_json(&self) -> Result<String, SpecError> {
        pretty("snapshot", self)
    }
}

/// What Java assumes of a document without a kind.
const fn append() -> CommitKind {
    CommitKind::Append
}

/// Maps that keep the order of the document.
mod ordered {
    use std::fmt;
    use std::marker::PhantomData;

    use indexmap::IndexMap;
    use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
    use serde::ser::{Serialize, Serializer};

    pub(super) fn serialize<V: Serialize, S: Serializer>(
        map: &Option<IndexMap<String, V>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match map {
            None => serializer.serialize_none(),
            Some(map) => serializer.collect_map(map),
        }
    }

    pub(super) fn deserialize<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<IndexMap<String, V>>, D::Error> {
        deserializer.deserialize_any(Entries(PhantomData))
    }

    struct Entries<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
        type Value = Option<IndexMap<String, V>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or null")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = IndexMap::new();
            while let Some((key, value)) = access.next_entry()? {
                map.insert(key, value);
            }
            Ok(Some(map))
        }
    }
}
