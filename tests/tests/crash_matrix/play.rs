use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::plan::{Call, CallOutcome, Skip};
use domain::record::RecordId;
use domain::signup::RunId;
use domain::units::{Credits, Millis};
use pipeline::memory::{Fate, Hook};
use pipeline::messages::LookupMessage;
use pipeline::ports::{Clock as _, QueueName};
use tests::sim::{Crash, START, Worker, World};
use tokio::task::JoinSet;

use crate::scenarios::Scenario;

/// What happens to a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It fails, or its reply is lost.
    Fails,
    /// The worker dies.
    Crashes,
    /// The worker stands still for longer than its lease lasts, and goes on.
    Stalls,
}

/// How soon the message comes again besides its own return after the visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    AfterVisibility,
    AtOnce,
    AfterTheLease,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Fails, Kind::Crashes, Kind::Stalls];
pub(crate) const AGAIN: [Again; 3] = [Again::AfterVisibility, Again::AtOnce, Again::AfterTheLease];
const STALL: Millis = Millis::seconds(45);
const LEASE_OVER: Millis = Millis::seconds(41);

/// The faults of one run of a scenario, by the index of the edge: a verb has one before its effect and one after.
struct Script {
    faults: Vec<(usize, Kind)>,
    dies_before: Mutex<Option<&'static str>>,
    edges: AtomicUsize,
    names: Mutex<Vec<&'static str>>,
    struck: Mutex<Vec<usize>>,
}

/// The hook of one invocation.
struct Edges {
    script: Arc<Script>,
    invocation: usize,
    crash: Crash,
}

impl Edges {
    async fn edge(&self, verb: &'static str) -> Fate {
        let script = &self.script;
        let edge = script.edges.fetch_add(1, Ordering::Relaxed);
        script.names.lock().unwrap().push(verb);
        let Some((_, kind)) = script.faults.iter().find(|(at, _)| *at == edge) else { return Fate::Go };
        script.struck.lock().unwrap().push(self.invocation);
        match kind {
            Kind::Fails => Fate::Fail,
            Kind::Crashes => self.crash.now().await,
            Kind::Stalls => {
                tokio::time::sleep(STALL.to_std()).await;
                Fate::Go
            }
        }
    }
}

#[async_trait]
impl Hook for Edges {
    async fn before(&self, verb: &'static str) -> Fate {
        let dies = self.script.dies_before.lock().unwrap().take_if(|dies| *dies == verb).is_some();
        if dies { self.crash.now().await } else { self.edge(verb).await }
    }

    async fn after(&self, verb: &'static str) -> Fate {
        self.edge(verb).await
    }
}

struct Quiet;

#[async_trait]
impl Hook for Quiet {
    async fn before(&self, _: &'static str) -> Fate {
        Fate::Go
    }

    async fn after(&self, _: &'static str) -> Fate {
        Fate::Go
    }
}

/// One run of a scenario.
struct Run {
    world: World,
    script: Arc<Script>,
    arrivals: VecDeque<(Millis, LookupMessage)>,
    accepted: BTreeSet<RunId>,
    /// What each invocation was given; the schedule's are given nothing.
    given: Vec<Option<(QueueName, String)>>,
    tasks: JoinSet<()>,
    next_tick: Millis,
}

impl Run {
    fn new(scenario: &Scenario, faults: Vec<(usize, Kind)>) -> Self {
        let script = Script {
            faults,
            dies_before: Mutex::new(scenario.dies_before),
            edges: AtomicUsize::default(),
            names: Mutex::default(),
            struck: Mutex::default(),
        };
        Self {
            world: World::new(scenario.plan()),
            script: Arc::new(script),
            arrivals: scenario.arrivals.iter().cloned().collect(),
            accepted: BTreeSet::new(),
            given: Vec::new(),
            tasks: JoinSet::new(),
            next_tick: Millis::minutes(1),
        }
    }

    async fn play(mut self, again: Again) -> End {
        loop {
            let now = self.world.clock.now().since(START);
            self.accept(now).await;
            self.hand_out().await;
            self.tick(now);
            self.deliver_again(again).await;
            while self.tasks.try_join_next().is_some() {}
            let is_idle = self.tasks.is_empty();
            if is_idle && self.arrivals.is_empty() && self.world.is_quiet() {
                break;
            }
            if now > Millis::hours(6) {
                self.world.ground.violated("it never ends");
                break;
            }
            let is_soon = self.arrivals.front().is_some_and(|(at, _)| *at <= Millis(now.0 + 2000));
            let pause = if is_idle && !is_soon { Millis(2000) } else { Millis(125) };
            tokio::time::sleep(pause.to_std()).await;
        }
        self.world.check_end(&self.accepted).await;
        let names = self.script.names.lock().unwrap().clone();
        end(&self.world, names, &self.accepted).await
    }

