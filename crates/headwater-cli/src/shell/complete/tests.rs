use super::{Names, complete};

struct Shop;

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Names for Shop {
    fn catalogs(&self) -> Vec<String> {
        owned(&["lake"])
    }

    fn databases(&self) -> Vec<String> {
        owned(&["default", "shop"])
    }

    fn tables(&self, database: &[String]) -> Vec<String> {
        match database.last().map(String::as_str) {
            None => owned(&["orders", "order", "odd name"]),
            Some("shop") => owned(&["prices", "products"]),
            Some(_) => Vec::new(),
        }
    }

    fn columns(&self, table: &[String]) -> Vec<String> {
        match table.join(".").as_str() {
            "orders" => owned(&["order_id", "amount", "a b"]),
            "shop.prices" => owned(&["price", "amount"]),
            _ => Vec::new(),
        }
    }

    fn functions(&self) -> Vec<String> {
        owned(&["sum", "sqrt"])
    }
}

/// What the word at `|` may become.
fn at(statement: &str) -> Vec<String> {
    let (before, after) = statement.split_once('|').unwrap();
    let (start, candidates) = complete(before, after, &Shop);
    let kept = &before[..start];
    candidates.into_iter().map(|candidate| format!("{kept}{}", candidate.text)).collect()
}

/// The same without what is typed already.
fn words(statement: &str) -> Vec<String> {
    let (before, after) = statement.split_once('|').unwrap();
    complete(before, after, &Shop).1.into_iter().map(|candidate| candidate.text).collect()
}

#[test]
fn keywords_follow_the_case_that_is_typed() {
    assert_eq!(at("SEL|"), ["SELECT"]);
    assert_eq!(at("sel|"), ["select"]);
    assert_eq!(at("SELECT 1; DESCR|"), ["SELECT 1; DESCRIBE"]);
    assert!(words("|").contains(&"INSERT".to_owned()));
}

#[test]
fn tables_and_databases_stand_behind_from() {
    assert_eq!(
        words("SELECT * FROM |"),
        ["default", "lake", "`odd name`", "`order`", "orders", "shop"]
    );
    assert_eq!(words("SELECT * FROM ord|"), ["`order`", "orders"]);
    assert_eq!(words("SELECT * FROM shop.|"), ["prices", "products"]);
    assert_eq!(words("SELECT * FROM lake.shop.pri|"), ["prices"]);
    assert_eq!(words("INSERT INTO ordersx, |"), words("|"));
    assert_eq!(words("SELECT * FROM orders o, shop.pro|"), ["products"]);
    assert_eq!(words("SELECT * FROM orders, od|"), ["`odd name`"]);
    assert_eq!(words("SELECT * FROM `od|"), ["`odd name`"]);
    assert_eq!(words("SELECT * FROM \"od|"), ["\"odd name\""]);
}

#[test]
fn databases_stand_behind_use() {
    assert_eq!(words("USE |"), ["default", "lake", "shop"]);
    assert_eq!(words("use sh|"), ["shop"]);
    assert_eq!(words("DROP DATABASE IF EXISTS sh|"), ["shop"]);
    assert_eq!(words("SHOW TABLES FROM |"), ["default", "lake", "shop"]);
    assert_eq!(words("USE CATALOG |"), ["lake"]);
}

#[test]
fn columns_are_those_of_the_tables_in_the_statement() {
    assert_eq!(words("SELECT order_| FROM orders"), ["order_id"]);
    assert_eq!(words("SELECT am| FROM orders"), ["amount"]);
    assert_eq!(words("SELECT pri|, 1 FROM shop.prices; SELECT 1 FROM x"), ["price", "primary"]);
    assert_eq!(words("SELECT * FROM orders o WHERE o.|"), ["`a b`", "amount", "order_id"]);
    assert_eq!(words("SELECT prices.p| FROM shop.prices"), ["price"]);
    assert_eq!(words("INSERT INTO orders (order_|"), ["order_id"]);
    assert_eq!(words("SELECT order_|; SELECT 1 FROM orders"), Vec::<String>::new());
}

#[test]
fn functions_are_offered_once_something_is_typed() {
    assert_eq!(
        words("SELECT s|"),
        ["select", "semi", "set", "show", "smallint", "sqrt", "string", "sum"]
    );
    assert!(!words("SELECT |").contains(&"sum".to_owned()));
}

#[test]
fn option_keys_stand_between_the_parentheses() {
    assert_eq!(words("CREATE TABLE t (a INT) WITH ('bucket-k|"), ["bucket-key' = '"]);
    assert_eq!(words("CREATE TABLE t (a INT) WITH ('bucket-k|')"), ["bucket-key"]);
    assert_eq!(
        words("CREATE TABLE t (a INT) WITH ('bucket' = '1', 'merge-e|"),
        ["merge-engine' = '"]
    );
    assert_eq!(at("ALTER TABLE t SET (merge-e|"), Vec::<String>::new());
    assert_eq!(at("ALTER TABLE t SET (full-comp|"), Vec::<String>::new());
    assert_eq!(
        words("CREATE TABLE t (a DECIMAL(1, 2)) WITH (write|").last().map(String::as_str),
        Some("'write.batch-size' = '")
    );
    assert!(words("CREATE TABLE t (a INT) WITH (|").contains(&"'bucket' = '".to_owned()));
}

#[test]
fn option_values_are_offered_where_there_are_few() {
    assert_eq!(
        words("CREATE TABLE t (a INT) WITH ('merge-engine' = '|"),
        ["aggregation'", "deduplicate'", "first-row'", "partial-update'"]
    );
    assert_eq!(words("ALTER TABLE t SET ('write-only' = 't|"), ["true'"]);
    assert_eq!(words("ALTER TABLE t SET ('bucket' = '|"), Vec::<String>::new());
}

#[test]
fn settings_stand_behind_set() {
    assert_eq!(words("SET 'headwater.s|"), ["headwater.sql.max-rows' = '"]);
    assert_eq!(words("RESET 'headwater.s|"), ["headwater.sql.max-rows'"]);
}

#[test]
fn texts_and_comments_are_left_alone() {
    for statement in ["SELECT 'sel|", "SELECT 1 /* sel|", "SELECT 1 -- sel|", "SELECT 12|"] {
        let found = words(statement);
        assert!(!found.contains(&"select".to_owned()), "{statement}: {found:?}");
    }
}

#[test]
fn any_half_statement_is_taken() {
    for statement in ["", ".", "..", "(", ")", "a.b.c.d.", "'", "`", "WITH (", "SET (,", ";", "ü."]
    {
        for cut in 0..=statement.len() {
            if let (Some(before), Some(after)) = (statement.get(..cut), statement.get(cut..)) {
                complete(before, after, &Shop);
            }
        }
    }
}
