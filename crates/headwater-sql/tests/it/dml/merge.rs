//! MERGE INTO: which WHEN takes a row, what it computes, what is ambiguous.

use headwater::ErrorKind;

use crate::warehouse::Warehouse;

const KINDS: [&str; 3] = [
    "PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '2')",
    "x INT) WITH ('bucket' = '-1')",
    "PRIMARY KEY (id) NOT ENFORCED) WITH ('dynamic-bucket.target-row-num' = '2')",
];

async fn filled(kind: &str) -> Warehouse {
    let w = Warehouse::unsynced().await;
    w.run(&format!(
        "CREATE TABLE t (id INT NOT NULL, v INT, s STRING DEFAULT 'd', {kind};
         INSERT INTO t (id, v, s) VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c'), (4, NULL, NULL);
         CREATE TABLE s (id INT, v INT, s STRING, x INT);
         INSERT INTO s (id, v, s) VALUES (2, 200, 'B'), (3, 0, 'C'), (5, 500, 'E'), (6, NULL, NULL)"
    ))
    .await;
    w
}

async fn rows(w: &Warehouse) -> Vec<String> {
    w.run("SELECT id, v, s FROM t ORDER BY id").await
}

#[tokio::test]
async fn each_row_belongs_to_the_first_when_that_applies() {
    for kind in KINDS {
        let w = filled(kind).await;
        let said = w
            .run(
                "MERGE INTO t AS x USING s ON x.id = s.id
                 WHEN MATCHED AND s.v = 0 THEN DELETE
                 WHEN MATCHED AND s.v > 100 THEN UPDATE SET v = s.v + x.v, s = lower(s.s) || x.s
                 WHEN MATCHED THEN UPDATE SET v = -1
                 WHEN NOT MATCHED AND s.v IS NOT NULL THEN INSERT (id, v) VALUES (s.id, s.v / 5)
                 WHEN NOT MATCHED THEN INSERT (s, id) VALUES ('none', s.id)
                 WHEN NOT MATCHED BY SOURCE AND x.v IS NULL THEN DELETE
                 WHEN NOT MATCHED BY SOURCE THEN UPDATE SET s = x.s || '?'",
            )
            .await;
        assert_eq!(said, ["2 rows inserted, 2 rows updated, 2 rows deleted"], "{kind}");
        assert_eq!(rows(&w).await, ["1|10|a?", "2|220|bb", "5|100|d", "6|NULL|none"], "{kind}");
        // Nothing is left to do.
        let again = "MERGE INTO t USING s ON t.id = s.id AND s.id = 100 WHEN MATCHED THEN DELETE";
        assert_eq!(w.run(again).await, ["no row changed"]);
    }
}

#[tokio::test]
async fn columns_without_a_table_are_of_the_side_that_has_the_row() {
    let w = filled(KINDS[0]).await;
    w.run(
        "MERGE INTO t USING s ON t.id = s.id
         WHEN NOT MATCHED AND v > 100 AND id IN (5, 6) THEN INSERT (id, v, s) VALUES (id, v + 1, lower(s.s))
         WHEN NOT MATCHED BY SOURCE AND v = 10 THEN UPDATE SET s = s || '?', v = v + id",
    )
    .await;
    assert_eq!(rows(&w).await, ["1|11|a?", "2|20|b", "3|30|c", "4|NULL|d", "5|501|e"]);
    let error =
        w.fails("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = v").await;
    assert!(error.to_string().to_lowercase().contains("ambiguous"), "{error}");
}

#[tokio::test]
async fn one_sort_of_when_leaves_the_other_rows_alone() {
    for (whens, left) in [
        ("WHEN MATCHED THEN DELETE", vec!["1|10|a", "4|NULL|d"]),
        (
            "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, 7)",
            vec!["1|10|a", "2|20|b", "3|30|c", "4|NULL|d", "5|7|d", "6|7|d"],
        ),
        ("WHEN NOT MATCHED BY SOURCE THEN DELETE", vec!["2|20|b", "3|30|c"]),
        (
            "WHEN NOT MATCHED BY TARGET THEN INSERT (id) VALUES (s.id) WHEN NOT MATCHED BY SOURCE THEN DELETE",
            vec!["2|20|b", "3|30|c", "5|NULL|d", "6|NULL|d"],
        ),
    ] {
        for kind in KINDS {
            let w = filled(kind).await;
            w.run(&format!("MERGE INTO t USING s ON t.id = s.id {whens}")).await;
            assert_eq!(rows(&w).await, left, "{kind}: {whens}");
        }
    }
}

#[tokio::test]
async fn a_star_takes_the_columns_with_the_same_names() {
    let w = filled(KINDS[1]).await;
    let stars = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *";
    w.run(&format!("MERGE INTO t USING s ON t.id = s.id {stars}")).await;
    let all = ["1|10|a", "2|200|B", "3|0|C", "4|NULL|d", "5|500|E", "6|NULL|d"];
    assert_eq!(rows(&w).await, all);
    let w = filled(KINDS[0]).await;
    w.run(&format!("MERGE INTO t USING (SELECT s AS s, v, id FROM s) AS q ON t.id = q.id {stars}"))
        .await;
    assert_eq!(rows(&w).await, all);
    let error = w.fails(
        "MERGE INTO t USING (SELECT id FROM s) q ON t.id = q.id WHEN NOT MATCHED THEN INSERT *",
    );
    assert!(error.await.to_string().contains('v'));
}

