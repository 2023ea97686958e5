use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use domain::config::{Config, Sources};
use domain::credits::Limits;
use domain::gate::Verdict;
use domain::identity::HashKey;
use domain::plan::Until;
use domain::record::Record;
use domain::replay::replay;
use domain::run::Run;
use domain::schema::Field;
use domain::signup::RunId;
use domain::units::{Credits, Millis, Timestamp};
use domain::writeback::properties;
use pipeline::enrich::{Desks, Enrich};
use pipeline::memory::{CountingEntropy, Faulty, Hook, MemoryQueue, MemoryStore, TokioClock};
use pipeline::messages::{LookupMessage, to_body};
use pipeline::ports::{Clock, Crm, Provider, Queue, QueueName, Received, RunLog as _, Stage, Store, StoreError, StoredRun};
use pipeline::sweep::Sweep;
use pipeline::write_back::WriteBack;

use super::audited_queue::AuditedQueue;
use super::audited_store::AuditedStore;
use super::contacts::{Contacts, CrmConduct};
use super::ground::Ground;
use super::lambda::{Crash, VISIBILITY, Worker};
use super::vendor::{Behaves, Conduct, Vendor};
use super::weakness::Weakness;

/// Twenty minutes before a day, a week and a month end.
pub const START: Timestamp = Timestamp::from_millis(1_796_081_400_000);
/// How often the queue hands a message out before it is a dead letter.
const RECEIVES_MAX: u32 = 5;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let read = |path: &str| (path.to_owned(), std::fs::read_to_string(folder.join(path)).expect("the repository's own file"));
    let names = ["crustdata.company", "crustdata.person", "dns", "dns.address", "email", "rdap", "website"];
    let connectors = names.map(|name| read(&format!("connectors/{name}.yaml")));
    let rules = ["millrace.yaml", "presets/signup.yaml", "presets/seed.yaml"].map(read);
    let sources = Sources::new(rules.into_iter().chain(connectors));
    let mut config = connectors::configure_for_use(&sources).expect("the repository's own configuration").0;
    // Every call that can be made is one more place where something can go wrong.
    config.plan.until = Until::Everything;
    config
});

/// What is special about a world.
pub struct Plan {
    /// What may be spent.
    pub limits: Limits,
    /// How providers behave.
    pub vendor: Behaves,
    /// How the CRM behaves.
    pub crm: Box<dyn Fn() -> CrmConduct + Send + Sync>,
    /// The safeguard that is switched off.
    pub weakness: Option<Weakness>,
}

impl Default for Plan {
    fn default() -> Self {
        let vendor = Box::new(|_: &str| Conduct::Answer(Millis(300)));
        let crm = Box::new(|| CrmConduct::Writes(Millis(100)));
        let limits = Limits { allocation: Credits::whole(1000), ..Limits::default() };
        Self { limits, vendor, crm, weakness: None }
    }
}

