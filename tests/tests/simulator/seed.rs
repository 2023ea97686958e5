use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use domain::credits::{Adjustment, Limits};
use domain::plan::{CallOutcome, Skip};
use domain::priority::Priority;
use domain::signup::{Arrival, RunId};
use domain::units::{Credits, Millis};
use pipeline::memory::Hook;
use pipeline::messages::LookupMessage;
use pipeline::ports::{Clock as _, QueueName};
use tests::sim::{Crash, Person, Plan, START, Weakness, Worker, World};

use crate::dice::{Chaos, Dice};

/// Signups come in, and things go wrong, for this long.
const TROUBLE: Millis = Millis::minutes(25);
/// What has not ended by then never will: a silent CRM is asked again for hours.
const PATIENCE: Millis = Millis::hours(24);
/// Workers' clocks are wrong by at most this much either way, so that two differ by no more than the product allows for.
const SKEW: u32 = 2500;
const LOOKUP_WORKERS: usize = 5;
const WRITEBACK_WORKERS: usize = 2;

/// What happened in one seed, or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) signups: usize,
    pub(crate) deliveries: usize,
    pub(crate) faults: u64,
    /// Dead letters, all of which were sent again.
    pub(crate) dead: usize,
    pub(crate) poison: usize,
    pub(crate) capped: usize,
    /// Runs that were decided and replayed from what is stored of them.
    pub(crate) replayed: usize,
    pub(crate) violations: Vec<String>,
}

impl Told {
    pub(crate) fn add(&mut self, other: &Self) {
        self.signups += other.signups;
        self.deliveries += other.deliveries;
        self.faults += other.faults;
        self.dead += other.dead;
        self.poison += other.poison;
        self.capped += other.capped;
        self.replayed += other.replayed;
    }
}

/// Plays a seed to its end, or with a safeguard switched off to the first violation.
pub(crate) fn play(seed: u64, signups: usize, weakness: Option<Weakness>) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let told = runtime.block_on(async { Seed::new(seed, weakness).play(signups).await });
    runtime.shutdown_background();
    told
}

struct Seed {
    world: Arc<World>,
    dice: Arc<Dice>,
    is_over: Arc<AtomicBool>,
    accepted: Arc<Mutex<BTreeSet<RunId>>>,
    stops_early: bool,
}

impl Seed {
    fn new(seed: u64, weakness: Option<Weakness>) -> Self {
        let dice = Dice::of_seed(seed);
        let (for_vendor, for_crm) = (dice.clone(), dice.clone());
        let plan =
            Plan { limits: limits(&dice), vendor: Box::new(move |_| for_vendor.conduct()), crm: Box::new(move || for_crm.crm()), weakness };
        let world = Arc::new(World::new(plan));
        Self { world, dice, is_over: Arc::default(), accepted: Arc::default(), stops_early: weakness.is_some() }
    }

    async fn play(self, signups: usize) -> Told {
        let deliveries = self.send(signups);
        for _ in 0..LOOKUP_WORKERS {
            self.start_worker(&Priority::ALL.map(QueueName::Lookup));
        }
        for _ in 0..WRITEBACK_WORKERS {
            self.start_worker(&[QueueName::Writeback]);
        }
        self.start_sweep();
        self.start_adjusting();
        self.wait().await;
        let dead = self.world.redrive().await;
        self.wait().await;
        self.is_over.store(true, Ordering::Relaxed);
        let accepted = self.accepted.lock().unwrap().clone();
        let replayed = if self.may_stop() { 0 } else { self.world.check_end(&accepted).await };
        Told { replayed, ..self.tell(signups, deliveries, dead, &accepted) }
    }

    fn tell(&self, signups: usize, deliveries: usize, dead: usize, accepted: &BTreeSet<RunId>) -> Told {
        let ground = &self.world.ground;
        let calls = accepted.iter().filter_map(|run| ground.run(run)).flat_map(|stored| stored.run.calls);
        let is_capped = |outcome: &CallOutcome| matches!(outcome, CallOutcome::NotMade { why: Skip::Cap { .. } });
        Told {
            signups,
            deliveries,
            faults: self.dice.faults(),
            dead,
            poison: ground.memory.poison().len(),
            capped: calls.filter(|call| is_capped(&call.outcome)).count(),
            replayed: 0,
            violations: ground.violations(),
        }
    }

    /// Whether what was to be found is found.
    fn may_stop(&self) -> bool {
        self.stops_early && !self.world.ground.violations().is_empty()
    }

    /// Until all is quiet, or something is wrong that was meant to be.
    async fn wait(&self) {
        let mut passed = Millis(0);
        while (passed < TROUBLE || !self.world.is_quiet()) && !self.may_stop() {
            if passed >= TROUBLE {
                self.dice.calm_down();
            }
            if passed > PATIENCE {
                self.world.ground.violated("it never ends");
                return;
            }
            tokio::time::sleep(Millis::seconds(5).to_std()).await;
            passed = self.world.clock.now().since(START);
        }
    }

