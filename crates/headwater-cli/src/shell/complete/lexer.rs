//! Cuts a statement that is still being typed into words, names, texts and symbols, with their
//! places. Looks at nothing else, so that a half statement is no error.

/// A piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As typed, with its quotes.
    pub(super) text: &'a str,
    /// Byte at which it starts.
    pub(super) start: usize,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a plain name.
    Word,
    /// A name in backticks or double quotes; `open` when its end is missing.
    Name { open: bool },
    /// A text in single quotes; `open` when its end is missing.
    Text { open: bool },
    /// A number.
    Number,
    /// Anything else, one character.
    Symbol,
    /// A comment whose end is missing.
    OpenComment,
}

impl Token<'_> {
    /// Whether this is the keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether this is the symbol.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The text or name without its quotes.
    pub(super) fn inner(&self) -> String {
        let open = match self.kind {
            Kind::Name { open } | Kind::Text { open } => open,
            _ => return self.text.to_owned(),
        };
        let mut characters = self.text.chars();
        let Some(quote) = characters.next() else { return String::new() };
        if !open {
            characters.next_back();
        }
        characters.as_str().replace(&format!("{quote}{quote}"), &quote.to_string())
    }

    /// The name that a word or a quoted name is.
    pub(super) fn name(&self) -> Option<String> {
        matches!(self.kind, Kind::Word | Kind::Name { .. }).then(|| self.inner())
    }
}

/// The pieces of `text`, without white space and comments.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..)
        && let Some(first) = rest.chars().next()
    {
        let (kind, length) = next(rest, first);
        if let Some(kind) = kind {
            found.push(Token { kind, text: rest.get(..length).unwrap_or(rest), start });
        }
        start += length.max(1);
    }
    found
}

/// The kind of what `rest` starts with, unless it says nothing, and its bytes.
fn next(rest: &str, first: char) -> (Option<Kind>, usize) {
    let while_true = |test: fn(char) -> bool| rest.find(|c| !test(c)).unwrap_or(rest.len());
    match first {
        c if c.is_whitespace() => (None, while_true(char::is_whitespace)),
        '-' if rest.starts_with("--") => match rest.find('\n') {
            Some(length) => (None, length),
            None => (Some(Kind::OpenComment), rest.len()),
        },
        '/' if rest.starts_with("/*") => match comment(rest) {
            Some(length) => (None, length),
            None => (Some(Kind::OpenComment), rest.len()),
        },
        '\'' => quoted(rest, first, |open| Kind::Text { open }),
        '`' | '"' => quoted(rest, first, |open| Kind::Name { open }),
        c if c.is_alphabetic() || c == '_' => {
            (Some(Kind::Word), while_true(|c| c.is_alphanumeric() || c == '_' || c == '$'))
        }
        c if c.is_ascii_digit() => (Some(Kind::Number), while_true(|c| c.is_ascii_alphanumeric())),
        c => (Some(Kind::Symbol), c.len_utf8()),
    }
}

fn quoted(rest: &str, quote: char, kind: fn(bool) -> Kind) -> (Option<Kind>, usize) {
    let mut at = quote.len_utf8();
    while let Some(found) = rest.get(at..).and_then(|rest| rest.find(quote)) {
        at += found + 1;
        if !rest.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            return (Some(kind(false)), at);
        }
        at += 1;
    }
    (Some(kind(true)), rest.len())
}

/// Bytes of the comment, which may hold others.
fn comment(rest: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn a_statement_is_cut_into_its_pieces() {
        assert_eq!(
            texts("SELECT a.`b``c`, 'it''s' -- no\nFROM t1 /* /* x */ */ WHERE 订单>=1.5e3;"),
            [
                "SELECT", "a", ".", "`b``c`", ",", "'it''s'", "FROM", "t1", "WHERE", "订单", ">",
                "=", "1", ".", "5e3", ";"
            ]
        );
    }

    #[test]
    fn what_is_still_open_says_so() {
        let last = |text| tokens(text).last().map(|token| (token.kind, token.inner()));
        assert_eq!(last("a 'b''"), Some((Kind::Text { open: true }, "b'".into())));
        assert_eq!(last("a 'b'"), Some((Kind::Text { open: false }, "b".into())));
        assert_eq!(last("a `b c"), Some((Kind::Name { open: true }, "b c".into())));
        assert_eq!(last("a /* b"), Some((Kind::OpenComment, "/* b".into())));
    }

    #[test]
    fn any_text_is_cut_without_end_in_sight() {
        for text in ["", "'", "`", "\"", "/*", "*/", "--", "é'ü", "/*/", "''''", "\u{0}"] {
            tokens(text);
        }
    }
}
