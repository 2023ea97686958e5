use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::paginator::QueryPaginatorItems;
use pipeline::ports::{Poison, PutAside, StoreError};

use super::item::{Item, Key, Reader, text};
use super::{DynamoStore, unavailable};
use crate::tables::{PARTITION_KEY, SORT_KEY, Table};

#[async_trait]
impl PutAside for DynamoStore {
    async fn put_aside_on(&self, day: &str) -> Result<Vec<Poison>, StoreError> {
        let partition = self.poison_key(day, "").partition;
        let mut items = self.query_partition(&partition).send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| unavailable("Query", &error))?;
            found.push(poison(&partition, &item)?);
        }
        Ok(found)
    }

    async fn forget_put_aside(&self, poison: &Poison) -> Result<(), StoreError> {
        let key = self.poison_key(&poison.at.day(), &poison.id);
        let request = self.client.delete_item().table_name(self.tables.name_of(Table::Leads)).set_key(Some(key.attributes()));
        request.send().await.map(drop).map_err(|error| unavailable("DeleteItem", &error))
    }
}

impl DynamoStore {
    pub(super) fn poison_key(&self, day: &str, id: &str) -> Key {
        self.key_with(&["POISON", day], id)
    }

    /// Every item of a partition, page by page.
    fn query_partition(&self, partition: &str) -> QueryPaginatorItems {
        let request = self.client.query().table_name(self.tables.name_of(Table::Leads)).consistent_read(true);
        let request = request.key_condition_expression("#pk = :pk").expression_attribute_names("#pk", PARTITION_KEY);
        request.expression_attribute_values(":pk", text(partition)).into_paginator().items()
    }
}

fn poison(partition: &str, item: &Item) -> Result<Poison, StoreError> {
    let id = item.get(SORT_KEY).and_then(|id| id.as_s().ok()).cloned().unwrap_or_default();
    let key = Key { partition: partition.to_owned(), sort: id };
    let reader = Reader::of(&key, item)?;
    Ok(Poison {
        queue: reader.text("queue")?.to_owned(),
        why: reader.text("why")?.to_owned(),
        body: reader.text("body")?.to_owned(),
        at: reader.moment("at")?,
        id: key.sort.clone(),
    })
}
