use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::credits::Reservation;
use domain::record::{Alias, Record, RecordId};
use domain::run::Run;
use domain::signup::RunId;
use domain::units::Timestamp;

use super::books::Books;
use super::settings::Versions;
use crate::ports::{
    Cache, CacheKey, CachedReply, Claim, ClaimRequest, Lease, Outbox, OutboxLease, OutboxTurn, Poison, Records, Runs, Saved, Stage,
    StoreError, StoredRun, Window, WriteRequest, Written,
};

/// The store in memory; each verb is one step under one lock, as each is one request to `DynamoDB`.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) runs: BTreeMap<RunId, RunItem>,
    windows: BTreeMap<String, WindowItem>,
    pub(super) poison: Vec<Poison>,
    records: BTreeMap<RecordId, Record>,
    aliases: BTreeMap<Alias, RecordId>,
    turns: BTreeMap<String, u64>,
    pub(super) books: Books,
    cache: BTreeMap<CacheKey, CachedReply>,
    outbox: BTreeMap<(RecordId, String), OutItem>,
    pub(super) versions: Versions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunItem {
    pub(super) run: Run,
    pub(super) stage: Stage,
    payload_hash: String,
    nonce: String,
    pub(super) fence: u64,
    lease_until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct WindowItem {
    run: RunId,
    hold_until: Timestamp,
    paid_until: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OutItem {
    last: Option<Written>,
    writing: Option<(String, Timestamp)>,
    /// A zombie wrote while the holder writes.
    disturbed: bool,
}

impl State {
    /// Whether this lease is the newest claim of its run.
    pub(super) fn holds(&self, lease: &Lease) -> bool {
        self.runs.get(&lease.run).is_some_and(|item| item.fence == lease.fence)
    }
}

/// Text that is hashed instead of kept.
struct Hashed(DefaultHasher);

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl Clone for MemoryStore {
    /// A store of its own that holds the same.
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.state().clone()) }
    }
}

impl MemoryStore {
    /// The poison that was kept.
    #[must_use]
    pub fn poison(&self) -> Vec<Poison> {
        self.state().poison.clone()
    }

    /// The ledger: every reservation there ever was.
    #[must_use]
    pub fn reservations(&self) -> Vec<Reservation> {
        self.state().books.reservations.values().cloned().collect()
    }

    /// All records.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.state().records.values().cloned().collect()
    }

    /// A number that two stores share when they hold the same (but for values that `Debug` masks): a model checker tells states by it.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut text = Hashed(DefaultHasher::new());
        // Writing to a hasher never fails.
        let _ = write!(text, "{:?}", self.state());
        text.0.finish()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the maps as they were between two verbs.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_run(&self, lease: &Lease, run: Option<&Run>, stage: Stage) -> Result<(), StoreError> {
        let mut state = self.state();
        let item = state.runs.get_mut(&lease.run).filter(|item| item.fence == lease.fence).ok_or(StoreError::FenceLost)?;
        if item.stage == stage && stage != Stage::Working {
            return Ok(());
        }
        let follows = match stage {
            Stage::Working | Stage::Parked | Stage::Decided => item.stage == Stage::Working,
            Stage::Done => item.stage == Stage::Decided,
        };
        if !follows {
            return Err(StoreError::FenceLost);
        }
        item.stage = stage;
        if let Some(run) = run {
            item.run = run.clone();
        }
        if matches!(stage, Stage::Parked | Stage::Done) {
            item.lease_until = Timestamp::default();
        }
        Ok(())
    }
}

#[async_trait]
impl Runs for MemoryStore {
    async fn claim_run(&self, request: &ClaimRequest) -> Result<Claim, StoreError> {
        let mut state = self.state();
        let id = request.run.id.clone();
        let item = state.runs.entry(id.clone()).or_insert_with(|| RunItem {
            run: request.run.clone(),
            stage: Stage::Working,
            payload_hash: request.payload_hash.clone(),
            nonce: String::new(),
            fence: 0,
            lease_until: Timestamp::default(),
        });
        if item.payload_hash != request.payload_hash {
            return Ok(Claim::OtherPayload);
        }
        if item.stage == Stage::Done {
            return Ok(Claim::Terminal(Box::new(item.run.clone())));
        }
        if item.nonce != request.nonce {
            if item.lease_until >= request.now {
                return Ok(Claim::Busy { until: item.lease_until });
            }
            item.fence += 1;
            item.nonce = request.nonce.clone();
            item.lease_until = request.lease_until;
            if item.stage == Stage::Parked {
                item.stage = Stage::Working;
            }
        }
        let lease = Lease { run: id, fence: item.fence, until: item.lease_until };
        let run = Box::new(item.run.clone());
        Ok(if item.stage == Stage::Decided { Claim::HandOver(lease, run) } else { Claim::Mine(lease, run) })
    }

    async fn renew_run(&self, lease: &Lease, until: Timestamp) -> Result<Lease, StoreError> {
        let mut state = self.state();
        let item = state.runs.get_mut(&lease.run).filter(|item| item.fence == lease.fence).ok_or(StoreError::FenceLost)?;
        if item.stage != Stage::Working {
            return Err(StoreError::FenceLost);
        }
        item.lease_until = item.lease_until.max(until);
        Ok(Lease { until: item.lease_until, ..lease.clone() })
    }

