//! How the fields of stored rows are encoded: one type of codec per shape of a field.
//!
//! A codec looks at the writer's type once ([`FieldCodec::plan`]) and decodes any number of values
//! with the plan. Accepted are the type itself, a union of it with null in either order, and int
//! where long is asked for.

use std::marker::PhantomData;
use std::sync::Arc;

use super::cursor::{Cursor, put_bytes, put_length, put_long};
use super::schema::{Shape, Type};
use crate::data_file::FileSource;
use crate::error::SpecError;
use crate::manifest::EntryKind;
use crate::row::BinaryRow;

/// Items of an array that memory is taken for before they are decoded.
const FIRST_ITEMS: u64 = 16;

/// How values of one type of the writer are decoded.
#[derive(Debug)]
pub(crate) enum Plan {
    /// As the codec says.
    Scalar,
    /// Null, without bytes.
    Null,
    /// A branch number, then nothing or a value.
    Optional { null: i64, value: Box<Self> },
    /// An array.
    List(Box<Self>),
    /// The writer's fields in order.
    Record(Vec<Step>),
}

/// What to do with one field of the writer.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is the field of this number.
    Read(usize, Plan),
    /// It is not known.
    Skip(Arc<Type>),
}

/// Encodes and decodes the values of one field.
pub(crate) trait FieldCodec {
    /// The value in memory.
    type Value;

    /// How a value of a type other than null or a union is decoded.
    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError>;

    /// Decodes a value that is not null.
    fn decode(plan: &Plan, cursor: &mut Cursor<'_>) -> Result<Self::Value, SpecError>;

    /// Appends a value in Java's schema.
    fn encode(value: &Self::Value, out: &mut Vec<u8>);

    /// What null means, and a field that the writer did not know; `None` if that is an error.
    fn absent() -> Option<Self::Value> {
        None
    }
}

/// How values of any type of the writer are decoded.
pub(crate) fn plan<C: FieldCodec>(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
    let branches = match &of.shape {
        Shape::Null => return Ok(Plan::Null),
        Shape::Union(branches) => branches,
        _ => return C::plan(of, what),
    };
    let (null, value) = match branches.as_slice() {
        [first, second] if matches!(first.shape, Shape::Null) => (0, second),
        [first, second] if matches!(second.shape, Shape::Null) => (1, first),
        _ => return Err(unexpected(of, "a value or null", what)),
    };
    match &value.shape {
        Shape::Null | Shape::Union(_) => Err(unexpected(value, "a value", what)),
        _ => Ok(Plan::Optional { null, value: Box::new(C::plan(value, what)?) }),
    }
}

/// Decodes a value of any type of the writer.
pub(crate) fn decode<C: FieldCodec>(
    plan: &Plan,
    cursor: &mut Cursor<'_>,
) -> Result<C::Value, SpecError> {
    match plan {
        Plan::Optional { null, value } => {
            let branch = cursor.long()?;
            if branch == *null {
                C::absent().ok_or_else(|| cursor.corrupt("null where a value is required"))
            } else if branch == 1 - *null {
                C::decode(value, cursor)
            } else {
                Err(cursor.corrupt("no such branch of a union"))
            }
        }
        Plan::Null => C::absent().ok_or_else(|| cursor.corrupt("null where a value is required")),
        value => C::decode(value, cursor),
    }
}

/// The writer's type is not one that can be read here.
pub(crate) fn unexpected(of: &Type, expected: &str, what: &'static str) -> SpecError {
    SpecError::corrupt(what, format!("a field of Avro type {} instead of {expected}", of.name()))
}

/// A plan that another codec made: cannot happen, and is no reason to panic.
pub(crate) fn foreign_plan(cursor: &Cursor<'_>) -> SpecError {
    cursor.corrupt("a plan for another type")
}

/// `int`.
pub(crate) struct Int;

impl FieldCodec for Int {
    type Value = i32;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        match of.shape {
            Shape::Int => Ok(Plan::Scalar),
            _ => Err(unexpected(of, "int", what)),
        }
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<i32, SpecError> {
        cursor.int()
    }

    fn encode(value: &i32, out: &mut Vec<u8>) {
        put_long(out, i64::from(*value));
    }
}

/// `long`.
pub(crate) struct Long;

impl FieldCodec for Long {
    type Value = i64;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        match of.shape {
            Shape::Int | Shape::Long => Ok(Plan::Scalar),
            _ => Err(unexpected(of, "long", what)),
        }
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<i64, SpecError> {
        cursor.long()
    }

    fn encode(value: &i64, out: &mut Vec<u8>) {
        put_long(out, *value);
    }
}

/// `string`.
pub(crate) struct Text;

impl FieldCodec for Text {
    type Value = String;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        bytes_or_string(of, "string", what)
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<String, SpecError> {
        cursor.text().map(ToOwned::to_owned)
    }

    fn encode(value: &String, out: &mut Vec<u8>) {
        put_bytes(out, value.as_bytes());
    }
}

/// `bytes`.
pub(crate) struct Bytes;

impl FieldCodec for Bytes {
    type Value = Vec<u8>;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        bytes_or_string(of, "bytes", what)
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<Vec<u8>, SpecError> {
        cursor.bytes().map(ToOwned::to_owned)
    }

    fn encode(value: &Vec<u8>, out: &mut Vec<u8>) {
        put_bytes(out, value);
    }
}

/// `bytes` that hold a serialized row.
pub(crate) struct Row;

impl FieldCodec for Row {
    type Value = BinaryRow;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        bytes_or_string(of, "bytes", what)
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<BinaryRow, SpecError> {
        BinaryRow::from_serialized(cursor.bytes()?)
    }

