use async_trait::async_trait;
use domain::run::Run;
use domain::signup::RunId;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{Claim, ClaimRequest, Lease, Poison, Runs, Stage, StoreError, StoredRun, Window};

use super::item::{Item, Key, Reader, document, expiry, form, moment, number, text};
use super::{DynamoStore, Effect, send_put, send_update};
use crate::tables::{TTL_ATTRIBUTE, Table};

/// Runs are the decision log, kept at least 90 days (S3-68) and somewhat more than a year.
const RUN_KEPT: Millis = Millis::days(400);
/// Long enough for a person to come back from holidays and look at it.
const POISON_KEPT: Millis = Millis::days(90);

// The words of attribute `stage`. A parked run is a working one with the attribute `parked`, so that
// one expression can take it up again and leave a decided one decided.
const WORKING: &str = "working";
const DECIDED: &str = "decided";
pub(super) const DONE: &str = "done";

const CLAIM: &str = "SET v = :v, nonce = :nonce, lease_until = :until, payload_hash = :payload, \
    stage = if_not_exists(stage, :working), doc = if_not_exists(doc, :doc), expires_at = if_not_exists(expires_at, :expires) \
    REMOVE parked ADD fence :one";
const MAY_CLAIM: &str = "attribute_not_exists(pk) OR (payload_hash = :payload AND stage <> :done AND lease_until < :now)";
const MAY_WORK: &str = "fence = :fence AND stage = :working AND attribute_not_exists(parked)";
const MAY_FINISH: &str = "fence = :fence AND stage = :decided";

#[async_trait]
impl Runs for DynamoStore {
    async fn claim_run(&self, request: &ClaimRequest) -> Result<Claim, StoreError> {
        let key = self.run_key(&request.run.id);
        let update = self
            .update(self.tables.name_of(Table::Leads), &key)
            .update_expression(CLAIM)
            .condition_expression(MAY_CLAIM)
            .expression_attribute_values(":v", form())
            .expression_attribute_values(":nonce", text(&request.nonce))
            .expression_attribute_values(":until", moment(request.lease_until))
            .expression_attribute_values(":payload", text(&request.payload_hash))
            .expression_attribute_values(":working", text(WORKING))
            .expression_attribute_values(":done", text(DONE))
            .expression_attribute_values(":doc", document(&key, &request.run)?)
            .expression_attribute_values(":expires", expiry(request.now.after(RUN_KEPT)))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", moment(request.now))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
        match send_update(update).await? {
            Effect::Took(item) => claimed(&request.run.id, &key, &item),
            Effect::Refused(item) => why_not_claimed(request, &key, &item),
        }
    }

    async fn renew_run(&self, lease: &Lease, until: Timestamp) -> Result<Lease, StoreError> {
        let update = self
            .update(self.tables.name_of(Table::Leads), &self.run_key(&lease.run))
            .update_expression("SET lease_until = :until")
            .condition_expression(format!("{MAY_WORK} AND lease_until <= :until"))
            .expression_attribute_values(":fence", number(lease.fence))
            .expression_attribute_values(":working", text(WORKING))
            .expression_attribute_values(":until", moment(until));
        match send_update(update).await? {
            Effect::Took(_) => Ok(Lease { until, ..lease.clone() }),
            Effect::Refused(item) => stands_longer(&self.run_key(&lease.run), &item, lease),
        }
    }

    async fn save_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.write_run(lease, Some(run), Stage::Working).await
    }

    async fn park_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.write_run(lease, Some(run), Stage::Parked).await
    }

    async fn free_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.write_run(lease, None, Stage::Parked).await
    }

    async fn decide_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.write_run(lease, Some(run), Stage::Decided).await
    }

    async fn finish_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.write_run(lease, None, Stage::Done).await
    }

    async fn read_run(&self, id: &RunId) -> Result<Option<StoredRun>, StoreError> {
        let key = self.run_key(id);
        let Some(item) = self.get(self.tables.name_of(Table::Leads), &key).await? else { return Ok(None) };
        let reader = Reader::of(&key, &item)?;
        Ok(Some(StoredRun { run: reader.document()?, stage: stage_of(&reader)? }))
    }

    async fn open_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Result<Window, StoreError> {
        self.hold_window(identity, run, now, until).await
    }

    async fn close_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError> {
        self.mark_window_paid(identity, run, until).await
    }

    async fn free_window(&self, identity: &str, run: &RunId) -> Result<(), StoreError> {
        self.drop_window(identity, run).await
    }

    async fn keep_poison(&self, poison: &Poison) -> Result<(), StoreError> {
        let key = self.poison_key(&poison.at.day(), &poison.id);
        let item = key.item([
            ("queue", text(&poison.queue)),
            ("why", text(&poison.why)),
            ("body", text(&poison.body)),
            ("at", moment(poison.at)),
            (TTL_ATTRIBUTE, expiry(poison.at.after(POISON_KEPT))),
        ]);
        send_put(self.put(self.tables.name_of(Table::Leads), item)).await.map(drop)
    }
}

