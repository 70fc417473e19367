//! Options that Paimon's connectors for Flink and Spark read from a table, and this version does not.
//!
//! Source: Paimon 1.4.2 `FlinkConnectorOptions`, `SparkConnectorOptions`.

/// Keys of the connectors: how a job is laid out, how a stream is followed, how lookups cache.
const CONNECTORS: &[&str] = &[
    "changelog-producer.compaction-interval",
    "changelog.precommit-compact.buffer-size",
    "changelog.precommit-compact.thread-num",
    "commit.custom-listeners",
    "end-input.watermark",
    "filesystem.job-level-settings.enabled",
    "lookup.async",
    "lookup.async-thread-number",
    "lookup.bootstrap-parallelism",
    "lookup.cache",
    "lookup.dynamic-partition.refresh-interval",
    "lookup.dynamic-partition.refresh.async",
    "lookup.refresh.async",
    "lookup.refresh.async.pending-snapshot-count",
    "lookup.refresh.full-load-threshold",
    "lookup.refresh.time-periods-blacklist",
    "partition.idle-time-to-done",
    "partition.mark-done-action.mode",
    "partition.mark-done.recover-from-state",
    "partition.time-interval",
    "precommit-compact",
    "read.allow.fullScan",
    "read.changelog",
    "read.shuffle-bucket-with-partition",
    "read.stream.maxBytesPerTrigger",
    "read.stream.maxFilesPerTrigger",
    "read.stream.maxRowsPerTrigger",
    "read.stream.maxTriggerDelayMs",
    "read.stream.minRowsPerTrigger",
    "requiredSparkConfsCheck.enabled",
    "scan.bounded",
    "scan.dedicated-split-generation",
    "scan.infer-parallelism",
    "scan.infer-parallelism.max",
    "scan.max-snapshot.count",
    "scan.parallelism",
    "scan.partitions",
    "scan.remove-normalize",
    "scan.split-enumerator.batch-size",
    "scan.split-enumerator.mode",
    "scan.watermark.alignment.group",
    "scan.watermark.alignment.max-drift",
    "scan.watermark.alignment.update-interval",
    "scan.watermark.emit.strategy",
    "scan.watermark.idle-timeout",
    "sink.clustering.sample-factor",
    "sink.clustering.sort-in-cluster",
    "sink.committer-cpu",
    "sink.committer-memory",
    "sink.committer-operator-chaining",
    "sink.cross-partition.managed-memory",
    "sink.managed.writer-buffer-memory",
    "sink.operator-uid.suffix",
    "sink.parallelism",
    "sink.savepoint.auto-tag",
    "sink.use-managed-memory-allocator",
    "sink.writer-coordinator.cache-memory",
    "sink.writer-coordinator.enabled",
    "sink.writer-coordinator.page-size",
    "sink.writer-cpu",
    "sink.writer-memory",
    "sink.writer-refresh-detectors",
    "source.checkpoint-align.enabled",
    "source.checkpoint-align.timeout",
    "source.operator-uid.suffix",
    "source.split.target-size-with-column-pruning",
    "unaware-bucket.compaction.parallelism",
    "write.merge-schema",
    "write.merge-schema.explicit-cast",
    "write.use-v2-write",
];

/// Whether the option belongs to a connector.
pub(super) fn is_connector_option(key: &str) -> bool {
    CONNECTORS.binary_search(&key).is_ok()
}

/// The keys of the connectors.
pub(super) fn connector_options() -> impl Iterator<Item = &'static str> {
    CONNECTORS.iter().copied()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::CONNECTORS.is_sorted());
    }
}
