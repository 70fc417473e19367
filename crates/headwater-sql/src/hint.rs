//! Hints: `/*+ OPTIONS('key' = 'value') */` behind a table's name, and those for the planners of
//! Flink and Spark. A hint is honoured, named in a warning, or refused, never just dropped.

use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::dialect::HeadwaterDialect;
use crate::error::SqlError;
use crate::names::literal;
use crate::parse::{Cursor, options};

/// Key and value of options, in the order in which they were given.
pub(crate) type OptionList = Vec<(String, String)>;

/// Hints of Flink and Spark about how to join or to distribute rows: results do not depend on them.
const PLANNER: [&str; 20] = [
    "BROADCAST",
    "BROADCASTJOIN",
    "COALESCE",
    "LOOKUP",
    "MAPJOIN",
    "MERGE",
    "MERGEJOIN",
    "NEST_LOOP",
    "NO_HASH_JOIN",
    "REBALANCE",
    "REPARTITION",
    "REPARTITION_BY_RANGE",
    "SHUFFLEMERGE",
    "SHUFFLE_HASH",
    "SHUFFLE_MERGE",
    "SHUFFLE_REPLICATE_NL",
    "STATE_TTL",
    "SKEW",
    "TIMEZONE",
    "MULTI_JOIN",
];

/// A hint as it stands in the script.
#[derive(Debug, Clone)]
pub(crate) struct Hint {
    /// Where the token before it starts.
    pub(crate) after: Option<Location>,
    /// Its text between `/*+` and `*/`.
    pub(crate) text: String,
    /// Its line in the script, from 1.
    pub(crate) line: usize,
}

/// The hints of one statement, and which of them found their place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    options: Vec<Placed>,
    planner: Vec<String>,
}

#[derive(Debug, Clone)]
struct Placed {
    after: Option<Location>,
    line: usize,
    options: OptionList,
    used: bool,
}

impl Hints {
    /// Parses the hints of a statement.
    pub(crate) fn new(hints: Vec<Hint>) -> Result<Self, SqlError> {
        let mut all = Self::default();
        for hint in hints {
            for item in items(&hint)? {
                match item {
                    Item::Options(options) => all.options.push(Placed {
                        after: hint.after,
                        line: hint.line,
                        options,
                        used: false,
                    }),
                    Item::Planner(name) => all.planner.push(name),
                }
            }
        }
        Ok(all)
    }

    /// Adds an option that a clause behind the token at `place` asks for.
    pub(crate) fn add(&mut self, place: Location, line: u64, option: (&str, String)) {
        self.options.push(Placed {
            after: Some(place),
            line: usize::try_from(line).unwrap_or(0),
            options: vec![(option.0.to_owned(), option.1)],
            used: false,
        });
    }

    /// The options that stand behind the token at `place`.
    pub(crate) fn options_behind(&mut self, place: Location) -> OptionList {
        let mut found: OptionList = Vec::new();
        for hint in self.options.iter_mut().filter(|hint| hint.after == Some(place)) {
            hint.used = true;
            for (key, value) in &hint.options {
                // Of several hints behind one name the last one counts.
                found.retain(|(known, _)| known != key);
                found.push((key.clone(), value.clone()));
            }
        }
        found
    }

    /// Refuses OPTIONS that stand behind no table; the warnings about the other hints.
    pub(crate) fn finish(self) -> Result<Vec<String>, SqlError> {
        if let Some(hint) = self.options.iter().find(|hint| !hint.used) {
            return Err(SqlError::invalid(format!(
                "the hint OPTIONS (or AS OF) on line {} stands behind no table: write it directly \
                 behind the name of a table that is read or inserted into",
                hint.line
            )));
        }
        let warnings = self.planner.into_iter().map(|name| {
            format!("hint {name} has no effect here: the planner chooses joins by itself")
        });
        Ok(warnings.collect())
    }
}

enum Item {
    Options(OptionList),
    Planner(String),
}

