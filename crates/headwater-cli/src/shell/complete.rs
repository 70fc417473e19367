//! What the word at the cursor may become: keywords, functions, databases, tables, columns of the
//! tables that the statement names, option keys. Knows no catalog: names are asked for.

mod lexer;
mod options;
mod tables;
mod words;

use headwater_sql::settings;

use lexer::{Kind, Token, tokens};
use tables::{BEFORE_TABLE, IN_BETWEEN, TableName, tables};
use words::{KEYWORDS, is_keyword};

/// A keyword that needs no quotes where databases stand.
const DEFAULT_DATABASE: &str = "default";
/// Most candidates that are offered.
const MOST: usize = 5_000;

/// Names that completion can offer.
pub(super) trait Names {
    /// Catalogs.
    fn catalogs(&self) -> Vec<String>;
    /// Databases of the current catalog.
    fn databases(&self) -> Vec<String>;
    /// Tables of a database (`db` or `catalog.db`), or of the current one.
    fn tables(&self, database: &[String]) -> Vec<String>;
    /// Columns of a table of one to three parts.
    fn columns(&self, table: &[String]) -> Vec<String>;
    /// Functions.
    fn functions(&self) -> Vec<String>;
}

/// Something that the word may become.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// In a list.
    pub(super) shown: String,
    /// In the statement.
    pub(super) text: String,
}

/// The candidates for the word that ends where `before` ends, and the byte at which it starts.
/// `after`: what stands behind the cursor.
pub(super) fn complete(before: &str, after: &str, names: &dyn Names) -> (usize, Vec<Candidate>) {
    let typed = tokens(before);
    let from = typed.iter().rposition(|token| token.is_symbol(";")).map_or(0, |at| at + 1);
    let typed = typed.get(from..).unwrap_or_default();
    let word = Word::at_end(typed, before.len());
    let earlier = typed.get(..typed.len() - usize::from(word.is_some())).unwrap_or_default();
    let word = word.unwrap_or(Word::nothing(before.len()));
    let closed = after.starts_with('\'');
    let mut candidates = match word.form {
        Form::Other => Vec::new(),
        Form::Text => in_text(earlier, &word, closed),
        Form::Plain | Form::Quoted(_) => match options::slot(earlier) {
            Some(slot) => options::candidates(&slot, &word.text, false, closed),
            None => {
                let whole = format!("{before}{after}");
                let statement = statement_at(&whole, before.len());
                in_statement(earlier, &word, &tables(&statement), names)
            }
        },
    };
    candidates.sort_unstable();
    candidates.dedup();
    candidates.truncate(MOST);
    let start = if word.form == Form::Text { word.start + 1 } else { word.start };
    (start, candidates)
}

/// The word that is being typed.
struct Word {
    text: String,
    start: usize,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// A name behind this quote.
    Quoted(char),
    /// Behind a single quote.
    Text,
    /// A comment, a number, something that is complete.
    Other,
}

impl Word {
    const fn nothing(start: usize) -> Self {
        Self { text: String::new(), start, form: Form::Plain }
    }

    fn at_end(tokens: &[Token<'_>], end: usize) -> Option<Self> {
        let last = tokens.last().filter(|last| last.start + last.text.len() == end)?;
        let form = match last.kind {
            Kind::Word => Form::Plain,
            Kind::Name { open: true } => Form::Quoted(last.text.chars().next()?),
            Kind::Text { open: true } => Form::Text,
            Kind::Symbol => return None,
            _ => Form::Other,
        };
        Some(Self { text: last.inner(), start: last.start, form })
    }

    fn is_start_of(&self, name: &str) -> bool {
        name.get(..self.text.len()).is_some_and(|start| start.eq_ignore_ascii_case(&self.text))
    }

    /// A name of the catalog, quoted when it has to be.
    fn name(&self, name: String) -> Option<Candidate> {
        if !self.is_start_of(&name) {
            return None;
        }
        let text = match self.form {
            Form::Quoted(quote) => quoted(&name, quote),
            _ if is_plain(&name) => name.clone(),
            _ => quoted(&name, '`'),
        };
        Some(Candidate { shown: name, text })
    }

    /// A keyword in the case that is being typed.
    fn keyword(&self, keyword: &str) -> Option<Candidate> {
        if self.form != Form::Plain || !self.is_start_of(keyword) {
            return None;
        }
        let lower = self.text.chars().any(char::is_lowercase);
        let text = if lower { keyword.to_ascii_lowercase() } else { keyword.to_owned() };
        Some(Candidate { shown: text.clone(), text })
    }
}

fn quoted(name: &str, quote: char) -> String {
    format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
}

fn is_plain(name: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(goes_on)
        && (name == DEFAULT_DATABASE || !is_keyword(name))
}

/// The pieces of the statement around byte `at`.
fn statement_at(text: &str, at: usize) -> Vec<Token<'_>> {
    let all = tokens(text);
    let ends = |token: &Token<'_>| token.is_symbol(";");
    let first = all.iter().rposition(|t| ends(t) && t.start < at).map_or(0, |found| found + 1);
    let last = all.iter().position(|t| ends(t) && t.start >= at).unwrap_or(all.len());
    all.get(first..last).unwrap_or_default().to_vec()
}

