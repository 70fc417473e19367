//! What a table of partitions `p`, keys `k` and values `v` must hold.

use std::collections::BTreeMap;

use serde_json::Value;

/// The value of each partition and key.
#[derive(Default)]
pub(crate) struct Model(pub(crate) BTreeMap<(String, i64), i64>);

impl Model {
    /// Takes changes in their order.
    pub(crate) fn add(&mut self, rows: &[Value]) {
        for change in rows {
            let of = &change["row"];
            let key = (of["p"].as_str().unwrap().to_owned(), of["k"].as_i64().unwrap());
            if change["kind"] == "-D" {
                self.0.remove(&key);
            } else {
                self.0.insert(key, of["v"].as_i64().unwrap());
            }
        }
    }

    /// Fails unless these lines are the rows.
    pub(crate) fn assert(&self, table: &str, shown: &[String]) {
        let found: BTreeMap<(String, i64), i64> = shown
            .iter()
            .map(|line| {
                let row: Value = serde_json::from_str(line).unwrap();
                let row = &row["row"];
                let key = (row["p"].as_str().unwrap().to_owned(), row["k"].as_i64().unwrap());
                (key, row["v"].as_i64().unwrap())
            })
            .collect();
        assert_eq!(found, self.0, "{table}");
        assert_eq!(shown.len(), self.0.len());
    }

    /// The rows as lines, where a column `name` holds `n` and the key.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |((p, k), v): (&(String, i64), &i64)| {
            format!(
                "{{\"kind\":\"+I\",\"row\":{{\"p\":\"{p}\",\"k\":{k},\"name\":\"n{k}\",\"v\":{v}}}}}"
            )
        };
        let mut lines: Vec<String> = self.0.iter().map(line).collect();
        lines.sort();
        lines
    }
}
