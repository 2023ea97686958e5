use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use domain::config::{Config, Draft, Sources};
use domain::credits::Price;
use domain::decision::Decision;
use domain::identity::{Email, HashKey, KeyKind};
use domain::observation::{Basis, Observation};
use domain::plan::{Catalogue, Operation, Until};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::run::Run;
use domain::schema::{FieldClass, Schema};
use domain::signup::{Arrival, Signup};
use domain::units::{BasisPoints, Credits, Millis, Timestamp};
use domain::value::Value;
use pipeline::enrich::{Desks, Enrich};
use pipeline::memory::{CountingEntropy, MemoryQueue, MemoryStore, TokioClock};
use pipeline::messages::{LookupMessage, WritebackMessage, from_body};
use pipeline::ports::{CacheKey, Clock, Crm, CrmReply, CrmWrite, LookupRequest, Provider, Queue, QueueName, Runs};
use pipeline::work::Worked;
use pipeline::write_back::WriteBack;

pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);
pub(crate) const TIME_LEFT: Millis = Millis::seconds(60);

/// Answers by operation; a list is used up, its last answer stays. `None` hangs.
#[derive(Default)]
pub(crate) struct FakeProvider {
    answers: Mutex<BTreeMap<String, Vec<(Millis, Reply)>>>,
    asked: Mutex<Vec<String>>,
}

impl FakeProvider {
    pub(crate) fn answers(&self, operation: &str, answers: Vec<(Millis, Reply)>) {
        self.answers.lock().unwrap().insert(operation.to_owned(), answers);
    }

    pub(crate) fn asked(&self, operation: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == operation).count()
    }
}

#[async_trait]
impl Provider for FakeProvider {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        self.asked.lock().unwrap().push(request.operation.clone());
        let (delay, reply) = {
            let mut answers = self.answers.lock().unwrap();
            let list = answers.entry(request.operation.clone()).or_insert_with(|| vec![(Millis(0), Reply::NoMatch)]);
            if list.len() > 1 { list.remove(0) } else { list[0].clone() }
        };
        tokio::time::sleep(delay.to_std()).await;
        reply
    }
}

/// Records what it is told and answers from a list; its last answer stays.
pub(crate) struct FakeCrm {
    pub(crate) writes: Mutex<Vec<CrmWrite>>,
    pub(crate) replies: Mutex<Vec<CrmReply>>,
}

#[async_trait]
impl Crm for FakeCrm {
    async fn upsert(&self, write: &CrmWrite) -> CrmReply {
        self.writes.lock().unwrap().push(write.clone());
        let mut replies = self.replies.lock().unwrap();
        if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) provider: Arc<FakeProvider>,
    pub(crate) crm: Arc<FakeCrm>,
    pub(crate) clock: Arc<TokioClock>,
    pub(crate) enrich: Enrich,
    pub(crate) write_back: WriteBack,
    pub(crate) key: Arc<HashKey>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(TokioClock::starting_at(START));
        let (store, queue) = (Arc::new(MemoryStore::default()), Arc::new(MemoryQueue::new(clock.clone(), 5)));
        let provider = Arc::new(FakeProvider::default());
        let written = CrmReply::Written { external_id: "512".into(), created: true };
        let crm = Arc::new(FakeCrm { writes: Mutex::default(), replies: Mutex::new(vec![written]) });
        let (entropy, config) = (Arc::new(CountingEntropy::default()), Arc::new(CONFIG.clone()));
        let key = Arc::new(HashKey::new(vec![7; 32]).unwrap());
        let enrich = Enrich {
            store: store.clone(),
            queue: queue.clone(),
            provider: provider.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            config: config.clone(),
            key: key.clone(),
            versions: None,
            desks: Desks::default(),
        };
        let write_back = WriteBack { store: store.clone(), queue: queue.clone(), crm: crm.clone(), clock: clock.clone(), entropy, config };
        let world = Self { store, queue, provider, crm, clock, enrich, write_back, key };
        world.provider.answers(
            "email",
            vec![(Millis(0), hit("email", &[("email.kind", Value::text("work")), ("email.disposable", Value::Bool(false))]))],
        );
        world.provider.answers("crustdata.company", vec![(Millis(300), good_company())]);
        world.provider.answers("crustdata.person", vec![(Millis(300), vice_president())]);
        world
    }

    pub(crate) async fn work(&self, message: &LookupMessage) -> Worked {
        self.enrich.work(message, TIME_LEFT).await.unwrap()
    }

    /// Works on a message that is expected to end.
    pub(crate) async fn finish(&self, message: &LookupMessage) -> Run {
        match self.work(message).await {
            Worked::Finished { run } => *run,
            other => panic!("expected the end of the run, got {other:?}"),
        }
    }

    /// Works on whatever waits in the lookup queues until nothing is left.
    pub(crate) async fn drain(&self) {
        for _ in 0..600 {
            for priority in Priority::ALL {
                let queue = QueueName::Lookup(priority);
                for received in self.queue.receive(queue, 10, Millis::minutes(6)).await.unwrap() {
                    self.work(&from_body(&received.body).unwrap()).await;
                    self.queue.delete(queue, &received.receipt).await.unwrap();
                }
            }
            if Priority::ALL.iter().all(|priority| self.queue.waiting(QueueName::Lookup(*priority)) == 0) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        panic!("the queues never became empty");
    }

    pub(crate) async fn stored(&self, message: &LookupMessage) -> Run {
        self.store.read_run(&message.signup.run_id(&self.key)).await.unwrap().unwrap().run
    }

    /// Under which a reply is kept.
    pub(crate) fn cache_key(&self, operation: &str, kind: KeyKind, value: &str) -> CacheKey {
        CacheKey { operation: operation.to_owned(), hash: self.key.hash(&["cache", kind.as_str(), value]) }
    }

    pub(crate) fn writebacks(&self) -> usize {
        self.queue.waiting(QueueName::Writeback)
    }

    pub(crate) async fn next_writeback(&self) -> WritebackMessage {
        let received = self.queue.receive(QueueName::Writeback, 1, Millis::minutes(6)).await.unwrap().remove(0);
        self.queue.delete(QueueName::Writeback, &received.receipt).await.unwrap();
        from_body(&received.body).unwrap()
    }
}

