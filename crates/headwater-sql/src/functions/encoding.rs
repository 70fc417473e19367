//! Texts and bytes in other writings: hashes, Base64, hexadecimal and binary numbers, character sets.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Int64Type};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use datafusion::common::exec_err;
use datafusion::error::Result;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::call::{Param, Spec, returns};

use Param::{Any, Bytes, Long, Text, TextOrBytes};

/// A hash of the UTF-8 bytes of a text, or of bytes, in hexadecimal digits.
macro_rules! hash {
    ($name:literal, $hash:ty) => {
        Spec::new(&[$name], &[TextOrBytes], returns::text, |c| {
            let values = bytes_of(c.arg(0)?)?;
            c.texts(|row| Ok(Some(hex(&<$hash>::digest(values.value(row)), false))))
        })
        .total()
    };
}

/// Padding at the end may be missing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) const FUNCTIONS: &[Spec] = &[
    hash!("md5", Md5),
    hash!("sha1", Sha1),
    hash!("sha224", Sha224),
    hash!("sha256", Sha256),
    hash!("sha384", Sha384),
    hash!("sha512", Sha512),
    Spec::new(&["sha2"], &[TextOrBytes, Long], returns::text, |c| {
        let (values, bits) = (bytes_of(c.arg(0)?)?, c.long(1)?);
        c.texts(|row| {
            let value = values.value(row);
            Ok(Some(match bits.value(row) {
                224 => hex(&Sha224::digest(value), false),
                256 => hex(&Sha256::digest(value), false),
                384 => hex(&Sha384::digest(value), false),
                512 => hex(&Sha512::digest(value), false),
                other => {
                    return c.fail(format!("{other} is not one of 224, 256, 384 and 512 bits"));
                }
            }))
        })
    })
    .total(),
    Spec::new(&["to_base64"], &[TextOrBytes], returns::text, |c| {
        let values = bytes_of(c.arg(0)?)?;
        c.texts(|row| Ok(Some(general_purpose::STANDARD.encode(values.value(row)))))
    })
    .total(),
    Spec::new(&["from_base64"], &[TextOrBytes], returns::text, |c| {
        let values = bytes_of(c.arg(0)?)?;
        c.texts(|row| match LENIENT.decode(values.value(row)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(reason) => c.fail(reason),
        })
    })
    .total(),
    Spec::new(&["hex"], &[Any], returns::text, |c| {
        let given = c.arg(0)?;
        match given.data_type() {
            t if t.is_integer() => {
                let numbers = cast(given, &Arrow::Int64)?;
                let numbers = numbers.as_primitive::<Int64Type>();
                c.texts(|row| Ok(Some(format!("{:X}", numbers.value(row)))))
            }
            Arrow::Utf8 | Arrow::Binary => {
                let values = bytes_of(given)?;
                c.texts(|row| Ok(Some(hex(values.value(row), true))))
            }
            other => c.fail(format!(
                "argument 1 must be an integer or a text, not {}",
                super::types::name_of(other)
            )),
        }
    })
    .total(),
    Spec::new(&["bin"], &[Long], returns::text, |c| {
        let numbers = c.long(0)?;
        c.texts(|row| Ok(Some(format!("{:b}", numbers.value(row)))))
    })
    .total(),
    Spec::new(&["hash_code"], &[Any], returns::int, |c| {
        let given = c.arg(0)?;
        let rows = match given.data_type() {
            Arrow::Utf8 => {
                let texts = c.text(0)?;
                c.strict(|row| Ok(Some(java_hash(texts.value(row)))))?
            }
            Arrow::Int8 | Arrow::Int16 | Arrow::Int32 => {
                let numbers = cast(given, &Arrow::Int64)?;
                let numbers = numbers.as_primitive::<Int64Type>();
                c.strict(|row| Ok(Some(super::math::wrap(numbers.value(row)))))?
            }
            Arrow::Int64 => {
                let numbers = given.as_primitive::<Int64Type>();
                c.strict(|row| {
                    let value = numbers.value(row);
                    Ok(Some(super::math::wrap(value ^ (value >> 32 & 0xffff_ffff))))
                })?
            }
            other => {
                return c.fail(format!("of {} is not known here", super::types::name_of(other)));
            }
        };
        Ok(Arc::new(Int32Array::from(rows)))
    }),
    Spec::new(&["encode"], &[Text, Text], returns::bytes, |c| {
        let (texts, sets) = (c.text(0)?, c.text(1)?);
        let rows = c.strict(|row| encode(texts.value(row), sets.value(row)).map(Some))?;
        Ok(Arc::new(rows.iter().map(Option::as_deref).collect::<BinaryArray>()))
    }),
    Spec::new(&["decode"], &[Bytes, Text], returns::text, |c| {
        let (bytes, sets) = (c.bytes(0)?, c.text(1)?);
        c.texts(|row| decode(bytes.value(row), sets.value(row)).map(Some))
    }),
];

