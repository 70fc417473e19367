use super::{Position, SchemaChange, type_changes};
use crate::schema::{NewTable, TableSchema};
use crate::types::DataType;

fn t(text: &str) -> DataType {
    DataType::parse(text).unwrap()
}

fn path(text: &str) -> Vec<String> {
    text.split('.').map(str::to_owned).collect()
}

fn table() -> TableSchema {
    NewTable::new()
        .column("k", t("INT"))
        .column("p", t("STRING"))
        .column("v", t("INT"))
        .column("r", t("ROW<a INT, b ARRAY<ROW<c INT>>, m MAP<STRING, ROW<d INT>>>"))
        .primary_key(["k", "p"])
        .partitioned_by(["p"])
        .option("bucket", "2")
        .option("bucket-key", "k")
        .option("fields.v.aggregate-function", "sum")
        .into_schema(0)
        .unwrap()
}

fn add(name: &str, data_type: &str, position: Option<Position>) -> SchemaChange {
    SchemaChange::AddColumn { path: path(name), data_type: t(data_type), comment: None, position }
}

fn change_type(name: &str, data_type: &str) -> SchemaChange {
    SchemaChange::ColumnType { path: path(name), data_type: t(data_type), keep_nullability: true }
}

fn changed(changes: &[SchemaChange]) -> TableSchema {
    table().changed(changes, true, 7).unwrap().unwrap()
}

fn names(schema: &TableSchema) -> Vec<&str> {
    schema.fields.iter().map(|f| f.name.as_str()).collect()
}

#[test]
fn new_columns_get_new_ids_and_their_place() {
    let schema = changed(&[
        add("x", "ROW<y INT>", None),
        add("first", "INT", Some(Position::First)),
        add("after", "INT", Some(Position::After("k".into()))),
        add("r.b.element.z", "STRING", None),
        add("r.m.value.z", "STRING", Some(Position::First)),
    ]);
    assert_eq!(names(&schema), ["first", "k", "after", "p", "v", "r", "x"]);
    assert_eq!((schema.id, schema.time_millis, schema.version), (1, 7, 3));
    let before = table().highest_field_id;
    assert_eq!(schema.field("x").unwrap().id, before + 1);
    assert_eq!(schema.field("first").unwrap().id, before + 3);
    assert_eq!(schema.highest_field_id, before + 6);
    assert_eq!(
        schema.field("r").unwrap().data_type.to_string(),
        "ROW<`a` INT, `b` ARRAY<ROW<`c` INT, `z` STRING>>, `m` MAP<STRING, ROW<`z` STRING, `d` INT>>>"
    );
}

#[test]
fn columns_go_before_the_partition_when_the_option_says_so() {
    let set =
        SchemaChange::SetOption { key: "add-column-before-partition".into(), value: "true".into() };
    assert_eq!(names(&changed(&[set, add("x", "INT", None)])), ["k", "x", "p", "v", "r"]);
}

#[test]
fn renamed_columns_keep_their_id_and_options_follow() {
    let rename =
        |from: &str, to: &str| SchemaChange::RenameColumn { path: path(from), to: to.into() };
    let schema = changed(&[rename("k", "key"), rename("v", "total"), rename("r.a", "z")]);
    assert_eq!(names(&schema), ["key", "p", "total", "r"]);
    assert_eq!(schema.primary_keys, ["key", "p"]);
    assert_eq!(schema.options.get("bucket-key"), Some("key"));
    assert_eq!(schema.options.get("fields.total.aggregate-function"), Some("sum"));
    assert_eq!(schema.field("key").unwrap().id, table().field("k").unwrap().id);
    assert!(schema.field("r").unwrap().data_type.to_string().starts_with("ROW<`z` INT"));
}

#[test]
fn types_positions_comments_and_nullability_change() {
    let schema = changed(&[
        change_type("v", "BIGINT"),
        change_type("r.b.element.c", "BIGINT"),
        SchemaChange::ColumnComment { path: path("v"), comment: Some("sum".into()) },
        SchemaChange::MoveColumn { column: "v".into(), position: Position::First },
        SchemaChange::Comment(Some("all".into())),
    ]);
    assert_eq!(names(&schema), ["v", "k", "p", "r"]);
    let v = schema.field("v").unwrap();
    assert_eq!(
        (v.data_type.to_string().as_str(), v.description.as_deref()),
        ("BIGINT", Some("sum"))
    );
    assert_eq!(schema.comment.as_deref(), Some("all"));
    let moved = changed(&[SchemaChange::MoveColumn {
        column: "k".into(),
        position: Position::After("v".into()),
    }]);
    assert_eq!(names(&moved), ["p", "v", "k", "r"]);
}

#[test]
fn options_are_set_and_removed() {
    let set =
        |key: &str, value: &str| SchemaChange::SetOption { key: key.into(), value: value.into() };
    let schema = changed(&[set("write-only", "true"), set("snapshot.num-retained.max", "20")]);
    assert_eq!(schema.options.get("write-only"), Some("true"));
    let reset = SchemaChange::RemoveOption { key: "write-only".into() };
    let again = schema.changed(&[reset], true, 8).unwrap().unwrap();
    assert_eq!((again.id, again.options.get("write-only")), (2, None));
    assert_eq!(table().changed(&[set("bucket", "2")], true, 9).unwrap(), None);
    assert_eq!(table().changed(&[], false, 9).unwrap(), None);
}

