//! The model: workers, faults and time, and every order in which they can happen.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Mutex};

use domain::units::{Millis, Timestamp};
use stateright::{Model, Property};

use crate::job::{Event, Job, Outcome, Task};
use crate::setup::Setup;
use crate::shared::Shared;
use crate::world::{Action, Place, World};

/// How long a received message stays hidden; as in the template.
const VISIBILITY: Millis = Millis::minutes(6);

/// The chain from accept to write back.
pub(crate) struct Chain {
    pub(crate) setup: Arc<Setup>,
    /// Where each job stands after each history: replays are the expensive part.
    replays: Mutex<HashMap<u64, Arc<Outcome>>>,
}

impl Chain {
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup: Arc::new(setup), replays: Mutex::default() }
    }

    pub(crate) fn replays(&self) -> usize {
        self.replays.lock().unwrap().len()
    }

    fn outcome(&self, digest: u64, job: &Job, events: &[Event]) -> Arc<Outcome> {
        if let Some(known) = self.replays.lock().unwrap().get(&digest) {
            return known.clone();
        }
        let outcome = Arc::new(job.replay(&self.setup, events));
        self.replays.lock().unwrap().insert(digest, outcome.clone());
        outcome
    }

    fn begin(&self, world: &mut World, worker: usize, task: Task, message: Option<usize>) {
        world.lives[worker] += 1;
        let life = world.lives[worker];
        let now = world.shared.now;
        let receipt = message.map_or(0, |message| {
            let receipt = life * 10 + u32::try_from(worker).unwrap() + 1;
            let message = &mut world.shared.queue[message];
            (message.receipt, message.visible_at) = (receipt, now.after(VISIBILITY));
            receipt
        });
        world.shared.queue.sort();
        let job = Arc::new(Job { task, worker, life, receipt, begun: now });
        let digest = hash_of(&job);
        let outcome = self.outcome(digest, &job, &[]);
        self.put(world, Place { job, events: Arc::default(), digest, outcome });
    }

    /// Puts a worker in its place, or sets it free.
    fn put(&self, world: &mut World, place: Place) {
        let worker = place.job.worker;
        world.places[worker] = if place.outcome.is_done { None } else { Some(place) };
    }

    fn happen(&self, world: &mut World, worker: usize, event: Event) {
        let Some(place) = world.places[worker].take() else { return };
        // A sum: of requests that were made together, it does not matter which was answered first.
        let digest = place.digest.wrapping_add(match &event {
            Event::Answered(slot, answer) => hash_of(&(world.shared.now, slot, &answer.text)),
            Event::Late(at) => hash_of(at),
        });
        let mut events = place.events.as_ref().clone();
        events.push(event);
        let outcome = self.outcome(digest, &place.job, &events);
        self.put(world, Place { events: Arc::new(events), digest, outcome, ..place });
    }

    fn answer(&self, world: &mut World, worker: usize, slot: usize, is_lost: bool) -> Option<()> {
        let place = world.places[worker].as_ref()?;
        let request = place.outcome.requests.iter().find(|request| request.slot == slot)?.clone();
        world.shared.request = hash_of(&(place.digest, slot, world.shared.now));
        let answer = (request.effect)(&mut world.shared);
        let heard = if is_lost { request.lost? } else { answer };
        self.happen(world, worker, Event::Answered(slot, heard));
        Some(())
    }

    fn pass(&self, world: &mut World, until: Timestamp) {
        world.shared.now = until;
        world.shared.moments.retain(|moment| *moment > until);
        for worker in 0..world.places.len() {
            self.happen(world, worker, Event::Late(until));
        }
    }

    /// A signup comes in and nothing goes wrong.
    fn accept(&self, world: &mut World, signup: usize) {
        self.begin(world, 0, Task::Accept(signup), None);
        while let Some(place) = &world.places[0] {
            let slot = place.outcome.requests[0].slot;
            self.answer(world, 0, slot, false).expect("a request that waits");
        }
    }

    fn begin_actions(&self, world: &World, actions: &mut Vec<Action>) {
        // The workers are alike: the first that is idle takes what there is.
        let Some(worker) = world.places.iter().position(Option::is_none) else { return };
        for signup in 0..self.setup.signups.len() {
            let task = Task::Accept(signup);
            if !world.shared.accepted[signup] && !world.is_on(&task) {
                actions.push(Action::Begin { worker, task, message: None });
            }
        }
        for (index, message) in world.shared.queue.iter().enumerate() {
            let is_same_as_last = index > 0 && world.shared.queue[index - 1] == *message;
            if message.visible_at <= world.shared.now && !is_same_as_last {
                let task = Task::Message(message.queue, message.body.clone(), message.signup);
                actions.push(Action::Begin { worker, task, message: Some(index) });
            }
        }
        if world.sweep_at().is_some_and(|at| at < world.shared.now) && !world.is_on(&Task::Sweep) {
            actions.push(Action::Begin { worker, task: Task::Sweep, message: None });
        }
    }

    fn step_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for place in world.places.iter().flatten() {
            let worker = place.job.worker;
            let most = if self.setup.in_order { 1 } else { usize::MAX };
            for request in place.outcome.requests.iter().take(most) {
                let (slot, verb) = (request.slot, request.verb);
                actions.push(Action::Step { worker, slot, verb });
                let may_lose = if is_outside(verb) { world.left.hangs } else { world.left.lost };
                if request.lost.is_some() && may_lose > 0 {
                    actions.push(Action::Lose { worker, slot, verb });
                }
            }
            if world.left.crashes > 0 {
                actions.push(Action::Crash { worker });
            }
        }
    }

    fn time_actions(&self, world: &World, actions: &mut Vec<Action>) {
        let now = world.shared.now;
        let hidden = world.shared.queue.iter().map(|message| message.visible_at).filter(|at| *at > now);
        // A moment later, for what ends at a moment still holds at it.
        let after = |at: Timestamp| Action::Pass { until: at.after(Millis(1)) };
        if world.is_idle() {
            let is_waited_for =
                world.shared.queue.iter().all(|message| message.visible_at > now) && world.shared.accepted.iter().all(|yes| *yes);
            let next = hidden.chain(world.sweep_at().filter(|at| *at >= now)).min();
            actions.extend(next.filter(|_| is_waited_for).map(after));
        } else if world.left.stalls > 0 {
            let mut moments: Vec<Timestamp> = hidden.chain(world.shared.moments.iter().copied()).chain(world.sweep_at()).collect();
            moments.retain(|at| *at >= now);
            moments.sort();
            moments.dedup();
            actions.extend(moments.into_iter().map(after));
        }
    }
}

