//! Ports that fail on command: each verb asks a hook before its effect and after it. A fault before it means that nothing
//! happened, one after it that the reply was lost. A hook that sleeps is a delay; one that never returns is a crash, whose
//! caller the test drops.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ports::{
    Adjusted, Cache, CacheKey, CachedReply, Claim, ClaimRequest, Crm, CrmReply, CrmWrite, DeadLetter, Lease, Ledger, LookupRequest, Outbox,
    OutboxLease, OutboxTurn, Poison, Provider, Queue, QueueError, QueueName, Received, Records, Reserved, Runs, Saved, StoreError,
    StoredRun, Window, WriteRequest, Written,
};
use async_trait::async_trait;
use domain::credits::{Adjustment, Balance, Bounds, Reservation, ReservationId, Threshold, Usage};
use domain::record::{Alias, Record, RecordId};
use domain::reply::Reply;
use domain::run::Run;
use domain::signup::RunId;
use domain::units::{Credits, Millis, Timestamp};

/// What becomes of a verb at one of its two edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing special.
    Go,
    /// The caller hears that the other side did not answer.
    Fail,
}

/// Decides the fate of each verb. A verb is the name of its port's method: `reserve`, `send`, `look_up`, `upsert`.
#[async_trait]
pub trait Hook: Send + Sync {
    /// Before the effect: to fail here is to have done nothing.
    async fn before(&self, verb: &'static str) -> Fate;
    /// After the effect: to fail here is to lose the reply.
    async fn after(&self, verb: &'static str) -> Fate;
}

/// A port around another one. `Faulty<dyn Store>` is a store, `Faulty<dyn Queue>` a queue, and so on.
pub struct Faulty<T: ?Sized> {
    inner: Arc<T>,
    hook: Arc<dyn Hook>,
}

const WHY: &str = "a fault on command";

impl<T: ?Sized> Faulty<T> {
    /// Asks `hook` about every verb of `inner`.
    pub fn new(inner: Arc<T>, hook: Arc<dyn Hook>) -> Arc<Self> {
        Arc::new(Self { inner, hook })
    }

    async fn verb<R>(&self, verb: &'static str, failed: impl Fn() -> R, lost: impl Fn() -> R, effect: impl Future<Output = R>) -> R {
        if self.hook.before(verb).await == Fate::Fail {
            return failed();
        }
        let reply = effect.await;
        if self.hook.after(verb).await == Fate::Fail { lost() } else { reply }
    }

    async fn kept<R>(&self, verb: &'static str, effect: impl Future<Output = Result<R, StoreError>>) -> Result<R, StoreError> {
        let unavailable = || Err(StoreError::Unavailable(WHY.to_owned()));
        self.verb(verb, unavailable, unavailable, effect).await
    }

    async fn queued<R>(
        &self,
        verb: &'static str,
        queue: QueueName,
        effect: impl Future<Output = Result<R, QueueError>>,
    ) -> Result<R, QueueError> {
        let silent = || Err(QueueError { queue: queue.as_str(), why: WHY.to_owned() });
        self.verb(verb, silent, silent, effect).await
    }
}

#[async_trait]
impl<T: Runs + ?Sized> Runs for Faulty<T> {
    async fn claim_run(&self, request: &ClaimRequest) -> Result<Claim, StoreError> {
        self.kept("claim_run", self.inner.claim_run(request)).await
    }

    async fn renew_run(&self, lease: &Lease, until: Timestamp) -> Result<Lease, StoreError> {
        self.kept("renew_run", self.inner.renew_run(lease, until)).await
    }

    async fn save_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.kept("save_run", self.inner.save_run(lease, run)).await
    }

    async fn park_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.kept("park_run", self.inner.park_run(lease, run)).await
    }

    async fn free_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.kept("free_run", self.inner.free_run(lease)).await
    }

    async fn decide_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.kept("decide_run", self.inner.decide_run(lease, run)).await
    }

    async fn finish_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.kept("finish_run", self.inner.finish_run(lease)).await
    }

    async fn read_run(&self, id: &RunId) -> Result<Option<StoredRun>, StoreError> {
        self.kept("read_run", self.inner.read_run(id)).await
    }

    async fn open_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Result<Window, StoreError> {
        self.kept("open_window", self.inner.open_window(identity, run, now, until)).await
    }

    async fn close_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError> {
        self.kept("close_window_paid", self.inner.close_window_paid(identity, run, until)).await
    }

    async fn free_window(&self, identity: &str, run: &RunId) -> Result<(), StoreError> {
        self.kept("free_window", self.inner.free_window(identity, run)).await
    }

    async fn keep_poison(&self, poison: &Poison) -> Result<(), StoreError> {
        self.kept("keep_poison", self.inner.keep_poison(poison)).await
    }
}

#[async_trait]
impl<T: Records + ?Sized> Records for Faulty<T> {
    async fn find_record(&self, aliases: &[Alias]) -> Result<Option<Record>, StoreError> {
        self.kept("find_record", self.inner.find_record(aliases)).await
    }

