//! Paths into JSON: `$.a.b[0]`, `$['a b']`, `$[-1]`, `$.*`, `$..a`, `$[0,1]`, `$[0:2]`,
//! `$[?(@.price < 10)]`, `$.a.length()`; before it `lax` or `strict`, which is the default.

use super::value::Json;

/// How a path that leads nowhere is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As nothing.
    Lax,
    /// As an error.
    Strict,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Member(String),
    Members(Vec<String>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
    /// The next step at every depth.
    Deep,
    Filter(Filter),
    Length,
}

#[derive(Debug, Clone, PartialEq)]
enum Filter {
    Exists(Vec<Step>),
    Compare(Operand, Comparison, Operand),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Path(Vec<Step>),
    Value(Json),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A path and its mode.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    pub(super) mode: Mode,
    text: String,
    steps: Vec<Step>,
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mode, spec) = mode_of(text);
        let spec = spec.trim();
        if spec.is_empty() {
            return Err("the JSON path is empty".to_owned());
        }
        // A path may leave out the root.
        let full = if spec.starts_with(['$', '@']) { spec.to_owned() } else { format!("$.{spec}") };
        let mut parser = Parser { text: &full, at: 1 };
        let steps = parser.steps(0)?;
        if parser.at < full.len() {
            return parser.fail("'.' or '['");
        }
        Ok(Self { mode, text: full, steps })
    }

    /// What the path leads to: one value, or an array of all when it can lead to several.
    pub(super) fn find(&self, root: &Json) -> Result<Json, String> {
        let several = self
            .steps
            .iter()
            .any(|step| !matches!(step, Step::Member(_) | Step::Index(_) | Step::Length));
        if several {
            self.has_place(root)?;
        }
        let mut found = Vec::new();
        walk(&self.steps, root, root, &mut found);
        if several {
            return Ok(Json::Array(found));
        }
        found.pop().ok_or_else(|| format!("there is nothing at the path {}", self.text))
    }
}

impl Path {
    /// Whether what stands before the first step that can lead to several values is there, and is
    /// something that the step looks into.
    fn has_place(&self, root: &Json) -> Result<(), String> {
        let is_plain =
            |step: &Step| matches!(step, Step::Member(_) | Step::Index(_) | Step::Length);
        let first = self.steps.iter().position(|step| !is_plain(step)).unwrap_or(0);
        let (before, rest) = self.steps.split_at(first);
        let mut found = Vec::new();
        walk(before, root, root, &mut found);
        let fits = match (found.pop(), rest.first()) {
            (Some(_), Some(Step::Deep) | None) => true,
            (Some(Json::Array(_)), Some(step)) => !matches!(step, Step::Members(_)),
            (Some(Json::Object(_)), Some(step)) => {
                matches!(step, Step::All | Step::Members(_) | Step::Filter(_))
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("there is nothing at the path {}", self.text)) }
    }
}

fn mode_of(text: &str) -> (Mode, &str) {
    let start = text.trim_start();
    for (word, mode) in [("lax", Mode::Lax), ("strict", Mode::Strict)] {
        if let Some(head) = start.get(..word.len())
            && head.eq_ignore_ascii_case(word)
            && let Some(rest) = start.get(word.len()..)
            && rest.starts_with(char::is_whitespace)
        {
            return (mode, rest);
        }
    }
    (Mode::Strict, text)
}

/// The position counted from the start, or from the end when negative.
fn position(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        return usize::try_from(index).ok();
    }
    length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
}

fn walk(steps: &[Step], root: &Json, at: &Json, found: &mut Vec<Json>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(at.clone());
        return;
    };
    let index = |values: &[Json], index: i64, found: &mut Vec<Json>| {
        if let Some(value) = position(index, values.len()).and_then(|p| values.get(p)) {
            walk(rest, root, value, found);
        }
    };
    match (step, at) {
        (Step::Member(name), _) => {
            if let Some(value) = at.member(name) {
                walk(rest, root, value, found);
            }
        }
        (Step::Members(names), Json::Object(_)) => {
            for value in names.iter().filter_map(|name| at.member(name)) {
                walk(rest, root, value, found);
            }
        }
        (Step::Index(i), Json::Array(values)) => index(values, *i, found),
        (Step::Indexes(all), Json::Array(values)) => {
            for i in all {
                index(values, *i, found);
            }
        }
        (Step::Slice(from, to), Json::Array(values)) => {
            let from = from.map_or(Some(0), |i| position(i, values.len())).unwrap_or(0);
            let to = to.map_or(Some(values.len()), |i| position(i, values.len())).unwrap_or(0);
            for value in values.iter().take(to).skip(from) {
                walk(rest, root, value, found);
            }
        }
        (Step::All, Json::Array(values)) => {
            values.iter().for_each(|value| walk(rest, root, value, found));
        }
        (Step::All, Json::Object(members)) => {
            members.iter().for_each(|(_, value)| walk(rest, root, value, found));
        }
        (Step::Filter(filter), Json::Array(values)) => {
            for value in values.iter().filter(|value| filter.holds(root, value)) {
                walk(rest, root, value, found);
            }
        }
        (Step::Filter(filter), Json::Object(_)) if filter.holds(root, at) => {
            walk(rest, root, at, found);
        }
        (Step::Deep, _) => {
            walk(rest, root, at, found);
            match at {
                Json::Array(values) => {
                    values.iter().for_each(|value| walk(steps, root, value, found));
                }
                Json::Object(members) => {
                    members.iter().for_each(|(_, value)| walk(steps, root, value, found));
                }
                _ => {}
            }
        }
        (Step::Length, _) => {
            let length = match at {
                Json::Array(values) => values.len(),
                Json::Object(members) => members.len(),
                Json::Text(text) => text.chars().count(),
                _ => return,
            };
            walk(rest, root, &Json::Whole(length.to_string()), found);
        }
        _ => {}
    }
}

