//! Rows with kinds from files: a column with kinds, and records of Debezium, Canal and Maxwell.

use headwater::ErrorKind;
use headwater_testkit::require_java;

use crate::warehouse::Warehouse;

async fn filled() -> Warehouse {
    let w = Warehouse::unsynced().await;
    w.run(
        "CREATE TABLE t (id BIGINT NOT NULL, name STRING, n INT, PRIMARY KEY (id) NOT ENFORCED)
            WITH ('bucket' = '2');
         INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3)",
    )
    .await;
    w
}

fn file(w: &Warehouse, name: &str, text: &str) -> String {
    let path = w.path(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn rows(w: &Warehouse) -> Vec<String> {
    w.run("SELECT * FROM t ORDER BY id").await
}

#[tokio::test]
async fn a_column_says_what_became_of_a_row() {
    let w = filled().await;
    let json = file(
        &w,
        "changes.jsonl",
        "{\"op\":\"-D\",\"id\":1,\"name\":\"one\",\"n\":1}\n{\"op\":\"+U\",\"id\":2,\"name\":\"zwei\",\"n\":22}\n\
         {\"op\":\"insert\",\"id\":4,\"name\":\"four\",\"n\":4}\n{\"op\":\"+I\",\"id\":5,\"name\":\"five\",\"n\":5}\n\
         {\"op\":\"D\",\"id\":5,\"name\":null,\"n\":null}\n",
    );
    assert_eq!(
        w.run(&format!(
            "INSERT INTO t SELECT id, name, n FROM read_json('{json}', changelog => 'op')"
        ))
        .await,
        ["5 rows"]
    );
    assert_eq!(rows(&w).await, ["2|zwei|22", "3|three|3", "4|four|4"]);
    let csv = file(
        &w,
        "changes.csv",
        "id,kind,name,n\n3,-D,three,3\n2,update,due,2\n9,-D,,\n6,c,six,6\n",
    );
    // The column with the kinds is none of *; expressions, names and WHERE keep the kinds.
    w.run(&format!(
        "INSERT INTO t (n, id, name) SELECT x.m * 2, x.id, x.name FROM
            (SELECT id, name || '!' AS name, n AS m FROM read_csv('{csv}', changelog => 'kind') WHERE id < 9) AS x"
    ))
    .await;
    assert_eq!(rows(&w).await, ["2|due!|4", "4|four|4", "6|six!|12"]);
    w.run(&format!("INSERT INTO t SELECT * FROM read_csv('{csv}', changelog => 'kind') AS c"))
        .await;
    assert_eq!(rows(&w).await, ["2|due|2", "4|four|4", "6|six|6"]);
    let parquet = w.path("changes.parquet");
    w.run(&format!(
        "COPY (SELECT id, name, n, CASE WHEN id = 4 THEN '-D' ELSE '+U' END AS op FROM t) TO '{parquet}'"
    ))
    .await;
    w.run(&format!(
        "INSERT INTO t WITH c AS (SELECT * FROM read_parquet('{parquet}', changelog => 'op'))
         SELECT id, upper(name), n FROM c"
    ))
    .await;
    assert_eq!(rows(&w).await, ["2|DUE|2", "6|SIX|6"]);
}

#[tokio::test]
async fn kinds_that_would_get_lost_are_refused() {
    let w = filled().await;
    let csv = file(&w, "c.csv", "id,kind,name,n\n3,-D,three,3\n");
    let source = format!("read_csv('{csv}', changelog => 'kind')");
    w.run("CREATE TABLE p (id BIGINT, name STRING, n INT)").await;
    for (sql, reason) in [
        (format!("SELECT * FROM {source}"), "without their kinds"),
        (format!("CREATE TABLE x AS SELECT * FROM {source}"), "without their kinds"),
        (format!("COPY (SELECT * FROM {source}) TO '{}'", w.path("x.csv")), "without their kinds"),
        (
            format!("CREATE TEMPORARY VIEW v AS SELECT * FROM {source}; SELECT * FROM v"),
            "without their kinds",
        ),
        (
            format!("INSERT INTO t SELECT c.* FROM {source} c JOIN t ON t.id = c.id"),
            "a join of a changelog",
        ),
        (
            format!("INSERT INTO t SELECT max(id), 'x', 1 FROM {source}"),
            "an aggregate over a changelog",
        ),
        (format!("INSERT INTO t SELECT DISTINCT * FROM {source}"), "an aggregate over a changelog"),
        (
            format!("INSERT INTO t SELECT * FROM {source} ORDER BY id LIMIT 1"),
            "LIMIT of a changelog",
        ),
        (format!("INSERT INTO t SELECT * FROM {source} ORDER BY id"), "ORDER BY of a changelog"),
        (
            format!("INSERT INTO t SELECT id, name, row_number() OVER (ORDER BY id) FROM {source}"),
            "a window function",
        ),
        (
            format!("INSERT INTO t SELECT * FROM {source} UNION ALL SELECT * FROM t"),
            "UNION of a changelog",
        ),
        (
            format!("INSERT INTO t SELECT * FROM {source} UNION ALL SELECT * FROM {source}"),
            "several changelogs",
        ),
        (
            format!("INSERT INTO t SELECT * FROM t WHERE id IN (SELECT id FROM {source})"),
            "subquery",
        ),
        (format!("INSERT OVERWRITE t SELECT * FROM {source}"), "INSERT OVERWRITE with a changelog"),
        (
            format!("MERGE INTO t USING {source} s ON t.id = s.id WHEN MATCHED THEN DELETE"),
            "without their kinds",
        ),
        (format!("INSERT INTO p SELECT * FROM {source}"), "no primary key"),
        (
            format!("INSERT INTO t SELECT * FROM read_csv('{csv}', changelog => 'op')"),
            "no column 'op'",
        ),
        (
            format!("INSERT INTO t SELECT id, kind, n FROM read_csv('{csv}', changelog => 'id')"),
            "not kinds of rows",
        ),
        (
            format!("INSERT INTO t SELECT id, kind, n FROM read_csv('{csv}', changelog => 'name')"),
            "c.csv', row 1: column 'name': 'three' is no kind",
        ),
    ] {
        let error = w.fails(&sql).await;
        assert!(error.to_string().contains(reason), "{sql}: {error}");
        assert!(
            matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported),
            "{sql}: {error}"
        );
    }
    assert_eq!(rows(&w).await.len(), 3);
}

const DEBEZIUM: &str = r#"{"before":null,"after":{"id":4,"name":"four","n":4},"op":"c","ts_ms":1}
{"before":{"id":1,"name":"one","n":1},"after":{"id":1,"name":"uno","n":11},"op":"u"}

{"before":{"id":2,"name":"two","n":2},"after":null,"op":"d"}
{"before":{"id":3,"name":"three","n":3},"after":{"id":33,"name":"three","n":3},"op":"u"}
null
{"schema":{},"payload":{"before":null,"after":{"id":5,"name":null},"op":"r"}}"#;

const CANAL: &str = r#"{"data":null,"type":"CREATE","isDdl":true}
{"data":[{"id":"4","name":"four","n":"4"}],"type":"INSERT","isDdl":false}
{"data":[{"id":"1","name":"uno","n":"11"},{"id":"33","name":"three","n":"3"}],"old":[{"name":"one","n":"1"},{"id":"3"}],"type":"UPDATE"}
{"data":[{"id":"2","name":"two","n":"2"}],"type":"DELETE"}
{"data":[{"id":"5","name":null}],"type":"INSERT"}
"#;

const MAXWELL: &str = r#"{"type":"bootstrap-start","data":{}}
{"type":"insert","data":{"id":4,"name":"four","n":4}}
{"type":"update","data":{"id":1,"name":"uno","n":11},"old":{"name":"one","n":1}}
{"type":"update","data":{"id":33,"name":"three","n":3},"old":{"id":3}}
{"type":"delete","data":{"id":2,"name":"two","n":2}}
{"type":"bootstrap-insert","data":{"id":5}}
"#;

#[tokio::test]
async fn records_of_change_data_capture_change_a_table() {
    let java = require_java("records_of_change_data_capture_change_a_table");
    for (format, text) in
        [("debezium-json", DEBEZIUM), ("canal-json", CANAL), ("maxwell-json", MAXWELL)]
    {
        let expected = ["1|uno|11", "4|four|4", "5|NULL|NULL", "33|three|3"];
        let w = filled().await;
        let path = file(&w, "changes.json", text);
        w.run(&format!(
            "INSERT INTO t SELECT * FROM read_json('{path}', format => '{format}',
                columns => 'id BIGINT, name STRING, n INT')"
        ))
        .await;
        assert_eq!(rows(&w).await, expected, "{format}");
        let w = filled().await;
        let path = file(&w, "changes.json", text);
        w.run(&format!(
            "CREATE TEMPORARY TABLE s (id BIGINT, name STRING, n INT)
                WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = '{format}');
             INSERT INTO t SELECT * FROM s"
        ))
        .await;
        assert_eq!(rows(&w).await, expected, "{format}");
        if let Some(java) = java {
            let table = w.dir.path().join("warehouse/default.db/t");
            assert_eq!(java.check(&table), Vec::<String>::new());
            assert_eq!(java.read(&table).len(), expected.len());
        }
    }
}

