//! Arguments that make no sense exit with 2, what cannot be done with 1.

use headwater_testkit::TempDir;

use crate::program::headwater;

#[test]
fn wrong_arguments_exit_with_2_and_say_why() {
    for (arguments, word) in [
        (&["frobnicate"][..], "frobnicate"),
        (&["sql", "--format", "xml", "-c", "SELECT 1"], "xml"),
        (&["sql", "--memory", "lots", "-c", "SELECT 1"], "whole number"),
        (&["sql", "--memory", "1KB", "-c", "SELECT 1"], "at least"),
        (&["sql", "--threads", "0", "-c", "SELECT 1"], "1 to 1024"),
        (&["sql", "-c", "SELECT 1", "-f", "x.sql"], "cannot be used with"),
        (&["sql", "--create", "-c", "SELECT 1"], "--warehouse"),
        (&["dump"], "TABLE"),
        (&["dump", "table_without_database"], "[catalog.]db.table"),
        (&["dump", "a.b", "--snapshot", "0"], "snapshot"),
        (&["dump", "a.b", "--snapshot", "1", "--tag", "t"], "cannot be used with"),
        (&["dump", "a.b", "--mode", "diff"], "--incremental"),
        (&["bench", "W99", "dir"], "W99"),
        (&["bench", "W1"], "DIR"),
        (&["bench", "W1", "dir", "--rows", "0"], "at least 1"),
    ] {
        let said = headwater(arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {said:?}");
        assert!(said.err.contains(word), "{arguments:?}: {said:?}");
        assert_eq!(said.out, "", "{arguments:?}");
    }
}

#[test]
fn help_and_version_exit_with_0() {
    assert!(headwater(&["--help"]).ok().contains("Usage: headwater"));
    assert!(headwater(&["sql", "--help"]).ok().contains("--warehouse"));
    assert!(headwater(&["--version"]).ok().starts_with("headwater "));
}

#[test]
fn reads_of_other_versions_are_refused_by_name() {
    for arguments in [
        &["--tag", "t"][..],
        &["--branch", "b"],
        &["--incremental", "1,2"],
        &["--incremental", "1,2", "--mode", "diff"],
        &["--stream-from", "1"],
        &["--stream"],
        &["--system", "audit_log"],
    ] {
        let mut all = vec!["dump", "db.t"];
        all.extend(arguments);
        let said = headwater(&all);
        assert_eq!(said.code, 1, "{said:?}");
        let expected = format!("dump {} is not supported by this version", arguments[0]);
        assert!(said.err.contains(&expected), "{said:?}");
    }
}

#[test]
fn workloads_of_other_versions_are_refused_by_name() {
    for workload in ["W5", "W8", "W9"] {
        let said = headwater(&["bench", workload, "unused"]);
        assert_eq!(said.code, 1, "{said:?}");
        let expected = format!("workload {workload} is not supported by this version");
        assert!(said.err.contains(&expected), "{said:?}");
    }
}

#[test]
fn a_named_warehouse_that_is_missing_is_an_error_and_not_made() {
    let dir = TempDir::new();
    let warehouse = dir.join("absent");
    let said = headwater(&["sql", "-w", warehouse.to_str().unwrap(), "-c", "SELECT 1"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("absent"), "{said:?}");
    assert!(!warehouse.exists());
}

#[test]
fn a_missing_table_or_script_is_named() {
    let dir = TempDir::new();
    let said = headwater(&["dump", "db.nothing", "-w", dir.text()]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("nothing"), "{said:?}");
    let missing = dir.join("nothing");
    let said = headwater(&["dump", missing.to_str().unwrap()]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("nothing"), "{said:?}");
    let said = headwater(&["sql", "-w", dir.text(), "-f", missing.to_str().unwrap()]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("nothing"), "{said:?}");
}