#[test]
fn keys_can_be_given_by_options_before_there_is_data() {
    let plain = NewTable::new().column("k", t("INT")).column("v", t("INT")).into_schema(0).unwrap();
    let set = SchemaChange::SetOption { key: "primary-key".into(), value: "k".into() };
    let schema = plain.changed(std::slice::from_ref(&set), false, 1).unwrap().unwrap();
    assert_eq!(schema.primary_keys, ["k"]);
    assert!(!schema.fields[0].data_type.nullable);
    assert!(plain.changed(&[set], true, 1).is_err());
}

#[test]
fn documents_of_older_versions_keep_what_they_meant() {
    let mut old = NewTable::new().column("k", t("INT")).primary_key(["k"]).into_schema(0).unwrap();
    old.version = 1;
    let set = SchemaChange::SetOption { key: "write-only".into(), value: "true".into() };
    let schema = old.changed(&[set], true, 1).unwrap().unwrap();
    assert_eq!(schema.version, 3);
    assert_eq!(schema.option("bucket"), Some("1"));
    assert_eq!(schema.option("file.format"), Some("orc"));
}

#[test]
fn impossible_changes_are_refused_by_name() {
    let drop = |name: &str| SchemaChange::DropColumn { path: path(name) };
    let null =
        |name: &str, nullable| SchemaChange::ColumnNullability { path: path(name), nullable };
    for (change, words) in [
        (add("v", "INT", None), "'v' exists already"),
        (add("x", "INT NOT NULL", None), "NOT NULL"),
        (add("x", "INT", Some(Position::After("q".into()))), "no column 'q'"),
        (add("v.x", "INT", None), "no column 'v.x'"),
        (add("r.b.x", "INT", None), "no column 'r.b.x'"),
        (SchemaChange::RenameColumn { path: path("p"), to: "q".into() }, "partition column 'p'"),
        (SchemaChange::RenameColumn { path: path("v"), to: "k".into() }, "'k' exists already"),
        (SchemaChange::RenameColumn { path: path("x"), to: "y".into() }, "no column 'x'"),
        (drop("k"), "primary key column 'k'"),
        (drop("p"), "column 'p' cannot be dropped"),
        (drop("x"), "no column 'x'"),
        (drop("v"), "fields.v.aggregate-function"),
        (drop("r.m.value.d"), "the last one"),
        (change_type("k", "BIGINT"), "primary key column 'k'"),
        (change_type("v", "DATE"), "cannot become DATE"),
        (change_type("r", "ROW<a INT>"), "one by one"),
        (null("k", true), "primary key column 'k'"),
        (null("v", false), "cannot become NOT NULL"),
        (
            SchemaChange::MoveColumn { column: "v".into(), position: Position::After("v".into()) },
            "next to itself",
        ),
        (
            SchemaChange::SetOption { key: "buckt".into(), value: "3".into() },
            "did you mean 'bucket'",
        ),
        (SchemaChange::SetOption { key: "bucket".into(), value: "-1".into() }, "changed to -1"),
        (SchemaChange::SetOption { key: "path".into(), value: "/x".into() }, "path"),
        (SchemaChange::RemoveOption { key: "bucket".into() }, "cannot be reset"),
        (SchemaChange::RemoveOption { key: "bucket-key".into() }, "cannot be changed"),
    ] {
        let error = table().changed(std::slice::from_ref(&change), true, 1);
        let error = error.expect_err(words).to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_new_type_of_a_row_becomes_changes_of_its_fields() {
    let old = t("ROW<a INT, b ARRAY<MAP<INT, ROW<f1 INT, f2 STRING>>>>");
    let new = t("ROW<a BIGINT NOT NULL, n DATE, b ARRAY<MAP<INT, ROW<f1 BIGINT, f3 DOUBLE>>>>");
    let schema = NewTable::new().column("c", old.clone()).into_schema(0).unwrap();
    let relaxed = SchemaChange::SetOption {
        key: "alter-column-null-to-not-null.disabled".into(),
        value: "false".into(),
    };
    let mut changes = vec![relaxed];
    changes.extend(type_changes(&path("c"), &old, &new).unwrap());
    let schema = schema.changed(&changes, true, 1).unwrap().unwrap();
    assert_eq!(schema.fields[0].data_type.to_string(), new.to_string());
    for (from, to) in [
        ("ROW<a INT, b INT>", "ROW<b INT, a INT>"),
        ("ROW<a INT>", "INT"),
        ("MAP<INT, INT>", "MAP<BIGINT, INT>"),
        ("ARRAY<INT>", "MAP<INT, INT>"),
    ] {
        assert!(type_changes(&path("c"), &t(from), &t(to)).is_err(), "{from} {to}");
    }
}
