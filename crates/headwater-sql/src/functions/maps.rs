//! Maps and rows: `MAP[...]`, MAP_KEYS and its like, `ROW(...)`. Of entries with one key the last
//! counts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::interleave;
use arrow::datatypes::{DataType as Arrow, Field, Fields};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;

use super::call::{Call, Param, Spec, returns};
use super::cast::{map_type, range};
use super::conditional::{common_all, entry};

use Param::{Any, List, Map};

/// Name of `MAP[key, value, ...]` in a parsed query.
pub(crate) const MAP_OF: &str = "map[]";
/// Name of `map[key]` in a planned query.
pub(super) const VALUE_OF: &str = "$value_of";

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new(&[MAP_OF], &[Any], literal_type, |c| {
        let mut sources = Vec::new();
        for at in 0..c.count() {
            sources.push(Arc::clone(c.arg(at)?));
        }
        let (keys, values): (Vec<_>, Vec<_>) =
            sources.chunks(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?))).unzip();
        build(c, &keys, &values, |row| Ok(Some((0..keys.len()).map(|at| (at, row)).collect())))
    })
    .variadic()
    .nulls()
    .total()
    .unify(|types| {
        if !types.len().is_multiple_of(2) {
            return plan_err!("MAP takes keys and values by turns");
        }
        let keys: Vec<Arrow> = types.iter().step_by(2).cloned().collect();
        let values: Vec<Arrow> = types.iter().skip(1).step_by(2).cloned().collect();
        let pairs = common_all(&keys)?.into_iter().zip(common_all(&values)?);
        Ok(pairs.flat_map(|(key, value)| [key, value]).collect())
    }),
    Spec::new(&["map_keys"], &[Map], |t, _| list_type(t, true), |c| part(c, true)).total(),
    Spec::new(&["map_values"], &[Map], |t, _| list_type(t, false), |c| part(c, false)).total(),
    Spec::new(&["map_entries"], &[Map], entries_type, |c| {
        let map = c.map(0)?;
        let Arrow::List(field) = c.result.data_type() else {
            return c.fail("the result is no ARRAY");
        };
        let Arrow::Struct(fields) = field.data_type() else {
            return c.fail("the result is no ARRAY of rows");
        };
        let columns = vec![Arc::clone(map.keys()), Arc::clone(map.values())];
        let structs = StructArray::try_new(fields.clone(), columns, None)?;
        let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, Arc::new(structs), nulls)?))
    })
    .total(),
    Spec::new(&["map_from_arrays"], &[List, List], arrays_type, |c| {
        let (keys, values) = (c.list(0)?, c.list(1)?);
        build(c, &[keys.values()], &[values.values()], |row| {
            if c.any_null(row) {
                return Ok(None);
            }
            let (k, v) = (range(keys.value_offsets(), row), range(values.value_offsets(), row));
            if k.len() != v.len() {
                return c.fail(format!("there are {} keys, but {} values", k.len(), v.len()));
            }
            Ok(Some(k.zip(v).map(|(k, v)| Pair { key: (0, k), value: (0, v) }).collect()))
        })
    }),
    Spec::new(&["map_union"], &[Map], returns::first, |c| {
        let maps = (0..c.count()).map(|at| c.map(at)).collect::<Result<Vec<_>>>()?;
        let keys: Vec<_> = maps.iter().map(|map| map.keys()).collect();
        let values: Vec<_> = maps.iter().map(|map| map.values()).collect();
        build(c, &keys, &values, |row| {
            if c.any_null(row) {
                return Ok(None);
            }
            let pairs = maps.iter().enumerate().flat_map(|(at, map)| {
                range(map.value_offsets(), row).map(move |place| (at, place))
            });
            Ok(Some(pairs.collect()))
        })
    })
    .variadic()
    .unify(common_all),
    Spec::new(&[VALUE_OF], &[Map, Any], value_type, |c| {
        let (map, wanted) = (c.map(0)?, c.arg(1)?);
        let converter = RowConverter::new(vec![SortField::new(wanted.data_type().clone())])?;
        let keys = arrow::compute::cast(map.keys(), wanted.data_type())?;
        let keys = converter.convert_columns(&[keys])?;
        let needles = converter.convert_columns(std::slice::from_ref(wanted))?;
        let null = new_null_array(c.result.data_type(), 1);
        let places = c.strict(|row| {
            Ok(range(map.value_offsets(), row).find(|at| keys.row(*at) == needles.row(row)))
        })?;
        let places: Vec<_> = places.into_iter().map(|at| at.map_or((1, 0), |at| (0, at))).collect();
        if places.is_empty() {
            return Ok(new_null_array(c.result.data_type(), 0));
        }
        Ok(interleave(&[map.values().as_ref(), null.as_ref()], &places)?)
    })
    .unify(|types| match types {
        [map, key] => {
            let (wanted, _) = entry(map).unwrap_or((Arrow::Null, Arrow::Null));
            let common = common_all(&[wanted, key.clone()])?;
            Ok(std::iter::once(map.clone()).chain(common.into_iter().take(1)).collect())
        }
        _ => plan_err!("a MAP and a key are needed"),
    }),
    Spec::new(&["row"], &[Any], row_type, |c| {
        let Arrow::Struct(fields) = c.result.data_type() else {
            return c.fail("the result is no ROW");
        };
        let columns = (0..c.count()).map(|at| c.arg(at).cloned()).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
    })
    .variadic()
    .nulls()
    .total(),
];

