//! Options about single rows and batches: kinds that a table ignores, the length of batches.

use std::sync::Arc;

use arrow::array::Int8Array;
use headwater::io::{FileIo, MemoryFileIo, Pools};

use crate::rows::run;
use crate::small::{Change, append, batch, create, env, keyed, open, read, rows, write};

#[test]
fn rows_of_kinds_that_a_table_ignores_are_left_out() {
    run(async {
        let env = env(&Pools::new(1), 1);
        // The option, the kinds that are written, and which of the rows stay; none: refused.
        for (definition, kinds, stay) in [
            (append(), [0, 1, 0, 3], None),
            (append().option("ignore-delete", "true"), [0, 1, 0, 3], Some(vec![0, 2])),
            (append().option("first-row.ignore-delete", "true"), [3, 1, 0, 3], Some(vec![2])),
            (append().option("ignore-delete", "true"), [0, 1, 2, 3], None),
            (append().option("ignore-update-before", "true"), [0, 1, 0, 1], Some(vec![0, 2])),
            (append().option("ignore-update-before", "true"), [0, 1, 0, 3], None),
            (keyed("1").option("ignore-update-before", "true"), [0, 1, 2, 3], Some(vec![0, 2])),
        ] {
            let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
            create(&io, &env, &definition).await.unwrap();
            let table = open(&io, &env).await.unwrap();
            let all = rows(&["a"], 0..4, "x");
            let mut writer = table.new_write().build().unwrap();
            let kinds = Int8Array::from(kinds.to_vec());
            let written = writer.write_kinds(&batch(&table, &all), Some(&kinds)).await;
            let Some(stay) = stay else {
                let error = written.unwrap_err().to_string();
                assert!(error.contains("only +I"), "{error}");
                continue;
            };
            written.unwrap();
            writer.commit(1).await.unwrap();
            let wanted: Vec<_> = stay.into_iter().map(|at: usize| all[at].clone()).collect();
            assert_eq!(read(&table).await.unwrap(), wanted, "{:?}", definition.options);
        }
    });
}

#[test]
fn batches_of_a_read_are_as_long_as_the_option_says() {
    run(async {
        let env = env(&Pools::new(1), 1);
        for (definition, longest) in [
            (append().option("read.batch-size", "7"), 7),
            (keyed("1").option("read.batch-size", "7"), 7),
            (append(), 100),
        ] {
            let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
            create(&io, &env, &definition).await.unwrap();
            let table = open(&io, &env).await.unwrap();
            write(&table, "u", 1, &Change::insert(rows(&["a"], 0..100, "x"))).await.unwrap();
            let batches = table.new_read().collect().await.unwrap();
            let found = batches.iter().map(arrow::array::RecordBatch::num_rows).max();
            assert_eq!(found, Some(longest));
            assert_eq!(batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 100);
        }
    });
}