#[tokio::test]
async fn many_records_keep_their_order() {
    let w = filled().await;
    let mut text = String::new();
    for n in 0..10_000 {
        let id = n % 100;
        text.push_str(&format!("{{\"type\":\"insert\",\"data\":{{\"id\":{id},\"n\":{n}}}}}\n"));
    }
    let path = file(&w, "many.json", &text);
    w.run(&format!(
        "INSERT INTO t SELECT * FROM read_json('{path}', format => 'maxwell-json',
            columns => 'id BIGINT, name STRING, n INT')"
    ))
    .await;
    assert_eq!(w.run("SELECT count(*), min(n), max(n) FROM t").await, ["100|9900|9999"]);
}

#[tokio::test]
async fn a_bad_record_stops_with_its_line_or_goes_to_a_file() {
    let w = filled().await;
    let path = file(
        &w,
        "bad.json",
        "{\"op\":\"c\",\"after\":{\"id\":7,\"n\":7}}\n{\"op\":\"x\"}\n{\"op\":\"c\",\"after\":{\"id\":8,\"n\":\"eight\"}}\n\
         not json\n{\"op\":\"c\",\"after\":{\"id\":9,\"n\":9}}\n",
    );
    let insert = format!(
        "INSERT INTO t SELECT * FROM read_json('{path}', format => 'debezium-json',
            columns => 'id BIGINT NOT NULL, name STRING, n INT')"
    );
    let error = w.fails(&insert).await.to_string();
    assert!(error.contains("line 2: 'op' = 'x'") && error.contains("--dead-letter"), "{error}");
    assert_eq!(rows(&w).await.len(), 3);
    let letters = w.path("letters.jsonl");
    w.run(&format!("SET 'headwater.dead-letter' = '{letters}'")).await;
    let result = w.session.execute(&insert).await.unwrap();
    assert_eq!(
        result.warnings,
        [format!("3 records of '{path}' were bad and went to '{letters}'")]
    );
    assert_eq!(w.run("SELECT id FROM t WHERE id > 3 ORDER BY id").await, ["7", "9"]);
    w.run(&insert).await;
    let text = std::fs::read_to_string(&letters).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6);
    let numbers: Vec<u64> = lines.iter().take(3).map(|l| l["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 4, 3]);
    assert!(lines[2]["reason"].as_str().unwrap().contains("'n'"));
    assert!(lines[2]["record"].as_str().unwrap().contains("eight"));
}

#[tokio::test]
async fn rows_without_a_kind_stop_the_statement_or_go_to_a_file() {
    let w = filled().await;
    std::fs::create_dir(w.path("in")).unwrap();
    let csv =
        file(&w, "in/a.csv", "id,kind,name,n\n4,+I,\"fo\nur\",4\n5,X,\"fi\nve\",5\n6,,six,6\n");
    file(&w, "in/b.csv", "id,kind,name,n\n1,-D,one,1\n7,upsert,seven,7\n");
    let json = file(
        &w,
        "c.json",
        "{\"id\":8,\"name\":\"eight\",\"n\":8,\"op\":\"+I\"}\n\n{\"id\":9,\"n\":9,\"op\":\"delette\"}\n",
    );
    let parquet = w.path("d.parquet");
    w.run(&format!(
        "COPY (SELECT id, name, n, CASE WHEN id = 2 THEN 'no' ELSE '-D' END AS op FROM t
               WHERE id > 1 ORDER BY id) TO '{parquet}'"
    ))
    .await;
    let sources = [
        (format!("read_csv('{}', changelog => 'kind')", w.path("in/*.csv")), "in/a.csv', row 2"),
        (format!("read_json('{json}', changelog => 'op')"), "c.json', row 2"),
        (format!("read_parquet('{parquet}', changelog => 'op')"), "d.parquet', row 1"),
    ];
    let insert = |source: &str| format!("INSERT INTO t SELECT id, name, n FROM {source}");
    for (source, place) in &sources {
        let error = w.fails(&insert(source)).await.to_string();
        assert!(error.contains(place) && error.contains("--dead-letter"), "{error}");
    }
    assert_eq!(rows(&w).await.len(), 3);
    let letters = w.path("letters.jsonl");
    w.run(&format!("SET 'headwater.dead-letter' = '{letters}'")).await;
    let mut warnings = Vec::new();
    for (source, _) in &sources {
        warnings.extend(w.session.execute(&insert(source)).await.unwrap().warnings);
    }
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert_eq!(warnings[0], format!("2 records of '{csv}' were bad and went to '{letters}'"));
    assert_eq!(w.run("SELECT id FROM t ORDER BY id").await, ["2", "4", "8"]);
    let text = std::fs::read_to_string(&letters).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let place = |line: &serde_json::Value| {
        let file = line["file"].as_str().unwrap().rsplit('/').next().unwrap();
        format!("{file} {}", line["row"])
    };
    let places: Vec<String> = lines.iter().map(place).collect();
    assert_eq!(places, ["a.csv 2", "a.csv 3", "b.csv 2", "c.json 2", "d.parquet 1"]);
    assert!(lines[0]["reason"].as_str().unwrap().contains("'X' is no kind of a row"));
    assert!(lines[1]["reason"].as_str().unwrap().contains("null is no kind of a row"));
    let record: serde_json::Value =
        serde_json::from_str(lines[0]["record"].as_str().unwrap()).unwrap();
    assert_eq!(record, serde_json::json!({"id": "5", "kind": "X", "name": "fi\nve", "n": "5"}));
}

