//! Drives stock Java Paimon: one JVM that runs the oracle's `serve` and answers JSON commands.
//!
//! Commands and replies: `compat/oracle/README.md`. The JVM starts with the first command and ends
//! with the process that started it (its input closes then). A file lock lets only one test
//! process of this target directory hold a JVM at a time; the others wait.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::fixtures::{repository_root, target_dir};

/// Longest wait for one reply. The first one includes building the oracle and starting the JVM.
const PATIENCE: Duration = Duration::from_secs(300);

/// The one driver of a process.
#[derive(Debug, Default)]
pub struct Oracle {
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    jvm: Child,
    input: ChildStdin,
    replies: Receiver<String>,
    /// Held until this process ends or the JVM is given up.
    _only_one: File,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.jvm.kill();
        let _ = self.jvm.wait();
    }
}

impl Oracle {
    /// The driver of this process; nothing starts before the first command.
    pub fn get() -> &'static Self {
        static ONE: OnceLock<Oracle> = OnceLock::new();
        ONE.get_or_init(Self::default)
    }

    /// Sends one command and returns its reply without the field `ok`.
    ///
    /// # Errors
    /// Java's own words when it refused the command, or what happened to the JVM.
    pub fn call(&self, command: &Value) -> Result<Value, String> {
        self.call_within(command, PATIENCE)
    }

    /// As [`Self::call`]; a JVM that needs longer than `patience` is killed.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_within(&self, command: &Value, patience: Duration) -> Result<Value, String> {
        let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match slot.as_mut() {
            Some(running) => running,
            None => slot.insert(start()?),
        };
        match running.exchange(command, patience) {
            Ok(reply) => outcome(reply),
            Err(reason) => {
                *slot = None;
                Err(format!("{reason}; see {}", log_path().display()))
            }
        }
    }

    /// Canonical lines of the newest snapshot of the table in this directory.
    pub fn read(&self, table: &Path) -> Vec<String> {
        self.read_with(table, &json!({}))
    }

    /// As [`Self::read`] with more fields of the command, for example `{"snapshot": 2}`.
    pub fn read_with(&self, table: &Path, more: &Value) -> Vec<String> {
        texts(&self.done("read", table, more)["rows"])
    }

    /// What Java's check finds wrong with the table; empty when all is well.
    pub fn check(&self, table: &Path) -> Vec<String> {
        texts(&self.done("check", table, &json!({}))["problems"])
    }

    /// Panics when Java finds a problem, or reads other rows than `lines` (sorted canonical lines).
    pub fn assert_agrees(&self, table: &Path, lines: &[String]) {
        let problems = self.check(table);
        assert!(problems.is_empty(), "{}: {problems:#?}", table.display());
        let rows = self.read(table);
        assert_eq!(rows, lines, "Java (left) and headwater (right) differ on {}", table.display());
    }

    /// Makes a table: `{"fields":[{"name","type"}],"pk":[],"partition":[],"options":{}}`.
    pub fn create(&self, table: &Path, schema: &Value) {
        self.done("create", table, schema);
    }

    /// Commits rows (objects, or objects with `kind` and `row`); the newest snapshot's id.
    pub fn commit(&self, table: &Path, rows: &[Value]) -> i64 {
        self.commit_with(table, rows, &json!({}))
    }

    /// As [`Self::commit`] with more fields: `user`, `id`, `options`, `watermark`, ...
    pub fn commit_with(&self, table: &Path, rows: &[Value], more: &Value) -> i64 {
        let command = merged(&json!({ "rows": rows }), more);
        snapshot(&self.done("commit", table, &command))
    }

    /// Replaces the rows of a static partition (`{}`: all of them, unless `dynamic` says else).
    pub fn overwrite(&self, table: &Path, static_partition: &Value, rows: &[Value]) -> i64 {
        let command = json!({ "static_partition": static_partition, "rows": rows });
        snapshot(&self.done("overwrite", table, &command))
    }

    /// Compacts all buckets; the newest snapshot's id.
    pub fn compact(&self, table: &Path, full: bool) -> i64 {
        snapshot(&self.done("compact", table, &json!({ "full": full })))
    }

    /// Does one entry of an `ops.jsonl` to the table; Java's reply.
    ///
    /// # Errors
    /// As [`Self::call`]; entries that say too little for a command (see the oracle's README) are
    /// refused.
    pub fn apply(&self, table: &Path, operation: &Value) -> Result<Value, String> {
        let table = std::path::absolute(table).expect("an absolute path");
        self.call(&merged(operation, &json!({ "path": table })))
    }

    /// Changes the schema; `changes` as the oracle's `alter` takes them.
    pub fn alter(&self, table: &Path, changes: &Value) {
        self.done("alter", table, &json!({ "changes": changes }));
    }

    /// All metadata of the table, one object per document or entry.
    pub fn files(&self, table: &Path) -> Vec<Value> {
        let reply = self.done("files", table, &json!({}));
        reply["rows"].as_array().cloned().unwrap_or_default()
    }

    /// Snapshots, tags and branches.
    pub fn snapshots(&self, table: &Path) -> Value {
        self.done("snapshots", table, &json!({}))
    }

    /// A command on a table's directory that must succeed; its reply.
    pub fn done(&self, op: &str, table: &Path, more: &Value) -> Value {
        let table = std::path::absolute(table).expect("an absolute path");
        let command = merged(&json!({ "op": op, "path": table }), more);
        self.call(&command).unwrap_or_else(|e| panic!("{op} {}: {e}", table.display()))
    }
}

