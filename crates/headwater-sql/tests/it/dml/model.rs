//! Random DELETE, UPDATE and MERGE statements against a model in memory.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::warehouse::Warehouse;

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % end).unwrap()
    }

    fn maybe(&mut self, end: u64) -> Option<i64> {
        let n = self.below(end + 1);
        (n > 0).then_some(n - 1)
    }
}

/// Rows by id: two values.
type Model = BTreeMap<i64, (Option<i64>, Option<i64>)>;

fn sql(value: Option<i64>) -> String {
    value.map_or("NULL".to_owned(), |v| v.to_string())
}

/// What a condition says of an id and two values.
type Holds = Box<dyn Fn(i64, Option<i64>, Option<i64>) -> Option<bool>>;

/// A condition as SQL, and what it says of a row; `None` is null.
struct Condition {
    text: String,
    holds: Holds,
}

fn condition(r: &mut Numbers, others: &BTreeMap<i64, Option<i64>>) -> Condition {
    let n = r.below(40);
    let known = others.clone();
    match r.below(8) {
        0 => {
            Condition { text: format!("x.id < {n}"), holds: Box::new(move |id, _, _| Some(id < n)) }
        }
        1 => Condition {
            text: format!("x.a = {n} % 7"),
            holds: Box::new(move |_, a, _| a.map(|a| a == n % 7)),
        },
        2 => Condition {
            text: format!("x.a + x.b > {n} % 13"),
            holds: Box::new(move |_, a, b| Some(a? + b? > n % 13)),
        },
        3 => Condition {
            text: "x.id IN (SELECT id FROM o)".to_owned(),
            holds: Box::new(move |id, _, _| Some(known.contains_key(&id))),
        },
        4 => Condition {
            text: "EXISTS (SELECT 1 FROM o WHERE o.id = x.id AND o.n < x.a)".to_owned(),
            holds: Box::new(move |id, a, _| {
                Some(matches!((known.get(&id), a), (Some(Some(n)), Some(a)) if *n < a))
            }),
        },
        5 => Condition {
            text: "NOT EXISTS (SELECT 1 FROM o WHERE o.id = x.id)".to_owned(),
            holds: Box::new(move |id, _, _| Some(!known.contains_key(&id))),
        },
        6 => Condition {
            text: "x.a <> (SELECT max(o.n) FROM o WHERE o.id = x.id)".to_owned(),
            holds: Box::new(move |id, a, _| Some(a? != known.get(&id).copied().flatten()?)),
        },
        _ => Condition {
            text: format!("x.b IS NULL OR x.id % 5 = {n} % 5"),
            holds: Box::new(move |id, _, b| Some(b.is_none() || id % 5 == n % 5)),
        },
    }
}

async fn compare(kind: &str, seed: u64, statements: usize) {
    let w = Warehouse::unsynced().await;
    let mut r = Numbers(seed);
    let mut model = Model::new();
    let mut others: BTreeMap<i64, Option<i64>> = BTreeMap::new();
    let mut text = String::new();
    for id in 0..40 {
        let row = (r.maybe(9), r.maybe(9));
        model.insert(id, row);
        write!(text, "{}({id}, {}, {})", if id > 0 { ", " } else { "" }, sql(row.0), sql(row.1))
            .unwrap();
    }
    for _ in 0..12 {
        others.insert(r.below(50), r.maybe(9));
    }
    let source: Vec<String> = others.iter().map(|(id, n)| format!("({id}, {})", sql(*n))).collect();
    w.run(&format!(
        "CREATE TABLE t (id BIGINT NOT NULL, a BIGINT, b BIGINT{kind};
         CREATE TABLE o (id BIGINT, n BIGINT);
         INSERT INTO t VALUES {text}; INSERT INTO o VALUES {}",
        source.join(", ")
    ))
    .await;
    for _ in 0..statements {
        let when = condition(&mut r, &others);
        let holds = |model: &Model, id: i64| {
            let (a, b) = model[&id];
            (when.holds)(id, a, b) == Some(true)
        };
        let before = model.clone();
        let statement = match r.below(4) {
            0 => {
                model.retain(|id, _| !holds(&before, *id));
                format!("DELETE FROM t AS x WHERE {}", when.text)
            }
            1 => {
                for (id, row) in &mut model {
                    if holds(&before, *id) {
                        *row = (row.1, row.0.map(|a| (a + id) % 10));
                    }
                }
                format!("UPDATE t AS x SET a = b, b = (a + id) % 10 WHERE {}", when.text)
            }
            2 => {
                for (id, row) in &mut model {
                    if let (true, Some(n)) = (holds(&before, *id), others.get(id)) {
                        row.0 = *n;
                    }
                }
                format!(
                    "UPDATE t AS x SET a = q.n FROM o AS q WHERE q.id = x.id AND ({})",
                    when.text
                )
            }
            _ => {
                for id in before.keys() {
                    match (others.get(id), holds(&before, *id)) {
                        (Some(_), true) => {
                            model.remove(id);
                        }
                        (Some(n), false) => model.get_mut(id).unwrap().1 = n.map(|n| n + 1),
                        (None, true) => model.get_mut(id).unwrap().0 = None,
                        (None, false) => {}
                    }
                }
                for (id, n) in &others {
                    if !before.contains_key(id) {
                        model.insert(*id, (*n, Some(3)));
                    }
                }
                // Subqueries stand in the source: a WHEN compares columns.
                format!(
                    "MERGE INTO t USING (
                        SELECT COALESCE(q.id, x.id) AS id, q.id IS NOT NULL AS known, q.n AS n,
                               ({}) AS hit FROM t AS x FULL JOIN o AS q ON x.id = q.id) AS s
                     ON t.id = s.id
                     WHEN MATCHED AND s.known AND s.hit THEN DELETE
                     WHEN MATCHED AND s.known THEN UPDATE SET b = s.n + 1
                     WHEN MATCHED AND s.hit THEN UPDATE SET a = NULL
                     WHEN NOT MATCHED THEN INSERT (id, a, b) VALUES (s.id, s.n, 3)",
                    when.text
                )
            }
        };
        // Not every subquery is one that the planner can put into a list of columns.
        if statement.starts_with("MERGE") && when.text.contains("SELECT") {
            model = before;
            continue;
        }
        w.run(&statement).await;
        let expected: Vec<String> =
            model.iter().map(|(id, (a, b))| format!("{id}|{}|{}", sql(*a), sql(*b))).collect();
        let found = w.run("SELECT id, a, b FROM t ORDER BY id").await;
        assert_eq!(found, expected, "seed {seed}: {statement}");
    }
}

#[tokio::test]
async fn statements_do_what_a_model_does() {
    let kinds = [
        ", PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '3')",
        ", PRIMARY KEY (id) NOT ENFORCED) WITH ('dynamic-bucket.target-row-num' = '9')",
        ") WITH ('bucket' = '-1')",
        ") WITH ('bucket' = '2', 'bucket-key' = 'id')",
    ];
    for kind in kinds {
        for seed in 1..=4 {
            compare(kind, seed, 12).await;
        }
    }
}
