use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Put, ReturnValue, TransactWriteItem};
use domain::record::{Alias, Record, RecordId};
use futures::future::try_join_all;
use pipeline::ports::{Records, Saved, StoreError};

use super::item::{Item, Key, Reader, document, form, number, text};
use super::transaction::{Transacted, put_in_transaction};
use super::{DynamoStore, Effect, send_put, send_update};
use crate::tables::Table;

// An erased person's alias stays as a tombstone without `record_id`: it belongs to nobody, so nobody can take it.
const MAY_TAKE_ALIAS: &str = "attribute_not_exists(pk) OR record_id = :record";

#[async_trait]
impl Records for DynamoStore {
    async fn find_record(&self, aliases: &[Alias]) -> Result<Option<Record>, StoreError> {
        let owners = try_join_all(aliases.iter().map(|alias| self.owner_of(alias))).await?;
        for owner in owners.into_iter().flatten() {
            if let Some(record) = self.read_record(&owner).await? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    async fn read_record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        let key = self.record_key(id);
        let Some(item) = self.get(self.tables.name_of(Table::Leads), &key).await? else { return Ok(None) };
        let reader = Reader::of(&key, &item)?;
        let record: Record = reader.document()?;
        if record.version != reader.number::<u64>("version")? {
            return Err(reader.corrupt("attribute `version` and the document's version differ"));
        }
        Ok(Some(record))
    }

    async fn save_record(&self, record: &Record, aliases: &[Alias]) -> Result<Saved, StoreError> {
        let aliases: BTreeSet<&Alias> = aliases.iter().collect();
        if record.version == 1 { self.create_record(record, &aliases).await } else { self.replace_record(record, &aliases).await }
    }

    async fn next_turn(&self, pool: &str) -> Result<u64, StoreError> {
        let key = self.key(&["TURN", pool]);
        let update = self
            .update(self.tables.name_of(Table::Leads), &key)
            .update_expression("SET v = :v ADD turns :one")
            .expression_attribute_values(":v", form())
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let (Effect::Took(item) | Effect::Refused(item)) = send_update(update).await?;
        let turns: u64 = Reader::of(&key, &item)?.number("turns")?;
        Ok(turns.saturating_sub(1))
    }
}

impl DynamoStore {
    pub(super) fn record_key(&self, id: &RecordId) -> Key {
        self.key(&["REC", "lead", &id.0])
    }

    fn alias_key(&self, alias: &Alias) -> Key {
        self.key(&["KEY", &alias.kind, &alias.hash])
    }

    async fn owner_of(&self, alias: &Alias) -> Result<Option<RecordId>, StoreError> {
        let key = self.alias_key(alias);
        let Some(item) = self.get(self.tables.name_of(Table::Leads), &key).await? else { return Ok(None) };
        let reader = Reader::of(&key, &item)?;
        if !reader.has("record_id") {
            return Ok(None);
        }
        Ok(Some(RecordId(reader.text("record_id")?.to_owned())))
    }

    fn record_item(&self, record: &Record) -> Result<Item, StoreError> {
        let key = self.record_key(&record.id);
        Ok(key.item([("version", number(record.version)), ("doc", document(&key, record)?)]))
    }

    fn alias_item(&self, alias: &Alias, record: &RecordId) -> Item {
        self.alias_key(alias).item([("record_id", text(&record.0))])
    }

    /// A record comes into being with all its names or not at all.
    async fn create_record(&self, record: &Record, aliases: &BTreeSet<&Alias>) -> Result<Saved, StoreError> {
        let first = Put::builder().set_item(Some(self.record_item(record)?)).condition_expression("attribute_not_exists(pk)");
        let mut items: Vec<TransactWriteItem> = vec![put_in_transaction(self.tables.name_of(Table::Leads), first)?];
        for alias in aliases {
            let put = Put::builder()
                .set_item(Some(self.alias_item(alias, &record.id)))
                .condition_expression(MAY_TAKE_ALIAS)
                .expression_attribute_values(":record", text(&record.id.0));
            items.push(put_in_transaction(self.tables.name_of(Table::Leads), put)?);
        }
        match self.transact(items).await? {
            Transacted::Done => Ok(Saved::Stored),
            Transacted::Refused(_) => Ok(Saved::Conflict),
        }
    }

    async fn replace_record(&self, record: &Record, aliases: &BTreeSet<&Alias>) -> Result<Saved, StoreError> {
        let put = self
            .put(self.tables.name_of(Table::Leads), self.record_item(record)?)
            .condition_expression("version = :before")
            .expression_attribute_values(":before", number(record.version.saturating_sub(1)));
        if let Effect::Refused(_) = send_put(put).await? {
            return Ok(Saved::Conflict);
        }
        try_join_all(aliases.iter().map(|alias| self.add_alias(alias, &record.id))).await?;
        Ok(Saved::Stored)
    }

    /// Reading first costs a fifth of a write that is refused, and nearly always the alias is there.
    async fn add_alias(&self, alias: &Alias, record: &RecordId) -> Result<(), StoreError> {
        let key = self.alias_key(alias);
        if self.get(self.tables.name_of(Table::Leads), &key).await?.is_some() {
            return Ok(());
        }
        let put =
            self.put(self.tables.name_of(Table::Leads), self.alias_item(alias, record)).condition_expression("attribute_not_exists(pk)");
        send_put(put).await.map(drop)
    }
}
