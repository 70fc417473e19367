//! Filters on columns: evaluated on single rows and on statistics.
//!
//! A filter on statistics answers "may a row match?": true keeps a file. Rules:
//! `docs/spec/scan.md#statistics`. Source: Paimon 1.4.2 `Predicate`, `LeafPredicate`.

use std::cmp::Ordering;

use crate::datum::Datum;
use crate::stats::ColumnStats;

/// A comparison of a column with literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `IN (...)`
    In,
    /// `NOT IN (...)`
    NotIn,
    /// `IS NULL`
    IsNull,
    /// `IS NOT NULL`
    IsNotNull,
    /// `LIKE 'prefix%'`
    StartsWith,
}

/// A filter tree; columns are positions in the field list it was built for.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// All hold; an empty list is true.
    And(Vec<Predicate>),
    /// One holds; an empty list is false.
    Or(Vec<Predicate>),
    /// A comparison; literals have the column's type.
    Leaf {
        /// Position of the column.
        column: usize,
        /// Comparison.
        op: Op,
        /// No literal for IS \[NOT\] NULL, several for \[NOT\] IN, else one.
        literals: Vec<Datum>,
    },
}

impl Predicate {
    /// A comparison with one literal, or none for IS \[NOT\] NULL.
    #[must_use]
    pub fn leaf(column: usize, op: Op, literals: impl IntoIterator<Item = Datum>) -> Self {
        Self::Leaf { column, op, literals: literals.into_iter().collect() }
    }

    /// The parts that must all hold.
    #[must_use]
    pub fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::And(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            other => vec![other],
        }
    }

    /// Calls `visit` with each column position.
    pub fn visit_columns(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.visit_columns(visit);
                }
            }
            Self::Leaf { column, .. } => visit(*column),
        }
    }

    /// The same filter for another field list; `None` if a column has no place there.
    #[must_use]
    pub fn remap(&self, map: &impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let all = |parts: &[Self]| parts.iter().map(|p| p.remap(map)).collect::<Option<Vec<_>>>();
        Some(match self {
            Self::And(parts) => Self::And(all(parts)?),
            Self::Or(parts) => Self::Or(all(parts)?),
            Self::Leaf { column, op, literals } => {
                Self::Leaf { column: map(*column)?, op: *op, literals: literals.clone() }
            }
        })
    }

    /// The conjuncts whose columns all have a place in another field list, mapped to it.
    #[must_use]
    pub fn remap_conjuncts(&self, map: &impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let kept: Vec<_> = self.conjuncts().iter().filter_map(|c| c.remap(map)).collect();
        if kept.is_empty() { None } else { Some(Self::And(kept)) }
    }

    /// Whether a row matches; `value` gives the row's value of a column. Unknown (null compared)
    /// is false, as in SQL's WHERE.
    pub fn matches(&self, value: &impl Fn(usize) -> Option<Datum>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|p| p.matches(value)),
            Self::Or(parts) => parts.iter().any(|p| p.matches(value)),
            Self::Leaf { column, op, literals } => match (op, value(*column)) {
                (Op::IsNull, v) => v.is_none(),
                (Op::IsNotNull, v) => v.is_some(),
                (_, None) => false,
                (op, Some(v)) => compare(*op, &v, literals),
            },
        }
    }

    /// Whether a file may hold a matching row, by its statistics; `rows` is its row count.
    ///
    /// `stats` gives what is known of a column, `None` if nothing is.
    pub fn may_match(&self, rows: i64, stats: &impl Fn(usize) -> Option<ColumnStats>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|p| p.may_match(rows, stats)),
            Self::Or(parts) => parts.iter().any(|p| p.may_match(rows, stats)),
            Self::Leaf { column, op, literals } => {
                stats(*column).is_none_or(|s| leaf_may_match(*op, literals, rows, &s))
            }
        }
    }
}

/// Order of a value and a literal, in which `-0.0` equals `0.0` as SQL has it.
fn order(value: &Datum, literal: &Datum) -> Option<Ordering> {
    match (value, literal) {
        (Datum::Float(a), Datum::Float(b)) if *a == *b => Some(Ordering::Equal),
        (Datum::Double(a), Datum::Double(b)) if *a == *b => Some(Ordering::Equal),
        _ => value.compare(literal),
    }
}

fn compare(op: Op, value: &Datum, literals: &[Datum]) -> bool {
    let first = literals.first().and_then(|l| order(value, l));
    match op {
        Op::Eq => first == Some(Ordering::Equal),
        Op::Ne => first.is_some_and(|o| o != Ordering::Equal),
        Op::Lt => first == Some(Ordering::Less),
        Op::Le => first.is_some_and(|o| o != Ordering::Greater),
        Op::Gt => first == Some(Ordering::Greater),
        Op::Ge => first.is_some_and(|o| o != Ordering::Less),
        Op::In => literals.iter().any(|l| order(value, l) == Some(Ordering::Equal)),
        Op::NotIn => literals.iter().all(|l| order(value, l).is_some_and(|o| o != Ordering::Equal)),
        Op::StartsWith => match (value, literals.first()) {
            (Datum::String(v), Some(Datum::String(p))) => v.starts_with(p.as_str()),
            _ => false,
        },
        Op::IsNull => false,
        Op::IsNotNull => true,
    }
}

