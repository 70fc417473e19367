use super::NewTable;
use crate::types::DataType;

fn t(text: &str) -> DataType {
    DataType::parse(text).unwrap()
}

#[test]
fn nested_fields_take_the_ids_after_their_column() {
    let schema = NewTable::new()
        .column("k", t("INT"))
        .column("r", t("ROW<x INT, y ARRAY<ROW<z INT>>>"))
        .column("v", t("STRING"))
        .primary_key(["k"])
        .option("bucket", "1")
        .into_schema(0)
        .unwrap();
    assert_eq!(schema.fields.iter().map(|f| f.id).collect::<Vec<_>>(), [0, 1, 5]);
    assert_eq!(schema.highest_field_id, 5);
    assert!(!schema.fields[0].data_type.nullable);
}

#[test]
fn wrong_definitions_are_refused_by_name() {
    let base = || NewTable::new().column("k", t("INT")).column("v", t("STRING"));
    for (table, words) in [
        (base().primary_key(["x"]), "'x' is not a column"),
        (base().primary_key(["k"]).partitioned_by(["k"]), "only partition columns"),
        (base().column("v", t("INT")), "'v' is defined twice"),
        (base().column("_KEY_a", t("INT")), "reserved"),
        (base().option("bucket", "0"), "neither a number of buckets"),
        (base().option("bucket", "4"), "bucket-key"),
        (base().option("bucket", "-2"), "primary key"),
        (base().option("bucket-key", "k"), "'bucket' = '-1'"),
        (base().primary_key(["k"]).option("bucket", "2").option("bucket-key", "v"), "not part of"),
        (base().option("buckets", "1"), "did you mean 'bucket'"),
        (base().option("partition.expiration-time", "7 d"), "PARTITIONED BY"),
        (base().option("changelog-producer", "lookup"), "needs a primary key"),
        (base().column("m", t("MAP<INT, INT>")).primary_key(["m"]), "cannot be a key"),
        (base().option("fields.w.aggregate-function", "sum"), "'w' is not a column"),
        (NewTable::new(), "at least one column"),
    ] {
        let error = table.into_schema(0).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}
