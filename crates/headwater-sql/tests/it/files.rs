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
    assert_eq!(w.run(&format!("FROM '{file}'")).await.len(), 3000);
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
