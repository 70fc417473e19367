//! The containers of roaring bitmaps: sets of 16-bit numbers in three forms.
//!
//! Which form the union of two has depends on their forms, as in Java, so that the bytes are the
//! same.

use super::cursor::Cursor;

/// Largest number of values in an array.
const ARRAY: usize = 4096;
const WORDS: usize = 1024;
/// Bytes of a bitmap.
const BITMAP_BYTES: usize = 8 * WORDS;

/// A set of 16-bit numbers, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Container {
    /// Ascending values.
    Array(Vec<u16>),
    Bitmap(Box<[u64; WORDS]>),
    /// First value and number of further values of each run; runs ascend.
    Run(Vec<(u16, u16)>),
}

impl Container {
    pub(super) fn read_array(cursor: &mut Cursor<'_>, values: usize) -> Result<Self, String> {
        let bytes = cursor.take(2 * values)?;
        let (pairs, _) = bytes.as_chunks::<2>();
        let values: Vec<u16> = pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect();
        if values.is_empty() || !values.is_sorted_by(|a, b| a < b) {
            return Err("the values of an array do not ascend".to_owned());
        }
        Ok(Self::Array(values))
    }

    pub(super) fn read_bitmap(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let bytes = cursor.take(BITMAP_BYTES)?;
        let (words, _) = bytes.as_chunks::<8>();
        let mut bitmap = Box::new([0; WORDS]);
        for (word, &bytes) in bitmap.iter_mut().zip(words) {
            *word = u64::from_le_bytes(bytes);
        }
        if bitmap.iter().all(|&word| word == 0) {
            return Err("a bitmap has no value".to_owned());
        }
        Ok(Self::Bitmap(bitmap))
    }

    pub(super) fn read_runs(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let count = cursor.u16()?;
        let mut runs = Vec::with_capacity(usize::from(count).min(cursor.0.len() / 4));
        let mut next = 0_u32;
        for _ in 0..count {
            let (first, more) = (cursor.u16()?, cursor.u16()?);
            let end = u32::from(first) + u32::from(more) + 1;
            if u32::from(first) < next || end > 1 << 16 {
                return Err("the runs of values do not ascend".to_owned());
            }
            next = end;
            runs.push((first, more));
        }
        if runs.is_empty() {
            return Err("a container has no run of values".to_owned());
        }
        Ok(Self::Run(runs))
    }

    /// Writes the values in their form, without what form it is and how many there are.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Array(values) => values.iter().for_each(|v| bytes.extend(v.to_le_bytes())),
            Self::Bitmap(words) => words.iter().for_each(|w| bytes.extend(w.to_le_bytes())),
            Self::Run(runs) => {
                let count = u16::try_from(runs.len()).map_err(|error| error.to_string())?;
                bytes.extend(count.to_le_bytes());
                for (first, more) in runs {
                    bytes.extend(first.to_le_bytes());
                    bytes.extend(more.to_le_bytes());
                }
            }
        }
        Ok(())
    }

    /// Bytes that [`Container::write`] writes.
    pub(super) const fn written_bytes(&self) -> usize {
        match self {
            Self::Array(values) => 2 * values.len(),
            Self::Bitmap(_) => BITMAP_BYTES,
            Self::Run(runs) => 2 + 4 * runs.len(),
        }
    }

    /// Number of values.
    pub(super) fn len(&self) -> u32 {
        match self {
            Self::Array(values) => values.iter().map(|_| 1).sum(),
            Self::Bitmap(words) => words.iter().map(|word| word.count_ones()).sum(),
            Self::Run(runs) => runs.iter().map(|&(_, more)| u32::from(more) + 1).sum(),
        }
    }

    fn words(&self) -> Box<[u64; WORDS]> {
        let mut words = match self {
            Self::Bitmap(words) => return words.clone(),
            _ => Box::new([0; WORDS]),
        };
        let mut set = |value: u16| words[usize::from(value >> 6)] |= 1 << (value & 63);
        match self {
            Self::Array(values) => values.iter().for_each(|&value| set(value)),
            Self::Run(runs) => {
                for &(first, more) in runs {
                    (first..=first.saturating_add(more)).for_each(&mut set);
                }
            }
            Self::Bitmap(_) => {}
        }
        words
    }

    /// The union, in the form that Java's `Container#ior` gives it.
    ///
    /// Source: RoaringBitmap 1.2.1 `ArrayContainer#ior`, `BitmapContainer#ior`,
    /// `RunContainer#ior`.
    pub(super) fn union(&self, other: &Self) -> Self {
        if let (Self::Array(a), Self::Array(b)) = (self, other) {
            let mut values = [a.as_slice(), b.as_slice()].concat();
            values.sort_unstable();
            values.dedup();
            return Self::Array(values).fitting();
        }
        let mut words = self.words();
        for (word, other) in words.iter_mut().zip(other.words().iter()) {
            *word |= other;
        }
        let union = Self::Bitmap(words);
        match (self, other) {
            (Self::Bitmap(_), _) | (_, Self::Bitmap(_)) => union,
            _ => Self::Run(union.runs()).smallest(),
        }
    }

    /// The form that Java's `Container#runOptimize` gives.
    pub(super) fn optimized(self) -> Self {
        if matches!(self, Self::Run(_)) {
            return self.smallest();
        }
        let runs = self.runs();
        if self.written_bytes() > 2 + 4 * runs.len() { Self::Run(runs) } else { self }
    }

    /// Runs unless another form is smaller; an array counts with its length.
    fn smallest(self) -> Self {
        let array = usize::try_from(self.len()).map_or(usize::MAX, |values| 2 * values + 2);
        if self.written_bytes() <= BITMAP_BYTES.min(array) { self } else { self.fitting() }
    }

    /// An array if the values fit one, a bitmap otherwise.
    fn fitting(self) -> Self {
        if usize::try_from(self.len()).is_ok_and(|values| values <= ARRAY) {
            return Self::Array(self.values());
        }
        Self::Bitmap(self.words())
    }

    /// The values in ascending order.
    pub(super) fn values(&self) -> Vec<u16> {
        match self {
            Self::Array(values) => values.clone(),
            Self::Run(runs) => {
                let run = |&(first, more): &(u16, u16)| first..=first.saturating_add(more);
                runs.iter().flat_map(run).collect()
            }
            Self::Bitmap(words) => {
                let mut values = Vec::new();
                for (start, &word) in (0..=u16::MAX).step_by(64).zip(words.iter()) {
                    values
                        .extend((0..64_u16).filter(|bit| word >> bit & 1 == 1).map(|b| start + b));
                }
                values
            }
        }
    }

    fn runs(&self) -> Vec<(u16, u16)> {
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for value in self.values() {
            match runs.last_mut() {
                Some((first, more)) if value - *first == *more + 1 => *more += 1,
                _ => runs.push((value, 0)),
            }
        }
        runs
    }
}
