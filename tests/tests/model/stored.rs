//! What the store holds, and what the properties ask of it: worked out once for every content.

use domain::credits::{Balance, Reservation};
use domain::gate::Verdict;
use domain::record::Record;
use domain::units::Credits;
use domain::writeback::properties;
use pipeline::memory::MemoryStore;
use pipeline::ports::{Ledger as _, Runs as _, Stage};

use crate::setup::{Expected, Setup};
use crate::shared::now_or_never;

/// A store that changes no more.
pub(crate) struct Stored {
    pub(crate) store: MemoryStore,
    pub(crate) fingerprint: u64,
    /// By signup; none before its run was claimed.
    pub(crate) stages: Vec<Option<Stage>>,
    pub(crate) balance: Balance,
    pub(crate) reservations: Vec<Reservation>,
    /// Paid calls that ended, as the days count them.
    pub(crate) calls_counted: u64,
    /// I7.
    pub(crate) usage_adds_up: bool,
    /// What the CRM should hold by the newest decisions.
    pub(crate) expected: Vec<Expected>,
}

impl Stored {
    pub(crate) fn of(store: MemoryStore, setup: &Setup) -> Self {
        let month = setup.start.month();
        let balance = now_or_never(store.balance(&month)).unwrap().unwrap_or_else(|| Balance::opened(setup.config.limits.allocation));
        let usage = now_or_never(store.usage(&month)).unwrap();
        let used = usage.values().fold(Credits::ZERO, |sum, day| sum.plus(day.used));
        let stage = |id| now_or_never(store.read_run(id)).unwrap().map(|stored| stored.stage);
        Self {
            fingerprint: store.fingerprint(),
            stages: setup.signups.iter().map(|signup| stage(&signup.run)).collect(),
            calls_counted: usage.values().map(|day| day.calls).sum(),
            usage_adds_up: used == balance.used && usage.values().all(domain::credits::Usage::adds_up),
            balance,
            reservations: store.reservations(),
            expected: store.records().iter().filter_map(|record| expected(record, setup)).collect(),
            store,
        }
    }

    /// What the ledger's entries come to: reserved and used.
    pub(crate) fn rebuilt(&self) -> (Credits, Credits) {
        let sum = |of: fn(&Reservation) -> Credits| self.reservations.iter().map(of).fold(Credits::ZERO, Credits::plus);
        (sum(|entry| entry.taken().reserved), sum(Reservation::used))
    }
}

fn expected(record: &Record, setup: &Setup) -> Option<Expected> {
    let decided = record.decided.as_ref().filter(|decided| decided.decision.gate.verdict == Verdict::Pass)?;
    let facts = record.facts_as_decided(&setup.config.schema, &setup.config.trust);
    let signup = setup.signup_of(&decided.run);
    let properties = properties(setup.config.crm.as_ref()?, &setup.config, &facts, &decided.decision);
    Some(Expected { signup, address: setup.signups[signup].address.clone(), properties })
}
