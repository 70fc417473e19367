//! The schema changes that an `ops.jsonl` tells in prose, as commands.

use serde_json::{Value, json};

/// The changes of an `alter` operation, as the oracle takes them.
pub(super) fn changes(what: &str) -> Value {
    match what {
        "default of v is 'dv'" => json!([
            { "change": "default", "column": "v", "value": "dv" },
        ]),
        "add e INT last; add f STRING after a" => json!([
            { "change": "add", "column": "e", "type": "INT" },
            { "change": "add", "column": "f", "type": "STRING", "after": "a" },
        ]),
        "drop c" => json!([{ "change": "drop", "column": "c" }]),
        "add c STRING again (a new id)" => json!([
            { "change": "add", "column": "c", "type": "STRING" },
        ]),
        "add r.z DOUBLE; rename r.in.p to pp; drop r.y; r.x BIGINT; add element field ar.n" => {
            json!([
                { "change": "add", "column": ["r", "z"], "type": "DOUBLE" },
                { "change": "rename", "column": ["r", "in", "p"], "to": "pp" },
                { "change": "drop", "column": ["r", "y"] },
                { "change": "type", "column": ["r", "x"], "type": "BIGINT" },
                { "change": "add", "column": ["ar", "element", "n"], "type": "STRING" },
            ])
        }
        "v nullable; comments; options" => json!([
            { "change": "nullability", "column": "v", "nullable": true },
            { "change": "comment", "column": "v", "comment": "new" },
            { "change": "table_comment", "comment": "table" },
            { "change": "set", "key": "snapshot.num-retained.min", "value": "7" },
        ]),
        "remove option" => json!([{ "change": "reset", "key": "snapshot.num-retained.min" }]),
        "rename a to tmp; c to a; tmp to c" => json!([
            { "change": "rename", "column": "a", "to": "tmp" },
            { "change": "rename", "column": "c", "to": "a" },
            { "change": "rename", "column": "tmp", "to": "c" },
        ]),
        "move b last" => json!([{ "change": "move", "column": "b", "last": true }]),
        "i8 INT, i16 BIGINT, i32 BIGINT, f DOUBLE, d DECIMAL(12,4), s STRING, n STRING, dt TIMESTAMP(3)" =>
        {
            let types = [
                ("i8", "INT"),
                ("i16", "BIGINT"),
                ("i32", "BIGINT"),
                ("f", "DOUBLE"),
                ("d", "DECIMAL(12, 4)"),
                ("s", "STRING"),
                ("n", "STRING"),
                ("dt", "TIMESTAMP(3)"),
            ];
            types
                .iter()
                .map(|(column, t)| json!({ "change": "type", "column": column, "type": t }))
                .collect()
        }
        "set bucket=4" => json!([{ "change": "set", "key": "bucket", "value": "4" }]),
        other => panic!("no commands for the alter operation {other:?}"),
    }
}
