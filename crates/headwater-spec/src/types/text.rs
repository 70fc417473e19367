//! The text of a type: `DECIMAL(12, 2) NOT NULL`, and the parser for every spelling of it.
//!
//! Format: `docs/spec/schema.md#types`. Source: Paimon 1.4.2 `DataTypeJsonParser`, `DataType#asSQLString`.

use std::fmt;
use std::str::FromStr;

use super::{DataField, DataType, MAX_LENGTH, TypeKind};
use crate::error::SpecError;

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if !self.nullable {
            f.write_str(" NOT NULL")?;
        }
        Ok(())
    }
}

impl fmt::Display for TypeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Char(n) => write!(f, "CHAR({n})"),
            Self::VarChar(MAX_LENGTH) => f.write_str("STRING"),
            Self::VarChar(n) => write!(f, "VARCHAR({n})"),
            Self::Binary(n) => write!(f, "BINARY({n})"),
            Self::VarBinary(MAX_LENGTH) => f.write_str("BYTES"),
            Self::VarBinary(n) => write!(f, "VARBINARY({n})"),
            Self::Date => f.write_str("DATE"),
            Self::Time(p) => write!(f, "TIME({p})"),
            Self::Timestamp(p) => write!(f, "TIMESTAMP({p})"),
            Self::TimestampLtz(p) => write!(f, "TIMESTAMP({p}) WITH LOCAL TIME ZONE"),
            Self::Array(e) => write!(f, "ARRAY<{e}>"),
            Self::Multiset(e) => write!(f, "MULTISET<{e}>"),
            Self::Map(k, v) => write!(f, "MAP<{k}, {v}>"),
            Self::Vector(e, n) => write!(f, "VECTOR<{e}, {n}>"),
            Self::Row(fields) => {
                f.write_str("ROW<")?;
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "`{}` {}", field.name.replace('`', "``"), field.data_type)?;
                    if let Some(comment) = &field.description {
                        write!(f, " '{}'", comment.replace('\'', "''"))?;
                    }
                }
                f.write_str(">")
            }
            Self::Variant => f.write_str("VARIANT"),
            Self::Blob => f.write_str("BLOB"),
        }
    }
}

impl FromStr for DataType {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::parse(text)
    }
}

impl DataType {
    /// The type that `text` names, in any spelling that Paimon's schema files or Flink SQL allow.
    ///
    /// A missing length of CHAR, VARCHAR, BINARY and VARBINARY is 1, as in schema files (SQL, where
    /// VARCHAR alone is STRING, decides before). Fields of a ROW get the id -1.
    ///
    /// # Errors
    /// [`SpecError::Type`] names the text and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let mut parser = Parser { text, tokens: tokenize(text)?, at: 0, depth: 0 };
        let parsed = parser.data_type()?;
        match parser.peek() {
            None => Ok(parsed),
            Some(token) => Err(parser.error(format!("unexpected {token} after the type"))),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Text(String),
    Number(u64),
    Symbol(char),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(w) => write!(f, "{w:?}"),
            Self::Quoted(w) => write!(f, "`{w}`"),
            Self::Text(w) => write!(f, "'{w}'"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Symbol(c) => write!(f, "{c:?}"),
        }
    }
}

fn tokenize(text: &str) -> Result<Vec<Token>, SpecError> {
    let fail = |reason: &str| SpecError::Type { text: text.to_owned(), reason: reason.to_owned() };
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '(' | ')' | '<' | '>' | ',' => out.push(Token::Symbol(c)),
            '`' | '\'' => {
                let mut word = String::new();
                loop {
                    match chars.next() {
                        None => return Err(fail("a quote is not closed")),
                        Some(q) if q == c && chars.peek() == Some(&c) => {
                            chars.next();
                            word.push(c);
                        }
                        Some(q) if q == c => break,
                        Some(other) => word.push(other),
                    }
                }
                out.push(if c == '`' { Token::Quoted(word) } else { Token::Text(word) });
            }
            c if c.is_ascii_digit() => {
                let mut number = c.to_string();
                while let Some(d) = chars.next_if(char::is_ascii_digit) {
                    number.push(d);
                }
                out.push(Token::Number(number.parse().map_err(|_| fail("a number is too large"))?));
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = c.to_string();
                while let Some(d) = chars.next_if(|d| d.is_alphanumeric() || *d == '_') {
                    word.push(d);
                }
                out.push(Token::Word(word));
            }
            other => return Err(fail(&format!("unexpected character {other:?}"))),
        }
    }
    Ok(out)
}

