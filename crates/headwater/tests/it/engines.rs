//! Merge engines through whole tables: what is written, refused, counted, pruned and shown.

use std::sync::Arc;

use headwater::io::file_io::memory::MemoryFileIo;
use headwater::io::{FileIo, FixedClock};
use headwater::{
    Catalog, CommitOutcome, DataType, Datum, Env, Error, FileSystemCatalog, Identifier, NewTable,
    Op, Overwrite, Predicate, Table,
};
use serde_json::{Value, json};

use crate::rows::{batch, env, lines, run};

/// 2024-01-01T00:00:00Z in seconds.
const NOW: i64 = 1_704_067_200;

async fn made(columns: &[(&str, &str)], options: &[(&str, &str)]) -> Result<Table, Error> {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let env = Env { clock: Arc::new(FixedClock::new(NOW * 1000)), ..env() };
    let catalog = FileSystemCatalog::new(io, env);
    catalog.create_database("db", true).await?;
    let mut definition = NewTable::new().primary_key([columns[0].0]).option("bucket", "1");
    for (name, data_type) in columns {
        definition = definition.column(*name, DataType::parse(data_type)?);
    }
    for (key, value) in options {
        definition = definition.option(*key, *value);
    }
    let id = Identifier::new("db", "t");
    catalog.create_table(&id, &definition, false).await?;
    headwater::open_table(&catalog, &id).await
}

async fn write(table: &Table, rows: &[Value], how: Overwrite) -> Result<CommitOutcome, Error> {
    let mut write = table.new_write().overwrite(how).build()?;
    let (batch, kinds) = batch(table, rows);
    write.write_kinds(&batch, Some(&kinds)).await?;
    write.commit_batch().await
}

async fn add(table: &Table, rows: &[Value]) -> Result<CommitOutcome, Error> {
    write(table, rows, Overwrite::None).await
}

fn delete(row: &Value) -> Value {
    json!({ "kind": "-D", "row": row })
}

async fn shown(table: &Table) -> Vec<String> {
    let lines = lines(table).await.unwrap();
    lines
        .iter()
        .map(|l| l.split_once("\"row\":").unwrap().1.trim_end_matches('}').to_owned())
        .collect()
}

/// Numbers of rows of a read of these columns.
async fn count(table: &Table, columns: &[&str], filter: Option<Predicate>) -> usize {
    let mut read = table.new_read().columns(columns).unwrap();
    if let Some(filter) = filter {
        read = read.filter(filter).unwrap();
    }
    let batches = read.collect().await.unwrap();
    assert!(batches.iter().all(|b| b.num_columns() == columns.len()));
    batches.iter().map(arrow::array::RecordBatch::num_rows).sum()
}

fn equals(column: usize, value: i32) -> Predicate {
    Predicate::Leaf { column, op: Op::Eq, literals: vec![Datum::Int(value)] }
}

