//! What one record of Debezium, Canal or Maxwell says: which rows came and went.
//!
//! Rules: Flink 1.20's formats `debezium-json`, `canal-json` and `maxwell-json`. An update is the
//! old row (-U) and the new one (+U); columns that a record does not mention are null.

use crate::functions::Json;

/// Row kinds. Format: `docs/spec/datafile.md#columns`.
const INSERT: i8 = 0;
const UPDATE_BEFORE: i8 = 1;
const UPDATE_AFTER: i8 = 2;
const DELETE: i8 = 3;

/// A row with its kind; values in the order of the columns, as texts.
pub(super) type Row = (i8, Vec<Option<String>>);

/// How changes are wrapped into JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    Debezium {
        /// Whether the change is inside of `payload`; without, that is so if a record has both
        /// `schema` and `payload`.
        schema: bool,
    },
    Canal,
    Maxwell,
}

impl Envelope {
    /// Names of the formats, as Flink has them.
    pub(crate) const NAMES: [&str; 3] = ["debezium-json", "canal-json", "maxwell-json"];

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "debezium-json" => Some(Self::Debezium { schema: false }),
            "canal-json" => Some(Self::Canal),
            "maxwell-json" => Some(Self::Maxwell),
            _ => None,
        }
    }

    /// The rows of a record; the error is what is wrong with it.
    pub(super) fn rows(self, record: &str, columns: &[String]) -> Result<Vec<Row>, String> {
        let record = Json::parse_exact(record)?;
        match self {
            Self::Debezium { schema } => debezium(&record, schema, columns),
            Self::Canal => canal(&record, columns),
            Self::Maxwell => maxwell(&record, columns),
        }
    }
}

fn text<'a>(record: &'a Json, name: &str) -> Result<&'a str, String> {
    match record.member(name) {
        Some(Json::Text(text)) => Ok(text),
        Some(_) => Err(format!("'{name}' is no text")),
        None => Err(format!("it has no '{name}'")),
    }
}

/// The values of an object's members that are columns.
fn values(object: &Json, columns: &[String]) -> Result<Vec<Option<String>>, String> {
    if !matches!(object, Json::Object(_)) {
        return Err(format!("a row is no object but {object}"));
    }
    Ok(columns.iter().map(|name| object.member(name).and_then(value)).collect())
}

/// The text of a value; objects and arrays as JSON.
fn value(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::Array(_) | Json::Object(_) => Some(value.to_string()),
        scalar => scalar.scalar_text(),
    }
}

fn debezium(record: &Json, schema: bool, columns: &[String]) -> Result<Vec<Row>, String> {
    // A tombstone stands behind a deletion, for the log's own compaction.
    if *record == Json::Null {
        return Ok(Vec::new());
    }
    let payload = match (record.member("payload"), record.member("schema")) {
        (Some(Json::Null), Some(_)) => return Ok(Vec::new()),
        (Some(payload), Some(_)) => payload,
        (Some(payload), None) if schema => payload,
        (None, _) if schema => return Err("it has no 'payload'".to_owned()),
        _ => record,
    };
    let row = |name: &str| match payload.member(name) {
        Some(Json::Null) | None => Err(format!(
            "'{name}' is null: the source must log whole rows (REPLICA IDENTITY FULL in PostgreSQL)"
        )),
        Some(object) => values(object, columns),
    };
    match text(payload, "op")? {
        "c" | "r" => Ok(vec![(INSERT, row("after")?)]),
        "u" => Ok(vec![(UPDATE_BEFORE, row("before")?), (UPDATE_AFTER, row("after")?)]),
        "d" => Ok(vec![(DELETE, row("before")?)]),
        other => Err(format!("'op' = '{other}' is no change of a row: c, r, u and d are")),
    }
}

fn canal(record: &Json, columns: &[String]) -> Result<Vec<Row>, String> {
    let kind = text(record, "type")?;
    // As in Flink: the statement that made the table.
    if kind == "CREATE" {
        return Ok(Vec::new());
    }
    if !["INSERT", "UPDATE", "DELETE"].contains(&kind) {
        return Err(format!("'type' = '{kind}' is no change of rows: INSERT, UPDATE, DELETE are"));
    }
    let list = |name: &str| match record.member(name) {
        Some(Json::Array(rows)) => Ok(rows),
        _ => Err(format!("'{name}' is no list of rows")),
    };
    let data = list("data")?;
    let mut rows = Vec::with_capacity(data.len());
    if kind == "UPDATE" {
        let old = list("old")?;
        if old.len() != data.len() {
            return Err(format!("'data' has {} rows, 'old' {}", data.len(), old.len()));
        }
        for (new, old) in data.iter().zip(old) {
            rows.extend(updated(new, old, columns)?);
        }
        return Ok(rows);
    }
    let kind = if kind == "INSERT" { INSERT } else { DELETE };
    for row in data {
        rows.push((kind, values(row, columns)?));
    }
    Ok(rows)
}

