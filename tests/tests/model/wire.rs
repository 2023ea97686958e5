//! Where a step function meets the model: every request to a port waits here until the model answers it.
//!
//! A request is an effect on the shared world, not yet carried out. The model chooses which one happens next, applies it as one
//! atomic step, and hands the answer in. A recorded answer is all that is needed to bring the function to the same place again.

use std::any::Any;
use std::fmt::Debug;
use std::future::poll_fn;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use domain::credits::{Bounds, Reservation};
use domain::units::Timestamp;
use pipeline::ports::{Clock, Entropy, Lease};

use crate::breakage::Breakage;
use crate::shared::Shared;

/// What became of a request: its value, and the text by which the model tells one answer from another.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) text: Arc<str>,
    value: Arc<dyn Any + Send + Sync>,
}

impl Answer {
    pub(crate) fn new<T: Debug + Send + Sync + 'static>(value: T) -> Self {
        Self { text: format!("{value:?}").into(), value: Arc::new(value) }
    }
}

type Effect = Arc<dyn Fn(&mut Shared) -> Answer + Send + Sync>;

/// A request that waits for its answer.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) slot: usize,
    pub(crate) verb: &'static str,
    /// What it does to the world.
    pub(crate) effect: Effect,
    /// What the caller hears when the answer is lost; none where nobody can lose it.
    pub(crate) lost: Option<Answer>,
}

enum Slot {
    Waiting(Request),
    Answered(Answer),
    /// The answer was taken, or nobody waits for it any more.
    Closed,
}

/// The requests of one job, in the order in which they were made.
pub(crate) struct Wire {
    slots: Mutex<Vec<Slot>>,
    now: AtomicI64,
    worker: usize,
    life: u32,
    names: AtomicU32,
    pub(crate) broken: Option<Breakage>,
    pub(crate) receipt: u32,
    /// What a broken port has put off.
    pub(crate) put_off: Mutex<PutOff>,
}

/// The memory of the broken ports.
#[derive(Default)]
pub(crate) struct PutOff {
    pub(crate) mark: Option<(Lease, Reservation, Bounds)>,
    pub(crate) send: Option<Effect>,
}

impl Wire {
    pub(crate) fn new(worker: usize, life: u32, receipt: u32, now: Timestamp, broken: Option<Breakage>) -> Self {
        Self {
            slots: Mutex::default(),
            now: AtomicI64::new(now.millis()),
            worker,
            life,
            names: AtomicU32::new(0),
            broken,
            receipt,
            put_off: Mutex::default(),
        }
    }

    pub(crate) fn set_now(&self, now: Timestamp) {
        self.now.store(now.millis(), Ordering::Relaxed);
    }

    /// Makes a request and waits for its answer.
    pub(crate) async fn ask<T>(&self, verb: &'static str, lost: Option<T>, effect: impl Fn(&mut Shared) -> T + Send + Sync + 'static) -> T
    where
        T: Clone + Debug + Send + Sync + 'static,
    {
        let effect: Effect = Arc::new(move |shared| Answer::new(effect(shared)));
        let asked = Asked { wire: self, slot: self.register(verb, effect, lost.map(Answer::new)) };
        poll_fn(|_| match asked.take() {
            Some(answer) => Poll::Ready(answer.value.downcast_ref::<T>().expect("the type that was asked for").clone()),
            None => Poll::Pending,
        })
        .await
    }

    fn register(&self, verb: &'static str, effect: Effect, lost: Option<Answer>) -> usize {
        let mut slots = self.slots.lock().unwrap();
        let slot = slots.len();
        slots.push(Slot::Waiting(Request { slot, verb, effect, lost }));
        slot
    }

    /// Hands an answer in.
    pub(crate) fn answer(&self, slot: usize, answer: Answer) {
        self.slots.lock().unwrap()[slot] = Slot::Answered(answer);
    }

    /// The requests that wait, the oldest first.
    pub(crate) fn waiting(&self) -> Vec<Request> {
        let slots = self.slots.lock().unwrap();
        slots.iter().filter_map(|slot| if let Slot::Waiting(request) = slot { Some(request.clone()) } else { None }).collect()
    }
}

impl Clock for Wire {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }
}

impl Entropy for Wire {
    fn name(&self) -> String {
        format!("worker-{}-life-{}-name-{}", self.worker, self.life, self.names.fetch_add(1, Ordering::Relaxed))
    }
}

/// A request in the hands of whoever made it; given up with the future that waits for it.
struct Asked<'a> {
    wire: &'a Wire,
    slot: usize,
}

impl Asked<'_> {
    fn take(&self) -> Option<Answer> {
        let slot = &mut self.wire.slots.lock().unwrap()[self.slot];
        match std::mem::replace(slot, Slot::Closed) {
            Slot::Answered(answer) => Some(answer),
            waiting => {
                *slot = waiting;
                None
            }
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.wire.slots.lock().unwrap()[self.slot] = Slot::Closed;
    }
}
