//! Every option of Paimon 1.4.2 through a SQL session: it acts, is kept with a warning that says
//! what is missing, or is refused. None is silent.
//!
//! `HEADWATER_BLESS=1` writes `docs/user/options.md` from what is found instead of comparing it.

mod cases;
mod changes;
mod effects;
mod page;
mod probe;

use headwater::options::{KnownOption, Treatment, table_options, treatment};

use self::cases::{bad, good, spelt_otherwise, with, written};
use self::page::Row;
use self::probe::{Kind, Options, Outcome, Probe, create};

/// The option with a value, and what it needs beside it.
fn options(key: &str, value: &str) -> Options {
    let more = with(key).iter().filter(|(k, _)| *k != key);
    std::iter::once((written(key), value.to_owned()))
        .chain(more.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
        .collect()
}

/// What is wrong with an outcome, if anything.
fn fault(option: &KnownOption, outcome: &Outcome) -> Option<String> {
    let key = written(&option.key);
    let names = |text: &str| {
        text.contains(&key) || with(&option.key).iter().any(|(other, _)| text.contains(other))
    };
    match (outcome, treatment(&option.key)) {
        (Outcome::Acts, Treatment::Honoured) => None,
        (Outcome::Acts, class) => Some(format!("silent, but {class:?}")),
        (Outcome::Kept(said), Treatment::Kept(reason)) if said.contains(reason) => None,
        (Outcome::Kept(said), _) => {
            // An honoured option that another one must go with says which.
            let beside = ["no primary key", "no changelog", "the merge engine is", "there is no '"];
            let later = said.contains("once a compaction by another engine");
            let explained = later || beside.iter().any(|reason| said.contains(reason));
            (!explained).then(|| format!("warned without a reason: {said}"))
        }
        // The option acts: the text that was written is no kind.
        (Outcome::NotWritten(said), Treatment::Honoured) if said.contains("is not a row kind") => {
            None
        }
        (Outcome::NotMade(said) | Outcome::NotWritten(said) | Outcome::NotRead(said), _) => {
            (!names(said)).then(|| format!("refused without its name: {said}"))
        }
    }
}

#[tokio::test]
async fn every_option_acts_warns_or_is_refused() {
    let probe = Probe::new().await;
    let mut faults = Vec::new();
    let mut rows = Vec::new();
    for option in table_options() {
        let mut row = Row::new(option);
        for value in good(option) {
            for kind in [Kind::Keyed, Kind::Append] {
                let given = options(&option.key, &value);
                let outcome = probe.outcome(kind, &given[0].0, &given).await;
                if let Some(fault) = fault(option, &outcome) {
                    faults.push(format!("{} = {value} ({kind:?}): {fault}", option.key));
                }
                row.found.push((value.clone(), kind, outcome));
            }
        }
        assert!(!row.found.is_empty(), "no value was tried for {}", option.key);
        rows.push(row);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(rows.len(), 283);
    page::compare(rows, &page::catalog_rows(&probe).await);
}

#[tokio::test]
async fn older_names_mean_the_same() {
    let probe = Probe::new().await;
    let mut tried = 0;
    for option in table_options().filter(|option| !option.fallback.is_empty()) {
        let value = good(option).remove(0);
        let plain = options(&option.key, &value);
        let plain = probe.outcome(Kind::Keyed, &written(&option.key), &plain).await;
        let shape = |outcome: &Outcome| std::mem::discriminant(outcome);
        for older in &option.fallback {
            // Paimon has names that are both an option of their own and an older name.
            if table_options().any(|o| o.key == *older) {
                continue;
            }
            let mut given = options(&option.key, &value);
            given[0].0.clone_from(older);
            let found = probe.outcome(Kind::Keyed, older, &given).await;
            assert_eq!(shape(&found), shape(&plain), "{older} = {value}: {found:?} {plain:?}");
            // Both: the newer name counts, and the older one is said to be without effect.
            let mut both = options(&option.key, &value);
            let other = good(option).last().unwrap().clone();
            let default = option.default.clone().filter(|d| !d.starts_with("PT"));
            both.push((older.clone(), default.unwrap_or(other)));
            let found = probe.outcome(Kind::Keyed, older, &both).await;
            match (&found, &plain) {
                (Outcome::Kept(said), Outcome::Acts | Outcome::Kept(_)) => {
                    assert!(said.contains("is an older name of"), "{older}: {said}");
                }
                _ => assert_eq!(shape(&found), shape(&plain), "{older}: {found:?} {plain:?}"),
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 14);
}

#[tokio::test]
async fn the_newer_name_counts_when_both_are_given() {
    let probe = Probe::new().await;
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let off = vec![pair("ignore-delete", "false"), pair("first-row.ignore-delete", "true")];
    let found = probe.outcome(Kind::Keyed, "first-row.ignore-delete", &off).await;
    assert!(matches!(found, Outcome::Kept(_)), "{found:?}");
    let on = vec![pair("first-row.ignore-delete", "false"), pair("ignore-delete", "true")];
    let found = probe.outcome(Kind::Keyed, "ignore-delete", &on).await;
    match &found {
        Outcome::Kept(said) => {
            assert!(said.contains("'first-row.ignore-delete' = 'false' has no effect"), "{said}")
        }
        other => panic!("{other:?}"),
    }
    let first =
        vec![pair("deduplicate.ignore-delete", "true"), pair("first-row.ignore-delete", "false")];
    let found = probe.outcome(Kind::Keyed, "ignore-delete", &first).await;
    assert!(matches!(found, Outcome::Acts | Outcome::Kept(_)), "{found:?}");
}

#[tokio::test]
async fn bad_values_are_refused_with_what_is_expected() {
    let probe = Probe::new().await;
    let mut tried = 0;
    for option in table_options() {
        let kind =
            if option.key == "streaming-read-overwrite" { Kind::Keyed } else { Kind::Append };
        for (value, says) in bad(option) {
            let mut given = options(&option.key, value);
            given.truncate(1);
            let table = probe.name();
            let error = match probe.run(&create(&table, kind, &given)).await {
                Ok(_) => panic!("{} = '{value}' was taken", option.key),
                Err(error) => error.to_string(),
            };
            let names = error.contains(&given[0].0) && error.contains(&says);
            assert!(names, "{} = '{value}': {error}", option.key);
            for older in &option.fallback {
                given[0].0.clone_from(older);
                let error = probe.run(&create(&table, kind, &given)).await.unwrap_err();
                assert!(error.to_string().contains(older.as_str()), "{older}: {error}");
            }
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
}

#[tokio::test]
async fn a_table_shows_its_options_as_they_were_given() {
    let probe = Probe::new().await;
    let (mut shown, mut spelt) = (0, 0);
    for option in table_options() {
        // Two become clauses, one is the catalog's.
        if ["primary-key", "partition", "path"].contains(&option.key.as_str()) {
            continue;
        }
        let plain = good(option).remove(0);
        let other = spelt_otherwise(option, &plain);
        spelt += usize::from(other.is_some());
        for kind in [Kind::Keyed, Kind::Append] {
            let table = probe.name();
            let made = probe.run(&create(&table, kind, &options(&option.key, &plain))).await;
            let value = other.as_ref().unwrap_or(&plain);
            let given = options(&option.key, value);
            let table = probe.name();
            let again = probe.run(&create(&table, kind, &given)).await;
            assert_eq!(made.is_ok(), again.is_ok(), "{} = {value}: {again:?}", option.key);
            if again.is_err() {
                continue;
            }
            let sql = format!("SHOW CREATE TABLE {table}");
            let text = probe.run(&sql).await.unwrap().0.remove(0);
            let line = format!("'{}' = '{}'", given[0].0, value.replace('\'', "''"));
            assert!(text.contains(&line), "{line}: {text}");
            shown += 1;
            break;
        }
    }
    assert!(shown > 270 && spelt > 100, "{shown} {spelt}");
}
