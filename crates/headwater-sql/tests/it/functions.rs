//! Functions and operators against stock Flink: expressions with the results that Flink 1.20 gave
//! in batch mode, time zone UTC.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt64Type};
use futures::StreamExt;
use headwater_sql::{Output, SqlSession};
use headwater_testkit::{fixture_path, repository_root};
use serde_json::{Value, json};

use crate::warehouse::Warehouse;

/// The value of an expression as the vectors have it, or the message of its error.
async fn evaluate(session: &SqlSession, expr: &str) -> Result<Value, String> {
    let result = session.execute(&format!("SELECT {expr}")).await.map_err(|e| e.to_string())?;
    let Output::Rows(mut rows) = result.output else { return Err("no rows".to_owned()) };
    let mut values = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|e| e.to_string())?;
        values.extend((0..batch.num_rows()).map(|row| value(batch.column(0), row)));
    }
    Ok(if values.len() == 1 { values.remove(0) } else { Value::Array(values) })
}

/// A value as Java's `toString` and a JSON writer show it.
fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::UInt64 => json!(array.as_primitive::<UInt64Type>().value(row)),
        t if t.is_integer() => {
            json!(cast(array, &DataType::Int64).unwrap().as_primitive::<Int64Type>().value(row))
        }
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            number(&value.to_string())
        }
        DataType::Float64 => number(&array.as_primitive::<Float64Type>().value(row).to_string()),
        DataType::Decimal128(..) => number(&text(array, row)),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Binary => {
            let bytes = array.as_binary::<i32>().value(row);
            json!(format!("0x{}", bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()))
        }
        DataType::Timestamp(_, zone) => {
            json!(java_time(&text(array, row), zone.is_some()))
        }
        DataType::Time32(_) | DataType::Time64(_) => json!(java_clock(&text(array, row), false)),
        DataType::List(_) => {
            let inner = array.as_list::<i32>().value(row);
            (0..inner.len()).map(|at| value(&inner, at)).collect()
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let parts =
                (0..entries.len()).map(|at| format!("{}={}", shown(keys, at), shown(values, at)));
            json!(format!("{{{}}}", parts.collect::<Vec<_>>().join(", ")))
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns().to_vec();
            let parts = columns.iter().map(|column| shown(column, row));
            json!(format!("+I[{}]", parts.collect::<Vec<_>>().join(", ")))
        }
        _ => json!(text(array, row)),
    }
}

fn shown(array: &ArrayRef, row: usize) -> String {
    match value(array, row) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn text(array: &ArrayRef, row: usize) -> String {
    arrow::util::display::array_value_to_string(array, row).unwrap()
}

fn number(text: &str) -> Value {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => json!(value),
        Ok(value) if value.is_nan() => json!("NaN"),
        Ok(value) => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        Err(_) => json!(text),
    }
}

/// `LocalDateTime.toString`, or `Instant.toString`.
fn java_time(text: &str, instant: bool) -> String {
    let text = text.trim_end_matches('Z');
    let (date, clock) = text.split_once('T').unwrap();
    format!("{date}T{}{}", java_clock(clock, instant), if instant { "Z" } else { "" })
}

/// Zeros at the end in groups of three are left out, and so are no seconds.
fn java_clock(clock: &str, seconds: bool) -> String {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut fraction = format!("{fraction:0<9}");
    while fraction.ends_with("000") {
        fraction.truncate(fraction.len() - 3);
    }
    match (fraction.as_str(), clock.strip_suffix(":00")) {
        ("", Some(short)) if !seconds => short.to_owned(),
        ("", _) => clock.to_owned(),
        (fraction, _) => format!("{clock}.{fraction}"),
    }
}

fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (a - b).abs() <= 1e-13 * a.abs().max(b.abs())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        // Maps have no order in Java.
        (Value::String(a), Value::String(b)) if a.starts_with('{') && a.ends_with('}') => {
            let parts = |text: &str| {
                let mut parts: Vec<String> =
                    text[1..text.len() - 1].split(", ").map(str::to_owned).collect();
                parts.sort();
                parts
            };
            a == b || (b.len() == a.len() && parts(a) == parts(b))
        }
        _ => found == expected,
    }
}

/// What is wrong with each line of a file of vectors.
async fn faults(session: &SqlSession, lines: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut count = 0;
    for line in lines.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let expr = vector["expr"].as_str().unwrap();
        count += 1;
        let found = evaluate(session, expr).await;
        let fits = |wanted: &Value| match (&found, wanted.get("error")) {
            (Ok(found), None) => same(found, &wanted["result"]),
            (Err(_), Some(_)) => true,
            _ => false,
        };
        // A line may say what comes here instead of Flink's result, and why.
        let wanted = vector.get("here").unwrap_or(&vector);
        if !fits(wanted) {
            let found = found.as_ref().map_or_else(|e| format!("error: {e}"), ToString::to_string);
            let wanted = wanted.get("error").unwrap_or(&wanted["result"]);
            faults.push(format!("{expr}\n    found {found}\n    wanted {wanted}"));
        } else if vector.get("here").is_some() && fits(&vector) {
            faults.push(format!("{expr}: no longer differs from Flink"));
        }
    }
    assert!(count > 100, "only {count} vectors");
    faults
}

