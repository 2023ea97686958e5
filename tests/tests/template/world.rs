//! The functions as their `main`s wire them, on the wire to what plays AWS, in the environment that the template says.
//! Binaries are for the tests of their own packages; here it matters whose request each is, so one function works at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use axum::http::{HeaderName, Method};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connectors::{Egress, Endpoints, Reach};
use domain::config::{Config, Sources};
use domain::credits::Adjustment;
use domain::priority::Priority;
use domain::record::RecordId;
use domain::units::{Millis, Timestamp};
use intake::sample::{Sample, local_secret};
use lambda_runtime::Context;
use local::samples::bodies;
use pipeline::enrich::{Configured, Desks, Enrich};
use pipeline::messages::{Cause, RedecideMessage, to_body};
use pipeline::ports::{Adjusted, Clock, Ledger as _, Queue as _, QueueName, Received};
use pipeline::redecide::Redecide;
use pipeline::sweep::Sweep;
use pipeline::versions::Versions;
use platform::{Aws, Boot, Function, OsEntropy, QueueUrls, Settings, SystemClock, Table, bundled_config};
use sandbox::{Latency, Options, Sandbox};
use serde_json::{Value, json};
use stand_in::{AwsEndpoint, sample_event};
use tests::template::{Template, entries, references};

use crate::drift::{consumer_of, function_id, queue_id, table_id};

/// As much as a function has in the template.
pub(crate) const AMPLE: Millis = Millis::seconds(60);
const HASH_KEY: &str = "hash key of the audit, thirty bytes and more";

/// The machine's clock, put forward when everything that is left has to wait.
#[derive(Default)]
pub(crate) struct AheadClock(AtomicI64);

impl AheadClock {
    pub(crate) fn put_forward(&self, by: Millis) {
        self.0.fetch_add(by.0, Ordering::Relaxed);
    }
}

impl Clock for AheadClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().after(Millis(self.0.load(Ordering::Relaxed)))
    }
}

/// One request of a function.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) function: Function,
    pub(crate) operation: String,
    pub(crate) body: Value,
}

pub(crate) struct World {
    pub(crate) aws: AwsEndpoint,
    pub(crate) clock: Arc<AheadClock>,
    pub(crate) config: Arc<Config>,
    pub(crate) requests: Vec<Request>,
    webhook: signup_webhook::App,
    lookup: provider_lookup::App,
    score: score_route::App,
    writeback: Versions<crm_writeback::App>,
    refresh: Versions<scheduled_refresh::App>,
}

/// What a function is given at its start.
struct Given {
    aws: Aws,
    settings: Settings,
    clock: Arc<AheadClock>,
}

impl World {
    pub(crate) async fn start(template: &Template) -> Self {
        let (_, address) = Sandbox::start(Options { seed: 7, latency: Latency::Off }).await.unwrap();
        let place = address.to_string();
        let clock = Arc::new(AheadClock::default());
        let aws = AwsEndpoint::start(clock.clone(), 5, secrets()).await.unwrap();
        let mut requests = Vec::new();

        let given = given(template, &aws, &clock, Function::SignupWebhook, &place).await;
        let webhook = webhook(given).await;
        note(&aws, &mut requests, Function::SignupWebhook, 0);
        let given = self::given(template, &aws, &clock, Function::ProviderLookup, &place).await;
        let before = aws.requests().len();
        let lookup = lookup(given).await;
        note(&aws, &mut requests, Function::ProviderLookup, before);
        let given = self::given(template, &aws, &clock, Function::ScoreRoute, &place).await;
        let before = aws.requests().len();
        let score = score(given).await;
        note(&aws, &mut requests, Function::ScoreRoute, before);
        let given = self::given(template, &aws, &clock, Function::CrmWriteback, &place).await;
        let before = aws.requests().len();
        let writeback = writeback(given).await;
        note(&aws, &mut requests, Function::CrmWriteback, before);
        let given = self::given(template, &aws, &clock, Function::ScheduledRefresh, &place).await;
        let before = aws.requests().len();
        let refresh = refresh(given).await;
        note(&aws, &mut requests, Function::ScheduledRefresh, before);
        let config = Arc::clone(&lookup.enrich.config);
        Self { aws, clock, config, requests, webhook, lookup, score, writeback, refresh }
    }

