//! CSV and Parquet files as sources and targets.

use headwater::ErrorKind;

use crate::warehouse::Warehouse;

#[tokio::test]
async fn copied_files_are_read_back_as_tables() {
    let w = Warehouse::new().await;
    for extension in ["csv", "parquet"] {
        let file = w.path(&format!("out/orders.{extension}"));
        let copy = format!("COPY (SELECT * FROM sample_orders(rows => 3000)) TO '{file}'");
        assert_eq!(w.run(&copy).await, ["3000 rows"]);
        // Again: the file is replaced.
        assert_eq!(w.run(&copy).await, ["3000 rows"]);
        assert_eq!(w.run(&format!("SELECT count(*) FROM '{file}'")).await, ["3000"]);
        let table = format!("loaded_{extension}");
        w.run(&format!(
            "CREATE TABLE {table} (order_id BIGINT, user_id BIGINT, product STRING,
                amount DECIMAL(12, 2), status STRING, city STRING, note STRING,
                order_time TIMESTAMP(3), update_time TIMESTAMP(3));
             INSERT INTO {table} SELECT * FROM '{file}'"
        ))
        .await;
        let difference = format!(
            "SELECT count(*) FROM (SELECT * FROM {table} EXCEPT SELECT * FROM sample_orders(3000))"
        );
        assert_eq!(w.run(&difference).await, ["0"], "{extension}");
        assert_eq!(w.run(&format!("SELECT count(*) FROM {table}")).await, ["3000"]);
    }
    let file = w.path("out/orders.csv");
    let query = format!("SELECT * FROM '{file}' AS o WHERE o.order_id < 0");
    assert!(w.run(&query).await.is_empty());
    let all = w.run(&format!("FROM '{file}'")).await;
    assert_eq!(all, w.run(&format!("SELECT * FROM '{file}'")).await);
    assert_eq!(all.len(), 3000);
    w.run(&format!("COPY loaded_csv TO '{}'", w.path("again.parquet"))).await;
}

#[tokio::test]
async fn the_last_row_of_a_key_in_a_file_wins() {
    let w = Warehouse::new().await;
    let file = w.path("orders.parquet");
    w.run(&format!(
        "COPY (SELECT value % 100 AS id, value AS v FROM generate_series(1, 50000)) TO '{file}';
         CREATE TABLE t (id INT, v BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '2');
         INSERT INTO t SELECT * FROM '{file}'"
    ))
    .await;
    assert_eq!(w.run("SELECT count(*), min(v), max(v) FROM t").await, ["100|49901|50000"]);
}

#[tokio::test]
async fn a_missing_or_unknown_file_is_named() {
    let w = Warehouse::new().await;
    for name in ["none.csv", "none.parquet", "none/*.csv", "none.txt"] {
        let file = w.path(name);
        let error = w.fails(&format!("SELECT * FROM '{file}'")).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(&format!("file '{file}'")), "{error}");
    }
    let error = w.fails(&format!("COPY (SELECT 1) TO '{}'", w.path("x.unknown"))).await;
    assert!(error.to_string().contains("unknown"), "{error}");
}

#[tokio::test]
async fn a_cut_parquet_file_is_an_error() {
    let w = Warehouse::new().await;
    let file = w.path("x.parquet");
    w.run(&format!("COPY (SELECT * FROM sample_orders(rows => 2000)) TO '{file}'")).await;
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let error = w.fails(&format!("SELECT * FROM '{file}'")).await;
    assert!(error.to_string().contains("x.parquet"), "{error}");
}