/// All that the workers share.
pub struct World {
    /// What really is.
    pub ground: Arc<Ground>,
    /// The true time.
    pub clock: Arc<TokioClock>,
    /// The CRM.
    pub contacts: Arc<Contacts>,
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    vendor: Arc<dyn Provider>,
    entropy: Arc<CountingEntropy>,
    weakness: Option<Weakness>,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let clock = Arc::new(TokioClock::starting_at(START));
        let (memory, queue) = (Arc::new(MemoryStore::default()), Arc::new(MemoryQueue::new(clock.clone(), RECEIVES_MAX)));
        let config = Arc::new(Config { limits: plan.limits, ..CONFIG.clone() });
        let key = Arc::new(HashKey::new(vec![7; 32]).expect("long enough"));
        let ground = Arc::new(Ground::new(memory, queue, config, key));
        Self {
            store: Arc::new(AuditedStore::new(ground.clone(), plan.weakness)),
            queue: Arc::new(AuditedQueue::new(ground.clone(), plan.weakness)),
            vendor: Arc::new(Vendor { ground: ground.clone(), behaves: plan.vendor }),
            contacts: Arc::new(Contacts { behaves: plan.crm, kept: Arc::default() }),
            entropy: Arc::default(),
            weakness: plan.weakness,
            clock,
            ground,
        }
    }

    /// A worker whose every verb asks `hook`, whose clock is wrong by `skew`, and that `crash` kills.
    #[must_use]
    pub fn worker(&self, hook: &Arc<dyn Hook>, skew: Millis, crash: &Crash) -> Worker {
        let store: Arc<dyn Store> = Faulty::new(self.store.clone(), hook.clone());
        let queue: Arc<dyn Queue> = Faulty::new(self.queue.clone(), hook.clone());
        let provider: Arc<dyn Provider> = Faulty::new(self.vendor.clone(), hook.clone());
        let contacts: Arc<dyn Crm> = self.contacts.clone();
        let crm: Arc<dyn Crm> = Faulty::new(contacts, hook.clone());
        let clock: Arc<dyn Clock> = Arc::new(Skewed { clock: self.clock.clone(), skew });
        let (config, key, entropy) = (self.ground.config.clone(), self.ground.key.clone(), self.entropy.clone());
        let write_back = WriteBack {
            store: store.clone(),
            queue: queue.clone(),
            crm,
            clock: clock.clone(),
            entropy: entropy.clone(),
            config: config.clone(),
        };
        let sweep = Sweep { store: store.clone(), clock: clock.clone(), config: config.clone() };
        let enrich = Enrich { store, queue: queue.clone(), provider, clock, entropy, config, key, versions: None, desks: Desks::default() };
        Worker { enrich, write_back, sweep, queue, crash: crash.clone() }
    }

    /// Accepts a signup as the webhook does: the message first, then the 2xx. False when the sender hears an error.
    pub async fn accept(&self, message: &LookupMessage, hook: &Arc<dyn Hook>) -> bool {
        let queue = Faulty::new(self.queue.clone(), hook.clone());
        let body = to_body(message).expect("messages can be written");
        let sent = queue.send(message.queue(), &body, Millis(0)).await;
        sent.is_ok() || self.weakness == Some(Weakness::AcceptBeforeSend)
    }

    /// Receives up to `most` messages without a fault.
    pub async fn receive(&self, queue: QueueName, most: usize) -> Vec<Received> {
        self.queue.receive(queue, most, VISIBILITY).await.unwrap_or_default()
    }

    /// Puts a message into its queue once more, as an at-least-once queue may.
    pub async fn deliver_again(&self, queue: QueueName, body: &str, delay: Millis) {
        drop(self.queue.send(queue, body, delay).await);
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let waits = QueueName::ALL.iter().any(|queue| self.ground.queue.waiting(*queue) > 0);
        !waits && !self.ground.memory.reservations().iter().any(domain::credits::Reservation::is_open)
    }

    /// The dead letters of all queues.
    pub async fn dead(&self) -> Vec<String> {
        let mut dead = Vec::new();
        for queue in QueueName::ALL {
            dead.extend(self.ground.queue.dead_letters(queue).await.unwrap_or_default().into_iter().map(|letter| letter.body));
        }
        dead
    }

    /// Sends every dead letter again, as an operator does; how many there were.
    pub async fn redrive(&self) -> usize {
        let mut sent = 0;
        for queue in QueueName::ALL {
            for letter in self.ground.queue.dead_letters(queue).await.unwrap_or_default() {
                self.deliver_again(queue, &letter.body, Millis(0)).await;
                drop(self.queue.delete_dead_letter(queue, &letter.receipt).await);
                sent += 1;
            }
        }
        sent
    }

    /// What must hold when all is quiet: nothing lost, nothing twice, the CRM right, the balance that of the logs, every decision
    /// what its log comes to; how many runs were replayed.
    pub async fn check_end(&self, accepted: &BTreeSet<RunId>) -> usize {
        let dead = self.dead().await;
        self.check_lost(accepted, &dead);
        self.check_contacts(&dead);
        self.check_logs();
        self.ground.check_money("the end");
        self.check_replays().await
    }

    /// Every run with a decision is made again from what is stored of it, as text like the real store has it.
    async fn check_replays(&self) -> usize {
        let (ground, mut replayed) = (&self.ground, 0);
        let mut see = |stored: Result<StoredRun, StoreError>| {
            let run = stored.expect("memory never fails").run;
            if run.decisions.is_empty() {
                return;
            }
            let text = serde_json::to_string(&run).expect("a log can be written");
            let read: Run = serde_json::from_str(&text).expect("a log can be read");
            replayed += 1;
            match replay(&read, &ground.config) {
                Ok(same) if same.differences.is_empty() && same.skipped.is_empty() && read == run => {}
                Ok(other) => ground.violated(format!("replay: run {} differs: {other:?}", run.id)),
                Err(error) => ground.violated(format!("replay: run {}: {error}", run.id)),
            }
        };
        ground.memory.each_run(&mut see).await.expect("memory never fails");
        replayed
    }

    fn check_lost(&self, accepted: &BTreeSet<RunId>, dead: &[String]) {
        let dead_runs: BTreeSet<RunId> = dead
            .iter()
            .filter_map(|body| pipeline::messages::from_body::<LookupMessage>(body).ok())
            .map(|message| message.signup.run_id(&self.ground.key))
            .collect();
        for run in accepted {
            if !self.ground.is_done(run) && !dead_runs.contains(run) {
                self.ground.violated(format!("lost: run {run} stands at {:?}", self.ground.run(run).map(|stored| stored.stage)));
            }
        }
    }

    fn check_contacts(&self, dead: &[String]) {
        let contacts = self.contacts.all();
        let plan = self.ground.config.crm.as_ref().expect("a CRM is configured");
        for record in self.ground.memory.records() {
            let is_dead = dead.iter().any(|body| body.contains(&record.id.0));
            let Some((email, decided)) = self.wanted(&record).filter(|_| !is_dead) else { continue };
            let facts = record.facts_as_decided(&self.ground.config.schema, &self.ground.config.trust);
            let wanted = properties(plan, &self.ground.config, &facts, &decided);
            let Some(contact) = contacts.get(&email) else {
                self.ground.violated(format!("lost: a decided lead is not in the CRM: {}", self.origin(&record)));
                continue;
            };
            let differs = wanted.iter().find(|(name, value)| contact.values.get(*name) != Some(*value));
            if let Some((name, value)) = differs {
                let held = contact.values.get(name);
                self.ground.violated(format!("crm: {name} is {held:?}, the newest decision says {value}: {}", self.origin(&record)));
            }
        }
        if contacts.values().any(|contact| contact.created > 1) {
            self.ground.violated("double: a contact was created twice");
        }
        let records = self.ground.memory.records();
        let addresses: BTreeSet<String> = records.iter().filter_map(|record| address(record, &self.ground.config)).collect();
        if addresses.len() != records.len() {
            self.ground.violated("double: two records of one person");
        }
    }

    /// Who made the newest decision, for whoever has to find out.
    fn origin(&self, record: &Record) -> String {
        let Some(decided) = &record.decided else { return "nobody decided".to_owned() };
        let stored = self.ground.run(&decided.run);
        let (stage, own) = stored.map_or((None, None), |stored| (Some(stored.stage), stored.run.decision().map(|own| own.seq)));
        format!("decision {} of run {}, which stands at {stage:?} with decision {own:?}", decided.decision.seq, decided.run)
    }

    fn wanted(&self, record: &Record) -> Option<(String, domain::decision::Decision)> {
        let decided = record.decided.as_ref().filter(|decided| decided.decision.gate.verdict == Verdict::Pass)?;
        Some((address(record, &self.ground.config)?, decided.decision.clone()))
    }

    /// I8: what ended runs say they cost, and the entries of those that have not ended, are the balance.
    fn check_logs(&self) {
        let mut by_run: BTreeMap<RunId, Credits> = BTreeMap::new();
        for entry in self.ground.memory.reservations() {
            let sum = by_run.entry(entry.id.run.clone()).or_default();
            *sum = sum.plus(entry.taken().taken());
        }
        for (run, taken) in by_run {
            let Some(stored) = self.ground.run(&run).filter(|stored| stored.stage == Stage::Done) else { continue };
            if stored.run.cost() != taken {
                let calls: Vec<String> =
                    stored.run.calls.iter().map(|call| format!("{} {:?} {}", call.operation, call.outcome, call.cost)).collect();
                let entries: Vec<String> = self.entries(&run);
                let cost = stored.run.cost();
                self.ground.violated(format!("I8: the log says {cost}, the ledger {taken}: calls {calls:?}, entries {entries:?}"));
            }
        }
    }

    fn entries(&self, run: &RunId) -> Vec<String> {
        let entries = self.ground.memory.reservations();
        let mine = entries.iter().filter(|entry| entry.id.run == *run);
        mine.map(|entry| format!("{} {} {:?}", entry.id.operation, entry.id.attempt, entry.state)).collect()
    }
}

fn address(record: &Record, config: &Config) -> Option<String> {
    let facts = record.facts_as_decided(&config.schema, &config.trust);
    Some(facts.get(&Field::known("contact.email"))?.value.to_string())
}

/// A clock that is wrong.
struct Skewed {
    clock: Arc<TokioClock>,
    skew: Millis,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.clock.now().after(self.skew)
    }
}
