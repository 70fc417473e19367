//! Columns that keep the newest value that is not null: which record of each key has it.

use super::groups::{Groups, NONE, Validity};

/// What a record does to the columns that only keep the newest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its values replace older ones, except where they are null.
    Updates,
    /// All of its values replace older ones.
    Replaces,
    /// Nothing.
    Nothing,
}

/// For each group the record with the newest value. `roles`: of each record; `None` if all update.
pub(super) fn newest(groups: &Groups, valid: &Validity<'_>, roles: Option<&[Role]>) -> Vec<usize> {
    let Some(roles) = roles else {
        let pick = |rows: std::ops::Range<usize>| {
            rows.rev().find(|&record| valid.is_valid(record)).unwrap_or(NONE)
        };
        return groups.rows().map(pick).collect();
    };
    let pick = |rows: std::ops::Range<usize>| {
        for record in rows.rev() {
            match roles.get(record) {
                Some(Role::Replaces) => return record,
                Some(Role::Updates) if valid.is_valid(record) => return record,
                _ => {}
            }
        }
        NONE
    };
    groups.rows().map(pick).collect()
}
