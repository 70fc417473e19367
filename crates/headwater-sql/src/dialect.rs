//! What the tokenizer and the query parser accept: standard SQL with backtick and double quotes.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

use crate::functions::syntax;

/// Flink's quoting with the query forms of DataFusion's own dialect.
///
/// Leaves out the forms that would change what a text means: comments that run as code, and words
/// of other systems that swallow a following clause.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct HeadwaterDialect;

/// Features that are simply on.
macro_rules! allow {
    ($($feature:ident),* $(,)?) => { $(fn $feature(&self) -> bool { true })* };
}

impl Dialect for HeadwaterDialect {
    // Several parser rules ask for the generic dialect by its type instead of by feature.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        syntax::parse_prefix(parser)
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        syntax::parse_infix(self, parser, expr, precedence)
    }

    allow!(
        supports_unicode_string_literal,
        supports_group_by_expr,
        supports_group_by_with_modifier,
        supports_left_associative_joins_without_parens,
        supports_window_function_null_treatment_arg,
        supports_dictionary_syntax,
        supports_window_clause_named_window_reference,
        supports_select_wildcard_except,
        support_map_literal_syntax,
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_extract_comma_syntax,
        supports_parens_around_table_factor,
        supports_values_as_table_factor,
        supports_explain_with_utility_options,
        supports_from_first_select,
        supports_try_convert,
        supports_bitwise_shift_operators,
        supports_struct_literal,
        supports_nested_comments,
        supports_string_escape_constant,
        supports_array_typedef_with_brackets,
        supports_filter_during_aggregation,
        supports_select_wildcard_exclude,
        supports_select_wildcard_replace,
        supports_comma_separated_trim,
    );
}
