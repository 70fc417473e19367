//! The tables that a statement names, and what it calls them.

use super::lexer::Token;
use super::words::is_keyword;

/// A table of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableName {
    /// One to three parts.
    pub(super) parts: Vec<String>,
    /// Its other name.
    pub(super) alias: Option<String>,
}

impl TableName {
    /// Whether the statement may write `name.column`.
    pub(super) fn is_called(&self, name: &str) -> bool {
        match &self.alias {
            Some(alias) => alias.eq_ignore_ascii_case(name),
            None => self.parts.last().is_some_and(|last| last.eq_ignore_ascii_case(name)),
        }
    }
}

/// Words in front of a table's name.
pub(super) const BEFORE_TABLE: [&str; 7] =
    ["FROM", "JOIN", "INTO", "TABLE", "UPDATE", "OVERWRITE", "DESCRIBE"];

/// The tables that the pieces of one statement name.
pub(super) fn tables(tokens: &[Token<'_>]) -> Vec<TableName> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        if !BEFORE_TABLE.iter().any(|word| token.is(word)) {
            continue;
        }
        let is_list = token.is("FROM");
        loop {
            while tokens.get(at).is_some_and(|token| IN_BETWEEN.iter().any(|word| token.is(word))) {
                at += 1;
            }
            let Some((table, next)) = table(tokens, at) else { break };
            found.push(table);
            at = next;
            if !is_list || !tokens.get(at).is_some_and(|token| token.is_symbol(",")) {
                break;
            }
            at += 1;
        }
    }
    found
}

/// Words between such a word and the name.
pub(super) const IN_BETWEEN: [&str; 5] = ["TABLE", "IF", "NOT", "EXISTS", "EXTENDED"];

/// The table whose name starts at `at`, and where what follows it starts.
fn table(tokens: &[Token<'_>], mut at: usize) -> Option<(TableName, usize)> {
    let name = |at: usize| {
        let token = tokens.get(at)?;
        token.name().filter(|name| token.text != name || !is_keyword(name))
    };
    let mut parts = vec![name(at)?];
    at += 1;
    while tokens.get(at).is_some_and(|token| token.is_symbol(".")) {
        let Some(part) = name(at + 1) else { break };
        parts.push(part);
        at += 2;
    }
    if tokens.get(at).is_some_and(|token| token.is("AS")) {
        at += 1;
    }
    let alias = name(at);
    at += usize::from(alias.is_some());
    Some((TableName { parts, alias }, at))
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::tables;

    fn found(statement: &str) -> Vec<String> {
        tables(&tokens(statement))
            .into_iter()
            .map(|table| match table.alias {
                Some(alias) => format!("{} {alias}", table.parts.join(".")),
                None => table.parts.join("."),
            })
            .collect()
    }

    #[test]
    fn tables_are_found_with_their_aliases() {
        assert_eq!(
            found("SELECT * FROM a, db.b AS x JOIN `c d` y ON 1 LEFT JOIN e USING (f) WHERE g"),
            ["a", "db.b x", "c d y", "e"]
        );
        assert_eq!(found("INSERT INTO t (a) SELECT b FROM (SELECT c FROM u) v"), ["t", "u"]);
        assert_eq!(found("INSERT OVERWRITE TABLE t SELECT 1"), ["t"]);
        assert_eq!(found("DROP TABLE IF EXISTS db.t"), ["db.t"]);
    }

    #[test]
    fn a_half_statement_names_what_it_names_so_far() {
        assert_eq!(found("SELECT FROM"), Vec::<String>::new());
        assert_eq!(found("SELECT a FROM t WHERE"), ["t"]);
        assert_eq!(found("SELECT a FROM db."), ["db"]);
    }
}