pub(crate) fn decision(run: &Run) -> &Decision {
    run.decision().unwrap()
}

pub(crate) fn signup(email: &str, delivery: &str, arrival: Arrival) -> LookupMessage {
    let signup = Signup {
        issuer: "signup".into(),
        delivery: delivery.into(),
        arrival,
        email: Some(Email::parse(email).unwrap()),
        occurred_at: START,
        ..Signup::default()
    };
    LookupMessage::of(signup, Priority::of_arrival(arrival), START)
}

pub(crate) fn jane() -> LookupMessage {
    signup("jane@acme.io", "d1", Arrival::Signup)
}

pub(crate) fn hit(source: &str, fields: &[(&str, Value)]) -> Reply {
    let observe = |(path, value): &(&str, Value)| Observation {
        field: Schema::default().field(path).unwrap(),
        value: value.clone(),
        source: source.into(),
        family: source.split('.').next().unwrap().into(),
        observed_at: START,
        stated: BasisPoints::ONE,
        basis: if source == "email" { Basis::Validated } else { Basis::Stated },
    };
    Reply::Hit { observations: fields.iter().map(observe).collect() }
}

/// 30 + 25 + 20 + 10 points.
pub(crate) fn good_company() -> Reply {
    let trend = Value::Number("0.22".parse().unwrap());
    let fields = [
        ("company.headcount", Value::number(1200)),
        ("company.funding_stage", Value::text("series_c")),
        ("company.tech_stack", Value::list(["kubernetes", "aws"])),
        ("company.traffic_trend_90d", trend),
    ];
    hit("crustdata.company", &fields)
}

pub(crate) fn vice_president() -> Reply {
    hit("crustdata.person", &[("contact.seniority", Value::text("vp"))])
}

fn operation(name: &str, credits: i64, class: FieldClass, keys: &[KeyKind], supplies: &[&str]) -> Operation {
    let provider = name.split('.').next().unwrap().to_owned();
    Operation {
        name: name.into(),
        family: provider.clone(),
        provider,
        keys: keys.to_vec(),
        supplies: supplies.iter().map(|path| Schema::default().field(path).unwrap()).collect(),
        inferred: vec![],
        price: Price { per_hit: Credits::whole(credits), ..Price::default() },
        class,
        timeout: Millis::seconds(4),
        batch: None,
    }
}

/// Read once: most of a test's time would go into reading it.
static CONFIG: LazyLock<Config> = LazyLock::new(config);

fn config() -> Config {
    config_of(&sources())
}

/// The repository's rules.
pub(crate) fn sources() -> Sources {
    let files = [
        ("millrace.yaml", include_str!("../../../../config/millrace.yaml")),
        ("presets/signup.yaml", include_str!("../../../../config/presets/signup.yaml")),
        ("presets/seed.yaml", include_str!("../../../../config/presets/seed.yaml")),
    ];
    Sources::new(files.map(|(path, text)| (path.to_owned(), text.to_owned())))
}

/// These rules, with the operations of these tests.
pub(crate) fn config_of(sources: &Sources) -> Config {
    let company = ["company.headcount", "company.funding_stage", "company.tech_stack", "company.traffic_trend_90d", "company.name"];
    let operations = [
        operation("email", 0, FieldClass::Check, &[KeyKind::Email], &["email.kind", "email.disposable", "email.role_account"]),
        operation("dns", 0, FieldClass::Check, &[KeyKind::Domain], &["email.mx_found", "email.domain_exists"]),
        operation("dns.address", 0, FieldClass::Check, &[KeyKind::Domain], &["email.mx_found"]),
        operation("rdap", 0, FieldClass::Company, &[KeyKind::Domain], &["email.domain_registered_at"]),
        operation("website", 0, FieldClass::Company, &[KeyKind::Domain], &["company.description", "company.website"]),
        operation("crustdata.company", 2, FieldClass::Company, &[KeyKind::Domain], &company),
        operation(
            "crustdata.person",
            2,
            FieldClass::Person,
            &[KeyKind::BusinessEmail, KeyKind::PersonalEmail],
            &["contact.seniority", "company.domain"],
        ),
    ];
    let catalogue: Catalogue = operations.into_iter().map(|operation| (operation.name.clone(), operation)).collect();
    let mut config = Draft::read(sources).and_then(|draft| draft.check(catalogue)).unwrap_or_else(|findings| panic!("{findings}"));
    // These tests are about what happens to calls, so all of them are made.
    config.plan.until = Until::Everything;
    config
}

impl World {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
