//! The real binary as Lambda runs it: API Gateway's events in, messages in the queues out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::identity::HashKey;
use domain::priority::Priority;
use domain::units::Millis;
use intake::sample::{RepeatAs, Sample, local_secret};
use pipeline::messages::{LookupMessage, from_body};
use pipeline::ports::{Clock as _, Queue as _, QueueName};
use platform::{Function as Name, SystemClock};
use serde_json::{Map, Value, json};
use stand_in::{AwsEndpoint, Function, Outcome, Started, post_event};

const HASH_KEY: &str = "hash key of the process tests, thirty bytes and more";
const AMPLE: Duration = Duration::from_secs(10);
const CRITICAL: QueueName = QueueName::Lookup(Priority::Critical);
const HIGH: QueueName = QueueName::Lookup(Priority::High);

/// What plays AWS around the process.
struct World {
    aws: AwsEndpoint,
}

impl World {
    async fn new() -> Self {
        let webhooks = ["signup", "clerk"].map(|issuer| (format!("webhook_secret_{issuer}"), json!(local_secret(issuer).unwrap())));
        let key = ("hash_key".to_owned(), json!(URL_SAFE_NO_PAD.encode(HASH_KEY)));
        let secrets = [("dev-webhooks", Value::Object(webhooks.into_iter().chain([key]).collect()).to_string())];
        Self { aws: AwsEndpoint::start(Arc::new(SystemClock), 5, secrets).await.unwrap() }
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.aws.variables(Name::SignupWebhook);
        variables.insert("AWS_ENDPOINT_URL".into(), self.aws.url().into());
        variables.insert("LOG_LEVEL".into(), "trace".into());
        variables
    }

    async fn process(&self) -> Function {
        let function = start(&self.variables()).await;
        assert_eq!(function.started().await, Started::Ready);
        function
    }

    /// Takes every message out of all queues.
    async fn take(&self) -> Vec<(QueueName, LookupMessage)> {
        let mut taken = Vec::new();
        for name in QueueName::ALL {
            for received in self.aws.queue().receive(name, 10, Millis::minutes(5)).await.unwrap() {
                self.aws.queue().delete(name, &received.receipt).await.unwrap();
                taken.push((name, from_body(&received.body).unwrap()));
            }
        }
        taken
    }
}

async fn start(variables: &BTreeMap<String, String>) -> Function {
    Function::start(env!("CARGO_BIN_EXE_signup-webhook"), variables).await.unwrap()
}

async fn failure_of(variables: &BTreeMap<String, String>) -> String {
    stand_in::failure_of(env!("CARGO_BIN_EXE_signup-webhook"), variables).await.unwrap()
}

/// The sample signups of `events/`, by case.
fn samples() -> BTreeMap<String, Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let read = |name: String| {
        let case = Sample::case_of(&name)?.to_owned();
        Some((case, Sample::parse(&std::fs::read_to_string(folder.join(&name)).unwrap()).unwrap()))
    };
    names.filter_map(read).collect()
}

fn sample(case: &str) -> Sample {
    samples().remove(case).unwrap()
}

/// A sample as API Gateway delivers it, signed now.
fn event(sample: &Sample, body: &[u8]) -> Value {
    let secret = local_secret(&sample.issuer).unwrap();
    let now = SystemClock.now();
    let signed = intake::sign(&sample.issuer, body, &secret.into(), sample.delivery.as_deref(), now).unwrap();
    let mut headers: Map<String, Value> = signed.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    if let Some(prefer) = &sample.prefer {
        headers.insert("prefer".into(), json!(prefer));
    }
    post_event(&sample.issuer, headers, std::str::from_utf8(body).unwrap(), now)
}