fn maxwell(record: &Json, columns: &[String]) -> Result<Vec<Row>, String> {
    let data = || match record.member("data") {
        Some(data @ Json::Object(_)) => Ok(data),
        _ => Err("'data' is no row".to_owned()),
    };
    match text(record, "type")? {
        "insert" | "bootstrap-insert" => Ok(vec![(INSERT, values(data()?, columns)?)]),
        "delete" => Ok(vec![(DELETE, values(data()?, columns)?)]),
        "update" => match record.member("old") {
            Some(old @ Json::Object(_)) => updated(data()?, old, columns),
            _ => Err("'old' is no row".to_owned()),
        },
        // They only say where a copy of the table begins and ends.
        "bootstrap-start" | "bootstrap-complete" => Ok(Vec::new()),
        other => {
            Err(format!("'type' = '{other}' is no change of a row: insert, update, delete are"))
        }
    }
}

/// The old row, of which a record holds only what changed, and the new one.
fn updated(new: &Json, old: &Json, columns: &[String]) -> Result<Vec<Row>, String> {
    let after = values(new, columns)?;
    let before = values(old, columns)?;
    let before = columns.iter().zip(before).zip(&after).map(|((name, before), after)| {
        if old.member(name).is_some() { before } else { after.clone() }
    });
    Ok(vec![(UPDATE_BEFORE, before.collect()), (UPDATE_AFTER, after)])
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    fn rows(format: &str, record: &str) -> Result<Vec<String>, String> {
        let columns = ["id", "name"].map(str::to_owned);
        let rows = Envelope::named(format).unwrap().rows(record, &columns)?;
        let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
        let line = |(kind, values): &(i8, Vec<Option<String>>)| {
            format!("{kind} {}", values.iter().map(cell).collect::<Vec<_>>().join(","))
        };
        Ok(rows.iter().map(line).collect())
    }

    #[test]
    fn records_are_the_rows_that_came_and_went() {
        let debezium = "debezium-json";
        for (format, record, expected) in [
            (debezium, r#"{"before":null,"after":{"id":1,"name":"a"},"op":"c"}"#, vec!["0 1,a"]),
            (
                debezium,
                r#"{"after":{"id":12345678901234567890.10},"op":"r"}"#,
                vec!["0 12345678901234567890.10,NULL"],
            ),
            (
                debezium,
                r#"{"before":{"id":1,"name":"a"},"after":{"id":1,"name":null},"op":"u","ts_ms":1}"#,
                vec!["1 1,a", "2 1,NULL"],
            ),
            (debezium, r#"{"before":{"id":1,"name":"a"},"after":null,"op":"d"}"#, vec!["3 1,a"]),
            (debezium, "null", vec![]),
            (
                debezium,
                r#"{"schema":{},"payload":{"after":{"id":2,"name":{"x":[1.50]}},"op":"c"}}"#,
                vec![r#"0 2,{"x":[1.50]}"#],
            ),
            (
                "canal-json",
                r#"{"data":[{"id":"1","name":"a"},{"id":"2","name":null}],"type":"INSERT","isDdl":false}"#,
                vec!["0 1,a", "0 2,NULL"],
            ),
            (
                "canal-json",
                r#"{"data":[{"id":"1","name":"b"}],"old":[{"name":"a"}],"type":"UPDATE"}"#,
                vec!["1 1,a", "2 1,b"],
            ),
            ("canal-json", r#"{"data":[{"id":"1"}],"type":"DELETE"}"#, vec!["3 1,NULL"]),
            ("canal-json", r#"{"data":null,"type":"CREATE","isDdl":true}"#, vec![]),
            ("maxwell-json", r#"{"type":"insert","data":{"id":1,"name":"a"}}"#, vec!["0 1,a"]),
            (
                "maxwell-json",
                r#"{"type":"update","data":{"id":1,"name":"b"},"old":{"name":null}}"#,
                vec!["1 1,NULL", "2 1,b"],
            ),
            ("maxwell-json", r#"{"type":"delete","data":{"id":1}}"#, vec!["3 1,NULL"]),
        ] {
            assert_eq!(
                rows(format, record),
                Ok(expected.iter().map(ToString::to_string).collect()),
                "{record}"
            );
        }
    }

    #[test]
    fn records_that_are_no_changes_say_why() {
        for (format, record, reason) in [
            ("debezium-json", "{", "double quotes"),
            ("debezium-json", "{} {}", "the end of the text"),
            ("debezium-json", "{}", "no 'op'"),
            ("debezium-json", r#"{"op":"t"}"#, "no change of a row"),
            ("debezium-json", r#"{"op":"d","before":null}"#, "REPLICA IDENTITY FULL"),
            ("debezium-json", r#"{"op":"c","after":[1]}"#, "no object"),
            ("canal-json", r#"{"type":"ALTER"}"#, "no change of rows"),
            ("canal-json", r#"{"type":"INSERT"}"#, "'data' is no list"),
            ("canal-json", r#"{"type":"UPDATE","data":[{}],"old":[]}"#, "'old' 0"),
            ("maxwell-json", r#"{"type":"table-alter"}"#, "no change of a row"),
            ("maxwell-json", r#"{"type":"update","data":{}}"#, "'old' is no row"),
        ] {
            let error = rows(format, record).unwrap_err();
            assert!(error.contains(reason), "{record}: {error}");
        }
    }
}
