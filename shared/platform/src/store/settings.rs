use async_trait::async_trait;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::config::Sources;
use domain::units::Timestamp;
use pipeline::ports::{Activated, Active, InForce, Published, Settings, StoreError, Version};

use super::item::{Item, Key, Reader, UNPACKED_MOST, document, form, moment, text};
use super::transaction::{Transacted, not_built, put_in_transaction};
use super::{DynamoStore, unavailable};
use crate::tables::{PARTITION_KEY, SORT_KEY, Table};

/// An item may have 400 KiB; the rest of this one is far below what is kept back here.
const DOCUMENT_MOST: usize = 399 * 1024;

#[async_trait]
impl Settings for DynamoStore {
    async fn active(&self) -> Result<Option<Active>, StoreError> {
        let key = self.active_key();
        let item = self.get(self.tables.name_of(Table::Settings), &key).await?;
        item.map(|item| active_of(&key, &item)).transpose()
    }

    async fn version(&self, hash: &str) -> Result<Option<Sources>, StoreError> {
        let key = self.version_key(hash);
        let Some(item) = self.get(self.tables.name_of(Table::Settings), &key).await? else { return Ok(None) };
        sources_of(&key, &item, hash).map(Some)
    }

    async fn versions(&self) -> Result<Vec<Version>, StoreError> {
        let partition = self.entry_key("").partition;
        let request = self.client.query().table_name(self.tables.name_of(Table::Settings)).consistent_read(true);
        let request = request.key_condition_expression("#pk = :pk").expression_attribute_names("#pk", PARTITION_KEY);
        let mut items = request.expression_attribute_values(":pk", text(&partition)).into_paginator().items().send();
        let mut versions = Vec::new();
        while let Some(item) = items.next().await {
            versions.push(version_of(&partition, &item.map_err(|error| unavailable("Query", &error))?)?);
        }
        versions.sort_by_key(|version: &Version| std::cmp::Reverse(version.published_at));
        Ok(versions)
    }

    async fn publish_version(&self, sources: &Sources, at: Timestamp) -> Result<Published, StoreError> {
        let hash = sources.hash();
        let key = self.version_key(&hash);
        let files = document(&key, sources)?;
        if let Some((bytes, most)) = too_large(sources, &files) {
            return Ok(Published::TooLarge { bytes, most });
        }
        let version = Put::builder()
            .set_item(Some(key.item([("doc", files)])))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let entry = Put::builder().set_item(Some(self.entry_key(&hash).item([("published_at", moment(at))])));
        let table = self.tables.name_of(Table::Settings);
        match self.transact(vec![put_in_transaction(table, version)?, put_in_transaction(table, entry)?]).await? {
            Transacted::Done => Ok(Published::Stored),
            Transacted::Refused(failed) => {
                let stored = failed.into_iter().next().flatten().unwrap_or_default();
                if sources_of(&key, &stored, &hash)? == *sources { Ok(Published::Before) } else { Err(other_files(&key)) }
            }
        }
    }

    async fn activate(&self, what: &InForce, instead_of: &InForce, at: Timestamp) -> Result<Activated, StoreError> {
        let key = self.active_key();
        let mut writes = vec![self.in_settings(&key, put_in_force(what, instead_of, at))?];
        // What came with the functions is in no list.
        if let Some(hash) = what.hash() {
            writes.push(self.in_settings(&self.entry_key(hash), put_in_force_at(at))?);
        }
        let Transacted::Refused(failed) = self.transact(writes).await? else { return Ok(Activated::Done) };
        let mut failed = failed.into_iter();
        let active = failed.next().flatten();
        if failed.next().flatten().is_some() {
            return Ok(Activated::Unknown);
        }
        let stored = active.filter(|item| !item.is_empty()).map(|item| active_of(&key, &item)).transpose()?;
        let now = stored.map_or(InForce::Bundled, |active| active.what);
        Ok(if now == *what { Activated::Before } else { Activated::Other(now) })
    }
}

impl DynamoStore {
    fn version_key(&self, hash: &str) -> Key {
        self.key(&["CFG", hash])
    }

