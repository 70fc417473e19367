//! Which changes of type a schema may contain.
//!
//! Format: `docs/spec/schema.md#casts`. Source: Paimon 1.4.2 `DataTypeCasts`. Whether a reader can
//! carry a change out is another question, answered where files are read.

use super::TypeKind;

const fn is_text(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Char(_) | TypeKind::VarChar(_))
}

const fn is_integer(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt)
}

const fn is_number(kind: &TypeKind) -> bool {
    is_integer(kind)
        || matches!(kind, TypeKind::Float | TypeKind::Double | TypeKind::Decimal { .. })
}

const fn is_timestamp(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_))
}

const fn is_temporal(kind: &TypeKind) -> bool {
    is_timestamp(kind) || matches!(kind, TypeKind::Date | TypeKind::Time(_))
}

/// Bits of an integer type.
const fn width(kind: &TypeKind) -> Option<u8> {
    match kind {
        TypeKind::TinyInt => Some(8),
        TypeKind::SmallInt => Some(16),
        TypeKind::Int => Some(32),
        TypeKind::BigInt => Some(64),
        _ => None,
    }
}

/// Whether a column of type `from` may become one of type `to`. `explicit` allows changes that can
/// lose information, as CAST does.
#[must_use]
pub fn supports_cast(from: &TypeKind, to: &TypeKind, explicit: bool) -> bool {
    from == to || implicit(from, to) || explicit && is_explicit(from, to)
}

fn implicit(from: &TypeKind, to: &TypeKind) -> bool {
    use TypeKind as T;
    match (from, to) {
        (T::Char(_), T::Char(_)) | (T::Binary(_), T::Binary(_)) => true,
        (a, T::VarChar(_)) => is_text(a),
        (a, T::VarBinary(_)) => matches!(a, T::Binary(_) | T::VarBinary(_)),
        (a, T::Decimal { .. } | T::Double) => is_number(a),
        (a, T::Float) => is_integer(a) || matches!(a, T::Float | T::Decimal { .. }),
        (a, b) if is_integer(b) => width(a).zip(width(b)).is_some_and(|(a, b)| a <= b),
        (T::Timestamp(_), T::Date | T::Time(_)) | (T::Time(_), T::Time(_)) => true,
        (a, T::Timestamp(_) | T::TimestampLtz(_)) => is_timestamp(a),
        _ => false,
    }
}

fn is_explicit(from: &TypeKind, to: &TypeKind) -> bool {
    use TypeKind as T;
    let opaque = matches!(from, T::Variant | T::Blob | T::Vector(..));
    match to {
        T::Char(_) | T::VarChar(_) => !opaque,
        T::Boolean => is_text(from) || is_integer(from),
        T::Binary(_) | T::VarBinary(_) => {
            is_text(from) || matches!(from, T::Binary(_) | T::VarBinary(_))
        }
        T::Decimal { .. } => is_text(from) || matches!(from, T::Boolean) || is_timestamp(from),
        T::TinyInt | T::SmallInt | T::Int | T::BigInt | T::Float | T::Double => {
            is_number(from) || is_text(from) || matches!(from, T::Boolean) || is_timestamp(from)
        }
        T::Date => is_timestamp(from) || is_text(from),
        T::Time(_) => is_timestamp(from) || matches!(from, T::Time(_)) || is_text(from),
        T::Timestamp(_) | T::TimestampLtz(_) => {
            is_temporal(from) || is_text(from) || is_number(from)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::supports_cast;
    use crate::types::DataType;

    #[test]
    fn widening_is_implicit_and_the_rest_explicit_or_refused() {
        let kind = |text: &str| DataType::parse(text).unwrap().kind;
        for (from, to, implicit, explicit) in [
            ("INT", "BIGINT", true, true),
            ("BIGINT", "INT", false, true),
            ("INT", "DOUBLE", true, true),
            ("DOUBLE", "FLOAT", false, true),
            ("INT", "STRING", false, true),
            ("STRING", "INT", false, true),
            ("CHAR(3)", "VARCHAR(3)", true, true),
            ("VARCHAR(3)", "CHAR(3)", false, true),
            ("TIMESTAMP(3)", "DATE", true, true),
            ("DATE", "TIMESTAMP(3)", false, true),
            ("DATE", "INT", false, false),
            ("BYTES", "INT", false, false),
            ("ARRAY<INT>", "STRING", false, true),
            ("STRING", "ARRAY<INT>", false, false),
            ("VARIANT", "STRING", false, false),
        ] {
            assert_eq!(supports_cast(&kind(from), &kind(to), false), implicit, "{from} {to}");
            assert_eq!(supports_cast(&kind(from), &kind(to), true), explicit, "{from} {to}");
        }
    }
}
