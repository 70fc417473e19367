//! Cuts a script into statements; knows strings, quoted names and comments, but no grammar.

use std::collections::VecDeque;

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use crate::dialect::HeadwaterDialect;
use crate::error::{Position, SqlError, SqlErrorKind};
use crate::hint::Hint;

/// A statement's tokens (without white space and comments), its hints and its place.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) position: Position,
    pub(crate) tokens: Vec<TokenWithSpan>,
    pub(crate) hints: Vec<Hint>,
}

/// Cuts `script` at its semicolons. Empty statements are left out and not counted.
///
/// A text that cannot be cut further (a string that never ends) comes as the error of the
/// statement it stands in: the statements before can still run.
pub(crate) fn split(script: &str) -> VecDeque<Result<Piece, SqlError>> {
    let mut tokens = Vec::new();
    let outcome =
        Tokenizer::new(&HeadwaterDialect, script).tokenize_with_location_into_buf(&mut tokens);
    let mut pieces = Cutter::default();
    for token in tokens {
        pieces.add(token);
    }
    match outcome {
        Ok(()) => pieces.end(),
        Err(e) => {
            let error = SqlError::new(SqlErrorKind::Syntax {
                message: e.message,
                line: usize::try_from(e.location.line).unwrap_or(0),
                column: usize::try_from(e.location.column).unwrap_or(0),
            });
            pieces.fail(error, usize::try_from(e.location.line).unwrap_or(0));
        }
    }
    pieces.done
}

/// Whether `text` is a whole number of statements, so that nothing more has to be typed: it ends
/// with a semicolon outside of strings, quoted names and comments, or holds no statement at all.
///
/// A text that more typing cannot mend counts as whole, so that it runs and its fault is told.
#[must_use]
pub fn ends_statement(text: &str) -> bool {
    let tokenize = |text: &str| Tokenizer::new(&HeadwaterDialect, text).tokenize();
    match tokenize(text) {
        Ok(tokens) => {
            let last = tokens.iter().rfind(|token| !matches!(token, Token::Whitespace(_)));
            last.is_none_or(|token| matches!(token, Token::SemiColon))
        }
        Err(_) => {
            // What ends a string, a name or a comment that is still open.
            let comments = "*/".repeat(text.matches("/*").count());
            let ends = ["'", "\"", "`", "$$", &comments];
            !ends.iter().any(|end| tokenize(&format!("{text}{end}")).is_ok())
        }
    }
}

#[derive(Default)]
struct Cutter {
    done: VecDeque<Result<Piece, SqlError>>,
    tokens: Vec<TokenWithSpan>,
    hints: Vec<Hint>,
}

impl Cutter {
    fn add(&mut self, token: TokenWithSpan) {
        match &token.token {
            Token::SemiColon => self.end(),
            Token::Whitespace(Whitespace::MultiLineComment(text)) if text.starts_with('+') => {
                self.hints.push(Hint {
                    after: self.tokens.last().map(|last| last.span.start),
                    text: text.get(1..).unwrap_or_default().to_owned(),
                    line: line_of(&token),
                });
            }
            Token::Whitespace(_) => {}
            _ => self.tokens.push(token),
        }
    }

    fn position(&self, fallback_line: usize) -> Position {
        Position {
            number: self.done.len() + 1,
            line: self.tokens.first().map_or(fallback_line, line_of),
        }
    }

    fn end(&mut self) {
        let position = self.position(self.hints.first().map_or(0, |hint| hint.line));
        let tokens = std::mem::take(&mut self.tokens);
        let hints = std::mem::take(&mut self.hints);
        // A hint alone is a statement that is refused.
        if !tokens.is_empty() || !hints.is_empty() {
            self.done.push_back(Ok(Piece { position, tokens, hints }));
        }
    }

    fn fail(&mut self, error: SqlError, line: usize) {
        let position = self.position(line);
        self.done.push_back(Err(error.at(position)));
    }
}

fn line_of(token: &TokenWithSpan) -> usize {
    usize::try_from(token.span.start.line).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(script: &str) -> Vec<(usize, usize, String)> {
        split(script)
            .into_iter()
            .map(|piece| {
                let piece = piece.unwrap();
                let text: Vec<String> = piece.tokens.iter().map(ToString::to_string).collect();
                (piece.position.number, piece.position.line, text.join(" "))
            })
            .collect()
    }

    #[test]
    fn statements_know_their_number_and_line() {
        let script = "-- first; not a statement\nSELECT 1;\n\n;;\n  SELECT\n 2 ; SELECT 3";
        assert_eq!(
            cut(script),
            vec![(1, 2, "SELECT 1".into()), (2, 5, "SELECT 2".into()), (3, 6, "SELECT 3".into()),]
        );
    }

    #[test]
    fn semicolons_inside_of_strings_names_and_comments_do_not_cut() {
        let script = "SELECT 'a;''b;', `c;``d`, \"e;\" /* ; /* nested; */ */ -- ;\n, 'multi\nline;'; SELECT 2";
        let pieces = cut(script);
        assert_eq!(pieces.len(), 2);
        assert_eq!((pieces[1].0, pieces[1].1), (2, 3));
    }

    #[test]
    fn an_empty_script_has_no_statements() {
        assert!(split(" \n -- nothing\n /* at all */ ;").is_empty());
    }

    #[test]
    fn a_statement_ends_with_a_semicolon_that_is_one() {
        for whole in [
            "",
            "  \n",
            "-- nothing",
            ";",
            "SELECT 1;",
            "SELECT ';' ; -- done",
            "SELECT 1; SELECT 2; /* ; */",
            "SELECT E'it\\'s';",
        ] {
            assert!(ends_statement(whole), "{whole}");
        }
        for open in [
            "SELECT 1",
            "SELECT 1 -- ;",
            "SELECT ';",
            "SELECT 'it''",
            "SELECT 1; SELECT",
            "SELECT `a;",
            "SELECT \"a;",
            "SELECT 1 /* ; /* ; */ ",
            "SELECT E'it\\';",
        ] {
            assert!(!ends_statement(open), "{open}");
        }
    }

    #[test]
    fn a_hint_knows_the_token_before_it() {
        let mut pieces = split("SELECT 1;\nSELECT * FROM t /*+ OPTIONS('a'='1') */ AS x");
        assert!(pieces.pop_front().unwrap().unwrap().hints.is_empty());
        let piece = pieces.pop_front().unwrap().unwrap();
        let [hint] = piece.hints.as_slice() else { panic!("{piece:?}") };
        assert_eq!((hint.text.as_str(), hint.line), (" OPTIONS('a'='1') ", 2));
        assert_eq!(hint.after, Some(piece.tokens[3].span.start));
        let alone = split("/*+ alone */").pop_front().unwrap().unwrap();
        assert!(alone.tokens.is_empty() && alone.hints.len() == 1);
    }

    #[test]
    fn a_string_without_end_fails_its_own_statement_only() {
        let mut pieces = split("SELECT 1;\nSELECT\n 'open; SELECT 3");
        assert!(pieces.pop_front().unwrap().is_ok());
        let error = pieces.pop_front().unwrap().unwrap_err();
        assert_eq!((error.statement(), error.line()), (2, 2));
        assert!(error.to_string().contains("line 3"), "{error}");
        assert!(pieces.is_empty());
    }

    #[test]
    fn text_of_many_scripts_survives() {
        let pieces = cut("SELECT '订单;🚚', `列` FROM t");
        assert_eq!(pieces, vec![(1, 1, "SELECT '订单;🚚' , `列` FROM t".into())]);
    }
}
