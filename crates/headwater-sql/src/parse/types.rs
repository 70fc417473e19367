//! The names of column types in SQL: every spelling that Flink allows.
//!
//! Differs from the text in schema files in one rule: VARCHAR and VARBINARY without a length have
//! no limit. Format: `docs/spec/schema.md#types`. Source: Paimon 1.4.2 `DataTypeJsonParser`,
//! Flink's `FlinkTypeSystem#getDefaultPrecision`.

use datafusion::sql::sqlparser::tokenizer::Token;
use headwater::{DataField, DataType, TypeKind};

use super::cursor::Cursor;
use crate::error::SqlError;

/// Length of STRING and BYTES.
const MAX_LENGTH: u32 = 2_147_483_647;
/// How deep types may nest.
const MAX_DEPTH: usize = 64;

/// A type with its nullability and with any number of ARRAY or MULTISET behind it.
pub(crate) fn data_type(cursor: &mut Cursor) -> Result<DataType, SqlError> {
    nested(cursor, 0)
}

fn nested(cursor: &mut Cursor, depth: usize) -> Result<DataType, SqlError> {
    if depth > MAX_DEPTH {
        return Err(cursor.complain(format!("types nest deeper than {MAX_DEPTH}")));
    }
    let kind = kind(cursor, depth)?;
    let mut parsed = DataType { kind, nullable: nullability(cursor)? };
    loop {
        let wrap = if cursor.keyword("ARRAY") {
            TypeKind::Array
        } else if cursor.keyword("MULTISET") {
            TypeKind::Multiset
        } else {
            return Ok(parsed);
        };
        parsed = DataType { kind: wrap(Box::new(parsed)), nullable: nullability(cursor)? };
    }
}

fn nullability(cursor: &mut Cursor) -> Result<bool, SqlError> {
    if cursor.keyword("NOT") {
        cursor.need_keyword("NULL")?;
        return Ok(false);
    }
    cursor.keyword("NULL");
    Ok(true)
}

fn kind(cursor: &mut Cursor, depth: usize) -> Result<TypeKind, SqlError> {
    let name = match cursor.peek() {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        _ => return Err(cursor.expected("a type")),
    };
    let unknown = cursor.complain(format!("there is no type {name}"));
    cursor.name("a type")?;
    Ok(match name.as_str() {
        "BOOLEAN" => TypeKind::Boolean,
        "TINYINT" => TypeKind::TinyInt,
        "SMALLINT" => TypeKind::SmallInt,
        "INT" | "INTEGER" => TypeKind::Int,
        "BIGINT" => TypeKind::BigInt,
        "FLOAT" => TypeKind::Float,
        // Spark's other names, where the statement is Spark's.
        "BYTE" if cursor.spark_types => TypeKind::TinyInt,
        "SHORT" if cursor.spark_types => TypeKind::SmallInt,
        "LONG" if cursor.spark_types => TypeKind::BigInt,
        "REAL" if cursor.spark_types => TypeKind::Float,
        "DOUBLE" => {
            cursor.keyword("PRECISION");
            TypeKind::Double
        }
        "DECIMAL" | "NUMERIC" | "DEC" => decimal(cursor)?,
        "CHAR" | "CHARACTER" if name == "CHARACTER" && cursor.keyword("VARYING") => {
            TypeKind::VarChar(length(cursor, MAX_LENGTH)?)
        }
        "CHAR" | "CHARACTER" => TypeKind::Char(length(cursor, 1)?),
        "VARCHAR" => TypeKind::VarChar(length(cursor, MAX_LENGTH)?),
        "STRING" => TypeKind::STRING,
        "BINARY" if cursor.keyword("VARYING") => TypeKind::VarBinary(length(cursor, MAX_LENGTH)?),
        "BINARY" => TypeKind::Binary(length(cursor, 1)?),
        "VARBINARY" => TypeKind::VarBinary(length(cursor, MAX_LENGTH)?),
        "BYTES" => TypeKind::BYTES,
        "DATE" => TypeKind::Date,
        "TIME" => {
            let digits = precision(cursor, 0)?;
            without_zone(cursor)?;
            TypeKind::Time(digits)
        }
        "TIMESTAMP" if cursor.spark_types && cursor.peek() != Some(&Token::LParen) => {
            TypeKind::TimestampLtz(6)
        }
        "TIMESTAMP_NTZ" => TypeKind::Timestamp(precision(cursor, 6)?),
        "TIMESTAMP" => {
            let digits = precision(cursor, 6)?;
            if cursor.keyword("WITH") {
                for word in ["LOCAL", "TIME", "ZONE"] {
                    cursor.need_keyword(word)?;
                }
                TypeKind::TimestampLtz(digits)
            } else {
                without_zone(cursor)?;
                TypeKind::Timestamp(digits)
            }
        }
        "TIMESTAMP_LTZ" => TypeKind::TimestampLtz(precision(cursor, 6)?),
        "VARIANT" => TypeKind::Variant,
        "BLOB" => TypeKind::Blob,
        "ARRAY" => TypeKind::Array(Box::new(in_angles(cursor, depth)?)),
        "MULTISET" => TypeKind::Multiset(Box::new(in_angles(cursor, depth)?)),
        "MAP" => {
            cursor.need_symbol(&Token::Lt)?;
            let key = nested(cursor, depth + 1)?;
            cursor.need_symbol(&Token::Comma)?;
            let value = nested(cursor, depth + 1)?;
            cursor.need_close_angle()?;
            TypeKind::Map(Box::new(key), Box::new(value))
        }
        "VECTOR" => {
            cursor.need_symbol(&Token::Lt)?;
            let element = nested(cursor, depth + 1)?;
            cursor.need_symbol(&Token::Comma)?;
            let size = cursor.number("the length", 1, u64::from(MAX_LENGTH))?;
            cursor.need_close_angle()?;
            TypeKind::Vector(Box::new(element), size)
        }
        "ROW" | "STRUCT" => row(cursor, depth)?,
        _ => return Err(unknown),
    })
}

