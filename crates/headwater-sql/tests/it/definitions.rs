//! CREATE, DROP, SHOW, DESCRIBE, USE.

use headwater::ErrorKind;

use crate::warehouse::Warehouse;

#[tokio::test]
async fn databases_and_tables_come_and_go() {
    let w = Warehouse::new().await;
    assert_eq!(w.run("SHOW DATABASES").await, ["default"]);
    w.run(
        "CREATE DATABASE shop; CREATE DATABASE IF NOT EXISTS shop;
         CREATE TABLE shop.orders (id INT); CREATE TABLE IF NOT EXISTS shop.orders (other INT);
         CREATE TABLE here (id INT)",
    )
    .await;
    assert_eq!(w.run("SHOW DATABASES").await, ["default", "shop"]);
    assert_eq!(w.run("SHOW TABLES").await, ["here"]);
    assert_eq!(w.run("SHOW TABLES IN shop").await, ["orders"]);
    assert_eq!(w.run("USE paimon.shop; SHOW TABLES").await, ["orders"]);
    assert_eq!(w.run("SELECT count(*) FROM orders").await, ["0"]);
    w.run("USE `default`").await;
    let error = w.fails("DROP DATABASE shop").await;
    assert!(error.to_string().contains("CASCADE"), "{error}");
    w.run("DROP TABLE shop.orders; DROP TABLE IF EXISTS shop.orders; DROP DATABASE shop").await;
    w.run("DROP DATABASE IF EXISTS shop CASCADE").await;
    assert_eq!(w.run("SHOW DATABASES").await, ["default"]);
    assert_eq!(w.fails("DROP TABLE shop.orders").await.kind(), ErrorKind::NotFound);
    assert_eq!(w.fails("CREATE TABLE nowhere.t (a INT)").await.kind(), ErrorKind::NotFound);
    assert!(w.fails("CREATE TABLE here (id INT)").await.to_string().contains("already exists"));
    assert!(w.fails("SELECT * FROM other.here.t").await.to_string().contains("other"));
}

const WIDE: &str = "CREATE TABLE wide (
  `id` BIGINT NOT NULL COMMENT 'the ''key''',
  `dt` DATE NOT NULL,
  `name` VARCHAR(20) DEFAULT 'none',
  `amount` DECIMAL(12, 2),
  `at` TIMESTAMP(3) WITH LOCAL TIME ZONE,
  `tags` ARRAY<STRING NOT NULL>,
  `more` ROW<`a` INT 'inner', `b c` MAP<STRING, DOUBLE>>,
  PRIMARY KEY (`id`, `dt`) NOT ENFORCED
) COMMENT 'all kinds'
PARTITIONED BY (`dt`)
WITH (
  'bucket' = '2'
)";

#[tokio::test]
async fn show_create_table_makes_the_same_table_again() {
    let w = Warehouse::new().await;
    w.run(WIDE).await;
    let shown = w.run("SHOW CREATE TABLE wide").await.remove(0);
    assert_eq!(shown, WIDE.replace("TABLE wide", "TABLE `default`.`wide`"));
    w.run("DROP TABLE wide").await;
    w.run(&shown).await;
    assert_eq!(w.run("SHOW CREATE TABLE wide").await, [shown]);
}

#[tokio::test]
async fn describe_names_types_keys_and_partitions() {
    let w = Warehouse::new().await;
    w.run(WIDE).await;
    let rows = w.run("DESCRIBE wide").await;
    assert_eq!(rows[0], "id|BIGINT|false|PRI(id, dt)|NULL|NULL|the 'key'");
    assert_eq!(rows[1], "dt|DATE|false|PRI(id, dt)|1 of 1|NULL|NULL");
    assert_eq!(rows[2], "name|VARCHAR(20)|true|NULL|NULL|none|NULL");
    assert_eq!(rows.len(), 7);
}

#[tokio::test]
async fn a_misspelt_option_is_refused_with_the_nearest_name() {
    let w = Warehouse::new().await;
    let error = w.fails("CREATE TABLE t (a INT) WITH ('bukcet' = '1')").await;
    assert!(error.to_string().contains("bukcet"), "{error}");
    assert!(error.to_string().contains("'bucket'"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = w.fails("CREATE TABLE t (a INT) WITH ('bucket' = 'many')").await;
    assert!(error.to_string().contains("bucket"), "{error}");
    assert!(w.run("SHOW TABLES").await.is_empty());
}

#[tokio::test]
async fn key_rules_are_checked_with_the_columns_name() {
    let w = Warehouse::new().await;
    for (sql, reason) in [
        ("CREATE TABLE t (a INT, PRIMARY KEY (b) NOT ENFORCED)", "b"),
        ("CREATE TABLE t (a INT) PARTITIONED BY (p)", "p"),
        ("CREATE TABLE t (a ARRAY<INT>, PRIMARY KEY (a) NOT ENFORCED)", "a"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ENFORCED) PARTITIONED BY (a)", "primary key"),
        ("CREATE TABLE `a/b` (a INT)", "a/b"),
        ("CREATE TABLE `..` (a INT)", ".."),
    ] {
        let error = w.fails(sql).await;
        assert!(error.to_string().contains(reason), "{sql}: {error}");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}: {error}");
    }
}

#[tokio::test]
async fn creating_a_table_that_cannot_be_filled_says_so() {
    let w = Warehouse::new().await;
    for (columns, options, part) in [
        ("id INT, PRIMARY KEY (id) NOT ENFORCED", "WITH ('bucket' = '-2')", ""),
        ("id INT, PRIMARY KEY (id) NOT ENFORCED", "", ""),
        ("id INT", "WITH ('file.format' = 'orc')", "orc"),
        ("id INT, PRIMARY KEY (id) NOT ENFORCED", "WITH ('bucket' = '1')", ""),
    ] {
        let create = format!("CREATE TABLE t ({columns}) {options}");
        let result = w.session.execute(&create).await.unwrap();
        let about_rows = |w: &&String| w.contains("rows cannot be written");
        let warning = result.warnings.iter().find(about_rows);
        match part {
            "" => assert!(warning.is_none(), "{:?}", result.warnings),
            part => assert!(warning.unwrap().contains(part), "{:?}", result.warnings),
        }
        w.run("DROP TABLE t").await;
    }
}
