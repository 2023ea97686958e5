//! The real binary as Lambda runs it: the Runtime API, `DynamoDB`, SQS, Secrets Manager and the vendors on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::config::Sources;
use domain::identity::{Email, HashKey};
use domain::priority::Priority;
use domain::schema::Field;
use domain::signup::{Arrival, RunId, Signup};
use pipeline::messages::{LookupMessage, from_body, to_body};
use pipeline::ports::{Activated, Clock as _, InForce, Published, QueueName, Runs as _, Settings as _, Stage, StoredRun};
use platform::{DEFAULT_WORKSPACE, DynamoStore, Function as Name, SystemClock, Table};
use sandbox::{Latency, Options, Sandbox};
use serde_json::{Value, json};
use stand_in::{AwsEndpoint, Function, Outcome, Started, failures, sample_event};

const HASH_KEY: &str = "hash key of the process tests, thirty bytes and more";
const AMPLE: Duration = Duration::from_secs(60);
/// Less than what a run needs, and as much as possible of it.
const TOO_LITTLE: Duration = Duration::from_millis(2_900);
const HIGH: QueueName = QueueName::Lookup(Priority::High);

/// Everything around the process.
struct World {
    aws: AwsEndpoint,
    sandbox: Sandbox,
    sandbox_place: String,
}

impl World {
    async fn new() -> Self {
        let (sandbox, place) = Sandbox::start(Options { seed: 7, latency: Latency::Off }).await.unwrap();
        let sandbox_place = place.to_string();
        let secrets = [
            ("dev-identity", json!({ "hash_key": URL_SAFE_NO_PAD.encode(HASH_KEY) }).to_string()),
            ("dev-providers", json!({ "crustdata_api_key": sandbox::CRUSTDATA_KEY }).to_string()),
        ];
        Self { aws: AwsEndpoint::start(Arc::new(SystemClock), 5, secrets).await.unwrap(), sandbox, sandbox_place }
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let place = &self.sandbox_place;
        let mut variables = self.aws.variables(Name::ProviderLookup);
        let endpoints = format!(
            "crustdata=http://{place}/crustdata,website=http://{place}/websites/{{{{key}}}}/,dns=http://{place}/dns,rdap=http://{place}/rdap"
        );
        variables.insert("AWS_ENDPOINT_URL".into(), self.aws.url().into());
        variables.insert("ENDPOINTS".into(), endpoints);
        variables.insert("EGRESS_ALLOWED".into(), place.clone());
        variables.insert("LOG_LEVEL".into(), "trace".into());
        variables
    }

    async fn process(&self) -> Function {
        let function = start(&self.variables()).await;
        assert_eq!(function.started().await, Started::Ready);
        function
    }

    async fn store(&self) -> DynamoStore {
        self.aws.connect().store(self.aws.tables(), DEFAULT_WORKSPACE)
    }

    /// The run of a record, if there is one.
    async fn run(&self, record: &Value) -> Option<StoredRun> {
        self.store().await.read_run(&run_id(record)).await.unwrap()
    }

    async fn stages(&self, event: &Value) -> Vec<Option<Stage>> {
        let mut stages = Vec::new();
        for record in event["Records"].as_array().unwrap() {
            stages.push(self.run(record).await.map(|stored| stored.stage));
        }
        stages
    }

    fn waiting(&self, queue: QueueName) -> usize {
        self.aws.queue().waiting(queue)
    }
}

async fn start(variables: &BTreeMap<String, String>) -> Function {
    Function::start(env!("CARGO_BIN_EXE_provider-lookup"), variables).await.unwrap()
}

async fn failure_of(variables: &BTreeMap<String, String>) -> String {
    stand_in::failure_of(env!("CARGO_BIN_EXE_provider-lookup"), variables).await.unwrap()
}

fn sample(case: &str) -> Value {
    sample_event(&format!("provider-lookup.{case}"), SystemClock.now()).unwrap()
}