    /// The version's line in the list of all, without its files.
    fn entry_key(&self, hash: &str) -> Key {
        self.key_with(&["CFG"], hash)
    }

    fn active_key(&self) -> Key {
        self.key(&["ACTIVE"])
    }

    fn in_settings(&self, key: &Key, update: UpdateBuilder) -> Result<TransactWriteItem, StoreError> {
        let update = update.table_name(self.tables.name_of(Table::Settings)).set_key(Some(key.attributes()));
        let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(TransactWriteItem::builder().update(update.build().map_err(|error| not_built(&error))?).build())
    }
}

/// Names what is in force, where what the caller knows of is it, and something else than this.
fn put_in_force(what: &InForce, instead_of: &InForce, at: Timestamp) -> UpdateBuilder {
    // Before the first item decides what came with the functions.
    let is_as_known = match instead_of {
        InForce::Bundled if what != instead_of => "attribute_not_exists(pk) OR #hash = :before",
        InForce::Bundled | InForce::Version(_) => "#hash = :before AND #hash <> :hash",
    };
    Update::builder()
        .update_expression("SET v = :v, #hash = :hash, since = :at, #before = :before")
        .condition_expression(is_as_known)
        .expression_attribute_names("#hash", "hash")
        .expression_attribute_names("#before", "before")
        .expression_attribute_values(":v", form())
        .expression_attribute_values(":hash", text(what.as_str()))
        .expression_attribute_values(":before", text(instead_of.as_str()))
        .expression_attribute_values(":at", moment(at))
}

/// Notes in a version's line when it was put in force, where it has one.
fn put_in_force_at(at: Timestamp) -> UpdateBuilder {
    Update::builder()
        .update_expression("SET activated_at = :at")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_values(":at", moment(at))
}

/// What a version comes to and may come to, where that is too much: stored as it is, or once it is unpacked again.
fn too_large(sources: &Sources, files: &AttributeValue) -> Option<(usize, usize)> {
    let stored = match files {
        AttributeValue::B(packed) => packed.as_ref().len(),
        AttributeValue::S(json) => json.len(),
        _ => 0,
    };
    // As JSON a text has at most six times its length.
    let unpacked = sources.iter().map(|(path, text)| (path.len() + text.len()) * 6).sum();
    let unpacked_most = usize::try_from(UNPACKED_MOST).unwrap_or(usize::MAX);
    [(stored, DOCUMENT_MOST), (unpacked, unpacked_most)].into_iter().find(|(bytes, most)| bytes > most)
}

/// The files of a version, which are those that its hash names: nothing is decided by others.
fn sources_of(key: &Key, item: &Item, hash: &str) -> Result<Sources, StoreError> {
    let reader = Reader::of(key, item)?;
    let sources: Sources = reader.document()?;
    if sources.hash() == hash { Ok(sources) } else { Err(reader.corrupt("its files are not those that its hash names")) }
}

fn other_files(key: &Key) -> StoreError {
    let why = "it holds other files than those that are published, under the same hash; change a comment and publish again";
    StoreError::Corrupt { key: key.to_string(), why: why.to_owned() }
}

fn active_of(key: &Key, item: &Item) -> Result<Active, StoreError> {
    let reader = Reader::of(key, item)?;
    // The first version that was ever put in force by an earlier program names none.
    let before = if reader.has("before") { InForce::from(reader.text("before")?.to_owned()) } else { InForce::Bundled };
    Ok(Active { what: InForce::from(reader.text("hash")?.to_owned()), since: reader.moment("since")?, before })
}

fn version_of(partition: &str, item: &Item) -> Result<Version, StoreError> {
    let hash = item.get(SORT_KEY).and_then(|hash| hash.as_s().ok()).cloned().unwrap_or_default();
    let key = Key { partition: partition.to_owned(), sort: hash.clone() };
    let reader = Reader::of(&key, item)?;
    let activated_at = if reader.has("activated_at") { Some(reader.moment("activated_at")?) } else { None };
    Ok(Version { hash, published_at: reader.moment("published_at")?, activated_at })
}