#[tokio::test]
async fn sources_are_tables_files_and_queries() {
    let w = filled(KINDS[0]).await;
    let file = w.path("s.jsonl");
    std::fs::write(&file, "{\"id\": 1, \"v\": 11}\n{\"id\": 9, \"v\": 99}\n").unwrap();
    w.run(&format!(
        "MERGE INTO `default`.t USING read_json('{file}') AS f ON t.id = f.id
         WHEN MATCHED THEN UPDATE SET v = f.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (f.id, f.v)"
    ))
    .await;
    assert_eq!(w.run("SELECT id, v FROM t WHERE id IN (1, 9) ORDER BY id").await, ["1|11", "9|99"]);
    w.run(
        "MERGE INTO t USING `default`.s ON `default`.t.id = `default`.s.id
         WHEN NOT MATCHED BY SOURCE AND t.id = 9 THEN DELETE",
    )
    .await;
    assert_eq!(w.run("SELECT count(*) FROM t").await, ["4"]);
    // The table itself, as it was.
    w.run(
        "MERGE INTO t USING (SELECT id + 1 AS id, v FROM t WHERE v IS NOT NULL) AS s ON t.id = s.id
         WHEN MATCHED THEN UPDATE SET v = s.v",
    )
    .await;
    assert_eq!(w.run("SELECT id, v FROM t ORDER BY id").await, ["1|11", "2|11", "3|20", "4|30"]);
    // Versions and hints stand behind the source.
    w.run(
        "MERGE INTO t USING t VERSION AS OF 1 AS old ON t.id = old.id
         WHEN MATCHED THEN UPDATE SET v = old.v",
    )
    .await;
    assert_eq!(w.run("SELECT id, v FROM t ORDER BY id").await, ["1|10", "2|20", "3|30", "4|NULL"]);
}

#[tokio::test]
async fn values_are_computed_only_for_the_rows_of_their_when() {
    let w = filled(KINDS[0]).await;
    w.run(
        "MERGE INTO t USING s ON t.id = s.id
         WHEN MATCHED AND s.v <> 0 AND 1000 / s.v > 1 THEN UPDATE SET v = 1000 / s.v
         WHEN MATCHED THEN UPDATE SET v = s.v",
    )
    .await;
    assert_eq!(w.run("SELECT id, v FROM t ORDER BY id").await, ["1|10", "2|5", "3|0", "4|NULL"]);
}

#[tokio::test]
async fn ambiguous_and_senseless_merges_are_refused() {
    for kind in KINDS {
        let w = filled(kind).await;
        let twice = "(VALUES (1, 1), (1, 2)) AS s(id, v)";
        for whens in [
            "WHEN MATCHED THEN UPDATE SET v = s.v",
            "WHEN MATCHED AND s.v = 1 THEN UPDATE SET v = 1 WHEN MATCHED THEN DELETE",
        ] {
            let sql = format!("MERGE INTO t USING {twice} ON t.id = s.id {whens}");
            let error = w.fails(&sql).await;
            assert!(error.to_string().contains("more than one row of the source"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        assert_eq!(rows(&w).await.len(), 4);
        let delete = format!("MERGE INTO t USING {twice} ON t.id = s.id WHEN MATCHED THEN DELETE");
        assert_eq!(w.run(&delete).await, ["1 row deleted"]);
        for (sql, reason) in [
            ("WHEN MATCHED THEN UPDATE SET nothing = 1", "no column 'nothing'"),
            ("WHEN NOT MATCHED THEN INSERT (v) VALUES (1)", "'id' is NOT NULL"),
            ("WHEN NOT MATCHED THEN INSERT (id, v) VALUES (1, 'x')", "'v'"),
            ("WHEN MATCHED AND random() < 0.5 THEN DELETE", "USING (SELECT"),
            ("WHEN NOT MATCHED THEN INSERT (id) VALUES (t.v)", "'id'"),
        ] {
            let error = w.fails(&format!("MERGE INTO t USING s ON t.id = s.id {sql}")).await;
            assert!(error.to_string().contains(reason), "{kind}: {sql}: {error}");
        }
    }
    let w = filled(KINDS[0]).await;
    let error =
        w.fails("MERGE INTO t USING s ON t.id + 1 = s.id WHEN MATCHED THEN UPDATE SET *").await;
    assert!(error.to_string().contains("new value of column 'id'"), "{error}");
    assert_eq!(rows(&w).await, ["1|10|a", "2|20|b", "3|30|c", "4|NULL|d"]);
}

#[tokio::test]
async fn a_new_row_stays_whose_key_another_row_leaves() {
    for (definition, partition) in [
        ("PRIMARY KEY (id, p) NOT ENFORCED) PARTITIONED BY (p) WITH ('bucket' = '1')", "a"),
        ("PRIMARY KEY (id) NOT ENFORCED) PARTITIONED BY (p)", "b"),
    ] {
        let w = Warehouse::unsynced().await;
        w.run(&format!("CREATE TABLE m (id INT, p STRING, v STRING, {definition}")).await;
        w.run("INSERT INTO m VALUES (1, 'a', 'a'), (2, 'a', 'a'), (3, 'a', 'c')").await;
        let source = format!(
            "(VALUES (1, '{partition}', 'b'), (2, '{partition}', 'b'), (3, 'a', 'c')) AS s(id, p, v)"
        );
        let counts = w
            .run(&format!(
                "MERGE INTO m USING {source} ON m.id = s.id AND m.p = s.p AND m.v = s.v \
                 WHEN NOT MATCHED THEN INSERT (id, p, v) VALUES (s.id, s.p, s.v) \
                 WHEN NOT MATCHED BY SOURCE THEN DELETE"
            ))
            .await;
        assert_eq!(counts, ["2 rows inserted, 2 rows deleted"]);
        let wanted = [format!("1|{partition}|b"), format!("2|{partition}|b"), "3|a|c".to_owned()];
        assert_eq!(w.run("SELECT id, p, v FROM m ORDER BY id").await, wanted);
    }
}
