//! The real binary as Lambda runs it: the Runtime API, `DynamoDB`, SQS, Secrets Manager and `HubSpot` on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::config::Config;
use domain::decide::{Evidence, decide, observations_of};
use domain::identity::Email;
use domain::merge::merge;
use domain::record::{Decided, Record, RecordId};
use domain::signup::Signup;
use pipeline::messages::{WritebackMessage, from_body};
use pipeline::ports::{Clock as _, QueueName, Records as _, Saved};
use platform::{DEFAULT_WORKSPACE, Function as Name, SystemClock, bundled_config};
use sandbox::{Latency, Options, Sandbox};
use serde_json::{Value, json};
use stand_in::{AwsEndpoint, Function, Outcome, Started, failures, sample_event};

const AMPLE: Duration = Duration::from_secs(60);
/// The records that the sample events name, and who they are about.
const PEOPLE: [(&str, &str, &str); 3] = [
    ("sample-dana-cho", "dana.cho@northwind-grid.example", "Northwind Grid"),
    ("sample-lee-park", "lee.park@hexa-labs.example", "Hexa Labs"),
    ("sample-sam-ito", "sam@tinyforge.example", "Tinyforge"),
];

/// Everything around the process.
struct World {
    aws: AwsEndpoint,
    sandbox: Sandbox,
    sandbox_place: String,
}

impl World {
    /// With the records of all [`PEOPLE`] decided and stored.
    async fn new() -> Self {
        let (sandbox, place) = Sandbox::start(Options { seed: 7, latency: Latency::Off }).await.unwrap();
        let sandbox_place = place.to_string();
        let vendors = json!({ "hubspot_token": sandbox::HUBSPOT_TOKEN }).to_string();
        let secrets = [("dev-webhooks", "{}".to_owned()), ("dev-vendors", vendors)];
        let aws = AwsEndpoint::start(Arc::new(SystemClock), 5, secrets).await.unwrap();
        let store = aws.connect().store(aws.tables(), DEFAULT_WORKSPACE);
        let (config, _) = connectors::configure(&bundled_config()).unwrap();
        for person in PEOPLE {
            assert_eq!(store.save_record(&decided(person, &config), &[]).await.unwrap(), Saved::Stored);
        }
        Self { aws, sandbox, sandbox_place }
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.aws.variables(Name::CrmWriteback);
        variables.insert("AWS_ENDPOINT_URL".into(), self.aws.url().into());
        variables.insert("ENDPOINTS".into(), format!("hubspot=http://{}/hubspot", self.sandbox_place));
        variables.insert("EGRESS_ALLOWED".into(), self.sandbox_place.clone());
        variables.insert("LOG_LEVEL".into(), "trace".into());
        variables
    }

    async fn process(&self) -> Function {
        let function = start(&self.variables()).await;
        assert_eq!(function.started().await, Started::Ready);
        function
    }

    /// The addresses in the CRM.
    fn contacts(&self) -> Vec<String> {
        self.sandbox.contacts().into_iter().map(|contact| contact.properties["email"].clone()).collect()
    }
}

/// A record as provider-lookup leaves it, decided on the signup's own words.
fn decided((id, email, company): (&str, &str, &str), config: &Config) -> Record {
    let now = SystemClock.now();
    let signup = Signup {
        issuer: "signup".into(),
        delivery: id.into(),
        email: Some(Email::parse(email).unwrap()),
        company_name: Some(company.into()),
        occurred_at: now,
        ..Signup::default()
    };
    let observations = observations_of(&signup, config);
    let facts = merge(&observations, &config.schema, &config.trust, now);
    let evidence = Evidence { facts: &facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: now };
    let run = sample("batch")["Records"][0]["body"].as_str().map(|body| from_body::<WritebackMessage>(body).unwrap().run).unwrap();
    let decision = decide(config, &evidence, 1, now);
    Record {
        version: 1,
        observations,
        decided: Some(Decided { run, decision, config: config.hash.clone() }),
        ..Record::new(RecordId(id.into()))
    }
}

async fn start(variables: &BTreeMap<String, String>) -> Function {
    Function::start(env!("CARGO_BIN_EXE_crm-writeback"), variables).await.unwrap()
}

async fn failure_of(variables: &BTreeMap<String, String>) -> String {
    stand_in::failure_of(env!("CARGO_BIN_EXE_crm-writeback"), variables).await.unwrap()
}

fn sample(case: &str) -> Value {
    sample_event(&format!("crm-writeback.{case}"), SystemClock.now()).unwrap()
}

/// Ends the process; whatever it wrote is lines of JSON, and says nothing of a person or a secret.
async fn log_of(function: Function) -> String {
    let people = PEOPLE.into_iter().flat_map(|(_, email, company)| [email, company]);
    let private: Vec<&str> = people.chain([sandbox::HUBSPOT_TOKEN]).collect();
    stand_in::log_of(function, &private).await.unwrap()
}

