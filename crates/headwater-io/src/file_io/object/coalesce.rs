//! Fewer requests for many ranges of one object: near ones are fetched together and cut apart.

use std::ops::Range;

use bytes::Bytes;

use super::range_len;
use crate::error::{IoError, Result};

/// Bytes fetched in vain rather than starting another request.
const GAP_BYTES: u64 = 1 << 20;
/// Largest request made by merging; a single larger range stays whole.
const MERGED_BYTES: u64 = 16 << 20;

/// Sorted ranges that cover `ranges`.
pub(super) fn merge(path: &str, ranges: &[Range<u64>]) -> Result<Vec<Range<u64>>> {
    for range in ranges {
        range_len(path, range)?;
    }
    let mut sorted = ranges.iter().filter(|range| !range.is_empty()).cloned().collect::<Vec<_>>();
    sorted.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for next in sorted {
        match merged.last_mut() {
            Some(last)
                if next.end <= last.end
                    || (next.start <= last.end.saturating_add(GAP_BYTES)
                        && next.end - last.start <= MERGED_BYTES) =>
            {
                last.end = last.end.max(next.end);
            }
            _ => merged.push(next),
        }
    }
    Ok(merged)
}

/// The bytes of each of `ranges`, out of the `parts` fetched for `merged`.
pub(super) fn cut(
    path: &str,
    ranges: &[Range<u64>],
    merged: &[Range<u64>],
    parts: &[Bytes],
) -> Result<Vec<Bytes>> {
    let cut_one = |range: &Range<u64>| {
        if range.is_empty() {
            return Some(Bytes::new());
        }
        let after = merged.partition_point(|whole| whole.start <= range.start);
        let (whole, part) =
            merged.iter().zip(parts).take(after).rev().find(|(w, _)| w.end >= range.end)?;
        let start = usize::try_from(range.start - whole.start).ok()?;
        let end = usize::try_from(range.end - whole.start).ok()?;
        (end <= part.len()).then(|| part.slice(start..end))
    };
    let lost = |range: &Range<u64>| IoError::Short {
        path: path.to_owned(),
        offset: range.start,
        expected: range.end - range.start,
        actual: 0,
    };
    ranges.iter().map(|range| cut_one(range).ok_or_else(|| lost(range))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ranges_share_a_request_and_far_ones_do_not() {
        let far = 10 + GAP_BYTES + 1;
        let merged = merge("f", &[far..far + 5, 0..10, 4..6, 8..20, 3..3]).unwrap();
        assert_eq!((merged.len(), &merged[0]), (1, &(0..far + 5)));
        let far = 20 + GAP_BYTES + 1;
        let merged = merge("f", &[far..far + 5, 0..20]).unwrap();
        assert_eq!(merged, [0..20, far..far + 5]);
    }

    #[test]
    fn a_request_does_not_grow_past_its_limit() {
        let third = MERGED_BYTES / 3 + 1;
        let merged = merge("f", &[0..third, third..2 * third, 2 * third..3 * third]).unwrap();
        assert_eq!(merged, [0..2 * third, 2 * third..3 * third]);
    }

    #[test]
    fn cutting_gives_every_range_its_bytes_in_the_order_asked_for() {
        let content: Vec<u8> = (0..=255).collect();
        let ranges = [200..256, 0..1, 5..5, 10..30, 12..14];
        let merged = merge("f", &ranges).unwrap();
        let whole =
            |r: &Range<u64>| usize::try_from(r.start).unwrap()..usize::try_from(r.end).unwrap();
        let parts: Vec<_> =
            merged.iter().map(|r| Bytes::copy_from_slice(&content[whole(r)])).collect();
        let cut = cut("f", &ranges, &merged, &parts).unwrap();
        for (range, bytes) in ranges.iter().zip(cut) {
            assert_eq!(bytes, content[whole(range)], "{range:?}");
        }
    }

    #[test]
    fn overlapping_large_ranges_are_all_cut() {
        let ranges = [0..4, 2..MERGED_BYTES + 9];
        let merged = merge("f", &ranges).unwrap();
        assert_eq!(merged.len(), 2);
        let parts: Vec<_> = merged
            .iter()
            .map(|r| Bytes::from(vec![1; usize::try_from(r.end - r.start).unwrap()]))
            .collect();
        let cut = cut("f", &ranges, &merged, &parts).unwrap();
        assert_eq!((cut[0].len(), cut[1].len()), (4, usize::try_from(MERGED_BYTES).unwrap() + 7));
    }

    #[test]
    fn a_range_that_ends_before_it_starts_is_an_error() {
        let backwards = Range { start: 5, end: 4 };
        assert!(merge("f", &[backwards]).is_err());
    }
}
