//! `headwater sql`: where statements come from, how results look, what a failure leaves behind.

use std::process::Stdio;

use headwater_testkit::TempDir;
use headwater_testkit::files::write_file;

use crate::program::{command, headwater, headwater_in, headwater_with_input, sql};

const ORDERS: &str = "CREATE TABLE orders (id BIGINT, amount DECIMAL(12, 2), note STRING, \
                      PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1'); \
                      INSERT INTO orders VALUES (1, 12.5, '订单'), (2, NULL, 'a,\"b\"'), (3, -0.05, NULL)";

fn orders() -> TempDir {
    let dir = TempDir::new();
    sql(dir.text(), ORDERS).ok();
    dir
}

fn query(dir: &TempDir, format: &str) -> String {
    let statement = "SELECT * FROM orders ORDER BY id";
    headwater(&["sql", "-w", dir.text(), "--format", format, "-c", statement]).ok()
}

#[test]
fn formats_show_the_same_rows() {
    let dir = orders();
    assert_eq!(query(&dir, "csv"), "id,amount,note\n1,12.50,订单\n2,,\"a,\"\"b\"\"\"\n3,-0.05,\n");
    assert_eq!(
        query(&dir, "ndjson"),
        "{\"id\":1,\"amount\":12.50,\"note\":\"订单\"}\n\
         {\"id\":2,\"amount\":null,\"note\":\"a,\\\"b\\\"\"}\n\
         {\"id\":3,\"amount\":-0.05,\"note\":null}\n"
    );
    assert_eq!(
        query(&dir, "json"),
        "[\n{\"id\":1,\"amount\":12.50,\"note\":\"订单\"},\n\
         {\"id\":2,\"amount\":null,\"note\":\"a,\\\"b\\\"\"},\n\
         {\"id\":3,\"amount\":-0.05,\"note\":null}\n]\n"
    );
    assert_eq!(
        query(&dir, "table"),
        "┌────┬────────┬───────┐\n\
         │ id │ amount │ note  │\n\
         ├────┼────────┼───────┤\n\
         │  1 │  12.50 │ 订单  │\n\
         │  2 │   NULL │ a,\"b\" │\n\
         │  3 │  -0.05 │ NULL  │\n\
         └────┴────────┴───────┘\n\
         (3 rows)\n"
    );
}

#[test]
fn formats_for_programs_keep_everything_else_off_standard_output() {
    let dir = TempDir::new();
    for format in ["csv", "json", "ndjson"] {
        let warehouse = dir.join(format);
        let statements = "CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)";
        let warehouse = warehouse.to_str().unwrap();
        let said = headwater(&[
            "sql", "-w", warehouse, "--create", "--timing", "--format", format, "-c", statements,
        ]);
        assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
        assert!(said.err.contains("2 rows written"), "{said:?}");
        assert!(said.err.contains("statement 2: "), "{said:?}");
    }
}

#[test]
fn statements_come_from_arguments_a_file_or_standard_input() {
    let dir = TempDir::new();
    let script = dir.join("script.sql");
    write_file(&script, b"-- one\nSELECT 1 AS a;\n\nSELECT ';' AS b;\n");
    let expected = "a\n1\nb\n;\n";
    let common = ["sql", "-w", dir.text(), "--format", "csv"];
    let with = |more: &[&'static str]| [&common[..], more].concat();
    assert_eq!(
        headwater(&[&common[..], &["-f", script.to_str().unwrap()]].concat()).ok(),
        expected
    );
    assert_eq!(headwater(&with(&["-c", "SELECT 1 AS a; SELECT ';' AS b"])).ok(), expected);
    assert_eq!(headwater(&with(&["-c", "SELECT 1 AS a", "-c", "SELECT ';' AS b"])).ok(), expected);
    assert_eq!(headwater_with_input(&with(&[]), "SELECT 1 AS a;SELECT ';' AS b;").ok(), expected);
    assert_eq!(
        headwater_with_input(&with(&["-f", "-"]), "SELECT 1 AS a; SELECT ';' AS b").ok(),
        expected
    );
}

#[test]
fn a_failing_statement_ends_the_script_and_earlier_ones_stay() {
    let dir = TempDir::new();
    let script = "CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1);\n\nINSERT INTO nowhere\n  VALUES (2);\nINSERT INTO t VALUES (3);\n";
    let said = headwater_with_input(&["sql", "-w", dir.text(), "--format", "csv"], script);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("statement 3, line 4: "), "{said:?}");
    assert!(said.err.contains("nowhere"), "{said:?}");
    assert_eq!(sql(dir.text(), "SELECT * FROM t").ok(), "a\n1\n");
}

#[test]
fn statements_are_counted_over_all_arguments() {
    let dir = TempDir::new();
    let said = headwater(&[
        "sql",
        "-w",
        dir.text(),
        "-c",
        "SELECT 1; SELECT 2",
        "-c",
        "SELECT 3",
        "-c",
        "\nSELEC 4",
    ]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("statement 4, line 2: "), "{said:?}");
}

#[test]
fn the_default_warehouse_is_made_by_the_first_create() {
    let dir = TempDir::new();
    headwater_in(dir.path(), &["sql", "-c", "SELECT 1"]).ok();
    assert!(!dir.join("warehouse").exists());
    headwater_in(dir.path(), &["sql", "-c", "CREATE TABLE t (a INT)"]).ok();
    assert!(dir.join("warehouse/default.db/t/schema/schema-0").is_file());
}

#[test]
fn an_empty_script_does_nothing() {
    let dir = TempDir::new();
    let said = headwater_with_input(&["sql", "-w", dir.text()], "-- nothing\n;\n");
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""));
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let dir = TempDir::new();
    let statement =
        "SELECT a.value, b.value FROM generate_series(1, 3000) a, generate_series(1, 3000) b";
    let mut child = command(&["sql", "-w", dir.text(), "--format", "csv", "-c", statement])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
