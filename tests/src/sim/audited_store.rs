use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::record::{Alias, Record, RecordId};
use domain::run::Run;
use domain::signup::RunId;
use domain::units::Timestamp;
use pipeline::memory::MemoryStore;
use pipeline::ports::{
    Cache, CacheKey, CachedReply, Claim, ClaimRequest, Lease, Outbox, OutboxLease, OutboxTurn, Poison, Records, Runs, Saved, StoreError,
    StoredRun, Window, WriteRequest, Written,
};

use super::ground::{Claimed, Ground};
use super::weakness::Weakness;

/// The store, with somebody who watches every write; its safeguards can be switched off one by one.
pub(super) struct AuditedStore {
    pub(super) memory: Arc<MemoryStore>,
    pub(super) ground: Arc<Ground>,
    pub(super) weakness: Option<Weakness>,
    written: Mutex<BTreeMap<RecordId, Written>>,
}

impl AuditedStore {
    pub(super) fn new(ground: Arc<Ground>, weakness: Option<Weakness>) -> Self {
        Self { memory: ground.memory.clone(), ground, weakness, written: Mutex::default() }
    }

    /// The lease that the store is shown.
    pub(super) fn shown(&self, lease: &Lease) -> Lease {
        let newest = self.ground.claim_of(&lease.run).map_or(lease.fence, |claim| claim.fence);
        let fence = if self.weakness == Some(Weakness::NoFence) { newest } else { lease.fence };
        Lease { fence, ..lease.clone() }
    }

    fn landed<R>(&self, verb: &str, lease: &Lease, result: Result<R, StoreError>) -> Result<R, StoreError> {
        if result.is_ok() {
            self.ground.landed(verb, &lease.run, lease.fence);
        }
        result
    }
}

#[async_trait]
impl Runs for AuditedStore {
    async fn claim_run(&self, request: &ClaimRequest) -> Result<Claim, StoreError> {
        let claim = self.memory.claim_run(request).await?;
        if let Claim::Mine(lease, _) | Claim::HandOver(lease, _) = &claim {
            let claimed = Claimed { fence: lease.fence, nonce: request.nonce.clone(), at: request.now, is_duplicate: false };
            self.ground.claimed(&lease.run, claimed);
        }
        Ok(claim)
    }

    async fn renew_run(&self, lease: &Lease, until: Timestamp) -> Result<Lease, StoreError> {
        self.landed("renew_run", lease, self.memory.renew_run(&self.shown(lease), until).await)
    }

    async fn save_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.landed("save_run", lease, self.memory.save_run(&self.shown(lease), run).await)
    }

    async fn park_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.landed("park_run", lease, self.memory.park_run(&self.shown(lease), run).await)
    }

    async fn decide_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.landed("decide_run", lease, self.memory.decide_run(&self.shown(lease), run).await)
    }

    async fn finish_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.landed("finish_run", lease, self.memory.finish_run(&self.shown(lease)).await)
    }

    async fn free_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.landed("free_run", lease, self.memory.free_run(&self.shown(lease)).await)
    }

    async fn read_run(&self, id: &RunId) -> Result<Option<StoredRun>, StoreError> {
        self.memory.read_run(id).await
    }

    async fn open_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Result<Window, StoreError> {
        let window = self.memory.open_window(identity, run, now, until).await?;
        self.ground.is_duplicate(run, matches!(window, Window::PaidBy(_)));
        Ok(window)
    }

    async fn close_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError> {
        self.memory.close_window_paid(identity, run, until).await
    }

    async fn free_window(&self, identity: &str, run: &RunId) -> Result<(), StoreError> {
        self.memory.free_window(identity, run).await
    }

    async fn keep_poison(&self, poison: &Poison) -> Result<(), StoreError> {
        self.memory.keep_poison(poison).await
    }
}

#[async_trait]
impl Records for AuditedStore {
    async fn find_record(&self, aliases: &[Alias]) -> Result<Option<Record>, StoreError> {
        self.memory.find_record(aliases).await
    }

    async fn read_record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        self.memory.read_record(id).await
    }

    async fn save_record(&self, record: &Record, aliases: &[Alias]) -> Result<Saved, StoreError> {
        self.memory.save_record(record, aliases).await
    }

    async fn next_turn(&self, pool: &str) -> Result<u64, StoreError> {
        self.memory.next_turn(pool).await
    }
}

#[async_trait]
impl Cache for AuditedStore {
    async fn kept_reply(&self, key: &CacheKey) -> Result<Option<CachedReply>, StoreError> {
        self.memory.kept_reply(key).await
    }

    async fn keep_reply(&self, key: &CacheKey, reply: &CachedReply) -> Result<(), StoreError> {
        self.memory.keep_reply(key, reply).await
    }
}

#[async_trait]
impl Outbox for AuditedStore {
    async fn begin_write(&self, request: &WriteRequest) -> Result<OutboxTurn, StoreError> {
        let turn = self.memory.begin_write(request).await?;
        let OutboxTurn::Yours(mut lease) = turn else { return Ok(turn) };
        if self.weakness == Some(Weakness::DigestBelieved) && lease.last.is_none() {
            lease.last = self.written.lock().unwrap_or_else(PoisonError::into_inner).get(&lease.record).cloned();
        }
        Ok(OutboxTurn::Yours(lease))
    }

    async fn finish_write(&self, lease: &OutboxLease, written: &Written) -> Result<(), StoreError> {
        self.memory.finish_write(lease, written).await?;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.record.clone(), written.clone());
        Ok(())
    }

    async fn abandon_write(&self, lease: &OutboxLease) -> Result<(), StoreError> {
        self.memory.abandon_write(lease).await
    }

    async fn last_write(&self, record: &RecordId, target: &str) -> Result<Option<Written>, StoreError> {
        self.memory.last_write(record, target).await
    }
}
