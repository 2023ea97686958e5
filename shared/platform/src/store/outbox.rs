use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::record::RecordId;
use domain::units::Timestamp;
use pipeline::ports::{Outbox, OutboxLease, OutboxTurn, StoreError, WriteRequest, Written};

use super::item::{Item, Key, Reader, form, moment, number, text};
use super::{DynamoStore, Effect, send_update};
use crate::tables::Table;

const TAKE: &str = "SET v = :v, writing = :nonce, lease_until = :until REMOVE disturbed";
/// Takes over from an attempt that ended without a word, and forgets in the same write what the target was believed to hold.
const TAKE_OVER: &str = "SET v = :v, writing = :nonce, lease_until = :until REMOVE digest, seq, disturbed";
const FINISH: &str = "SET v = :v, digest = :digest, seq = :seq, external_id = :external, written_by = :nonce REMOVE writing, lease_until";

#[async_trait]
impl Outbox for DynamoStore {
    async fn begin_write(&self, request: &WriteRequest) -> Result<OutboxTurn, StoreError> {
        let key = self.out_key(&request.record, &request.target);
        let take = self.begin(&key, request, TAKE).condition_expression("attribute_not_exists(writing) OR writing = :nonce");
        let marked = match send_update(take).await? {
            Effect::Took(item) => return yours(request, &key, &item, false),
            Effect::Refused(item) => item,
        };
        let reader = Reader::of(&key, &marked)?;
        let until = reader.moment("lease_until")?;
        if until >= request.now {
            return Ok(OutboxTurn::Busy { until });
        }
        let take_over = self
            .begin(&key, request, TAKE_OVER)
            .condition_expression("writing = :other")
            .expression_attribute_values(":other", text(reader.text("writing")?));
        match send_update(take_over).await? {
            Effect::Took(item) => yours(request, &key, &item, true),
            Effect::Refused(item) => taken_meanwhile(request, &key, &item),
        }
    }

    async fn finish_write(&self, lease: &OutboxLease, written: &Written) -> Result<(), StoreError> {
        let key = self.out_key(&lease.record, &lease.target);
        let finish = self
            .update(self.tables.name_of(Table::Leads), &key)
            .update_expression(FINISH)
            .condition_expression("writing = :nonce AND attribute_not_exists(disturbed)")
            .expression_attribute_values(":v", form())
            .expression_attribute_values(":nonce", text(&lease.nonce))
            .expression_attribute_values(":digest", text(&written.digest))
            .expression_attribute_values(":seq", number(written.seq))
            .expression_attribute_values(":external", text(&written.external_id));
        match send_update(finish).await? {
            Effect::Took(_) => Ok(()),
            Effect::Refused(item) if is_finished_by(&key, &item, &lease.nonce)? => Ok(()),
            Effect::Refused(_) => {
                self.forget_written(&key).await?;
                // A disturbed holder gives the lease back; a zombie has none.
                self.abandon_write(lease).await?;
                Err(StoreError::FenceLost)
            }
        }
    }

    async fn abandon_write(&self, lease: &OutboxLease) -> Result<(), StoreError> {
        let abandon = self
            .update(self.tables.name_of(Table::Leads), &self.out_key(&lease.record, &lease.target))
            .update_expression("REMOVE writing, lease_until")
            .condition_expression("writing = :nonce")
            .expression_attribute_values(":nonce", text(&lease.nonce));
        // Refused means that the lease is over or was freed before; either way it is not ours to free.
        send_update(abandon).await.map(drop)
    }

    async fn last_write(&self, record: &RecordId, target: &str) -> Result<Option<Written>, StoreError> {
        let key = self.out_key(record, target);
        let item = self.get(self.tables.name_of(Table::Leads), &key).await?;
        item.map_or(Ok(None), |item| last_of(&Reader::of(&key, &item)?))
    }
}

impl DynamoStore {
    fn out_key(&self, record: &RecordId, target: &str) -> Key {
        let sort = format!("OUT#{target}");
        Key { sort, ..self.record_key(record) }
    }

    fn begin(&self, key: &Key, request: &WriteRequest, expression: &str) -> UpdateItemFluentBuilder {
        self.update(self.tables.name_of(Table::Leads), key)
            .update_expression(expression)
            .expression_attribute_values(":v", form())
            .expression_attribute_values(":nonce", text(&request.nonce))
            .expression_attribute_values(":until", moment(request.lease_until))
            .return_values(ReturnValue::AllNew)
    }

    /// A zombie wrote over what stood there, or writes over what a holder is just writing: nobody knows what the target
    /// holds, so it must be asserted again. The mark `disturbed` tells the holder.
    async fn forget_written(&self, key: &Key) -> Result<(), StoreError> {
        let forget = self
            .update(self.tables.name_of(Table::Leads), key)
            .update_expression("SET v = :v, disturbed = :yes REMOVE digest, seq")
            .expression_attribute_values(":v", form())
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        send_update(forget).await.map(drop)
    }
}

fn yours(request: &WriteRequest, key: &Key, item: &Item, took_over: bool) -> Result<OutboxTurn, StoreError> {
    let last = last_of(&Reader::of(key, item)?)?;
    Ok(OutboxTurn::Yours(OutboxLease {
        record: request.record.clone(),
        target: request.target.clone(),
        nonce: request.nonce.clone(),
        last,
        took_over,
    }))
}

/// Between our two requests somebody else took over, or our own take-over's reply was lost.
fn taken_meanwhile(request: &WriteRequest, key: &Key, item: &Item) -> Result<OutboxTurn, StoreError> {
    let reader = Reader::of(key, item)?;
    if reader.has("writing") && reader.text("writing")? == request.nonce {
        return yours(request, key, item, true);
    }
    let until: Timestamp = if reader.has("lease_until") { reader.moment("lease_until")? } else { request.now };
    Ok(OutboxTurn::Busy { until })
}

fn last_of(reader: &Reader<'_>) -> Result<Option<Written>, StoreError> {
    if !reader.has("digest") {
        return Ok(None);
    }
    let (digest, external_id) = (reader.text("digest")?.to_owned(), reader.text("external_id")?.to_owned());
    Ok(Some(Written { digest, seq: reader.number("seq")?, external_id }))
}

/// The write took effect and its reply was lost.
fn is_finished_by(key: &Key, item: &Item, nonce: &str) -> Result<bool, StoreError> {
    if item.is_empty() {
        return Ok(false);
    }
    let reader = Reader::of(key, item)?;
    Ok(!reader.has("writing") && reader.has("digest") && reader.has("written_by") && reader.text("written_by")? == nonce)
}
