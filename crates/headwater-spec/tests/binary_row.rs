//! Rows that stock Java encoded, with their hashes and buckets.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads its fixtures, and fails when they are not as described"
)]

mod canonical;

use canonical::{datum, hex};
use headwater_spec::bucket::{BucketFunction, bucket_of_row, buckets_of};
use headwater_spec::row::arrow::{RowEncoder, array_from_datums, hash_rows};
use headwater_spec::{BinaryRow, DataType, Datum};
use headwater_testkit::fixture_path;
use serde_json::Value;

struct Vector {
    types: Vec<DataType>,
    values: Vec<Option<Datum>>,
    json: Value,
}

impl Vector {
    fn bytes(&self, key: &str) -> Vec<u8> {
        hex(self.json[key].as_str().unwrap())
    }

    fn number(&self, key: &str) -> i64 {
        self.json[key].as_i64().unwrap()
    }
}

fn vectors() -> Vec<Vector> {
    let text = std::fs::read_to_string(fixture_path("vectors/binary_row.jsonl")).unwrap();
    let vectors: Vec<_> = text.lines().map(vector).collect();
    assert!(vectors.len() >= 150, "the file is complete");
    vectors
}

fn vector(line: &str) -> Vector {
    let json: Value = serde_json::from_str(line).unwrap();
    let types: Vec<_> = json["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| DataType::parse(t.as_str().unwrap()).unwrap())
        .collect();
    let values =
        types.iter().enumerate().map(|(i, t)| datum(&json["row"][format!("f{i}")], t)).collect();
    Vector { types, values, json }
}

#[test]
fn rows_of_java_decode_to_their_values_and_encode_to_their_bytes() {
    for vector in vectors() {
        let stored = vector.bytes("in_manifest_hex");
        let row = BinaryRow::from_serialized(&stored).unwrap();
        assert_eq!(row.as_bytes(), vector.bytes("layout_hex"));
        assert_eq!(row.arity(), vector.types.len());
        assert_eq!(row.to_values(&vector.types).unwrap(), vector.values);
        let again = BinaryRow::from_values(&vector.values, &vector.types).unwrap();
        assert_eq!(again.to_serialized(), stored, "{}", vector.json);
    }
}

#[test]
fn hashes_and_buckets_equal_the_ones_of_java() {
    for vector in vectors() {
        let row = BinaryRow::from_values(&vector.values, &vector.types).unwrap();
        assert_eq!(i64::from(row.hash_code()), vector.number("hash"), "{}", vector.json);
        for (count, key) in [(4, "bucket_of_4"), (7, "bucket_of_7")] {
            let f = BucketFunction::Default;
            let bucket = bucket_of_row(f, &vector.values, &vector.types, count).unwrap();
            assert_eq!(i64::from(bucket), vector.number(key), "{}", vector.json);
        }
    }
}

#[test]
fn arrow_rows_have_the_bytes_hash_and_bucket_of_java() {
    for vector in vectors() {
        let columns: Vec<_> = vector
            .values
            .iter()
            .zip(&vector.types)
            .map(|(value, t)| array_from_datums(std::slice::from_ref(value), t).unwrap())
            .collect();
        let mut encoder = RowEncoder::new(&vector.types);
        assert_eq!(encoder.encode(&columns, 0).unwrap(), vector.bytes("layout_hex"));
        let hashes = hash_rows(&columns, &vector.types).unwrap();
        assert_eq!(
            hashes.iter().copied().map(i64::from).collect::<Vec<_>>(),
            [vector.number("hash")]
        );
        let buckets = buckets_of(BucketFunction::Default, &columns, &vector.types, 7).unwrap();
        assert_eq!(i64::from(buckets[0]), vector.number("bucket_of_7"));
    }
}

#[test]
fn every_truncation_of_a_row_of_java_is_an_error() {
    for vector in vectors() {
        let stored = vector.bytes("in_manifest_hex");
        for length in 0..stored.len() {
            let read = BinaryRow::from_serialized(&stored[..length])
                .and_then(|row| row.to_values(&vector.types));
            assert!(read.is_err(), "{length} bytes of {}", vector.json);
        }
    }
}