#[tokio::test]
async fn texts_of_csv_files_reach_the_table_as_they_are() {
    let w = Warehouse::new().await;
    let file = w.path("in.csv");
    let rows = "id,code,amount,day\n1,007,12345678901234567.89,2026-01-02\n2,1.50,0.10,\n";
    std::fs::write(&file, rows).unwrap();
    w.run(
        "CREATE TABLE t (id BIGINT, code STRING, amount DECIMAL(20, 2), day DATE);
         CREATE TABLE s (code STRING, twice DECIMAL(22, 2))",
    )
    .await;
    let first = "1|007|12345678901234567.89|2026-01-02";
    for query in [
        format!("SELECT * FROM '{file}'"),
        format!("SELECT f.id, f.code, f.amount, f.day FROM '{file}' AS f WHERE f.id < 10"),
        format!("WITH f AS (SELECT * FROM '{file}') SELECT * FROM f ORDER BY id LIMIT 5"),
        format!("FROM '{file}'"),
    ] {
        w.run(&format!("INSERT OVERWRITE t {query}")).await;
        assert_eq!(
            w.run("SELECT * FROM t ORDER BY id").await,
            [first, "2|1.50|0.10|NULL"],
            "{query}"
        );
    }
    // Used with a type and stored: the type is one that keeps the value.
    w.run(&format!("INSERT INTO s SELECT code, amount * 2 FROM '{file}'")).await;
    let all = w.run("SELECT * FROM s ORDER BY twice").await;
    assert_eq!(all, ["1.50|0.20", "007|24691357802469135.78"]);
    // Cast is reading, too.
    let cast = format!("SELECT CAST(amount AS STRING), TRY_CAST(code AS INT) FROM '{file}'");
    assert_eq!(w.run(&cast).await, ["12345678901234567.89|7", "0.10|1"]);
    // A fraction does not fit into an integer.
    w.run("CREATE TABLE n (v INT)").await;
    for query in ["SELECT code FROM '{}' WHERE id = 2", "SELECT 1.5", "SELECT 1.5e0"] {
        let error = w.fails(&format!("INSERT INTO n {}", query.replace("{}", &file))).await;
        assert!(error.to_string().contains("column 'v'"), "{error}");
    }
    w.run("INSERT INTO n SELECT 2.0").await;
}

#[tokio::test]
async fn a_text_that_its_column_cannot_keep_is_an_error() {
    let w = Warehouse::new().await;
    let file = w.path("long.csv");
    let mut rows = "id,v\n".to_owned();
    for n in 0..30_000 {
        rows.push_str(&format!("{n},{n}\n"));
    }
    rows.push_str("30000,007\n");
    std::fs::write(&file, rows).unwrap();
    let error = w.fails(&format!("SELECT sum(v) FROM '{file}'")).await.to_string();
    for part in ["long.csv", "'v'", "'007'", "BIGINT", "CAST(v AS STRING)"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(
        w.run(&format!("SELECT count(*), sum(id) FROM '{file}'")).await,
        ["30001|450015000"]
    );
    let sum = format!("SELECT sum(CAST(v AS INT)) FROM '{file}'");
    assert_eq!(w.run(&sum).await, ["449985007"]);
    w.run(&format!("CREATE TABLE t (id BIGINT, v STRING); INSERT INTO t SELECT * FROM '{file}'"))
        .await;
    assert_eq!(w.run("SELECT v FROM t WHERE id = 30000").await, ["007"]);
}

#[tokio::test]
async fn line_breaks_in_quotes_and_differing_headers() {
    let w = Warehouse::new().await;
    std::fs::create_dir(w.path("d")).unwrap();
    let mut rows = "a,b\n".to_owned();
    for n in 0..300_000 {
        rows.push_str(&format!("{n},\"one\ntwo, \"\"{n}\"\"\nthree {n}\"\n"));
    }
    std::fs::write(w.path("d/1.csv"), rows).unwrap();
    let query = format!("SELECT count(*), max(a), min(b) FROM '{}'", w.path("d/*.csv"));
    assert_eq!(w.run(&query).await, ["300000|299999|one\ntwo, \"0\"\nthree 0"]);
    std::fs::write(w.path("d/2.csv"), "b,a\nx,1\n").unwrap();
    let error = w.fails(&query).await.to_string();
    assert!(error.contains("2.csv") && error.contains("other columns"), "{error}");
}

#[tokio::test]
async fn a_failing_copy_leaves_the_old_file() {
    let w = Warehouse::new().await;
    for target in ["x.csv", "x.parquet"] {
        let file = w.path(&format!("out/{target}"));
        w.run(&format!("COPY (SELECT 1 AS v) TO '{file}'")).await;
        let before = std::fs::read(&file).unwrap();
        w.fails(&format!(
            "COPY (SELECT CASE WHEN value < 90000 THEN value ELSE CAST('x' || value AS BIGINT) END
                   FROM generate_series(1, 100000)) TO '{file}'"
        ))
        .await;
        assert_eq!(std::fs::read(&file).unwrap(), before);
        // From the file into itself.
        w.run(&format!("COPY (SELECT v + 1 AS v FROM '{file}') TO '{file}'")).await;
        assert_eq!(w.run(&format!("SELECT v FROM '{file}'")).await, ["2"]);
        w.run(&format!("COPY (SELECT 1 AS v WHERE 1 = 0) TO '{file}'")).await;
        assert!(w.run(&format!("SELECT v FROM '{file}'")).await.is_empty());
    }
    assert_eq!(std::fs::read_dir(w.path("out")).unwrap().count(), 2);
    let parts = w.path("parts/");
    let copy = format!("COPY (SELECT 1 AS v) TO '{parts}' STORED AS PARQUET");
    w.run(&copy).await;
    assert_eq!(w.run(&format!("SELECT v FROM '{parts}'")).await, ["1"]);
    assert!(w.fails(&copy).await.to_string().contains("not empty"));
}