/// The status and the body of an answer.
async fn answer(function: &Function, event: &Value) -> (u64, Value) {
    let Outcome::Answer(answer) = function.invoke(event, AMPLE).await else { panic!("the invocation failed") };
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

/// Ends the process; whatever it wrote is lines of JSON, and says nothing of a person or a secret.
async fn log_of(function: Function) -> String {
    let key = URL_SAFE_NO_PAD.encode(HASH_KEY);
    let secrets = [HASH_KEY, &key, local_secret("signup").unwrap(), local_secret("clerk").unwrap()];
    let private: Vec<&str> = ["@", ".example", "Northwind", "Dana", "Winter"].into_iter().chain(secrets).collect();
    stand_in::log_of(function, &private).await.unwrap()
}

#[tokio::test]
async fn every_sending_of_every_sample_is_one_message_in_the_right_queue_and_then_202() {
    let world = World::new().await;
    let function = world.process().await;
    // Whoever wrote to sales, asked for a demo or waits for the answer is served first.
    let urgent = ["contact-sales", "hot", "late-answer"];
    let key = HashKey::new(HASH_KEY.as_bytes().to_vec()).unwrap();
    for (case, sample) in samples() {
        let first = sample.render(SystemClock.now());
        for _ in 0..sample.repeat {
            let body = if sample.repeat_as == RepeatAs::Click { sample.render(SystemClock.now()) } else { first.clone() };
            let (status, said) = answer(&function, &event(&sample, &body)).await;
            let taken = world.take().await;
            assert_eq!((status, said["status"].as_str(), taken.len()), (202, Some("accepted"), 1), "{case}");
            let (queue, message) = &taken[0];
            assert_eq!(*queue, if urgent.contains(&case.as_str()) { CRITICAL } else { HIGH }, "{case}");
            assert_eq!(said["run"], message.signup.run_id(&key).as_str(), "{case}");
        }
    }
    log_of(function).await;
}

#[tokio::test]
async fn a_bad_signature_is_answered_401_and_queues_nothing() {
    let world = World::new().await;
    let function = world.process().await;
    let (hot, other) = (sample("self-serve"), sample("no-match"));
    let mut event = event(&hot, &hot.render(SystemClock.now()));
    event["body"] = json!(String::from_utf8(other.render(SystemClock.now())).unwrap());
    let (status, said) = answer(&function, &event).await;
    assert_eq!((status, said["type"].as_str()), (401, Some("https://millrace.dev/problems/signature-refused")));
    assert_eq!(world.take().await.len(), 0);
    assert!(log_of(function).await.contains("signup refused"));
}

#[tokio::test]
async fn a_base64_body_is_the_same_signup() {
    let world = World::new().await;
    let function = world.process().await;
    let sample = sample("self-serve");
    let body = sample.render(SystemClock.now());
    let plain = event(&sample, &body);
    let mut encoded = plain.clone();
    encoded["body"] = json!(STANDARD.encode(&body));
    encoded["isBase64Encoded"] = json!(true);
    assert_eq!(answer(&function, &plain).await, answer(&function, &encoded).await);
    assert_eq!(world.take().await.len(), 2);
}

#[tokio::test]
async fn nothing_is_accepted_that_the_queue_did_not_take_and_the_retry_is_the_same_run() {
    let world = World::new().await;
    let function = world.process().await;
    let sample = sample("self-serve");
    let event = event(&sample, &sample.render(SystemClock.now()));
    world.aws.fail_requests_with("MessageBody");
    assert_eq!(answer(&function, &event).await.0, 503);
    assert_eq!(world.take().await.len(), 0);
    world.aws.recover();
    let (first, second) = (answer(&function, &event).await, answer(&function, &event).await);
    assert_eq!((first.0, &first), (202, &second));
    assert!(log_of(function).await.contains("the signup could not be queued"));
}

#[tokio::test]
async fn what_is_no_request_fails_the_invocation_and_the_process_answers_the_next() {
    let world = World::new().await;
    let function = world.process().await;
    for event in [json!(null), json!([1]), json!("event"), json!({ "requestContext": 5 })] {
        let outcome = function.invoke(&event, AMPLE).await;
        assert!(matches!(&outcome, Outcome::Failed { message, .. } if message.contains("failed to deserialize")), "{outcome:?}");
    }
    let sample = sample("self-serve");
    assert_eq!(answer(&function, &event(&sample, &sample.render(SystemClock.now()))).await.0, 202);
}

#[tokio::test]
async fn a_missing_variable_is_named_at_the_start_and_all_missing_ones_together() {
    let world = World::new().await;
    for missing in Name::SignupWebhook.required() {
        let mut variables = world.variables();
        variables.remove(missing);
        let why = failure_of(&variables).await;
        assert!(why.contains(missing), "{missing}: {why}");
        let mut others = Name::SignupWebhook.required().into_iter().filter(|name| *name != missing);
        assert!(others.all(|name| !why.contains(name)), "{missing}: {why}");
    }
    let why = failure_of(&BTreeMap::new()).await;
    assert!(Name::SignupWebhook.required().iter().all(|name| why.contains(name)), "{why}");
}

/// It starts only after it has read its secret, and nothing listens where the proxies are said to be.
#[tokio::test]
async fn aws_is_reached_directly_whatever_proxy_the_environment_names() {
    let world = World::new().await;
    let mut variables = world.variables();
    variables.extend(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name.to_owned(), "http://127.0.0.1:9".to_owned())));
    assert_eq!(start(&variables).await.started().await, Started::Ready);
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_a_clear_message_at_the_start() {
    let world = World::new().await;
    let mut unknown = world.variables();
    unknown.insert("SECRETS_ID".into(), "dev-nobody".into());
    let mut unreachable = world.variables();
    unreachable.insert("AWS_ENDPOINT_URL".into(), "http://127.0.0.1:9".into());
    for (variables, reason) in [(unknown, "ResourceNotFoundException"), (unreachable, "the endpoint cannot be reached")] {
        let why = failure_of(&variables).await;
        assert!(why.contains("hash_key") && why.contains(reason), "{why}");
    }
}
