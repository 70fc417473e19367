//! Sums with more digits than their DECIMAL has: every output shows them all or names them.

use headwater_testkit::TempDir;
use headwater_testkit::files::read_file;

use crate::program::{Said, headwater_in};

const TABLES: &str = "CREATE TABLE t (k INT, d DECIMAL(4, 2), PRIMARY KEY (k) NOT ENFORCED) WITH (
        'bucket' = '1', 'merge-engine' = 'aggregation', 'fields.d.aggregate-function' = 'sum');
    INSERT INTO t VALUES (1, 60.00); INSERT INTO t VALUES (1, 60.00)";

fn sql(dir: &TempDir, arguments: &[&str]) -> Said {
    headwater_in(dir.path(), &[&["sql"], arguments].concat())
}

fn refused(said: &Said) {
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("column 'd': 120.00 has more digits than DECIMAL(4, 2)"), "{said:?}");
}

#[test]
fn sums_with_more_digits_than_their_type_are_shown_or_named() {
    let dir = TempDir::new();
    sql(&dir, &["-c", TABLES]).ok();
    let query = "SELECT k, d, ROW(d) AS r, ARRAY[d] AS a FROM t";
    for format in ["table", "csv", "json", "ndjson", "markdown"] {
        let shown = sql(&dir, &["--format", format, "-c", query]).ok();
        assert_eq!(shown.matches("120.00").count(), 3, "{format}: {shown}");
    }
    let cast = "SELECT CAST(d AS DECIMAL(5, 2)) AS d FROM t";
    for format in ["parquet", "arrow"] {
        let to = |name: &str, query: &str| {
            sql(&dir, &["--format", format, "--output", name, "-c", query])
        };
        refused(&to("refused.out", "SELECT d FROM t"));
        assert!(!dir.join("refused.out").exists());
        to(&format!("rows.{format}"), cast).ok();
    }
    let back = ["--format", "csv", "-c", "SELECT d FROM 'rows.parquet'"];
    assert_eq!(sql(&dir, &back).ok(), "d\n120.00\n");
    for (name, rows) in [("copied.csv", "SELECT k, d FROM t"), ("copied.json", query)] {
        sql(&dir, &["-c", &format!("COPY ({rows}) TO '{name}'")]).ok();
        let text = String::from_utf8(read_file(&dir.join(name))).unwrap();
        let wanted = if name == "copied.csv" { 1 } else { 3 };
        assert_eq!(text.matches("120.00").count(), wanted, "{name}: {text}");
    }
    refused(&sql(&dir, &["-c", "COPY (SELECT k, d FROM t) TO 'copied.parquet'"]));
    assert!(!dir.join("copied.parquet").exists());
    sql(&dir, &["-c", &format!("COPY ({cast}) TO 'copied.parquet'")]).ok();
    let back = ["--format", "csv", "-c", "SELECT d FROM 'copied.parquet'"];
    assert_eq!(sql(&dir, &back).ok(), "d\n120.00\n");
}

#[test]
fn sums_that_a_file_cannot_hold_are_refused_when_written() {
    let dir = TempDir::new();
    sql(&dir, &["-c", &TABLES.replace("(4, 2)", "(9, 2)")]).ok();
    let most = "(2, 9999999.99)";
    let said = sql(&dir, &["-c", &format!("INSERT INTO t VALUES {most}, {most}, {most}")]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("column 'd': 29999999.97 does not fit into the 4 bytes"), "{said:?}");
    for _ in 0..3 {
        sql(&dir, &["-c", &format!("INSERT INTO t VALUES {most}")]).ok();
    }
    let query = ["--format", "csv", "-c", "SELECT d FROM t WHERE k = 2"];
    assert_eq!(sql(&dir, &query).ok(), "d\n29999999.97\n");
}
