//! Options after CREATE TABLE: ALTER TABLE SET and RESET, hints, SET, and what other engines stored.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use headwater::options::{Treatment, table_options, treatment};
use headwater_testkit::require_java;
use serde_json::{Value, json};

use super::cases::{good, written};
use super::options;
use super::probe::{Kind, Options, Probe, create, files};

/// A table with a row.
async fn table(probe: &Probe, kind: Kind, options: &Options) -> String {
    let name = probe.name();
    let insert = format!("INSERT INTO {name} VALUES (1, 'a', DATE '2024-01-01')");
    probe.run(&format!("{}; {insert}", create(&name, kind, options))).await.unwrap();
    name
}

/// Makes `to` a copy of a directory.
fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    for file in files(from) {
        std::fs::create_dir_all(to.join(&file).parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
}

/// Changes about which this version and Java differ: the key, whether Java takes it, and why.
const DIFFERENT: [(&str, &str, bool, &str); 9] = [
    ("SET", "bucket", false, "-1 changes nothing where it was -1; Java compares texts"),
    ("RESET", "ignore-delete", true, "rows that were left out would come back"),
    ("RESET", "ignore-update-before", true, "rows that were left out would come back"),
    ("SET", "incremental-to-auto-tag", false, "Java looks for the tag; reading is refused here"),
    ("SET", "path", true, "Java keeps it as a text, and the catalog decides all the same"),
    ("SET", "record-level.expire-time", true, "without a time field Java fails when it writes"),
    ("SET", "scan.fallback-branch", false, "Java looks for the branch; reading is refused here"),
    ("SET", "scan.primary-branch", false, "Java looks for the branch; reading is refused here"),
    ("SET", "scan.version", false, "Java looks for the tag; reading is refused here"),
];

#[tokio::test]
async fn options_change_as_java_lets_them() {
    let probe = Probe::new().await;
    let java = require_java("options_change_as_java_lets_them");
    let mut faults = Vec::new();
    let mut different = BTreeSet::new();
    for kind in [Kind::Keyed, Kind::Append] {
        let ours = table(&probe, kind, &Vec::new()).await;
        let template = table(&probe, kind, &Vec::new()).await;
        let template = probe.dir(&template);
        let theirs: PathBuf = probe.warehouse.dir.path().join("theirs");
        let ask = |change: Value| -> Option<bool> {
            let command = json!({"op": "alter", "path": theirs, "changes": [change]});
            java.as_ref().map(|java| java.call(&command).is_ok())
        };
        for option in table_options() {
            let key = written(&option.key);
            let value = good(option).remove(0);
            // Java cannot even open tables after some of the changes that it lets pass.
            if java.is_some() {
                copy(&template, &theirs);
            }
            let set = probe.run(&format!("ALTER TABLE {ours} SET ('{key}' = '{value}')")).await;
            let java_set = ask(json!({"change": "set", "key": key, "value": value}));
            if let Err(error) = &set
                && !error.to_string().contains(&key)
            {
                faults.push(format!("{key} = {value}: refused without its name: {error}"));
            }
            if option.immutable && set.is_ok() {
                faults.push(format!("{key} = {value} ({kind:?}) may not change, but did"));
            }
            let mut compare = |what: &'static str, java: Option<bool>, error: Option<String>| {
                if java.is_none_or(|java| java == error.is_none()) {
                    return;
                }
                let known = DIFFERENT.iter().find(|(how, name, takes, _)| {
                    *how == what && *name == option.key && Some(*takes) == java
                });
                match known {
                    Some((how, name, ..)) => {
                        different.insert((*how, *name));
                    }
                    None => faults.push(format!(
                        "{what} {key} = {value} ({kind:?}): Java {java:?}, here {error:?}"
                    )),
                }
            };
            compare("SET", java_set, set.as_ref().err().map(ToString::to_string));
            if set.is_ok() {
                let shown = probe.run(&format!("SHOW CREATE TABLE {ours}")).await.unwrap().0;
                assert!(shown[0].contains(&format!("'{key}' = '{value}'")), "{key}: {}", shown[0]);
                let reset = probe.run(&format!("ALTER TABLE {ours} RESET ('{key}')")).await;
                let java_reset = ask(json!({"change": "reset", "key": key}));
                // Java cannot open what is a branch without a schema from then on.
                if option.key != "branch" && java_set == Some(true) {
                    compare("RESET", java_reset, reset.err().map(|e| e.to_string()));
                }
            }
        }
    }
    if java.is_some() {
        let unused = DIFFERENT.iter().filter(|(how, key, ..)| !different.contains(&(*how, *key)));
        let unused: Vec<_> = unused.map(|(how, key, ..)| format!("{how} {key}")).collect();
        assert!(unused.is_empty(), "Java does the same now: {unused:?}");
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
async fn options_of_a_table_decide_about_its_changes() {
    let probe = Probe::new().await;
    let none = Vec::new();
    for (kind, (key, value), change) in [
        (
            Kind::Append,
            ("alter-column-null-to-not-null.disabled", "false"),
            "ALTER COLUMN v SET NOT NULL",
        ),
        (
            Kind::Keyed,
            ("deletion-vectors.modifiable", "true"),
            "SET ('deletion-vectors.enabled' = 'true')",
        ),
    ] {
        let name = table(&probe, kind, &none).await;
        let error = probe.run(&format!("ALTER TABLE {name} {change}")).await.unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
        let set = format!("ALTER TABLE {name} SET ('{key}' = '{value}')");
        probe.run(&format!("{set}; ALTER TABLE {name} {change}")).await.unwrap();
    }
    let name = table(&probe, Kind::Append, &none).await;
    let columns = async || {
        let rows = probe.run(&format!("DESCRIBE {name}")).await.unwrap().0;
        rows.iter().map(|r| r.split('|').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    probe
        .run(&format!(
            "ALTER TABLE {name} ADD (x BIGINT);
             ALTER TABLE {name} SET ('add-column-before-partition' = 'true',
                 'disable-explicit-type-casting' = 'true');
             ALTER TABLE {name} ADD (y INT)"
        ))
        .await
        .unwrap();
    assert_eq!(columns().await, ["k", "v", "y", "p", "x"]);
    let narrower = format!("ALTER TABLE {name} MODIFY x INT");
    let error = probe.run(&narrower).await.unwrap_err().to_string();
    assert!(error.contains("'disable-explicit-type-casting' is set"), "{error}");
    let reset = format!("ALTER TABLE {name} RESET ('disable-explicit-type-casting')");
    probe.run(&format!("{reset}; {narrower}")).await.unwrap();
}

#[tokio::test]
async fn hints_and_settings_are_never_silent() {
    let probe = Probe::new().await;
    let mut faults = Vec::new();
    for (kind, key_prefix) in [(Kind::Keyed, ""), (Kind::Append, "paimon.")] {
        let name = table(&probe, kind, &Vec::new()).await;
        let other = table(&probe, kind, &Vec::new()).await;
        for option in table_options() {
            let key = written(&option.key);
            let value = good(option).remove(0);
            let given = options(&option.key, &value);
            let hint: Vec<String> = given.iter().map(|(k, v)| format!("'{k}' = '{v}'")).collect();
            let select = format!("SELECT k, v FROM {name} /*+ OPTIONS({}) */", hint.join(", "));
            let hinted = probe.run(&select).await;
            let mut script = String::new();
            for (k, v) in &given {
                script.push_str(&format!("SET '{key_prefix}{k}' = '{v}'; "));
            }
            let set = probe.run(&format!("{script} SELECT k, v FROM {other}")).await;
            for (how, found) in [("hint", hinted), ("SET", set)] {
                let names = |text: &str| given.iter().any(|(k, _)| text.contains(k.as_str()));
                let fault = match (&found, treatment(&option.key)) {
                    (Err(error), _) if names(&error.to_string()) => None,
                    // There is no such snapshot.
                    (Err(error), Treatment::SelectsOtherRows)
                        if error.to_string().contains("snapshot") =>
                    {
                        None
                    }
                    // The files of the table have the other names.
                    (Err(error), _)
                        if key == "partition.legacy-name"
                            && error.to_string().contains("p=2024-01-01") =>
                    {
                        None
                    }
                    (Err(error), _) => Some(format!("refused without its name: {error}")),
                    (Ok((rows, _)), _) if rows != &["1|a"] => Some(format!("{rows:?}")),
                    (Ok(_), Treatment::Honoured) => None,
                    // These two choose the only snapshot that there is.
                    (Ok(_), Treatment::SelectsOtherRows) => None,
                    (Ok((_, said)), _) if said.iter().any(|s| s.contains(&key)) => None,
                    (Ok((_, said)), class) => Some(format!("silent ({class:?}): {said:?}")),
                };
                if let Some(fault) = fault {
                    faults.push(format!("{how} {key} = {value} ({kind:?}): {fault}"));
                }
                if option.immutable && how == "hint" {
                    let change = format!("'{key}' may not change by a hint");
                    let refused = probe
                        .run(&format!("SELECT k FROM {name} /*+ OPTIONS('{key}' = '{value}') */"))
                        .await;
                    assert!(refused.is_err(), "{change}");
                }
            }
            for (k, _) in &given {
                probe.run(&format!("RESET '{key_prefix}{k}'")).await.unwrap();
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
async fn unknown_options_are_refused_here_and_kept_when_another_engine_stored_them() {
    let probe = Probe::new().await;
    for (key, near) in [
        ("bukcet", "'bucket'"),
        ("snapshot.num-retained.maxx", "'snapshot.num-retained.max'"),
        ("fields.v.agregate-function", "there is no such option"),
        ("file-index.bloom.columns", "there is no such option"),
    ] {
        let given = vec![(key.to_owned(), "1".to_owned())];
        let made = probe.run(&create("x", Kind::Append, &given)).await.unwrap_err().to_string();
        assert!(made.contains(key) && made.contains(near), "{made}");
        let name = table(&probe, Kind::Append, &Vec::new()).await;
        for sql in [
            format!("ALTER TABLE {name} SET ('{key}' = '1')"),
            format!("SELECT * FROM {name} /*+ OPTIONS('{key}' = '1') */"),
        ] {
            let error = probe.run(&sql).await.unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(near), "{sql}: {error}");
        }
    }
    let name = table(&probe, Kind::Append, &Vec::new()).await;
    let path = probe.dir(&name).join("schema/schema-0");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let stored = json!({
        "bukcet": "1",
        "option.of.the.future": "x",
        "fields.v.aggregate-function": "sum",
        "orc.stripe.size": "1000",
        "metadata.iceberg.storage": "table-location",
    });
    for (key, value) in stored.as_object().unwrap() {
        schema["options"][key] = value.clone();
    }
    std::fs::write(&path, schema.to_string()).unwrap();
    let (rows, said) = probe.run(&format!("SELECT k FROM {name}")).await.unwrap();
    assert_eq!(rows, ["1"]);
    for key in stored.as_object().unwrap().keys() {
        let about = said.iter().filter(|s| s.contains(&format!("'{key}'"))).count();
        assert_eq!(about, 1, "{key}: {said:?}");
    }
    assert!(
        said.iter().any(|s| s.contains("'bukcet'") && s.contains("near: 'bucket'")),
        "{said:?}"
    );
    // Once in a session, and another change of the table leaves them.
    let script = format!(
        "SELECT k FROM {name}; ALTER TABLE {name} SET ('write-only' = 'true');
         INSERT INTO {name} VALUES (2, 'b', DATE '2024-01-01'); SHOW CREATE TABLE {name}"
    );
    let (lines, said) = probe.run(&script).await.unwrap();
    assert_eq!(said, Vec::<String>::new());
    for (key, value) in stored.as_object().unwrap() {
        let line = format!("'{key}' = '{}'", value.as_str().unwrap());
        assert!(lines.last().unwrap().contains(&line), "{line}: {lines:?}");
    }
}