impl Filter {
    fn holds(&self, root: &Json, at: &Json) -> bool {
        match self {
            Self::Exists(steps) => {
                let mut found = Vec::new();
                walk(steps, root, at, &mut found);
                !found.is_empty()
            }
            Self::Compare(left, comparison, right) => {
                match (left.value(root, at), right.value(root, at)) {
                    (Some(left), Some(right)) => comparison.holds(&left, &right),
                    (left, right) => *comparison == Comparison::Ne && left != right,
                }
            }
            Self::Not(inner) => !inner.holds(root, at),
            Self::And(a, b) => a.holds(root, at) && b.holds(root, at),
            Self::Or(a, b) => a.holds(root, at) || b.holds(root, at),
        }
    }
}

impl Operand {
    fn value(&self, root: &Json, at: &Json) -> Option<Json> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Path(steps) => {
                let mut found = Vec::new();
                walk(steps, root, at, &mut found);
                found.pop()
            }
        }
    }
}

impl Comparison {
    fn holds(self, left: &Json, right: &Json) -> bool {
        use std::cmp::Ordering;
        let number = |json: &Json| match json {
            Json::Whole(digits) => digits.parse::<f64>().ok(),
            Json::Double(value) => Some(*value),
            _ => None,
        };
        let order = match (left, right) {
            (Json::Text(a), Json::Text(b)) => Some(a.cmp(b)),
            _ => match (number(left), number(right)) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                _ if left == right => Some(Ordering::Equal),
                _ => None,
            },
        };
        match self {
            Self::Eq => order == Some(Ordering::Equal),
            Self::Ne => order != Some(Ordering::Equal),
            Self::Lt => order == Some(Ordering::Less),
            Self::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Gt => order == Some(Ordering::Greater),
            Self::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

/// How deep filters may nest.
const MAX_DEPTH: usize = 32;

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn fail<T>(&self, wanted: &str) -> Result<T, String> {
        Err(format!("JSON path {}: expected {wanted} at byte {}", self.text, self.at))
    }

    fn eat(&mut self, text: &str) -> bool {
        let there = self.rest().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn steps(&mut self, depth: usize) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.eat("..") {
                steps.push(Step::Deep);
                if self.rest().starts_with('[') {
                    continue;
                }
                steps.push(self.dotted()?);
            } else if self.eat(".") {
                steps.push(self.dotted()?);
            } else if self.eat("[") {
                steps.push(self.bracket(depth)?);
            } else {
                return Ok(steps);
            }
        }
    }

    fn dotted(&mut self) -> Result<Step, String> {
        if self.eat("*") {
            return Ok(Step::All);
        }
        for function in ["length()", "size()"] {
            if self.eat(function) {
                return Ok(Step::Length);
            }
        }
        let ends = |c: char| ".[]()'\"=<>!&|, \t\n".contains(c);
        let end = self.rest().find(ends).unwrap_or(self.rest().len());
        if end == 0 {
            return self.fail("a name");
        }
        let name = self.rest().get(..end).unwrap_or("").to_owned();
        self.at += end;
        if self.rest().starts_with('(') {
            return self.fail("a function that is known (length, size)");
        }
        Ok(Step::Member(name))
    }

    fn bracket(&mut self, depth: usize) -> Result<Step, String> {
        self.spaces();
        let step = if self.eat("*") {
            Step::All
        } else if self.eat("?") {
            self.spaces();
            if !self.eat("(") {
                return self.fail("'('");
            }
            let filter = self.either(depth + 1)?;
            self.spaces();
            if !self.eat(")") {
                return self.fail("')'");
            }
            Step::Filter(filter)
        } else if self.rest().starts_with(['\'', '"']) {
            let mut names = vec![self.quoted()?];
            self.spaces();
            while self.eat(",") {
                self.spaces();
                names.push(self.quoted()?);
                self.spaces();
            }
            match names.as_slice() {
                [_] => Step::Member(names.swap_remove(0)),
                _ => Step::Members(names),
            }
        } else {
            self.numbers()?
        };
        self.spaces();
        if self.eat("]") { Ok(step) } else { self.fail("']'") }
    }

