//! Arrays: what ARRAY_... functions, CARDINALITY and ELEMENT do. Elements are compared by value; null
//! is equal to null.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, StringArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::{DataType as Arrow, Field};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;

use super::call::{Call, Param, Spec, returns};
use super::cast::range;
use super::conditional::common_of;
use super::types::name_of;

use Param::{Any, Bool, List, Long, Text};

/// Name of `array[index]` in a rewritten query.
pub(super) const ELEMENT_AT: &str = "$element_at";

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&["array_append"], &[List, Any], returns::first, |c| {
        with_lists(c, |lists, row| Ok(Some(lists.of(0, row).chain([(1, row)]).collect())))
    })
    .nulls()
    .unify(with_element),
    Spec::new(&["array_prepend"], &[List, Any], returns::first, |c| {
        with_lists(c, |lists, row| {
            Ok(Some(std::iter::once((1, row)).chain(lists.of(0, row)).collect()))
        })
    })
    .nulls()
    .unify(with_element),
    Spec::new(&["array_concat"], &[List], returns::first, |c| {
        with_lists(c, |lists, row| {
            Ok(Some((0..c.count()).flat_map(|at| lists.of(at, row)).collect()))
        })
    })
    .variadic()
    .unify(super::conditional::common_all),
    Spec::new(&["array_contains"], &[List, Any], returns::bool, |c| {
        let lists = Lists::new(c)?;
        let rows = c.each(|row| {
            if c.arg(0)?.is_null(row) {
                return Ok(None);
            }
            Ok(Some(lists.of(0, row).any(|place| lists.equal(place, (1, row)))))
        })?;
        Ok(Arc::new(BooleanArray::from(rows)))
    })
    .nulls()
    .unify(with_element),
    Spec::new(&["array_position"], &[List, Any], returns::int, |c| {
        let lists = Lists::new(c)?;
        let rows = c.strict(|row| {
            let at = lists.of(0, row).position(|place| lists.equal(place, (1, row)));
            Ok(Some(at.map_or(0, |at| to_int(at + 1))))
        })?;
        Ok(Arc::new(Int32Array::from(rows)))
    })
    .nulls()
    .unify(with_element),
    Spec::new(&["array_remove"], &[List, Any], returns::first, |c| {
        with_lists(c, |lists, row| {
            Ok(Some(lists.of(0, row).filter(|place| !lists.equal(*place, (1, row))).collect()))
        })
    })
    .nulls()
    .unify(with_element),
    Spec::new(&["array_distinct"], &[List], returns::first, |c| {
        with_lists(c, |lists, row| Ok(Some(lists.distinct(lists.of(0, row), |_| true))))
    }),
    Spec::new(&["array_union"], &[List, List], returns::first, |c| {
        with_lists(c, |lists, row| {
            Ok(Some(lists.distinct(lists.of(0, row).chain(lists.of(1, row)), |_| true)))
        })
    })
    .unify(super::conditional::common_all),
    Spec::new(&["array_except"], &[List, List], returns::first, |c| {
        with_lists(c, |lists, row| {
            let others: HashSet<&[u8]> = lists.of(1, row).map(|p| lists.bytes(p)).collect();
            Ok(Some(lists.distinct(lists.of(0, row), |bytes| !others.contains(bytes))))
        })
    })
    .unify(super::conditional::common_all),
    Spec::new(&["array_intersect"], &[List, List], returns::first, |c| {
        with_lists(c, |lists, row| {
            let others: HashSet<&[u8]> = lists.of(1, row).map(|p| lists.bytes(p)).collect();
            Ok(Some(lists.distinct(lists.of(0, row), |bytes| others.contains(bytes))))
        })
    })
    .unify(super::conditional::common_all),
    Spec::new(&["array_reverse"], &[List], returns::first, |c| {
        with_lists(c, |lists, row| {
            let mut places: Vec<_> = lists.of(0, row).collect();
            places.reverse();
            Ok(Some(places))
        })
    }),
    Spec::new(&["array_slice"], &[List, Long, Long], returns::first, |c| {
        let from = c.long(1)?;
        let to = if c.count() == 3 { Some(c.long(2)?) } else { None };
        with_lists(c, |lists, row| {
            if c.any_null(row) {
                return Ok(None);
            }
            let places: Vec<_> = lists.of(0, row).collect();
            let (start, end) = slice(places.len(), from.value(row), to.map(|t| t.value(row)));
            Ok(Some(places.into_iter().take(end).skip(start).collect()))
        })
    })
    .required(2),
    Spec::new(&["array_sort"], &[List, Bool, Bool], returns::first, array_sort)
        .required(1)
        .unify(comparable),
    Spec::new(&["array_max"], &[List], element_type, |c| extreme(c, true)).unify(comparable),
    Spec::new(&["array_min"], &[List], element_type, |c| extreme(c, false)).unify(comparable),
    Spec::new(&["array_join"], &[List, Text, Text], returns::text, array_join)
        .required(2)
        .nulls()
        .unify(|types| match types.first() {
            Some(Arrow::List(e)) if matches!(e.data_type(), Arrow::Utf8 | Arrow::Null) => {
                let mut types = types.to_vec();
                let texts = Arc::new(Field::new_list_field(Arrow::Utf8, true));
                if let Some(first) = types.first_mut() {
                    *first = Arrow::List(texts);
                }
                Ok(types)
            }
            Some(other) => plan_err!(
                "ARRAY_JOIN: argument 1 must be an ARRAY of texts, not {}; use CAST",
                name_of(other)
            ),
            None => plan_err!("ARRAY_JOIN takes 2 to 3 arguments"),
        }),
    Spec::new(&["element"], &[List], element_type, |c| {
        let lists = Lists::new(c)?;
        let places = c.strict(|row| {
            let mut places = lists.of(0, row);
            match (places.next(), places.next()) {
                (place, None) => Ok(place),
                (_, Some(_)) => c.fail("the array has more than one element"),
            }
        })?;
        lists.pick(&places, c.result.data_type())
    }),
    Spec::new(&[ELEMENT_AT], &[List, Long], element_type, |c| {
        let (lists, indexes) = (Lists::new(c)?, c.long(1)?);
        let places = c.strict(|row| match usize::try_from(indexes.value(row)) {
            Ok(index @ 1..) => Ok(lists.of(0, row).nth(index - 1)),
            _ => c.fail(format!("positions start at 1, and {} is none", indexes.value(row))),
        })?;
        lists.pick(&places, c.result.data_type())
    }),
    Spec::new(&["cardinality"], &[Any], returns::int, |c| {
        let array = c.arg(0)?;
        let rows = match array.data_type() {
            Arrow::List(_) => {
                let offsets = array.as_list::<i32>().value_offsets();
                c.strict(|row| Ok(Some(to_int(range(offsets, row).len()))))?
            }
            Arrow::Map(..) => {
                let offsets = array.as_map().value_offsets();
                c.strict(|row| Ok(Some(to_int(range(offsets, row).len()))))?
            }
            other => return c.fail(format!("{} has no elements", name_of(other))),
        };
        Ok(Arc::new(Int32Array::from(rows)))
    })
    .total(),
    Spec::new(&["split"], &[Text, Text], text_list, |c| {
        let (texts, separators) = (c.text(0)?, c.text(1)?);
        let mut builder = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
        for row in 0..c.rows {
            if c.any_null(row) {
                builder.append(false);
                continue;
            }
            let (text, separator) = (texts.value(row), separators.value(row));
            if text.is_empty() {
            } else if separator.is_empty() {
                text.chars().for_each(|ch| builder.values().append_value(ch.to_string()));
            } else {
                text.split(separator).for_each(|part| builder.values().append_value(part));
            }
            builder.append(true);
        }
        Ok(Arc::new(builder.finish()))
    })
    .nulls()
    .total(),
];

