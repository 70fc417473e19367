//! Commits of every kind.

use headwater::{Datum, Overwrite};

use super::Writes;
use crate::small::{Change, append, keyed, rows};

pub(crate) fn first_commit() -> Writes {
    Writes {
        name: "first commit",
        definition: keyed("2"),
        before: Vec::new(),
        change: Change::insert(rows(&["a", "b"], 0..5, "new")),
    }
}

pub(crate) fn manifest_merge() -> Writes {
    Writes {
        name: "commit that merges manifests",
        definition: keyed("1").option("manifest.merge-min-count", "2"),
        before: vec![
            Change::insert(rows(&["a"], 0..5, "x")),
            Change::insert(rows(&["a"], 3..8, "y")),
            Change::insert(rows(&["b"], 0..3, "z")),
        ],
        change: Change::insert(rows(&["a", "b"], 1..5, "new")),
    }
}

fn partitioned() -> Vec<Change> {
    vec![
        Change::insert(rows(&["a", "b"], 0..5, "x")),
        Change::insert(rows(&["a", "b", "c"], 3..8, "y")),
    ]
}

pub(crate) fn static_overwrite() -> Writes {
    Writes {
        name: "static overwrite",
        definition: keyed("1").partitioned_by(["dt"]),
        before: partitioned(),
        change: Change {
            overwrite: Overwrite::Static(vec![("dt".into(), Some(Datum::String("a".into())))]),
            batches: vec![rows(&["a"], 4..6, "new")],
        },
    }
}

pub(crate) fn dynamic_overwrite() -> Writes {
    Writes {
        name: "dynamic overwrite",
        definition: keyed("2").partitioned_by(["dt"]),
        before: partitioned(),
        change: Change {
            overwrite: Overwrite::Dynamic,
            batches: vec![rows(&["b", "d"], 4..9, "new")],
        },
    }
}

pub(crate) fn many_buckets() -> Writes {
    Writes {
        name: "commit to many buckets",
        // Each batch fills the buffer of its bucket: several files for each.
        definition: keyed("2")
            .partitioned_by(["dt"])
            .option("write-buffer-size", "1 b")
            .option("write-buffer-spillable", "false"),
        before: vec![Change::insert(rows(&["a", "b"], 0..6, "x"))],
        change: Change {
            overwrite: Overwrite::None,
            batches: vec![rows(&["a", "b", "c"], 0..6, "new"), rows(&["a", "c"], 4..9, "newer")],
        },
    }
}

pub(crate) fn dynamic_buckets() -> Writes {
    Writes {
        name: "commit to dynamic buckets",
        definition: keyed("-1").partitioned_by(["dt"]).option("dynamic-bucket.target-row-num", "3"),
        before: vec![Change::insert(rows(&["a"], 0..4, "x"))],
        change: Change::insert(rows(&["a", "b"], 2..7, "new")),
    }
}

pub(crate) fn plain_append() -> Writes {
    Writes {
        name: "append",
        definition: append(),
        before: vec![Change::insert(rows(&["a"], 0..5, "x"))],
        change: Change::insert(rows(&["a", "b"], 0..5, "new")),
    }
}

pub(crate) fn bucketed_append() -> Writes {
    Writes {
        name: "append to fixed buckets",
        definition: append()
            .partitioned_by(["dt"])
            .option("bucket", "2")
            .option("bucket-key", "id")
            .option("write-buffer-size", "1 b")
            .option("write-buffer-spillable", "false"),
        before: vec![Change::insert(rows(&["a"], 0..5, "x"))],
        change: Change {
            overwrite: Overwrite::None,
            batches: vec![rows(&["a", "b"], 0..5, "new"), rows(&["a"], 3..7, "newer")],
        },
    }
}