#[tokio::test]
async fn csv_with_options() {
    let w = Warehouse::new().await;
    let file = w.path("x.txt");
    std::fs::write(&file, "# from the till\n007;'a;b';NA;12345678901234567.89\n8;'';x;1\n")
        .unwrap();
    let options = "delim => ';', quote => '''', comment => '#', header => false, nullstr => 'NA'";
    let all = w.run(&format!("SELECT * FROM read_csv('{file}', {options})")).await;
    assert_eq!(all, ["007|a;b|NULL|12345678901234567.89", "8|NULL|x|1.00"]);
    let texts = format!("read_csv('{file}', {options}, all_varchar => true)");
    let types = w.run(&format!("SELECT DISTINCT arrow_typeof(column_4) FROM {texts}")).await;
    assert_eq!(types, ["Utf8"]);
    let columns = "columns => 'id INT, name STRING, tag STRING, amount DECIMAL(19, 2) NOT NULL'";
    let given = format!("read_csv('{file}', {options}, {columns}) AS f");
    let all = w.run(&format!("SELECT f.id + 1, name, f.tag, amount * 2 FROM {given}")).await;
    assert_eq!(all, ["8|a;b|NULL|24691357802469135.78", "9|NULL|x|2.00"]);
    let columns = "columns => 'id INT, name STRING, tag INT, amount DECIMAL(19, 2)'";
    let error = w.fails(&format!("SELECT * FROM read_csv('{file}', {options}, {columns})")).await;
    assert!(error.to_string().contains("column 'tag'"), "{error}");
    for (call, part) in [
        (format!("read_csv('{file}', headr => true)"), "no option 'headr'"),
        (format!("read_csv('{file}', header => 'maybe')"), "true or false"),
        (format!("read_csv('{file}', delim => '||')"), "one ASCII character"),
        (format!("read_csv('{file}', {options}, columns => 'a INT')"), "1 columns, the file"),
        (format!("read_csv('{file}', columns => 'a WRONG')"), "WRONG"),
        ("read_csv(header => true)".to_owned(), "needs a path"),
        (format!("read_parquet('{file}', header => true)"), "no option 'header'"),
        (format!("read_csv('{}')", w.path("none.txt")), "does not exist"),
        (format!("'{file}'"), "read_csv"),
    ] {
        let error = w.fails(&format!("SELECT * FROM {call}")).await.to_string();
        assert!(error.contains(part), "{call}: {error}");
    }
    let tabs = w.path("x.tsv");
    std::fs::write(&tabs, "a\tb\n1\t2,3\n").unwrap();
    assert_eq!(w.run(&format!("SELECT a, b FROM '{tabs}'")).await, ["1|2,3"]);
}

