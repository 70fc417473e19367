package oracle;

import java.util.*;
import org.apache.paimon.CoreOptions;
import org.apache.paimon.data.BinaryRow;
import org.apache.paimon.data.InternalRow;
import org.apache.paimon.io.*;
import org.apache.paimon.postpone.BucketFiles;
import org.apache.paimon.reader.RecordReader;
import org.apache.paimon.reader.RecordReaderIterator;
import org.apache.paimon.table.BucketMode;
import org.apache.paimon.table.FileStoreTable;
import org.apache.paimon.table.PostponeUtils;
import org.apache.paimon.table.sink.*;
import org.apache.paimon.table.source.DataSplit;
import org.apache.paimon.table.source.Split;

/** What Flink's CompactAction does with a table of postponed buckets, in one process: the same steps with the same classes of the core. */
final class Postpone {
    static FileStoreTable with(FileStoreTable t, int buckets) {
        Map<String, String> o = new HashMap<>(t.options());
        o.put(CoreOptions.BUCKET.key(), "" + buckets);
        return t.copy(t.schema().copy(o));
    }

    static void compact(FileStoreTable table, String user, long ident) throws Exception {
        int some = table.coreOptions().postponeDefaultBucketNum();
        Map<BinaryRow, Integer> known = PostponeUtils.getKnownNumBuckets(table);
        FileStoreTable any = with(table, some);
        List<CommitMessage> all = new ArrayList<>();
        for (BinaryRow p : any.newSnapshotReader().withBucket(BucketMode.POSTPONE_BUCKET).partitions()) {
            FileStoreTable real = with(table, known.getOrDefault(p, some));
            Map<Integer, BucketFiles> buckets = new TreeMap<>();
            try (TableWriteImpl<?> w = real.newWrite(user).withIOManager(Reads.io())) {
                for (Split split : real.newSnapshotReader().withPartitionFilter(List.of(p)).withBucket(BucketMode.POSTPONE_BUCKET).read().splits()) {
                    DataSplit s = (DataSplit) split;
                    List<DataFileMeta> files = new ArrayList<>(s.dataFiles());
                    files.sort(Comparator.comparing(DataFileMeta::creationTime));
                    for (DataFileMeta f : files) {
                        DataSplit one = DataSplit.builder().withPartition(s.partition()).withBucket(s.bucket()).withBucketPath(s.bucketPath())
                                .withTotalBuckets(s.totalBuckets()).withDataFiles(List.of(f)).isStreaming(false).build();
                        try (RecordReader<InternalRow> r = real.newRead().createReader(one); RecordReaderIterator<InternalRow> i = new RecordReaderIterator<>(r)) {
                            while (i.hasNext()) w.write(i.next());
                        }
                    }
                    all.add(new CommitMessageImpl(s.partition(), s.bucket(), s.totalBuckets(), DataIncrement.emptyIncrement(),
                            new CompactIncrement(files, List.of(), List.of())));
                }
                for (CommitMessage m : w.prepareCommit(true, ident)) {
                    CommitMessageImpl c = (CommitMessageImpl) m;
                    buckets.computeIfAbsent(c.bucket(), b -> new BucketFiles(real.store().pathFactory().createDataFilePathFactory(p, b), real.fileIO())).update(c);
                }
            }
            buckets.forEach((b, f) -> all.add(f.makeMessage(p, b)));
        }
        try (TableCommitImpl c = any.newCommit(user)) {
            if (!all.isEmpty()) c.commit(ident, all);
        }
    }
}
