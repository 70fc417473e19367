//! Where settings come from: arguments, the environment, `headwater.toml`; and where results go.

use std::path::Path;

use headwater_testkit::TempDir;
use headwater_testkit::files::{list_files, read_file, write_file};

use crate::program::{Said, command, headwater, headwater_in, headwater_with_input, said, sql};

/// Runs the binary in a directory that is also the user's, with variables of the environment.
fn run(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
    let mut command = command(arguments);
    command.current_dir(directory).env("HOME", directory).envs(variables.iter().copied());
    said(command.output().unwrap())
}

/// A warehouse whose table `t` holds the name of its directory.
fn warehouse(directory: &TempDir, name: &str) {
    let path = directory.join(name);
    let statements = format!("CREATE TABLE t (name STRING); INSERT INTO t VALUES ('{name}')");
    sql(path.to_str().unwrap(), &statements).ok();
}

const ASK: &[&str] = &["sql", "--format", "csv", "-c", "SELECT name FROM t"];

#[test]
fn arguments_win_over_the_environment_and_that_over_the_file() {
    let dir = TempDir::new();
    for name in ["lake", "pond", "env", "argument"] {
        warehouse(&dir, name);
    }
    let file = "default-catalog = 'lake'\nformat = 'csv'\n[catalog.lake]\nwarehouse = 'lake'\n\
                [catalog.pond]\nwarehouse = 'pond'\n";
    write_file(&dir.join("headwater.toml"), file.as_bytes());
    let from_env = [("HEADWATER_WAREHOUSE", "env")];
    let by_env = [("HEADWATER_CATALOG", "pond")];
    let ask = |variables: &[(&str, &str)], more: &[&str]| {
        let all = [&["sql", "-c", "SELECT name FROM t"], more].concat();
        run(dir.path(), variables, &all).ok()
    };
    assert_eq!(ask(&[], &[]), "name\nlake\n");
    assert_eq!(ask(&by_env, &[]), "name\npond\n");
    assert_eq!(ask(&from_env, &[]), "name\nenv\n");
    assert_eq!(ask(&from_env, &["-w", "argument"]), "name\nargument\n");
    assert_eq!(ask(&from_env, &["--catalog", "pond"]), "name\npond\n");
    let ndjson = [("HEADWATER_FORMAT", "ndjson")];
    assert_eq!(ask(&ndjson, &[]), "{\"name\":\"lake\"}\n");
    assert_eq!(ask(&ndjson, &["--format", "json"]), "[\n{\"name\":\"lake\"}\n]\n");
    // One session has them all.
    let both = "SHOW CATALOGS; SELECT a.name, b.name AS other FROM t AS a, pond.`default`.t AS b;
                USE CATALOG pond; SHOW CURRENT CATALOG; SELECT name FROM lake.`default`.t";
    let said = run(dir.path(), &[], &["sql", "-c", both]).ok();
    for part in ["lake\npond\n", "name,other\nlake,pond\n", "name\nlake\n"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let from_place = run(dir.path(), &[], &["sql", "-w", "env", "-c", "SHOW CATALOGS"]).ok();
    assert!(from_place.contains("lake\npaimon\npond\n"), "{from_place}");
    // The other commands know the catalogs as well.
    for (name, row) in [("default.t", "lake"), ("pond.default.t", "pond")] {
        let said = run(dir.path(), &[], &["dump", name]);
        assert!(said.out.contains(row), "{said:?}");
    }
    let said = run(dir.path(), &[], &["dump", "sea.default.t"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("there is no catalog 'sea'; there are lake, pond"), "{said:?}");
}

#[test]
fn the_file_is_that_of_the_directory_or_else_the_users() {
    let dir = TempDir::new();
    for name in ["here", "users", "named"] {
        warehouse(&dir, name);
    }
    let file = |name: &str| format!("[catalog.c]\nwarehouse = '{}'\n", dir.join(name).display());
    let ask = |variables: &[(&str, &str)], more: &[&str]| {
        run(dir.path(), variables, &[ASK, more].concat()).ok()
    };
    write_file(&dir.join(".config/headwater/headwater.toml"), file("users").as_bytes());
    assert_eq!(ask(&[], &[]), "name\nusers\n");
    write_file(&dir.join("headwater.toml"), file("here").as_bytes());
    assert_eq!(ask(&[], &[]), "name\nhere\n");
    write_file(&dir.join("other.toml"), file("named").as_bytes());
    assert_eq!(ask(&[("HEADWATER_CONFIG", "other.toml")], &[]), "name\nnamed\n");
    assert_eq!(ask(&[], &["--config", "other.toml"]), "name\nnamed\n");
    let said = run(dir.path(), &[], &["--config", "absent.toml", "sql", "-c", "SELECT 1"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("absent.toml does not exist"), "{said:?}");
}

#[test]
fn mistakes_in_settings_are_named_with_what_was_meant() {
    let dir = TempDir::new();
    let file = dir.join("headwater.toml");
    for (text, expected) in [
        ("memroy = '1GiB'", "headwater.toml: there is no key 'memroy'; did you mean 'memory'?"),
        ("[catalog.c]\nwarehouse = 'absent'", "warehouse \"absent\" does not exist"),
        (
            "[conf]\n'headwater.timezone' = 'UTC'",
            "there is no setting 'headwater.timezone'; did you mean 'headwater.time-zone'?",
        ),
        ("[conf]\n'headwater.sql.max-rows' = 'many'", "'many' is not a count"),
    ] {
        write_file(&file, text.as_bytes());
        let said = run(dir.path(), &[], &["sql", "-c", "SELECT 1"]);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
    write_file(&file, b"");
    let said =
        run(dir.path(), &[], &["sql", "--conf", "headwater.sql.max-row=3", "-c", "SELECT 1"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("did you mean 'headwater.sql.max-rows'?"), "{said:?}");
    let said = run(dir.path(), &[], &["sql", "--conf", "novalue", "-c", "SELECT 1"]);
    assert_eq!(said.code, 2, "{said:?}");
    let said = run(dir.path(), &[("HEADWATER_THREADS", "none")], &["sql", "-c", "SELECT 1"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("HEADWATER_THREADS: a number from 1"), "{said:?}");
}

#[test]
fn rows_that_a_table_shows_are_an_argument_a_variable_or_a_setting() {
    let dir = TempDir::new();
    let shown = |variables: &[(&str, &str)], more: &[&str]| {
        let statement = "SELECT * FROM generate_series(1, 9)";
        let said = run(dir.path(), variables, &[&["sql", "-c", statement], more].concat()).ok();
        said.lines().last().unwrap().to_owned()
    };
    assert_eq!(shown(&[], &[]), "(9 rows)");
    let setting = ["--conf", "headwater.sql.max-rows=2"];
    assert_eq!(shown(&[], &setting), "(9 rows, 2 shown; all with --max-rows 0)");
    let variable = [("HEADWATER_MAX_ROWS", "3")];
    assert_eq!(shown(&variable, &setting), "(9 rows, 3 shown; all with --max-rows 0)");
    let argument = ["--max-rows", "0", "--conf", "headwater.sql.max-rows=2"];
    assert_eq!(shown(&variable, &argument), "(9 rows)");
}

#[test]
fn results_go_to_a_file_that_is_there_once_it_is_complete() {
    let dir = TempDir::new();
    let query = "SELECT value AS n FROM generate_series(1, 3)";
    for (format, name, start) in [
        ("csv", "rows.csv", &b"n\n1\n2\n3\n"[..]),
        ("markdown", "rows.md", b"| n |\n| ---: |\n| 1 |\n"),
        ("parquet", "rows.parquet", b"PAR1"),
        ("arrow", "rows.arrow", b"ARROW1"),
        ("table", "rows.txt", "┌───┐\n│ n │\n".as_bytes()),
    ] {
        let said = headwater_in(dir.path(), &["sql", "--format", format, "-o", name, "-c", query]);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""));
        assert!(read_file(&dir.join(name)).starts_with(start), "{format}");
    }
    // What was written is read back by a query.
    let back = ["sql", "--format", "csv", "-c", "SELECT sum(n) AS s FROM 'rows.parquet'"];
    assert_eq!(headwater_in(dir.path(), &back).ok(), "s\n6\n");
    // In a pipe, Arrow is a stream.
    let mut piped = command(&["sql", "--format", "arrow", "-c", query]);
    let bytes = piped.current_dir(dir.path()).output().unwrap().stdout;
    assert!(bytes.starts_with(&[0xFF; 4]), "{bytes:?}");

    let before = list_files(dir.path());
    let kept = read_file(&dir.join("rows.csv"));
    for (arguments, word) in [
        (&["-o", "rows.csv", "--format", "csv", "-c", "SELECT 1; SELECT nope"][..], "nope"),
        (&["-o", "two.parquet", "--format", "parquet", "-c", "SELECT 1; SELECT 2"], "one result"),
        (&["--format", "csv", "--max-rows", "5", "-c", "SELECT 1"], "LIMIT"),
        (&["-o", "none.csv", "-c", "-- nothing"], "no statement gave rows"),
        (&["-o", "absent/rows.csv", "-c", "SELECT 1"], "absent/rows.csv"),
    ] {
        let said = headwater_in(dir.path(), &[&["sql"], arguments].concat());
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains(word), "{said:?}");
    }
    assert_eq!(list_files(dir.path()), before);
    assert_eq!(read_file(&dir.join("rows.csv")), kept);
}

#[test]
fn a_table_outside_of_a_warehouse_is_opened_by_its_directory() {
    let dir = TempDir::new();
    warehouse(&dir, "w");
    std::fs::rename(dir.join("w/default.db/t"), dir.join("alone")).unwrap();
    let ask = |statement| headwater_in(dir.path(), &["sql", "./alone", "-c", statement]);
    assert!(ask("SELECT * FROM alone").ok().contains("│ w    │"));
    ask("INSERT INTO alone VALUES ('more')").ok();
    assert!(ask("SELECT * FROM alone").ok().contains("│ more │"));
    for refused in ["DROP TABLE alone", "CREATE TABLE other (a INT)", "CREATE DATABASE d"] {
        let said = ask(refused);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains("only table default.alone is open"), "{said:?}");
    }
    let said = headwater_in(dir.path(), &["sql", "./w", "-c", "SELECT 1"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("there is no table at ./w") && said.err.contains("--warehouse"));
    let said = headwater_in(dir.path(), &["sql", "./nothing", "-c", "SELECT 1"]);
    assert!(said.code == 1 && said.err.contains("there is no table at ./nothing"), "{said:?}");
    let said = headwater_in(dir.path(), &["sql", "alone", "-c", "SELECT 1"]);
    assert!(said.code == 2 && said.err.contains("'/'"), "{said:?}");
}

#[test]
fn a_statement_may_start_with_a_hyphen() {
    let dir = TempDir::new();
    let said = headwater(&["sql", "-w", dir.text(), "-c", "-- only a comment"]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""));
    let said =
        headwater(&["sql", "-w", dir.text(), "--format", "csv", "-c", "-- a\nSELECT 1 AS b"]);
    assert_eq!(said.ok(), "b\n1\n");
}

#[test]
fn a_named_warehouse_that_is_missing_fails_also_when_nothing_touches_it() {
    let dir = TempDir::new();
    let absent = dir.join("absent");
    for input in ["", "-- nothing\n", "SELECT 1;\n"] {
        let said = headwater_with_input(&["sql", "--warehouse", absent.to_str().unwrap()], input);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
        assert!(said.err.contains("does not exist"), "{said:?}");
    }
    assert!(!absent.exists());
}

#[test]
fn an_init_file_runs_before_a_script_and_prints_nothing() {
    let dir = TempDir::new();
    write_file(&dir.join("init.sql"), b"CREATE DATABASE d; USE d; SELECT 1 AS unseen;");
    let arguments = ["sql", "--init", "init.sql", "-c", "CREATE TABLE t (a INT); SHOW TABLES"];
    let said = headwater_in(dir.path(), &arguments).ok();
    assert!(said.contains("table d.t created") && !said.contains("unseen"), "{said}");
    write_file(&dir.join("init.sql"), b"USE d;\n\nSELEC;");
    let said = headwater_in(dir.path(), &arguments);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("error: init.sql, line 3: syntax error"), "{said:?}");
    let said = headwater_in(dir.path(), &["sql", "--init", "absent.sql", "-c", "SELECT 1"]);
    assert!(said.code == 1 && said.err.contains("absent.sql does not exist"), "{said:?}");
}

#[test]
fn an_error_in_a_script_shows_the_line_with_a_mark() {
    let dir = TempDir::new();
    let script = "SELECT 1;\nSELECT a,\n       b FROM (VALUES (1)) t(a);\n";
    let said = headwater_with_input(&["sql", "-w", dir.text(), "--format", "csv"], script);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.starts_with("error: statement 2, line 2: No field named b"), "{said:?}");
    assert!(
        said.err.ends_with("\n  3 |        b FROM (VALUES (1)) t(a);\n             ^\n"),
        "{said:?}"
    );
}

