//! Options that name columns, rewritten when a column gets another name.
//!
//! Source: Paimon 1.4.2 `SchemaManager#applyRenameColumnsToOptions`.

use crate::options::Options;

/// Options whose value is a list of columns.
const LISTS: [&str; 6] = [
    "bucket-key",
    "sequence.field",
    "rowkind.field",
    "record-level.time-field",
    "clustering.columns",
    // Java leaves this one, and then cannot open the table.
    "partial-update.remove-record-on-sequence-group",
];
/// Ends of `fields.<columns>.<end>` whose value is a list of columns, too.
const VALUES_TOO: [&str; 2] = [".sequence-group", ".nested-key"];

/// Replaces the column `from` by `to` wherever an option names it.
pub(super) fn rename_in_options(options: &Options, from: &str, to: &str) -> Options {
    let renamed = |list: &str| -> String {
        let parts = list.split(',').map(|part| if part.trim() == from { to } else { part });
        parts.collect::<Vec<_>>().join(",")
    };
    let entries = options.iter().map(|(key, value)| {
        let Some(rest) = key.strip_prefix("fields.") else {
            let value = if LISTS.contains(&key) { renamed(value) } else { value.to_owned() };
            return (key.to_owned(), value);
        };
        let Some((columns, end)) = rest.rsplit_once('.') else {
            return (key.to_owned(), value.to_owned());
        };
        let suffix = format!(".{end}");
        let value =
            if VALUES_TOO.contains(&suffix.as_str()) { renamed(value) } else { value.into() };
        (format!("fields.{}{suffix}", renamed(columns)), value)
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::rename_in_options;
    use crate::options::Options;

    #[test]
    fn every_option_that_names_the_column_follows() {
        let before: Options = [
            ("bucket-key", "a,b"),
            ("sequence.field", "b"),
            ("fields.b.aggregate-function", "sum"),
            ("fields.a,b.sequence-group", "c,b"),
            ("fields.c.list-agg-delimiter", "b"),
            ("fields.default-aggregate-function", "b"),
            ("write-only", "b"),
        ]
        .into_iter()
        .collect();
        let after = rename_in_options(&before, "b", "x");
        let pairs: Vec<_> = after.iter().collect();
        assert_eq!(
            pairs,
            [
                ("bucket-key", "a,x"),
                ("sequence.field", "x"),
                ("fields.x.aggregate-function", "sum"),
                ("fields.a,x.sequence-group", "c,x"),
                ("fields.c.list-agg-delimiter", "b"),
                ("fields.default-aggregate-function", "b"),
                ("write-only", "b"),
            ]
        );
    }
}
