//! Whether stock Java can be asked here, and a loud word when it cannot.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::oracle::Oracle;

/// Whether a Java 17 compiler, its runtime and Maven can be started.
pub fn java_available() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        starts("java", "-version") && starts("javac", "-version") && starts("mvn", "-v")
    })
}

/// The oracle for a test that cannot do without; `None` when Java or Maven is missing.
///
/// What is left out is said on standard error, past the capture of the test harness. With
/// `HEADWATER_REQUIRE_JAVA=1` a missing Java is a failure instead.
pub fn require_java(test: &str) -> Option<&'static Oracle> {
    if java_available() {
        return Some(Oracle::get());
    }
    let required = std::env::var("HEADWATER_REQUIRE_JAVA").is_ok_and(|v| v == "1");
    assert!(
        !required,
        "{test} needs Java and Maven, and HEADWATER_REQUIRE_JAVA=1 forbids to leave it out"
    );
    // Not eprintln!: the test harness would swallow it.
    let _ = writeln!(std::io::stderr(), "LEFT OUT: {test} needs Java and Maven");
    None
}

fn starts(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