fn items(hint: &Hint) -> Result<Vec<Item>, SqlError> {
    let refused = |reason: &str| {
        SqlError::invalid(format!("hint /*+{}*/ on line {}: {reason}", hint.text, hint.line))
    };
    let mut cursor = Cursor::new(tokens(&hint.text).ok_or_else(|| refused("it has no end"))?);
    let mut items = Vec::new();
    loop {
        if cursor.is_end() {
            return if items.is_empty() { Err(refused("it is empty")) } else { Ok(items) };
        }
        let name = cursor.name("a hint").map_err(|error| refused(&error.to_string()))?;
        let name = name.to_ascii_uppercase();
        if name == "OPTIONS" {
            let options = options(&mut cursor).map_err(|error| refused(&error.to_string()))?;
            items.push(Item::Options(options));
        } else if PLANNER.contains(&name.as_str()) {
            cursor.skip_parentheses().map_err(|error| refused(&error.to_string()))?;
            items.push(Item::Planner(name));
        } else {
            return Err(refused(&format!(
                "there is no hint {name}; known are OPTIONS('key' = 'value') and, without effect, {}",
                PLANNER.join(", ")
            )));
        }
        cursor.symbol(&Token::Comma);
    }
}

fn tokens(text: &str) -> Option<Vec<TokenWithSpan>> {
    let mut tokens = Tokenizer::new(&HeadwaterDialect, text).tokenize_with_location().ok()?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    Some(tokens)
}

const OPEN: &str = " /*+ OPTIONS(";
const CLOSE: &str = ") */";

/// The name of a table with the options of its hint, as it travels through the planner. No table
/// can be called so: names have no `/`.
pub(crate) fn mark(name: &str, options: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        options.iter().map(|(k, v)| format!("{} = {}", literal(k), literal(v))).collect();
    format!("{name}{OPEN}{}{CLOSE}", pairs.join(", "))
}

/// The name and the options of a name that [`mark`] made.
pub(crate) fn unmark(marked: &str) -> (&str, OptionList) {
    let Some((name, rest)) = marked.split_once(OPEN) else { return (marked, Vec::new()) };
    let parsed = rest.strip_suffix(CLOSE).and_then(|list| {
        let mut cursor = Cursor::new(tokens(&format!("({list})"))?);
        options(&mut cursor).ok()
    });
    match parsed {
        Some(options) => (name, options),
        None => (marked, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Hint, Hints, mark, unmark};

    fn hints(text: &str) -> Result<Hints, String> {
        let hint = Hint { after: None, text: text.to_owned(), line: 3 };
        Hints::new(vec![hint]).map_err(|e| e.to_string())
    }

    #[test]
    fn options_survive_the_way_through_the_planner() {
        let options =
            vec![("a.b".to_owned(), "it's".to_owned()), ("c".to_owned(), "x) */ 'y".to_owned())];
        let marked = mark("t", &options);
        assert_eq!(unmark(&marked), ("t", options));
        assert_eq!(unmark("plain"), ("plain", Vec::new()));
        assert_eq!(unmark("odd /*+ OPTIONS(").0, "odd /*+ OPTIONS(");
    }

    #[test]
    fn unknown_and_misplaced_hints_are_refused() {
        for (text, reason) in [
            (" OPTIONZ('a' = 'b') ", "there is no hint OPTIONZ"),
            (" ", "it is empty"),
            (" OPTIONS(a = b) ", "an option's key"),
            (" 'x' ", "expected a hint"),
        ] {
            let error = hints(text).unwrap_err();
            assert!(error.contains(reason) && error.contains("line 3"), "{text}: {error}");
        }
        let unused = hints(" OPTIONS('a' = 'b') ").unwrap().finish().unwrap_err().to_string();
        assert!(unused.contains("stands behind no table"), "{unused}");
        let warnings = hints(" BROADCAST(a, b), SHUFFLE_HASH(c) ").unwrap().finish().unwrap();
        assert_eq!(warnings.len(), 2);
    }
}