/// Texts as their UTF-8 bytes.
fn bytes_of(array: &ArrayRef) -> Result<BinaryArray> {
    Ok(cast(array, &Arrow::Binary)?.as_binary::<i32>().clone())
}

fn hex(bytes: &[u8], upper: bool) -> String {
    let digit = |b: &u8| if upper { format!("{b:02X}") } else { format!("{b:02x}") };
    bytes.iter().map(digit).collect()
}

/// `String.hashCode`.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[derive(Clone, Copy)]
enum CharacterSet {
    Utf8,
    Ascii,
    Latin1,
    Utf16 { big: bool, mark: bool },
}

fn character_set(name: &str) -> Result<CharacterSet> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "UTF-8" | "UTF8" => CharacterSet::Utf8,
        "US-ASCII" | "ASCII" => CharacterSet::Ascii,
        "ISO-8859-1" | "ISO8859-1" | "ISO8859_1" | "LATIN1" => CharacterSet::Latin1,
        "UTF-16BE" => CharacterSet::Utf16 { big: true, mark: false },
        "UTF-16LE" => CharacterSet::Utf16 { big: false, mark: false },
        "UTF-16" => CharacterSet::Utf16 { big: true, mark: true },
        _ => {
            return exec_err!(
                "the character set '{name}' is not one of US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, \
                 UTF-16LE and UTF-16"
            );
        }
    })
}

/// What a set lacks is a question mark.
fn encode(text: &str, set: &str) -> Result<Vec<u8>> {
    let narrow = |limit: u32| {
        let byte = |c: char| match u8::try_from(u32::from(c)) {
            Ok(byte) if u32::from(c) < limit => byte,
            _ => b'?',
        };
        text.chars().map(byte).collect()
    };
    Ok(match character_set(set)? {
        CharacterSet::Utf8 => text.as_bytes().to_vec(),
        CharacterSet::Ascii => narrow(128),
        CharacterSet::Latin1 => narrow(256),
        CharacterSet::Utf16 { big, mark } => {
            let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            units.flat_map(|u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        }
    })
}

fn decode(bytes: &[u8], set: &str) -> Result<String> {
    Ok(match character_set(set)? {
        CharacterSet::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        CharacterSet::Ascii => {
            let char_of = |b: &u8| if b.is_ascii() { char::from(*b) } else { '\u{fffd}' };
            bytes.iter().map(char_of).collect()
        }
        CharacterSet::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
        CharacterSet::Utf16 { big, mark } => {
            let (big, bytes) = match bytes {
                [0xfe, 0xff, rest @ ..] if mark => (true, rest),
                [0xff, 0xfe, rest @ ..] if mark => (false, rest),
                all => (big, all),
            };
            let units: Vec<u16> = bytes
                .chunks(2)
                .map(|pair| match pair {
                    [a, b] if big => u16::from_be_bytes([*a, *b]),
                    [a, b] => u16::from_le_bytes([*a, *b]),
                    _ => 0xfffd,
                })
                .collect();
            String::from_utf16_lossy(&units)
        }
    })
}

/// Parts of URLs.
pub(super) const URLS: &[Spec] =
    &[Spec::new(&["parse_url"], &[Text, Text, Text], returns::text, |c| {
        let (urls, parts) = (c.text(0)?, c.text(1)?);
        let keys = if c.count() == 3 { Some(c.text(2)?) } else { None };
        c.texts(|row| {
            let Some(url) = super::url::Url::parse(urls.value(row)) else { return Ok(None) };
            let part = parts.value(row);
            Ok(match keys {
                None => url.part(part),
                Some(keys) if part == "QUERY" => url.parameter(keys.value(row)),
                Some(_) => None,
            })
        })
    })
    .required(2)];
