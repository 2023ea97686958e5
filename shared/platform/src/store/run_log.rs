use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use pipeline::ports::{RunLog, StoreError, StoredRun};

use super::item::{Item, Key, Reader, text};
use super::runs::stage_of;
use super::{DynamoStore, unavailable};
use crate::tables::{PARTITION_KEY, SORT_KEY, Table};

#[async_trait]
impl RunLog for DynamoStore {
    /// The one scan there is: nothing lists the runs, and no function has the right to.
    async fn each_run(&self, see: &mut (dyn FnMut(Result<StoredRun, StoreError>) + Send)) -> Result<(), StoreError> {
        let request = self.client.scan().table_name(self.tables.name_of(Table::Leads));
        let request = request.filter_expression("begins_with(#pk, :runs)").expression_attribute_names("#pk", PARTITION_KEY);
        let request = request.expression_attribute_values(":runs", text(&self.key(&["RUN", ""]).partition));
        let mut items = request.into_paginator().items().send();
        while let Some(item) = items.next().await {
            see(stored(&item.map_err(|error| unavailable("Scan", &error))?));
        }
        Ok(())
    }
}

fn stored(item: &Item) -> Result<StoredRun, StoreError> {
    let part = |name: &str| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned().unwrap_or_default();
    let key = Key { partition: part(PARTITION_KEY), sort: part(SORT_KEY) };
    let reader = Reader::of(&key, item)?;
    Ok(StoredRun { run: reader.document()?, stage: stage_of(&reader)? })
}
