use async_trait::async_trait;
use domain::run::Run;
use domain::signup::RunId;

use super::{Records, Runs, Saved, Stage, StoreError};

/// A run's log as it is read to be added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedRun {
    /// The log.
    pub run: Run,
    /// How far the run has come; only one that is done is added to.
    pub stage: Stage,
    /// Grows with every claim and every addition: who holds an older one adds nothing.
    pub fence: u64,
}

/// The logs of runs that are done, for whoever decides about their leads again.
#[async_trait]
pub trait DecidedRuns: Send + Sync {
    /// Reads the log of a run, whatever its stage; `None` where there is none.
    async fn decided_run(&self, id: &RunId) -> Result<Option<DecidedRun>, StoreError>;
    /// Stores the log of a run that is done. A conflict where it is not done, or somebody else has added to it since it was read.
    async fn amend_run(&self, run: &DecidedRun) -> Result<Saved, StoreError>;
}

/// What deciding again needs of the store: no ledger, no replies, no outbound state.
pub trait DecidedLeads: Runs + Records + DecidedRuns {}
impl<T: Runs + Records + DecidedRuns> DecidedLeads for T {}
