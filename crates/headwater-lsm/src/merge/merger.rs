//! The sort-merge loop over the heads of the runs.

use std::collections::VecDeque;
use std::sync::Arc;

use super::SortMergeOptions;
use super::head::Heads;
use super::loser_tree::LoserTree;
use crate::error::LsmError;
use crate::key_value::{KeyValueBatch, is_retract};
use crate::merge_engine::{Groups, Keeps, MergeFunction, merge_groups};
use crate::order::{SequenceOrder, SequenceValues};
use crate::run::RunReader;

/// Wins in a row after which the loop looks how far the run goes on alone.
const STREAK: usize = 8;
/// Stretches of at least this many records go through as slices, if batches may be as large.
const PASS_ROWS: usize = 1024;

/// A run that is being merged; it stands at `row` of its current batch.
pub(super) struct Run {
    number: usize,
    reader: Box<dyn RunReader>,
    batches_read: usize,
    batch: usize,
    row: usize,
    rows: usize,
}

impl Run {
    /// The run with its first batch that is not empty; `None` when it has no record.
    pub(super) fn open(
        number: usize,
        reader: Box<dyn RunReader>,
    ) -> Result<Option<(Self, KeyValueBatch)>, LsmError> {
        let mut run = Self { number, reader, batches_read: 0, batch: 0, row: 0, rows: 0 };
        let first = run.read()?;
        Ok(first.map(|batch| (run, batch)))
    }

    /// The next batch that is not empty.
    fn read(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        while let Some(batch) = self.reader.next_batch()? {
            self.batches_read += 1;
            if batch.keys.is_empty() && batch.values.num_rows() == 0 {
                continue;
            }
            batch.check()?;
            return Ok(Some(batch));
        }
        Ok(None)
    }
}

/// Where a record is: position of its batch, row.
type Place = (usize, usize);

/// Merges runs whose keys are all of one encoding.
pub(super) struct Merger<H: Heads> {
    input: Input<H>,
    output: Output,
    /// Key of the records that were picked last and may get company.
    open: Option<H::Head>,
    last_winner: usize,
    streak: usize,
    done: bool,
}

impl<H: Heads> Merger<H> {
    /// `runs` with their first batches: at least one, oldest of equal sequence numbers first.
    pub(super) fn new(
        runs: Vec<(Run, KeyValueBatch)>,
        (engine, order): (Arc<dyn MergeFunction>, Option<Arc<SequenceOrder>>),
        options: SortMergeOptions,
    ) -> Result<Self, LsmError> {
        // One run has each key once.
        let order = order.filter(|_| runs.len() > 1);
        Ok(Self {
            output: Output::new(engine, order.is_some(), options),
            input: Input::new(runs, order)?,
            open: None,
            last_winner: 0,
            streak: 0,
            done: false,
        })
    }

    /// Records so far that came after a newer one of their key.
    pub(super) const fn older_rows(&self) -> u64 {
        self.output.older
    }

