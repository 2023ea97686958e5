use async_trait::async_trait;

use super::MemoryStore;
use crate::ports::{RunLog, StoreError, StoredRun};

#[async_trait]
impl RunLog for MemoryStore {
    async fn each_run(&self, see: &mut (dyn FnMut(Result<StoredRun, StoreError>) + Send)) -> Result<(), StoreError> {
        let runs: Vec<StoredRun> = self.state().runs.values().map(|item| StoredRun { run: item.run.clone(), stage: item.stage }).collect();
        runs.into_iter().for_each(|stored| see(Ok(stored)));
        Ok(())
    }
}
