//! DataFusion's state for the settings of a session: whose functions it has, and in which zone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use datafusion::execution::SessionState;
use headwater::Env;

use super::lock;
use crate::error::SqlError;
use crate::functions::{Flavour, Zone, register};
use crate::settings;

/// Makes the state of a session, and keeps it until a setting asks for another.
pub(super) struct States {
    /// Memory, formats, DataFusion's functions.
    bare: SessionState,
    env: Env,
    newest: Mutex<Option<Made>>,
}

/// A state, and what it was made for.
struct Made {
    flavour: Flavour,
    zone: Zone,
    state: Arc<SessionState>,
}

impl States {
    pub(super) const fn new(bare: SessionState, env: Env) -> Self {
        Self { bare, env, newest: Mutex::new(None) }
    }

    /// The state for these settings; knows no table.
    pub(super) fn of(
        &self,
        settings: &BTreeMap<String, String>,
    ) -> Result<Arc<SessionState>, SqlError> {
        let flavour = settings::flavour(settings)?;
        let zone = settings::zone(settings)?;
        let mut newest = lock(&self.newest);
        if let Some(made) = newest.as_ref()
            && made.flavour == flavour
            && made.zone == zone
        {
            return Ok(Arc::clone(&made.state));
        }
        let state = Arc::new(register(self.bare.clone(), flavour, &zone, &self.env)?);
        *newest = Some(Made { flavour, zone, state: Arc::clone(&state) });
        Ok(state)
    }
}
