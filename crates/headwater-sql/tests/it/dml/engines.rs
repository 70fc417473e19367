//! Which merge engines let rows be changed, and partial rows.

use headwater::ErrorKind;

use crate::warehouse::Warehouse;

async fn table(columns: &str, options: &str) -> Warehouse {
    let w = Warehouse::unsynced().await;
    w.run(&format!(
        "CREATE TABLE t (id INT NOT NULL, {columns}, PRIMARY KEY (id) NOT ENFORCED)
            WITH ('bucket' = '1'{options})"
    ))
    .await;
    w
}

async fn rows(w: &Warehouse) -> Vec<String> {
    w.run("SELECT * FROM t ORDER BY id").await
}

async fn refused(w: &Warehouse, sql: &str, reason: &str) {
    let error = w.fails(sql).await;
    assert!(error.to_string().contains(reason), "{sql}: {error}");
    assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Invalid), "{sql}: {error}");
}

#[tokio::test]
async fn partial_update_replaces_values_and_refuses_what_it_would_ignore() {
    const ENGINE: &str = ", 'merge-engine' = 'partial-update'";
    let w = table("a INT, b INT", ENGINE).await;
    w.run("INSERT INTO t VALUES (1, 1, 1), (2, 2, NULL)").await;
    w.run("UPDATE t SET a = a + 10").await;
    assert_eq!(rows(&w).await, ["1|11|1", "2|12|NULL"]);
    refused(&w, "UPDATE t SET b = NULL", "takes for no change").await;
    assert_eq!(w.run("UPDATE t SET b = NULL WHERE id = 2").await, ["1 row updated"]);
    refused(&w, "DELETE FROM t", "'partial-update.remove-record-on-delete' = 'true'").await;
    assert_eq!(rows(&w).await, ["1|11|1", "2|12|NULL"]);
    let w = table(
        "a INT, b INT",
        &format!("{ENGINE}, 'partial-update.remove-record-on-delete' = 'true'"),
    )
    .await;
    w.run("INSERT INTO t VALUES (1, 1, 1), (2, 2, NULL); DELETE FROM t WHERE id = 2").await;
    assert_eq!(rows(&w).await, ["1|1|1"]);
    let w = table(
        "a INT, b INT, s INT",
        &format!(
            "{ENGINE}, 'fields.s.sequence-group' = 'b', 'fields.b.aggregate-function' = 'sum'"
        ),
    )
    .await;
    refused(&w, "UPDATE t SET a = 1", "aggregated once more").await;
}

#[tokio::test]
async fn sequence_groups_decide_what_a_statement_can_change() {
    let w = table(
        "s INT, a INT, b INT",
        ", 'merge-engine' = 'partial-update', 'fields.s.sequence-group' = 'a',
           'partial-update.remove-record-on-sequence-group' = 's'",
    )
    .await;
    w.run("INSERT INTO t VALUES (1, 5, 1, 1), (2, NULL, NULL, 2)").await;
    w.run("UPDATE t SET a = NULL, b = 7 WHERE id = 1").await;
    assert_eq!(rows(&w).await, ["1|5|NULL|7", "2|NULL|NULL|2"]);
    refused(&w, "UPDATE t SET s = 4 WHERE id = 1", "older place by the sequence group of 's'")
        .await;
    refused(&w, "UPDATE t SET a = 4 WHERE id = 2", "no value that says its place").await;
    refused(&w, "DELETE FROM t", "no value that says its place").await;
    w.run("UPDATE t SET s = 6, a = 6 WHERE id = 2; DELETE FROM t WHERE id = 1").await;
    assert_eq!(rows(&w).await, ["2|6|6|2"]);
}

