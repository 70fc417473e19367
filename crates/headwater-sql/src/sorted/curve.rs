//! Places on a curve through all values of several columns, as bytes that sort by it: rows that are
//! near in all columns get places that are near.
//!
//! Each column gives bytes that sort like its values, most significant first. The z-order takes
//! their bits in turns. The curve of Hilbert turns and mirrors each cell so that it never jumps.
//! Source: Paimon 1.4.2 `ZOrderByteUtils#interleaveBits`, `HilbertIndexer`; J. Skilling,
//! "Programming the Hilbert curve" (2004).

/// The bits of the columns in turns: the first bit of each, the second bit of each, and so on. A
/// column that has no bits left is passed over. Appended to `out`.
pub(super) fn interleave(columns: &[&[u8]], out: &mut Vec<u8>) {
    let longest = columns.iter().map(|c| c.len()).max().unwrap_or(0);
    let (mut byte, mut bits) = (0_u8, 0_u8);
    for at in 0..longest {
        for bit in (0..8).rev() {
            for column in columns {
                let Some(source) = column.get(at) else { continue };
                byte = (byte << 1) | ((source >> bit) & 1);
                bits += 1;
                if bits == 8 {
                    out.push(byte);
                    (byte, bits) = (0, 0);
                }
            }
        }
    }
}

/// The place on the curve of Hilbert of a point with these coordinates, appended to `out`.
pub(super) fn hilbert(point: &mut [u64], out: &mut Vec<u8>) {
    let mut bit = 1_u64 << 63;
    while bit > 1 {
        let below = bit - 1;
        for at in 0..point.len() {
            let Some(value) = point.get(at).copied() else { break };
            let Some(first) = point.first_mut() else { break };
            if value & bit != 0 {
                *first ^= below;
            } else {
                let swapped = (*first ^ value) & below;
                *first ^= swapped;
                if let Some(value) = point.get_mut(at) {
                    *value ^= swapped;
                }
            }
        }
        bit >>= 1;
    }
    // Gray code.
    let mut before = point.first().copied().unwrap_or(0);
    for value in point.iter_mut().skip(1) {
        *value ^= before;
        before = *value;
    }
    let mut flips = 0_u64;
    let mut bit = 1_u64 << 63;
    while bit > 1 {
        if before & bit != 0 {
            flips ^= bit - 1;
        }
        bit >>= 1;
    }
    let turned: Vec<[u8; 8]> = point.iter().map(|value| (value ^ flips).to_be_bytes()).collect();
    let columns: Vec<&[u8]> = turned.iter().map(<[u8; 8]>::as_slice).collect();
    interleave(&columns, out);
}

#[cfg(test)]
mod tests {
    use super::{hilbert, interleave};

    #[test]
    fn bits_are_taken_in_turns() {
        let of = |columns: &[&[u8]]| {
            let mut out = Vec::new();
            interleave(columns, &mut out);
            out
        };
        assert_eq!(of(&[&[0b1010_1010], &[0b0101_0101]]), [0b1001_1001, 0b1001_1001]);
        assert_eq!(of(&[&[0xff, 0], &[0, 0xff]]), [0xaa, 0xaa, 0x55, 0x55]);
        assert_eq!(of(&[&[1, 2, 3]]), [1, 2, 3]);
        // The third column goes on alone.
        assert_eq!(of(&[&[0xff], &[0], &[0xff, 7]]), [0b1011_0110, 0b1101_1011, 0b0110_1101, 7]);
        assert_eq!(of(&[]), [0_u8; 0]);
    }

    fn place(point: &[u64]) -> Vec<u8> {
        let mut out = Vec::new();
        hilbert(&mut point.to_vec(), &mut out);
        out
    }

    /// Neighbours on the curve are neighbours in space, in two and in three dimensions.
    #[test]
    fn the_curve_of_hilbert_never_jumps() {
        for (dimensions, side) in [(2, 16_u64), (3, 8)] {
            let count = usize::try_from(side).unwrap().pow(dimensions);
            let mut cells: Vec<Vec<u64>> = (0..count)
                .map(|cell| {
                    let mut rest = u64::try_from(cell).unwrap();
                    let mut point = Vec::new();
                    for _ in 0..dimensions {
                        point.push(rest % side);
                        rest /= side;
                    }
                    point
                })
                .collect();
            let shift = side.leading_zeros() + 1;
            let at = |cell: &[u64]| place(&cell.iter().map(|v| v << shift).collect::<Vec<_>>());
            cells.sort_by_key(|cell| at(cell));
            for pair in cells.windows(2) {
                let steps: u64 = pair[0].iter().zip(&pair[1]).map(|(a, b)| a.abs_diff(*b)).sum();
                assert_eq!(steps, 1, "{pair:?}");
            }
        }
    }

    #[test]
    fn every_point_has_a_place_of_its_own() {
        let mut places: Vec<Vec<u8>> = Vec::new();
        for x in [0, 1, 2, 3, u64::MAX - 1, u64::MAX, 1 << 63] {
            for y in [0, 1, 2, 3, u64::MAX - 1, u64::MAX, 1 << 63] {
                places.push(place(&[x, y]));
            }
        }
        assert!(places.iter().all(|place| place.len() == 16));
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count);
    }
}