impl DynamoStore {
    pub(super) fn run_key(&self, id: &RunId) -> Key {
        self.key(&["RUN", id.as_str()])
    }

    /// Brings a run to `stage`, if the lease still counts. A write that took effect before and whose reply was lost is a success.
    async fn write_run(&self, lease: &Lease, run: Option<&Run>, stage: Stage) -> Result<(), StoreError> {
        let key = self.run_key(&lease.run);
        let (set, condition, word) = match stage {
            Stage::Working => ("SET doc = :doc", MAY_WORK, None),
            Stage::Parked if run.is_none() => ("SET parked = :yes, lease_until = :zero", MAY_WORK, None),
            Stage::Parked => ("SET doc = :doc, parked = :yes, lease_until = :zero", MAY_WORK, None),
            Stage::Decided => ("SET doc = :doc, stage = :decided", MAY_WORK, Some(":decided")),
            Stage::Done => ("SET stage = :done, lease_until = :zero", MAY_FINISH, Some(":decided")),
        };
        let mut update = self
            .update(self.tables.name_of(Table::Leads), &key)
            .update_expression(set)
            .condition_expression(condition)
            .expression_attribute_values(":fence", number(lease.fence));
        if let Some(run) = run {
            update = update.expression_attribute_values(":doc", document(&key, run)?);
        }
        if stage != Stage::Done {
            update = update.expression_attribute_values(":working", text(WORKING));
        }
        if let Some(word) = word {
            update = update.expression_attribute_values(word, text(DECIDED));
        }
        if stage == Stage::Parked {
            update = update.expression_attribute_values(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true));
        }
        if stage == Stage::Done {
            update = update.expression_attribute_values(":done", text(DONE));
        }
        if matches!(stage, Stage::Parked | Stage::Done) {
            update = update.expression_attribute_values(":zero", number(0));
        }
        match send_update(update).await? {
            Effect::Took(_) => Ok(()),
            Effect::Refused(item) => was_written_before(&key, &item, lease, stage),
        }
    }
}

/// A lease that ends later than it was to be renewed to is as good.
fn stands_longer(key: &Key, item: &Item, lease: &Lease) -> Result<Lease, StoreError> {
    if item.is_empty() {
        return Err(StoreError::FenceLost);
    }
    let reader = Reader::of(key, item)?;
    let is_mine = reader.number::<u64>("fence")? == lease.fence && stage_of(&reader)? == Stage::Working;
    if is_mine { Ok(Lease { until: reader.moment("lease_until")?, ..lease.clone() }) } else { Err(StoreError::FenceLost) }
}

fn was_written_before(key: &Key, item: &Item, lease: &Lease, stage: Stage) -> Result<(), StoreError> {
    if item.is_empty() {
        return Err(StoreError::FenceLost);
    }
    let reader = Reader::of(key, item)?;
    let is_mine = reader.number::<u64>("fence")? == lease.fence;
    if is_mine && stage != Stage::Working && stage_of(&reader)? == stage { Ok(()) } else { Err(StoreError::FenceLost) }
}

fn claimed(id: &RunId, key: &Key, item: &Item) -> Result<Claim, StoreError> {
    let reader = Reader::of(key, item)?;
    let lease = Lease { run: id.clone(), fence: reader.number("fence")?, until: reader.moment("lease_until")? };
    let run = Box::new(reader.document()?);
    Ok(if stage_of(&reader)? == Stage::Decided { Claim::HandOver(lease, run) } else { Claim::Mine(lease, run) })
}

fn why_not_claimed(request: &ClaimRequest, key: &Key, item: &Item) -> Result<Claim, StoreError> {
    let reader = Reader::of(key, item)?;
    if reader.text("payload_hash")? != request.payload_hash {
        return Ok(Claim::OtherPayload);
    }
    if stage_of(&reader)? == Stage::Done {
        return Ok(Claim::Terminal(Box::new(reader.document()?)));
    }
    // The claim took effect and its reply was lost on the way.
    if reader.text("nonce")? == request.nonce {
        return claimed(&request.run.id, key, item);
    }
    Ok(Claim::Busy { until: reader.moment("lease_until")? })
}

pub(super) fn stage_of(reader: &Reader<'_>) -> Result<Stage, StoreError> {
    match reader.text("stage")? {
        WORKING if reader.has("parked") => Ok(Stage::Parked),
        WORKING => Ok(Stage::Working),
        DECIDED => Ok(Stage::Decided),
        DONE => Ok(Stage::Done),
        _ => Err(reader.corrupt("attribute `stage` is none of working, decided, done")),
    }
}