/// Where a key and its value are: which source, and the position in it.
#[derive(Clone, Copy)]
struct Pair {
    key: (usize, usize),
    value: (usize, usize),
}

impl From<(usize, usize)> for Pair {
    fn from(place: (usize, usize)) -> Self {
        Self { key: place, value: place }
    }
}

/// A map for each row, with each key once: at its first place, with its last value.
fn build<P: Into<Pair>>(
    call: &Call<'_>,
    keys: &[&ArrayRef],
    values: &[&ArrayRef],
    f: impl Fn(usize) -> Result<Option<Vec<P>>>,
) -> Result<ArrayRef> {
    let result = call.result.data_type();
    let (Arrow::Map(field, _), Some((key_type, value_type))) = (result, entry(result)) else {
        return call.fail("the result is no MAP");
    };
    let converter = RowConverter::new(vec![SortField::new(key_type.clone())])?;
    let keys = keys.iter().map(|k| arrow::compute::cast(k, &key_type));
    let keys = keys.collect::<std::result::Result<Vec<_>, _>>()?;
    let values = values.iter().map(|v| arrow::compute::cast(v, &value_type));
    let values = values.collect::<std::result::Result<Vec<_>, _>>()?;
    let encoded = keys
        .iter()
        .map(|k| converter.convert_columns(std::slice::from_ref(k)))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let (mut key_places, mut value_places) = (Vec::new(), Vec::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        let pairs = f(row)?;
        valid.push(pairs.is_some());
        let mut entries = indexmap::IndexMap::new();
        for pair in pairs.into_iter().flatten() {
            let pair: Pair = pair.into();
            let (source, at) = pair.key;
            if keys.get(source).is_none_or(|keys| keys.is_null(at)) {
                return call.fail("a key is null");
            }
            if let Some(rows) = encoded.get(source) {
                entries.entry(rows.row(at)).or_insert(pair).value = pair.value;
            }
        }
        lengths.push(entries.len());
        for pair in entries.values() {
            key_places.push(pair.key);
            value_places.push(pair.value);
        }
    }
    let pick = |sources: &[ArrayRef], places: &[(usize, usize)], t: &Arrow| -> Result<ArrayRef> {
        if places.is_empty() {
            return Ok(new_null_array(t, 0));
        }
        let sources: Vec<&dyn Array> = sources.iter().map(AsRef::as_ref).collect();
        Ok(interleave(&sources, places)?)
    };
    let columns =
        vec![pick(&keys, &key_places, &key_type)?, pick(&values, &value_places, &value_type)?];
    let Arrow::Struct(fields) = field.data_type() else { return call.fail("the result is no MAP") };
    let structs = StructArray::try_new(fields.clone(), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = Some(NullBuffer::from(valid));
    Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, structs, nulls, false)?))
}

fn literal_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    match types {
        [key, value, ..] => Ok(map_type(key.clone(), value.clone())),
        _ => plan_err!("MAP takes keys and values by turns"),
    }
}

fn list_of(element: Arrow) -> Arrow {
    Arrow::List(Arc::new(Field::new_list_field(element, true)))
}

fn list_type(types: &[Arrow], keys: bool) -> Result<Arrow> {
    match types.first().and_then(entry) {
        Some((key, value)) => Ok(list_of(if keys { key } else { value })),
        None => plan_err!("the argument must be a MAP"),
    }
}

fn value_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    match types.first().and_then(entry) {
        Some((_, value)) => Ok(value),
        None => plan_err!("the argument must be a MAP"),
    }
}

fn entries_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    match types.first().and_then(entry) {
        Some((key, value)) => Ok(list_of(Arrow::Struct(Fields::from(vec![
            Field::new("key", key, true),
            Field::new("value", value, true),
        ])))),
        None => plan_err!("the argument must be a MAP"),
    }
}

fn arrays_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    match types {
        [Arrow::List(key), Arrow::List(value)] => {
            Ok(map_type(key.data_type().clone(), value.data_type().clone()))
        }
        _ => plan_err!("MAP_FROM_ARRAYS takes two ARRAYs"),
    }
}

fn row_type(types: &[Arrow], _: &[Option<&ScalarValue>]) -> Result<Arrow> {
    let fields = types.iter().enumerate();
    let fields = fields.map(|(at, t)| Field::new(format!("EXPR${at}"), t.clone(), true));
    Ok(Arrow::Struct(fields.collect()))
}

/// Keys or values of maps as arrays.
fn part(call: &Call<'_>, keys: bool) -> Result<ArrayRef> {
    let map = call.map(0)?;
    let values = Arc::clone(if keys { map.keys() } else { map.values() });
    let Arrow::List(field) = call.result.data_type() else {
        return call.fail("the result is no ARRAY");
    };
    let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls)?))
}
