//! Random tables and commits against a map: what a read returns does not depend on how the rows
//! lie in files, on what is projected, or on what is pruned.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int8Array, RecordBatch};
use futures::TryStreamExt;
use headwater::io::{FileIo, MemoryFileIo, Pools};
use headwater::spec::row::arrow::{array_from_datums, datum_at};
use headwater::{DataType, Datum, NewTable, Op, Predicate, ReadBuilder, Table};
use headwater_testkit::amount;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError};

use crate::rows::run;
use crate::small::{create, env, open};

type Values = Vec<Option<Datum>>;

/// Types that columns have; each has few values, so that keys meet again.
const TYPES: [&str; 6] =
    ["INT", "STRING", "DECIMAL(10, 2)", "TIMESTAMP(3)", "BIGINT", "DECIMAL(25, 3)"];

fn value(type_index: usize, n: i64) -> Datum {
    let unscaled = i128::from(n) * 12_345 - 30_000;
    match type_index {
        0 => Datum::Int(i32::try_from(n).unwrap() - 4),
        // Longer than the statistics keep, and different only behind that.
        1 if n % 2 == 0 => Datum::String(format!("a value of some length {n}")),
        1 => Datum::String(format!("{n}é")),
        2 => Datum::Decimal { unscaled, precision: 10, scale: 2 },
        3 => Datum::Timestamp { millis: n * 86_400_123 - 200_000_000, nanos: 0 },
        4 => Datum::BigInt(n * 1_000_000_007 - 3),
        _ => Datum::Decimal { unscaled: unscaled * 1_000_000_000_000, precision: 25, scale: 3 },
    }
}

/// A table: key types, partition type, value types.
#[derive(Debug, Clone)]
struct Shape {
    keys: Vec<usize>,
    partition: Option<usize>,
    values: Vec<usize>,
    buckets: u32,
    is_keyed: bool,
    thin: bool,
    spills: bool,
}

impl Shape {
    fn types(&self) -> Vec<usize> {
        self.partition.iter().chain(&self.keys).chain(&self.values).copied().collect()
    }

    /// Columns of the primary key, the partition first.
    fn key_width(&self) -> usize {
        self.keys.len() + usize::from(self.partition.is_some())
    }