fn only(record: &Value) -> Value {
    json!({ "Records": [record] })
}

fn run_id(record: &Value) -> RunId {
    let message: LookupMessage = from_body(record["body"].as_str().unwrap()).unwrap();
    message.signup.run_id(&HashKey::new(HASH_KEY.as_bytes().to_vec()).unwrap())
}

/// Ends the process; whatever it wrote is lines of JSON, and says nothing of a person or a secret.
async fn log_of(function: Function) -> String {
    let people = ["dana.cho", "Dana Cho", "lee.park", "Lee Park", "x@mailinator", "sam@", "Sam Ito", "ada@", "Ada Okoro", "kim@"];
    let key = URL_SAFE_NO_PAD.encode(HASH_KEY);
    let private: Vec<&str> = people.into_iter().chain([HASH_KEY, &key, sandbox::CRUSTDATA_KEY]).collect();
    stand_in::log_of(function, &private).await.unwrap()
}

#[tokio::test]
async fn a_good_batch_is_decided_stored_and_handed_over() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    assert_eq!(world.stages(&event).await, [Some(Stage::Done); 3]);
    let mut tracks = Vec::new();
    for record in event["Records"].as_array().unwrap() {
        tracks.push(world.run(record).await.unwrap().run.decision().unwrap().route.track.as_str());
    }
    assert_eq!(tracks, ["ae_queue", "ae_queue", "verification"]);
    assert_eq!(world.waiting(QueueName::Writeback), 2, "what the gate holds goes to nobody's CRM");
    assert_eq!((world.waiting(HIGH), world.aws.poison().unwrap()), (0, vec![]));
    assert_eq!(log_of(function).await.matches("run decided").count(), 3);
}

#[tokio::test]
async fn one_bad_record_is_stored_with_its_reason_and_the_others_are_done() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("one-bad-record");
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    let records = &event["Records"];
    for good in [&records[0], &records[2]] {
        assert_eq!(world.run(good).await.unwrap().stage, Stage::Done);
    }
    assert_eq!(world.waiting(QueueName::Writeback), 2);
    let poison = world.aws.poison().unwrap();
    assert_eq!((poison.len(), poison[0].0.as_str()), (1, records[1]["messageId"].as_str().unwrap()));
    assert!(poison[0].1.contains("line 1 column"), "{}", poison[0].1);
    assert!(log_of(function).await.contains("message put aside"));
}

#[tokio::test]
async fn a_record_whose_store_fails_is_exactly_the_one_reported_and_is_done_when_it_comes_again() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    let lee = &event["Records"][1];
    world.aws.fail_requests_with(run_id(lee).as_str());
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[&lee["messageId"]]));
    world.aws.recover();
    assert_eq!(world.stages(&event).await, [Some(Stage::Done), None, Some(Stage::Done)]);
    assert_eq!(function.invoke(&only(lee), AMPLE).await, failures(&[]));
    assert_eq!(world.stages(&event).await, [Some(Stage::Done); 3]);
    assert!(log_of(function).await.contains("the message must come again"));
}

#[tokio::test]
async fn when_every_record_fails_all_are_reported() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    world.aws.fail_requests_with("TableName");
    let ids: Vec<&Value> = event["Records"].as_array().unwrap().iter().map(|record| &record["messageId"]).collect();
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&ids));
    world.aws.recover();
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    log_of(function).await;
}

#[tokio::test]
async fn a_duplicate_delivery_pays_nothing_and_hands_over_nothing() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    function.invoke(&event, AMPLE).await;
    let (paid, handed_over) = (world.sandbox.paid_calls(), world.waiting(QueueName::Writeback));
    assert!(paid > 0);
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    assert_eq!((world.sandbox.paid_calls(), world.waiting(QueueName::Writeback)), (paid, handed_over));
}

