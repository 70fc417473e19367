//! SHOW and DESCRIBE.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::table::property_key;
use super::{Statement, closed_partition_spec};
use crate::error::SqlError;

/// `[NOT] LIKE 'pattern'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    negated: bool,
    text: String,
}

/// What SHOW lists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Catalogs {
        pattern: Option<Pattern>,
    },
    CreateCatalog {
        name: String,
    },
    CurrentCatalog,
    CurrentDatabase,
    Databases {
        catalog: Option<String>,
        pattern: Option<Pattern>,
    },
    /// `views`: only views.
    Tables {
        database: Option<Vec<String>>,
        pattern: Option<Pattern>,
        views: bool,
    },
    Columns {
        name: Vec<String>,
        pattern: Option<Pattern>,
    },
    Partitions {
        name: Vec<String>,
        partition: Vec<(String, Option<String>)>,
    },
    CreateTable {
        name: Vec<String>,
        view: bool,
    },
    Options {
        name: Vec<String>,
    },
    Properties {
        name: Vec<String>,
        key: Option<String>,
    },
    Functions {
        user: bool,
        pattern: Option<Pattern>,
    },
    Procedures {
        database: Option<Vec<String>>,
        pattern: Option<Pattern>,
    },
}

/// What DESCRIBE tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Describe {
    Table { name: Vec<String>, extended: bool },
    Database { name: Vec<String> },
    Catalog { name: String },
}

impl Pattern {
    /// Whether a name matches: `%` (or Spark's `*`) is any text, `_` any character, `\` escapes.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.text.chars().collect();
        let name: Vec<char> = name.chars().collect();
        like(&pattern, &name) != self.negated
    }
}

fn like(pattern: &[char], name: &[char]) -> bool {
    // Where the last `%` was, and up to where it has swallowed the name.
    let (mut p, mut n) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        let (step, matched) = match (pattern.get(p), name.get(n)) {
            (None, None) => return true,
            (Some('%' | '*'), _) => {
                back = Some((p + 1, n));
                p += 1;
                continue;
            }
            (Some('\\'), Some(c)) if p + 1 < pattern.len() => (2, pattern.get(p + 1) == Some(c)),
            (Some('_'), Some(_)) => (1, true),
            (Some(wanted), Some(c)) => (1, wanted == c),
            (_, None) | (None, _) => (0, false),
        };
        if matched {
            p += step;
            n += 1;
        } else if let Some((after, from)) = back.filter(|(_, from)| *from < name.len()) {
            (p, n) = (after, from + 1);
            back = Some((after, from + 1));
        } else {
            return false;
        }
    }
}

/// A pattern, if one follows; Spark leaves LIKE out.
fn pattern(cursor: &mut Cursor) -> Result<Option<Pattern>, SqlError> {
    let negated = cursor.is_keyword_at(1, "LIKE") && cursor.keyword("NOT");
    if cursor.keyword("LIKE") {
        return Ok(Some(Pattern { negated, text: cursor.string("a pattern in single quotes")? }));
    }
    if cursor.is_keyword("ILIKE") || cursor.is_keyword_at(1, "ILIKE") {
        return Err(SqlError::unsupported("ILIKE in SHOW is", "names have a case: use LIKE"));
    }
    match cursor.string("a pattern") {
        Ok(text) => Ok(Some(Pattern { negated: false, text })),
        Err(_) => Ok(None),
    }
}

fn from(cursor: &mut Cursor, what: &str) -> Result<Option<Vec<String>>, SqlError> {
    if cursor.keyword("FROM") || cursor.keyword("IN") {
        return cursor.dotted_name(what).map(Some);
    }
    Ok(None)
}

pub(super) fn show(cursor: &mut Cursor) -> Result<Show, SqlError> {
    cursor.need_keyword("SHOW")?;
    let show = statement(cursor)?;
    cursor.end()?;
    Ok(show)
}

