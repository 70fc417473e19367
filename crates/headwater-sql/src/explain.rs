//! A query's plan as a tree that people read: what is read of which table, and what happens to the
//! rows. DataFusion's own plans are EXPLAIN VERBOSE.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use datafusion::physical_plan::metrics::MetricValue;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use headwater::{Plan, Split};

use crate::scan_exec::ScanExec;

/// Most files whose footers EXPLAIN opens.
const MAX_FOOTERS: usize = 256;

/// Operators that only move rows between threads.
const PLUMBING: [&str; 6] = [
    "CoalescePartitionsExec",
    "RepartitionExec",
    "CoalesceBatchesExec",
    "CooperativeExec",
    "BufferExec",
    "OutputRequirementExec",
];

/// What operators are called here.
const TITLES: [(&str, &str); 20] = [
    ("ProjectionExec", "Project"),
    ("FilterExec", "Filter"),
    ("AggregateExec", "Aggregate"),
    ("HashJoinExec", "Hash join"),
    ("SortMergeJoinExec", "Sort-merge join"),
    ("NestedLoopJoinExec", "Nested-loop join"),
    ("CrossJoinExec", "Cross join"),
    ("SortExec", "Sort"),
    ("PartialSortExec", "Sort"),
    ("SortPreservingMergeExec", "Merge sorted"),
    ("GlobalLimitExec", "Limit"),
    ("LocalLimitExec", "Limit (each thread)"),
    ("UnionExec", "Union"),
    ("InterleaveExec", "Union"),
    ("WindowAggExec", "Window"),
    ("BoundedWindowAggExec", "Window"),
    ("DataSourceExec", "Scan files or values"),
    ("StreamingTableExec", "Table function"),
    ("PlaceholderRowExec", "One row"),
    ("EmptyExec", "No rows"),
];

/// What the tree says of scans beside their plans; found out before it is drawn.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// By the address of the scan.
    scans: BTreeMap<usize, ScanFacts>,
}

#[derive(Debug, Default)]
struct ScanFacts {
    /// The plan without a filter.
    whole: Plan,
    /// Row groups to read and all, if the footers were looked at.
    row_groups: Option<(u64, u64)>,
}

impl Facts {
    /// Plans every scan without its filter, and looks at footers if there are not too many.
    pub(crate) async fn collect(
        plan: &Arc<dyn ExecutionPlan>,
        footers: bool,
    ) -> headwater::Result<Self> {
        let mut facts = Self::default();
        let mut todo = vec![Arc::clone(plan)];
        while let Some(node) = todo.pop() {
            todo.extend(node.children().into_iter().cloned());
            let Some(scan) = node.downcast_ref::<ScanExec>() else { continue };
            let whole = scan.table().new_read().plan().await?;
            let splits = &scan.plan().splits;
            let files: usize = splits.iter().map(|s| s.files().count()).sum();
            let row_groups = if footers && files <= MAX_FOOTERS {
                let counters = scan.read().footers(splits).await?;
                let kept = counters.row_groups();
                Some((kept, kept.saturating_add(counters.row_groups_skipped())))
            } else {
                None
            };
            facts.scans.insert(address(scan), ScanFacts { whole, row_groups });
        }
        Ok(facts)
    }
}

/// Identity of a scan while its plan lives.
fn address(scan: &ScanExec) -> usize {
    std::ptr::from_ref(scan).addr()
}

/// The lines of the tree. `ran`: whether the plan was run, so that its counts mean something.
pub(crate) fn lines(
    plan: &Arc<dyn ExecutionPlan>,
    facts: &Facts,
    ran: bool,
    above: Option<String>,
) -> Vec<String> {
    let mut drawing = Drawing { facts, ran, lines: Vec::new() };
    match above {
        Some(title) => {
            drawing.lines.push(title);
            drawing.node(plan, "└─ ", "   ");
        }
        None => drawing.node(plan, "", ""),
    }
    drawing.lines
}

struct Drawing<'a> {
    facts: &'a Facts,
    ran: bool,
    lines: Vec<String>,
}