#[tokio::test]
async fn the_vectors_of_flink_hold() {
    let lines = std::fs::read_to_string(fixture_path("vectors/flink_functions.jsonl")).unwrap();
    let faults = faults(&Warehouse::new().await.session, &lines).await;
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
async fn more_expressions_give_the_results_of_flink() {
    let file = repository_root().join("compat/flink/expressions.jsonl");
    let lines = std::fs::read_to_string(file).unwrap();
    let faults = faults(&Warehouse::new().await.session, &lines).await;
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
async fn averages_have_the_types_of_their_values() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (g STRING, i INT, b BIGINT, f FLOAT, d DECIMAL(10, 2), x DOUBLE);
         INSERT INTO t VALUES
             ('a', 1, 9007199254740993, 1.5, 1.10, 1), ('a', 2, 9007199254740995, 1.5, 2.20, 2),
             ('a', 4, NULL, 1.5, 4.41, 4), ('b', -7, 1, NULL, NULL, 0), ('b', -8, 2, NULL, NULL, 1)",
    )
    .await;
    for (query, expected) in [
        (
            "SELECT g, avg(i), avg(b), avg(f), avg(d), avg(x), sum(i), count(*) FROM t GROUP BY g
             ORDER BY g",
            &[
                "a|2|9007199254740994|1.5|2.570000|2.3333333333333335|7|3",
                "b|-7|1|NULL|NULL|0.5|-15|2",
            ][..],
        ),
        ("SELECT avg(i) FROM t WHERE g = 'c'", &["NULL"]),
        ("SELECT avg(DISTINCT i + 0) FROM t", &["-1"]),
        ("SELECT avg(i) FILTER (WHERE i > 0), avg(i) FROM t", &["2|-1"]),
        ("SELECT g FROM t GROUP BY g HAVING avg(i) = 2 ORDER BY avg(i) DESC", &["a"]),
        (
            "SELECT g, avg(i) AS a FROM t GROUP BY ROLLUP (g) ORDER BY a, g",
            &["b|-7", "NULL|-1", "a|2"],
        ),
        (
            "SELECT i, avg(i) OVER (PARTITION BY g ORDER BY i) AS a, rank() OVER (ORDER BY i) AS r
             FROM t ORDER BY i",
            &["-8|-8|1", "-7|-7|2", "1|1|3", "2|1|4", "4|2|5"],
        ),
        ("SELECT avg(a) FROM (SELECT g, avg(i) AS a FROM t GROUP BY g)", &["-2"]),
        (
            "SELECT stddev_pop(i), var_samp(i), var_pop(x) FROM t WHERE g = 'a'",
            &["1|2|1.5555555555555554"],
        ),
        ("SELECT first_value(b ORDER BY i DESC) FROM t WHERE g = 'a'", &["9007199254740995"]),
        ("SELECT CAST(avg(i) AS STRING) || '!' FROM t", &["-1!"]),
    ] {
        assert_eq!(w.run(query).await, expected, "{query}");
    }
    w.run("CREATE TABLE means AS SELECT g, avg(i) AS i, avg(d) AS d FROM t GROUP BY g").await;
    let columns = w.run("DESCRIBE means").await;
    assert!(columns[1].starts_with("i|INT|"), "{columns:?}");
    assert!(columns[2].starts_with("d|DECIMAL(38, 6)|"), "{columns:?}");
    w.run("SET 'headwater.functions' = 'datafusion'").await;
    assert_eq!(w.run("SELECT avg(i) FROM t WHERE g = 'a'").await, ["2.3333333333333335"]);
}

