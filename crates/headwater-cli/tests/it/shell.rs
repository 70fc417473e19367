//! The shell of `headwater sql` on a terminal.

use std::path::Path;
use std::time::{Duration, Instant};

use headwater_testkit::TempDir;
use headwater_testkit::files::{read_file, write_file};

use crate::program::{command, sql};
use crate::terminal::{CTRL_C, CTRL_D, Terminal, UP};

/// A statement that takes for ever.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 100000000000);";

/// A directory whose warehouse has table `orders` with two rows.
fn orders() -> TempDir {
    let dir = TempDir::new();
    let statements = "CREATE TABLE orders (order_id BIGINT, amount INT, `odd name` STRING); \
                      INSERT INTO orders VALUES (1, 10, 'a'), (2, 20, 'b')";
    sql(dir.join("warehouse").to_str().unwrap(), statements).ok();
    dir
}

fn shell(dir: &TempDir) -> Terminal {
    let mut terminal = Terminal::shell(dir.path(), &[]);
    terminal.expect("warehouse ./warehouse");
    terminal.prompt("default");
    terminal
}

/// Names of what is in a directory now; nothing when there is none.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn a_statement_goes_on_until_its_semicolon() {
    let dir = TempDir::new();
    let mut shell = shell(&dir);
    shell.line("SELECT 40 -- not yet;");
    shell.expect("     ..> ");
    shell.line("+ 2 AS answer, ';");
    shell.expect("     ..> ");
    shell.line("' AS text; SELECT 7 AS seven;");
    shell.expect("│ answer │ text │");
    shell.expect("│     42 │ ;    │");
    shell.expect("(1 row, 0.");
    shell.expect("│ seven │");
    shell.expect("(1 row, 0.");
    shell.prompt("default");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn ctrl_c_clears_what_is_typed() {
    let dir = TempDir::new();
    let mut shell = shell(&dir);
    shell.line("SELECT 'never closed");
    shell.expect("     ..> ");
    shell.keys("and more");
    shell.expect("and more");
    shell.keys(CTRL_C);
    shell.prompt("default");
    shell.line("SELECT 'closed' AS t;");
    shell.expect("│ closed │");
    shell.prompt("default");
    shell.line(".quit");
    assert_eq!(shell.end().0, 0);
}