/// Within single quotes: an option's key or value, or a setting of the session.
fn in_text(earlier: &[Token<'_>], word: &Word, closed: bool) -> Vec<Candidate> {
    if let Some(slot) = options::slot(earlier) {
        return options::candidates(&slot, &word.text, true, closed);
    }
    match earlier {
        [first] if first.is("SET") || first.is("RESET") => {
            let end = match (closed, first.is("SET")) {
                (true, _) => "",
                (false, true) => "' = '",
                (false, false) => "'",
            };
            let names = settings::known().into_iter();
            names
                .filter(|name| word.is_start_of(name))
                .map(|name| Candidate { shown: name.to_owned(), text: format!("{name}{end}") })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn in_statement(
    earlier: &[Token<'_>],
    word: &Word,
    tables: &[TableName],
    names: &dyn Names,
) -> Vec<Candidate> {
    let (qualifier, earlier) = qualifier(earlier);
    let wants = wants(earlier);
    let found = match (qualifier.as_slice(), wants) {
        ([], Wants::Table) => [names.tables(&[]), names.databases(), names.catalogs()].concat(),
        ([], Wants::Database) => [names.databases(), names.catalogs()].concat(),
        ([], Wants::Catalog) => names.catalogs(),
        ([], Wants::Anything) => {
            let columns = tables.iter().flat_map(|table| names.columns(&table.parts));
            let aliases = tables.iter().filter_map(|table| table.alias.clone());
            let mut found: Vec<String> = columns.chain(aliases).collect();
            if !word.text.is_empty() {
                found.extend(names.functions());
            }
            found
        }
        (parts, Wants::Table) => names.tables(parts),
        ([name], Wants::Anything) => match tables.iter().find(|table| table.is_called(name)) {
            Some(table) => names.columns(&table.parts),
            None => names.tables(&qualifier),
        },
        (parts, Wants::Anything) => names.columns(parts),
        (_, Wants::Database | Wants::Catalog) => Vec::new(),
    };
    let mut candidates: Vec<_> = found.into_iter().filter_map(|name| word.name(name)).collect();
    let keywords: &[&str] = match wants {
        Wants::Anything if qualifier.is_empty() => &KEYWORDS,
        Wants::Table if qualifier.is_empty() && !word.text.is_empty() => &IN_BETWEEN,
        _ => &[],
    };
    candidates.extend(keywords.iter().filter_map(|keyword| word.keyword(keyword)));
    candidates
}

/// The names in front of the last dots, and what is before them.
fn qualifier<'t, 'a>(mut earlier: &'t [Token<'a>]) -> (Vec<String>, &'t [Token<'a>]) {
    let mut parts = Vec::new();
    while let [rest @ .., name, dot] = earlier
        && dot.is_symbol(".")
        && let Some(name) = name.name()
    {
        parts.insert(0, name);
        earlier = rest;
    }
    (parts, earlier)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Table,
    Database,
    Catalog,
    Anything,
}

/// What the pieces ask for next.
fn wants(earlier: &[Token<'_>]) -> Wants {
    let Some(last) = earlier.last() else { return Wants::Anything };
    let first = earlier.first();
    let is = |word: &str| last.is(word);
    let begins = |word: &str| earlier.len() == 1 && is(word);
    if begins("USE") || is("DATABASE") {
        return Wants::Database;
    }
    if is("CATALOG") {
        return Wants::Catalog;
    }
    if first.is_some_and(|first| first.is("SHOW")) && (is("FROM") || is("IN")) {
        return Wants::Database;
    }
    let creates = first.is_some_and(|first| first.is("CREATE"));
    if is("EXISTS") && earlier.iter().any(|token| token.is("DATABASE")) {
        return Wants::Database;
    }
    if !creates && (BEFORE_TABLE.iter().any(|word| is(word)) || begins("DESC") || is("EXISTS")) {
        return Wants::Table;
    }
    if last.is_symbol(",") && clause(earlier).is_some_and(|token| token.is("FROM")) {
        return Wants::Table;
    }
    Wants::Anything
}

/// The keyword of the clause that these pieces end in.
fn clause<'t, 'a>(earlier: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    const CLAUSES: [&str; 11] = [
        "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "ON", "SET", "VALUES", "WITH",
        "LIMIT",
    ];
    let mut depth = 0_usize;
    earlier.iter().rev().find(|token| {
        if token.is_symbol(")") {
            depth += 1;
        } else if token.is_symbol("(") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && CLAUSES.iter().any(|word| token.is(word))
    })
}

#[cfg(test)]
mod tests;