#[tokio::test]
async fn what_is_no_batch_fails_the_invocation_clearly_and_the_process_answers_the_next() {
    let world = World::new().await;
    let function = world.process().await;
    for event in [sample("not-a-batch"), json!(null), json!({}), json!({ "Records": null })] {
        let Outcome::Failed { message, .. } = function.invoke(&event, AMPLE).await else { panic!("{event} was taken") };
        assert!(message.contains("not an SQS event") && message.contains("connect this function to a queue"), "{message}");
    }
    assert_eq!(function.invoke(&sample("batch"), AMPLE).await, failures(&[]));
    log_of(function).await;
}

#[tokio::test]
async fn with_too_little_time_left_the_records_are_handed_on_as_copies() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    for (remaining, copies) in [(TOO_LITTLE, 3), (Duration::ZERO, 6)] {
        assert_eq!(function.invoke(&event, remaining).await, failures(&[]));
        assert_eq!((world.waiting(HIGH), world.stages(&event).await), (copies, vec![None; 3]));
    }
    assert_eq!(world.sandbox.requests().len(), 0);
    assert!(log_of(function).await.contains("too little time was left"));
}

#[tokio::test]
async fn a_copy_that_cannot_be_sent_is_reported() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    world.aws.fail_requests_with("sample-batch-lee");
    assert_eq!(function.invoke(&event, TOO_LITTLE).await, failures(&[&event["Records"][1]["messageId"]]));
    assert_eq!(world.waiting(HIGH), 2);
}

#[tokio::test]
async fn the_invocations_of_a_warm_process_share_no_state() {
    let world = World::new().await;
    let function = world.process().await;
    let (first, second) = (sample("batch"), sample("one-bad-record"));
    let records = [&first["Records"][0], &second["Records"][0], &first["Records"][1], &second["Records"][2]];
    for record in records {
        assert_eq!(function.invoke(&only(record), AMPLE).await, failures(&[]));
    }
    for record in records {
        let stored = world.run(record).await.unwrap();
        let message: LookupMessage = from_body(record["body"].as_str().unwrap()).unwrap();
        let said = |path: &'static str| stored.run.facts[&Field::known(path)].value.to_string();
        assert_eq!(said("contact.email"), message.signup.email.as_ref().unwrap().expose());
        assert_eq!(said("company.domain"), message.signup.company_domain().unwrap().as_str());
        assert_eq!((stored.stage, stored.run.decision().unwrap().seq), (Stage::Done, 1), "nobody else's record was written");
    }
    assert_eq!(world.waiting(QueueName::Writeback), 4);
}

