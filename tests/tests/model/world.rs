//! A state of the model, and what can happen in it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use domain::units::{Millis, Timestamp};

use crate::job::{Event, Job, Outcome, Task};
use crate::setup::Faults;
use crate::shared::Shared;

/// The sweep leaves an entry alone until it is overdue by this much.
const SWEEP_MARGIN: Millis = Millis::seconds(30);

/// A worker's place in its job.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) job: Arc<Job>,
    pub(crate) events: Arc<Vec<Event>>,
    /// A hash of the job and all that happened to it.
    pub(crate) digest: u64,
    pub(crate) outcome: Arc<Outcome>,
}

/// A state of the world.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) shared: Shared,
    pub(crate) places: Vec<Option<Place>>,
    pub(crate) lives: Vec<u32>,
    pub(crate) left: Faults,
}

impl World {
    fn key(&self) -> (&Shared, Vec<Option<u64>>, &[u32], Faults) {
        let digests = self.places.iter().map(|place| place.as_ref().map(|place| place.digest)).collect();
        (&self.shared, digests, &self.lives, self.left)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.places.iter().all(Option::is_none)
    }

    /// Nobody is at work, and nothing will ever come.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_idle() && self.shared.queue.is_empty() && self.shared.accepted.iter().all(|accepted| *accepted) && self.sweep_at().is_none()
    }

    pub(crate) fn is_on(&self, task: &Task) -> bool {
        self.places.iter().flatten().any(|place| place.job.task == *task)
    }

    /// When the next open entry of the ledger is the sweep's.
    pub(crate) fn sweep_at(&self) -> Option<Timestamp> {
        let open = self.shared.stored.reservations.iter().filter(|entry| entry.is_open());
        open.map(|entry| entry.open_until.after(SWEEP_MARGIN)).min()
    }
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.key().hash(hasher);
    }
}

/// Shows what a reader of a counterexample wants to know.
impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stored = &self.shared.stored;
        f.debug_struct("World")
            .field("ms", &self.shared.now.since(self.shared.setup.start).0)
            .field("stages", &stored.stages)
            .field("reserved", &stored.balance.reserved)
            .field("used", &stored.balance.used)
            .field("billed", &self.shared.billed())
            .field("messages", &self.shared.queue.iter().map(|message| message.queue.as_str()).collect::<Vec<_>>())
            .field("contacts", &self.shared.contacts.values().collect::<Vec<_>>())
            .field("wrong", &self.shared.wrong)
            .finish_non_exhaustive()
    }
}

/// What can happen next.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A worker takes up a task; with the place of its message in the queue.
    Begin { worker: usize, task: Task, message: Option<usize> },
    /// A request of a worker takes effect, and the worker hears of it.
    Step { worker: usize, slot: usize, verb: &'static str },
    /// It takes effect, and the worker hears that it may have failed.
    Lose { worker: usize, slot: usize, verb: &'static str },
    /// A worker ends in the middle of its job.
    Crash { worker: usize },
    /// The queue delivers a message twice.
    Duplicate { message: usize },
    /// It becomes this late.
    Pass { until: Timestamp },
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Begin { worker, task, .. } => write!(f, "worker {worker} begins: {task:?}"),
            Self::Step { worker, verb, .. } => write!(f, "worker {worker}: {verb}"),
            Self::Lose { worker, verb, .. } => write!(f, "worker {worker}: {verb}, and the answer is lost"),
            Self::Crash { worker } => write!(f, "worker {worker} crashes"),
            Self::Duplicate { message } => write!(f, "message {message} is delivered twice"),
            Self::Pass { until } => write!(f, "time passes until {until}"),
        }
    }
}