#[test]
fn bad_records_of_a_changelog_go_to_a_file() {
    let dir = TempDir::new();
    let records = "{\"type\":\"insert\",\"data\":{\"id\":1}}\nnot json\n{\"type\":\"insert\",\"data\":{\"id\":2}}\n";
    write_file(&dir.join("in.jsonl"), records.as_bytes());
    let insert = "CREATE TABLE IF NOT EXISTS t (id INT NOT NULL, PRIMARY KEY (id) NOT ENFORCED)
                    WITH ('bucket' = '1');
                  INSERT INTO t SELECT * FROM read_json('in.jsonl', format => 'maxwell-json',
                    columns => 'id INT');
                  DELETE FROM t WHERE id = 2";
    let stopped = run(dir.path(), &[], &["sql", "-c", insert]);
    assert!(stopped.code != 0 && stopped.err.contains("line 2: "), "{stopped:?}");
    let arguments = ["sql", "--dead-letter", "bad.jsonl", "-c", insert];
    let said = run(dir.path(), &[], &arguments);
    assert!(said.code == 0 && said.err.contains("1 record of '"), "{said:?}");
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains("2 rows written") && all.contains("1 row deleted"), "{all}");
    let letters = String::from_utf8(read_file(&dir.join("bad.jsonl"))).unwrap();
    assert!(letters.contains("\"line\":2") && letters.contains("not json"), "{letters}");
}