#[tokio::test]
async fn lines_of_json_are_tables() {
    let w = Warehouse::new().await;
    for name in ["x.json", "x.ndjson", "x.jsonl"] {
        let file = w.path(name);
        let mut rows = String::new();
        for n in 0..2000 {
            rows.push_str(&format!("{{\"id\": {n}, \"tags\": [\"a\", \"b\"]}}\n"));
        }
        rows.push_str("{\"id\": 2000, \"tags\": null, \"late\": {\"v\": 1.5}}\n");
        std::fs::write(&file, rows).unwrap();
        let query = format!("SELECT count(*), sum(id), sum(f.late.v) FROM '{file}' AS f");
        assert_eq!(w.run(&query).await, ["2001|2001000|1.5"], "{name}");
    }
    let file = w.path("exact.json");
    std::fs::write(&file, "{\"a\": 12345678901234567.89, \"day\": \"2026-01-02\"}\n").unwrap();
    let query = format!("FROM read_json('{file}', columns => 'a DECIMAL(19, 2), day DATE')");
    assert_eq!(w.run(&query).await, ["12345678901234567.89|2026-01-02"]);
    let copy = w.path("copy.json");
    w.run(&format!("COPY (SELECT 1 AS a, 'x' AS b) TO '{copy}'")).await;
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "{\"a\":1,\"b\":\"x\"}\n");
    std::fs::write(&file, "{\"a\": 1}\n{\"a\": }\n").unwrap();
    let error = w.fails(&format!("SELECT * FROM '{file}'")).await.to_string();
    assert!(error.contains("exact.json"), "{error}");
}

#[tokio::test]
async fn compressed_files_and_globs() {
    let w = Warehouse::new().await;
    for (at, compression) in ["gz", "zst", "bz2", "xz"].iter().enumerate() {
        let file = w.path(&format!("c/{at}.csv.{compression}"));
        w.run(&format!(
            "COPY (SELECT value AS v, {at} AS f FROM generate_series(1, 1000)) TO '{file}'
                 STORED AS CSV OPTIONS ('format.compression' '{compression}')"
        ))
        .await;
        let query = format!("SELECT count(*), sum(v), max(f) FROM '{file}'");
        assert_eq!(w.run(&query).await, [format!("1000|500500|{at}")], "{compression}");
        let plain = std::fs::read(&file).unwrap();
        assert!(!plain.starts_with(b"v,f"), "{compression}");
    }
    let gz = w.path("c/0.csv.gz");
    std::fs::copy(&gz, w.path("c/9.csv.gz")).unwrap();
    let all = w.run(&format!("SELECT count(*) FROM '{}'", w.path("c/*.csv.gz"))).await;
    assert_eq!(all, ["2000"]);
    let other = w.path("packed");
    std::fs::copy(&gz, &other).unwrap();
    let query = format!("SELECT count(*) FROM read_csv('{other}', compression => 'gzip')");
    assert_eq!(w.run(&query).await, ["1000"]);
    let cut = std::fs::read(&gz).unwrap();
    std::fs::write(&gz, &cut[..cut.len() / 2]).unwrap();
    w.fails(&format!("SELECT count(*) FROM '{gz}'")).await;
}

#[tokio::test]
async fn copies_with_partitions_are_directories() {
    let w = Warehouse::new().await;
    let dir = w.path("by_day/");
    w.run(&format!(
        "COPY (SELECT value AS v, CASE WHEN value < 3 THEN 'a' ELSE 'b' END AS p
               FROM generate_series(1, 10)) TO '{dir}' STORED AS PARQUET PARTITIONED BY (p)"
    ))
    .await;
    assert!(std::fs::exists(w.path("by_day/p=a")).unwrap());
    let query = format!("SELECT p, count(*), sum(v) FROM '{dir}' GROUP BY p ORDER BY p");
    assert_eq!(w.run(&query).await, ["a|2|3", "b|8|52"]);
    let query = format!("SELECT count(*) FROM '{dir}' WHERE p = 'a'");
    assert_eq!(w.run(&query).await, ["2"]);
}
