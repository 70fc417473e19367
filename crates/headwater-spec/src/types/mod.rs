//! Data types of columns, their stored text, and the Arrow types that carry them.
//!
//! Format: `docs/spec/schema.md#types`. Source: Paimon 1.4.2 `DataType`, `DataTypeJsonParser`.

mod arrow;
mod casts;
mod json;
mod text;

pub use arrow::{arrow_field, arrow_schema, arrow_type};
pub use casts::supports_cast;

/// Length of STRING and BYTES: no limit.
pub const MAX_LENGTH: u32 = 2_147_483_647;

/// A column type with its nullability.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataType {
    /// The type itself.
    pub kind: TypeKind,
    /// Whether null is a value.
    pub nullable: bool,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// BOOLEAN
    Boolean,
    /// TINYINT, 8 bits
    TinyInt,
    /// SMALLINT, 16 bits
    SmallInt,
    /// INT, 32 bits
    Int,
    /// BIGINT, 64 bits
    BigInt,
    /// FLOAT, 32 bits
    Float,
    /// DOUBLE, 64 bits
    Double,
    /// DECIMAL(p, s)
    Decimal {
        /// Digits in total, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// CHAR(n), characters
    Char(u32),
    /// VARCHAR(n), characters; [`MAX_LENGTH`] is STRING
    VarChar(u32),
    /// BINARY(n), bytes
    Binary(u32),
    /// VARBINARY(n), bytes; [`MAX_LENGTH`] is BYTES
    VarBinary(u32),
    /// DATE
    Date,
    /// TIME(p), stored in milliseconds
    Time(u8),
    /// TIMESTAMP(p), 0 to 9
    Timestamp(u8),
    /// TIMESTAMP(p) WITH LOCAL TIME ZONE
    TimestampLtz(u8),
    /// ARRAY of elements
    Array(Box<DataType>),
    /// MULTISET of elements: element to count
    Multiset(Box<DataType>),
    /// MAP of key to value
    Map(Box<DataType>, Box<DataType>),
    /// ROW of fields
    Row(Vec<DataField>),
    /// VARIANT
    Variant,
    /// BLOB
    Blob,
    /// VECTOR of elements with a fixed length
    Vector(Box<DataType>, u32),
}

/// A column, or a field of a ROW.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataField {
    /// Identity that survives renames; unique in the table.
    pub id: i32,
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Comment.
    pub description: Option<String>,
    /// Value for rows that do not give one, as text.
    pub default_value: Option<String>,
}

/// The columns of a table or file, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RowType {
    /// The columns.
    pub fields: Vec<DataField>,
}

impl DataType {
    /// The nullable type of `kind`.
    #[must_use]
    pub const fn nullable(kind: TypeKind) -> Self {
        Self { kind, nullable: true }
    }

    /// The type of `kind` without null.
    #[must_use]
    pub const fn not_null(kind: TypeKind) -> Self {
        Self { kind, nullable: false }
    }

    /// The same type with another nullability.
    #[must_use]
    pub fn with_nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }
}

impl TypeKind {
    /// STRING
    pub const STRING: Self = Self::VarChar(MAX_LENGTH);
    /// BYTES
    pub const BYTES: Self = Self::VarBinary(MAX_LENGTH);

    /// Whether a column of this type may be a primary key, partition or bucket column.
    #[must_use]
    pub const fn can_be_key(&self) -> bool {
        !matches!(
            self,
            Self::Array(_)
                | Self::Multiset(_)
                | Self::Map(..)
                | Self::Row(_)
                | Self::Variant
                | Self::Blob
                | Self::Vector(..)
        )
    }

    /// Whether the type contains other types.
    #[must_use]
    pub const fn is_nested(&self) -> bool {
        matches!(
            self,
            Self::Array(_) | Self::Multiset(_) | Self::Map(..) | Self::Row(_) | Self::Vector(..)
        )
    }
}

impl DataField {
    /// A field without comment and default.
    pub fn new(id: i32, name: impl Into<String>, data_type: DataType) -> Self {
        Self { id, name: name.into(), data_type, description: None, default_value: None }
    }
}

impl RowType {
    /// The row type of these columns.
    #[must_use]
    pub const fn new(fields: Vec<DataField>) -> Self {
        Self { fields }
    }

    /// Position of the column `name`.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }

    /// The column `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&DataField> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The types of the columns.
    #[must_use]
    pub fn types(&self) -> Vec<DataType> {
        self.fields.iter().map(|f| f.data_type.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