fn in_angles(cursor: &mut Cursor, depth: usize) -> Result<DataType, SqlError> {
    cursor.need_symbol(&Token::Lt)?;
    let inner = nested(cursor, depth + 1)?;
    cursor.need_close_angle()?;
    Ok(inner)
}

fn row(cursor: &mut Cursor, depth: usize) -> Result<TypeKind, SqlError> {
    // The tokenizer takes `<>` for one sign.
    if cursor.symbol(&Token::Neq) {
        return Ok(TypeKind::Row(Vec::new()));
    }
    let parentheses = cursor.symbol(&Token::LParen);
    if !parentheses {
        cursor.need_symbol(&Token::Lt)?;
    }
    let mut fields: Vec<DataField> = Vec::new();
    loop {
        let name = cursor.name("a field's name")?;
        if fields.iter().any(|f| f.name == name) {
            return Err(cursor.complain(format!("the row has two fields named '{name}'")));
        }
        // Spark writes STRUCT<a: INT>.
        cursor.symbol(&Token::Colon);
        let mut field = DataField::new(-1, name, nested(cursor, depth + 1)?);
        if cursor.keyword("COMMENT") || matches!(cursor.peek(), Some(Token::SingleQuotedString(_)))
        {
            field.description = Some(cursor.string("a comment")?);
        }
        fields.push(field);
        if !cursor.symbol(&Token::Comma) {
            break;
        }
    }
    if parentheses {
        cursor.need_symbol(&Token::RParen)?;
    } else {
        cursor.need_close_angle()?;
    }
    Ok(TypeKind::Row(fields))
}

fn without_zone(cursor: &mut Cursor) -> Result<(), SqlError> {
    if cursor.keyword("WITHOUT") {
        cursor.need_keyword("TIME")?;
        cursor.need_keyword("ZONE")?;
    }
    Ok(())
}

fn length(cursor: &mut Cursor, default: u32) -> Result<u32, SqlError> {
    if !cursor.symbol(&Token::LParen) {
        return Ok(default);
    }
    let n = cursor.number("the length", 1, u64::from(MAX_LENGTH))?;
    cursor.need_symbol(&Token::RParen)?;
    Ok(n)
}

fn precision(cursor: &mut Cursor, default: u8) -> Result<u8, SqlError> {
    if !cursor.symbol(&Token::LParen) {
        return Ok(default);
    }
    let n = cursor.number("the precision", 0, 9)?;
    cursor.need_symbol(&Token::RParen)?;
    Ok(n)
}

fn decimal(cursor: &mut Cursor) -> Result<TypeKind, SqlError> {
    let (mut precision, mut scale) = (10_u8, 0_u8);
    if cursor.symbol(&Token::LParen) {
        precision = cursor.number("the precision", 1, 38)?;
        if cursor.symbol(&Token::Comma) {
            scale = cursor.number("the scale", 0, u64::from(precision))?;
        }
        cursor.need_symbol(&Token::RParen)?;
    }
    Ok(TypeKind::Decimal { precision, scale })
}
