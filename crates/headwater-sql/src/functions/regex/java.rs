//! Java's regular expressions, written for the engine that is used here.
//!
//! `\d`, `\w` and `\s` are ASCII in Java, `.` leaves out more line ends, `\h` is a space, `\Q...\E`
//! quotes. What both understand alike passes through.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = "\\x20\\t\\n\\x0B\\x0C\\r";
const HORIZONTAL: &str =
    "\\x20\\t\\x{A0}\\x{1680}\\x{180E}\\x{2000}-\\x{200A}\\x{202F}\\x{205F}\\x{3000}";
const VERTICAL: &str = "\\n\\x0B\\x0C\\r\\x{85}\\x{2028}\\x{2029}";

/// The pattern for the engine, or what is wrong with it.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        chars: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 8),
        // With the flag for it a dot is every character.
        dot_all: pattern.contains("(?") && flags(pattern, 's'),
        comments: flags(pattern, 'x'),
    };
    translator.run()?;
    Ok(translator.out)
}

/// Whether the pattern switches this flag on somewhere.
fn flags(pattern: &str, flag: char) -> bool {
    pattern
        .split("(?")
        .skip(1)
        .any(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase()).any(|c| c == flag))
}

struct Translator<'a> {
    chars: Peekable<Chars<'a>>,
    out: String,
    dot_all: bool,
    comments: bool,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '.' if !self.dot_all => {
                    self.out.push_str("[^\\n\\r\\x{85}\\x{2028}\\x{2029}]");
                }
                c => self.out.push(c),
            }
        }
        Ok(())
    }

    /// A class, from behind its `[` to its `]`.
    fn class(&mut self) -> Result<(), String> {
        let mut depth = 1;
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => self.escape(true)?,
                ']' if first => self.out.push_str("\\]"),
                ']' => {
                    self.out.push(']');
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                '[' => {
                    self.out.push('[');
                    depth += 1;
                    if self.chars.next_if_eq(&'^').is_some() {
                        self.out.push('^');
                    }
                    first = true;
                    continue;
                }
                // Signs that mean something to this engine only.
                '-' if self.chars.peek() == Some(&'-') => self.out.push_str("\\-"),
                '~' => self.out.push_str("\\~"),
                ' ' | '#' if self.comments => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                c => self.out.push(c),
            }
            first = false;
        }
        Err("a class has no end".to_owned())
    }

    /// What follows a backslash.
    fn escape(&mut self, inside: bool) -> Result<(), String> {
        let Some(c) = self.chars.next() else {
            return Err("nothing follows the last backslash".to_owned());
        };
        match c {
            'd' => self.set(DIGIT, false, inside),
            'D' => self.set(DIGIT, true, inside),
            'w' => self.set(WORD, false, inside),
            'W' => self.set(WORD, true, inside),
            's' => self.set(SPACE, false, inside),
            'S' => self.set(SPACE, true, inside),
            'h' => self.set(HORIZONTAL, false, inside),
            'H' => self.set(HORIZONTAL, true, inside),
            'v' => self.set(VERTICAL, false, inside),
            'V' => self.set(VERTICAL, true, inside),
            'R' if !inside => {
                let _ = write!(self.out, "(?:\\r\\n|[{VERTICAL}])");
            }
            'Z' if !inside => self.out.push_str("(?=\\r?\\n?\\z)"),
            'Q' => {
                let mut quoted = String::new();
                for c in self.chars.by_ref() {
                    quoted.push(c);
                    if quoted.ends_with("\\E") {
                        break;
                    }
                }
                quoted.strip_suffix("\\E").unwrap_or(&quoted).chars().for_each(|c| self.literal(c));
            }
            'p' | 'P' => return self.property(c == 'P', inside),
            'u' => {
                let code = self.hex(4)?;
                let _ = write!(self.out, "\\x{{{code:X}}}");
            }
            'x' => {
                if self.chars.next_if_eq(&'{').is_some() {
                    let digits: String = self.chars.by_ref().take_while(|c| *c != '}').collect();
                    let _ = write!(self.out, "\\x{{{digits}}}");
                } else {
                    let code = self.hex(2)?;
                    let _ = write!(self.out, "\\x{{{code:X}}}");
                }
            }
            '0' => {
                let mut digits = String::new();
                while digits.len() < 3
                    && let Some(digit) = self.chars.next_if(|c| ('0'..='7').contains(c))
                {
                    digits.push(digit);
                }
                let code = u32::from_str_radix(&digits, 8).map_err(|_| "bad octal number")?;
                let _ = write!(self.out, "\\x{{{code:X}}}");
            }
            'e' => self.out.push_str("\\x1B"),
            'c' => {
                let code = self.chars.next().map_or(0, u32::from) ^ 64;
                let _ = write!(self.out, "\\x{{{code:X}}}");
            }
            'b' | 'B' | 'A' | 'z' | 'G' | 'k' if !inside => {
                self.out.push('\\');
                self.out.push(c);
            }
            't' | 'n' | 'r' | 'f' | 'a' => {
                self.out.push('\\');
                self.out.push(c);
            }
            '1'..='9' if !inside => {
                self.out.push('\\');
                self.out.push(c);
            }
            c if c.is_ascii_alphabetic() => return Err(format!("\\{c} means nothing")),
            c => self.literal(c),
        }
        Ok(())
    }

    fn set(&mut self, members: &str, negated: bool, inside: bool) {
        let _ = match (inside, negated) {
            (true, false) => write!(self.out, "{members}"),
            (_, true) => write!(self.out, "[^{members}]"),
            (false, false) => write!(self.out, "[{members}]"),
        };
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() && !"<>\"'%,:;=@_`/!".contains(c) || c == '#' {
            self.out.push('\\');
        } else if c == ' ' {
            self.out.push_str("\\x20");
            return;
        }
        self.out.push(c);
    }

    fn hex(&mut self, count: usize) -> Result<u32, String> {
        let digits: String = self.chars.by_ref().take(count).collect();
        if digits.len() != count {
            return Err("too few hexadecimal digits".to_owned());
        }
        u32::from_str_radix(&digits, 16).map_err(|_| "bad hexadecimal number".to_owned())
    }

    /// `\p{Alpha}` and the like: the POSIX names are ASCII in Java, `Is` stands before others.
    fn property(&mut self, negated: bool, inside: bool) -> Result<(), String> {
        let name: String = match self.chars.next() {
            Some('{') => self.chars.by_ref().take_while(|c| *c != '}').collect(),
            Some(letter) => letter.to_string(),
            None => return Err("\\p without a name".to_owned()),
        };
        let posix = match name.as_str() {
            "Lower" => "a-z",
            "Upper" => "A-Z",
            "ASCII" => "\\x00-\\x7F",
            "Alpha" => "a-zA-Z",
            "Digit" => "0-9",
            "Alnum" => "a-zA-Z0-9",
            "Punct" => "!-/:-@\\[-`{-\\~",
            "Graph" => "!-\\~",
            "Print" => "\\x20-\\~",
            "Blank" => "\\x20\\t",
            "Cntrl" => "\\x00-\\x1F\\x7F",
            "XDigit" => "0-9a-fA-F",
            "Space" => SPACE,
            "javaLowerCase" => "\\p{Lowercase}",
            "javaUpperCase" => "\\p{Uppercase}",
            "javaWhitespace" => "\\s",
            "javaLetter" | "javaAlphabetic" => "\\p{Alphabetic}",
            "javaDigit" => "\\p{Nd}",
            other => {
                let plain = other.strip_prefix("Is").unwrap_or(other);
                let plain = if plain == "L1" { "L" } else { plain };
                let letter = if negated { 'P' } else { 'p' };
                let _ = write!(self.out, "\\{letter}{{{plain}}}");
                return Ok(());
            }
        };
        self.set(posix, negated, inside);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_java() {
        for (java, here) in [
            ("\\d+", "[0-9]+"),
            ("[\\w-]", "[0-9A-Za-z_-]"),
            ("[^\\D]", "[^[^0-9]]"),
            ("\\Qa.b\\E", "a\\.b"),
            ("a\\-b\\_\\:", "a\\-b_:"),
            ("\\u4e2d", "\\x{4E2D}"),
            ("(?s).", "(?s)."),
            ("\\p{Upper}", "[A-Z]"),
            ("\\p{L}", "\\p{L}"),
            ("[]a]", "[\\]a]"),
            ("(a)\\1", "(a)\\1"),
            ("[a-z&&[^b]]", "[a-z&&[^b]]"),
        ] {
            assert_eq!(translate(java).as_deref(), Ok(here), "{java}");
        }
        for bad in ["\\", "[a", "\\y", "\\u12", "\\p"] {
            assert!(translate(bad).is_err(), "{bad}");
        }
    }
}