fn to_int(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn text_list(_: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    Ok(Arrow::List(Arc::new(Field::new_list_field(Arrow::Utf8, true))))
}

fn element_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    match types.first() {
        Some(Arrow::List(element)) => Ok(element.data_type().clone()),
        _ => Ok(Arrow::Null),
    }
}

/// An array and a value for its elements: the value may widen them, but not change their kind.
fn with_element(types: &[Arrow]) -> Result<Vec<Arrow>> {
    let [Arrow::List(element), value] = types else {
        return plan_err!("an ARRAY and a value are needed");
    };
    let given = element.data_type();
    let changes = given.is_integer() && !value.is_integer() && *value != Arrow::Null;
    match common_of(given, value) {
        Some(common) if !changes => {
            Ok(vec![Arrow::List(Arc::new(Field::new_list_field(common.clone(), true))), common])
        }
        _ => plan_err!(
            "{} cannot be an element of {}; use CAST",
            name_of(value),
            name_of(&Arrow::List(Arc::clone(element)))
        ),
    }
}

fn comparable(types: &[Arrow]) -> Result<Vec<Arrow>> {
    match types.first() {
        Some(Arrow::List(e)) if e.data_type().is_nested() => {
            plan_err!("elements of type {} have no order", name_of(e.data_type()))
        }
        _ => Ok(types.to_vec()),
    }
}