/// How deep types may nest.
pub(super) const MAX_DEPTH: usize = 64;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, reason: impl Into<String>) -> SpecError {
        SpecError::Type { text: self.text.chars().take(200).collect(), reason: reason.into() }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn word(&mut self, expected: &str) -> bool {
        let hit = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(expected));
        self.at += usize::from(hit);
        hit
    }

    fn symbol(&mut self, expected: char) -> bool {
        let hit = self.peek() == Some(&Token::Symbol(expected));
        self.at += usize::from(hit);
        hit
    }

    fn need_symbol(&mut self, expected: char) -> Result<(), SpecError> {
        if self.symbol(expected) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(t) => self.error(format!("expected {expected:?}, found {t}")),
            None => self.error(format!("expected {expected:?} at the end")),
        })
    }

    fn need_word(&mut self, expected: &str) -> Result<(), SpecError> {
        if self.word(expected) { Ok(()) } else { Err(self.error(format!("expected {expected}"))) }
    }

    fn number(&mut self) -> Result<u64, SpecError> {
        match self.peek() {
            Some(Token::Number(n)) => {
                let n = *n;
                self.at += 1;
                Ok(n)
            }
            _ => Err(self.error("expected a number")),
        }
    }

    fn data_type(&mut self) -> Result<DataType, SpecError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("types nest deeper than {MAX_DEPTH}")));
        }
        let kind = self.kind()?;
        let mut parsed = DataType { kind, nullable: self.nullability()? };
        loop {
            if self.word("ARRAY") {
                parsed = DataType::nullable(TypeKind::Array(Box::new(parsed)));
            } else if self.word("MULTISET") {
                parsed = DataType::nullable(TypeKind::Multiset(Box::new(parsed)));
            } else {
                break;
            }
            parsed.nullable = self.nullability()?;
        }
        self.depth -= 1;
        Ok(parsed)
    }

    fn nullability(&mut self) -> Result<bool, SpecError> {
        if self.word("NOT") {
            self.need_word("NULL")?;
            return Ok(false);
        }
        self.word("NULL");
        Ok(true)
    }

    fn kind(&mut self) -> Result<TypeKind, SpecError> {
        let name = match self.peek() {
            Some(Token::Word(w)) => w.to_ascii_uppercase(),
            Some(t) => return Err(self.error(format!("expected a type name, found {t}"))),
            None => return Err(self.error("a type name is missing")),
        };
        self.at += 1;
        Ok(match name.as_str() {
            "BOOLEAN" => TypeKind::Boolean,
            "TINYINT" => TypeKind::TinyInt,
            "SMALLINT" => TypeKind::SmallInt,
            "INT" | "INTEGER" => TypeKind::Int,
            "BIGINT" => TypeKind::BigInt,
            "FLOAT" => TypeKind::Float,
            "DOUBLE" => {
                self.word("PRECISION");
                TypeKind::Double
            }
            "DECIMAL" | "NUMERIC" | "DEC" => self.decimal()?,
            "CHAR" => TypeKind::Char(self.length()?),
            "VARCHAR" => TypeKind::VarChar(self.length()?),
            "STRING" => TypeKind::STRING,
            "BINARY" => TypeKind::Binary(self.length()?),
            "VARBINARY" => TypeKind::VarBinary(self.length()?),
            "BYTES" => TypeKind::BYTES,
            "DATE" => TypeKind::Date,
            "TIME" => {
                let p = self.precision(0)?;
                self.without_zone()?;
                TypeKind::Time(p)
            }
            "TIMESTAMP" => {
                let p = self.precision(6)?;
                if self.word("WITH") {
                    for word in ["LOCAL", "TIME", "ZONE"] {
                        self.need_word(word)?;
                    }
                    TypeKind::TimestampLtz(p)
                } else {
                    self.without_zone()?;
                    TypeKind::Timestamp(p)
                }
            }
            "TIMESTAMP_LTZ" => TypeKind::TimestampLtz(self.precision(6)?),
            "VARIANT" => TypeKind::Variant,
            "BLOB" => TypeKind::Blob,
            "ARRAY" => TypeKind::Array(Box::new(self.in_angles()?)),
            "MULTISET" => TypeKind::Multiset(Box::new(self.in_angles()?)),
            "MAP" => {
                self.need_symbol('<')?;
                let key = self.data_type()?;
                self.need_symbol(',')?;
                let value = self.data_type()?;
                self.need_symbol('>')?;
                TypeKind::Map(Box::new(key), Box::new(value))
            }
            "VECTOR" => {
                self.need_symbol('<')?;
                let element = self.data_type()?;
                self.need_symbol(',')?;
                let length = self.bounded(1, u64::from(MAX_LENGTH), "length")?;
                self.need_symbol('>')?;
                TypeKind::Vector(Box::new(element), length)
            }
            "ROW" => self.row()?,
            other => return Err(self.error(format!("there is no type {other}"))),
        })
    }

    fn in_angles(&mut self) -> Result<DataType, SpecError> {
        self.need_symbol('<')?;
        let inner = self.data_type()?;
        self.need_symbol('>')?;
        Ok(inner)
    }

    fn row(&mut self) -> Result<TypeKind, SpecError> {
        let close = if self.symbol('(') {
            ')'
        } else {
            self.need_symbol('<')?;
            '>'
        };
        let mut fields = Vec::new();
        while !self.symbol(close) {
            if !fields.is_empty() {
                self.need_symbol(',')?;
            }
            let name = match self.peek() {
                Some(Token::Word(w) | Token::Quoted(w)) => w.clone(),
                _ => return Err(self.error("expected a field name")),
            };
            self.at += 1;
            let mut field = DataField::new(-1, name, self.data_type()?);
            if let Some(Token::Text(comment)) = self.peek() {
                field.description = Some(comment.clone());
                self.at += 1;
            }
            fields.push(field);
        }
        Ok(TypeKind::Row(fields))
    }

    fn without_zone(&mut self) -> Result<(), SpecError> {
        if self.word("WITHOUT") {
            self.need_word("TIME")?;
            self.need_word("ZONE")?;
        }
        Ok(())
    }

    fn bounded<T: TryFrom<u64>>(&mut self, min: u64, max: u64, what: &str) -> Result<T, SpecError> {
        let n = self.number()?;
        if n < min || n > max {
            return Err(self.error(format!("the {what} must be {min} to {max}, not {n}")));
        }
        T::try_from(n).map_err(|_| self.error(format!("the {what} {n} is too large")))
    }

    fn length(&mut self) -> Result<u32, SpecError> {
        if !self.symbol('(') {
            return Ok(1);
        }
        let n = self.bounded(0, u64::from(MAX_LENGTH), "length")?;
        self.need_symbol(')')?;
        Ok(n)
    }

    fn precision(&mut self, default: u8) -> Result<u8, SpecError> {
        if !self.symbol('(') {
            return Ok(default);
        }
        let n = self.bounded(0, 9, "precision")?;
        self.need_symbol(')')?;
        Ok(n)
    }

    fn decimal(&mut self) -> Result<TypeKind, SpecError> {
        let (mut precision, mut scale) = (10_u8, 0_u8);
        if self.symbol('(') {
            precision = self.bounded(1, 38, "precision")?;
            if self.symbol(',') {
                scale = self.bounded(0, u64::from(precision), "scale")?;
            }
            self.need_symbol(')')?;
        }
        Ok(TypeKind::Decimal { precision, scale })
    }
}
