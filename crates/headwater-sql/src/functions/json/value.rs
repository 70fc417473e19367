//! JSON texts as values and back. Numbers keep their digits when they are whole; others are DOUBLE.

use std::fmt::Write;

use super::super::numbers::double_text;

/// How deep values may nest.
const MAX_DEPTH: usize = 128;

/// A JSON value. Members keep their order; of members with one name the last counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A whole number, or one of [`Json::parse_exact`], as it is written.
    Whole(String),
    Double(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) const fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The value at the start of the text; what stands behind it is not looked at.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_start(text, false).map(|(value, _)| value)
    }

    /// The value that the whole text is; numbers stay as they are written.
    pub(crate) fn parse_exact(text: &str) -> Result<Self, String> {
        let (value, mut reader) = Self::parse_start(text, true)?;
        reader.spaces();
        if reader.at == text.len() { Ok(value) } else { reader.fail("the end of the text") }
    }

    fn parse_start(text: &str, exact: bool) -> Result<(Self, Reader<'_>), String> {
        let mut reader = Reader { text, at: 0, exact };
        reader.spaces();
        if reader.at == text.len() {
            return Err("there is no JSON in an empty text".to_owned());
        }
        let value = reader.value(0)?;
        Ok((value, reader))
    }

    /// The member with this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// A scalar as a text; none for null and for what is no scalar.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Whole(digits) => Some(digits.clone()),
            Self::Double(value) => Some(double_text(*value)),
            Self::Text(text) => Some(text.clone()),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        write(&mut text, self);
        f.write_str(&text)
    }
}

fn write(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Json::Whole(digits) => out.push_str(digits),
        Json::Double(value) => out.push_str(&double_text(*value)),
        Json::Text(text) => quote(out, text),
        Json::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(out, value);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(out, name);
                out.push(':');
                write(out, value);
            }
            out.push('}');
        }
    }
}

/// A JSON string.
pub(super) fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Whether all numbers stay as they are written.
    exact: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fail<T>(&self, wanted: &str) -> Result<T, String> {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => Err(format!("expected {wanted}, found {found:?} at byte {}", self.at)),
            None => Err(format!("expected {wanted}, found the end of the text")),
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > MAX_DEPTH {
            return Err(format!("the JSON nests deeper than {MAX_DEPTH}"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in
                    [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)]
                {
                    let rest = self.text.get(self.at..).unwrap_or("");
                    if let Some(rest) = rest.strip_prefix(word)
                        && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                    {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                self.fail("a JSON value")
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut known = std::collections::HashMap::new();
        self.at += 1;
        self.spaces();
        if self.eat(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.spaces();
            if self.peek() != Some(b'"') {
                return self.fail("a name in double quotes");
            }
            let name = self.string()?;
            self.spaces();
            if !self.eat(b':') {
                return self.fail("':'");
            }
            self.spaces();
            let value = self.value(depth + 1)?;
            match known.get(&name).and_then(|at: &usize| members.get_mut(*at)) {
                Some((_, old)) => *old = value,
                None => {
                    known.insert(name.clone(), members.len());
                    members.push((name, value));
                }
            }
            self.spaces();
            if self.eat(b',') {
                continue;
            }
            if self.eat(b'}') {
                return Ok(Json::Object(members));
            }
            return self.fail("',' or '}'");
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        let mut values = Vec::new();
        self.at += 1;
        self.spaces();
        if self.eat(b']') {
            return Ok(Json::Array(values));
        }
        loop {
            self.spaces();
            values.push(self.value(depth + 1)?);
            self.spaces();
            if self.eat(b',') {
                continue;
            }
            if self.eat(b']') {
                return Ok(Json::Array(values));
            }
            return self.fail("',' or ']'");
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        self.eat(b'-');
        let first = self.at;
        let count = self.digits();
        if count == 0 || (count > 1 && self.text.as_bytes().get(first) == Some(&b'0')) {
            self.at = first;
            return self.fail("a number without leading zeros");
        }
        let mut whole = true;
        if self.eat(b'.') {
            whole = false;
            if self.digits() == 0 {
                return self.fail("a digit");
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            if self.digits() == 0 {
                return self.fail("a digit");
            }
        }
        if matches!(self.peek(), Some(c) if c.is_ascii_alphanumeric() || c == b'_' || c == b'.') {
            return self.fail("the end of the number");
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if whole || self.exact {
            return Ok(Json::Whole(text.to_owned()));
        }
        match text.parse() {
            Ok(value) => Ok(Json::Double(value)),
            Err(_) => self.fail("a number"),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or("");
            let plain = rest.find(|c| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            text.push_str(rest.get(..plain).unwrap_or(""));
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return self.fail("'\"'"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let high = self.unit()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                let before = self.at;
                if self.eat(b'\\') && self.eat(b'u') {
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                }
                self.at = before;
                return Ok(char::REPLACEMENT_CHARACTER);
            }
            _ => return self.fail("an escape"),
        };
        self.at += 1;
        Ok(c)
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, String> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or("");
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.fail("four hexadecimal digits");
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_they_were_read() {
        for text in [
            "{\"z\":1,\"b\":\"é/\\\"\"}",
            "[1,\"x\",null,true,1.5,{\"k\":[]}]",
            "12345678901234567890123",
        ] {
            assert_eq!(Json::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Json::parse("{\"a\":1,\"b\":2,\"a\":3}").unwrap().to_string(),
            "{\"a\":3,\"b\":2}"
        );
        assert_eq!(Json::parse("\"\\ud83d\\ude00\\u4e2d\"").unwrap(), Json::Text("😀中".into()));
        assert_eq!(Json::parse(" 1 x").unwrap(), Json::Whole("1".into()));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for bad in [
            "", " ", "bad", "{a:1}", "[1,]", "01", "nan", "{'a':1}", "\"a", "1.", "-", "tru",
            "[1 2]", "\"\\x\"",
        ] {
            assert!(Json::parse(bad).is_err(), "{bad}");
        }
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }
}
