//! One signup's world on either store, with a clock that stands until a test moves it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::config::Config;
use domain::identity::{Email, HashKey};
use domain::observation::{Basis, Observation};
use domain::plan::Until;
use domain::priority::Priority;
use domain::reply::Reply;
use domain::run::Run;
use domain::schema::Field;
use domain::signup::{RunId, Signup};
use domain::units::{BasisPoints, Credits, Millis, Timestamp};
use domain::value::Value;
use pipeline::enrich::{Desks, Enrich};
use pipeline::memory::{CountingEntropy, Fate, Faulty, Hook, MemoryQueue, MemoryStore};
use pipeline::messages::LookupMessage;
use pipeline::ports::{Clock, LookupRequest, Provider, PutAside, Queue, QueueName, Stage, Store};
use pipeline::work::{Retry, Worked};
use platform::{Aws, DEFAULT_WORKSPACE};
use tests::clock::HandClock;
pub(crate) use tests::clock::START;

pub(crate) const AMPLE: Millis = Millis::seconds(60);

/// Another machine's clock.
pub(crate) struct SkewedClock {
    pub(crate) clock: Arc<HandClock>,
    pub(crate) ahead: i64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().millis() + self.ahead)
    }
}

/// Knows one fact about everybody, or nothing, and counts who asked.
#[derive(Default)]
pub(crate) struct CountingProvider {
    pub(crate) knows_nothing: bool,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl CountingProvider {
    pub(crate) fn asked(&self, operation: &str) -> usize {
        self.asked.lock().unwrap().get(operation).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Provider for CountingProvider {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        *self.asked.lock().unwrap().entry(request.operation.clone()).or_default() += 1;
        let (path, value) = match request.operation.as_str() {
            "crustdata.company" => ("company.headcount", Value::number(1200)),
            "crustdata.person" => ("contact.seniority", Value::text("vp")),
            _ => return Reply::NoMatch,
        };
        if self.knows_nothing {
            return Reply::NoMatch;
        }
        let source = request.operation.clone();
        let observation = Observation {
            field: Field::known(path),
            value,
            family: "crustdata".into(),
            source,
            observed_at: request.now,
            stated: BasisPoints::ONE,
            basis: Basis::Stated,
        };
        Reply::Hit { observations: vec![observation] }
    }
}

/// Lets one verb fail the next so many times, before or after its effect.
#[derive(Default)]
pub(crate) struct Trouble(Mutex<Option<(&'static str, bool)>>);

impl Trouble {
    /// The next call of this verb does nothing and says that the store did not answer.
    pub(crate) fn fail_next(&self, verb: &'static str) {
        *self.0.lock().unwrap() = Some((verb, false));
    }

    /// The next call of this verb takes effect and its reply is lost.
    pub(crate) fn lose_reply_of_next(&self, verb: &'static str) {
        *self.0.lock().unwrap() = Some((verb, true));
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }

    fn fate(&self, verb: &'static str, is_after: bool) -> Fate {
        let mut next = self.0.lock().unwrap();
        if *next == Some((verb, is_after)) {
            *next = None;
            return Fate::Fail;
        }
        Fate::Go
    }
}

#[async_trait]
impl Hook for Trouble {
    async fn before(&self, verb: &'static str) -> Fate {
        self.fate(verb, false)
    }

    async fn after(&self, verb: &'static str) -> Fate {
        self.fate(verb, true)
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<MemoryQueue>,
    /// What was put aside in the store.
    pub(crate) aside: Arc<dyn PutAside>,
    pub(crate) provider: Arc<CountingProvider>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) enrich: Enrich,
}

impl World {
    /// A world of its own on each store there is.
    pub(crate) async fn on_every_store() -> [Self; 2] {
        Self::on_every_store_with(false).await
    }

    /// The same, whose providers know nobody.
    pub(crate) async fn where_nobody_is_known() -> [Self; 2] {
        Self::on_every_store_with(true).await
    }

    async fn on_every_store_with(knows_nothing: bool) -> [Self; 2] {
        let database = dynoxide::Database::memory().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let aws = Aws::local(&url).await.unwrap();
        let tables = aws.create_tables("test").await.unwrap();
        let (memory, database) = (Arc::new(MemoryStore::default()), Arc::new(aws.store(tables, DEFAULT_WORKSPACE)));
        [Self::on(memory.clone(), memory, knows_nothing), Self::on(database.clone(), database, knows_nothing)]
    }

    fn on(inner: Arc<dyn Store>, aside: Arc<dyn PutAside>, knows_nothing: bool) -> Self {
        let clock = Arc::new(HandClock::default());
        let trouble = Arc::new(Trouble::default());
        let store: Arc<dyn Store> = Faulty::new(inner, trouble.clone());
        let queue = Arc::new(MemoryQueue::new(clock.clone(), 5));
        let provider = Arc::new(CountingProvider { knows_nothing, ..CountingProvider::default() });
        let enrich = Enrich {
            store: store.clone(),
            queue: Faulty::<dyn Queue>::new(queue.clone(), trouble.clone()),
            provider: provider.clone(),
            clock: clock.clone(),
            entropy: Arc::new(CountingEntropy::default()),
            config: Arc::new(config()),
            key: Arc::new(HashKey::new(vec![7; 32]).unwrap()),
            versions: None,
            desks: Desks::default(),
        };
        Self { store, queue, aside, provider, clock, trouble, enrich }
    }

    /// Another worker of the same deployment: nothing is shared but store and queue.
    pub(crate) fn another_worker(&self, names: u64) -> Enrich {
        let entropy = CountingEntropy::starting_at(names);
        Enrich { entropy: Arc::new(entropy), ..self.enrich.clone() }
    }

    pub(crate) async fn work(&self, message: &LookupMessage) -> Result<Worked, Retry> {
        self.enrich.work(message, AMPLE).await
    }

    pub(crate) fn run_id(&self, message: &LookupMessage) -> RunId {
        message.signup.run_id(&self.enrich.key)
    }

    pub(crate) async fn stored(&self, message: &LookupMessage) -> Option<(Run, Stage)> {
        self.store.read_run(&self.run_id(message)).await.unwrap().map(|stored| (stored.run, stored.stage))
    }

    pub(crate) fn copies(&self) -> usize {
        Priority::ALL.into_iter().map(|priority| self.queue.waiting(QueueName::Lookup(priority))).sum()
    }

    /// Credits used and reserved in the month.
    pub(crate) async fn spent(&self) -> (Credits, Credits) {
        let balance = self.store.balance(&START.month()).await.unwrap().unwrap_or_default();
        assert!(balance.adds_up(), "I1: {balance:?}");
        (balance.used, balance.reserved)
    }
}

fn config() -> Config {
    let mut config = connectors::configure(&platform::bundled_config()).unwrap_or_else(|findings| panic!("{findings}")).0;
    config.plan.until = Until::Everything;
    config
}

/// Jane of Acme signs up.
pub(crate) fn jane(delivery: &str) -> LookupMessage {
    let signup = Signup {
        issuer: "signup".into(),
        delivery: delivery.into(),
        email: Some(Email::parse("jane@acme.io").unwrap()),
        occurred_at: START,
        ..Signup::default()
    };
    LookupMessage::of(signup, Priority::High, START)
}
