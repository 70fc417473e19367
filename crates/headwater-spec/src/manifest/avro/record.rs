//! Codecs of structs: which field of the writer belongs to which field in memory.

use super::field::{Plan, Step};
use super::schema::{Shape, Type};
use crate::error::SpecError;

/// What a record of ours knows about one of its fields.
pub(crate) struct Known {
    /// Its name in files.
    pub(crate) name: &'static str,
    /// Whether a writer may leave it out.
    pub(crate) optional: bool,
    /// How it is decoded from the writer's type.
    pub(crate) plan: fn(&Type, &'static str) -> Result<Plan, SpecError>,
}

/// Matches the writer's fields with the known ones, by name.
pub(crate) fn record_plan(
    of: &Type,
    known: &[Known],
    what: &'static str,
) -> Result<Plan, SpecError> {
    let Shape::Record(fields) = &of.shape else {
        return Err(super::field::unexpected(of, "record", what));
    };
    let mut steps: Vec<Step> = Vec::with_capacity(fields.len());
    let mut seen = vec![false; known.len()];
    for field in fields {
        let slot = known.iter().position(|k| k.name == field.name);
        let found = slot.and_then(|slot| Some((slot, known.get(slot)?, seen.get_mut(slot)?)));
        let Some((slot, known, seen)) = found else {
            steps.push(Step::Skip(std::sync::Arc::clone(&field.of)));
            continue;
        };
        if std::mem::replace(seen, true) {
            let reason = format!("its Avro schema has field {} twice", known.name);
            return Err(SpecError::corrupt(what, reason));
        }
        let plan = (known.plan)(&field.of, what).map_err(|e| in_field(e, known.name))?;
        steps.push(Step::Read(slot, plan));
    }
    let missing = known.iter().zip(&seen).find(|(known, seen)| !known.optional && !**seen);
    if let Some((known, _)) = missing {
        let reason = format!("its Avro schema has no field {}", known.name);
        return Err(SpecError::corrupt(what, reason));
    }
    Ok(Plan::Record(steps))
}

fn in_field(error: SpecError, name: &str) -> SpecError {
    match error {
        SpecError::Corrupt { what, reason } => {
            SpecError::corrupt(what, format!("field {name}: {reason}"))
        }
        other => other,
    }
}

/// Makes a struct its own codec.
///
/// Lists the fields in the order in which they are written: number, stored name, field, codec.
/// A first line `check` is a field that files have and the struct has not.
macro_rules! avro_record {
    ($record:ty {
        $(check $check_slot:literal $check_name:literal: $check:ty,)?
        $($slot:literal $name:literal $field:ident: $codec:ty,)+
    }) => {
        impl $crate::manifest::avro::field::FieldCodec for $record {
            type Value = Self;

            fn plan(
                of: &$crate::manifest::avro::schema::Type,
                what: &'static str,
            ) -> Result<$crate::manifest::avro::field::Plan, $crate::error::SpecError> {
                use $crate::manifest::avro::{field, record};
                let known = [
                    $(record::Known {
                        name: $check_name,
                        optional: false,
                        plan: field::plan::<$check>,
                    },)?
                    $(record::Known {
                        name: $name,
                        optional: <$codec as field::FieldCodec>::absent().is_some(),
                        plan: field::plan::<$codec>,
                    },)+
                ];
                record::record_plan(of, &known, what)
            }

            fn decode(
                plan: &$crate::manifest::avro::field::Plan,
                cursor: &mut $crate::manifest::avro::cursor::Cursor<'_>,
            ) -> Result<Self, $crate::error::SpecError> {
                use $crate::manifest::avro::field;
                let field::Plan::Record(steps) = plan else {
                    return Err(field::foreign_plan(cursor));
                };
                $(let mut $field = <$codec as field::FieldCodec>::absent();)+
                for step in steps {
                    match step {
                        field::Step::Skip(of) => of.skip(cursor)?,
                        $(field::Step::Read($check_slot, plan) => {
                            field::decode::<$check>(plan, cursor)?;
                        })?
                        $(field::Step::Read($slot, plan) => {
                            $field = Some(field::decode::<$codec>(plan, cursor)?);
                        })+
                        field::Step::Read(..) => return Err(field::foreign_plan(cursor)),
                    }
                }
                Ok(Self {
                    $($field: $field.ok_or_else(|| field::foreign_plan(cursor))?,)+
                })
            }

            fn encode(value: &Self, out: &mut Vec<u8>) {
                use $crate::manifest::avro::field;
                $(<$check as field::FieldCodec>::encode(&(), out);)?
                $(<$codec as field::FieldCodec>::encode(&value.$field, out);)+
            }
        }
    };
}

pub(crate) use avro_record;