    pub(super) fn next_batch(&mut self) -> Result<Option<KeyValueBatch>, LsmError> {
        loop {
            if let Some(batch) = self.output.ready.pop_front() {
                return Ok(Some(batch));
            }
            if self.done {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    /// Merges until there may be output, or the input ends.
    fn fill(&mut self) -> Result<(), LsmError> {
        loop {
            let Some((run, key)) = self.input.winner() else {
                self.close_group();
                self.done = true;
                return self.flush();
            };
            let place = self.input.place(run);
            if let Some(open) = self.open {
                if self.input.keys.compare(open, key).is_eq() {
                    self.output.join_group(place);
                    self.input.advance(run, 1)?;
                    continue;
                }
                self.close_group();
            }
            if self.output.room() == 0 || self.input.holds_many() {
                return self.flush();
            }
            if self.alone_is_likely(run, place) {
                let rows = self.input.rows_alone(run);
                if rows > 0 {
                    self.take_stretch(run, place, rows)?;
                    if self.output.ready.is_empty() {
                        continue;
                    }
                    return Ok(());
                }
            }
            self.open = Some(key);
            self.output.start_group(place);
            self.input.advance(run, 1)?;
        }
    }

    /// Whether looking for a stretch of this run pays: at the start of a batch, and now and then
    /// while the run keeps winning.
    fn alone_is_likely(&mut self, run: usize, place: Place) -> bool {
        self.streak = if run == self.last_winner { self.streak + 1 } else { 0 };
        self.last_winner = run;
        let likely = place.1 == 0 || self.streak >= STREAK;
        if likely {
            self.streak = 0;
        }
        likely
    }

    /// Takes `rows` records that no other run has a key among. Every one is a group of its own.
    fn take_stretch(&mut self, run: usize, place: Place, rows: usize) -> Result<(), LsmError> {
        let (batch, first) = place;
        let batch_rows = self.output.options.batch_rows;
        let nothing_to_join = self.output.picked.is_empty() && self.input.is_last_run(run);
        if rows >= PASS_ROWS.min(batch_rows) || nothing_to_join {
            let rows = rows.min(batch_rows);
            let stretch = self.input.batches[batch].slice(first, rows);
            self.flush()?;
            self.output.pass(stretch)?;
            self.input.advance(run, rows)?;
            self.input.release_used_up()?;
            self.streak = STREAK;
            return Ok(());
        }
        let rows = rows.min(self.output.room());
        for row in first..first + rows {
            self.output.start_group((batch, row));
            self.output.close_group();
        }
        self.input.advance(run, rows)
    }

    fn close_group(&mut self) {
        if self.open.take().is_some() {
            if !self.input.sequences.is_empty() {
                self.output.order_group(&self.input.sequences);
            }
            self.output.close_group();
        }
    }

    /// Makes a batch of what was picked. No group may be open.
    fn flush(&mut self) -> Result<(), LsmError> {
        self.output.flush(&self.input.batches)?;
        self.input.release_used_up()
    }
}

/// The runs, the batches that are held, and the tournament between the runs' heads.
struct Input<H: Heads> {
    runs: Vec<Run>,
    /// Where each run stands; one that has ended has a number past those of the runs.
    entries: Vec<H::Entry>,
    batches: Vec<KeyValueBatch>,
    keys: H,
    /// Between `entries`.
    tree: LoserTree<H::Entry>,
    order: Option<Arc<SequenceOrder>>,
    /// With `order`: what orders the records of each of `batches`.
    sequences: Vec<SequenceValues>,
}

impl<H: Heads> Input<H> {
    fn new(
        runs: Vec<(Run, KeyValueBatch)>,
        order: Option<Arc<SequenceOrder>>,
    ) -> Result<Self, LsmError> {
        let none = H::ended(usize::MAX);
        let mut input = Self {
            entries: vec![none; runs.len()],
            batches: Vec::with_capacity(runs.len()),
            keys: H::default(),
            tree: LoserTree::new(&[], none, |_, _| false),
            runs: Vec::with_capacity(runs.len()),
            order,
            sequences: Vec::new(),
        };
        for (position, (run, batch)) in runs.into_iter().enumerate() {
            input.runs.push(run);
            input.hold(position, batch, None)?;
        }
        input.tree = LoserTree::new(&input.entries, none, |a, b| input.keys.before(a, b));
        Ok(input)
    }

    #[inline]
    fn winner(&self) -> Option<(usize, H::Head)> {
        let entry = self.tree.winner();
        let run = H::run_of(entry);
        (run < self.runs.len()).then(|| (run, H::head_of(entry)))
    }

    /// The key at which a run stands; `None` when it has ended.
    fn head(&self, run: usize) -> Option<H::Head> {
        let entry = self.entries[run];
        (H::run_of(entry) < self.runs.len()).then(|| H::head_of(entry))
    }

    #[inline]
    fn place(&self, run: usize) -> Place {
        (self.runs[run].batch, self.runs[run].row)
    }

    fn is_last_run(&self, run: usize) -> bool {
        (0..self.runs.len()).all(|other| other == run || self.head(other).is_none())
    }

    /// Records of the winner's batch, from its head on, whose keys are below those of all others.
    fn rows_alone(&self, winner: usize) -> usize {
        let Run { batch, row, rows, .. } = self.runs[winner];
        let next = self.tree.runner_up(winner, |a, b| self.keys.before(a, b));
        let Some(limit) = next.filter(|e| H::run_of(*e) < self.runs.len()).map(H::head_of) else {
            return rows - row;
        };
        let below = |row| self.keys.compare(self.keys.head(batch, row), limit).is_lt();
        if below(rows - 1) {
            return rows - row;
        }
        // Doubling steps, then halving: short stretches, the usual case, cost few comparisons.
        let (mut low, mut step) = (row, 1);
        while low + step < rows && below(low + step - 1) {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(rows);
        while low < high {
            let middle = low.midpoint(high);
            if below(middle) { low = middle + 1 } else { high = middle }
        }
        low - row
    }

    /// Moves the winner by `rows` records, which its batch must have, and finds the next winner.
    #[inline]
    fn advance(&mut self, winner: usize, rows: usize) -> Result<(), LsmError> {
        let run = &mut self.runs[winner];
        run.row += rows;
        if run.row < run.rows {
            self.entries[winner] = self.keys.entry(run.batch, run.row, winner);
        } else {
            self.next_batch(winner)?;
        }
        self.tree.replay(winner, self.entries[winner], |a, b| self.keys.before(a, b));
        Ok(())
    }

    /// Moves a run, which has used up its batch, to the next one.
    #[cold]
    fn next_batch(&mut self, position: usize) -> Result<(), LsmError> {
        let run = &mut self.runs[position];
        let last = self.keys.head(run.batch, run.rows - 1);
        match run.read()? {
            Some(batch) => self.hold(position, batch, Some(last)),
            None => {
                self.entries[position] = H::ended(position + self.runs.len());
                Ok(())
            }
        }
    }

    fn set_entry(&mut self, run: usize) {
        let (batch, row) = self.place(run);
        self.entries[run] = self.keys.entry(batch, row, run);
    }

    /// Makes `batch` the current one of a run. `last`: key of the record before.
    fn hold(
        &mut self,
        position: usize,
        batch: KeyValueBatch,
        last: Option<H::Head>,
    ) -> Result<(), LsmError> {
        if let Some(first) = self.batches.first() {
            first.check_same_columns(&batch.values)?;
        }
        self.keys.push(&batch)?;
        let held = self.batches.len();
        let run = &mut self.runs[position];
        (run.batch, run.row, run.rows) = (held, 0, batch.len());
        let continues = last.is_none_or(|l| self.keys.compare(l, self.keys.head(held, 0)).is_lt());
        let unsorted = if continues { self.keys.first_unsorted(held) } else { Some(0) };
        if let Some(row) = unsorted {
            return Err(LsmError::NotSorted { run: run.number, batch: run.batches_read - 1, row });
        }
        if let Some(order) = &self.order {
            let columns = batch.values.columns();
            let columns = order.columns().iter().filter_map(|&at| columns.get(at)).cloned();
            self.sequences.push(order.encode(&columns.collect::<Vec<_>>())?);
        }
        self.batches.push(batch);
        self.set_entry(position);
        Ok(())
    }

    /// Whether so many used up batches are held that they should be let go, even for a small
    /// output batch.
    #[inline]
    fn holds_many(&self) -> bool {
        self.batches.len() > 2 * self.runs.len() + 16
    }

    /// Lets go of batches where no run stands. No picked record may be left in them.
    fn release_used_up(&mut self) -> Result<(), LsmError> {
        let all_run = (0..self.runs.len()).all(|run| self.head(run).is_some());
        if self.batches.len() == self.runs.len() && all_run {
            return Ok(());
        }
        let mut old: Vec<_> = std::mem::take(&mut self.batches).into_iter().map(Some).collect();
        let mut sequences: Vec<_> =
            std::mem::take(&mut self.sequences).into_iter().map(Some).collect();
        self.keys.clear();
        for position in 0..self.runs.len() {
            if self.head(position).is_none() {
                continue;
            }
            let run = &mut self.runs[position];
            if let Some(batch) = old[run.batch].take() {
                self.sequences.extend(sequences.get_mut(run.batch).and_then(Option::take));
                run.batch = self.batches.len();
                self.keys.push(&batch)?;
                self.batches.push(batch);
                self.set_entry(position);
            }
        }
        let count = self.runs.len();
        self.tree.replace(|entry| match H::run_of(entry) {
            run if run < count => self.entries[run],
            _ => entry,
        });
        Ok(())
    }
}

/// Records picked for the next output batch, and output batches that are ready.
struct Output {
    engine: Arc<dyn MergeFunction>,
    options: SortMergeOptions,
    keeps: Keeps,
    /// With [`Keeps::Last`] one record for each group, else all records of all groups.
    picked: Vec<Place>,
    /// With [`Keeps::All`]: where in `picked` each closed group ends.
    ends: Vec<usize>,
    /// Groups are to be put in order: with [`Keeps::Last`] too, all records of the open one are
    /// picked.
    ordered: bool,
    /// Where in `picked` the open group starts.
    start: usize,
    ready: VecDeque<KeyValueBatch>,
    /// Records so far that have a larger sequence number than a newer one.
    older: u64,
}

impl Output {
    fn new(engine: Arc<dyn MergeFunction>, ordered: bool, options: SortMergeOptions) -> Self {
        let keeps = engine.keeps();
        let (picked, ends, ready) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { engine, options, keeps, picked, ends, ordered, start: 0, ready, older: 0 }
    }

    /// Records that the next batch still takes.
    #[inline]
    fn room(&self) -> usize {
        self.options.batch_rows.saturating_sub(self.picked.len())
    }

    #[inline]
    fn start_group(&mut self, place: Place) {
        self.start = self.picked.len();
        self.picked.push(place);
    }

    /// Adds a newer record of the same key.
    #[inline]
    fn join_group(&mut self, place: Place) {
        match self.picked.last_mut() {
            Some(last) if self.keeps == Keeps::Last && !self.ordered => *last = place,
            _ => self.picked.push(place),
        }
    }

    /// Puts the records of the open group in order; they stand by sequence number.
    fn order_group(&mut self, sequences: &[SequenceValues]) {
        let Some(group) = self.picked.get_mut(self.start..).filter(|group| group.len() > 1) else {
            return;
        };
        let compare = |a: &Place, b: &Place| sequences[a.0].compare(a.1, &sequences[b.0], b.1);
        let mut newest = group.first().copied();
        for &mut place in &mut *group {
            if newest.is_some_and(|newest| compare(&place, &newest).is_lt()) {
                self.older += 1;
            } else {
                newest = Some(place);
            }
        }
        match self.keeps {
            Keeps::All => group.sort_by(compare),
            Keeps::Last => {
                // Of equal ones the last.
                if let Some(last) = group.iter().copied().max_by(|a, b| compare(a, b)) {
                    self.picked.truncate(self.start);
                    self.picked.push(last);
                }
            }
        }
    }

    #[inline]
    fn close_group(&mut self) {
        if self.keeps == Keeps::All {
            self.ends.push(self.picked.len());
        }
    }

    /// Hands records through that are groups of their own. Nothing may be picked.
    fn pass(&mut self, records: KeyValueBatch) -> Result<(), LsmError> {
        let records = if self.options.drop_deletes { records.without_retracts()? } else { records };
        if !records.is_empty() {
            self.ready.push_back(records);
        }
        Ok(())
    }

    fn flush(&mut self, batches: &[KeyValueBatch]) -> Result<(), LsmError> {
        if self.keeps == Keeps::Last && self.options.drop_deletes {
            let retracts: Vec<bool> = batches.iter().map(KeyValueBatch::has_retracts).collect();
            if retracts.contains(&true) {
                let stays = |&(batch, row): &Place| {
                    !(retracts[batch] && is_retract(batches[batch].kinds.values()[row]))
                };
                self.picked.retain(stays);
            }
        }
        if self.picked.is_empty() {
            return Ok(());
        }
        match self.keeps {
            Keeps::Last => {
                self.ready.push_back(KeyValueBatch::gather(batches, &self.picked)?);
                self.picked.clear();
                Ok(())
            }
            Keeps::All => {
                let picked = std::mem::take(&mut self.picked);
                let heads = KeyValueBatch::gather_heads(batches, &picked)?;
                let values = batches.iter().map(|batch| batch.values.clone()).collect();
                let groups = Groups::new(heads, values, picked, std::mem::take(&mut self.ends));
                let merged = merge_groups(self.engine.as_ref(), &groups)?;
                self.older = self.older.saturating_add(merged.older);
                self.pass(merged.records)
            }
        }
    }
}