#[tokio::test]
async fn floats_stay_floats_beside_decimals() {
    let w = Warehouse::new().await;
    w.run("CREATE TABLE t (x DOUBLE); INSERT INTO t VALUES (0.1), (1e300), (0.30000000000000004)")
        .await;
    for (query, expected) in [
        ("SELECT x FROM t WHERE x BETWEEN 0.05 AND 0.15", &["0.1"][..]),
        ("SELECT x FROM t WHERE x IN (0.1, 7.5)", &["0.1"]),
        ("SELECT x FROM t WHERE x NOT IN (0.1, 0.3) ORDER BY x", &["0.30000000000000004", "1e300"]),
        ("SELECT CASE WHEN x > 1 THEN x ELSE 2.5 END AS v FROM t WHERE x > 1", &["1e300"]),
        (
            "SELECT v FROM (SELECT x AS v FROM t UNION ALL SELECT 2.5) ORDER BY v",
            &["0.1", "0.30000000000000004", "2.5", "1e300"],
        ),
    ] {
        assert_eq!(w.run(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn settings_choose_functions_and_zone() {
    let w = Warehouse::new().await;
    let chars = "SELECT CHR(321), FROM_UNIXTIME(0)";
    assert_eq!(w.run(chars).await, ["A|1970-01-01 00:00:00"]);
    w.run("SET 'table.local-time-zone' = 'Asia/Shanghai'").await;
    assert_eq!(w.run(chars).await, ["A|1970-01-01 08:00:00"]);
    w.run("SET 'headwater.functions' = 'datafusion'").await;
    assert_eq!(w.run("SELECT CHR(321)").await, ["Ł"]);
    w.run("RESET 'headwater.functions'; RESET 'table.local-time-zone'").await;
    assert_eq!(w.run(chars).await, ["A|1970-01-01 00:00:00"]);
    let error = w.fails("SET 'headwater.functions' = 'calcite'").await.to_string();
    assert!(error.contains("'flink' or 'datafusion'"), "{error}");
    assert_eq!(w.run("SHOW FUNCTIONS LIKE 'TO_TIMESTAMP_L%'").await, ["to_timestamp_ltz"]);
    w.run("CREATE TABLE a (id INT, l ARRAY<INT>); INSERT INTO a VALUES (1, ARRAY[7, 8])").await;
    assert_eq!(w.run("SELECT id, unnest(l) FROM a").await, ["1|7", "1|8"]);
    let error = w.fails("SELECT id, e FROM a CROSS JOIN UNNEST(l) AS t(e)").await.to_string();
    assert!(error.contains("unnest(column)"), "{error}");
}

#[tokio::test]
async fn moments_beside_local_times_go_by_the_zone_or_are_refused() {
    let w = Warehouse::new().await;
    w.run(
        "CREATE TABLE t (id INT, l TIMESTAMP_LTZ(3), n TIMESTAMP(3));
         SET 'table.local-time-zone' = 'Europe/Berlin';
         INSERT INTO t SELECT 1, CAST('2023-11-14 23:13:20.123' AS TIMESTAMP_LTZ(3)),
                              TIMESTAMP '2023-11-14 23:13:20.123'",
    )
    .await;
    for (test, expected) in [
        ("l = TIMESTAMP '2023-11-14 23:13:20.123'", "1"),
        ("l = n", "1"),
        ("n <= l AND NOT n < l", "1"),
        ("l < '2023-11-14 23:00:00'", "0"),
        ("l > DATE '2023-11-14'", "1"),
        ("UNIX_TIMESTAMP(CAST(l AS STRING)) = 1700000000", "1"),
    ] {
        let query = format!("SELECT count(*) FROM t WHERE {test}");
        assert_eq!(w.run(&query).await, [expected], "{test}");
    }
    assert_eq!(w.run("SELECT count(*) FROM t AS a JOIN t AS b ON a.l = b.n").await, ["1"]);
    for query in [
        "INSERT INTO t VALUES (2, TIMESTAMP '2023-11-14 23:13:20', NULL)",
        "INSERT INTO t SELECT 2, NULL, l FROM t",
        "INSERT INTO t VALUES (2, '2023-11-14 23:13:20', NULL)",
        "SELECT CASE WHEN id = 1 THEN l ELSE n END FROM t",
        "SELECT id FROM t WHERE n IN (l)",
        "SELECT id FROM t WHERE n BETWEEN l AND l",
        "SELECT l FROM t UNION ALL SELECT n FROM t",
        "SELECT COALESCE(l, n) FROM t",
    ] {
        let error = w.fails(query).await.to_string();
        assert!(error.contains("time zone is Europe/Berlin"), "{query}: {error}");
    }
    w.run("RESET 'table.local-time-zone'").await;
    assert_eq!(w.run("SELECT COALESCE(l, n) FROM t").await, ["2023-11-14T22:13:20.123Z"]);
    w.run("INSERT INTO t VALUES (2, TIMESTAMP '2023-11-14 23:13:20', NULL)").await;
}

#[tokio::test]
async fn null_is_the_least_value() {
    let w = Warehouse::new().await;
    w.run("CREATE TABLE t (v INT); INSERT INTO t VALUES (1), (NULL), (2)").await;
    assert_eq!(w.run("SELECT v FROM t ORDER BY v").await, ["NULL", "1", "2"]);
    assert_eq!(w.run("SELECT v FROM t ORDER BY v DESC").await, ["2", "1", "NULL"]);
    assert_eq!(w.run("SELECT v FROM t ORDER BY v NULLS LAST LIMIT 1").await, ["1"]);
    let numbered = "SELECT v, row_number() OVER (ORDER BY v) AS n FROM t ORDER BY n";
    assert_eq!(w.run(numbered).await, ["NULL|1", "1|2", "2|3"]);
}