/// Positions from 1, from the end when negative, 0 as 1; `start..end` from 0.
fn slice(length: usize, from: i64, to: Option<i64>) -> (usize, usize) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    // Position 0, also when it is counted from the end, is the first.
    let place = |at: i64| match if at < 0 { length.saturating_add(at) + 1 } else { at } {
        0 => 1,
        at => at,
    };
    let start = place(from).max(1);
    let end = to.map_or(length, place).clamp(0, length);
    (usize::try_from(start - 1).unwrap_or(usize::MAX), usize::try_from(end).unwrap_or(0))
}

/// An element: which argument, and its position among the argument's elements (or rows).
type Place = (usize, usize);

/// The arguments of a call: elements of arrays, and values.
struct Lists<'a> {
    lists: Vec<Option<&'a ListArray>>,
    values: Vec<ArrayRef>,
    /// Encoded so that equal values have equal bytes.
    encoded: Vec<Rows>,
}

impl<'a> Lists<'a> {
    fn new(call: &'a Call<'_>) -> Result<Self> {
        Self::sorted(call, SortOptions::default())
    }

    /// Arguments that are no elements (such as a position) are left out.
    fn sorted(call: &'a Call<'_>, options: SortOptions) -> Result<Self> {
        let first = call.list(0)?;
        let element = first.value_type();
        let converter =
            RowConverter::new(vec![SortField::new_with_options(element.clone(), options)])?;
        let mut all = Self { lists: Vec::new(), values: Vec::new(), encoded: Vec::new() };
        for array in &call.args {
            let (list, values) = match array.as_list_opt::<i32>() {
                Some(list) if list.value_type() == element => {
                    (Some(list), Arc::clone(list.values()))
                }
                _ if *array.data_type() == element => (None, Arc::clone(array)),
                _ => continue,
            };
            all.encoded.push(converter.convert_columns(std::slice::from_ref(&values))?);
            all.lists.push(list);
            all.values.push(values);
        }
        Ok(all)
    }

    /// The elements of an argument in a row.
    fn of(&self, argument: usize, row: usize) -> impl DoubleEndedIterator<Item = Place> + use<'a> {
        let places = match self.lists.get(argument).copied().flatten() {
            Some(list) if list.is_valid(row) => range(list.value_offsets(), row),
            _ => 0..0,
        };
        places.map(move |at| (argument, at))
    }

    fn bytes(&self, (argument, at): Place) -> &[u8] {
        match self.encoded.get(argument) {
            Some(rows) if at < rows.num_rows() => rows.row(at).data(),
            _ => &[],
        }
    }

    fn is_null(&self, (argument, at): Place) -> bool {
        self.values.get(argument).is_none_or(|values| values.is_null(at))
    }

    fn equal(&self, a: Place, b: Place) -> bool {
        self.bytes(a) == self.bytes(b)
    }

    /// The first of equal elements that are wanted.
    fn distinct(
        &self,
        places: impl Iterator<Item = Place>,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Vec<Place> {
        let mut seen = HashSet::new();
        places.filter(|p| wanted(self.bytes(*p)) && seen.insert(self.bytes(*p))).collect()
    }

    /// The values at these places; null without one.
    fn pick(&self, places: &[Option<Place>], element: &Arrow) -> Result<ArrayRef> {
        if places.is_empty() {
            return Ok(new_null_array(element, 0));
        }
        let null = new_null_array(element, 1);
        let mut sources: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        sources.push(null.as_ref());
        let none = (sources.len() - 1, 0);
        let places: Vec<Place> = places.iter().map(|p| p.unwrap_or(none)).collect();
        Ok(interleave(&sources, &places)?)
    }
}

