//! Fits the columns of a table into the room there is.

/// A value is not cut below this many characters as long as all columns have room.
const LEAST: usize = 8;
/// What a column may take at most while columns are left out.
const COMFORTABLE: usize = 16;
/// Nothing is fitted into less.
const LEAST_ROOM: usize = 20;
/// Two spaces and a border.
const AROUND: usize = 3;

/// What of a table is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fit {
    /// The columns, by position in the table.
    pub(super) columns: Vec<usize>,
    /// Their widths.
    pub(super) widths: Vec<usize>,
    /// In front of which shown column the others are left out.
    pub(super) gap: Option<usize>,
    /// Whether anything is left out or cut.
    pub(super) cut: bool,
}

/// Chooses columns and widths so that the table takes at most `room`; 0 is all the room it takes.
pub(super) fn fit(widths: &[usize], room: usize) -> Fit {
    let all: Vec<usize> = (0..widths.len()).collect();
    if room == 0 || total(widths, usize::MAX) < room {
        return Fit { columns: all, widths: widths.to_vec(), gap: None, cut: false };
    }
    // The border on the left.
    let room = room.max(LEAST_ROOM) - 1;
    if total(widths, LEAST) <= room {
        let widths = capped(widths, room);
        return Fit { columns: all, widths, gap: None, cut: true };
    }
    let (left, right) = ends(widths, room - AROUND - 1);
    let columns: Vec<usize> = (0..left).chain(widths.len() - right..widths.len()).collect();
    let kept: Vec<usize> = columns.iter().filter_map(|c| widths.get(*c).copied()).collect();
    let gap = (columns.len() < widths.len()).then_some(left);
    Fit { columns, widths: capped(&kept, room - AROUND - 1), gap, cut: true }
}

/// Columns that fit on the left and on the right when none is wider than is comfortable.
fn ends(widths: &[usize], room: usize) -> (usize, usize) {
    let (mut left, mut right, mut used) = (0, 0, 0);
    while left + right < widths.len() {
        let take_left = left <= right;
        let next = if take_left { left } else { widths.len() - 1 - right };
        let needed = widths.get(next).map_or(0, |width| *width.min(&COMFORTABLE)) + AROUND;
        if used + needed > room && left > 0 {
            break;
        }
        used += needed;
        if take_left {
            left += 1;
        } else {
            right += 1;
        }
    }
    (left, right)
}

/// What columns of at most `cap` take.
fn total(widths: &[usize], cap: usize) -> usize {
    widths.iter().map(|width| (*width).min(cap) + AROUND).sum()
}

/// The widths, with the widest cut so far that all fit.
fn capped(widths: &[usize], room: usize) -> Vec<usize> {
    let (mut fits, mut too_wide) = (1, widths.iter().max().map_or(2, |widest| widest + 1));
    while fits + 1 < too_wide {
        let cap = fits.midpoint(too_wide);
        if total(widths, cap) <= room {
            fits = cap;
        } else {
            too_wide = cap;
        }
    }
    widths.iter().map(|width| (*width).min(fits)).collect()
}

#[cfg(test)]
mod tests {
    use super::{AROUND, Fit, fit};

    fn taken(fit: &Fit) -> usize {
        let gap = if fit.gap.is_some() { AROUND + 1 } else { 0 };
        fit.widths.iter().map(|width| width + AROUND).sum::<usize>() + gap + 1
    }

    #[test]
    fn what_has_room_is_left_alone() {
        let shown = fit(&[5, 10, 3], 28);
        assert_eq!(taken(&shown), 28);
        assert_eq!((shown.widths, shown.cut), (vec![5, 10, 3], false));
        assert!(!fit(&[500; 40], 0).cut);
    }

    #[test]
    fn the_widest_columns_are_cut_first() {
        let shown = fit(&[5, 100, 30], 60);
        assert_eq!(shown.widths, [5, 22, 22]);
        assert_eq!((shown.gap, shown.cut), (None, true));
        assert!(taken(&shown) <= 60);
    }

    #[test]
    fn columns_from_the_middle_are_left_out() {
        let shown = fit(&[10; 1_000], 80);
        assert_eq!(shown.columns, [0, 1, 2, 998, 999]);
        assert_eq!(shown.gap, Some(3));
        assert!(taken(&shown) <= 80);
    }

    #[test]
    fn every_room_from_the_least_on_is_kept() {
        for room in 20..200 {
            for widths in [vec![1; 300], vec![40, 2, 90], vec![1_000], vec![12, 0, 7, 300, 9, 9]] {
                let shown = fit(&widths, room);
                assert!(taken(&shown) <= room, "{room}: {shown:?}");
                assert_eq!(shown.columns.len(), shown.widths.len());
                assert!(!shown.columns.is_empty());
            }
        }
    }
}
