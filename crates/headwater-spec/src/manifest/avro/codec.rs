//! Compresses and decompresses the blocks of Avro files.
//!
//! Format: `docs/spec/manifest.md#container`, Apache Avro 1.11 "Required Codecs" and "Optional
//! Codecs". Source: Paimon 1.4.2 `AvroFileFormat#createCodecFactory`, Avro `CodecFactory`.

use std::borrow::Cow;
use std::io::Write;

use flate2::{Decompress, FlushDecompress};
use zstd::stream::raw::Operation;

use crate::error::SpecError;

/// Largest block after decompression, in bytes.
const MAX_BLOCK_BYTES: usize = 256 << 20;
/// First size of the buffer that blocks are decompressed into, in blocks and in bytes: manifests are
/// packed to a quarter or less, and Java's blocks fit into the most.
const FIRST_BUFFER_BLOCKS: usize = 8;
const FIRST_BUFFER_BYTES: std::ops::RangeInclusive<usize> = (4 << 10)..=(128 << 10);
/// A snappy element of three bytes makes at most 64 bytes.
const MAX_SNAPPY_RATIO: usize = 64;
/// Bytes of the checksum that follows a snappy block.
const CRC_BYTES: usize = 4;

/// How the blocks of an Avro file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not at all.
    Null,
    /// Raw deflate.
    Deflate,
    /// Snappy block format and the CRC-32 of the plain bytes.
    Snappy,
    /// Zstandard frames.
    Zstandard,
    /// bzip2.
    Bzip2,
}

impl Codec {
    /// The codec that a value of option `manifest.compression` stands for.
    ///
    /// `zstd` in any case, or the name of an Avro codec.
    ///
    /// # Errors
    /// [`SpecError::Unsupported`] for `xz`, [`SpecError::Option`] for a name that is no codec.
    pub fn from_option(value: &str) -> Result<Self, SpecError> {
        if value.eq_ignore_ascii_case("zstd") {
            return Ok(Self::Zstandard);
        }
        Self::from_name(value)?.ok_or_else(|| SpecError::Option {
            key: "manifest.compression".to_owned(),
            reason: format!(
                "{value:?} is not one of zstd, zstandard, null, deflate, snappy, bzip2"
            ),
        })
    }

    /// The codec with this name in a file's header; `None` if Avro has no such codec.
    pub(crate) fn from_name(name: &str) -> Result<Option<Self>, SpecError> {
        match name {
            "null" => Ok(Some(Self::Null)),
            "deflate" => Ok(Some(Self::Deflate)),
            "snappy" => Ok(Some(Self::Snappy)),
            "zstandard" => Ok(Some(Self::Zstandard)),
            "bzip2" => Ok(Some(Self::Bzip2)),
            "xz" => Err(SpecError::Unsupported {
                what: "codec xz of Avro files".to_owned(),
                reason: "set option manifest.compression to zstd and rewrite the manifests"
                    .to_owned(),
            }),
            _ => Ok(None),
        }
    }

    /// The codec's name in a file's header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Deflate => "deflate",
            Self::Snappy => "snappy",
            Self::Zstandard => "zstandard",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// Compresses the blocks of one file.
pub struct Compressor(Packing);

enum Packing {
    Null,
    Deflate,
    Snappy(Box<snap::raw::Encoder>),
    Zstandard(zstd::bulk::Compressor<'static>),
    Bzip2,
}

impl Compressor {
    /// `zstd_level` matters for zstandard alone.
    ///
    /// # Errors
    /// There is no such level.
    pub fn new(codec: Codec, zstd_level: i32) -> Result<Self, SpecError> {
        Ok(Self(match codec {
            Codec::Null => Packing::Null,
            Codec::Deflate => Packing::Deflate,
            Codec::Snappy => Packing::Snappy(Box::new(snap::raw::Encoder::new())),
            Codec::Zstandard => Packing::Zstandard(zstd_compressor(zstd_level)?),
            Codec::Bzip2 => Packing::Bzip2,
        }))
    }

