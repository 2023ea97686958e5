//! Waiting is watching: whoever waits for an answer reads the run until it is decided (DESIGN §3).

use domain::run::Run;
use domain::signup::RunId;
use domain::units::{Millis, Timestamp};

use crate::ports::{Clock, Runs, Stage, StoreError};

/// Time between two looks.
const POLL_EVERY: Millis = Millis(15);

/// What a watcher saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The run is decided, for good or for now.
    Decided(Box<Run>),
    /// Nothing was decided in time.
    Undecided,
}

/// Looks at a run until it has a decision or the time is over. A provisional decision counts: it is what is known.
///
/// # Errors
/// Passes on what the store says when it cannot be read.
pub async fn watch(runs: &dyn Runs, clock: &dyn Clock, id: &RunId, until: Timestamp) -> Result<Watched, StoreError> {
    loop {
        if let Some(stored) = runs.read_run(id).await? {
            let is_final = matches!(stored.stage, Stage::Decided | Stage::Done);
            if is_final || stored.run.decision().is_some() {
                return Ok(Watched::Decided(Box::new(stored.run)));
            }
        }
        if clock.now().after(POLL_EVERY) > until {
            return Ok(Watched::Undecided);
        }
        tokio::time::sleep(POLL_EVERY.to_std()).await;
    }
}
