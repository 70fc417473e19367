//! Deletions that a source marks with a flag, in tables of `partial-update`: the two ways of
//! `docs/user/sql.md#deletions-in-partial-update-tables`.

use headwater::ErrorKind;

use crate::warehouse::Warehouse;

const OP: &str = "CASE WHEN is_deleted THEN '-D' ELSE '+I' END";

async fn table(columns: &str, options: &str) -> Warehouse {
    let w = Warehouse::unsynced().await;
    w.run(&format!(
        "CREATE TABLE t (id INT, {columns}, PRIMARY KEY (id) NOT ENFORCED)
            WITH ('bucket' = '1', 'merge-engine' = 'partial-update', {options})"
    ))
    .await;
    w
}

/// Inserts into these columns of `t` what a query makes of a source with such rows.
async fn insert(w: &Warehouse, columns: &str, values: &str, source: &str, rows: &str) {
    w.run(&format!(
        "INSERT INTO t ({columns}) SELECT {values} FROM (VALUES {rows}) AS s ({source})"
    ))
    .await;
}

#[tokio::test]
async fn a_flag_becomes_the_kind_of_a_row_that_removes_it() {
    let w = table(
        "a INT, b STRING, op STRING",
        "'rowkind.field' = 'op', 'partial-update.remove-record-on-delete' = 'true'",
    )
    .await;
    let (a, b) = (&format!("id, a, {OP}"), &format!("id, b, {OP}"));
    let source_a = "id, a, is_deleted";
    insert(&w, "id, a, op", a, source_a, "(1, 10, FALSE), (2, 20, FALSE), (3, 30, NULL)").await;
    insert(&w, "id, b, op", b, "id, b, is_deleted", "(1, 'one', FALSE), (2, 'two', FALSE)").await;
    let rows = "SELECT id, a, b FROM t ORDER BY id";
    assert_eq!(w.run(rows).await, ["1|10|one", "2|20|two", "3|30|NULL"]);
    insert(&w, "id, a, op", a, source_a, "(1, CAST(NULL AS INT), TRUE), (3, 30, TRUE)").await;
    assert_eq!(w.run(rows).await, ["2|20|two"]);
    // In one write with older values of the key, too; what comes later begins with the nulls.
    insert(&w, "id, a, op", a, source_a, "(2, 21, FALSE), (2, CAST(NULL AS INT), TRUE)").await;
    insert(&w, "id, a, op", a, source_a, "(1, 11, FALSE)").await;
    assert_eq!(w.run(rows).await, ["1|11|NULL"]);
}

#[tokio::test]
async fn a_flag_becomes_the_kind_of_a_row_in_the_order_of_its_group() {
    let columns = "version INT, a INT, b STRING, op STRING";
    let group = "'rowkind.field' = 'op', 'fields.version.sequence-group' = 'a'";
    let names = "id, version, a, op";
    let values = &format!("id, version, a, {OP}");
    let source = "id, version, a, is_deleted";
    let rows = "SELECT id, version, a, b FROM t ORDER BY id";
    for (options, deleted) in [
        (format!("{group}, 'partial-update.remove-record-on-sequence-group' = 'version'"), vec![]),
        // Only the columns of the group are taken back.
        (group.to_owned(), vec!["1|6|NULL|one"]),
    ] {
        let w = table(columns, &options).await;
        insert(&w, names, values, source, "(1, 5, 10, FALSE)").await;
        w.run("INSERT INTO t (id, b, op) VALUES (1, 'one', '+I')").await;
        // A deletion that comes too late is none.
        insert(&w, names, values, source, "(1, 4, 9, TRUE)").await;
        assert_eq!(w.run(rows).await, ["1|5|10|one"], "{options}");
        insert(&w, names, values, source, "(1, 6, 10, TRUE)").await;
        assert_eq!(w.run(rows).await, deleted, "{options}");
    }
}

#[tokio::test]
async fn a_flag_in_a_sequence_group_is_left_out_by_readers() {
    let w = table(
        "version INT, a INT, is_deleted BOOLEAN, b STRING",
        "'fields.version.sequence-group' = 'a,is_deleted'",
    )
    .await;
    let names = "id, version, a, is_deleted";
    insert(&w, names, names, names, "(1, 1, 10, FALSE), (2, 1, 20, FALSE)").await;
    w.run("INSERT INTO t (id, b) VALUES (1, 'one'), (2, 'two'), (3, 'three')").await;
    let rows = "SELECT id, a, b FROM t WHERE is_deleted IS NOT TRUE ORDER BY id";
    assert_eq!(w.run(rows).await, ["1|10|one", "2|20|two", "3|NULL|three"]);
    insert(&w, names, names, names, "(1, 3, CAST(NULL AS INT), TRUE)").await;
    assert_eq!(w.run(rows).await, ["2|20|two", "3|NULL|three"]);
    // An older record does not bring the row back, a newer one does.
    insert(&w, names, names, names, "(1, 2, 12, FALSE)").await;
    assert_eq!(w.run(rows).await, ["2|20|two", "3|NULL|three"]);
    insert(&w, names, names, names, "(1, 4, 14, FALSE)").await;
    assert_eq!(w.run(rows).await, ["1|14|one", "2|20|two", "3|NULL|three"]);
}

#[tokio::test]
async fn deletions_that_nothing_explains_are_refused_with_both_ways() {
    let w = table("a INT, op STRING", "'rowkind.field' = 'op'").await;
    w.run("INSERT INTO t VALUES (1, 10, '+I')").await;
    let error = w.fails("INSERT INTO t VALUES (1, 10, '-D')").await;
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    for part in [
        "it cannot merge -D rows",
        "'partial-update.remove-record-on-delete' = 'true' lets -D remove the row",
        "'fields.<column>.sequence-group'",
        "'partial-update.remove-record-on-sequence-group' lets -D of a group remove the row",
        "'ignore-delete' = 'true' leaves them out",
        "'rowkind.field' names a column that is filled with \
         CASE WHEN is_deleted THEN '-D' ELSE '+I' END",
        "the flag is a column of a sequence group, and queries leave rows out where it is true",
    ] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    let error = w.fails("DELETE FROM t WHERE id = 1").await.to_string();
    for part in ["'rowkind.field'", "the flag in a sequence group", "remove-record-on-delete"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(w.run("SELECT id, a FROM t").await, ["1|10"]);
}