/// An array for each row from places in the arguments; null where the first array is.
fn with_lists(
    call: &Call<'_>,
    f: impl Fn(&Lists<'_>, usize) -> Result<Option<Vec<Place>>>,
) -> Result<ArrayRef> {
    let lists = Lists::new(call)?;
    let arrays: Vec<&ArrayRef> =
        call.args.iter().filter(|a| matches!(a.data_type(), Arrow::List(_))).collect();
    let mut places = Vec::new();
    let mut lengths = Vec::with_capacity(call.rows);
    let mut valid = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let found = if arrays.iter().any(|a| a.is_null(row)) { None } else { f(&lists, row)? };
        valid.push(found.is_some());
        lengths.push(found.as_ref().map_or(0, Vec::len));
        places.extend(found.into_iter().flatten().map(Some));
    }
    let element = call.list(0)?.value_type();
    let values = lists.pick(&places, &element)?;
    list_of(call, values, lengths, valid)
}

fn list_of(
    call: &Call<'_>,
    values: ArrayRef,
    lengths: Vec<usize>,
    valid: Vec<bool>,
) -> Result<ArrayRef> {
    let Arrow::List(field) = call.result.data_type() else {
        return call.fail("the result is no ARRAY");
    };
    let offsets = OffsetBuffer::from_lengths(lengths);
    let field = Arc::new(field.as_ref().clone().with_nullable(true));
    let list = ListArray::try_new(field, offsets, values, Some(NullBuffer::from(valid)))?;
    Ok(arrow::compute::cast(&list, call.result.data_type())?)
}

/// The constant of an argument for the order, or `otherwise`.
fn flag(call: &Call<'_>, at: usize, row: usize, otherwise: bool) -> Result<bool> {
    Ok(if at < call.count() { call.bool(at)?.value(row) } else { otherwise })
}

/// Nulls come first when ascending, last when descending, unless the third argument says.
fn array_sort(call: &Call<'_>) -> Result<ArrayRef> {
    with_lists(call, |lists, row| {
        if call.any_null(row) {
            return Ok(None);
        }
        let ascending = flag(call, 1, row, true)?;
        let nulls_first = flag(call, 2, row, ascending)?;
        let (nulls, mut values): (Vec<Place>, Vec<Place>) =
            lists.of(0, row).partition(|place| lists.is_null(*place));
        values.sort_by(|a, b| lists.bytes(*a).cmp(lists.bytes(*b)));
        if !ascending {
            values.reverse();
        }
        Ok(Some(if nulls_first {
            nulls.into_iter().chain(values).collect()
        } else {
            values.into_iter().chain(nulls).collect()
        }))
    })
}

/// Of the elements that are not null.
fn extreme(call: &Call<'_>, largest: bool) -> Result<ArrayRef> {
    let lists = Lists::new(call)?;
    let places = call.strict(|row| {
        let places = lists.of(0, row).filter(|place| !lists.is_null(*place));
        Ok(if largest {
            places.max_by(|a, b| lists.bytes(*a).cmp(lists.bytes(*b)))
        } else {
            places.min_by(|a, b| lists.bytes(*a).cmp(lists.bytes(*b)))
        })
    })?;
    lists.pick(&places, call.result.data_type())
}

/// Nulls are left out, or written as the third argument.
fn array_join(call: &Call<'_>) -> Result<ArrayRef> {
    let (list, separators) = (call.list(0)?, call.text(1)?);
    let texts = list.values().as_string::<i32>();
    let nulls = if call.count() == 3 { Some(call.text(2)?) } else { None };
    let rows = call.strict(|row| {
        let elements = range(list.value_offsets(), row).filter_map(|at| {
            if texts.is_valid(at) { Some(texts.value(at)) } else { nulls.map(|n| n.value(row)) }
        });
        Ok(Some(elements.collect::<Vec<_>>().join(separators.value(row))))
    })?;
    Ok(Arc::new(StringArray::from(rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_count_from_one_and_from_the_end() {
        for (from, to, part) in [
            (2, None, (1, 4)),
            (-2, None, (2, 4)),
            (-3, Some(-2), (1, 3)),
            (0, Some(0), (0, 1)),
            (2, Some(10), (1, 4)),
            (-10, Some(-9), (0, 0)),
            (1, Some(-5), (0, 1)),
        ] {
            assert_eq!(slice(4, from, to), part, "{from} {to:?}");
        }
        assert_eq!(slice(4, i64::MIN, Some(i64::MIN)), (0, 0));
    }
}