    fn numbers(&mut self) -> Result<Step, String> {
        let first = self.number();
        self.spaces();
        if self.eat(":") {
            self.spaces();
            return Ok(Step::Slice(first, self.number()));
        }
        let Some(first) = first else { return self.fail("a number, a name in quotes, * or ?") };
        let mut all = vec![first];
        while self.eat(",") {
            self.spaces();
            match self.number() {
                Some(number) => all.push(number),
                None => return self.fail("a number"),
            }
            self.spaces();
        }
        Ok(if all.len() == 1 { Step::Index(first) } else { Step::Indexes(all) })
    }

    fn number(&mut self) -> Option<i64> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
        let number = rest.get(..sign + digits)?.parse().ok()?;
        self.at += sign + digits;
        Some(number)
    }

    fn quoted(&mut self) -> Result<String, String> {
        let Some(quote) = self.rest().chars().next().filter(|c| ['\'', '"'].contains(c)) else {
            return self.fail("a name in quotes");
        };
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, next)) => text.push(next),
                    None => break,
                },
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        self.fail("the end of the quotes")
    }

    fn either(&mut self, depth: usize) -> Result<Filter, String> {
        if depth > MAX_DEPTH {
            return self.fail("a filter that nests less deep");
        }
        let mut filter = self.both(depth)?;
        loop {
            self.spaces();
            if !self.eat("||") {
                return Ok(filter);
            }
            filter = Filter::Or(Box::new(filter), Box::new(self.both(depth)?));
        }
    }

    fn both(&mut self, depth: usize) -> Result<Filter, String> {
        let mut filter = self.condition(depth)?;
        loop {
            self.spaces();
            if !self.eat("&&") {
                return Ok(filter);
            }
            filter = Filter::And(Box::new(filter), Box::new(self.condition(depth)?));
        }
    }

    fn condition(&mut self, depth: usize) -> Result<Filter, String> {
        if depth > MAX_DEPTH {
            return self.fail("a filter that nests less deep");
        }
        self.spaces();
        if self.eat("!") {
            return Ok(Filter::Not(Box::new(self.condition(depth + 1)?)));
        }
        if self.eat("(") {
            let inner = self.either(depth + 1)?;
            self.spaces();
            return if self.eat(")") { Ok(inner) } else { self.fail("')'") };
        }
        let left = self.operand(depth)?;
        self.spaces();
        const SIGNS: [(&str, Comparison); 6] = [
            ("==", Comparison::Eq),
            ("!=", Comparison::Ne),
            ("<=", Comparison::Le),
            (">=", Comparison::Ge),
            ("<", Comparison::Lt),
            (">", Comparison::Gt),
        ];
        for (sign, comparison) in SIGNS {
            if self.eat(sign) {
                self.spaces();
                return Ok(Filter::Compare(left, comparison, self.operand(depth)?));
            }
        }
        match left {
            Operand::Path(steps) => Ok(Filter::Exists(steps)),
            Operand::Value(_) => self.fail("one of == != < <= > >="),
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Operand, String> {
        if self.eat("@") {
            return Ok(Operand::Path(self.steps(depth + 1)?));
        }
        if self.rest().starts_with(['\'', '"']) {
            return Ok(Operand::Value(Json::Text(self.quoted()?)));
        }
        let end = self.rest().find([')', '=', '<', '>', '!', '&', '|', ' ']);
        let word = self.rest().get(..end.unwrap_or(self.rest().len())).unwrap_or("").to_owned();
        match Json::parse(&word) {
            Ok(value) => {
                self.at += word.len();
                Ok(Operand::Value(value))
            }
            Err(_) => self.fail("@, a number, a text in quotes, true, false or null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(json: &str, path: &str) -> Option<String> {
        let json = Json::parse(json).unwrap();
        Path::parse(path).unwrap().find(&json).ok().map(|found| found.to_string())
    }

    #[test]
    fn paths_lead_to_values() {
        let json = "{\"a\":{\"b\":[1,2,{\"c\":3}]},\"x y\":[{\"n\":1},{\"n\":2}]}";
        for (path, found) in [
            ("$.a.b[1]", Some("2")),
            ("a.b[-1].c", Some("3")),
            ("$['x y'][0].n", Some("1")),
            ("$[\"x y\"][*].n", Some("[1,2]")),
            ("$..c", Some("[3]")),
            ("$.a.b[0,1]", Some("[1,2]")),
            ("$.a.b[0:1]", Some("[1]")),
            ("$.a.b.length()", Some("3")),
            ("$['x y'][?(@.n == 2)].n", Some("[2]")),
            ("$['x y'][?(@.n > 0 && !(@.n >= 2))].n", Some("[1]")),
            ("$.a.z", None),
            ("lax $.a.b[9]", None),
            ("$", Some(json)),
        ] {
            assert_eq!(find(json, path).as_deref(), found, "{path}");
        }
    }

    #[test]
    fn bad_paths_are_refused() {
        for bad in ["", "$.", "$[", "$['a", "$.a()", "$.a b", "$[?(", "$[1", "$[a]", "strict "] {
            assert!(Path::parse(bad).is_err(), "{bad}");
        }
        assert!(Path::parse(&format!("$[?({}", "(".repeat(100_000))).is_err());
        assert!(Path::parse(&format!("$[?({}", "!".repeat(100_000))).is_err());
    }
}