#[tokio::test]
async fn a_missing_variable_is_named_at_the_start_and_all_missing_ones_together() {
    let world = World::new().await;
    for missing in Name::ProviderLookup.required() {
        let mut variables = world.variables();
        variables.remove(missing);
        let why = failure_of(&variables).await;
        assert!(why.contains(missing), "{missing}: {why}");
        let others = Name::ProviderLookup.required().into_iter().filter(|name| *name != missing);
        assert!(others.into_iter().all(|name| !why.contains(name)), "{missing}: {why}");
    }
    let why = failure_of(&BTreeMap::new()).await;
    assert!(Name::ProviderLookup.required().iter().all(|name| why.contains(name)), "{why}");
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_a_clear_message_at_the_start() {
    let world = World::new().await;
    let mut unknown = world.variables();
    unknown.insert("SECRETS_ID".into(), "dev-nobody".into());
    let mut unreachable = world.variables();
    unreachable.insert("AWS_ENDPOINT_URL".into(), "http://127.0.0.1:9".into());
    let mut without_key = world.variables();
    without_key.insert("SECRETS_ID".into(), "dev-providers".into());
    for (variables, reason) in
        [(unknown, "ResourceNotFoundException"), (unreachable, "the endpoint cannot be reached"), (without_key, "add it to the secret")]
    {
        let why = failure_of(&variables).await;
        assert!(why.contains("hash_key") && why.contains(reason), "{why}");
        assert!(!why.contains(sandbox::CRUSTDATA_KEY), "{why}");
    }
}

/// A version of the bundled configuration in which everybody who scores 60 goes to somebody else, published and in force.
async fn publish(world: &World, from: &str, to: &str) -> String {
    let files = platform::bundled_config();
    let changed = Sources::new(files.iter().map(|(path, text)| (path.to_owned(), text.replace(from, to))));
    assert_ne!(changed, files);
    let store = world.store().await;
    assert_eq!(store.publish_version(&changed, SystemClock.now()).await.unwrap(), Published::Stored);
    let (before, what) = (store.in_force().await.unwrap(), InForce::Version(changed.hash()));
    assert_eq!(store.activate(&what, &before, SystemClock.now()).await.unwrap(), Activated::Done);
    changed.hash()
}

#[tokio::test]
async fn the_published_version_decides_and_not_what_came_with_the_function() {
    let world = World::new().await;
    let hash = publish(&world, "when: score >= 60, to: ae_queue", "when: score >= 60, to: review").await;
    let function = world.process().await;
    let event = sample("batch");
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    let first = world.run(&event["Records"][0]).await.unwrap().run;
    assert_eq!((&first.config, first.decision().unwrap().route.track.as_str()), (&hash, "review"));
    let settings = world.aws.tables().name_of(Table::Settings).to_owned();
    let reads = world.aws.requests().into_iter().filter(|(operation, body)| operation == "GetItem" && body["TableName"] == settings);
    // One by `publish` above; the process asks what is in force and for its files, once each.
    assert_eq!(reads.count(), 3);
}

/// More records than are worked on at once, each of a company of its own.
fn fifty_records() -> Value {
    let record = sample("batch")["Records"][0].clone();
    let message: LookupMessage = from_body(record["body"].as_str().unwrap()).unwrap();
    let of = |number: usize| {
        let mut record = record.clone();
        let email = Some(Email::parse(&format!("lead@company{number}.example")).unwrap());
        let signup = Signup { delivery: format!("d{number}"), email, arrival: Arrival::Signup, ..Signup::default() };
        let message = LookupMessage { signup, priority: Priority::Low, answer_by: None, ..message.clone() };
        record["messageId"] = format!("m{number}").into();
        record["body"] = to_body(&message).unwrap().into();
        record
    };
    json!({ "Records": (0..50).map(of).collect::<Vec<_>>() })
}

#[tokio::test]
async fn s4_33_fifty_records_of_one_invocation_are_two_requests_to_a_vendor_who_takes_twenty_five() {
    let world = World::new().await;
    let company = "    providers: [crustdata.company]\n";
    publish(&world, company, &format!("{company}    batch: {{size: 25, wait: 15s}}\n")).await;
    let function = world.process().await;
    let event = fifty_records();
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    assert_eq!(world.stages(&event).await, [Some(Stage::Done); 50]);
    let companies = world.sandbox.requests().into_iter().filter(|request| request.endpoint == "crustdata.company");
    assert!(companies.clone().count() == 50 && companies.clone().all(|asked| asked.count == 1), "each is asked for once");
    let bill = world.sandbox.billing().into_iter().find(|bill| bill.endpoint == "crustdata.company").unwrap();
    assert_eq!(bill.calls, 2);
    let mut logged = 0;
    for record in event["Records"].as_array().unwrap() {
        let calls = world.run(record).await.unwrap().run.calls;
        logged += calls.iter().filter(|call| call.operation == "crustdata.company").map(|call| call.cost.micros()).sum::<i64>();
    }
    assert_eq!(logged, i64::try_from(bill.credits).unwrap() * 1_000_000, "the logs say what the vendor billed");
}

#[tokio::test]
async fn a_version_that_the_function_cannot_use_is_named_at_the_start_with_what_is_wrong() {
    let world = World::new().await;
    let hash = publish(&world, "allocation: 10000", "alocation: 10000").await;
    let why = failure_of(&world.variables()).await;
    assert!(why.contains(&hash) && why.contains("alocation") && why.contains("millrace config activate"), "{why}");
}
