//! DataFusion as a session uses it: settings, memory, disk.

use std::sync::Arc;

use datafusion::execution::FunctionRegistry;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use headwater::io::ScratchDir;

use super::catalogs::DEFAULT_DATABASE;
use crate::error::SqlError;
use crate::floats::FloatsStayFloats;
use crate::names::CATALOG;
use crate::sample;

/// Rows of a row group in a Parquet file that COPY writes, which it holds in memory.
fn copy_row_group_rows(memory_bytes: usize) -> usize {
    (memory_bytes / 512).clamp(8_192, 131_072)
}

/// The state that a session starts with; queries spill to `scratch`.
pub(super) fn session_state(
    memory_bytes: usize,
    threads: usize,
    scratch: Option<&ScratchDir>,
) -> Result<SessionState, SqlError> {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_default_catalog_and_schema(CATALOG, DEFAULT_DATABASE)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = config.options_mut();
    // Names keep their case, as in Flink; texts stay plain strings; 1.5 is a DECIMAL.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.collect_spans = true;
    options.execution.parquet.schema_force_view_types = false;
    options.execution.parquet.max_row_group_size = copy_row_group_rows(memory_bytes);
    // Not anywhere else: the user may have said where.
    let spills = match scratch {
        Some(dir) => DiskManagerMode::Directories(vec![dir.path().to_owned()]),
        None => DiskManagerMode::Disabled,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(spills))
        .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
        // A remembered listing would hide files that came since.
        .with_object_list_cache_limit(0)
        .build_arc()?;
    let local = ObjectStoreUrl::local_filesystem();
    runtime.register_object_store(local.as_ref(), headwater::io::local_object_store());
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    state.register_expr_planner(Arc::new(FloatsStayFloats)).map_err(SqlError::from_datafusion)?;
    state.register_udtf(sample::NAME, Arc::new(sample::SampleOrders));
    Ok(state)
}