    async fn save_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.write_run(lease, Some(run), Stage::Working)
    }

    async fn park_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.write_run(lease, Some(run), Stage::Parked)
    }

    async fn free_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.write_run(lease, None, Stage::Parked)
    }

    async fn decide_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError> {
        self.write_run(lease, Some(run), Stage::Decided)
    }

    async fn finish_run(&self, lease: &Lease) -> Result<(), StoreError> {
        self.write_run(lease, None, Stage::Done)
    }

    async fn read_run(&self, id: &RunId) -> Result<Option<StoredRun>, StoreError> {
        Ok(self.state().runs.get(id).map(|item| StoredRun { run: item.run.clone(), stage: item.stage }))
    }

    async fn open_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Result<Window, StoreError> {
        let mut state = self.state();
        match state.windows.get_mut(identity) {
            Some(item) if item.run == *run => item.hold_until = until,
            Some(item) if item.hold_until > now => return Ok(Window::HeldBy { run: item.run.clone(), until: item.hold_until }),
            Some(item) if item.paid_until > now => return Ok(Window::PaidBy(item.run.clone())),
            _ => {
                let item = WindowItem { run: run.clone(), hold_until: until, paid_until: Timestamp::default() };
                state.windows.insert(identity.to_owned(), item);
            }
        }
        Ok(Window::Mine)
    }

    async fn close_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError> {
        if let Some(item) = self.state().windows.get_mut(identity).filter(|item| item.run == *run) {
            item.paid_until = until;
        }
        Ok(())
    }

    async fn free_window(&self, identity: &str, run: &RunId) -> Result<(), StoreError> {
        if let Some(item) = self.state().windows.get_mut(identity).filter(|item| item.run == *run) {
            item.hold_until = Timestamp::default();
        }
        Ok(())
    }

    async fn keep_poison(&self, poison: &Poison) -> Result<(), StoreError> {
        self.keep(poison);
        Ok(())
    }
}

#[async_trait]
impl Records for MemoryStore {
    async fn find_record(&self, aliases: &[Alias]) -> Result<Option<Record>, StoreError> {
        let state = self.state();
        Ok(aliases.iter().find_map(|alias| state.records.get(state.aliases.get(alias)?).cloned()))
    }

    async fn read_record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        Ok(self.state().records.get(id).cloned())
    }

    async fn save_record(&self, record: &Record, aliases: &[Alias]) -> Result<Saved, StoreError> {
        let mut state = self.state();
        let stored = state.records.get(&record.id).map_or(0, |stored| stored.version);
        let taken = aliases.iter().any(|alias| state.aliases.get(alias).is_some_and(|owner| *owner != record.id));
        if stored + 1 != record.version || (stored == 0 && taken) {
            return Ok(Saved::Conflict);
        }
        for alias in aliases {
            state.aliases.entry(alias.clone()).or_insert_with(|| record.id.clone());
        }
        state.records.insert(record.id.clone(), record.clone());
        Ok(Saved::Stored)
    }

    async fn next_turn(&self, pool: &str) -> Result<u64, StoreError> {
        let mut state = self.state();
        let next = state.turns.entry(pool.to_owned()).or_default();
        *next += 1;
        Ok(*next - 1)
    }
}

#[async_trait]
impl Cache for MemoryStore {
    async fn kept_reply(&self, key: &CacheKey) -> Result<Option<CachedReply>, StoreError> {
        Ok(self.state().cache.get(key).cloned())
    }

    async fn keep_reply(&self, key: &CacheKey, reply: &CachedReply) -> Result<(), StoreError> {
        let mut state = self.state();
        let may_replace =
            |kept: &CachedReply| kept.fetched_at < reply.fetched_at && (reply.reply.is_answer() || kept.fresh_until <= reply.fetched_at);
        if state.cache.get(key).is_none_or(may_replace) {
            state.cache.insert(key.clone(), reply.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn begin_write(&self, request: &WriteRequest) -> Result<OutboxTurn, StoreError> {
        let mut state = self.state();
        let item = state.outbox.entry((request.record.clone(), request.target.clone())).or_default();
        let mut took_over = false;
        if let Some((nonce, until)) = item.writing.take_if(|(nonce, _)| *nonce != request.nonce) {
            if until >= request.now {
                item.writing = Some((nonce, until));
                return Ok(OutboxTurn::Busy { until });
            }
            item.last = None;
            took_over = true;
        }
        item.writing = Some((request.nonce.clone(), request.lease_until));
        item.disturbed = false;
        Ok(OutboxTurn::Yours(OutboxLease {
            record: request.record.clone(),
            target: request.target.clone(),
            nonce: request.nonce.clone(),
            last: item.last.clone(),
            took_over,
        }))
    }

    async fn finish_write(&self, lease: &OutboxLease, written: &Written) -> Result<(), StoreError> {
        let mut state = self.state();
        let item = state.outbox.entry((lease.record.clone(), lease.target.clone())).or_default();
        let is_holder = item.writing.as_ref().is_some_and(|(nonce, _)| *nonce == lease.nonce);
        if !is_holder || item.disturbed {
            let writing = item.writing.take().filter(|_| !is_holder);
            *item = OutItem { last: None, writing, disturbed: true };
            return Err(StoreError::FenceLost);
        }
        *item = OutItem { last: Some(written.clone()), writing: None, disturbed: false };
        Ok(())
    }

    async fn abandon_write(&self, lease: &OutboxLease) -> Result<(), StoreError> {
        let mut state = self.state();
        let item = state.outbox.entry((lease.record.clone(), lease.target.clone())).or_default();
        if item.writing.as_ref().is_some_and(|(nonce, _)| *nonce == lease.nonce) {
            item.writing = None;
        }
        Ok(())
    }

    async fn last_write(&self, record: &RecordId, target: &str) -> Result<Option<Written>, StoreError> {
        Ok(self.state().outbox.get(&(record.clone(), target.to_owned())).and_then(|item| item.last.clone()))
    }
}
