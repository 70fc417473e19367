//! The table of Flink's functions against its list, against what is registered, and as a page.
#![expect(clippy::disallowed_methods, reason = "test code that reads the workspace")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use futures::StreamExt;
use headwater::Env;
use headwater_testkit::{hold_page, repository_root};

use super::table::{Entry, MORE, Status, TABLE};
use super::{Flavour, specs};
use crate::settings::{FUNCTIONS, TIME_ZONE};
use crate::{Output, SessionOptions, SqlSession};

async fn session(flavour: Flavour) -> (tempfile::TempDir, SqlSession) {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::system(1, 64 << 20);
    let place = dir.path().join("warehouse");
    let catalog =
        headwater::open_catalog(place.to_str().unwrap(), true, env.clone()).await.unwrap();
    let options =
        SessionOptions::new(Arc::new(catalog), env).setting(FUNCTIONS, flavour_name(flavour));
    (dir, SqlSession::new(options).await.unwrap())
}

/// The only value of a query, as a text.
async fn value(session: &SqlSession, query: &str) -> Result<String, String> {
    let result = session.execute(query).await.map_err(|e| e.to_string())?;
    let Output::Rows(mut rows) = result.output else { return Err("no rows".to_owned()) };
    let mut values = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|e| e.to_string())?;
        for row in 0..batch.num_rows() {
            let column = batch.column(0);
            values.push(arrow::util::display::array_value_to_string(column, row).unwrap());
        }
    }
    Ok(values.join(", "))
}

const fn flavour_name(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Flink => "flink",
        Flavour::Datafusion => "datafusion",
    }
}

fn own_names(flavour: Flavour) -> BTreeSet<&'static str> {
    specs(flavour).into_iter().flat_map(|spec| spec.names).copied().collect()
}

#[test]
fn the_table_has_every_function_of_the_list() {
    let list = std::fs::read_to_string(repository_root().join("compat/flink/functions.txt"));
    let list = list.unwrap();
    let listed: Vec<&str> = list.lines().collect();
    let known: Vec<&str> = TABLE.iter().map(|entry| entry.flink).collect();
    assert_eq!(known, listed);
}

#[test]
fn functions_that_are_made_here_are_registered() {
    let names = own_names(Flavour::Flink);
    for entry in TABLE.iter().chain(MORE) {
        let name = entry.sql.to_ascii_lowercase();
        match entry.status {
            Status::Own => assert!(names.contains(name.as_str()), "{name} is not there"),
            Status::Datafusion(name, _) => assert!(!names.contains(name), "{name} is made here"),
            _ => {}
        }
    }
}

#[test]
fn every_function_that_is_made_here_is_in_the_table() {
    let listed: BTreeSet<String> =
        TABLE.iter().chain(MORE).map(|entry| entry.sql.to_ascii_lowercase()).collect();
    // Other spellings, and those that a form of SQL stands for.
    let also = [
        "array_element",
        "btrim",
        "character_length",
        "if_then_else",
        "init_cap",
        "lcase",
        "local_time",
        "local_timestamp",
        "lower_case",
        "map[]",
        "timestamp_add",
        "timestamp_diff",
        "ucase",
        "upper_case",
    ];
    for name in own_names(Flavour::Flink) {
        let known = name.starts_with('$') || also.contains(&name) || listed.contains(name);
        assert!(known, "{name} is in no table");
    }
}

#[tokio::test]
async fn functions_of_datafusion_are_there() {
    let (_dir, session) = session(Flavour::Flink).await;
    for entry in TABLE {
        if let Status::Datafusion(name, _) = entry.status {
            let argument = match name {
                "uuid" => "",
                "flatten" => "ARRAY[ARRAY[v]]",
                _ => "v",
            };
            let query = format!("SELECT {name}({argument}) FROM (VALUES (1), (2)) AS t(v)");
            value(&session, &query).await.unwrap();
        }
    }
}

#[tokio::test]
async fn forms_of_sql_are_understood() {
    for flavour in [Flavour::Flink, Flavour::Datafusion] {
        let (_dir, session) = session(flavour).await;
        for entry in TABLE {
            if let Status::Syntax(example) = entry.status {
                // Both need planning or names that only Flink's flavour has.
                let of_flink = example.contains("OVERLAPS") || example.contains("EXPR$");
                if flavour == Flavour::Datafusion && of_flink {
                    continue;
                }
                let found = value(&session, &format!("SELECT {example}")).await;
                assert!(found.is_ok(), "{flavour:?} {}: {example}: {found:?}", entry.flink);
            }
        }
    }
}

