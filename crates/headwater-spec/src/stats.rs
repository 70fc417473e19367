//! Minimum, maximum and null count of columns, as manifests store them.
//!
//! Format: `docs/spec/manifest.md#statistics`. Source: Paimon 1.4.2 `SimpleStats`.

use crate::datum::Datum;
use crate::error::SpecError;
use crate::options::StatsMode;
use crate::row::BinaryRow;
use crate::types::DataType;

/// Statistics of several columns; the bytes stay as they were stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SimpleStats {
    /// One field per column, null where unknown.
    pub min_values: BinaryRow,
    /// One field per column, null where unknown.
    pub max_values: BinaryRow,
    /// One item per column, `None` where unknown.
    pub null_counts: Vec<Option<i64>>,
}

impl SimpleStats {
    /// Statistics of no column.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            min_values: BinaryRow::empty(),
            max_values: BinaryRow::empty(),
            null_counts: Vec::new(),
        }
    }
}

/// Statistics of one column of one file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnStats {
    /// Smallest value, or a lower bound; `None` if unknown or all rows are null.
    pub min: Option<Datum>,
    /// Largest value, or an upper bound.
    pub max: Option<Datum>,
    /// Null rows.
    pub null_count: Option<i64>,
}

impl ColumnStats {
    /// What `mode` keeps of these statistics.
    ///
    /// A string minimum is cut to the mode's length; a maximum is cut and its last character that
    /// can grow is raised, so that it stays an upper bound. If none can grow both bounds go.
    ///
    /// Format: `docs/spec/manifest.md#statistics`. Source: Paimon 1.4.2
    /// `TruncateSimpleColStatsCollector`.
    #[must_use]
    pub fn reduced(self, mode: StatsMode) -> Self {
        match mode {
            StatsMode::None => Self::default(),
            StatsMode::Counts => Self { null_count: self.null_count, ..Self::default() },
            StatsMode::Full => self,
            StatsMode::Truncate(length) => self.truncated(length),
        }
    }

    fn truncated(self, length: usize) -> Self {
        let cut = |text: &str| text.chars().take(length).collect::<String>();
        let (min, max) = match (self.min, self.max) {
            (Some(Datum::String(min)), Some(Datum::String(max))) => {
                let upper =
                    if max.chars().count() <= length { Some(max) } else { raise(&cut(&max)) };
                match upper {
                    Some(max) => (Some(Datum::String(cut(&min))), Some(Datum::String(max))),
                    None => (None, None),
                }
            }
            other => other,
        };
        Self { min, max, null_count: self.null_count }
    }

    /// Whether nothing is known.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.min.is_none() && self.max.is_none() && self.null_count.is_none()
    }
}

/// The shortest larger text made by raising the last character that can be raised.
fn raise(text: &str) -> Option<String> {
    let mut chars: Vec<char> = text.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = char::from_u32(u32::from(last).wrapping_add(1)) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

impl SimpleStats {
    /// Stored form of the statistics of columns with these types.
    ///
    /// # Errors
    /// [`SpecError::Value`] if a bound does not have its column's type.
    pub fn encode(columns: &[ColumnStats], types: &[DataType]) -> Result<Self, SpecError> {
        let mins: Vec<_> = columns.iter().map(|c| c.min.clone()).collect();
        let maxs: Vec<_> = columns.iter().map(|c| c.max.clone()).collect();
        Ok(Self {
            min_values: BinaryRow::from_values(&mins, types)?,
            max_values: BinaryRow::from_values(&maxs, types)?,
            null_counts: columns.iter().map(|c| c.null_count).collect(),
        })
    }

    /// The statistics of each column; `types` are those of the columns that are covered.
    ///
    /// # Errors
    /// [`SpecError::Corrupt`] if the rows do not fit the types.
    pub fn decode(&self, types: &[DataType]) -> Result<Vec<ColumnStats>, SpecError> {
        if self.min_values.arity() == 0 && self.max_values.arity() == 0 {
            return Ok(vec![ColumnStats::default(); types.len()]);
        }
        let mins = self.min_values.to_values(types)?;
        let maxs = self.max_values.to_values(types)?;
        Ok(mins
            .into_iter()
            .zip(maxs)
            .enumerate()
            .map(|(i, (min, max))| ColumnStats {
                min,
                max,
                null_count: self.null_counts.get(i).copied().flatten(),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnStats, raise};
    use crate::datum::Datum;
    use crate::options::StatsMode;

    fn strings(min: &str, max: &str) -> ColumnStats {
        ColumnStats {
            min: Some(Datum::String(min.into())),
            max: Some(Datum::String(max.into())),
            null_count: Some(0),
        }
    }

    #[test]
    fn cut_maximum_stays_an_upper_bound() {
        assert_eq!(strings("aaaa", "zzzz").reduced(StatsMode::Truncate(2)), strings("aa", "z{"));
        assert_eq!(strings("a", "zz").reduced(StatsMode::Truncate(2)), strings("a", "zz"));
    }

    #[test]
    fn last_character_that_can_grow_is_raised() {
        assert_eq!(raise("a\u{10FFFF}"), Some("b".into()));
        assert_eq!(raise("\u{10FFFF}"), None);
    }

    #[test]
    fn bounds_go_when_the_maximum_cannot_grow() {
        let stats = strings("a", "\u{10FFFF}\u{10FFFF}").reduced(StatsMode::Truncate(1));
        assert_eq!(stats, ColumnStats { null_count: Some(0), ..ColumnStats::default() });
    }
}
