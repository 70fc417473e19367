//! Which columns of CSV files a statement only stores or casts: they may stay texts.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};

use crate::functions::is_cast;
use crate::rewrite::FILE_CATALOG;

/// Columns by the path of their file.
pub(crate) type Columns = BTreeMap<String, BTreeSet<String>>;

/// What a statement does with the rows of its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// They are shown, or written to files: their types are the query's.
    Result,
    /// They are stored into columns that have types.
    Store,
}

/// The files' columns whose types do not matter to the statement.
pub(crate) fn text_columns(plan: &LogicalPlan, purpose: Purpose) -> Result<Columns> {
    let mut uses = Uses::default();
    let typed = vec![purpose == Purpose::Result; plan.schema().fields().len()];
    uses.walk(plan, &typed)?;
    let mut texts = uses.all;
    for (path, typed) in &uses.typed {
        if let Some(columns) = texts.get_mut(path) {
            columns.retain(|name| !typed.contains(name));
        }
    }
    texts.retain(|_, columns| !columns.is_empty());
    Ok(texts)
}

#[derive(Default)]
struct Uses {
    all: Columns,
    typed: Columns,
}

impl Uses {
    /// `typed`: for each column of the plan's result, whether its type matters above.
    fn walk(&mut self, plan: &LogicalPlan, typed: &[bool]) -> Result<()> {
        match plan {
            LogicalPlan::TableScan(scan) => {
                if scan.table_name.catalog() != Some(FILE_CATALOG) {
                    return Ok(());
                }
                let path = scan.table_name.table().to_owned();
                let all = self.all.entry(path.clone()).or_default();
                let of_path = self.typed.entry(path).or_default();
                for (at, field) in scan.projected_schema.fields().iter().enumerate() {
                    all.insert(field.name().clone());
                    if typed.get(at).copied().unwrap_or(true) {
                        of_path.insert(field.name().clone());
                    }
                }
                Ok(())
            }
            LogicalPlan::Projection(projection) => {
                let schema = projection.input.schema();
                let mut below = vec![false; schema.fields().len()];
                for (at, expr) in projection.expr.iter().enumerate() {
                    let above = typed.get(at).copied().unwrap_or(true);
                    match plain_column(expr) {
                        Some(column) => mark(schema, column, above, &mut below),
                        None => self.mark_expr(expr, schema, &mut below)?,
                    }
                }
                self.walk(&projection.input, &below)
            }
            LogicalPlan::SubqueryAlias(alias) => self.walk(&alias.input, typed),
            LogicalPlan::Limit(_) | LogicalPlan::Filter(_) | LogicalPlan::Sort(_) => {
                let Some(input) = plan.inputs().into_iter().next() else { return Ok(()) };
                let mut below = typed.to_vec();
                below.resize(input.schema().fields().len(), true);
                for expr in plan.expressions() {
                    self.mark_expr(&expr, input.schema(), &mut below)?;
                }
                self.walk(input, &below)
            }
            LogicalPlan::Join(join)
                if matches!(
                    join.join_type,
                    JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full
                ) =>
            {
                let left = join.left.schema().fields().len();
                let mut below = typed.to_vec();
                below.resize(left + join.right.schema().fields().len(), true);
                let both = join.left.schema().join(join.right.schema())?;
                for (a, b) in &join.on {
                    self.mark_expr(a, &both, &mut below)?;
                    self.mark_expr(b, &both, &mut below)?;
                }
                if let Some(filter) = &join.filter {
                    self.mark_expr(filter, &both, &mut below)?;
                }
                let (first, second) = below.split_at(left.min(below.len()));
                self.walk(&join.left, first)?;
                self.walk(&join.right, second)
            }
            LogicalPlan::Aggregate(aggregate) => {
                let schema = aggregate.input.schema();
                let mut below = vec![false; schema.fields().len()];
                for expr in aggregate.group_expr.iter().chain(&aggregate.aggr_expr) {
                    self.mark_expr(expr, schema, &mut below)?;
                }
                self.walk(&aggregate.input, &below)
            }
            other => {
                for expr in other.expressions() {
                    self.subqueries(&expr)?;
                }
                for input in other.inputs() {
                    self.walk(input, &vec![true; input.schema().fields().len()])?;
                }
                Ok(())
            }
        }
    }

    /// Marks the columns that an expression uses with their type.
    fn mark_expr(&mut self, expr: &Expr, schema: &DFSchema, below: &mut [bool]) -> Result<()> {
        let mut columns: Vec<Column> = Vec::new();
        expr.apply(|node| {
            Ok(match node {
                Expr::Cast(cast) if plain_column(&cast.expr).is_some() => TreeNodeRecursion::Jump,
                Expr::TryCast(cast) if plain_column(&cast.expr).is_some() => {
                    TreeNodeRecursion::Jump
                }
                Expr::ScalarFunction(call)
                    if is_cast(call.func.name())
                        && call.args.first().is_some_and(|arg| plain_column(arg).is_some()) =>
                {
                    TreeNodeRecursion::Jump
                }
                Expr::Column(column) => {
                    columns.push(column.clone());
                    TreeNodeRecursion::Continue
                }
                _ => TreeNodeRecursion::Continue,
            })
        })?;
        for column in &columns {
            mark(schema, column, true, below);
        }
        for column in self.subqueries(expr)? {
            mark(schema, &column, true, below);
        }
        Ok(())
    }

    /// Walks through the queries inside an expression; gives the outer columns that they use.
    fn subqueries(&mut self, expr: &Expr) -> Result<Vec<Column>> {
        let mut found: Vec<Subquery> = Vec::new();
        expr.apply(|node| {
            match node {
                Expr::Exists(exists) => found.push(exists.subquery.clone()),
                Expr::InSubquery(inside) => found.push(inside.subquery.clone()),
                Expr::ScalarSubquery(scalar) => found.push(scalar.clone()),
                Expr::SetComparison(set) => found.push(set.subquery.clone()),
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let mut outer = Vec::new();
        for subquery in found {
            let plan = &subquery.subquery;
            self.walk(plan, &vec![true; plan.schema().fields().len()])?;
            for expr in &subquery.outer_ref_columns {
                if let Expr::OuterReferenceColumn(_, column) = expr {
                    outer.push(column.clone());
                }
            }
        }
        Ok(outer)
    }
}

/// The column that an expression is, perhaps under another name.
fn plain_column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => plain_column(&alias.expr),
        _ => None,
    }
}

fn mark(schema: &DFSchema, column: &Column, typed: bool, below: &mut [bool]) {
    match schema.maybe_index_of_column(column) {
        Some(at) => {
            if let Some(mark) = below.get_mut(at) {
                *mark = *mark || typed;
            }
        }
        // Not to be found: nothing is safe.
        None => below.fill(true),
    }
}
