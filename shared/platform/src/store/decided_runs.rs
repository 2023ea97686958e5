use async_trait::async_trait;
use domain::signup::RunId;
use pipeline::ports::{DecidedRun, DecidedRuns, Saved, StoreError};

use super::item::{Reader, document, number, text};
use super::runs::{DONE, stage_of};
use super::{DynamoStore, Effect, send_update};
use crate::tables::Table;

#[async_trait]
impl DecidedRuns for DynamoStore {
    async fn decided_run(&self, id: &RunId) -> Result<Option<DecidedRun>, StoreError> {
        let key = self.run_key(id);
        let Some(item) = self.get(self.tables.name_of(Table::Leads), &key).await? else { return Ok(None) };
        let reader = Reader::of(&key, &item)?;
        Ok(Some(DecidedRun { run: reader.document()?, stage: stage_of(&reader)?, fence: reader.number("fence")? }))
    }

    async fn amend_run(&self, run: &DecidedRun) -> Result<Saved, StoreError> {
        let key = self.run_key(&run.run.id);
        let update = self
            .update(self.tables.name_of(Table::Leads), &key)
            .update_expression("SET doc = :doc ADD fence :one")
            .condition_expression("fence = :fence AND stage = :done")
            .expression_attribute_values(":doc", document(&key, &run.run)?)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":fence", number(run.fence))
            .expression_attribute_values(":done", text(DONE));
        match send_update(update).await? {
            Effect::Took(_) => Ok(Saved::Stored),
            // A write that took effect and whose reply was lost looks the same: whoever reads again finds it done.
            Effect::Refused(_) => Ok(Saved::Conflict),
        }
    }
}