    /// The stored form of a block.
    ///
    /// # Errors
    /// The library that packs it failed.
    pub fn compress<'a>(&mut self, block: &'a [u8]) -> Result<Cow<'a, [u8]>, SpecError> {
        let stored = match &mut self.0 {
            Packing::Null => return Ok(Cow::Borrowed(block)),
            Packing::Deflate => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(block).and_then(|()| encoder.finish()).map_err(not_compressed)?
            }
            Packing::Snappy(encoder) => {
                let mut out = encoder.compress_vec(block).map_err(not_compressed)?;
                out.extend_from_slice(&crc32fast::hash(block).to_be_bytes());
                out
            }
            Packing::Zstandard(encoder) => encoder.compress(block).map_err(not_compressed)?,
            Packing::Bzip2 => {
                let level = bzip2::Compression::best();
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
                encoder.write_all(block).and_then(|()| encoder.finish()).map_err(not_compressed)?
            }
        };
        Ok(Cow::Owned(stored))
    }
}

fn zstd_compressor(level: i32) -> Result<zstd::bulk::Compressor<'static>, SpecError> {
    let build = || {
        let mut encoder = zstd::bulk::Compressor::new(level)?;
        encoder.include_checksum(true)?;
        Ok(encoder)
    };
    build().map_err(|e: std::io::Error| SpecError::Option {
        key: "file.compression.zstd-level".to_owned(),
        reason: format!("{level} is not a level of zstd: {e}"),
    })
}

/// Bytes in memory always compress; a library that says otherwise ran out of some resource.
fn not_compressed(error: impl std::fmt::Display) -> SpecError {
    SpecError::corrupt("Avro block", format!("not compressed: {error}"))
}

/// Decompresses the blocks of one file, one after the other, into one buffer.
pub struct Decompressor {
    what: &'static str,
    engine: Engine,
    buffer: Vec<u8>,
}

enum Engine {
    Null,
    Deflate,
    Snappy(snap::raw::Decoder),
    Zstandard(zstd::stream::raw::Decoder<'static>),
    Bzip2,
}

impl Decompressor {
    /// `what` names the file in errors.
    ///
    /// # Errors
    /// The library that unpacks them failed.
    pub fn new(codec: Codec, what: &'static str) -> Result<Self, SpecError> {
        let engine = match codec {
            Codec::Null => Engine::Null,
            Codec::Deflate => Engine::Deflate,
            Codec::Snappy => Engine::Snappy(snap::raw::Decoder::new()),
            Codec::Zstandard => {
                Engine::Zstandard(zstd::stream::raw::Decoder::new().map_err(|e| broken(what, &e))?)
            }
            Codec::Bzip2 => Engine::Bzip2,
        };
        Ok(Self { what, engine, buffer: Vec::new() })
    }