    fn encode(value: &BinaryRow, out: &mut Vec<u8>) {
        put_bytes(out, &value.to_serialized());
    }
}

fn bytes_or_string(of: &Type, expected: &str, what: &'static str) -> Result<Plan, SpecError> {
    match of.shape {
        Shape::Bytes | Shape::String => Ok(Plan::Scalar),
        _ => Err(unexpected(of, expected, what)),
    }
}

/// `["null", T]`.
pub(crate) struct Nullable<C>(PhantomData<C>);

impl<C: FieldCodec> FieldCodec for Nullable<C> {
    type Value = Option<C::Value>;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        C::plan(of, what)
    }

    fn decode(plan: &Plan, cursor: &mut Cursor<'_>) -> Result<Self::Value, SpecError> {
        C::decode(plan, cursor).map(Some)
    }

    fn encode(value: &Self::Value, out: &mut Vec<u8>) {
        match value {
            None => put_long(out, 0),
            Some(value) => {
                put_long(out, 1);
                C::encode(value, out);
            }
        }
    }

    fn absent() -> Option<Self::Value> {
        Some(None)
    }
}

/// `["null", T]` that is never null.
pub(crate) struct Present<C>(PhantomData<C>);

impl<C: FieldCodec> FieldCodec for Present<C> {
    type Value = C::Value;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        C::plan(of, what)
    }

    fn decode(plan: &Plan, cursor: &mut Cursor<'_>) -> Result<Self::Value, SpecError> {
        C::decode(plan, cursor)
    }

    fn encode(value: &Self::Value, out: &mut Vec<u8>) {
        put_long(out, 1);
        C::encode(value, out);
    }
}

/// `["null", array]` of which null means no items.
pub(crate) struct ItemsOrNull<C>(PhantomData<C>);

impl<C: FieldCodec> FieldCodec for ItemsOrNull<C> {
    type Value = Vec<C::Value>;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        List::<C>::plan(of, what)
    }

    fn decode(plan: &Plan, cursor: &mut Cursor<'_>) -> Result<Self::Value, SpecError> {
        List::<C>::decode(plan, cursor)
    }

    fn encode(value: &Self::Value, out: &mut Vec<u8>) {
        Present::<List<C>>::encode(value, out);
    }

    fn absent() -> Option<Self::Value> {
        Some(Vec::new())
    }
}

/// `array`.
pub(crate) struct List<C>(PhantomData<C>);

impl<C: FieldCodec> FieldCodec for List<C> {
    type Value = Vec<C::Value>;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        let Shape::Array(item) = &of.shape else {
            return Err(unexpected(of, "array", what));
        };
        if item.is_zero_width() {
            return Err(unexpected(item, "an item with bytes", what));
        }
        Ok(Plan::List(Box::new(plan::<C>(item, what)?)))
    }

    fn decode(plan: &Plan, cursor: &mut Cursor<'_>) -> Result<Self::Value, SpecError> {
        let Plan::List(item) = plan else {
            return Err(foreign_plan(cursor));
        };
        let mut items = Vec::new();
        while let Some(block) = cursor.item_block()? {
            let before = cursor.remaining();
            items.reserve(usize::try_from(block.count.min(FIRST_ITEMS)).unwrap_or_default());
            // Each item takes a byte at least, so the input's end bounds the loop.
            for _ in 0..block.count {
                items.push(decode::<C>(item, cursor)?);
            }
            if block.bytes.is_some_and(|bytes| before - cursor.remaining() != bytes) {
                return Err(cursor.corrupt("an array block of another size than it says"));
            }
        }
        Ok(items)
    }

    fn encode(value: &Self::Value, out: &mut Vec<u8>) {
        if !value.is_empty() {
            put_length(out, value.len());
            for item in value {
                C::encode(item, out);
            }
        }
        put_long(out, 0);
    }
}

/// `_VERSION`: an `int` that must be `N`.
pub(crate) struct Version<const N: i32>;

impl<const N: i32> FieldCodec for Version<N> {
    type Value = ();

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        Int::plan(of, what)
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<(), SpecError> {
        let version = cursor.int()?;
        if version == N {
            return Ok(());
        }
        Err(SpecError::Unsupported {
            what: format!("{} of version {version}", cursor.what()),
            reason: format!("only version {N} is known"),
        })
    }

    fn encode((): &(), out: &mut Vec<u8>) {
        put_long(out, i64::from(N));
    }
}

/// `_KIND`: 0 add, 1 delete.
pub(crate) struct Kind;

impl FieldCodec for Kind {
    type Value = EntryKind;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        Int::plan(of, what)
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<EntryKind, SpecError> {
        match cursor.long()? {
            0 => Ok(EntryKind::Add),
            1 => Ok(EntryKind::Delete),
            _ => Err(cursor.corrupt("a kind that is neither add nor delete")),
        }
    }

    fn encode(value: &EntryKind, out: &mut Vec<u8>) {
        match value {
            EntryKind::Add => put_long(out, 0),
            EntryKind::Delete => put_long(out, 1),
        }
    }
}

/// `_FILE_SOURCE`: 0 append, 1 compact.
pub(crate) struct Source;

impl FieldCodec for Source {
    type Value = FileSource;

    fn plan(of: &Type, what: &'static str) -> Result<Plan, SpecError> {
        Int::plan(of, what)
    }

    fn decode(_: &Plan, cursor: &mut Cursor<'_>) -> Result<FileSource, SpecError> {
        match cursor.long()? {
            0 => Ok(FileSource::Append),
            1 => Ok(FileSource::Compact),
            _ => Err(cursor.corrupt("a file source that is neither append nor compact")),
        }
    }

    fn encode(value: &FileSource, out: &mut Vec<u8>) {
        match value {
            FileSource::Append => put_long(out, 0),
            FileSource::Compact => put_long(out, 1),
        }
    }
}