    async fn accept(&mut self, now: Millis) {
        let quiet: Arc<dyn Hook> = Arc::new(Quiet);
        while let Some((_, message)) = self.arrivals.pop_front_if(|(at, _)| *at <= now) {
            assert!(self.world.accept(&message, &quiet).await);
            self.accepted.insert(message.signup.run_id(&self.world.ground.key));
        }
    }

    async fn hand_out(&mut self) {
        for queue in QueueName::ALL {
            if self.world.ground.queue.waiting(queue) == 0 {
                continue;
            }
            let batch = self.world.receive(queue, 1).await;
            let Some(first) = batch.first() else { continue };
            let worker = self.worker(Some((queue, first.body.clone())));
            self.tasks.spawn(async move { drop(worker.invoke(queue, batch).await) });
        }
    }

    /// Every minute, and seldom once nothing can be overdue any more: a tick is a row of verbs like any other.
    fn tick(&mut self, now: Millis) {
        if now < self.next_tick {
            return;
        }
        self.next_tick = Millis(now.0 + if now < Millis::minutes(3) { 60_000 } else { 1_800_000 });
        let worker = self.worker(None);
        self.tasks.spawn(async move { worker.tick().await });
    }

    /// What struck an invocation makes the queue deliver its message once more.
    async fn deliver_again(&self, again: Again) {
        let struck = std::mem::take(&mut *self.script.struck.lock().unwrap());
        for (queue, body) in struck.into_iter().filter_map(|id| self.given[id].clone()) {
            match again {
                Again::AfterVisibility => {}
                Again::AtOnce => self.world.deliver_again(queue, &body, Millis(0)).await,
                Again::AfterTheLease => self.world.deliver_again(queue, &body, LEASE_OVER).await,
            }
        }
    }

    fn worker(&mut self, given: Option<(QueueName, String)>) -> Worker {
        let (crash, invocation) = (Crash::default(), self.given.len());
        self.given.push(given);
        let hook: Arc<dyn Hook> = Arc::new(Edges { script: self.script.clone(), invocation, crash: crash.clone() });
        self.world.worker(&hook, Millis(0), &crash)
    }
}

/// Where a run of a scenario ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    pub(crate) edges: Vec<&'static str>,
    pub(crate) violations: Vec<String>,
    /// The tracks of the records.
    pub(crate) routes: Vec<String>,
    /// What the CRM holds, without the owner, for a turn may be lost, and without the sources' names: a free one may be asked more.
    pub(crate) contacts: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) used: Credits,
    pub(crate) unknown: Credits,
    pub(crate) billed: Credits,
    /// Calls of which nobody knows the answer.
    pub(crate) lost_calls: usize,
    pub(crate) dead: usize,
}

async fn end(world: &World, edges: Vec<&'static str>, accepted: &BTreeSet<RunId>) -> End {
    let (violations, billed, dead) = (world.ground.violations(), world.ground.billed(), world.dead().await.len());
    let mut end = End { edges, violations, billed, dead, ..End::default() };
    let records: BTreeMap<RecordId, _> = world.ground.memory.records().into_iter().map(|record| (record.id.clone(), record)).collect();
    for decided in records.values().filter_map(|record| record.decided.as_ref()) {
        end.routes.push(decided.decision.route.track.as_str().to_owned());
    }
    end.routes.sort();
    for (email, contact) in world.contacts.all() {
        let mut values = contact.values.clone();
        values.remove("crm_owner_id");
        values.remove("enrichment_provider");
        end.contacts.insert(email, values);
    }
    for entry in world.ground.memory.reservations() {
        end.used = end.used.plus(entry.used());
        if entry.state == domain::credits::ReservationState::OutcomeUnknown {
            end.unknown = end.unknown.plus(entry.used());
        }
    }
    let runs = accepted.iter().filter_map(|run| world.ground.run(run));
    end.lost_calls = runs.map(|stored| lost(&stored.run.calls)).sum();
    end
}

/// The questions whose answer a run says it does not know: whose last call was lost, given up or never made for want of time.
fn lost(calls: &[Call]) -> usize {
    let last: BTreeMap<&str, &CallOutcome> = calls.iter().map(|call| (call.operation.as_str(), &call.outcome)).collect();
    let no_time = CallOutcome::NotMade { why: Skip::NoTimeLeft };
    let is_lost = |outcome: &CallOutcome| {
        matches!(outcome, CallOutcome::TimedOut | CallOutcome::Failed { .. } | CallOutcome::RateLimited { .. }) || *outcome == no_time
    };
    last.into_values().filter(|outcome| is_lost(outcome)).count()
}

/// Plays a scenario in a runtime of its own.
pub(crate) fn play_alone(scenario: &Scenario, faults: &[(usize, Kind)], again: Again) -> End {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { Run::new(scenario, faults.to_vec()).play(again).await })
}
