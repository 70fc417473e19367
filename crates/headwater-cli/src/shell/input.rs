//! Collects lines until they are something to run.

use headwater_sql::ends_statement;

/// Something to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A line that starts with a dot.
    Command(String),
    /// Statements, each with its semicolon.
    Statements(String),
}

/// Lines of which no statement is complete yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    pending: String,
}

impl Input {
    /// Takes a line, and gives back what is complete with it.
    pub(super) fn add(&mut self, line: &str) -> Option<Unit> {
        if self.pending.is_empty() {
            if line.trim().is_empty() {
                return None;
            }
            if line.trim_start().starts_with('.') {
                return Some(Unit::Command(line.trim().to_owned()));
            }
        }
        self.pending.push_str(line);
        self.pending.push('\n');
        // Without a semicolon only a comment can be complete.
        let may_be_complete = line.contains(';')
            || self.pending.trim_start().starts_with("--")
            || self.pending.trim_start().starts_with("/*");
        if may_be_complete && ends_statement(&self.pending) {
            return Some(Unit::Statements(self.rest()));
        }
        None
    }

    /// The lines that wait for more.
    pub(super) fn pending(&self) -> &str {
        &self.pending
    }

    /// Takes the lines that wait.
    pub(super) fn rest(&mut self) -> String {
        std::mem::take(&mut self.pending)
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, Unit};

    fn statements(text: &str) -> Option<Unit> {
        Some(Unit::Statements(text.to_owned()))
    }

    #[test]
    fn lines_are_collected_up_to_a_semicolon() {
        let mut input = Input::default();
        assert_eq!(input.add(""), None);
        assert_eq!(input.add("SELECT ';"), None);
        assert_eq!(input.add(".help"), None);
        assert_eq!(input.add(" ' -- ;"), None);
        assert_eq!(input.pending(), "SELECT ';\n.help\n ' -- ;\n");
        assert_eq!(input.add(";"), statements("SELECT ';\n.help\n ' -- ;\n;\n"));
        assert_eq!(input.pending(), "");
    }

    #[test]
    fn a_dot_at_the_start_is_a_command() {
        let mut input = Input::default();
        assert_eq!(input.add("  .tables "), Some(Unit::Command(".tables".into())));
        assert_eq!(input.add("SELECT 1;"), statements("SELECT 1;\n"));
    }

    #[test]
    fn a_comment_alone_is_complete() {
        let mut input = Input::default();
        assert_eq!(input.add("-- nothing"), statements("-- nothing\n"));
        assert_eq!(input.add("/* one"), None);
        assert_eq!(input.add("two */"), statements("/* one\ntwo */\n"));
    }
}