impl Running {
    fn exchange(&mut self, command: &Value, patience: Duration) -> Result<Value, String> {
        let sent = writeln!(self.input, "{command}").and_then(|()| self.input.flush());
        sent.map_err(|e| format!("the JVM takes no commands: {e}"))?;
        let line = self.replies.recv_timeout(patience).map_err(|e| match e {
            RecvTimeoutError::Timeout => format!("no reply to {} in {patience:?}", command["op"]),
            RecvTimeoutError::Disconnected => format!("the JVM ended during {}", command["op"]),
        })?;
        serde_json::from_str(&line).map_err(|e| format!("not a reply: {line}: {e}"))
    }
}

fn start() -> Result<Running, String> {
    fs::create_dir_all(target_dir()).map_err(|e| format!("no target directory: {e}"))?;
    let lock = target_dir().join("oracle.lock");
    let only_one = File::options().create(true).append(true).open(&lock);
    let only_one = only_one.map_err(|e| format!("{}: {e}", lock.display()))?;
    only_one.lock().map_err(|e| format!("{}: {e}", lock.display()))?;
    let log = File::create(log_path()).map_err(|e| format!("{}: {e}", log_path().display()))?;
    let script = repository_root().join("compat/oracle/oracle.sh");
    let heap = std::env::var("HEAP").unwrap_or_else(|_| "1g".to_owned());
    // Tests are over before better compiled code would pay.
    let options = std::env::var("JAVA_OPTS")
        .unwrap_or_else(|_| "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC".to_owned());
    let mut jvm = Command::new(&script)
        .arg("serve")
        .env("HEAP", heap)
        .env("JAVA_OPTS", options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|e| format!("{}: {e}", script.display()))?;
    let (Some(input), Some(output)) = (jvm.stdin.take(), jvm.stdout.take()) else {
        return Err("a child without pipes".to_owned());
    };
    let (sender, replies) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    Ok(Running { jvm, input, replies, _only_one: only_one })
}

/// Java's logs of the newest run.
fn log_path() -> std::path::PathBuf {
    target_dir().join("oracle.log")
}

fn outcome(reply: Value) -> Result<Value, String> {
    let Value::Object(mut fields) = reply else { return Err(format!("not a reply: {reply}")) };
    if fields.remove("ok") == Some(Value::Bool(true)) {
        return Ok(Value::Object(fields));
    }
    let error = fields.get("error").and_then(Value::as_str).unwrap_or("no reason given");
    Err(match fields.get("cause").and_then(Value::as_str) {
        Some(cause) => format!("{error} (because of {cause})"),
        None => error.to_owned(),
    })
}

fn merged(command: &Value, more: &Value) -> Value {
    let mut fields: Map<String, Value> = command.as_object().cloned().unwrap_or_default();
    fields.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(fields)
}

fn snapshot(reply: &Value) -> i64 {
    reply["snapshot"].as_i64().unwrap_or_default()
}

fn texts(lines: &Value) -> Vec<String> {
    let lines = lines.as_array().map(Vec::as_slice).unwrap_or_default();
    lines.iter().map(|l| l.as_str().map_or_else(|| l.to_string(), str::to_owned)).collect()
}