    /// The plain bytes of a stored block.
    ///
    /// # Errors
    /// The block is damaged, or too large once unpacked.
    pub fn decompress<'a>(&'a mut self, block: &'a [u8]) -> Result<&'a [u8], SpecError> {
        let Self { what, engine, buffer } = self;
        let length = match engine {
            Engine::Null => return Ok(block),
            Engine::Snappy(decoder) => snappy(decoder, block, buffer, what)?,
            Engine::Deflate => {
                let mut stream = Decompress::new(false);
                inflate(what, block, buffer, |input, output| {
                    let (read, written) = (stream.total_in(), stream.total_out());
                    let status = stream
                        .decompress(input, output, FlushDecompress::None)
                        .map_err(|e| broken(what, &e))?;
                    Ok(Progress {
                        read: difference(stream.total_in(), read),
                        written: difference(stream.total_out(), written),
                        end: status == flate2::Status::StreamEnd,
                    })
                })?
            }
            Engine::Bzip2 => {
                let mut stream = bzip2::Decompress::new(false);
                inflate(what, block, buffer, |input, output| {
                    let (read, written) = (stream.total_in(), stream.total_out());
                    let status = stream.decompress(input, output).map_err(|e| broken(what, &e))?;
                    Ok(Progress {
                        read: difference(stream.total_in(), read),
                        written: difference(stream.total_out(), written),
                        end: status == bzip2::Status::StreamEnd,
                    })
                })?
            }
            Engine::Zstandard(stream) => {
                stream.reinit().map_err(|e| broken(what, &e))?;
                inflate(what, block, buffer, |input, output| {
                    let status =
                        stream.run_on_buffers(input, output).map_err(|e| broken(what, &e))?;
                    Ok(Progress {
                        read: status.bytes_read,
                        written: status.bytes_written,
                        // A block may hold several frames; the last one ends it.
                        end: status.remaining == 0 && status.bytes_read == input.len(),
                    })
                })?
            }
        };
        Ok(buffer.get(..length).unwrap_or_default())
    }
}

/// What one call of a streaming decompressor did.
struct Progress {
    read: usize,
    written: usize,
    end: bool,
}

/// Runs a streaming decompressor over the whole of `input`; the buffer grows with what comes out.
fn inflate(
    what: &'static str,
    input: &[u8],
    buffer: &mut Vec<u8>,
    mut step: impl FnMut(&[u8], &mut [u8]) -> Result<Progress, SpecError>,
) -> Result<usize, SpecError> {
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        if written == buffer.len() {
            if written >= MAX_BLOCK_BYTES {
                return Err(too_large(what));
            }
            let size = match buffer.len() {
                0 => input
                    .len()
                    .saturating_mul(FIRST_BUFFER_BLOCKS)
                    .clamp(*FIRST_BUFFER_BYTES.start(), *FIRST_BUFFER_BYTES.end()),
                full => full.saturating_mul(2).min(MAX_BLOCK_BYTES),
            };
            // Zeroed memory comes from the system, where `resize` would write every zero.
            let mut larger = vec![0; size];
            if let Some(start) = larger.get_mut(..buffer.len()) {
                start.copy_from_slice(buffer);
            }
            *buffer = larger;
        }
        let from = input.get(read..).unwrap_or_default();
        let to = buffer.get_mut(written..).unwrap_or_default();
        let progress = step(from, to)?;
        read = read.saturating_add(progress.read);
        written = written.saturating_add(progress.written);
        if progress.end {
            if read < input.len() {
                return Err(broken(what, &"bytes follow the compressed data"));
            }
            return Ok(written);
        }
        if progress.read == 0 && progress.written == 0 && written < buffer.len() {
            return Err(broken(what, &"the compressed data ends early"));
        }
    }
}

fn snappy(
    decoder: &mut snap::raw::Decoder,
    block: &[u8],
    buffer: &mut Vec<u8>,
    what: &'static str,
) -> Result<usize, SpecError> {
    let Some((data, crc)) = block.split_last_chunk::<CRC_BYTES>() else {
        return Err(broken(what, &"no checksum"));
    };
    let length = snap::raw::decompress_len(data).map_err(|e| broken(what, &e))?;
    if length > MAX_BLOCK_BYTES {
        return Err(too_large(what));
    }
    if length > data.len().saturating_mul(MAX_SNAPPY_RATIO) {
        return Err(broken(what, &"it claims more bytes than snappy can pack"));
    }
    if buffer.len() < length {
        *buffer = vec![0; length];
    }
    let to = buffer.get_mut(..length).unwrap_or_default();
    let written = decoder.decompress(data, to).map_err(|e| broken(what, &e))?;
    if crc32fast::hash(to).to_be_bytes() != *crc {
        return Err(broken(what, &"its checksum does not match"));
    }
    Ok(written)
}

fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

fn broken(what: &'static str, reason: &impl std::fmt::Display) -> SpecError {
    SpecError::corrupt(what, format!("a compressed block is not readable: {reason}"))
}

