//! `headwater dump`: the lines of golden tables are those that stock Java gave.

use headwater_testkit::{TempDir, expected, fixture_path, golden};

use crate::program::{headwater, sql};

/// Tables of different formats, types and layouts.
const TABLES: [&str; 12] = [
    "append_a",
    "append_bucketed_a",
    "bucket_hash_a",
    "compound_key_a",
    "dedup_parquet_a",
    "evolve_widen_a",
    "levels_a",
    "multiset_a",
    "nested_a",
    "part_multi_a",
    "types_parquet_a",
    "variant_a",
];

#[test]
fn golden_tables_dump_as_java_read_them() {
    for name in TABLES {
        let directory = golden(name).dir;
        let lines = headwater(&["dump", directory.to_str().unwrap()]).ok();
        assert_eq!(lines, expected(name, "latest.jsonl").unwrap(), "{name}");
    }
}

#[test]
fn a_table_is_found_by_name_in_its_warehouse() {
    let warehouse = fixture_path("warehouse");
    let warehouse = warehouse.to_str().unwrap();
    let lines = headwater(&["dump", "golden.append_a", "--warehouse", warehouse]).ok();
    assert_eq!(lines, expected("append_a", "latest.jsonl").unwrap());
}

#[test]
fn a_snapshot_dumps_as_java_read_it() {
    let all = expected("append_a", "snapshots.jsonl").unwrap();
    let directory = golden("append_a").dir;
    for snapshot in ["1", "2"] {
        let prefix = format!("{{\"snapshot\":{snapshot},");
        let lines: String = all
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(|rest| format!("{{{rest}\n"))
            .collect();
        let said = headwater(&["dump", directory.to_str().unwrap(), "--snapshot", snapshot]);
        assert_eq!(said.ok(), lines);
    }
}

#[test]
fn a_snapshot_that_is_not_there_is_an_error() {
    let directory = golden("append_a").dir;
    let said = headwater(&["dump", directory.to_str().unwrap(), "--snapshot", "99"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("99"), "{said:?}");
    assert_eq!(said.out, "");
}

#[test]
fn a_table_that_would_be_misread_is_refused_with_the_reason() {
    let said = headwater(&["dump", golden("dv_pk_a").dir.to_str().unwrap()]);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.err.contains("deletion-vectors.enabled"), "{said:?}");
}

#[test]
fn a_table_written_by_sql_dumps_its_rows_sorted() {
    let dir = TempDir::new();
    let statements = "CREATE TABLE t (k INT, v STRING, PRIMARY KEY (k) NOT ENFORCED) \
                      WITH ('bucket' = '2'); \
                      INSERT INTO t VALUES (2, 'b'), (10, NULL), (1, 'a'); \
                      INSERT INTO t VALUES (1, 'A')";
    sql(dir.text(), statements).ok();
    assert_eq!(
        headwater(&["dump", "default.t", "-w", dir.text()]).ok(),
        "{\"kind\":\"+I\",\"row\":{\"k\":1,\"v\":\"A\"}}\n\
         {\"kind\":\"+I\",\"row\":{\"k\":10,\"v\":null}}\n\
         {\"kind\":\"+I\",\"row\":{\"k\":2,\"v\":\"b\"}}\n"
    );
}
