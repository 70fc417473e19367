//! Completion between the parentheses of `WITH (` and `SET (`: option keys, and values of those
//! that have only a few.

use headwater::options::{KnownOption, known, table_options};

use super::Candidate;
use super::lexer::{Kind, Token};

/// What is to be completed there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Key,
    /// The value of this key.
    Value(String),
    /// Something that cannot be guessed.
    Other,
}

/// The slot behind these pieces of a statement, if they end between such parentheses.
pub(super) fn slot(tokens: &[Token<'_>]) -> Option<Slot> {
    let mut depth = 0_usize;
    let open = tokens.iter().rposition(|token| {
        depth += usize::from(token.is_symbol(")"));
        let is_open = token.is_symbol("(");
        let found = is_open && depth == 0;
        depth -= usize::from(is_open && depth > 0);
        found
    })?;
    let before = open.checked_sub(1).and_then(|at| tokens.get(at))?;
    if !before.is("WITH") && !before.is("SET") {
        return None;
    }
    let inside = tokens.get(open + 1..)?;
    let pair = inside.rsplit(|token| token.is_symbol(",")).next()?;
    match pair {
        [] => Some(Slot::Key),
        [key, equals] if equals.is_symbol("=") && matches!(key.kind, Kind::Text { .. }) => {
            Some(Slot::Value(key.inner()))
        }
        _ => Some(Slot::Other),
    }
}

/// What fits into the slot and starts with `typed`. `in_quotes`: the opening quote is there
/// already; `closed`: so is the closing one.
pub(super) fn candidates(
    slot: &Slot,
    typed: &str,
    in_quotes: bool,
    closed: bool,
) -> Vec<Candidate> {
    let open = if in_quotes { "" } else { "'" };
    match slot {
        Slot::Other => Vec::new(),
        Slot::Key => {
            let end = if closed { "" } else { "' = '" };
            matching(table_options().map(|option| option.key.as_str()), typed, open, end)
        }
        Slot::Value(key) => {
            let end = if closed { "" } else { "'" };
            let values = known(key).map(values).unwrap_or_default();
            matching(values.iter().map(String::as_str), typed, open, end)
        }
    }
}

fn matching<'a>(
    names: impl Iterator<Item = &'a str>,
    typed: &str,
    open: &str,
    end: &str,
) -> Vec<Candidate> {
    let fits = |name: &&str| name.get(..typed.len()).is_some_and(|n| n.eq_ignore_ascii_case(typed));
    let candidate =
        |name: &str| Candidate { shown: name.to_owned(), text: format!("{open}{name}{end}") };
    names.filter(fits).map(candidate).collect()
}

fn values(option: &KnownOption) -> Vec<String> {
    match &option.values {
        Some(values) => values.clone(),
        None if option.value_type == "Boolean" => vec!["false".to_owned(), "true".to_owned()],
        None => Vec::new(),
    }
}
