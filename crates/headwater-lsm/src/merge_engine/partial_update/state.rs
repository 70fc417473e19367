//! What the records of each key do, found out once for all columns.

use std::ops::Range;

use super::super::groups::NONE;
use super::super::newest::Role;
use super::super::{Groups, Step, Steps};
use super::{PartialDeletes, PartialUpdate};
use crate::error::LsmError;
use crate::key_value::{DELETE, INSERT, is_retract};
use crate::order::SequenceValues;

/// What comes out of the records of all keys.
pub(super) struct State<'a> {
    engine: &'a PartialUpdate,
    pub(super) groups: Vec<GroupState>,
    /// What each record does to columns outside of groups; `None` if all update.
    pub(super) roles: Option<Vec<Role>>,
    pub(super) sequence: Vec<i64>,
    pub(super) kinds: Vec<i8>,
    /// Records that lost by some group.
    pub(super) older: u64,
}

/// A sequence group over all keys.
pub(super) struct GroupState {
    values: SequenceValues,
    /// For each key the record that the sequence columns come from.
    pub(super) sequence: Vec<usize>,
    /// The same for the other columns, if some retraction took them back.
    newest: Option<Vec<usize>>,
    /// For the columns with a function.
    pub(super) steps: Steps,
    folds: bool,
    removes: bool,
    /// Of the open key: the record of the sequence columns, that of the others.
    open: (usize, usize),
}

impl GroupState {
    /// For each key the record that the columns come from that follow the sequence; `None` if it
    /// is always that of the sequence columns.
    pub(super) fn newest(&self) -> Option<&[usize]> {
        self.newest.as_deref()
    }

    /// Whether a record is as new as the row so far.
    #[inline]
    fn wins(&self, record: usize) -> bool {
        let (row, _) = self.open;
        row == NONE || self.values.compare(record, &self.values, row).is_ge()
    }

    #[inline]
    fn step(&mut self, record: usize, step: Step) {
        if self.folds {
            self.steps.push(record, step);
        }
    }

    fn replace(&mut self, record: usize) {
        self.open = (record, record);
        self.step(record, Step::Replace);
    }

    #[inline]
    fn update(&mut self, record: usize) -> bool {
        if self.values.is_null(record) {
            return true;
        }
        let wins = self.wins(record);
        if wins {
            self.open = (record, record);
        }
        self.step(record, if wins { Step::Add } else { Step::AddOlder });
        wins
    }

    fn retract(&mut self, record: usize) -> bool {
        if self.values.is_null(record) {
            return true;
        }
        let wins = self.wins(record);
        if wins {
            self.open = (record, NONE);
        }
        self.step(record, if wins { Step::Retract } else { Step::RetractOlder });
        wins
    }

    #[inline]
    fn end_key(&mut self) {
        let (sequence, newest) = std::mem::replace(&mut self.open, (NONE, NONE));
        self.sequence.push(sequence);
        if let Some(all) = &mut self.newest {
            all.push(newest);
        }
        if self.folds {
            self.steps.end_key();
        }
    }
}

impl<'a> State<'a> {
    pub(super) fn of(engine: &'a PartialUpdate, groups: &Groups) -> Result<Self, LsmError> {
        let (keys, records) = (groups.len(), groups.records());
        let retracts = groups.has_retracts();
        let mut states = Vec::with_capacity(engine.groups.len());
        for group in &engine.groups {
            let columns = group.order.columns().iter().map(|&at| groups.column(at));
            states.push(GroupState {
                values: group.order.encode(&columns.collect::<Result<Vec<_>, _>>()?)?,
                sequence: Vec::with_capacity(keys),
                newest: retracts.then(|| Vec::with_capacity(keys)),
                steps: Steps::with_capacity(
                    if group.folds { keys } else { 0 },
                    if group.folds { records } else { 0 },
                ),
                folds: group.folds,
                removes: group.removes,
                open: (NONE, NONE),
            });
        }
        let mut state = Self {
            engine,
            groups: states,
            roles: retracts.then(|| vec![Role::Updates; records]),
            sequence: Vec::with_capacity(keys),
            kinds: Vec::with_capacity(keys),
            older: 0,
        };
        for rows in groups.rows() {
            state.key(groups, rows)?;
        }
        Ok(state)
    }

    fn key(&mut self, groups: &Groups, rows: Range<usize>) -> Result<(), LsmError> {
        let (kinds, sequence) = (groups.kinds().values(), groups.sequence().values());
        let last = rows.end - 1;
        if rows.len() == 1 {
            // No merge: the record stays as it is.
            self.replace(last);
            self.sequence.push(sequence[last]);
            self.kinds.push(kinds[last]);
        } else if !groups.has_retracts() || !kinds[rows.clone()].iter().any(|&k| is_retract(k)) {
            for record in rows {
                self.update(record);
            }
            self.sequence.push(sequence[last]);
            self.kinds.push(INSERT);
        } else {
            self.with_retractions(kinds, sequence, rows)?;
        }
        for group in &mut self.groups {
            group.end_key();
        }
        Ok(())
    }

    fn with_retractions(
        &mut self,
        kinds: &[i8],
        sequence: &[i64],
        rows: Range<usize>,
    ) -> Result<(), LsmError> {
        let (mut filled, mut inserted, mut removed, mut number) = (false, false, false, 0);
        for record in rows {
            removed = false;
            let kind = kinds[record];
            if !is_retract(kind) {
                self.update(record);
                (filled, inserted, number) = (true, true, sequence[record]);
                continue;
            }
            self.set_role(record, Role::Nothing);
            if !filled {
                self.replace(record);
                filled = true;
            }
            match self.engine.deletes {
                PartialDeletes::Ignored => continue,
                PartialDeletes::ByGroups => removed = self.retract(record, kind == DELETE),
                PartialDeletes::Removed if kind == DELETE => {
                    self.replace(record);
                    removed = true;
                }
                PartialDeletes::Removed => {}
                PartialDeletes::Refused => {
                    return Err(LsmError::Retraction {
                        engine: "partial-update",
                        option: "'ignore-delete' = 'true' leaves them out, \
                                 'partial-update.remove-record-on-delete' = 'true' lets -D remove \
                                 the row, sequence groups take back their columns",
                    });
                }
            }
            number = sequence[record];
        }
        self.sequence.push(number);
        self.kinds.push(if removed || !inserted { DELETE } else { INSERT });
        Ok(())
    }

    /// A record that replaces the whole row.
    fn replace(&mut self, record: usize) {
        self.set_role(record, Role::Replaces);
        for group in &mut self.groups {
            group.replace(record);
        }
    }

    #[inline]
    fn update(&mut self, record: usize) {
        let mut wins = true;
        for group in &mut self.groups {
            wins &= group.update(record);
        }
        self.older += u64::from(!wins);
    }

    /// Takes back what a record says of the groups; whether it removes the row.
    fn retract(&mut self, record: usize, delete: bool) -> bool {
        let removes = |group: &GroupState| {
            group.removes && !group.values.is_null(record) && group.wins(record)
        };
        if delete && self.groups.iter().any(removes) {
            self.replace(record);
            return true;
        }
        let mut wins = true;
        for group in &mut self.groups {
            wins &= group.retract(record);
        }
        self.older += u64::from(!wins);
        false
    }

    fn set_role(&mut self, record: usize, role: Role) {
        if let Some(slot) = self.roles.as_mut().and_then(|roles| roles.get_mut(record)) {
            *slot = role;
        }
    }
}