fn statement(cursor: &mut Cursor) -> Result<Show, SqlError> {
    if cursor.keyword("CATALOGS") {
        return Ok(Show::Catalogs { pattern: pattern(cursor)? });
    }
    if cursor.keyword("DATABASES") || cursor.keyword("SCHEMAS") || cursor.keyword("NAMESPACES") {
        let catalog = match from(cursor, "a catalog's name")? {
            Some(parts) => match <[String; 1]>::try_from(parts) {
                Ok([name]) => Some(name),
                Err(parts) => {
                    return Err(SqlError::invalid(format!("'{}' is no catalog", parts.join("."))));
                }
            },
            None => None,
        };
        return Ok(Show::Databases { catalog, pattern: pattern(cursor)? });
    }
    for (word, views) in [("TABLES", false), ("VIEWS", true)] {
        if cursor.keyword(word) {
            let database = from(cursor, "a database's name")?;
            return Ok(Show::Tables { database, pattern: pattern(cursor)?, views });
        }
    }
    if cursor.keyword("CURRENT") {
        if cursor.keyword("CATALOG") {
            return Ok(Show::CurrentCatalog);
        }
        return match ["DATABASE", "SCHEMA", "NAMESPACE"].iter().any(|word| cursor.keyword(word)) {
            true => Ok(Show::CurrentDatabase),
            false => Err(cursor.expected("CATALOG or DATABASE")),
        };
    }
    if cursor.keyword("COLUMNS") {
        let Some(mut name) = from(cursor, "a table's name")? else {
            return Err(cursor.expected("FROM or IN"));
        };
        if let Some(mut database) = from(cursor, "a database's name")? {
            database.append(&mut name);
            name = database;
        }
        return Ok(Show::Columns { name, pattern: pattern(cursor)? });
    }
    if cursor.keyword("PARTITIONS") {
        let name = cursor.dotted_name("a table's name")?;
        let partition =
            if cursor.keyword("PARTITION") { closed_partition_spec(cursor)? } else { Vec::new() };
        return Ok(Show::Partitions { name, partition });
    }
    if cursor.keyword("CREATE") {
        if cursor.keyword("CATALOG") {
            return Ok(Show::CreateCatalog { name: cursor.name("a catalog's name")? });
        }
        let view = cursor.keyword("VIEW");
        if !view {
            cursor.need_keyword("TABLE")?;
        }
        return Ok(Show::CreateTable { name: cursor.dotted_name("a table's name")?, view });
    }
    if cursor.keyword("OPTIONS") {
        let _ = cursor.keyword("FROM") || cursor.keyword("FOR");
        return Ok(Show::Options { name: cursor.dotted_name("a table's name")? });
    }
    if cursor.keyword("TBLPROPERTIES") {
        let name = cursor.dotted_name("a table's name")?;
        let key = if cursor.symbol(&Token::LParen) {
            let key = property_key(cursor)?;
            cursor.need_symbol(&Token::RParen)?;
            Some(key)
        } else {
            None
        };
        return Ok(Show::Properties { name, key });
    }
    if cursor.keyword("PROCEDURES") {
        let database = from(cursor, "a database's name")?;
        return Ok(Show::Procedures { database, pattern: pattern(cursor)? });
    }
    let user = cursor.is_keyword_at(1, "FUNCTIONS") && cursor.keyword("USER");
    if cursor.keyword("FUNCTIONS") {
        if cursor.is_keyword("FROM") || cursor.is_keyword("IN") {
            return Err(SqlError::unsupported(
                "SHOW FUNCTIONS FROM is",
                "functions belong to no database: SHOW FUNCTIONS",
            ));
        }
        return Ok(Show::Functions { user, pattern: pattern(cursor)? });
    }
    Err(refused(cursor))
}

fn refused(cursor: &Cursor) -> SqlError {
    for (word, advice) in [
        ("JOBS", "every statement runs to its end before the next one starts"),
        ("MODULES", "there are no modules"),
        ("FULL", "there are no modules"),
        ("JARS", "nothing loads jars here"),
        ("TAGS", "planned for a later release"),
        ("BRANCHES", "planned for a later release"),
        ("MODELS", "there are no models"),
        ("MATERIALIZED", "there are no materialized tables"),
        ("TABLE", "use SHOW TABLES, DESCRIBE EXTENDED or the table t$partitions"),
    ] {
        if cursor.is_keyword(word) {
            return SqlError::unsupported(format!("SHOW {word} is"), advice);
        }
    }
    cursor.expected(
        "CATALOGS, DATABASES, TABLES, VIEWS, COLUMNS, PARTITIONS, OPTIONS, TBLPROPERTIES, FUNCTIONS, PROCEDURES, \
         CREATE TABLE or CURRENT",
    )
}

pub(super) fn describe(cursor: &mut Cursor) -> Result<Statement, SqlError> {
    cursor.name("DESCRIBE")?;
    let named = |cursor: &Cursor| !cursor.is_end_at(1) && !is_period_at_1(cursor);
    let describe = if cursor.is_keyword("CATALOG") && named(cursor) {
        cursor.need_keyword("CATALOG")?;
        cursor.keyword("EXTENDED");
        Describe::Catalog { name: cursor.name("a catalog's name")? }
    } else if ["DATABASE", "SCHEMA", "NAMESPACE"]
        .iter()
        .any(|word| named(cursor) && cursor.keyword(word))
    {
        cursor.keyword("EXTENDED");
        Describe::Database { name: cursor.dotted_name("a database's name")? }
    } else {
        if cursor.is_keyword("FUNCTION") && named(cursor) {
            return Err(SqlError::unsupported("DESCRIBE FUNCTION is", "use SHOW FUNCTIONS"));
        }
        let _ = named(cursor) && cursor.keyword("TABLE");
        let extended = named(cursor) && (cursor.keyword("EXTENDED") || cursor.keyword("FORMATTED"));
        Describe::Table { name: cursor.dotted_name("a table's name")?, extended }
    };
    cursor.end()?;
    Ok(Statement::Describe(describe))
}

/// Whether the next token is the first part of a longer name.
fn is_period_at_1(cursor: &Cursor) -> bool {
    cursor.peek_second() == Some(&Token::Period)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_match_as_like_does() {
        for (pattern, name, matches) in [
            ("p%", "pay", true),
            ("p%", "spay", false),
            ("%a%b", "xaxb", true),
            ("%a%b", "xaxbc", false),
            ("a_c", "abc", true),
            ("a_c", "abbc", false),
            ("", "", true),
            ("%", "", true),
            ("test*", "test_1", true),
            ("a\\_c", "abc", false),
            ("a\\_c", "a_c", true),
            ("订%", "订单", true),
            ("abc", "ab", false),
            ("ab", "abc", false),
        ] {
            let text = pattern.to_owned();
            assert_eq!(Pattern { negated: false, text }.matches(name), matches, "{pattern} {name}");
        }
        assert!(Pattern { negated: true, text: "p%".into() }.matches("x"));
    }
}