#[tokio::test]
async fn decided_leads_reach_the_crm_and_a_second_delivery_writes_nothing() {
    let world = World::new().await;
    let function = world.process().await;
    assert_eq!(function.invoke(&sample("batch"), AMPLE).await, failures(&[]));
    let contacts = world.sandbox.contacts();
    let mut written: Vec<[&str; 3]> =
        contacts.iter().map(|contact| ["email", "company", "routing_track"].map(|name| contact.properties[name].as_str())).collect();
    written.sort_unstable();
    let expected = PEOPLE.map(|(_, email, company)| [email, company, "self_serve"]);
    assert_eq!(written, expected[..2]);
    let requests = world.sandbox.requests();
    assert_eq!(function.invoke(&sample("batch"), AMPLE).await, failures(&[]));
    assert_eq!((world.sandbox.contacts(), world.sandbox.requests()), (contacts, requests));
    let log = log_of(function).await;
    assert_eq!((log.matches("CRM written").count(), log.matches("nothing has changed").count()), (2, 2), "{log}");
}

#[tokio::test]
async fn one_bad_record_is_stored_with_its_reason_and_the_others_are_written() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("one-bad-record");
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    let mut contacts = world.contacts();
    contacts.sort_unstable();
    assert_eq!(contacts, [PEOPLE[0].1, PEOPLE[2].1]);
    let poison = world.aws.poison().unwrap();
    assert_eq!((poison.len(), poison[0].0.as_str()), (1, event["Records"][1]["messageId"].as_str().unwrap()));
    assert!(poison[0].1.contains("line 1 column"), "{}", poison[0].1);
    log_of(function).await;
}

#[tokio::test]
async fn a_record_whose_store_fails_is_exactly_the_one_reported_and_is_written_when_it_comes_again() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    let lee = &event["Records"][1];
    world.aws.fail_requests_with("sample-lee-park");
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[&lee["messageId"]]));
    assert_eq!(world.contacts(), [PEOPLE[0].1]);
    world.aws.recover();
    assert_eq!(function.invoke(&json!({ "Records": [lee] }), AMPLE).await, failures(&[]));
    assert_eq!(world.contacts(), [PEOPLE[0].1, PEOPLE[1].1]);
    log_of(function).await;
}

#[tokio::test]
async fn what_is_no_batch_fails_the_invocation_clearly_and_the_process_answers_the_next() {
    let world = World::new().await;
    let function = world.process().await;
    for event in [json!(null), json!({}), json!({ "Records": null }), json!([1])] {
        let Outcome::Failed { message, .. } = function.invoke(&event, AMPLE).await else { panic!("{event} was taken") };
        assert!(message.contains("not an SQS event"), "{message}");
    }
    assert_eq!(function.invoke(&sample("batch"), AMPLE).await, failures(&[]));
    assert_eq!(world.contacts().len(), 2);
}

#[tokio::test]
async fn with_too_little_time_left_nothing_is_written_and_copies_go_on_or_are_reported() {
    let world = World::new().await;
    let function = world.process().await;
    let event = sample("batch");
    assert_eq!(function.invoke(&event, Duration::ZERO).await, failures(&[]));
    assert_eq!((world.contacts().len(), world.sandbox.requests().len()), (0, 0));
    assert_eq!(world.aws.queue().waiting(QueueName::Writeback), 2, "each as a copy");
    world.aws.fail_requests_with("MessageBody");
    let ids: Vec<&Value> = event["Records"].as_array().unwrap().iter().map(|record| &record["messageId"]).collect();
    assert_eq!(function.invoke(&event, Duration::ZERO).await, failures(&ids));
    assert!(log_of(function).await.contains("too little time was left"));
}

#[tokio::test]
async fn a_missing_variable_is_named_at_the_start_and_all_missing_ones_together() {
    let world = World::new().await;
    for missing in Name::CrmWriteback.required() {
        let mut variables = world.variables();
        variables.remove(missing);
        let why = failure_of(&variables).await;
        assert!(why.contains(missing), "{missing}: {why}");
        let mut others = Name::CrmWriteback.required().into_iter().filter(|name| *name != missing);
        assert!(others.all(|name| !why.contains(name)), "{missing}: {why}");
    }
    let why = failure_of(&BTreeMap::new()).await;
    assert!(Name::CrmWriteback.required().iter().all(|name| why.contains(name)), "{why}");
}

/// Its one secret is read at the first write: until it is there again, the writes wait in the queue.
#[tokio::test]
async fn without_its_secret_the_writes_wait_and_the_log_says_why() {
    let world = World::new().await;
    let mut variables = world.variables();
    variables.insert("SECRETS_ID".into(), "dev-nobody".into());
    let function = start(&variables).await;
    assert_eq!(function.invoke(&sample("batch"), AMPLE).await, failures(&[]));
    assert_eq!((world.contacts().len(), world.aws.queue().waiting(QueueName::Writeback)), (0, 2));
    let log = log_of(function).await;
    assert!(log.contains("secret `hubspot_token` cannot be read") && log.contains("ResourceNotFoundException"), "{log}");
}