    /// Posts a sample as often as it says, as its issuer would, and reads the run that it starts.
    pub(crate) async fn post(&mut self, sample: &Sample) {
        let clock = Arc::clone(&self.clock);
        for body in bodies(sample, &*clock) {
            let secret = local_secret(&sample.issuer).unwrap();
            let mut headers = intake::sign(&sample.issuer, &body, &secret.into(), sample.delivery.as_deref(), self.clock.now()).unwrap();
            // One second shows how a run is watched; nobody works on it meanwhile.
            headers.extend(sample.prefer.as_ref().map(|_| ("prefer", "wait=1".to_owned())));
            let path = format!("/webhook/{}", sample.issuer);
            let answer = self.ask(Method::POST, &path, Some(body), headers.into_iter().map(|(name, value)| (name.to_owned(), value))).await;
            let run = format!("/webhook/runs/{}", answer["run"].as_str().unwrap_or_else(|| panic!("{answer}")));
            self.ask(Method::GET, &run, None, []).await;
        }
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: impl IntoIterator<Item = (String, String)>,
    ) -> Value {
        let mut request = ApiGatewayV2httpRequest::default();
        request.raw_path = Some(path.to_owned());
        request.request_context.http.method = method;
        request.body = body.map(|body| String::from_utf8(body).unwrap());
        for (name, value) in headers {
            request.headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let before = self.aws.requests().len();
        let answer = signup_webhook::handle(&self.webhook, request).await;
        note(&self.aws, &mut self.requests, Function::SignupWebhook, before);
        let Some(aws_lambda_events::encodings::Body::Text(text)) = answer.body else { panic!("no text") };
        serde_json::from_str(&text).unwrap()
    }

    /// Hands a batch to a function of a queue; gives back the ids that must come again.
    pub(crate) async fn invoke(&mut self, function: Function, event: &Value, time: Millis) -> Vec<String> {
        let mut context = Context::default();
        context.deadline = u64::try_from(self.clock.now().after(time).millis()).unwrap();
        let before = self.aws.requests().len();
        let response = match function {
            Function::ProviderLookup => provider_lookup::handle(&self.lookup, event, &context).await.unwrap(),
            Function::ScoreRoute => score_route::handle(&self.score, event, &context).await.unwrap(),
            Function::CrmWriteback => crm_writeback::handle(&*self.writeback.in_force().await, event, &context).await.unwrap(),
            Function::SignupWebhook | Function::ScheduledRefresh => panic!("{function:?} takes no batch"),
        };
        note(&self.aws, &mut self.requests, function, before);
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Another configuration is in force for whoever decides again.
    pub(crate) fn publish(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = (*self.score.redecide.config).clone();
        change(&mut config);
        config.hash = "published since".to_owned();
        self.score.redecide.config = Arc::new(config);
    }

    /// Has a lead decided about again.
    pub(crate) async fn redecide(&mut self, record: &RecordId) {
        let message = RedecideMessage { record: record.clone(), cause: Cause::Operator, config: None, copies: 0 };
        self.aws.queue().send(QueueName::Score, &to_body(&message).unwrap(), Millis(0)).await.unwrap();
        assert!(self.work_on(QueueName::Score).await);
    }

    /// Works once on what waits to be looked up, whatever becomes of it.
    pub(crate) async fn work_on_lookups(&mut self) {
        for priority in Priority::ALL {
            self.work_on(QueueName::Lookup(priority)).await;
        }
    }

    /// One tick of the schedule.
    pub(crate) async fn tick(&mut self) {
        let mut context = Context::default();
        context.deadline = u64::try_from(self.clock.now().after(AMPLE).millis()).unwrap();
        let before = self.aws.requests().len();
        let event = sample_event("scheduled-refresh.tick", self.clock.now()).unwrap();
        scheduled_refresh::handle(&*self.refresh.in_force().await, &event, &context).await.unwrap();
        note(&self.aws, &mut self.requests, Function::ScheduledRefresh, before);
    }

    /// Takes away of the month's credits until half of what is left in all is used. A person does so, and no function.
    pub(crate) async fn leave_the_month_half_used(&self) {
        let store = self.aws.connect().store(self.aws.tables(), &self.config.workspace);
        let month = self.clock.now().month();
        let used = store.balance(&month).await.unwrap().unwrap().used;
        let allocation = self.config.limits.allocation;
        let amount = used.plus(used).minus(allocation);
        let less = Adjustment { id: "less".into(), month, amount, because: "the audit".into(), at: self.clock.now() };
        assert_eq!(store.adjust(&less, allocation).await.unwrap(), Adjusted::Done);
    }

    /// Works until no queue holds anything.
    pub(crate) async fn work_off(&mut self) {
        for _ in 0..500 {
            let mut worked = false;
            for queue in QueueName::ALL {
                worked |= self.work_on(queue).await;
            }
            if QueueName::ALL.into_iter().all(|queue| self.aws.queue().waiting(queue) == 0) {
                return;
            }
            if !worked {
                self.clock.put_forward(Millis::seconds(15));
            }
        }
        panic!("messages come again and again");
    }

    async fn work_on(&mut self, queue: QueueName) -> bool {
        let batch = self.aws.queue().receive(queue, 10, Millis::minutes(6)).await.unwrap();
        if batch.is_empty() {
            return false;
        }
        let function = consumer_of(queue);
        let event = json!({ "Records": batch.iter().map(record).collect::<Vec<Value>>() });
        let failed = self.invoke(function, &event, AMPLE).await;
        for done in batch.iter().filter(|received| !failed.contains(&received.id)) {
            self.aws.queue().delete(queue, &done.receipt).await.unwrap();
        }
        true
    }
}

/// Notes whose requests those since `before` are.
fn note(aws: &AwsEndpoint, requests: &mut Vec<Request>, function: Function, before: usize) {
    let since = aws.requests().into_iter().skip(before);
    requests.extend(since.map(|(operation, body)| Request { function, operation, body }));
}

fn record(received: &Received) -> Value {
    json!({
        "messageId": received.id,
        "receiptHandle": received.receipt,
        "body": received.body,
        "attributes": {"ApproximateReceiveCount": received.receive_count.to_string()},
        "eventSource": "aws:sqs",
    })
}

/// The secrets under their logical ids in the template.
fn secrets() -> [(&'static str, String); 2] {
    let of = |issuer: &str| local_secret(issuer).unwrap();
    let webhooks = json!({
        "hash_key": URL_SAFE_NO_PAD.encode(HASH_KEY),
        "webhook_secret_signup": of("signup"),
        "webhook_secret_clerk": of("clerk"),
    });
    let vendors = json!({ "crustdata_api_key": sandbox::CRUSTDATA_KEY, "hubspot_token": sandbox::HUBSPOT_TOKEN });
    [("WebhookSecrets", webhooks.to_string()), ("VendorSecrets", vendors.to_string())]
}

/// The environment of a function as the template says, with the names that things have here.
async fn given(template: &Template, aws: &AwsEndpoint, clock: &Arc<AheadClock>, function: Function, place: &str) -> Given {
    let tables = Table::ALL.map(|table| (table_id(table), aws.tables().name_of(table).to_owned()));
    let mut all = aws.variables(Function::ProviderLookup);
    all.extend(aws.variables(Function::ScoreRoute));
    let queues = QueueName::ALL.map(|queue| (queue_id(queue), all[QueueUrls::variable(queue)].clone()));
    let secrets = secrets().map(|(id, _)| (id.to_owned(), id.to_owned()));
    let physical: BTreeMap<String, String> = tables.into_iter().chain(queues).chain(secrets).collect();

    let resource = template.resource(&function_id(function)).unwrap();
    let value_of = |value: &Value| references(value).iter().filter_map(|id| physical.get(*id)).cloned().collect::<Vec<_>>().join(",");
    let mut variables: BTreeMap<String, String> =
        entries(resource.get("/Environment/Variables")).map(|(name, value)| (name.to_owned(), value_of(value))).collect();
    let endpoints = format!(
        "crustdata=http://{place}/crustdata,website=http://{place}/websites/{{{{key}}}}/,dns=http://{place}/dns,rdap=http://{place}/rdap,hubspot=http://{place}/hubspot"
    );
    variables.insert("ENDPOINTS".into(), endpoints);
    variables.insert("EGRESS_ALLOWED".into(), place.to_owned());
    let settings = Boot::from_variables(variables).settings(function).unwrap();
    Given { aws: aws.connect(), settings, clock: Arc::clone(clock) }
}

async fn webhook(Given { aws, settings, clock }: Given) -> signup_webhook::App {
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let hash_key = Arc::new(secrets.hash_key().await.unwrap());
    let store = Arc::new(aws.store(settings.tables, platform::DEFAULT_WORKSPACE));
    signup_webhook::App { keys: secrets, queue: Arc::new(aws.queue(settings.queues)), store, clock, hash_key }
}

async fn lookup(Given { aws, settings, clock }: Given) -> provider_lookup::App {
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let key = Arc::new(secrets.hash_key().await.unwrap());
    let (endpoints, egress) = (Endpoints::new(settings.endpoints).unwrap(), Egress::new(settings.egress_allowed, aws.tls()).unwrap());
    let store = Arc::new(aws.store(settings.tables, platform::DEFAULT_WORKSPACE));
    let reach = Reach::new(endpoints, egress, secrets);
    let make = move |sources: &Sources| Ok(reach.providers(sources)?);
    let versions = Arc::new(Versions::load(store.clone(), clock.clone(), bundled_config(), make).await.unwrap());
    let Configured { config, provider } = Configured::clone(&*versions.in_force().await);
    let (queue, entropy) = (Arc::new(aws.queue(settings.queues)), Arc::new(OsEntropy));
    provider_lookup::App {
        enrich: Enrich { store, queue, provider, clock, entropy, config, versions: Some(versions), key, desks: Desks::default() },
    }
}

/// By the version in force at its start; [`World::publish`] gives it another.
async fn score(Given { aws, settings, clock }: Given) -> score_route::App {
    let (store, queue) = (Arc::new(aws.store(settings.tables, platform::DEFAULT_WORKSPACE)), Arc::new(aws.queue(settings.queues)));
    let make = |sources: &Sources| Ok::<_, lambda_runtime::Error>(connectors::configure_for_use(sources)?.0);
    let versions = Versions::load(store.clone(), clock.clone(), bundled_config(), make).await.unwrap();
    score_route::App { redecide: Redecide { store, queue, clock, config: versions.in_force().await, versions: None } }
}

async fn writeback(Given { aws, settings, clock }: Given) -> Versions<crm_writeback::App> {
    let secrets = Arc::new(aws.secrets(settings.secrets, clock.clone()));
    let (endpoints, egress) = (Endpoints::new(settings.endpoints).unwrap(), Egress::new(settings.egress_allowed, aws.tls()).unwrap());
    let (queue, entropy) = (Arc::new(aws.queue(settings.queues)), Arc::new(OsEntropy));
    let store = Arc::new(aws.store(settings.tables, platform::DEFAULT_WORKSPACE));
    let (table, now) = (store.clone(), clock.clone());
    let (reach, ports) = (Reach::new(endpoints, egress, secrets), crm_writeback::Ports { store, queue, clock, entropy });
    let make = move |sources: &Sources| Ok(ports.app(reach.crm(sources)?));
    Versions::load(table, now, bundled_config(), make).await.unwrap()
}

async fn refresh(Given { aws, settings, clock }: Given) -> Versions<scheduled_refresh::App> {
    let store = Arc::new(aws.store(settings.tables, platform::DEFAULT_WORKSPACE));
    let (table, now) = (store.clone(), clock.clone());
    let make = move |sources: &Sources| {
        let config = Arc::new(connectors::configure_for_use(sources)?.0);
        Ok::<_, lambda_runtime::Error>(scheduled_refresh::App { sweep: Sweep { store: store.clone(), clock: clock.clone(), config } })
    };
    Versions::load(table, now, bundled_config(), make).await.unwrap()
}
