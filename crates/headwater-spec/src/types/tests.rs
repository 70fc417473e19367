use super::{DataType, MAX_LENGTH, TypeKind};

#[test]
fn every_spelling_parses_to_the_canonical_text() {
    for (text, canonical) in [
        ("int not null", "INT NOT NULL"),
        ("INTEGER", "INT"),
        ("numeric(5,2)", "DECIMAL(5, 2)"),
        ("DEC", "DECIMAL(10, 0)"),
        ("double precision", "DOUBLE"),
        ("VARCHAR(2147483647)", "STRING"),
        ("bytes", "BYTES"),
        ("char", "CHAR(1)"),
        ("time", "TIME(0)"),
        ("timestamp", "TIMESTAMP(6)"),
        ("TIMESTAMP(9) WITHOUT TIME ZONE", "TIMESTAMP(9)"),
        ("timestamp_ltz(3)", "TIMESTAMP(3) WITH LOCAL TIME ZONE"),
        ("INT ARRAY NOT NULL", "ARRAY<INT> NOT NULL"),
        ("ROW<a INT, `b c` STRING 'it''s'>", "ROW<`a` INT, `b c` STRING 'it''s'>"),
        ("MAP<STRING NOT NULL, ARRAY<INT>>", "MAP<STRING NOT NULL, ARRAY<INT>>"),
    ] {
        assert_eq!(DataType::parse(text).unwrap().to_string(), canonical, "{text}");
    }
}

#[test]
fn wrong_types_are_refused_with_a_reason() {
    for (text, reason) in [
        ("DECIMAL(39, 2)", "1 to 38"),
        ("DECIMAL(5, 6)", "0 to 5"),
        ("TIMESTAMP(10)", "0 to 9"),
        ("ENUM", "no type ENUM"),
        ("ARRAY<INT", "expected '>'"),
        ("INT INT", "after the type"),
        ("", "missing"),
    ] {
        let error = DataType::parse(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    assert!(DataType::parse(&"ARRAY<".repeat(10_000)).is_err());
}

#[test]
fn json_round_trips() {
    let t = DataType::parse("ROW<a ARRAY<INT NOT NULL> NOT NULL, m MAP<STRING, MULTISET<DATE>>>")
        .unwrap();
    assert_eq!(DataType::from_json(&t.to_json()).unwrap(), t);
    assert_eq!(
        DataType::nullable(TypeKind::VarChar(MAX_LENGTH)).to_json(),
        serde_json::json!("STRING")
    );
}