fn leaf_may_match(op: Op, literals: &[Datum], rows: i64, stats: &ColumnStats) -> bool {
    match op {
        Op::IsNull => return stats.null_count.is_none_or(|n| n > 0),
        Op::IsNotNull => return stats.null_count.is_none_or(|n| n < rows),
        _ => {}
    }
    if stats.null_count == Some(rows) {
        return false;
    }
    let (Some(min), Some(max)) = (&stats.min, &stats.max) else { return true };
    // Engines differ about NaN, and about 0.0 and -0.0: bounds of floats decide nothing.
    if matches!(min, Datum::Float(_) | Datum::Double(_)) {
        return true;
    }
    // A comparison of different types (None) never prunes.
    let inside = |l: &Datum| {
        min.compare(l) != Some(Ordering::Greater) && max.compare(l) != Some(Ordering::Less)
    };
    let only = |l: &Datum| {
        min.compare(l) == Some(Ordering::Equal) && max.compare(l) == Some(Ordering::Equal)
    };
    let Some(first) = literals.first() else {
        return !matches!(op, Op::In);
    };
    match op {
        Op::Eq => inside(first),
        Op::Ne => !only(first),
        Op::Lt => {
            min.compare(first) != Some(Ordering::Greater)
                && min.compare(first) != Some(Ordering::Equal)
        }
        Op::Le => min.compare(first) != Some(Ordering::Greater),
        Op::Gt => {
            max.compare(first) != Some(Ordering::Less)
                && max.compare(first) != Some(Ordering::Equal)
        }
        Op::Ge => max.compare(first) != Some(Ordering::Less),
        Op::In => literals.iter().any(inside),
        Op::NotIn => !literals.iter().any(only),
        Op::StartsWith => match (min, max, first) {
            (Datum::String(min), Datum::String(max), Datum::String(prefix)) => {
                let cut =
                    |s: &str| s.as_bytes().get(..prefix.len().min(s.len())).map(<[u8]>::to_vec);
                cut(min).is_none_or(|m| m.as_slice() <= prefix.as_bytes())
                    && cut(max).is_none_or(|m| m.as_slice() >= prefix.as_bytes())
            }
            _ => true,
        },
        Op::IsNull | Op::IsNotNull => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, Predicate};
    use crate::datum::Datum;
    use crate::stats::ColumnStats;
    use proptest::prelude::*;

    fn literal() -> impl Strategy<Value = Vec<Datum>> {
        proptest::collection::vec((0..8_i32).prop_map(Datum::Int), 1..4)
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            Just(Op::Eq),
            Just(Op::Ne),
            Just(Op::Lt),
            Just(Op::Le),
            Just(Op::Gt),
            Just(Op::Ge),
            Just(Op::In),
            Just(Op::NotIn),
            Just(Op::IsNull),
            Just(Op::IsNotNull),
        ]
    }

    proptest! {
        /// A file is dropped only if none of its rows matches.
        #[test]
        fn statistics_never_drop_a_matching_row(
            values in proptest::collection::vec(proptest::option::of(0..8_i32), 0..6),
            op in op(),
            literals in literal(),
        ) {
            let predicate = Predicate::leaf(0, op, literals);
            let known: Vec<_> = values.iter().flatten().copied().collect();
            let rows = i64::try_from(values.len()).unwrap();
            let stats = ColumnStats {
                min: known.iter().min().map(|v| Datum::Int(*v)),
                max: known.iter().max().map(|v| Datum::Int(*v)),
                null_count: Some(rows - i64::try_from(known.len()).unwrap()),
            };
            let any = values.iter().any(|v| predicate.matches(&|_| v.map(Datum::Int)));
            let kept = predicate.may_match(rows, &|_| Some(stats.clone()));
            prop_assert!(kept || !any);
        }
    }

    #[test]
    fn prefixes_prune_by_bounds() {
        let p = Predicate::leaf(0, Op::StartsWith, [Datum::String("m".into())]);
        let stats = |min: &str, max: &str| ColumnStats {
            min: Some(Datum::String(min.into())),
            max: Some(Datum::String(max.into())),
            null_count: Some(0),
        };
        assert!(!p.may_match(2, &|_| Some(stats("a", "l"))));
        assert!(p.may_match(2, &|_| Some(stats("a", "mz"))));
        assert!(!p.may_match(2, &|_| Some(stats("n", "z"))));
        assert!(p.may_match(2, &|_| None));
    }
}