#[tokio::test]
async fn a_failing_statement_leaves_no_dead_letters() {
    let w = filled().await;
    w.run("CREATE TABLE p (id BIGINT, name STRING, n INT)").await;
    let records = "{\"op\":\"x\"}\n{\"op\":\"d\",\"before\":{\"id\":1,\"name\":\"one\",\"n\":1}}\n";
    let path = file(&w, "bad.json", records);
    let csv = file(&w, "bad.csv", "id,kind,name,n\n1,X,one,1\n2,-D,two,2\n");
    let letters = w.path("letters.jsonl");
    w.run(&format!("SET 'headwater.dead-letter' = '{letters}'")).await;
    let sources = [
        format!(
            "read_json('{path}', format => 'debezium-json',
                columns => 'id BIGINT, name STRING, n INT')"
        ),
        format!("read_csv('{csv}', changelog => 'kind')"),
    ];
    let names = || {
        let entries = std::fs::read_dir(w.dir.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    for source in &sources {
        let error = w.fails(&format!("INSERT INTO p SELECT * FROM {source}")).await;
        assert!(error.to_string().contains("no primary key"), "{error}");
        assert_eq!(names(), before);
    }
    // Once each, after all the failures, and behind what is there.
    for source in &sources {
        w.run(&format!("INSERT INTO t SELECT * FROM {source}")).await;
        w.fails(&format!("INSERT INTO p SELECT * FROM {source}")).await;
    }
    assert_eq!(rows(&w).await, ["3|three|3"]);
    assert_eq!(std::fs::read_to_string(&letters).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn files_of_changes_say_what_they_need() {
    let w = filled().await;
    let path = file(&w, "c.json", "{}\n");
    for (arguments, reason) in [
        ("format => 'debezium-json'", "needs its columns"),
        ("format => 'debezium'", "debezium-json, canal-json, maxwell-json"),
        ("format => 'canal-json', changelog => 'op', columns => 'id INT'", "say them already"),
        ("format => 'canal-json', columns => 'id ARRAY<INT>'", "declare it as STRING"),
    ] {
        let sql = format!("INSERT INTO t SELECT * FROM read_json('{path}', {arguments})");
        let error = w.fails(&sql).await;
        assert!(error.to_string().contains(reason), "{arguments}: {error}");
    }
    let error = w
        .fails(&format!(
            "CREATE TEMPORARY TABLE s (id INT) WITH ('connector' = 'filesystem', 'path' = '{path}',
                'format' = 'canal-json', 'debezium-json.schema-include' = 'true')"
        ))
        .await;
    assert!(error.to_string().contains("is of the format debezium-json"), "{error}");
}

#[tokio::test]
async fn an_option_names_a_column_with_kinds() {
    let w = Warehouse::unsynced().await;
    w.run(
        "CREATE TABLE k (id INT, v INT, op STRING, PRIMARY KEY (id) NOT ENFORCED)
            WITH ('bucket' = '1', 'rowkind.field' = 'op');
         INSERT INTO k VALUES (1, 1, '+I'), (2, 2, '+I'), (3, 3, '+I');
         INSERT INTO k VALUES (1, 1, '-D'), (2, 22, '+U'), (3, 3, '-U')",
    )
    .await;
    assert_eq!(w.run("SELECT id, v FROM k").await, ["2|22"]);
    for (value, reason) in [("NULL", "it is null"), ("'I'", "is not a row kind")] {
        let error = w.fails(&format!("INSERT INTO k VALUES (4, 4, {value})")).await;
        assert!(error.to_string().contains(reason), "{error}");
    }
    w.run("UPDATE k SET v = 5 WHERE id = 2").await;
    assert_eq!(w.run("SELECT id, v FROM k").await, ["2|5"]);
    assert_eq!(w.run("DELETE FROM k").await, ["1 row deleted"]);
    assert_eq!(w.run("SELECT count(*) FROM k").await, ["0"]);
}
