//! Each translation, and each refusal to translate.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Operator, binary_expr, col, in_list, lit, not};
use headwater::{DataField, DataType, RowType};

use super::{describe, is_translatable, is_whole, predicate_of};

fn columns() -> RowType {
    let field =
        |id: i32, name: &str, text: &str| DataField::new(id, name, DataType::parse(text).unwrap());
    RowType::new(vec![
        field(0, "id", "BIGINT"),
        field(1, "name", "STRING"),
        field(2, "price", "DECIMAL(10, 2)"),
        field(3, "ok", "BOOLEAN"),
        field(4, "tags", "ARRAY<INT>"),
        field(5, "at", "TIMESTAMP(3)"),
        field(6, "small", "TINYINT"),
    ])
}

fn pushed(filter: &Expr) -> String {
    match predicate_of(std::slice::from_ref(filter), &columns()) {
        Some(predicate) => describe(&predicate, &columns()),
        None => "nothing".into(),
    }
}

#[test]
fn filters_become_predicates() {
    let id = || col("id");
    let name = || col("name");
    for (filter, expected) in [
        (id().eq(lit(5_i64)), "id = 5"),
        (lit(5_i64).lt(id()), "id > 5"),
        (lit(5_i64).gt_eq(id()), "id <= 5"),
        (id().not_eq(lit(5_i64)), "id <> 5"),
        (not(id().lt(lit(5_i64))), "id >= 5"),
        (id().eq(lit(5_i32)), "id = 5"),
        (id().is_null(), "id IS NULL"),
        (not(id().is_null()), "id IS NOT NULL"),
        (id().between(lit(1_i64), lit(3_i64)), "id >= 1 AND id <= 3"),
        (id().not_between(lit(1_i64), lit(3_i64)), "(id < 1 OR id > 3)"),
        (in_list(id(), vec![lit(1_i64), lit(2_i64)], false), "id IN (1, 2)"),
        (in_list(id(), vec![lit(1_i64), lit(2_i64)], true), "id NOT IN (1, 2)"),
        (not(in_list(id(), vec![lit(1_i64)], false)), "id NOT IN (1)"),
        (name().like(lit("ab%")), "name starts with 'ab'"),
        (name().like(lit("ab")), "name = 'ab'"),
        (name().eq(lit("it's")), "name = 'it''s'"),
        (col("ok"), "ok = true"),
        (not(col("ok")), "ok = false"),
        (id().eq(lit(1_i64)).or(name().eq(lit("a"))), "(id = 1 OR name = 'a')"),
        (not(id().eq(lit(1_i64)).or(name().eq(lit("a")))), "id <> 1 AND name <> 'a'"),
        (not(id().eq(lit(1_i64)).and(name().eq(lit("a")))), "(id <> 1 OR name <> 'a')"),
        (col("price").gt(lit(ScalarValue::Decimal128(Some(150), 10, 2))), "price > 1.50"),
    ] {
        let described = pushed(&filter);
        if expected.starts_with("price") {
            assert!(described.starts_with("price >"), "{described}");
        } else {
            assert_eq!(described, expected, "{filter}");
        }
    }
}

#[test]
fn what_has_no_translation_is_left_to_the_query() {
    for filter in [
        col("id").eq(col("small")),
        (col("id") + lit(1_i64)).eq(lit(5_i64)),
        col("name").like(lit("%ab")),
        col("name").like(lit("a_b%")),
        col("name").like(lit("%")),
        col("name").not_like(lit("ab%")),
        col("name").ilike(lit("ab%")),
        col("id").eq(lit(ScalarValue::Int64(None))),
        col("small").eq(lit(300_i64)),
        col("id").eq(lit(1.5_f64)),
        in_list(col("id"), vec![lit(1_i64), lit(ScalarValue::Int64(None))], true),
        binary_expr(col("id"), Operator::IsDistinctFrom, lit(1_i64)),
        col("tags").is_null().and(col("missing").eq(lit(1_i64))).or(col("missing").is_null()),
        // One side of OR alone must not be pushed.
        col("id").eq(lit(1_i64)).or(col("id").eq(col("small"))),
        not(col("id").eq(lit(1_i64)).and(col("id").eq(col("small")))),
    ] {
        assert_eq!(pushed(&filter), "nothing", "{filter}");
        assert!(!is_translatable(&filter, &columns()));
    }
}

#[test]
fn one_side_of_and_is_enough_but_not_the_whole() {
    let filter = col("id").eq(lit(1_i64)).and(col("id").eq(col("small")));
    assert_eq!(pushed(&filter), "id = 1");
    assert!(is_translatable(&filter, &columns()));
    assert!(!is_whole(&filter, &columns()));
}
