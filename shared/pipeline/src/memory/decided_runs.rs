use async_trait::async_trait;
use domain::signup::RunId;

use super::MemoryStore;
use crate::ports::{DecidedRun, DecidedRuns, Saved, Stage, StoreError};

#[async_trait]
impl DecidedRuns for MemoryStore {
    async fn decided_run(&self, id: &RunId) -> Result<Option<DecidedRun>, StoreError> {
        let state = self.state();
        Ok(state.runs.get(id).map(|item| DecidedRun { run: item.run.clone(), stage: item.stage, fence: item.fence }))
    }

    async fn amend_run(&self, run: &DecidedRun) -> Result<Saved, StoreError> {
        let mut state = self.state();
        let item = state.runs.get_mut(&run.run.id).filter(|item| item.stage == Stage::Done && item.fence == run.fence);
        let Some(item) = item else { return Ok(Saved::Conflict) };
        item.run = run.run.clone();
        item.fence += 1;
        Ok(Saved::Stored)
    }
}