    async fn read_record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        self.kept("read_record", self.inner.read_record(id)).await
    }

    async fn save_record(&self, record: &Record, aliases: &[Alias]) -> Result<Saved, StoreError> {
        self.kept("save_record", self.inner.save_record(record, aliases)).await
    }

    async fn next_turn(&self, pool: &str) -> Result<u64, StoreError> {
        self.kept("next_turn", self.inner.next_turn(pool)).await
    }
}

#[async_trait]
impl<T: Ledger + ?Sized> Ledger for Faulty<T> {
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Reserved, StoreError> {
        self.kept("reserve", self.inner.reserve(lease, reservation, bounds)).await
    }

    async fn move_on(&self, from: &Reservation, to: &Reservation) -> Result<bool, StoreError> {
        self.kept("move_on", self.inner.move_on(from, to)).await
    }

    async fn read_reservation(&self, id: &ReservationId) -> Result<Option<Reservation>, StoreError> {
        self.kept("read_reservation", self.inner.read_reservation(id)).await
    }

    async fn overdue(&self, before: Timestamp, most: usize) -> Result<Vec<ReservationId>, StoreError> {
        self.kept("overdue", self.inner.overdue(before, most)).await
    }

    async fn adjust(&self, adjustment: &Adjustment, allocation: Credits) -> Result<Adjusted, StoreError> {
        self.kept("adjust", self.inner.adjust(adjustment, allocation)).await
    }

    async fn balance(&self, month: &str) -> Result<Option<Balance>, StoreError> {
        self.kept("balance", self.inner.balance(month)).await
    }

    async fn usage(&self, month: &str) -> Result<BTreeMap<String, Usage>, StoreError> {
        self.kept("usage", self.inner.usage(month)).await
    }

    async fn taken_of_week(&self, week: &str) -> Result<Credits, StoreError> {
        self.kept("taken_of_week", self.inner.taken_of_week(week)).await
    }

    async fn mark_crossed(&self, month: &str, threshold: Threshold, at: Timestamp) -> Result<bool, StoreError> {
        self.kept("mark_crossed", self.inner.mark_crossed(month, threshold, at)).await
    }
}

#[async_trait]
impl<T: Cache + ?Sized> Cache for Faulty<T> {
    async fn kept_reply(&self, key: &CacheKey) -> Result<Option<CachedReply>, StoreError> {
        self.kept("kept_reply", self.inner.kept_reply(key)).await
    }

    async fn keep_reply(&self, key: &CacheKey, reply: &CachedReply) -> Result<(), StoreError> {
        self.kept("keep_reply", self.inner.keep_reply(key, reply)).await
    }
}

#[async_trait]
impl<T: Outbox + ?Sized> Outbox for Faulty<T> {
    async fn begin_write(&self, request: &WriteRequest) -> Result<OutboxTurn, StoreError> {
        self.kept("begin_write", self.inner.begin_write(request)).await
    }

    async fn finish_write(&self, lease: &OutboxLease, written: &Written) -> Result<(), StoreError> {
        self.kept("finish_write", self.inner.finish_write(lease, written)).await
    }

    async fn abandon_write(&self, lease: &OutboxLease) -> Result<(), StoreError> {
        self.kept("abandon_write", self.inner.abandon_write(lease)).await
    }

    async fn last_write(&self, record: &RecordId, target: &str) -> Result<Option<Written>, StoreError> {
        self.kept("last_write", self.inner.last_write(record, target)).await
    }
}

#[async_trait]
impl<T: Queue + ?Sized> Queue for Faulty<T> {
    async fn send(&self, queue: QueueName, body: &str, delay: Millis) -> Result<(), QueueError> {
        self.queued("send", queue, self.inner.send(queue, body, delay)).await
    }

    async fn receive(&self, queue: QueueName, max: usize, visibility: Millis) -> Result<Vec<Received>, QueueError> {
        self.queued("receive", queue, self.inner.receive(queue, max, visibility)).await
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.queued("delete", queue, self.inner.delete(queue, receipt)).await
    }

    async fn dead_letters(&self, queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        self.queued("dead_letters", queue, self.inner.dead_letters(queue)).await
    }

    async fn delete_dead_letter(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.queued("delete_dead_letter", queue, self.inner.delete_dead_letter(queue, receipt)).await
    }
}

#[async_trait]
impl<T: Provider + ?Sized> Provider for Faulty<T> {
    /// A fault before it: the provider was not reached and bills nothing. After it: the reply never came, and it may have billed.
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        let unreached = || Reply::Failed { why: WHY.to_owned() };
        self.verb("look_up", unreached, || Reply::TimedOut, self.inner.look_up(request)).await
    }
}

#[async_trait]
impl<T: Crm + ?Sized> Crm for Faulty<T> {
    async fn upsert(&self, write: &CrmWrite) -> CrmReply {
        let silent = || CrmReply::Unavailable { why: WHY.to_owned() };
        self.verb("upsert", silent, silent, self.inner.upsert(write)).await
    }
}
