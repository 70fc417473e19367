//! Walks over the tokens of one statement, and complains with line and column.

use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::error::{SqlError, SqlErrorKind};
use crate::hint::{Hints, OptionList};

/// A position in the tokens of one statement.
pub(crate) struct Cursor {
    tokens: Vec<TokenWithSpan>,
    at: usize,
    /// The hints of the statement.
    pub(crate) hints: Hints,
    /// TIMESTAMP without digits is Spark's, an instant.
    pub(crate) spark_types: bool,
}

impl Cursor {
    pub(crate) fn new(tokens: Vec<TokenWithSpan>) -> Self {
        Self { tokens, at: 0, hints: Hints::default(), spark_types: false }
    }

    /// The same tokens with the hints that stand between them.
    pub(crate) fn with_hints(mut self, hints: Hints) -> Self {
        self.hints = hints;
        self
    }

    /// The options of the hint behind the token that was taken last.
    pub(crate) fn options_hint(&mut self) -> OptionList {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        match last.map(|token| token.span.start) {
            Some(place) => self.hints.options_behind(place),
            None => Vec::new(),
        }
    }

    /// Whether nothing is left.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self.peek(), None | Some(Token::EOF))
    }

    /// Whether nothing stands behind the next `n` tokens.
    pub(crate) fn is_end_at(&self, n: usize) -> bool {
        matches!(self.peek_nth(n), None | Some(Token::EOF))
    }

    pub(crate) fn is_open_parenthesis(&self) -> bool {
        self.peek() == Some(&Token::LParen)
    }

    /// Takes the next token, whatever it is.
    pub(crate) fn take(&mut self) -> Option<(Token, Span)> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some((token.token.clone(), token.span))
    }

    /// Whether a keyword follows outside of all parentheses.
    pub(crate) fn has_keyword_ahead(&self, keyword: &str) -> bool {
        let mut depth = 0_usize;
        self.tokens.get(self.at..).unwrap_or_default().iter().any(|token| match &token.token {
            Token::LParen => {
                depth += 1;
                false
            }
            Token::RParen => {
                depth = depth.saturating_sub(1);
                false
            }
            Token::Word(word) => {
                depth == 0 && word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword)
            }
            _ => false,
        })
    }

    /// Takes `( … )` with everything inside, if it is next.
    pub(crate) fn skip_parentheses(&mut self) -> Result<(), SqlError> {
        if !self.symbol(&Token::LParen) {
            return Ok(());
        }
        let mut depth = 1_usize;
        while depth > 0 {
            match self.take() {
                Some((Token::LParen, _)) => depth += 1,
                Some((Token::RParen, _)) => depth -= 1,
                Some((Token::EOF, _)) | None => return Err(self.expected("')'")),
                Some(_) => {}
            }
        }
        Ok(())
    }

    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.token)
    }

    fn peek_nth(&self, n: usize) -> Option<&Token> {
        self.tokens.get(self.at + n).map(|t| &t.token)
    }

    /// The tokens that are left.
    pub(crate) fn rest(&self) -> Vec<TokenWithSpan> {
        self.tokens.get(self.at..).unwrap_or_default().to_vec()
    }

    /// A complaint about the next token.
    pub(crate) fn expected(&self, what: &str) -> SqlError {
        let found = match self.peek() {
            Some(Token::EOF) | None => "the end of the statement".to_owned(),
            Some(token) => token.to_string(),
        };
        self.complain(format!("expected {what}, found {found}"))
    }

    /// A complaint at the next token.
    pub(crate) fn complain(&self, message: impl Into<String>) -> SqlError {
        let place = match self.tokens.get(self.at) {
            Some(token) => Some(token.span.start),
            None => self.tokens.last().map(|token| token.span.end),
        };
        let number = |n: u64| usize::try_from(n).unwrap_or(0);
        SqlError::new(SqlErrorKind::Syntax {
            message: message.into(),
            line: place.map_or(0, |p| number(p.line)),
            column: place.map_or(0, |p| number(p.column)),
        })
    }

    pub(crate) fn is_keyword_at(&self, n: usize, keyword: &str) -> bool {
        matches!(self.peek_nth(n), Some(Token::Word(w))
            if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn is_keyword(&self, keyword: &str) -> bool {
        self.is_keyword_at(0, keyword)
    }

    /// The token behind the next one.
    pub(crate) fn peek_second(&self) -> Option<&Token> {
        self.peek_nth(1)
    }

    /// Takes these words when all of them are next.
    pub(crate) fn keywords(&mut self, keywords: &[&str]) -> bool {
        let hit = keywords.iter().enumerate().all(|(n, k)| self.is_keyword_at(n, k));
        if hit {
            self.at += keywords.len();
        }
        hit
    }

    pub(crate) fn keyword(&mut self, keyword: &str) -> bool {
        self.keywords(&[keyword])
    }

    pub(crate) fn need_keyword(&mut self, keyword: &str) -> Result<(), SqlError> {
        if self.keyword(keyword) { Ok(()) } else { Err(self.expected(keyword)) }
    }

    pub(crate) fn symbol(&mut self, symbol: &Token) -> bool {
        let hit = self.peek() == Some(symbol);
        self.at += usize::from(hit);
        hit
    }

    pub(crate) fn need_symbol(&mut self, symbol: &Token) -> Result<(), SqlError> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("'{symbol}'"))) }
    }

    /// Takes a closing angle bracket, also one half of `>>`.
    pub(crate) fn need_close_angle(&mut self) -> Result<(), SqlError> {
        if let Some(token) = self.tokens.get_mut(self.at)
            && token.token == Token::ShiftRight
        {
            token.token = Token::Gt;
            return Ok(());
        }
        self.need_symbol(&Token::Gt)
    }

    /// A name: a word in its own case, or anything in backticks or double quotes.
    pub(crate) fn name(&mut self, what: &str) -> Result<String, SqlError> {
        match self.peek() {
            Some(Token::Word(word)) if !word.value.is_empty() => {
                let name = word.value.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected(what)),
        }
    }

    /// `a`, `a.b` or `a.b.c`.
    pub(crate) fn dotted_name(&mut self, what: &str) -> Result<Vec<String>, SqlError> {
        let mut parts = vec![self.name(what)?];
        while self.symbol(&Token::Period) {
            parts.push(self.name(what)?);
        }
        Ok(parts)
    }

    /// `(a, b, c)` with at least one name.
    pub(crate) fn names(&mut self, what: &str) -> Result<Vec<String>, SqlError> {
        self.need_symbol(&Token::LParen)?;
        let mut names = Vec::new();
        loop {
            names.push(self.name(what)?);
            if !self.symbol(&Token::Comma) {
                break;
            }
        }
        self.need_symbol(&Token::RParen)?;
        Ok(names)
    }

    pub(crate) fn string(&mut self, what: &str) -> Result<String, SqlError> {
        match self.peek() {
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.expected(what)),
        }
    }

    /// A whole number from `min` to `max`.
    pub(crate) fn number<T: TryFrom<u64>>(
        &mut self,
        what: &str,
        min: u64,
        max: u64,
    ) -> Result<T, SqlError> {
        let Some(Token::Number(text, _)) = self.peek() else {
            return Err(self.expected(what));
        };
        let parsed = text.parse::<u64>().ok().filter(|n| (min..=max).contains(n));
        match parsed.and_then(|n| T::try_from(n).ok()) {
            Some(n) => {
                self.at += 1;
                Ok(n)
            }
            None => Err(self.complain(format!("{what} must be {min} to {max}, not {text}"))),
        }
    }

    /// A value as text: a string, a number with its sign, or a word (TRUE, NULL gives none).
    pub(crate) fn literal(&mut self, what: &str) -> Result<Option<String>, SqlError> {
        let minus = self.symbol(&Token::Minus);
        let text = match self.peek() {
            Some(Token::Number(text, _)) => {
                if minus {
                    Some(format!("-{text}"))
                } else {
                    Some(text.clone())
                }
            }
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) if !minus => {
                Some(text.clone())
            }
            Some(Token::Word(word)) if !minus && word.quote_style.is_none() => {
                match word.value.to_ascii_uppercase().as_str() {
                    "NULL" => None,
                    value @ ("TRUE" | "FALSE") => Some(value.to_ascii_lowercase()),
                    // DATE '2024-01-31', TIMESTAMP '…': the text alone says the same.
                    "DATE" | "TIME" | "TIMESTAMP" => {
                        self.at += 1;
                        return self.string("a text").map(Some);
                    }
                    _ => return Err(self.expected(what)),
                }
            }
            _ => return Err(self.expected(what)),
        };
        self.at += 1;
        Ok(text)
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), SqlError> {
        match self.peek() {
            None | Some(Token::EOF) => Ok(()),
            Some(_) => Err(self.expected("the end of the statement")),
        }
    }
}
