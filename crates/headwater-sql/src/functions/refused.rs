//! Functions of Flink that this version lacks: their names are taken, and a call says so.

use arrow::datatypes::DataType;
use datafusion::common::not_impl_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::table::{Status, TABLE, lacking};

#[derive(Debug, PartialEq, Eq, Hash)]
struct Refused {
    name: String,
    signature: Signature,
}

/// One for each name that is refused.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let mut names: Vec<String> = TABLE
        .iter()
        .filter(|entry| matches!(entry.status, Status::Lacking(_) | Status::TableApi))
        .flat_map(|entry| [entry.sql.to_ascii_lowercase(), entry.flink.to_ascii_lowercase()])
        .collect();
    names.sort();
    names.dedup();
    let signature = Signature::user_defined(Volatility::Immutable);
    let refused = |name| Refused { name, signature: signature.clone() };
    names.into_iter().map(|name| ScalarUDF::new_from_impl(refused(name))).collect()
}

impl Refused {
    fn refuse<T>(&self) -> Result<T> {
        not_impl_err!("{}", lacking(&self.name.to_uppercase()))
    }
}

impl ScalarUDFImpl for Refused {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        self.refuse()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        // The message of `return_type` comes without words about signatures.
        Ok(given.to_vec())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.refuse()
    }
}