/// Whether a request leaves the house.
fn is_outside(verb: &str) -> bool {
    matches!(verb, "look_up" | "upsert")
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Model for Chain {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let workers = self.setup.workers;
        let shared = Shared::new(self.setup.clone());
        let mut world = World { shared, places: vec![None; workers], lives: vec![0; workers], left: self.setup.faults };
        if self.setup.is_accepted {
            (0..self.setup.signups.len()).for_each(|signup| self.accept(&mut world, signup));
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.step_actions(world, actions);
        self.begin_actions(world, actions);
        self.time_actions(world, actions);
        if world.left.duplicates > 0 {
            actions.extend((0..world.shared.queue.len()).map(|message| Action::Duplicate { message }));
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        match action {
            Action::Begin { worker, task, message } => self.begin(&mut world, worker, task, message),
            Action::Step { worker, slot, .. } => self.answer(&mut world, worker, slot, false)?,
            Action::Lose { worker, slot, verb } => {
                let left = if is_outside(verb) { &mut world.left.hangs } else { &mut world.left.lost };
                *left -= 1;
                self.answer(&mut world, worker, slot, true)?;
            }
            Action::Crash { worker } => {
                world.left.crashes -= 1;
                world.places[worker] = None;
            }
            Action::Duplicate { message } => {
                world.left.duplicates -= 1;
                let mut again = world.shared.queue[message].clone();
                (again.receipt, again.visible_at) = (0, world.shared.now);
                world.shared.queue.push(again);
                world.shared.queue.sort();
            }
            Action::Pass { until } => {
                world.left.stalls -= u8::from(!world.is_idle());
                self.pass(&mut world, until);
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        crate::properties::all()
    }
}