    /// Draws the signups and sends each in its time; how many deliveries that makes.
    fn send(&self, signups: usize) -> usize {
        let mut deliveries = 0;
        for number in 0..signups {
            let at = self.dice.span(0, 20 * 60_000);
            let message = self.draw(number, at);
            // A sender that heard nothing sends again, and some send twice for no reason at all.
            let times = if self.dice.roll(0, 10) == 0 { 2 } else { 1 };
            for _ in 0..times {
                deliveries += 1;
                self.start_sending(message.clone(), Millis(at.0 + self.dice.span(0, 40_000).0));
            }
        }
        deliveries
    }

    fn draw(&self, number: usize, at: Millis) -> LookupMessage {
        let company = self.dice.roll(0, 40);
        let person = Person { number: self.dice.roll(0, 10), company };
        let message = person.signs_up(&format!("d{number}"), self.dice.one_of(&Arrival::ALL), START.after(at));
        let waits = self.dice.roll(0, 10) == 0;
        LookupMessage { answer_by: waits.then(|| START.after(at).after(Millis::seconds(2))), ..message }
    }

    fn start_sending(&self, message: LookupMessage, at: Millis) {
        let (world, accepted, dice) = (self.world.clone(), self.accepted.clone(), self.dice.clone());
        tokio::spawn(async move {
            tokio::time::sleep(at.to_std()).await;
            // Nobody but Lambda kills the webhook; a crash there is an error to the sender.
            let hook: Arc<dyn Hook> = Arc::new(Chaos { dice: dice.clone(), crash: Crash::default() });
            for _ in 0..5 {
                let sent = tokio::time::timeout(Millis::seconds(10).to_std(), world.accept(&message, &hook)).await;
                if sent == Ok(true) {
                    accepted.lock().unwrap().insert(message.signup.run_id(&world.ground.key));
                    return;
                }
                tokio::time::sleep(dice.span(1000, 20_000).to_std()).await;
            }
        });
    }

    fn worker(&self) -> Worker {
        let crash = Crash::default();
        let hook: Arc<dyn Hook> = Arc::new(Chaos { dice: self.dice.clone(), crash: crash.clone() });
        let skew = Millis(i64::from(self.dice.roll(0, 2 * SKEW + 1)) - i64::from(SKEW));
        self.world.worker(&hook, skew, &crash)
    }

    fn start_worker(&self, queues: &[QueueName]) {
        let (world, worker, dice, is_over) = (self.world.clone(), self.worker(), self.dice.clone(), self.is_over.clone());
        let queues = queues.to_vec();
        tokio::spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                for queue in &queues {
                    if world.ground.queue.waiting(*queue) == 0 {
                        continue;
                    }
                    let batch = world.receive(*queue, dice.roll(1, 11) as usize).await;
                    // Some are handed to a worker that never was: they come again after their visibility.
                    if !batch.is_empty() && !dice.is_bad(30) {
                        worker.invoke(*queue, batch).await;
                    }
                }
                tokio::time::sleep(dice.span(200, 1500).to_std()).await;
            }
        });
    }

    fn start_sweep(&self) {
        let (worker, is_over) = (self.worker(), self.is_over.clone());
        tokio::spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                tokio::time::sleep(Millis::seconds(20).to_std()).await;
                worker.tick().await;
            }
        });
    }

    /// A person who adds and takes credits, and does it again when there was no answer.
    fn start_adjusting(&self) {
        let (worker, dice, clock) = (self.worker(), self.dice.clone(), self.world.clock.clone());
        let allocation = self.world.ground.config.limits.allocation;
        tokio::spawn(async move {
            for number in 0..6 {
                tokio::time::sleep(dice.span(60_000, 200_000).to_std()).await;
                let (month, amount) = (clock.now().month(), Credits::whole(i64::from(dice.roll(0, 60)) - 30));
                let adjustment = Adjustment { id: format!("a{number}"), month, amount, because: "a test".into(), at: clock.now() };
                for _ in 0..3 {
                    let adjusting = worker.sweep.store.adjust(&adjustment, allocation);
                    if matches!(tokio::time::timeout(Millis::seconds(10).to_std(), adjusting).await, Ok(Ok(_))) {
                        break;
                    }
                }
            }
        });
    }
}

/// Small caps, so that they are reached.
fn limits(dice: &Dice) -> Limits {
    let whole = |choices: &[i64]| Credits::whole(dice.one_of(choices));
    let some = |choices: &[i64]| Some(whole(choices)).filter(|cap| *cap > Credits::ZERO);
    let mut limits = Limits { allocation: whole(&[40, 150, 400, 2000]), overdraft: whole(&[0, 0, 20]), ..Limits::default() };
    limits.day = some(&[0, 60, 250]);
    limits.week = some(&[0, 0, 300]);
    limits.provider.extend(some(&[0, 0, 200]).map(|cap| ("crustdata".to_owned(), cap)));
    limits.rule.extend(some(&[0, 30]).map(|cap| ("free_tier".to_owned(), cap)));
    limits
}
