//! Unions of Theta sketches of Apache `DataSketches`.

use datasketches::theta::CompactThetaSketch;

/// Retained hashes of a Theta union: Java's default.
const NOMINAL: usize = 4096;
/// Theta of a sketch that retains all it saw.
const MAX_THETA: u64 = i64::MAX.cast_unsigned();
/// Bytes of an empty Theta sketch.
const EMPTY: [u8; 8] = [1, 3, 3, 0, 0, 0x1e, 0, 0];

/// The union as a compact Theta sketch in ascending order of its hashes.
///
/// Source: Paimon 1.4.2 `ThetaSketch#union`, datasketches-java `Union`.
pub(in super::super) fn union(acc: &[u8], input: &[u8]) -> Result<Vec<u8>, String> {
    let acc = CompactThetaSketch::deserialize(acc).map_err(|error| error.to_string())?;
    let input = CompactThetaSketch::deserialize(input).map_err(|error| error.to_string())?;
    if acc.is_empty() && input.is_empty() {
        return Ok(EMPTY.to_vec());
    }
    let seed_hash = if acc.is_empty() { input.seed_hash() } else { acc.seed_hash() };
    let mut theta = acc.theta64().min(input.theta64());
    let both = acc.iter().chain(input.iter()).map(|entry| entry.hash());
    let mut hashes: Vec<u64> = both.filter(|&hash| hash < theta).collect();
    hashes.sort_unstable();
    hashes.dedup();
    if let Some(&next) = hashes.get(NOMINAL) {
        theta = next;
        hashes.truncate(NOMINAL);
    }
    write(theta, seed_hash, &hashes)
}

/// Source: datasketches-java `CompactOperations#loadCompactMemory`, `SingleItemSketch`.
fn write(theta: u64, seed_hash: u16, hashes: &[u64]) -> Result<Vec<u8>, String> {
    const READ_ONLY_COMPACT_ORDERED: u8 = 0x1a;
    const SINGLE: u8 = 0x20;
    let exact = theta >= MAX_THETA;
    let (longs, flags) = match hashes.len() {
        0 if exact => return Ok(EMPTY.to_vec()),
        1 if exact => (1, READ_ONLY_COMPACT_ORDERED | SINGLE),
        _ if exact => (2, READ_ONLY_COMPACT_ORDERED),
        _ => (3, READ_ONLY_COMPACT_ORDERED),
    };
    let mut bytes = Vec::with_capacity(24 + 8 * hashes.len());
    bytes.extend([longs, 3, 3, 0, 0, flags]);
    bytes.extend(seed_hash.to_le_bytes());
    if longs > 1 {
        let count = u32::try_from(hashes.len()).map_err(|error| error.to_string())?;
        bytes.extend(count.to_le_bytes());
        bytes.extend(1.0_f32.to_le_bytes());
    }
    if longs > 2 {
        bytes.extend(theta.to_le_bytes());
    }
    for hash in hashes {
        bytes.extend(hash.to_le_bytes());
    }
    Ok(bytes)
}