#[tokio::test]
async fn functions_that_are_not_there_are_refused_by_name() {
    let (_dir, session) = session(Flavour::Flink).await;
    for entry in TABLE {
        if !matches!(entry.status, Status::Lacking(_) | Status::TableApi) {
            continue;
        }
        for name in [entry.sql, entry.flink] {
            for query in [
                format!("SELECT `{name}`(v) FROM (VALUES (1)) AS t(v)"),
                format!("SELECT `{name}`() FROM (VALUES (1)) AS t(v)"),
            ] {
                let error = value(&session, &query).await.unwrap_err();
                assert!(
                    error.contains("is a function of Flink")
                        && error.to_lowercase().contains(&name.to_lowercase()),
                    "{query}: {error}"
                );
            }
        }
    }
    let error = value(&session, "SELECT JSON_OBJECTAGG(KEY 'k' VALUE 1)").await.unwrap_err();
    assert!(error.contains("JSON_OBJECTAGG is a function of Flink"), "{error}");
}

#[tokio::test]
async fn the_flavour_chooses_where_functions_differ() {
    for (flavour, expr, wanted) in [
        (Flavour::Flink, "CHR(321)", "A"),
        (Flavour::Datafusion, "CHR(321)", "Ł"),
        (Flavour::Flink, "1.0 / 3", "0.333333333333"),
        (Flavour::Flink, "CAST(300 AS TINYINT)", "44"),
        (Flavour::Datafusion, "'a' || 1", "a1"),
        // What DataFusion does not have is Flink's in both.
        (Flavour::Datafusion, "SPLIT_INDEX('a:b', ':', 1)", "b"),
    ] {
        let (_dir, session) = session(flavour).await;
        let found = value(&session, &format!("SELECT {expr}")).await;
        assert_eq!(found.as_deref(), Ok(wanted), "{flavour:?} {expr}");
    }
    let (_dir, session) = session(Flavour::Datafusion).await;
    assert!(value(&session, "SELECT CAST(300 AS TINYINT)").await.is_err());
    assert_eq!("FLINK".parse::<Flavour>().unwrap(), Flavour::Flink);
    assert!("calcite".parse::<Flavour>().is_err());
}

#[tokio::test]
async fn the_time_zone_of_the_session_counts() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::system(1, 64 << 20);
    let place = dir.path().join("warehouse");
    let place = place.to_str().unwrap();
    let open = async |zone: &str| {
        let catalog = headwater::open_catalog(place, true, env.clone()).await.unwrap();
        let options = SessionOptions::new(Arc::new(catalog), env.clone()).setting(TIME_ZONE, zone);
        SqlSession::new(options).await
    };
    let session = open("Asia/Shanghai").await.unwrap();
    for (expr, wanted) in [
        ("FROM_UNIXTIME(0)", "1970-01-01 08:00:00"),
        ("UNIX_TIMESTAMP('1970-01-01 08:00:00')", "0"),
        ("CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING)", "1970-01-01 08:00:00.000"),
        ("DATE_FORMAT(TO_TIMESTAMP_LTZ(0, 3), 'HH:mm')", "08:00"),
        ("EXTRACT(HOUR FROM TO_TIMESTAMP_LTZ(0, 3))", "8"),
        ("UNIX_TIMESTAMP(CAST(CURRENT_TIMESTAMP AS STRING)) - UNIX_TIMESTAMP()", "0"),
        ("TIMESTAMPDIFF(SECOND, LOCALTIMESTAMP, CURRENT_TIMESTAMP)", "0"),
        (
            "CAST(CAST('1970-01-01 08:00:00' AS TIMESTAMP_LTZ(3)) AS TIMESTAMP(0))",
            "1970-01-01T08:00:00",
        ),
    ] {
        let found = value(&session, &format!("SELECT {expr}")).await;
        assert_eq!(found.as_deref(), Ok(wanted), "{expr}");
    }
    let error = open("Mars/Olympus").await.err().unwrap().to_string();
    assert!(error.contains("'Mars/Olympus'"), "{error}");
}

const HEAD: &str = include_str!("page_head.md");

fn page() -> String {
    let mut page = HEAD.to_owned();
    let line = |page: &mut String, entry: &Entry| {
        let status = match entry.status {
            Status::Own => "as in Flink".to_owned(),
            Status::Datafusion(_, "") => "DataFusion's, the same".to_owned(),
            Status::Datafusion(_, differs) => format!("DataFusion's: {differs}"),
            Status::Syntax(example) => format!("as in Flink: `{}`", example.replace('|', "\\|")),
            Status::Lacking(advice) => format!("refused: {advice}"),
            Status::TableApi => "refused: a method of the Table API, which has no SQL".to_owned(),
        };
        let name =
            if entry.flink.is_empty() { String::new() } else { format!("`{}`", entry.flink) };
        writeln!(page, "| `{}` | {name} | {status} |", entry.sql).unwrap();
    };
    let mut all: Vec<&Entry> = TABLE.iter().collect();
    all.sort_by_key(|entry| (entry.sql, entry.flink));
    all.iter().for_each(|entry| line(&mut page, entry));
    page.push_str("\nBesides these, Flink's SQL has functions that its own list leaves out:\n\n");
    page.push_str("| SQL | Flink | in this version |\n|---|---|---|\n");
    MORE.iter().for_each(|entry| line(&mut page, entry));
    page
}

#[test]
fn functions_page_is_what_the_code_does() {
    hold_page("docs/user/functions.md", &page());
}
