//! Processes with a hard limit of their address space: where memory is not enough, disk is used, and
//! nothing is killed.

use std::process::Command;

use headwater_testkit::{TempDir, amount};

use crate::program::{Said, headwater, said, sql, without_user};

/// Runs statements in a process whose address space is `mib` MiB, code and threads included.
fn limited(mib: usize, dir: &TempDir, arguments: &[&str]) -> Said {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_headwater");
    command.arg("-c").arg(format!("ulimit -v {}; exec \"$0\" \"$@\"", mib * 1024));
    command.arg(program).args(arguments).args(["--warehouse", dir.text(), "--format", "csv"]);
    without_user(&mut command);
    command.current_dir(dir.path());
    said(command.output().unwrap())
}

fn limited_sql(mib: usize, dir: &TempDir, statement: &str) -> Said {
    limited(mib, dir, &["sql", "--create", "--no-sync", "-c", statement])
}

#[test]
fn ten_thousand_buckets_are_written_by_one_commit() {
    let dir = TempDir::new();
    let rows = amount(400_000, 10_000_000);
    for (table, key) in [("keyed", "PRIMARY KEY (id) NOT ENFORCED"), ("plain", "")] {
        let key = if key.is_empty() { String::new() } else { format!(", {key}") };
        let bucket_key = if key.is_empty() { "'bucket-key' = 'id'," } else { "" };
        let fill = format!(
            "CREATE TABLE {table} (id BIGINT, a STRING, b STRING, n BIGINT{key}) \
             WITH ({bucket_key} 'bucket' = '10000', 'write-only' = 'true'); \
             INSERT INTO {table} SELECT value, CONCAT('a', CAST(value AS STRING)), \
             REPEAT('b', CAST(value % 90 AS INT)), value * 7 \
             FROM generate_series(1, {rows}) AS s(value)"
        );
        limited_sql(1024, &dir, &fill).ok();
        let query = format!(
            "SELECT count(*), sum(n), sum(char_length(b)) FROM {table}; \
             SELECT count(*) FROM {table}$files"
        );
        let found = limited_sql(1024, &dir, &query).ok();
        let sum: usize = (1..=rows).sum();
        let letters: usize = (1..=rows).map(|n| n % 90).sum();
        let lines: Vec<&str> = found.lines().collect();
        assert!(lines.contains(&format!("{rows},{},{letters}", sum * 7).as_str()), "{found}");
        assert!(lines.contains(&"10000"), "one file for each bucket: {found}");
    }
}

#[test]
fn a_record_of_100_megabytes_is_written_merged_and_read() {
    let dir = TempDir::new();
    let statement = |letter: &str| {
        format!(
            "INSERT INTO t SELECT 1, REPEAT('{letter}', 104857600), 'small'; \
                 INSERT INTO t VALUES (2, 'x', '{letter}')"
        )
    };
    limited_sql(
        1536,
        &dir,
        "CREATE TABLE t (id INT, v STRING, s STRING, PRIMARY KEY (id) NOT ENFORCED) \
         WITH ('bucket' = '1', 'write-only' = 'true')",
    )
    .ok();
    for letter in ["a", "b"] {
        limited_sql(1536, &dir, &statement(letter)).ok();
    }
    let query = "SELECT char_length(v) AS l, SUBSTRING(v, 1, 1) AS f, s FROM t WHERE id = 1; \
                 SELECT v, s FROM t WHERE id = 2";
    let wanted = "l,f,s\n104857600,b,small\nv,s\nx,b\n";
    assert_eq!(limited_sql(1536, &dir, query).ok(), wanted);
    limited(1536, &dir, &["compact", "default.t", "--full"]).ok();
    assert_eq!(limited_sql(1536, &dir, query).ok(), wanted);
    assert_eq!(limited_sql(1536, &dir, "SELECT count(*) AS n FROM t$files").ok(), "n\n1\n");
}

#[test]
fn five_hundred_runs_are_merged_with_few_of_them_open() {
    let dir = TempDir::new();
    let rows = amount(400, 20_000);
    let mut statements =
        "CREATE TABLE t (id INT, v STRING, w STRING, PRIMARY KEY (id) NOT ENFORCED) \
                          WITH ('bucket' = '1', 'write-only' = 'true');"
            .to_owned();
    for run in 0..500 {
        statements.push_str(&format!(
            "INSERT INTO t SELECT value * 500 + {run} % 250, CAST(RAND() AS STRING), '{run}' \
             FROM generate_series(1, {rows}) AS s(value);"
        ));
    }
    sql(dir.text(), &statements).ok();
    let query = "SELECT count(*) AS n, sum(id) AS i, min(CAST(w AS INT)) AS w FROM t";
    let ids: usize = (1..=rows).flat_map(|n| (0..250).map(move |run| n * 500 + run)).sum();
    let wanted = format!("n,i,w\n{},{ids},250\n", rows * 250);
    assert_eq!(limited_sql(1024, &dir, query).ok(), wanted);
    limited(1024, &dir, &["compact", "default.t", "--full"]).ok();
    assert_eq!(limited_sql(1024, &dir, query).ok(), wanted);
}

#[test]
fn a_directory_that_cannot_be_used_is_named_and_no_other_is_taken() {
    let dir = TempDir::new();
    let run = |temp: &str, statement: &str| {
        headwater(&[
            "sql",
            "-w",
            dir.text(),
            "--create",
            "--format",
            "csv",
            "--memory",
            "16MiB",
            "--temp-dir",
            temp,
            "-c",
            statement,
        ])
    };
    let said = run("/dev/null/below", "SELECT 1 AS one");
    assert!(said.err.contains("/dev/null/below"), "{said:?}");
    assert_eq!(said.ok(), "one\n1\n");
    let many = "SELECT count(*) AS n FROM (SELECT DISTINCT CONCAT(CAST(value AS STRING), \
                REPEAT('x', 100)) AS t FROM generate_series(1, 500000) AS s(value))";
    let said = run("/dev/null/below", many);
    assert!(said.code == 1 && said.err.contains("/dev/null/below"), "{said:?}");
    // The next directory is taken, and nothing stays there.
    let next = dir.path().join("next");
    let said = run(&format!("/dev/null/below:{}", next.display()), many);
    assert_eq!(said.ok(), "n\n500000\n");
    assert_eq!(std::fs::read_dir(&next).unwrap().count(), 0);
}