fn too_large(what: &'static str) -> SpecError {
    SpecError::corrupt(what, format!("a block of more than {MAX_BLOCK_BYTES} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Codec; 5] =
        [Codec::Null, Codec::Deflate, Codec::Snappy, Codec::Zstandard, Codec::Bzip2];

    fn round_trip(codec: Codec, plain: &[u8]) -> Vec<u8> {
        let stored = Compressor::new(codec, 1).unwrap().compress(plain).unwrap();
        Decompressor::new(codec, "test").unwrap().decompress(&stored).unwrap().to_vec()
    }

    #[test]
    fn names_in_headers_are_those_of_avro() {
        for codec in ALL {
            assert_eq!(Codec::from_name(codec.name()), Ok(Some(codec)));
            assert_eq!(Codec::from_option(codec.name()), Ok(codec));
        }
        assert_eq!(Codec::from_option("ZSTD"), Ok(Codec::Zstandard));
    }

    #[test]
    fn xz_is_unsupported_and_another_name_is_a_wrong_option() {
        assert!(matches!(Codec::from_option("xz"), Err(SpecError::Unsupported { .. })));
        assert!(matches!(Codec::from_option("lzo"), Err(SpecError::Option { .. })));
    }

    #[test]
    fn a_block_larger_than_the_first_buffer_survives_every_codec() {
        let plain: Vec<u8> = (0..400_000_u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
        for codec in ALL {
            assert!(round_trip(codec, &plain) == plain, "{codec:?}");
        }
    }

    #[test]
    fn one_decompressor_reads_block_after_block() {
        for codec in ALL {
            let mut compressor = Compressor::new(codec, 1).unwrap();
            let mut decompressor = Decompressor::new(codec, "test").unwrap();
            let bad = compressor.compress(&[7; 99]).unwrap().into_owned();
            for text in ["a longer text", "short", ""] {
                let stored = compressor.compress(text.as_bytes()).unwrap();
                assert_eq!(decompressor.decompress(&stored).unwrap(), text.as_bytes());
                if codec != Codec::Null {
                    decompressor.decompress(&bad[..bad.len() - 1]).unwrap_err();
                }
            }
        }
    }

    #[test]
    fn a_cut_or_longer_block_is_corrupt() {
        for codec in &ALL[1..] {
            let stored = Compressor::new(*codec, 1).unwrap().compress(&[1; 5000]).unwrap();
            for cut in 0..stored.len() {
                let mut decompressor = Decompressor::new(*codec, "test").unwrap();
                decompressor.decompress(&stored[..cut]).unwrap_err();
            }
            let longer = [&stored, &b"x"[..]].concat();
            Decompressor::new(*codec, "test").unwrap().decompress(&longer).unwrap_err();
        }
    }

    #[test]
    fn a_zstandard_block_of_two_frames_is_read_whole() {
        let mut compressor = Compressor::new(Codec::Zstandard, 1).unwrap();
        let mut stored = compressor.compress(b"first ").unwrap().into_owned();
        stored.extend_from_slice(&compressor.compress(b"second").unwrap());
        let mut decompressor = Decompressor::new(Codec::Zstandard, "test").unwrap();
        assert_eq!(decompressor.decompress(&stored).unwrap(), b"first second");
    }

    #[test]
    fn a_zstandard_frame_has_a_checksum() {
        let plain = b"plain bytes that do not compress 0123456789".to_vec();
        let mut stored =
            Compressor::new(Codec::Zstandard, 1).unwrap().compress(&plain).unwrap().into_owned();
        assert_ne!(stored[4] & 4, 0, "checksum flag of the frame header");
        let last = stored.len() - 1;
        stored[last] ^= 1;
        Decompressor::new(Codec::Zstandard, "test").unwrap().decompress(&stored).unwrap_err();
    }

    #[test]
    fn a_block_that_unpacks_beyond_the_limit_is_refused() {
        let bomb = Compressor::new(Codec::Zstandard, 1).unwrap();
        let Packing::Zstandard(mut encoder) = bomb.0 else { unreachable!() };
        let stored = encoder.compress(&vec![0; MAX_BLOCK_BYTES + 1]).unwrap();
        assert!(stored.len() < 100_000);
        let error =
            Decompressor::new(Codec::Zstandard, "test").unwrap().decompress(&stored).unwrap_err();
        assert!(error.to_string().contains("a block of more than"), "{error}");
    }

    #[test]
    fn a_snappy_block_that_claims_too_much_is_refused_before_memory_is_taken() {
        let claims_256_mib = [0x80, 0x80, 0x80, 0x80, 0x01, 0, 0, 0, 0, 0];
        Decompressor::new(Codec::Snappy, "test").unwrap().decompress(&claims_256_mib).unwrap_err();
    }

    proptest! {
        #[test]
        fn every_block_survives_every_codec(plain in prop::collection::vec(any::<u8>(), 0..2000)) {
            for codec in ALL {
                prop_assert_eq!(&round_trip(codec, &plain), &plain);
            }
        }

        #[test]
        fn arbitrary_blocks_never_panic(block in prop::collection::vec(any::<u8>(), 0..200)) {
            for codec in ALL {
                let _ = Decompressor::new(codec, "test").unwrap().decompress(&block);
            }
        }
    }
}
