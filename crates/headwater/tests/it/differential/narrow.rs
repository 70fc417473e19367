//! Reads of some columns, of no column, and with filters give what they should of a whole read.

use headwater::spec::row::arrow::datum_at;
use headwater::{Datum, Op, Predicate, ReadBuilder, Table};

type Row = Vec<Option<Datum>>;

/// What is wrong with narrow reads of the table, if anything. A third of the columns, which ones
/// depends on `turn`, is filtered by.
pub(super) async fn check(table: &Table, turn: usize) -> Result<(), String> {
    let width = table.row_type().fields.len();
    let all: Vec<usize> = (0..width).collect();
    let full = rows(&table.new_read(), table, &all).await?;
    // Files that need no merge are read one by one where nobody asks for row kinds.
    let with_kinds = rows(&table.new_read().with_row_kind(), table, &all).await?;
    if sorted(with_kinds) != sorted(full.clone()) {
        return Err("a read with row kinds has other rows".to_owned());
    }
    // Each column alone, all but one, and none.
    let alone = all.iter().map(|c| vec![*c]);
    let without = all.iter().map(|c| all.iter().filter(|d| *d != c).copied().collect());
    for columns in alone.chain(without).chain([Vec::new()]) {
        let read = table.new_read().project(columns.clone()).map_err(text)?;
        let wanted = project(&full, &columns);
        let found = rows(&read, table, &columns).await?;
        if sorted(found.clone()) != sorted(wanted.clone()) {
            return Err(format!("columns {columns:?}: {found:?} instead of {wanted:?}"));
        }
    }
    // Filters that one of the rows, and that no row need pass.
    for column in all.iter().filter(|c| (*c + turn).is_multiple_of(3)) {
        let values = full.iter().filter_map(|row| row[*column].clone()).take(2);
        let equal = values.map(|v| Predicate::leaf(*column, Op::Eq, vec![v]));
        let null = [Op::IsNull, Op::IsNotNull].map(|op| Predicate::leaf(*column, op, Vec::new()));
        for predicate in equal.chain(null) {
            let passes = |row: &Row| predicate.matches(&|c| row[c].clone());
            let read = table.new_read().filter(predicate.clone()).map_err(text)?;
            let found = rows(&read, table, &all).await?.into_iter().filter(passes).collect();
            let wanted = full.iter().filter(|row| passes(row)).cloned().collect();
            if sorted(found) != sorted(wanted) {
                return Err(format!("a read with the filter {predicate:?} loses or invents rows"));
            }
        }
    }
    Ok(())
}

fn text(error: headwater::Error) -> String {
    error.to_string()
}

fn project(rows: &[Row], columns: &[usize]) -> Vec<Row> {
    rows.iter().map(|r| columns.iter().map(|c| r[*c].clone()).collect()).collect()
}

fn sorted(rows: Vec<Row>) -> Vec<String> {
    let mut lines: Vec<String> = rows.iter().map(|r| format!("{r:?}")).collect();
    lines.sort_unstable();
    lines
}

async fn rows(read: &ReadBuilder, table: &Table, columns: &[usize]) -> Result<Vec<Row>, String> {
    let exact = read.plan().await.map_err(text)?.exact_rows;
    let mut rows: Vec<Row> = Vec::new();
    for batch in read.collect().await.map_err(text)? {
        for i in 0..batch.num_rows() {
            let cell = |(at, column): (usize, &usize)| {
                let data_type = &table.row_type().fields[*column].data_type;
                datum_at(batch.column(at).as_ref(), i, data_type).unwrap()
            };
            rows.push(columns.iter().enumerate().map(cell).collect());
        }
    }
    let count = u64::try_from(rows.len()).unwrap();
    if exact.is_some_and(|exact| exact != count) {
        return Err(format!("the plan tells {exact:?} rows, {count} are read"));
    }
    Ok(rows)
}