#[tokio::test]
async fn rows_cannot_become_older_than_they_are() {
    for (options, older, newer) in [
        (", 'sequence.field' = 's'", 4, 6),
        (", 'sequence.field' = 's', 'sequence.field.sort-order' = 'descending'", 6, 4),
    ] {
        let w = table("s INT, a INT", options).await;
        w.run("INSERT INTO t VALUES (1, 5, 1)").await;
        refused(&w, &format!("UPDATE t SET s = {older}, a = 2"), "older place by 'sequence.field'")
            .await;
        w.run("UPDATE t SET a = 3").await;
        assert_eq!(rows(&w).await, ["1|5|3"]);
        w.run(&format!("UPDATE t SET s = {newer}, a = 4")).await;
        assert_eq!(rows(&w).await, [format!("1|{newer}|4")]);
        w.run("DELETE FROM t").await;
        assert_eq!(w.run("SELECT count(*) FROM t").await, ["0"]);
    }
}

#[tokio::test]
async fn rows_that_come_too_late_are_counted() {
    let w = table("s INT, a INT", ", 'sequence.field' = 's'").await;
    let result =
        w.session.execute("INSERT INTO t VALUES (1, 5, 1), (1, 4, 2), (2, 1, 1)").await.unwrap();
    assert_eq!(result.warnings.len(), 1, "{:?}", result.warnings);
    assert!(result.warnings[0].contains("1 row was older"), "{:?}", result.warnings);
    assert_eq!(rows(&w).await, ["1|5|1", "2|1|1"]);
}

#[tokio::test]
async fn aggregated_and_first_rows_are_not_updated() {
    let w =
        table("a INT", ", 'merge-engine' = 'aggregation', 'fields.a.aggregate-function' = 'sum'")
            .await;
    w.run("INSERT INTO t VALUES (1, 1), (2, 2)").await;
    refused(&w, "UPDATE t SET a = a + 1", "INSERT what is to be added").await;
    refused(&w, "DELETE FROM t", "'aggregation.remove-record-on-delete' = 'true'").await;
    refused(
        &w,
        "MERGE INTO t USING (SELECT 3 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
        "MERGE of table",
    )
    .await;
    let w = table(
        "a INT",
        ", 'merge-engine' = 'aggregation', 'fields.a.aggregate-function' = 'sum',
           'aggregation.remove-record-on-delete' = 'true'",
    )
    .await;
    w.run("INSERT INTO t VALUES (1, 1), (2, 2); DELETE FROM t WHERE a = 1").await;
    assert_eq!(rows(&w).await, ["2|2"]);
    let w = table("a INT", ", 'merge-engine' = 'first-row'").await;
    refused(&w, "DELETE FROM t", "first row of a key").await;
    refused(&w, "UPDATE t SET a = 1", "first row of a key").await;
}

#[tokio::test]
async fn partial_rows_leave_the_other_columns_alone() {
    for options in [", 'merge-engine' = 'partial-update'", ", 'merge-engine' = 'aggregation'"] {
        let w = table("a INT, b STRING DEFAULT 'none', c INT NOT NULL", options).await;
        refused(&w, "INSERT INTO t (id, a) VALUES (1, 1)", "column 'c' is NOT NULL").await;
        let w = table("a INT, b STRING DEFAULT 'none'", options).await;
        w.run("INSERT INTO t VALUES (1, 1, 'one'), (2, 2, NULL)").await;
        w.run("INSERT INTO t (id, a) VALUES (1, 10), (3, 30); INSERT INTO t (b, id) VALUES ('two', 2)")
            .await;
        assert_eq!(rows(&w).await, ["1|10|one", "2|2|two", "3|30|NULL"], "{options}");
    }
    let w = table("a INT, b STRING DEFAULT 'none'", "").await;
    w.run("INSERT INTO t (id, a) VALUES (1, 10)").await;
    assert_eq!(rows(&w).await, ["1|10|none"]);
}

#[tokio::test]
async fn deletions_that_would_be_dropped_are_refused() {
    let w = table("v INT", ", 'ignore-delete' = 'true'").await;
    w.run("INSERT INTO t VALUES (1, 1)").await;
    refused(&w, "DELETE FROM t", "'ignore-delete' = 'false'").await;
    let merge = "MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN";
    refused(&w, &format!("{merge} DELETE"), "'ignore-delete' = 'false'").await;
    assert_eq!(w.run(&format!("{merge} UPDATE SET v = 2")).await, ["1 row updated"]);
    assert_eq!(rows(&w).await, ["1|2"]);
}