#[test]
fn typing_that_is_no_text_is_refused_and_the_shell_goes_on() {
    let dir = TempDir::new();
    let mut shell = shell(&dir);
    shell.keys("SELECT 1");
    shell.expect("SELECT 1");
    shell.bytes(b"\xFF");
    shell.expect("error: what was typed is not UTF-8 text");
    shell.prompt("default");
    shell.line("SELECT 'Ü' AS t;");
    shell.expect("│ Ü │");
    shell.prompt("default");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn ctrl_c_cancels_the_statement_and_not_the_shell() {
    let dir = orders();
    let mut shell = shell(&dir);
    let cross = "SELECT count(*) FROM generate_series(1, 100000000) a, \
                 generate_series(1, 100000000) b WHERE a.value + b.value = 0;";
    for statement in [ENDLESS, cross] {
        shell.line(statement);
        // The line that says so comes after a second.
        shell.expect("s; Ctrl-C cancels");
        shell.keys(CTRL_C);
        let before = shell.expect("cancelled after ");
        assert!(!before.contains("error"), "{before}");
        shell.prompt("default");
    }
    shell.line("SELECT sum(amount) AS total FROM orders;");
    shell.expect("│    30 │");
    shell.prompt("default");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn a_cancelled_insert_leaves_no_file() {
    let dir = orders();
    let mut shell = shell(&dir);
    let table = "CREATE TABLE big (v BIGINT, t STRING) WITH ('bucket' = '-1', \
                 'target-file-size' = '1 mb');";
    shell.line(table);
    shell.expect("table default.big created");
    shell.prompt("default");
    shell.line(
        "INSERT INTO big SELECT value, CAST(value * 7919 AS STRING) \
         FROM generate_series(1, 100000000000);",
    );
    shell.expect(" rows written; Ctrl-C cancels");
    let bucket = dir.join("warehouse/default.db/big/bucket-0");
    let deadline = Instant::now() + Duration::from_secs(120);
    while names_in(&bucket).len() < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    shell.keys(CTRL_C);
    shell.expect("a change may have taken place");
    shell.prompt("default");
    while !names_in(&bucket).is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(names_in(&bucket), Vec::<String>::new());
    shell.line("SELECT count(*) AS n FROM big;");
    shell.expect("│ 0 │");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn tab_completes_keywords_tables_columns_and_options() {
    let dir = orders();
    let mut shell = shell(&dir);
    shell.keys("DESCR\t");
    shell.expect("DESCRIBE");
    shell.keys(" ord\t");
    shell.expect("orders");
    shell.line(";");
    shell.expect("(3 rows");
    shell.prompt("default");
    // A column of a table that is named on an earlier line, and one that needs quotes.
    shell.line("SELECT * FROM orders o");
    shell.expect("..> ");
    shell.keys("WHERE o.od\t");
    shell.expect("`odd name`");
    shell.keys(" = 'b' AND order_\t");
    shell.expect("order_id");
    shell.line(" > 0;");
    shell.expect("(1 row");
    shell.prompt("default");
    shell.keys("CREATE TABLE x (a INT) WITH ('bucket-k\t");
    shell.expect("bucket-key' = '");
    shell.keys("a', 'merge-engine' = 'ded\t");
    shell.expect("deduplicate'");
    shell.keys(CTRL_C);
    shell.prompt("default");
    // Two tabs list what is possible.
    shell.keys("SELECT order_id FROM orders WHERE a\t\t");
    shell.expect("abs");
    shell.expect("amount");
    shell.expect("WHERE a");
    shell.keys(CTRL_C);
    shell.prompt("default");
    shell.keys(".sch\t");
    shell.expect(".schema");
    shell.keys(CTRL_C);
    shell.prompt("default");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn history_is_kept_between_shells() {
    let dir = TempDir::new();
    let mut first = shell(&dir);
    first.line("SELECT 1 +");
    first.expect("..> ");
    first.line("1 AS two;");
    first.expect("(1 row");
    first.prompt("default");
    first.line(" SELECT 'secret';");
    first.expect("(1 row");
    first.prompt("default");
    first.keys(CTRL_D);
    assert_eq!(first.end().0, 0);
    let file = dir.join(".local/state/headwater/history");
    let kept = String::from_utf8(read_file(&file)).unwrap();
    assert!(kept.contains("AS two") && !kept.contains("secret"), "{kept}");

    let mut second = shell(&dir);
    second.keys(UP);
    second.expect("1 AS two;");
    second.keys("\r");
    second.expect("│   2 │");
    second.prompt("default");
    second.keys(CTRL_D);
    assert_eq!(second.end().0, 0);
}

#[test]
fn the_variable_says_where_history_is() {
    let dir = TempDir::new();
    let file = dir.join("mine/history");
    let run = |value: &str| {
        let variables = [("HEADWATER_HISTORY", value)];
        let mut shell = Terminal::start(dir.path(), 100, &["sql"], &variables);
        shell.prompt("default");
        shell.line("SELECT 5 AS five;");
        shell.expect("(1 row");
        shell.prompt("default");
        shell.keys(CTRL_D);
        assert_eq!(shell.end().0, 0);
    };
    run("");
    run(file.to_str().unwrap());
    assert!(String::from_utf8(read_file(&file)).unwrap().contains("AS five"));
    assert!(!dir.join(".local").exists());
}

#[test]
fn an_error_shows_the_line_with_a_mark() {
    let dir = orders();
    let mut shell = shell(&dir);
    shell.line("SELECT order_id,");
    shell.expect("..> ");
    shell.line("  amuont FROM orders;");
    shell.expect("error: ");
    shell.expect("amuont");
    shell.expect("  2 |   amuont FROM orders;\r\n        ^\r\n");
    shell.prompt("default");
    shell.line("SELECT sum(amount FROM orders;");
    shell.expect("error: syntax error: ");
    shell.expect("  1 | SELECT sum(amount FROM orders;\r\n                        ^\r\n");
    shell.prompt("default");
    // Statements before the one that fails have run, those behind it have not.
    shell.line("SELECT 1 AS one; SELECT * FROM nowhere; SELECT 3 AS three;");
    shell.expect("(1 row");
    shell.expect("error: table 'default.nowhere' does not exist\r\n");
    let rest = shell.prompt("default");
    assert!(rest.contains('^') && !rest.contains("│ three │"), "{rest}");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn a_table_of_a_thousand_columns_is_usable() {
    let dir = TempDir::new();
    let columns: Vec<String> = (0..1_000).map(|n| format!("column_{n} INT")).collect();
    let values: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    let warehouse = dir.join("warehouse");
    let make = format!(
        "CREATE TABLE wide ({}); INSERT INTO wide VALUES ({})",
        columns.join(", "),
        values.join(", ")
    );
    sql(warehouse.to_str().unwrap(), &make).ok();
    let mut shell = shell(&dir);
    shell.line("SELECT * FROM wide;");
    shell.expect(
        "│ column_0 │ column_1 │ column_2 │ column_3 │ … │ column_997 │ column_998 │ column_999 │",
    );
    let lines = shell.expect("(1 row; 1000 columns, 7 shown; all with .maxwidth 0");
    assert!(lines.lines().all(|line| line.chars().count() <= 100), "{lines}");
    shell.prompt("default");
    shell.line("DESCRIBE wide;");
    shell.expect("column_19 ");
    shell.expect("│ …");
    shell.expect("column_980 ");
    shell.expect("(1000 rows, 40 shown; all with .maxrows 0");
    shell.prompt("default");
    shell.keys("SELECT * FROM wide WHERE column_99\t\t");
    shell.expect("column_999");
    shell.expect("WHERE column_99");
    shell.keys(CTRL_C);
    shell.prompt("default");
    shell.line(".maxwidth 0");
    shell.prompt("default");
    shell.line("SELECT * FROM wide;");
    shell.expect("│ column_499 │ column_500 │");
    shell.expect("(1 row, ");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn commands_with_a_dot_do_what_their_help_says() {
    let dir = orders();
    let script = dir.join("script.sql");
    write_file(&script, b"SELECT 1 AS one;\n.mode csv\n\nSELECT 'x,y' AS text;\nSELECT nope;\n");
    let mut shell = shell(&dir);
    shell.line(".help");
    shell.expect(".tables [DATABASE]");
    shell.prompt("default");
    shell.line(".tables");
    shell.expect("│ orders     │");
    shell.prompt("default");
    shell.line(".schema orders");
    shell.expect("CREATE TABLE `default`.`orders` (");
    shell.expect(";\r\n");
    shell.prompt("default");
    shell.line(".timer off");
    shell.prompt("default");
    shell.line(".maxrows 1");
    shell.prompt("default");
    shell.line("SELECT amount FROM orders;");
    shell.expect("(2 rows, 1 shown; all with .maxrows 0)");
    shell.prompt("default");
    shell.line(".mode json");
    shell.prompt("default");
    shell.line("SELECT amount FROM orders;");
    shell.expect("[\r\n{\"amount\":10},\r\n{\"amount\":20}\r\n]\r\n");
    shell.prompt("default");
    shell.line(".mode table");
    shell.prompt("default");
    shell.line(".read script.sql");
    shell.expect("(1 row)");
    shell.expect("text\r\n\"x,y\"\r\n");
    shell.expect("error: script.sql, line 5: ");
    shell.expect("  5 | SELECT nope;");
    shell.prompt("default");
    shell.line(".read nowhere.sql");
    shell.expect("error: nowhere.sql does not exist");
    shell.prompt("default");
    shell.line(".tabels");
    shell.expect("error: there is no command .tabels; did you mean .tables?");
    shell.prompt("default");
    shell.line(".quit");
    assert_eq!(shell.end().0, 0);
}

#[test]
fn files_that_read_each_other_end() {
    let dir = TempDir::new();
    write_file(&dir.join("a.sql"), b".read a.sql\n");
    let mut shell = shell(&dir);
    shell.line(".read a.sql");
    shell.expect("error: a.sql: files read each other without end");
    shell.prompt("default");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn statements_of_the_users_file_run_first() {
    let dir = orders();
    let settings = dir.join(".config/headwater/init.sql");
    write_file(&dir.join(".headwaterrc"), b"CREATE DATABASE IF NOT EXISTS of_rc;\nUSE of_rc;\n");
    let mut shell = Terminal::shell(dir.path(), &[]);
    let before = shell.prompt("of_rc");
    assert!(!before.contains("created"), "{before}");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
    // The file among the settings comes first; it is the only one then.
    write_file(&settings, b"CREATE DATABASE IF NOT EXISTS of_init; USE of_init;");
    let mut shell = Terminal::shell(dir.path(), &[]);
    shell.prompt("of_init");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
    let mut shell = Terminal::shell(dir.path(), &["--no-init"]);
    shell.prompt("default");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn a_users_file_that_fails_is_named_with_its_line() {
    let dir = orders();
    let rc = dir.join(".headwaterrc");
    write_file(&rc, b"-- fine\nSELECT 1;\nUSE\n  nowhere;\n");
    let (code, said) = Terminal::shell(dir.path(), &[]).end();
    assert_eq!(code, 1, "{said}");
    let expected = format!("error: {}, line 3: database 'nowhere' does not exist", rc.display());
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn a_table_that_is_named_by_its_directory_is_there_under_its_name() {
    let dir = TempDir::new();
    let statements = "CREATE DATABASE shop; CREATE TABLE shop.orders (id BIGINT, v INT, \
                      PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1'); \
                      INSERT INTO shop.orders VALUES (1, 10)";
    sql(dir.join("warehouse").to_str().unwrap(), statements).ok();
    let mut shell = Terminal::shell(dir.path(), &["./warehouse/shop.db/orders/"]);
    shell.expect("table shop.orders, 2 columns, primary key (id), in warehouse ");
    shell.prompt("shop");
    shell.line("SELECT v FROM orders;");
    shell.expect("│ 10 │");
    shell.prompt("shop");
    shell.keys(CTRL_D);
    assert_eq!(shell.end().0, 0);
}

#[test]
fn a_long_statement_says_how_far_it_is_on_a_terminal_only() {
    let dir = TempDir::new();
    let arguments = ["sql", "-c", ENDLESS];
    let mut terminal = Terminal::start(dir.path(), 100, &arguments, &[]);
    let before = terminal.expect("2 s");
    // Ctrl-C ends the process here, so the line does not offer it.
    assert!(before.contains("\r1 s\r") && !before.contains("Ctrl-C"), "{before}");
    if interrupts_are_ignored() {
        eprintln!("left out: Ctrl-C is ignored here, as in what a shell starts with '&'");
        drop(terminal);
    } else {
        terminal.keys(CTRL_C);
        assert_eq!(terminal.end().0, 128 + 2);
    }

    let some_seconds = "SELECT count(*) AS n FROM generate_series(1, 15000) a, \
                        generate_series(1, 15000) b WHERE a.value % 7 = b.value % 5";
    let (code, said) = Terminal::start(dir.path(), 100, &["sql", "-c", some_seconds], &[]).end();
    assert_eq!(code, 0, "{said}");
    assert!(said.ends_with(" s)\r\n"), "{said}");
    let output = command(&["sql", "-c", some_seconds]).current_dir(dir.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.stdout.ends_with(b"(1 row)\n"));
}

/// Whether processes that this one starts ignore Ctrl-C from the beginning.
fn interrupts_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|bits| u64::from_str_radix(bits.trim(), 16).is_ok_and(|b| b & 2 != 0))
}

#[test]
fn a_command_on_a_terminal_fits_its_table_to_it() {
    let dir = TempDir::new();
    let statement = "SELECT repeat('x', 200) AS long FROM generate_series(1, 100)";
    let terminal = Terminal::start(dir.path(), 50, &["sql", "-c", statement], &[]);
    let (code, said) = terminal.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("│ {}… │", "x".repeat(45))), "{said}");
    assert!(
        said.contains(
            "(100 rows, 40 shown; long values cut; all with --max-rows 0 and --max-width 0, 0."
        ),
        "{said}"
    );
    let all = ["sql", "--max-rows", "0", "--max-width", "0", "-c", statement];
    let (_, said) = Terminal::start(dir.path(), 50, &all, &[]).end();
    assert!(said.contains(&"x".repeat(200)) && said.contains("(100 rows, 0."), "{said}");
    // Formats for programs are the same everywhere.
    let csv = ["sql", "--format", "csv", "-c", "SELECT 1 AS a"];
    assert_eq!(Terminal::start(dir.path(), 50, &csv, &[]).end(), (0, "a\r\n1\r\n".to_owned()));
}

#[test]
fn binary_formats_are_not_for_a_terminal() {
    let dir = TempDir::new();
    for format in ["parquet", "arrow"] {
        for more in [&["-c", "SELECT 1"][..], &[]] {
            let arguments = [&["sql", "--format", format], more].concat();
            let (code, said) = Terminal::start(dir.path(), 100, &arguments, &[]).end();
            assert_eq!(code, 1, "{said}");
            assert!(said.contains("--output FILE"), "{said}");
        }
    }
}

#[test]
fn a_benchmark_on_a_terminal_is_a_table() {
    let dir = TempDir::new();
    let run = |arguments: &[&str]| {
        let arguments = [&["bench"], arguments, &["--rows", "20000", "--commits", "2"]].concat();
        let (code, said) = Terminal::start(dir.path(), 120, &arguments, &[]).end();
        assert_eq!(code, 0, "{said}");
        said
    };
    let written = run(&["W1", "w"]);
    let lines: Vec<&str> = written.lines().collect();
    assert!(lines[0].starts_with("what ") && lines[0].ends_with("peak memory"), "{written}");
    assert!(lines[1].starts_with("W1: write, sort, commit"), "{written}");
    assert!(lines[1].contains(" 20,000 ") && lines[1].ends_with(" MiB"), "{written}");
    let scanned = run(&["W2", "w"]);
    assert_eq!(scanned.lines().filter(|line| line.starts_with("W2: ")).count(), 2, "{scanned}");
    assert!(run(&["W2", "w", "--json"]).starts_with("{\"engine\":\"headwater\",\"op\":\"W2-"));
}
