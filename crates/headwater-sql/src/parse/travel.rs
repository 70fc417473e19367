//! A table as it was: `t FOR SYSTEM_TIME AS OF TIMESTAMP '…'` (Flink), `t VERSION AS OF 3` and
//! `t TIMESTAMP AS OF '…'` (Spark) become the options that a hint would give.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::SqlError;
use crate::hint::Hints;

/// Takes the clauses out of the tokens of a query.
pub(crate) fn take_versions(
    tokens: Vec<TokenWithSpan>,
    hints: &mut Hints,
) -> Result<Vec<TokenWithSpan>, SqlError> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    let mut waiting: Vec<TokenWithSpan> = Vec::new();
    while let Some(token) = rest.next() {
        waiting.push(token);
        match clause(&waiting) {
            Clause::Maybe => continue,
            Clause::No => {
                // Only the first word is done with: the next one may begin a clause.
                let mut back: Vec<_> = waiting.drain(1..).collect();
                kept.append(&mut waiting);
                waiting.append(&mut back);
                while !waiting.is_empty() && matches!(clause(&waiting), Clause::No) {
                    kept.push(waiting.remove(0));
                }
            }
            Clause::Whole(kind) => {
                waiting.clear();
                let timestamp = matches!(kind, Kind::SystemTime)
                    && rest.next_if(|next| is_word(&next.token, "TIMESTAMP")).is_some();
                let option = match (kind, rest.next().map(|next| next.token)) {
                    (Kind::Version, Some(Token::Number(n, _) | Token::SingleQuotedString(n))) => {
                        ("scan.version", n)
                    }
                    (Kind::SystemTime, Some(Token::SingleQuotedString(text))) if timestamp => {
                        ("scan.timestamp", text)
                    }
                    (Kind::Timestamp, Some(Token::SingleQuotedString(text))) => {
                        ("scan.timestamp", text)
                    }
                    // Spark counts seconds.
                    (Kind::Timestamp, Some(Token::Number(n, _))) if n.parse::<u32>().is_ok() => {
                        ("scan.timestamp-millis", format!("{n}000"))
                    }
                    (Kind::SystemTime, _) => {
                        return Err(SqlError::unsupported(
                            "FOR SYSTEM_TIME AS OF with anything but TIMESTAMP 'yyyy-mm-dd hh:mm:ss' is",
                            "lookup joins and computed times are planned for a later release",
                        ));
                    }
                    _ => {
                        return Err(SqlError::invalid(
                            "VERSION AS OF needs a number, TIMESTAMP AS OF a text or a number of seconds",
                        ));
                    }
                };
                let Some(table) = kept.last() else {
                    return Err(SqlError::invalid("AS OF stands behind no table"));
                };
                hints.add(table.span.start, table.span.start.line, option);
            }
        }
    }
    kept.append(&mut waiting);
    Ok(kept)
}

#[derive(Clone, Copy)]
enum Kind {
    SystemTime,
    Version,
    Timestamp,
}

enum Clause {
    No,
    Maybe,
    Whole(Kind),
}

const CLAUSES: [(Kind, &[&str]); 5] = [
    (Kind::SystemTime, &["FOR", "SYSTEM_TIME", "AS", "OF"]),
    (Kind::Version, &["VERSION", "AS", "OF"]),
    (Kind::Version, &["FOR", "VERSION", "AS", "OF"]),
    (Kind::Timestamp, &["TIMESTAMP", "AS", "OF"]),
    (Kind::Timestamp, &["FOR", "TIMESTAMP", "AS", "OF"]),
];

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

/// Whether the tokens are a clause, or may become one.
fn clause(tokens: &[TokenWithSpan]) -> Clause {
    for (kind, words) in CLAUSES {
        let agree = tokens.iter().zip(words).all(|(token, word)| is_word(&token.token, word));
        if agree && tokens.len() == words.len() {
            return Clause::Whole(kind);
        }
        if agree && tokens.len() < words.len() {
            return Clause::Maybe;
        }
    }
    Clause::No
}
