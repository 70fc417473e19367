//! Statements whose rows another writer changes in between: they run anew, and nothing is lost.

use std::sync::Arc;

use headwater::io::{FileIo, MemoryFileIo};
use headwater_testkit::Interloper;

use crate::warehouse::{run, session};

/// What a table holds after a statement, when `rival` commits just before the statement does.
async fn raced(kind: &str, statement: &str, rival: &'static str) -> (Vec<String>, Vec<String>) {
    let plain: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let first = session(&plain).await;
    run(&first, &format!("CREATE TABLE t (id INT NOT NULL, v INT, {kind}")).await;
    run(&first, "INSERT INTO t (id, v) VALUES (1, 10), (2, 20), (3, 30)").await;
    let io = Interloper::before_publish(&plain, "t/snapshot/snapshot-2", move || async move {
        first.execute(rival).await.unwrap();
    });
    let said = run(&session(&io).await, statement).await;
    let rows = run(&session(&plain).await, "SELECT id, v FROM t ORDER BY id, v").await;
    (said, rows)
}

#[tokio::test]
async fn a_statement_sees_what_came_in_between_where_it_matters() {
    const KEYED: &str = "PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')";
    const PLAIN: &str = "x INT)";
    let insert = "INSERT INTO t (id, v) VALUES (2, 25)";
    for (kind, statement, rival, said, rows) in [
        // The rival's row is younger than what was read: the statement is run on it.
        (KEYED, "UPDATE t SET v = v + 1", insert, "3 rows updated", vec!["1|11", "2|26", "3|31"]),
        (KEYED, "DELETE FROM t WHERE v = 20", insert, "no row changed", vec!["1|10", "2|25", "3|30"]),
        (
            KEYED,
            "MERGE INTO t USING (SELECT 4 AS id) s ON t.id = s.id
             WHEN MATCHED THEN UPDATE SET v = v + 1 WHEN NOT MATCHED THEN INSERT (id, v) VALUES (4, 0)",
            "INSERT INTO t VALUES (4, 40)",
            "1 row updated",
            vec!["1|10", "2|20", "3|30", "4|41"],
        ),
        (KEYED, "UPDATE t SET v = 0 WHERE id = 1", "DELETE FROM t", "no row changed", vec![]),
        (PLAIN, "DELETE FROM t WHERE v = 20", "UPDATE t SET v = 21 WHERE id = 2", "no row changed", vec!["1|10", "2|21", "3|30"]),
        (PLAIN, "UPDATE t SET v = v + 1 WHERE id = 2", "DELETE FROM t WHERE id = 3", "1 row updated", vec!["1|10", "2|21"]),
        (PLAIN, "UPDATE t SET v = v + 1", "INSERT OVERWRITE t VALUES (7, 7, 7)", "1 row updated", vec!["7|8"]),
        // A new row is none that the statement had to see.
        (PLAIN, "DELETE FROM t WHERE v = 20", insert, "1 row deleted", vec!["1|10", "2|25", "3|30"]),
        // A statement that reads the table once more depends on all of its rows.
        (PLAIN, "UPDATE t SET v = (SELECT sum(v) FROM t) WHERE id = 1", insert, "1 row updated", vec!["1|85", "2|20", "2|25", "3|30"]),
    ] {
        let (found, left) = raced(kind, statement, rival).await;
        assert_eq!(found, [said], "{kind}: {statement} against {rival}");
        assert_eq!(left, rows, "{kind}: {statement} against {rival}");
    }
}

#[tokio::test]
async fn another_bucket_is_no_conflict() {
    // Nothing runs anew: the rival's snapshot and the statement's are the only new ones.
    let kind = "PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '16')";
    let (said, rows) =
        raced(kind, "UPDATE t SET v = 0 WHERE id = 1", "INSERT INTO t VALUES (2, 5)").await;
    assert_eq!(said, ["1 row updated"]);
    assert_eq!(rows, ["1|0", "2|5", "3|30"]);
}