impl Drawing<'_> {
    /// Draws a node behind `first` and everything below it behind `rest`.
    fn node(&mut self, node: &Arc<dyn ExecutionPlan>, first: &str, rest: &str) {
        let children = node.children();
        if PLUMBING.contains(&node.name())
            && let [only] = children.as_slice()
        {
            return self.node(only, first, rest);
        }
        let bar = if children.is_empty() { " " } else { "│" };
        if let Some(scan) = node.downcast_ref::<ScanExec>() {
            let (title, details) = self.scan(scan);
            self.lines.push(format!("{first}{title}"));
            for detail in details {
                self.lines.push(format!("{rest}     {detail}"));
            }
            return;
        }
        self.lines.push(format!("{first}{}", title(node)));
        for detail in self.measured(node) {
            self.lines.push(format!("{rest}{bar}    {detail}"));
        }
        let last = children.len().saturating_sub(1);
        for (at, child) in children.into_iter().enumerate() {
            if at == last {
                self.node(child, &format!("{rest}└─ "), &format!("{rest}   "));
            } else {
                self.node(child, &format!("{rest}├─ "), &format!("{rest}│  "));
            }
        }
    }

    /// Rows and time, when the plan was run.
    fn measured(&self, node: &Arc<dyn ExecutionPlan>) -> Vec<String> {
        if !self.ran {
            return Vec::new();
        }
        let Some(metrics) = node.metrics() else { return Vec::new() };
        let mut parts = Vec::new();
        if let Some(rows) = metrics.output_rows() {
            parts.push(format!("rows: {rows}"));
        }
        if let Some(nanos) = metrics.elapsed_compute() {
            parts.push(format!("time: {}", time(nanos)));
        }
        let spilled = metrics.sum(|m| matches!(m.value(), MetricValue::SpilledBytes(_)));
        if let Some(bytes) = spilled.map(|m| m.as_usize()).filter(|bytes| *bytes > 0) {
            parts.push(format!("spilled: {}", size(u64::try_from(bytes).unwrap_or(u64::MAX))));
        }
        if parts.is_empty() { Vec::new() } else { vec![parts.join(", ")] }
    }

    fn scan(&self, scan: &ScanExec) -> (String, Vec<String>) {
        let plan = scan.plan();
        let snapshot = match plan.snapshot_id {
            Some(id) => format!("snapshot {id}"),
            None => "no snapshot yet".to_owned(),
        };
        let title = format!("Scan {}, {snapshot}", scan.table().name());
        let mut details = vec![format!("columns: {}", scan.columns())];
        if let Some(predicate) = scan.predicate_text() {
            details.push(format!("predicate: {predicate}"));
        }
        let nothing = ScanFacts::default();
        let facts = self.facts.scans.get(&address(scan)).unwrap_or(&nothing);
        let (kept, whole) = (Totals::new(&plan.splits), Totals::new(&facts.whole.splits));
        if !scan.table().schema().partition_keys.is_empty() {
            details.push(of("partitions", kept.partitions, whole.partitions));
        }
        if scan.table().options().bucket > 0 {
            details.push(of("buckets", kept.buckets, whole.buckets));
        }
        details.push(of("files", kept.files, whole.files));
        if scan.table().has_primary_key() {
            let levels: Vec<String> = kept
                .levels
                .iter()
                .map(|(level, files)| format!("{files} on level {level}"))
                .collect();
            if !levels.is_empty() {
                details.push(format!("levels: {}", levels.join(", ")));
            }
        }
        if let Some((kept, all)) = facts.row_groups {
            details.push(format!("row groups: {kept} of {all} in these files"));
        }
        details.push(format!(
            "bytes: {} of {} to read at most",
            size(kept.bytes),
            size(whole.bytes)
        ));
        let manifests = plan.manifests;
        details.push(format!(
            "manifests: {} of {} read for the plan",
            manifests.manifests.saturating_sub(manifests.manifests_pruned),
            manifests.manifests
        ));
        let merged = plan.splits.iter().filter(|split| !split.is_raw()).count();
        details.push(match (plan.splits.len(), merged) {
            (0, _) => "splits: none".to_owned(),
            (all, 0) => format!("splits: {all} raw (no merge needed)"),
            (all, merged) if all == merged => format!("splits: {all} merged"),
            (all, merged) => format!("splits: {} raw, {merged} merged", all - merged),
        });
        if self.ran {
            let counters = scan.counters();
            let metrics = scan.metrics();
            let rows = metrics.as_ref().and_then(|m| m.output_rows()).unwrap_or(0);
            let groups = counters.row_groups();
            details.push(format!(
                "read: {rows} rows, {} bytes ({}), {} files, {groups} of {} row groups",
                counters.bytes(),
                size(counters.bytes()),
                counters.files(),
                groups.saturating_add(counters.row_groups_skipped()),
            ));
        }
        (title, details)
    }
}

/// `files: 2 of 6 (4 pruned)`.
fn of(what: &str, kept: usize, all: usize) -> String {
    match all.saturating_sub(kept) {
        0 => format!("{what}: {kept} of {}", all.max(kept)),
        pruned => format!("{what}: {kept} of {all} ({pruned} pruned)"),
    }
}

/// What splits have in all.
#[derive(Debug, Default)]
struct Totals {
    partitions: usize,
    buckets: usize,
    files: usize,
    bytes: u64,
    levels: BTreeMap<i32, usize>,
}

impl Totals {
    fn new(splits: &[Split]) -> Self {
        let mut totals = Self::default();
        let mut partitions = BTreeSet::new();
        let mut buckets = BTreeSet::new();
        for split in splits {
            let partition = format!("{:?}", split.partition_values());
            buckets.insert((partition.clone(), split.bucket()));
            partitions.insert(partition);
            totals.bytes = totals.bytes.saturating_add(split.bytes());
            for file in split.files() {
                totals.files += 1;
                *totals.levels.entry(file.level).or_default() += 1;
            }
        }
        totals.partitions = partitions.len();
        totals.buckets = buckets.len();
        totals
    }
}

/// An operator with its details, on one line.
fn title(node: &Arc<dyn ExecutionPlan>) -> String {
    let name = node.name();
    let known = TITLES.iter().find(|(exec, _)| *exec == name).map(|(_, title)| *title);
    let title = known.unwrap_or_else(|| name.strip_suffix("Exec").unwrap_or(name));
    let text = Details(node.as_ref()).to_string();
    let details: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if details.is_empty() { title.to_owned() } else { format!("{title}: {}", details.join(", ")) }
}

struct Details<'a>(&'a dyn ExecutionPlan);

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(DisplayFormatType::TreeRender, f)
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let (mut whole, mut tenth) = (bytes, 0);
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if whole < 1024 || unit == "TB" {
            return match (unit, tenth) {
                ("B", _) => format!("{whole} B"),
                _ => format!("{whole}.{tenth} {unit}"),
            };
        }
        tenth = (whole % 1024) * 10 / 1024;
        whole /= 1024;
    }
    format!("{bytes} B")
}

/// A time for people.
fn time(nanos: usize) -> String {
    let micros = nanos / 1000;
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..1_000_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}

#[cfg(test)]
mod tests {
    use super::{size, time};

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1536), "1.5 KB");
        assert_eq!(size(5 << 30), "5.0 GB");
        assert_eq!(time(999_000), "999 µs");
        assert_eq!(time(1_250_000), "1.2 ms");
        assert_eq!(time(2_340_000_000), "2.34 s");
    }
}
