//! What can go wrong when a column gets an aggregate function, and when the function meets values.

use headwater_spec::ErrorKind;

/// A function that a column cannot have, or values that a function cannot merge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// A name that no function has.
    #[error("column '{column}' has the unknown aggregate function '{function}'; {known}")]
    Unknown {
        /// The column.
        column: String,
        /// The name.
        function: String,
        /// The functions there are, or the nearest one.
        known: String,
    },
    /// A column whose type the function does not take.
    #[error(
        "aggregate function '{function}' needs a column of type {expected}, column '{column}' has \
         type {data_type}"
    )]
    Type {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
        /// The types that the function takes.
        expected: &'static str,
    },
    /// An option of the column that the function cannot go by.
    #[error("aggregate function '{function}' of column '{column}': option '{option}' {reason}")]
    Option {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
        /// The whole key of the option.
        option: String,
        /// What is wrong.
        reason: String,
    },
    /// A retraction came to a function that cannot take values back.
    #[error(
        "aggregate function '{function}' of column '{column}' cannot take values back; \
         'fields.{column}.ignore-retract' = 'true' leaves retractions out"
    )]
    NoRetraction {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
    },
    /// Two values of a type without order were to be compared.
    #[error(
        "aggregate function '{function}' of column '{column}' cannot compare values of type \
         {data_type}"
    )]
    Incomparable {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// Taking a value back divides by zero.
    #[error(
        "aggregate function '{function}' of column '{column}' cannot take back a zero: that \
         would divide by it"
    )]
    DivisionByZero {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
    },
    /// Taking a decimal back gives a quotient that no number of digits can hold.
    #[error(
        "aggregate function '{function}' of column '{column}' cannot take a value back: {dividend} \
         / {divisor} (without the point) has no end"
    )]
    EndlessQuotient {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
        /// The value so far, as integer without the point.
        dividend: i128,
        /// The value to take back, as integer without the point.
        divisor: i128,
    },
    /// The bytes of a value are not what the function makes.
    #[error("column '{column}' holds bytes that are no {what}: {reason}")]
    Corrupt {
        /// The column.
        column: String,
        /// What the bytes should be.
        what: &'static str,
        /// The broken rule.
        reason: String,
    },
    /// The array of a column is not of the type that the function was made for.
    #[error(
        "column '{column}' comes as {found}, its aggregate function '{function}' takes {expected}"
    )]
    Array {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
        /// Arrow type expected.
        expected: String,
        /// Arrow type found.
        found: String,
    },
    /// Values became larger than a column of one batch can be.
    #[error("aggregate function '{function}' of column '{column}': {what} exceed a batch's limit")]
    TooLarge {
        /// The function.
        function: &'static str,
        /// The column.
        column: String,
        /// What there is too much of.
        what: &'static str,
    },
}

impl FunctionError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown { .. }
            | Self::Type { .. }
            | Self::Option { .. }
            | Self::NoRetraction { .. }
            | Self::Incomparable { .. }
            | Self::DivisionByZero { .. }
            | Self::EndlessQuotient { .. } => ErrorKind::Invalid,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::TooLarge { .. } => ErrorKind::Unsupported,
            Self::Array { .. } => ErrorKind::Internal,
        }
    }
}
