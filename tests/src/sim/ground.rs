use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::config::Config;
use domain::credits::{Balance, Reservation, ReservationId};
use domain::identity::HashKey;
use domain::signup::RunId;
use domain::units::{Credits, Timestamp};
use futures::FutureExt as _;
use pipeline::memory::{MemoryQueue, MemoryStore};
use pipeline::ports::{Ledger as _, Runs as _, Stage, StoredRun};

/// An operation and the hash of the key it is asked by.
pub(super) type Question = (String, String);

/// What really is, whatever the workers were told, and what was seen to be wrong with it.
pub struct Ground {
    /// The store itself.
    pub memory: Arc<MemoryStore>,
    /// The queues themselves.
    pub queue: Arc<MemoryQueue>,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The key under which people are hashed.
    pub key: Arc<HashKey>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    violations: Vec<String>,
    months: BTreeSet<String>,
    billed: Credits,
    arrived: BTreeMap<Question, u32>,
    reserved: BTreeMap<Question, u32>,
    entries: BTreeSet<ReservationId>,
    resolved: BTreeSet<ReservationId>,
    claims: BTreeMap<RunId, Claimed>,
    messages: BTreeMap<RunId, i64>,
}

/// The newest claim of a run.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub(super) fence: u64,
    pub(super) nonce: String,
    pub(super) at: Timestamp,
    pub(super) is_duplicate: bool,
}

impl Ground {
    pub(super) fn new(memory: Arc<MemoryStore>, queue: Arc<MemoryQueue>, config: Arc<Config>, key: Arc<HashKey>) -> Self {
        Self { memory, queue, config, key, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an invariant does not hold.
    pub fn violated(&self, what: impl Into<String>) {
        self.seen().violations.push(what.into());
    }

    /// What was wrong so far.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.seen().violations.clone()
    }

    /// What the providers have billed.
    #[must_use]
    pub fn billed(&self) -> Credits {
        self.seen().billed
    }

    /// The months somebody reserved or adjusted in.
    #[must_use]
    pub fn months(&self) -> BTreeSet<String> {
        self.seen().months.clone()
    }

    /// A month's balance.
    #[must_use]
    pub fn balance(&self, month: &str) -> Balance {
        let balance = self.memory.balance(month).now_or_never().expect("memory never waits");
        balance.expect("memory never fails").unwrap_or_default()
    }

    /// A run as it is stored.
    #[must_use]
    pub fn run(&self, id: &RunId) -> Option<StoredRun> {
        self.memory.read_run(id).now_or_never().expect("memory never waits").expect("memory never fails")
    }

    /// Whether a run has ended.
    #[must_use]
    pub fn is_done(&self, id: &RunId) -> bool {
        self.run(id).is_some_and(|stored| stored.stage == Stage::Done)
    }

    /// The provider bills.
    pub(super) fn bill(&self, amount: Credits) {
        {
            let mut seen = self.seen();
            seen.billed = seen.billed.plus(amount);
        }
        self.check_money("the provider billed");
    }

    /// A question arrives at a provider that bills for it; each needs a reservation of its own.
    pub(super) fn arrived(&self, question: Question) {
        let mut seen = self.seen();
        let reserved = seen.reserved.get(&question).copied().unwrap_or_default();
        let arrived = seen.arrived.entry(question.clone()).or_default();
        *arrived += 1;
        if *arrived > reserved {
            let text = format!("double: {} was called {arrived} times for {reserved} reservations", question.0);
            seen.violations.push(text);
        }
    }

    pub(super) fn reserved(&self, reservation: &Reservation) {
        let mut seen = self.seen();
        seen.months.insert(reservation.periods.month.clone());
        if !seen.entries.insert(reservation.id.clone()) {
            return;
        }
        *seen.reserved.entry((reservation.id.operation.clone(), reservation.answer.clone())).or_default() += 1;
    }

    /// Credits of this month were touched.
    pub fn touched(&self, month: &str) {
        self.seen().months.insert(month.to_owned());
    }

    /// An entry was resolved: for the first time, or I2 does not hold.
    pub(super) fn resolved(&self, id: &ReservationId) {
        let mut seen = self.seen();
        if !seen.resolved.insert(id.clone()) {
            let text = format!("I2: the reservation of {} attempt {} was resolved twice", id.operation, id.attempt);
            seen.violations.push(text);
        }
    }

    pub(super) fn claimed(&self, run: &RunId, claim: Claimed) {
        let mut seen = self.seen();
        let grows = seen.claims.get(run).is_none_or(|last| claim.fence > last.fence || claim.nonce == last.nonce);
        if !grows {
            seen.violations.push("I5: a fence did not grow".to_owned());
        }
        seen.claims.insert(run.clone(), claim);
    }

    pub(super) fn claim_of(&self, run: &RunId) -> Option<Claimed> {
        self.seen().claims.get(run).cloned()
    }

    /// Whether another run was said to have paid for this run's person.
    pub(super) fn is_duplicate(&self, run: &RunId, is_duplicate: bool) {
        if let Some(claim) = self.seen().claims.get_mut(run) {
            claim.is_duplicate = is_duplicate;
        }
    }

    /// A write with this fence landed.
    pub(super) fn landed(&self, verb: &str, run: &RunId, fence: u64) {
        let mut seen = self.seen();
        let newest = seen.claims.get(run).map_or(0, |claim| claim.fence);
        if fence < newest {
            seen.violations.push(format!("I5: {verb} landed with fence {fence}, the newest is {newest}"));
        }
    }

    /// A message of a run came into a lookup queue, or went.
    pub(super) fn message(&self, run: &RunId, change: i64) {
        let left = {
            let mut seen = self.seen();
            let count = seen.messages.entry(run.clone()).or_default();
            *count += change;
            *count
        };
        if left <= 0 && !self.is_done(run) && !self.is_poison(run) {
            self.violated("I4: a run's last message is deleted, and the run has not ended");
        }
    }

    fn is_poison(&self, run: &RunId) -> bool {
        self.memory.poison().iter().any(|poison| poison.why.contains(&run.to_string()))
    }

    /// I1, I3 and I7, which must hold at every instant.
    pub(super) fn check_money(&self, when: &str) {
        let mut taken = Credits::ZERO;
        let overdraft = self.config.limits.overdraft;
        for month in self.months() {
            let balance = self.balance(&month);
            if !balance.adds_up() {
                self.violated(format!("I1 after {when}: {balance:?}"));
            }
            if balance.available.plus(overdraft) < Credits::ZERO {
                self.violated(format!("overshoot after {when}: available {} with an overdraft of {overdraft}", balance.available));
            }
            taken = taken.plus(balance.reserved).plus(balance.used);
            self.check_usage(&month, &balance, when);
        }
        let billed = self.billed();
        if billed > taken {
            self.violated(format!("I3 after {when}: billed {billed}, counted {taken}"));
        }
    }

    fn check_usage(&self, month: &str, balance: &Balance, when: &str) {
        let days = self.memory.usage(month).now_or_never().expect("memory never waits").expect("memory never fails");
        let used = days.values().fold(Credits::ZERO, |sum, day| sum.plus(day.used));
        let taken = days.values().fold(Credits::ZERO, |sum, day| sum.plus(day.taken));
        if !days.values().all(domain::credits::Usage::adds_up) || used != balance.used || taken != balance.used.plus(balance.reserved) {
            self.violated(format!("I7 after {when}: the days used {used} and took {taken}, the month used {}", balance.used));
        }
    }
}