    fn definition(&self) -> NewTable {
        let mut table = NewTable::new();
        let mut names = Vec::new();
        for (i, t) in self.types().into_iter().enumerate() {
            let not_null = if self.is_keyed && i < self.key_width() { " NOT NULL" } else { "" };
            let data_type = DataType::parse(&format!("{}{not_null}", TYPES[t])).unwrap();
            names.push(format!("c{i}"));
            table = table.column(format!("c{i}"), data_type);
        }
        if self.partition.is_some() {
            table = table.partitioned_by(["c0"]);
        }
        let keys = &names[..self.key_width()];
        if self.is_keyed {
            table = table.primary_key(keys.to_vec());
        } else if self.buckets > 0 {
            let of_bucket = &keys[usize::from(self.partition.is_some())..];
            table = table.option("bucket-key", of_bucket.join(","));
        }
        let buckets = if self.buckets == 0 { "-1".to_owned() } else { self.buckets.to_string() };
        table
            .option("bucket", buckets)
            .option("dynamic-bucket.target-row-num", "3")
            .option("data-file.thin-mode", self.thin.to_string())
            // Every batch ends in files of its own, or is spilled until there is one file of all.
            .option("write-buffer-size", "1 b")
            .option("target-file-size", if self.spills { "1 gb" } else { "1 b" })
            .option("manifest.merge-min-count", "3")
            .option("source.split.target-size", "3 kb")
            .option("source.split.open-file-cost", "1 kb")
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let t = 0..TYPES.len();
    (
        proptest::collection::vec(t.clone(), 1..3),
        proptest::option::of(0..2_usize),
        proptest::collection::vec(t, 1..4),
        0..4_u32,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(keys, partition, values, buckets, is_keyed, thin, spills)| Shape {
            keys,
            partition,
            values,
            buckets,
            is_keyed,
            thin: thin && is_keyed,
            spills,
        })
}

/// A row: a number for each column (some become null where that is allowed), and a row kind.
type Numbers = (Vec<i64>, i8);

/// A condition of a filter: column, comparison, numbers of literals, whether or-ed with the next.
type Condition = (Index, Op, Vec<i64>, bool);

/// Commits of batches of rows.
fn commits() -> impl Strategy<Value = Vec<Vec<Vec<Numbers>>>> {
    // Most rows are few values apart: updates, deletes and equal statistics are common.
    let number = prop_oneof![4 => 0..5_i64, 1 => 0..12_i64];
    let row = (proptest::collection::vec(number, 6), prop_oneof![3 => Just(0_i8), 1 => 1..4_i8]);
    let batch = proptest::collection::vec(row, 1..12);
    proptest::collection::vec(proptest::collection::vec(batch, 1..3), 1..5)
}

fn filter() -> impl Strategy<Value = Vec<Condition>> {
    let op = prop_oneof![
        4 => Just(Op::Eq), 1 => Just(Op::Ne), 1 => Just(Op::Lt), 1 => Just(Op::Le),
        1 => Just(Op::Gt), 1 => Just(Op::Ge), 2 => Just(Op::In), 1 => Just(Op::NotIn),
        1 => Just(Op::IsNull), 1 => Just(Op::IsNotNull),
    ];
    let literals = proptest::collection::vec(0..7_i64, 1..4);
    proptest::collection::vec((any::<Index>(), op, literals, any::<bool>()), 1..4)
}

fn predicate(shape: &Shape, parts: &[Condition]) -> Predicate {
    let types = shape.types();
    let mut all: Vec<Predicate> = Vec::new();
    let mut or = false;
    for (column, op, literals, or_next) in parts {
        let column = column.index(types.len());
        let count = match op {
            Op::IsNull | Op::IsNotNull => 0,
            Op::In | Op::NotIn => literals.len(),
            _ => 1,
        };
        let literals: Vec<Datum> =
            literals.iter().take(count).map(|n| value(types[column], *n)).collect();
        let leaf = Predicate::leaf(column, *op, literals);
        match all.pop() {
            Some(last) if or => all.push(Predicate::Or(vec![last, leaf])),
            Some(last) => all.extend([last, leaf]),
            None => all.push(leaf),
        }
        or = *or_next;
    }
    Predicate::And(all)
}

fn row(shape: &Shape, numbers: &[i64]) -> Values {
    let nullable = |i: usize| !shape.is_keyed || i >= shape.key_width();
    shape
        .types()
        .iter()
        .zip(numbers)
        .enumerate()
        .map(|(i, (t, n))| (!(nullable(i) && *n == 4)).then(|| value(*t, *n)))
        .collect()
}

fn batch(table: &Table, rows: &[Values]) -> RecordBatch {
    let columns: Vec<ArrayRef> = (0..)
        .zip(&table.row_type().fields)
        .map(|(i, field): (usize, _)| {
            let values: Vec<_> = rows.iter().map(|r| r[i].clone()).collect();
            array_from_datums(&values, &field.data_type).unwrap()
        })
        .collect();
    RecordBatch::try_new(table.arrow_schema(), columns).unwrap()
}

/// Rows that reading `plan`'s splits gives, as values of the projected columns.
async fn rows_of(
    read: &ReadBuilder,
    table: &Table,
    columns: &[usize],
) -> (Vec<Values>, Option<u64>) {
    let plan = read.plan().await.unwrap();
    let mut rows = Vec::new();
    for split in &plan.splits {
        for batch in read.read(split).unwrap().try_collect::<Vec<_>>().await.unwrap() {
            assert_eq!(batch.schema(), read.schema());
            for i in 0..batch.num_rows() {
                let cell = |(at, column): (usize, &usize)| {
                    let data_type = &table.row_type().fields[*column].data_type;
                    datum_at(batch.column(at).as_ref(), i, data_type).unwrap()
                };
                rows.push(columns.iter().enumerate().map(cell).collect());
            }
        }
    }
    (rows, plan.exact_rows)
}

fn sorted(mut rows: Vec<Values>) -> Vec<String> {
    let mut lines: Vec<String> = rows.drain(..).map(|r| format!("{r:?}")).collect();
    lines.sort_unstable();
    lines
}

/// Writes the commits; the rows that must be there.
async fn write(table: &Table, shape: &Shape, commits: &[Vec<Vec<Numbers>>]) -> Vec<Values> {
    let mut map: BTreeMap<String, Values> = BTreeMap::new();
    let mut list = Vec::new();
    for (id, batches) in (1..).zip(commits) {
        let mut write = table.new_write().commit_user("p").build().unwrap();
        for numbers in batches {
            let rows: Vec<Values> = numbers.iter().map(|(n, _)| row(shape, n)).collect();
            let kinds: Vec<i8> =
                numbers.iter().map(|(_, k)| if shape.is_keyed { *k } else { 0 }).collect();
            let kinds = Int8Array::from(kinds);
            write.write_kinds(&batch(table, &rows), Some(&kinds)).await.unwrap();
            for (row, kind) in rows.into_iter().zip(kinds.values()) {
                if !shape.is_keyed {
                    list.push(row);
                    continue;
                }
                let key = format!("{:?}", &row[..shape.key_width()]);
                match kind {
                    0 | 2 => map.insert(key, row),
                    _ => map.remove(&key),
                };
            }
        }
        write.commit(id).await.unwrap();
    }
    list.extend(map.into_values());
    list
}

#[derive(Debug, Clone)]
struct Questions {
    projection: Vec<Index>,
    filters: Vec<Vec<Condition>>,
    limit: u64,
}

fn questions() -> impl Strategy<Value = Questions> {
    (
        proptest::collection::vec(any::<Index>(), 0..4),
        proptest::collection::vec(filter(), 6),
        0..12_u64,
    )
        .prop_map(|(projection, filters, limit)| Questions { projection, filters, limit })
}

async fn check(
    shape: Shape,
    commits: Vec<Vec<Vec<Numbers>>>,
    asked: Questions,
    pools: &Pools,
) -> Result<(usize, usize), TestCaseError> {
    let io: Arc<dyn FileIo> = Arc::new(MemoryFileIo::new());
    let env = env(pools, 1);
    create(&io, &env, &shape.definition()).await.unwrap();
    let table = open(&io, &env).await.unwrap();
    let model = write(&table, &shape, &commits).await;
    let width = shape.types().len();
    let all: Vec<usize> = (0..width).collect();

    // Merge on read equals the map.
    let (full, exact) = rows_of(&table.new_read(), &table, &all).await;
    prop_assert_eq!(sorted(full.clone()), sorted(model));
    let total = u64::try_from(full.len()).unwrap();
    prop_assert!(exact.is_none_or(|n| n == total), "{exact:?} rows instead of {total}");

    // A projection is the projected full scan; one of no column counts.
    let columns: Vec<usize> = asked.projection.iter().map(|i| i.index(width)).collect();
    let project = |rows: &[Values], columns: &[usize]| -> Vec<Values> {
        rows.iter().map(|r| columns.iter().map(|c| r[*c].clone()).collect()).collect()
    };
    let read = table.new_read().project(columns.clone()).unwrap();
    let (found, _) = rows_of(&read, &table, &columns).await;
    prop_assert_eq!(sorted(found), sorted(project(&full, &columns)), "{:?}", columns);

    // Pruning never loses a matching row, and never invents one.
    let (mut pruned, mut files) = (0, 0);
    for parts in &asked.filters {
        let predicate = predicate(&shape, parts);
        let keep = |rows: Vec<Values>| -> Vec<Values> {
            rows.into_iter().filter(|r| predicate.matches(&|c| r[c].clone())).collect()
        };
        let wanted = keep(full.clone());
        let read = table.new_read().filter(predicate.clone()).unwrap();
        let plan = read.plan().await.unwrap();
        pruned += plan.files_pruned;
        files += plan.files;
        let (found, exact) = rows_of(&read, &table, &all).await;
        let count = u64::try_from(wanted.len()).unwrap();
        prop_assert!(
            exact.is_none_or(|n| n == count),
            "{exact:?} rows, not {count}: {predicate:?}"
        );
        prop_assert_eq!(sorted(keep(found)), sorted(wanted.clone()), "{:?}", predicate);
        // With a projection that leaves out what is filtered by.
        let narrow = read.clone().project(columns.clone()).unwrap();
        let (some, _) = rows_of(&narrow, &table, &columns).await;
        let mut left = sorted(some);
        for row in sorted(project(&wanted, &columns)) {
            let at = left.binary_search(&row);
            prop_assert!(at.is_ok(), "{row} is lost: {predicate:?}");
            left.remove(at.unwrap());
        }
        let (limited, exact) = rows_of(&read.limit(asked.limit), &table, &all).await;
        let rows = u64::try_from(limited.len()).unwrap();
        prop_assert!(exact.is_none_or(|n| n == rows), "{exact:?} rows, {rows} read");
        let rows = u64::try_from(keep(limited).len()).unwrap();
        prop_assert!(rows >= asked.limit.min(count), "{rows} of {count}, limit {}", asked.limit);
    }
    let (limited, exact) = rows_of(&table.new_read().limit(asked.limit), &table, &all).await;
    let rows = u64::try_from(limited.len()).unwrap();
    prop_assert!(rows >= asked.limit.min(total), "{rows} of {total}, limit {}", asked.limit);
    prop_assert!(exact.is_none_or(|n| n == rows), "{exact:?} rows, {rows} read");
    Ok((pruned, files))
}

#[test]
fn reads_equal_a_map_whatever_is_projected_pruned_or_limited() {
    let cases = u32::try_from(amount(150, 5_000)).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let pools = Pools::new(2);
    let (pruned, files) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&(shape(), commits(), questions()), |(shape, commits, asked)| {
        let (p, f) = run(check(shape, commits, asked, &pools))?;
        pruned.set(pruned.get() + p);
        files.set(files.get() + f);
        Ok(())
    });
    println!("{} of {} files pruned in {cases} cases", pruned.get(), files.get());
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // A property of pruning means nothing where nothing is pruned.
    assert!(pruned.get() * 10 > files.get(), "{} of {}", pruned.get(), files.get());
}
