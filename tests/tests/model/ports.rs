//! The ports as a worker of the model sees them: each verb is one request, carried out on [`MemoryStore`] when the model says so.
//! A breakage changes what a verb asks for, never what the step functions decide.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use domain::credits::{Adjustment, Balance, Bounds, Reservation, ReservationId, ReservationState, Threshold, Usage};
use domain::record::{Alias, Record, RecordId};
use domain::run::Run;
use domain::signup::RunId;
use domain::units::{Credits, Timestamp};
use pipeline::memory::MemoryStore;
use pipeline::ports::{
    Adjusted, Cache, CacheKey, CachedReply, Claim, ClaimRequest, Clock, Entropy, Lease, Ledger, Outbox, OutboxLease, OutboxTurn, Poison,
    Records, Reserved, Runs, Saved, StoreError, StoredRun, Window, WriteRequest, Written,
};

use crate::breakage::Breakage;
use crate::shared::{Shared, now_or_never};
use crate::wire::Wire;

/// The ports of one job.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) wire: std::sync::Arc<Wire>,
    /// The run on whose behalf a provider is asked.
    pub(crate) run: Option<usize>,
}

type Stored<T> = Result<T, StoreError>;

impl Ports {
    async fn read<T, F>(&self, verb: &'static str, effect: F) -> Stored<T>
    where
        T: Clone + Debug + Send + Sync + 'static,
        F: Fn(&MemoryStore) -> Stored<T> + Send + Sync + 'static,
    {
        self.wire.ask(verb, None, move |shared| effect(shared.store())).await
    }

    async fn write<T, F>(&self, verb: &'static str, effect: F) -> Stored<T>
    where
        T: Clone + Debug + Send + Sync + 'static,
        F: Fn(&mut Shared) -> Stored<T> + Send + Sync + 'static,
    {
        self.wire.ask(verb, Some(Err(StoreError::Unavailable("the answer was lost".to_owned()))), effect).await
    }

    /// A write under a lease. What passes with an old fence is noted: it breaks I5.
    async fn fenced<T, F>(&self, verb: &'static str, lease: &Lease, effect: F) -> Stored<T>
    where
        T: Clone + Debug + Send + Sync + 'static,
        F: Fn(&MemoryStore, &Lease) -> Stored<T> + Send + Sync + 'static,
    {
        let (lease, unfenced) = (lease.clone(), self.wire.broken == Some(Breakage::NoFencing));
        self.write(verb, move |shared| {
            let newest = shared.newest_fence(&lease.run);
            let shown = if unfenced { Lease { fence: newest, ..lease.clone() } } else { lease.clone() };
            let before = shared.fingerprint();
            let answer = shared.change(|store| effect(store, &shown));
            if shared.fingerprint() != before && lease.fence != newest {
                shared.wrong = Some("a write with an old fence took effect");
            }
            answer
        })
        .await
    }

    pub(crate) async fn reserve_at_once(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Stored<Reserved> {
        let (reservation, bounds) = (reservation.clone(), bounds.clone());
        self.fenced("reserve", lease, move |store, lease| now_or_never(store.reserve(lease, &reservation, &bounds))).await
    }
}

#[async_trait]
impl Runs for Ports {
    async fn claim_run(&self, request: &ClaimRequest) -> Stored<Claim> {
        let request = request.clone();
        self.write("claim_run", move |shared| {
            let claim = shared.change(|store| now_or_never(store.claim_run(&request)))?;
            if let Claim::Mine(lease, _) | Claim::HandOver(lease, _) = &claim {
                shared.note_fence(lease);
            }
            Ok(claim)
        })
        .await
    }

    async fn renew_run(&self, lease: &Lease, until: Timestamp) -> Stored<Lease> {
        let renewed = self.fenced("renew_run", lease, move |store, lease| now_or_never(store.renew_run(lease, until))).await?;
        // Without fencing the caller goes on with the fence that it has.
        Ok(Lease { fence: lease.fence, ..renewed })
    }

    async fn save_run(&self, lease: &Lease, run: &Run) -> Stored<()> {
        let run = run.clone();
        self.fenced("save_run", lease, move |store, lease| now_or_never(store.save_run(lease, &run))).await
    }

    async fn park_run(&self, lease: &Lease, run: &Run) -> Stored<()> {
        let run = run.clone();
        self.fenced("park_run", lease, move |store, lease| now_or_never(store.park_run(lease, &run))).await
    }

    async fn free_run(&self, lease: &Lease) -> Stored<()> {
        self.fenced("free_run", lease, move |store, lease| now_or_never(store.free_run(lease))).await
    }

    async fn decide_run(&self, lease: &Lease, run: &Run) -> Stored<()> {
        let run = run.clone();
        self.fenced("decide_run", lease, move |store, lease| now_or_never(store.decide_run(lease, &run))).await
    }

    async fn finish_run(&self, lease: &Lease) -> Stored<()> {
        self.fenced("finish_run", lease, move |store, lease| now_or_never(store.finish_run(lease))).await
    }

    async fn read_run(&self, id: &RunId) -> Stored<Option<StoredRun>> {
        let id = id.clone();
        self.read("read_run", move |store| now_or_never(store.read_run(&id))).await
    }

    async fn open_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Stored<Window> {
        let (identity, run) = (identity.to_owned(), run.clone());
        self.write("open_window", move |shared| shared.change(|store| now_or_never(store.open_window(&identity, &run, now, until)))).await
    }

    async fn close_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Stored<()> {
        let (identity, run) = (identity.to_owned(), run.clone());
        self.write("close_window_paid", move |shared| shared.change(|store| now_or_never(store.close_window_paid(&identity, &run, until))))
            .await
    }

    async fn free_window(&self, identity: &str, run: &RunId) -> Stored<()> {
        let (identity, run) = (identity.to_owned(), run.clone());
        self.write("free_window", move |shared| shared.change(|store| now_or_never(store.free_window(&identity, &run)))).await
    }

    async fn keep_poison(&self, poison: &Poison) -> Stored<()> {
        let poison = poison.clone();
        self.write("keep_poison", move |shared| shared.change(|store| now_or_never(store.keep_poison(&poison)))).await
    }
}

#[async_trait]
impl Records for Ports {
    async fn find_record(&self, aliases: &[Alias]) -> Stored<Option<Record>> {
        let aliases = aliases.to_vec();
        self.read("find_record", move |store| now_or_never(store.find_record(&aliases))).await
    }

    async fn read_record(&self, id: &RecordId) -> Stored<Option<Record>> {
        let id = id.clone();
        self.read("read_record", move |store| now_or_never(store.read_record(&id))).await
    }

    async fn save_record(&self, record: &Record, aliases: &[Alias]) -> Stored<Saved> {
        let (record, aliases) = (record.clone(), aliases.to_vec());
        self.write("save_record", move |shared| shared.change(|store| now_or_never(store.save_record(&record, &aliases)))).await
    }

    async fn next_turn(&self, pool: &str) -> Stored<u64> {
        let pool = pool.to_owned();
        self.write("next_turn", move |shared| shared.change(|store| now_or_never(store.next_turn(&pool)))).await
    }
}

#[async_trait]
impl Ledger for Ports {
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Stored<Reserved> {
        match self.wire.broken {
            Some(Breakage::NoMarkBeforeCall) => {
                self.wire.put_off.lock().unwrap().mark = Some((lease.clone(), reservation.clone(), bounds.clone()));
                Ok(Reserved::Reserved)
            }
            Some(Breakage::ReservationApart) => {
                self.take_credits(reservation, bounds.allocation).await?;
                self.write_down(lease, reservation, bounds).await
            }
            _ => self.reserve_at_once(lease, reservation, bounds).await,
        }
    }

    async fn move_on(&self, from: &Reservation, to: &Reservation) -> Stored<bool> {
        let (from, mut to) = (from.clone(), to.clone());
        if self.wire.broken == Some(Breakage::RefundOnTimeout) && to.state == ReservationState::OutcomeUnknown {
            to.state = ReservationState::Settled { used: Credits::ZERO };
        }
        self.write("move_on", move |shared| shared.change(|store| now_or_never(store.move_on(&from, &to)))).await
    }

    async fn read_reservation(&self, id: &ReservationId) -> Stored<Option<Reservation>> {
        let id = id.clone();
        self.read("read_reservation", move |store| now_or_never(store.read_reservation(&id))).await
    }

    async fn overdue(&self, before: Timestamp, most: usize) -> Stored<Vec<ReservationId>> {
        self.read("overdue", move |store| now_or_never(store.overdue(before, most))).await
    }

    async fn adjust(&self, adjustment: &Adjustment, allocation: Credits) -> Stored<Adjusted> {
        let adjustment = adjustment.clone();
        self.write("adjust", move |shared| shared.change(|store| now_or_never(store.adjust(&adjustment, allocation)))).await
    }

    async fn balance(&self, month: &str) -> Stored<Option<Balance>> {
        let month = month.to_owned();
        self.read("balance", move |store| now_or_never(store.balance(&month))).await
    }

    async fn usage(&self, month: &str) -> Stored<BTreeMap<String, Usage>> {
        let month = month.to_owned();
        self.read("usage", move |store| now_or_never(store.usage(&month))).await
    }

    async fn taken_of_week(&self, week: &str) -> Stored<Credits> {
        let week = week.to_owned();
        self.read("taken_of_week", move |store| now_or_never(store.taken_of_week(&week))).await
    }

    async fn mark_crossed(&self, month: &str, threshold: Threshold, at: Timestamp) -> Stored<bool> {
        let month = month.to_owned();
        self.write("mark_crossed", move |shared| shared.change(|store| now_or_never(store.mark_crossed(&month, threshold, at)))).await
    }
}

/// A reservation that was torn in two.
impl Ports {
    async fn take_credits(&self, reservation: &Reservation, allocation: Credits) -> Stored<()> {
        self.adjust(&self.half("taken", reservation, Credits::ZERO.minus(reservation.amount)), allocation).await.map(drop)
    }

    async fn write_down(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Stored<Reserved> {
        let given = self.half("written down", reservation, reservation.amount);
        let (reservation, bounds) = (reservation.clone(), bounds.clone());
        self.fenced("reserve", lease, move |store, lease| {
            now_or_never(store.adjust(&given, bounds.allocation))?;
            now_or_never(store.reserve(lease, &reservation, &bounds))
        })
        .await
    }

    fn half(&self, half: &str, reservation: &Reservation, amount: Credits) -> Adjustment {
        let (id, month) = (format!("{half} {}", self.wire.name()), reservation.periods.month.clone());
        Adjustment { id, month, amount, because: half.to_owned(), at: self.wire.now() }
    }
}

#[async_trait]
impl Cache for Ports {
    async fn kept_reply(&self, key: &CacheKey) -> Stored<Option<CachedReply>> {
        let key = key.clone();
        self.read("kept_reply", move |store| now_or_never(store.kept_reply(&key))).await
    }

    async fn keep_reply(&self, key: &CacheKey, reply: &CachedReply) -> Stored<()> {
        let (key, reply) = (key.clone(), reply.clone());
        self.write("keep_reply", move |shared| shared.change(|store| now_or_never(store.keep_reply(&key, &reply)))).await
    }
}

#[async_trait]
impl Outbox for Ports {
    async fn begin_write(&self, request: &WriteRequest) -> Stored<OutboxTurn> {
        let request = request.clone();
        self.write("begin_write", move |shared| {
            shared.moments.insert(request.lease_until);
            shared.change(|store| now_or_never(store.begin_write(&request)))
        })
        .await
    }

    async fn finish_write(&self, lease: &OutboxLease, written: &Written) -> Stored<()> {
        let (lease, written) = (lease.clone(), written.clone());
        self.write("finish_write", move |shared| shared.change(|store| now_or_never(store.finish_write(&lease, &written)))).await
    }

    async fn abandon_write(&self, lease: &OutboxLease) -> Stored<()> {
        let lease = lease.clone();
        self.write("abandon_write", move |shared| shared.change(|store| now_or_never(store.abandon_write(&lease)))).await
    }

    async fn last_write(&self, record: &RecordId, target: &str) -> Stored<Option<Written>> {
        let (record, target) = (record.clone(), target.to_owned());
        self.read("last_write", move |store| now_or_never(store.last_write(&record, &target))).await
    }
}