#[test]
fn columns_that_decide_are_read_and_not_shown() {
    run(async {
        let options = [("sequence.field", "s")];
        let columns = [("k", "INT"), ("s", "INT"), ("v", "INT")];
        let table = made(&columns, &options).await.unwrap();
        add(&table, &[json!({"k": 1, "s": 5, "v": 50})]).await.unwrap();
        add(&table, &[json!({"k": 1, "s": 4, "v": 40})]).await.unwrap();
        assert_eq!(shown(&table).await, [r#"{"k":1,"s":5,"v":50"#]);
        let read = table.new_read().columns(&["v"]).unwrap().collect().await.unwrap();
        let column =
            arrow::array::AsArray::as_primitive::<arrow::datatypes::Int32Type>(read[0].column(0));
        assert_eq!((read[0].num_columns(), column.value(0)), (1, 50));
        assert_eq!(count(&table, &[], None).await, 1);
    });
}

#[test]
fn a_delete_by_group_shows_in_every_projection() {
    run(async {
        let options = [
            ("merge-engine", "partial-update"),
            ("fields.g.sequence-group", "v"),
            ("partial-update.remove-record-on-sequence-group", "g"),
        ];
        let table = made(&[("k", "INT"), ("g", "INT"), ("v", "INT")], &options).await.unwrap();
        add(&table, &[json!({"k": 1, "g": 5, "v": 50}), json!({"k": 2, "g": 5, "v": 50})])
            .await
            .unwrap();
        add(&table, &[delete(&json!({"k": 1, "g": 6, "v": 50}))]).await.unwrap();
        for columns in [&["k", "g", "v"][..], &["v"], &["k"], &[]] {
            assert_eq!(count(&table, columns, None).await, 1, "{columns:?}");
        }
    });
}

#[test]
fn a_filter_finds_rows_that_no_file_holds_whole() {
    run(async {
        let columns = [("k", "INT"), ("a", "INT"), ("b", "INT")];
        let partial = made(&columns, &[("merge-engine", "partial-update")]).await.unwrap();
        add(&partial, &[json!({"k": 1, "a": 1, "b": null})]).await.unwrap();
        add(&partial, &[json!({"k": 1, "a": null, "b": 2})]).await.unwrap();
        let both = Predicate::And(vec![equals(1, 1), equals(2, 2)]);
        assert_eq!(count(&partial, &["k"], Some(both)).await, 1);
        let sum = ("fields.a.aggregate-function", "sum");
        let table = made(&columns, &[("merge-engine", "aggregation"), sum]).await.unwrap();
        for _ in 0..2 {
            add(&table, &[json!({"k": 1, "a": 4, "b": 0})]).await.unwrap();
        }
        assert_eq!(count(&table, &["a"], Some(equals(1, 8))).await, 1);
        assert_eq!(count(&table, &["a"], Some(equals(0, 2))).await, 0);
    });
}

#[test]
fn rows_that_come_late_are_counted() {
    run(async {
        let columns = [("k", "INT"), ("s", "INT"), ("v", "INT")];
        let table = made(&columns, &[("sequence.field", "s")]).await.unwrap();
        let rows = [
            json!({"k": 1, "s": 5, "v": 1}),
            json!({"k": 1, "s": 4, "v": 2}),
            json!({"k": 2, "s": 1, "v": 3}),
            json!({"k": 2, "s": 1, "v": 4}),
        ];
        let outcome = add(&table, &rows).await.unwrap();
        assert_eq!((outcome.rows, outcome.rows_older), (2, 1));
        assert_eq!(shown(&table).await, [r#"{"k":1,"s":5,"v":1"#, r#"{"k":2,"s":1,"v":4"#]);
    });
}

#[test]
fn deletes_that_could_never_be_merged_are_refused_when_written() {
    run(async {
        let columns = [("k", "INT"), ("g", "INT"), ("v", "INT")];
        let max = ("fields.v.aggregate-function", "max");
        let group = ("fields.g.sequence-group", "v");
        for (options, wanted) in [
            (&[("merge-engine", "partial-update")][..], "partial-update.remove-record-on-delete"),
            (&[("merge-engine", "first-row")], "'ignore-delete' = 'true'"),
            (&[("merge-engine", "aggregation"), max], "'fields.v.ignore-retract' = 'true'"),
            (&[("merge-engine", "partial-update"), group, max], "function 'max' of column 'v'"),
        ] {
            let table = made(&columns, options).await.unwrap();
            let row = json!({"k": 1, "g": 1, "v": 1});
            let error = add(&table, &[delete(&row)]).await.unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains("db.t"), "{options:?}: {error}");
            assert!(table.snapshot().await.unwrap().is_none());
        }
        let retract = ("fields.v.ignore-retract", "true");
        for options in [
            &[("merge-engine", "partial-update"), ("ignore-delete", "true")][..],
            &[("merge-engine", "partial-update"), group],
            &[("merge-engine", "first-row"), ("first-row.ignore-delete", "true")],
            &[("merge-engine", "aggregation"), max, retract],
            &[
                ("merge-engine", "aggregation"),
                max,
                ("aggregation.remove-record-on-delete", "true"),
            ],
        ] {
            let table = made(&columns, options).await.unwrap();
            add(&table, &[delete(&json!({"k": 1, "g": 1, "v": 1}))]).await.unwrap();
            assert_eq!(shown(&table).await, Vec::<String>::new(), "{options:?}");
        }
    });
}

#[test]
fn definitions_that_functions_do_not_fit_are_refused() {
    run(async {
        let columns = [("k", "INT"), ("v", "INT"), ("t", "STRING")];
        for (options, wanted) in [
            ([("fields.t.aggregate-function", "sum")], "'sum'"),
            ([("fields.v.aggregate-function", "summ")], "'sum'"),
            ([("fields.default-aggregate-function", "bool_and")], "'bool_and'"),
        ] {
            let options = [&[("merge-engine", "aggregation")], &options[..]].concat();
            let error = made(&columns, &options).await.unwrap_err().to_string();
            assert!(error.contains(wanted), "{options:?}: {error}");
        }
    });
}

#[test]
fn the_kind_of_a_row_comes_from_its_column() {
    run(async {
        let columns = [("k", "INT"), ("v", "INT"), ("op", "STRING")];
        let table = made(&columns, &[("rowkind.field", "op")]).await.unwrap();
        let rows = [json!({"k": 1, "v": 1, "op": "+i"}), json!({"k": 2, "v": 2, "op": "+U"})];
        add(&table, &rows).await.unwrap();
        add(&table, &[json!({"k": 1, "v": 1, "op": "-d"})]).await.unwrap();
        assert_eq!(shown(&table).await, [r#"{"k":2,"v":2,"op":"+U""#]);
        for (row, wanted) in [
            (json!({"k": 1, "v": 1, "op": null}), "is null"),
            (json!({"k": 1, "v": 1, "op": "x"}), "\"x\" is not a row kind"),
            (delete(&json!({"k": 1, "v": 1, "op": "+I"})), "write '-D' there"),
        ] {
            let error = add(&table, &[row]).await.unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    });
}

#[test]
fn first_rows_show_once_they_lie_above_level_0() {
    run(async {
        let columns = [("k", "INT"), ("v", "INT")];
        let options = [("merge-engine", "first-row"), ("write-only", "true")];
        let table = made(&columns, &options).await.unwrap();
        assert!(
            table.warnings().iter().any(|w| w.contains("compaction")),
            "{:?}",
            table.warnings()
        );
        let rows = [json!({"k": 1, "v": 1}), json!({"k": 1, "v": 2})];
        add(&table, &rows).await.unwrap();
        assert_eq!(count(&table, &["k"], None).await, 0);
        write(&table, &rows, Overwrite::Static(Vec::new())).await.unwrap();
        assert_eq!(shown(&table).await, [r#"{"k":1,"v":1"#]);
        // Writers that compact show their rows at once, and keep those of the levels above.
        let table = made(&columns, &options[..1]).await.unwrap();
        for row in [json!({"k": 1, "v": 1}), json!({"k": 2, "v": 2}), json!({"k": 1, "v": 3})] {
            add(&table, &[row]).await.unwrap();
        }
        assert_eq!(shown(&table).await, [r#"{"k":1,"v":1"#, r#"{"k":2,"v":2"#]);
    });
}

#[test]
fn rows_end_when_their_time_is_over() {
    run(async {
        for (data_type, old, fresh) in [
            ("INT", json!(NOW - 61), json!(NOW - 60)),
            ("BIGINT", json!(NOW - 61), json!((NOW - 60) * 1000)),
            ("TIMESTAMP(6)", json!("2023-12-31T23:58:59.999999"), json!("2023-12-31T23:59:00")),
            ("TIMESTAMP(3) WITH LOCAL TIME ZONE", json!("2023-12-31T23:58:59"), json!(null)),
        ] {
            let options = [("record-level.expire-time", "1 min"), ("record-level.time-field", "t")];
            let table = made(&[("k", "INT"), ("t", data_type)], &options).await.unwrap();
            add(&table, &[json!({"k": 1, "t": old}), json!({"k": 2, "t": fresh})]).await.unwrap();
            let plan = table.new_read().plan().await.unwrap();
            assert_eq!(plan.exact_rows, None, "{data_type}");
            assert_eq!(count(&table, &["k"], None).await, 1, "{data_type}");
            add(&table, &[json!({"k": 1, "t": fresh}), json!({"k": 2, "t": old})]).await.unwrap();
            assert_eq!(count(&table, &[], None).await, 1, "{data_type}");
        }
    });
}
