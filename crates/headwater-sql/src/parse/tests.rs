//! Every statement form, every type spelling, and the complaints with their places.

use headwater::{DataField, DataType, TypeKind};

use super::{CallValue, CreateTable, Statement, parse};
use crate::error::{SqlError, SqlErrorKind};
use crate::script::split;

fn statement(sql: &str) -> Result<Statement, SqlError> {
    let mut pieces = split(sql);
    assert_eq!(pieces.len(), 1, "{sql}");
    let piece = pieces.pop_front().unwrap()?;
    Ok(parse(piece.tokens, piece.hints)?.statement)
}

fn table(sql: &str) -> CreateTable {
    match statement(sql) {
        Ok(Statement::CreateTable(table)) => *table,
        other => panic!("{sql}: {other:?}"),
    }
}

fn fails(sql: &str) -> String {
    match statement(sql) {
        Ok(parsed) => panic!("{sql} parses: {parsed:?}"),
        Err(error) => error.to_string(),
    }
}

fn type_of(text: &str) -> DataType {
    table(&format!("CREATE TABLE t (c {text})")).columns.remove(0).data_type
}

#[test]
fn every_type_name_of_flink_is_known() {
    for (text, canonical) in [
        ("BOOLEAN", "BOOLEAN"),
        ("tinyint", "TINYINT"),
        ("SMALLINT", "SMALLINT"),
        ("INT", "INT"),
        ("INTEGER", "INT"),
        ("BIGINT", "BIGINT"),
        ("FLOAT", "FLOAT"),
        ("DOUBLE", "DOUBLE"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("DECIMAL", "DECIMAL(10, 0)"),
        ("DEC(5)", "DECIMAL(5, 0)"),
        ("NUMERIC(38,18)", "DECIMAL(38, 18)"),
        ("STRING", "STRING"),
        ("VARCHAR", "STRING"),
        ("VARCHAR(7)", "VARCHAR(7)"),
        ("VARCHAR(2147483647)", "STRING"),
        ("CHARACTER VARYING(7)", "VARCHAR(7)"),
        ("CHAR", "CHAR(1)"),
        ("CHARACTER(4)", "CHAR(4)"),
        ("BINARY", "BINARY(1)"),
        ("BINARY(16)", "BINARY(16)"),
        ("VARBINARY", "BYTES"),
        ("VARBINARY(9)", "VARBINARY(9)"),
        ("BYTES", "BYTES"),
        ("DATE", "DATE"),
        ("TIME", "TIME(0)"),
        ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
        ("TIMESTAMP", "TIMESTAMP(6)"),
        ("TIMESTAMP(3)", "TIMESTAMP(3)"),
        ("TIMESTAMP(9) WITHOUT TIME ZONE", "TIMESTAMP(9)"),
        ("TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP(6) WITH LOCAL TIME ZONE"),
        ("TIMESTAMP_LTZ(3)", "TIMESTAMP(3) WITH LOCAL TIME ZONE"),
        ("VARIANT", "VARIANT"),
        ("BLOB", "BLOB"),
        ("INT NOT NULL", "INT NOT NULL"),
        ("INT NULL", "INT"),
        ("ARRAY<INT>", "ARRAY<INT>"),
        ("INT ARRAY", "ARRAY<INT>"),
        ("INT NOT NULL MULTISET NOT NULL", "MULTISET<INT NOT NULL> NOT NULL"),
        ("MULTISET<STRING>", "MULTISET<STRING>"),
        ("MAP<STRING, ARRAY<INT>>", "MAP<STRING, ARRAY<INT>>"),
        (
            "MAP<STRING NOT NULL, ROW<a ARRAY<ARRAY<INT>>>>",
            "MAP<STRING NOT NULL, ROW<`a` ARRAY<ARRAY<INT>>>>",
        ),
        ("VECTOR<FLOAT, 8>", "VECTOR<FLOAT, 8>"),
        ("ROW<a INT 'one', `b c` STRING NOT NULL>", "ROW<`a` INT 'one', `b c` STRING NOT NULL>"),
        ("ROW(a INT, b ROW(c DATE)) NOT NULL", "ROW<`a` INT, `b` ROW<`c` DATE>> NOT NULL"),
        ("ROW<>", "ROW<>"),
    ] {
        assert_eq!(type_of(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn wrong_types_are_refused_with_the_limit() {
    for (text, reason) in [
        ("DECIMAL(39, 2)", "the precision must be 1 to 38, not 39"),
        ("DECIMAL(5, 6)", "the scale must be 0 to 5, not 6"),
        ("TIMESTAMP(10)", "the precision must be 0 to 9, not 10"),
        ("CHAR(0)", "the length must be 1 to 2147483647, not 0"),
        ("VARCHAR(2147483648)", "the length must be"),
        ("TEXT", "there is no type TEXT"),
        ("INTEGR", "there is no type INTEGR"),
        ("MAP<STRING>", "expected ',', found >"),
        ("ARRAY<INT", "expected '>'"),
        ("ROW<a INT, a INT>", "the row has two fields named 'a'"),
        ("TIMESTAMP WITH TIME ZONE", "expected LOCAL, found TIME"),
        ("`INT`", "expected a type"),
    ] {
        let message = fails(&format!("CREATE TABLE t (c {text})"));
        assert!(message.contains(reason), "{text}: {message}");
    }
    let deep = format!("{}INT{}", "ARRAY<".repeat(200), ">".repeat(200));
    assert!(fails(&format!("CREATE TABLE t (c {deep})")).contains("nest deeper"));
}

#[test]
fn create_table_with_every_clause() {
    let parsed = table(
        "CREATE TABLE IF NOT EXISTS `paimon`.shop.orders (
            order_id BIGINT COMMENT 'the key',
            dt STRING,
            amount DECIMAL(12, 2) DEFAULT '0.00',
            `when` TIMESTAMP(3) NOT NULL,
            tags ROW<a INT 'inner', b MAP<STRING, INT>>,
            CONSTRAINT pk PRIMARY KEY (dt, order_id) NOT ENFORCED
        ) COMMENT 'it''s all orders'
        PARTITIONED BY (dt)
        WITH ('bucket' = '2', 'file.format' = 'parquet')",
    );
    assert_eq!(parsed.name, ["paimon", "shop", "orders"]);
    assert!(parsed.if_not_exists);
    assert_eq!(parsed.primary_keys, ["dt", "order_id"]);
    assert_eq!(parsed.partition_keys, ["dt"]);
    assert_eq!(parsed.comment.as_deref(), Some("it's all orders"));
    assert_eq!(parsed.options[0], ("bucket".to_owned(), "2".to_owned()));
    let [order_id, dt, amount, when, tags] = parsed.columns.as_slice() else { panic!() };
    assert_eq!(order_id.data_type, DataType::not_null(TypeKind::BigInt));
    assert_eq!(order_id.comment.as_deref(), Some("the key"));
    assert_eq!(dt.data_type, DataType::not_null(TypeKind::STRING));
    assert_eq!(amount.default.as_deref(), Some("0.00"));
    assert!(amount.data_type.nullable);
    assert_eq!((when.name.as_str(), when.data_type.nullable), ("when", false));
    let TypeKind::Row(fields) = &tags.data_type.kind else { panic!() };
    assert_eq!(
        fields[0],
        DataField {
            description: Some("inner".into()),
            ..DataField::new(-1, "a", DataType::nullable(TypeKind::Int))
        }
    );
}

#[test]
fn a_column_can_carry_the_primary_key() {
    let parsed = table("CREATE TABLE t (id INT PRIMARY KEY NOT ENFORCED COMMENT 'key', v STRING)");
    assert_eq!(parsed.primary_keys, ["id"]);
    assert!(!parsed.columns[0].data_type.nullable);
    assert_eq!(parsed.columns[0].comment.as_deref(), Some("key"));
}

#[test]
fn words_of_the_grammar_can_be_names() {
    let parsed = table(
        "CREATE TABLE t (watermark INT, comment STRING, `primary` INT, partitioned INT, unique INT)",
    );
    assert_eq!(parsed.columns.len(), 5);
    assert_eq!(parsed.columns[0].name, "watermark");
}

#[test]
fn names_keep_their_case() {
    let parsed = table("CREATE TABLE MyTable (k INT, K INT)");
    assert_eq!(parsed.name, ["MyTable"]);
    assert_eq!(parsed.columns[1].name, "K");
}

#[test]
fn refused_parts_of_create_table_are_named() {
    for (sql, reason) in [
        ("CREATE TABLE t (id INT, PRIMARY KEY (id))", "PRIMARY KEY needs NOT ENFORCED"),
        ("CREATE TABLE t (id INT PRIMARY KEY)", "PRIMARY KEY needs NOT ENFORCED"),
        ("CREATE TABLE t (a INT, WATERMARK FOR ts AS ts)", "there is no such column"),
        ("CREATE TABLE t (ts TIMESTAMP(6), WATERMARK FOR ts AS ts)", "at most 3 digits"),
        ("CREATE TABLE t (a INT, b AS a + 1)", "computed column 'b' is not supported"),
        ("CREATE TABLE t (a INT METADATA FROM 'x')", "METADATA column 'a' is not supported"),
        ("CREATE TABLE t (a INT, UNIQUE (a))", "UNIQUE is not supported"),
        ("CREATE TABLE t", "expected the columns of the table in parentheses, AS or LIKE"),
        ("CREATE TABLE t (a, b)", "only CREATE TABLE … AS SELECT takes names alone"),
        ("CREATE TABLE t LIKE s (INCLUDING ANYTHING)", "expected ALL, CONSTRAINTS"),
        ("CREATE OR REPLACE TABLE t (a INT)", "CREATE OR REPLACE TABLE is not supported"),
        ("CREATE TABLE t (a INT) USING parquet", "USING parquet is not supported"),
        ("CREATE TABLE t (a INT) LOCATION '/x'", "LOCATION is not supported"),
        ("CREATE TABLE t (a INT) PARTITIONED BY (days(a))", "PARTITIONED BY days(…) is"),
        ("CREATE TABLE t (a INT) DISTRIBUTED BY (a)", "'bucket' and 'bucket-key'"),
        ("CREATE TABLE t (a INT, a INT)", "two columns named 'a'"),
        (
            "CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED)",
            "two primary keys",
        ),
        ("CREATE TABLE t (a INT) WITH ('k' = 'v', 'k' = 'w')", "option 'k' is given twice"),
        ("CREATE TABLE t (a INT) WITH (bucket = 1)", "an option's key in single quotes"),
        ("CREATE FUNCTION f AS 'x'", "CREATE FUNCTION is not supported"),
        ("CREATE TABLE t (a INT) nonsense", "expected the end of the statement, found nonsense"),
        ("CREATE TABLE t ()", "expected a column's name"),
    ] {
        let message = fails(sql);
        assert!(message.contains(reason), "{sql}: {message}");
    }
}

#[test]
fn a_syntax_error_names_line_and_column_of_the_script() {
    let mut pieces = split("SELECT 1;\n\nCREATE TABLE t (\n  a INT,\n  b INTT\n)");
    pieces.pop_front();
    let error = parse(pieces.pop_front().unwrap().unwrap().tokens, Vec::new()).unwrap_err();
    let SqlErrorKind::Syntax { line, column, .. } = error.what() else { panic!("{error:?}") };
    assert_eq!((*line, *column), (5, 5));

    let mut pieces = split("SELECT 1;\nSELECT a b c\n FROM t");
    pieces.pop_front();
    let error = parse(pieces.pop_front().unwrap().unwrap().tokens, Vec::new()).unwrap_err();
    let SqlErrorKind::Syntax { line, column, message } = error.what() else { panic!("{error:?}") };
    assert_eq!((*line, *column), (2, 12), "{message}");
    assert!(message.starts_with("expected"), "{message}");
}

#[test]
fn databases_and_tables_are_created_and_dropped() {
    for (sql, expected) in [
        ("CREATE DATABASE d", "CreateDatabase { name: [\"d\"], if_not_exists: false }"),
        (
            "create database if not exists `d`",
            "CreateDatabase { name: [\"d\"], if_not_exists: true }",
        ),
        ("DROP DATABASE d", "DropDatabase { name: [\"d\"], if_exists: false, cascade: false }"),
        (
            "DROP DATABASE IF EXISTS d CASCADE",
            "DropDatabase { name: [\"d\"], if_exists: true, cascade: true }",
        ),
        (
            "DROP DATABASE d RESTRICT",
            "DropDatabase { name: [\"d\"], if_exists: false, cascade: false }",
        ),
        (
            "DROP TABLE IF EXISTS d.t",
            "DropTable { name: [\"d\", \"t\"], if_exists: true, temporary: false, view: false }",
        ),
        (
            "DROP TEMPORARY VIEW v",
            "DropTable { name: [\"v\"], if_exists: false, temporary: true, view: true }",
        ),
        ("SHOW DATABASES", "Show(Databases { catalog: None, pattern: None })"),
        ("SHOW TABLES", "Show(Tables { database: None, pattern: None, views: false })"),
        (
            "SHOW TABLES FROM paimon.d",
            "Show(Tables { database: Some([\"paimon\", \"d\"]), pattern: None, views: false })",
        ),
        ("SHOW CREATE TABLE d.t", "Show(CreateTable { name: [\"d\", \"t\"], view: false })"),
        ("DESC t", "Describe(Table { name: [\"t\"], extended: false })"),
        ("DESC table", "Describe(Table { name: [\"table\"], extended: false })"),
        ("DESC database.t", "Describe(Table { name: [\"database\", \"t\"], extended: false })"),
        ("DESC DATABASE d", "Describe(Database { name: [\"d\"] })"),
        (
            "DESCRIBE TABLE EXTENDED a.b.c",
            "Describe(Table { name: [\"a\", \"b\", \"c\"], extended: true })",
        ),
        ("USE d", "Use { name: [\"d\"] }"),
        ("USE CATALOG paimon", "Catalog(Use { name: \"paimon\" })"),
        ("SET 'a.b' = 'c d'", "Set(Set(\"a.b\", \"c d\"))"),
        ("SET a.b-c.*.d=e f", "Set(Set(\"a.b-c.*.d\", \"e f\"))"),
        ("SET", "Set(List)"),
        ("SET a.b", "Set(Get(\"a.b\"))"),
        ("RESET 'a'", "Set(Reset(Some(\"a\")))"),
        ("SET TIME ZONE 'UTC'", "Set(Set(\"table.local-time-zone\", \"UTC\"))"),
    ] {
        assert_eq!(format!("{:?}", statement(sql).unwrap()), expected, "{sql}");
    }
}

#[test]
fn insert_takes_columns_partition_and_query_in_any_order_of_flink() {
    for (sql, overwrite, partition, columns) in [
        ("INSERT INTO t SELECT 1", false, 0, 0),
        ("INSERT INTO t VALUES (1, 'a'), (2, NULL)", false, 0, 0),
        ("INSERT INTO TABLE d.t (a, `b`) VALUES (1, 2)", false, 0, 2),
        ("INSERT INTO t (SELECT 1)", false, 0, 0),
        ("INSERT INTO t (WITH x AS (SELECT 1) SELECT * FROM x)", false, 0, 0),
        ("INSERT OVERWRITE t SELECT 1", true, 0, 0),
        ("INSERT OVERWRITE t PARTITION (dt = '2024-01-01', h = 1) SELECT 1", true, 2, 0),
        ("INSERT OVERWRITE t PARTITION (dt = DATE '2024-01-01') (a) SELECT 1", true, 1, 1),
        ("INSERT OVERWRITE t (a) PARTITION (dt = NULL) WITH x AS (SELECT 1) TABLE x", true, 1, 1),
        ("INSERT INTO t FROM 'orders.csv'", false, 0, 0),
    ] {
        let Statement::Insert(parsed) = statement(sql).unwrap() else { panic!("{sql}") };
        assert_eq!(parsed.overwrite, overwrite, "{sql}");
        assert_eq!(parsed.partition.len(), partition, "{sql}");
        assert_eq!(parsed.columns.len(), columns, "{sql}");
    }
    assert!(fails("INSERT t SELECT 1").contains("expected INTO or OVERWRITE"));
    assert!(fails("INSERT INTO t DEFAULT VALUES").contains("expected SELECT or VALUES"));
    assert!(fails("INSERT INTO t SELECT 1 FROM").contains("expected"));
}

#[test]
fn queries_explain_and_copy_go_to_the_query_parser() {
    for sql in [
        "SELECT 1",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "VALUES (1), (2)",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "FROM 'orders.csv'",
        "SELECT * FROM 'orders.csv' WHERE id > 3",
        "SELECT * FROM sample_orders(rows => 10, seed => 1)",
    ] {
        assert!(
            matches!(statement(sql), Ok(Statement::Query { .. })),
            "{sql}: {:?}",
            statement(sql)
        );
    }
    for sql in [
        "EXPLAIN SELECT 1",
        "EXPLAIN PLAN FOR SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN VERBOSE (SELECT 1)",
        "EXPLAIN EXTENDED SELECT 1",
        "EXPLAIN INSERT INTO t SELECT 1",
    ] {
        assert!(matches!(statement(sql), Ok(Statement::Explain(_))), "{sql}");
    }
    for sql in ["COPY (SELECT 1) TO 'x.csv'", "COPY t TO 'x.parquet' STORED AS PARQUET"] {
        assert!(matches!(statement(sql), Ok(Statement::Copy(_))), "{sql}");
    }
}

#[test]
fn statements_that_change_rows_are_read_to_their_end() {
    for sql in [
        "DELETE FROM t",
        "DELETE FROM db.t AS x WHERE x.a = 1 AND EXISTS (SELECT 1 FROM s WHERE s.a = x.a)",
        "DELETE FROM t ORDER BY a DESC LIMIT 3",
        "UPDATE t SET a = 1, t.b = a + 1",
        "UPDATE c.db.t x SET x.a = s.a FROM s JOIN u ON s.a = u.a WHERE x.a = s.a",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b > 1 THEN UPDATE SET a = s.a
           WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY TARGET AND s.b = 1 THEN INSERT (a) VALUES (1)
           WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE THEN UPDATE SET t.a = 1",
        "MERGE INTO t AS x USING (SELECT 1 AS a) s ON x.a = s.a WHEN MATCHED THEN UPDATE SET *",
        "MERGE INTO t USING read_json('a.json') AS s ON t.a = s.a WHEN NOT MATCHED THEN INSERT *",
    ] {
        let parsed = statement(sql);
        assert!(matches!(parsed, Ok(Statement::Change(_))), "{sql}: {parsed:?}");
    }
    for (sql, reason) in [
        ("DELETE t", "expected FROM"),
        ("DELETE FROM t x y", "expected WHERE, ORDER BY, LIMIT or the end"),
        ("DELETE FROM t WHERE", "expected an expression"),
        ("DELETE FROM t USING s WHERE t.a = s.a", "WHERE EXISTS"),
        ("DELETE FROM t WHERE a = 1 RETURNING a", "expected WHERE, ORDER BY, LIMIT or the end"),
        ("DELETE FROM t ORDER BY a", "without LIMIT"),
        ("UPDATE t WHERE a = 1", "expected SET"),
        ("UPDATE t SET a = 1, a = 2", "'a' is set twice"),
        ("UPDATE t SET s.a = 1", "no column of 't'"),
        ("UPDATE t SET (a, b) = (1, 2)", "one column after the other"),
        ("UPDATE t SET a = 1 LIMIT 1", "expected FROM, WHERE or the end"),
        ("MERGE INTO t USING s WHEN MATCHED THEN DELETE", "expected ON"),
        ("MERGE INTO t USING s ON true", "at least one WHEN"),
        ("MERGE INTO t USING t ON true WHEN MATCHED THEN DELETE", "both called 't'"),
        (
            "MERGE INTO t USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
            "give the source a name",
        ),
        (
            "MERGE INTO t USING s ON true WHEN MATCHED THEN INSERT *",
            "expected UPDATE SET or DELETE",
        ),
        ("MERGE INTO t USING s ON true WHEN NOT MATCHED THEN DELETE", "expected INSERT"),
        ("MERGE INTO t USING s ON true WHEN NOT MATCHED BY SOURCE THEN UPDATE SET *", "has none"),
        ("MERGE INTO t USING s ON true WHEN NOT MATCHED THEN INSERT (a) VALUES (1, 2)", "2 values"),
        ("MERGE INTO t USING s ON true WHEN NOT MATCHED THEN INSERT VALUES (1)", "INSERT (a, b)"),
        (
            "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE WHEN MATCHED THEN DELETE",
            "only the last one",
        ),
        ("EXPLAIN DELETE FROM t", "EXPLAIN DELETE is not supported"),
    ] {
        let message = fails(sql);
        assert!(message.contains(reason), "{sql}: {message}");
    }
}

#[test]
fn statements_of_later_releases_are_refused_by_name() {
    for (sql, reason) in [
        ("ALTER TABLE t CREATE TAG `x`", "ALTER TABLE … CREATE TAG is not supported"),
        ("ALTER DATABASE d SET ('a' = 'b')", "ALTER DATABASE is not supported"),
        ("ALTER TABLE t ADD PARTITION (a = 1)", "partitions come with their rows"),
        ("ANALYZE TABLE t COMPUTE STATISTICS", "ANALYZE is not supported"),
        ("EXPLAIN ANALYZE INSERT INTO t SELECT 1", "EXPLAIN ANALYZE INSERT is not supported"),
        ("EXPLAIN CREATE TABLE t (a INT)", "EXPLAIN CREATE is not supported"),
        ("SHOW JOBS", "SHOW JOBS is not supported"),
        ("EXECUTE STATEMENT SET BEGIN", "there are no statement sets"),
        ("COMMIT", "every statement commits for itself"),
        ("SELEC 1", "expected a statement"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "inside of a query is not supported"),
    ] {
        let message = fails(sql);
        assert!(message.contains(reason), "{sql}: {message}");
    }
}

#[test]
fn calls_take_literals_with_and_without_names() {
    let text = "CALL `sys`.compact('db.t', NULL, `where` => 'a > 1', n => -1, \"on\" => false, d => DEFAULT)";
    let Statement::Call(call) = statement(text).unwrap() else { panic!("{text}") };
    assert_eq!(call.name, ["sys", "compact"]);
    let arguments: Vec<_> =
        call.arguments.iter().map(|a| (a.name.as_deref(), a.value.clone())).collect();
    let text = |text: &str| CallValue::Text(text.to_owned());
    assert_eq!(
        arguments,
        [
            (None, text("db.t")),
            (None, CallValue::Missing),
            (Some("where"), text("a > 1")),
            (Some("n"), CallValue::Number("-1".to_owned())),
            (Some("on"), CallValue::Boolean(false)),
            (Some("d"), CallValue::Missing),
        ]
    );
    for (sql, reason) in [
        ("CALL sys.compact", "expected '('"),
        ("CALL sys.compact('t'", "expected ')'"),
        ("CALL sys.compact(a => 't', 'b')", "behind one with a name"),
        ("CALL sys.compact(t)", "a text in single quotes"),
        ("CALL sys.compact(array('t'))", "a text in single quotes"),
        ("CALL sys.compact('t',)", "a text in single quotes"),
        ("CALL sys.compact('t') x", "the end of the statement"),
        ("CALL", "a procedure's name"),
    ] {
        let message = fails(sql);
        assert!(message.contains(reason), "{sql}: {message}");
    }
}
