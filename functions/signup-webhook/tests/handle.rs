//! The function as API Gateway calls it, on the ports in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::identity::HashKey;
use domain::priority::Priority;
use domain::run::Run;
use domain::units::{Millis, Timestamp};
use http::{HeaderName, Method};
use intake::sample::local_secret;
use intake::{Keys, KeysUnavailable, WebhookSecret};
use pipeline::memory::{MemoryQueue, MemoryStore, TokioClock};
use pipeline::messages::{LookupMessage, from_body};
use pipeline::ports::{Claim, ClaimRequest, DeadLetter, Queue, QueueError, QueueName, Received, Runs};
use signup_webhook::{App, handle};

const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);
const BODY: &str = r#"{"email":"jane@acme.io","company_name":"Acme","signup_source":"demo","timestamp":"2026-11-20T12:00:00Z"}"#;

struct LocalKeys;

#[async_trait]
impl Keys for LocalKeys {
    async fn webhook_secrets(&self, issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        Ok(local_secret(issuer).map(|value| WebhookSecret { value: value.into(), until: None }).into_iter().collect())
    }
}

/// A queue that does not answer.
struct BrokenQueue;

#[async_trait]
impl Queue for BrokenQueue {
    async fn send(&self, queue: QueueName, _body: &str, _delay: Millis) -> Result<(), QueueError> {
        Err(QueueError { queue: queue.as_str(), why: "no answer in time".into() })
    }
    async fn receive(&self, _queue: QueueName, _max: usize, _visibility: Millis) -> Result<Vec<Received>, QueueError> {
        Ok(vec![])
    }
    async fn delete(&self, _queue: QueueName, _receipt: &str) -> Result<(), QueueError> {
        Ok(())
    }
    async fn dead_letters(&self, _queue: QueueName) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(vec![])
    }
    async fn delete_dead_letter(&self, _queue: QueueName, _receipt: &str) -> Result<(), QueueError> {
        Ok(())
    }
}

struct World {
    app: App,
    queue: Arc<MemoryQueue>,
    store: Arc<MemoryStore>,
}

fn world() -> World {
    let clock = Arc::new(TokioClock::starting_at(START));
    let queue = Arc::new(MemoryQueue::new(clock.clone(), 5));
    let store = Arc::new(MemoryStore::default());
    let hash_key = Arc::new(HashKey::new(vec![1; 32]).unwrap());
    let app = App { keys: Arc::new(LocalKeys), queue: queue.clone(), store: store.clone(), clock, hash_key };
    World { app, queue, store }
}

fn request(method: Method, path: &str, body: &str, signed: bool, prefer: Option<&str>) -> ApiGatewayV2httpRequest {
    let mut request = ApiGatewayV2httpRequest::default();
    request.raw_path = Some(path.to_owned());
    request.request_context.http.method = method;
    request.body = Some(body.to_owned());
    if signed {
        let secret = local_secret("signup").unwrap();
        for (name, value) in intake::sign("signup", body.as_bytes(), &secret.into(), None, START).unwrap() {
            request.headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
    } else {
        request.headers.insert("content-type", "application/json".parse().unwrap());
    }
    if let Some(prefer) = prefer {
        request.headers.insert("prefer", prefer.parse().unwrap());
    }
    request
}

fn json(response: &ApiGatewayV2httpResponse) -> serde_json::Value {
    let Some(aws_lambda_events::encodings::Body::Text(text)) = &response.body else { panic!("no text body") };
    serde_json::from_str(text).unwrap()
}

async fn queued(world: &World, queue: QueueName) -> Vec<LookupMessage> {
    let received = world.queue.receive(queue, 10, Millis::minutes(1)).await.unwrap();
    received.iter().map(|message| from_body(&message.body).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn s3_46_a_signed_signup_is_queued_once_and_answered_202_with_its_location() {
    let world = world();
    let response = handle(&world.app, request(Method::POST, "/webhook/signup", BODY, true, None)).await;
    assert_eq!(response.status_code, 202);
    let run = json(&response)["run"].as_str().unwrap().to_owned();
    assert_eq!(response.headers["location"], format!("/webhook/runs/{run}"));
    let messages = queued(&world, QueueName::Lookup(Priority::Critical)).await;
    assert_eq!(messages.len(), 1, "a demo request is critical (X-25)");
    assert_eq!(messages[0].signup.run_id(&world.app.hash_key).as_str(), run);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_accepted_that_the_queue_did_not_take() {
    let world = world();
    let app = App { queue: Arc::new(BrokenQueue), ..world.app };
    let response = handle(&app, request(Method::POST, "/webhook/signup", BODY, true, Some("wait=2"))).await;
    assert_eq!((response.status_code, response.headers["retry-after"].to_str().unwrap()), (503, "2"));
}

#[tokio::test(start_paused = true)]
async fn an_unsigned_signup_is_refused_and_nothing_is_queued() {
    let world = world();
    let response = handle(&world.app, request(Method::POST, "/webhook/signup", BODY, false, None)).await;
    assert_eq!(response.status_code, 401);
    assert_eq!(response.headers["content-type"], "application/problem+json");
    assert_eq!(json(&response)["type"], "https://millrace.dev/problems/signature-refused");
    assert_eq!(world.queue.waiting(QueueName::Lookup(Priority::Critical)), 0);
}

#[tokio::test(start_paused = true)]
async fn x_28_a_signup_that_names_nobody_is_refused_and_not_sent_again() {
    let world = world();
    let body = r#"{"name":"Jane","timestamp":"2026-11-20T12:00:00Z"}"#;
    let response = handle(&world.app, request(Method::POST, "/webhook/signup", body, true, None)).await;
    assert_eq!((response.status_code, response.headers["webhook-delivery"].to_str().unwrap()), (422, "abort-message"));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_in_vain_gets_202_at_the_end_of_their_time() {
    let world = world();
    let start = world.app.clock.now();
    let trial = BODY.replace("demo", "free_trial");
    let response = handle(&world.app, request(Method::POST, "/webhook/signup", &trial, true, Some("wait=2"))).await;
    assert_eq!(response.status_code, 202);
    assert!(world.app.clock.now().since(start) <= Millis::seconds(2));
    let messages = queued(&world, QueueName::Lookup(Priority::Critical)).await;
    assert_eq!(messages[0].priority, Priority::High, "waiting raises the queue, never the budget");
    assert!(messages[0].answer_by.unwrap() < START.after(Millis::seconds(2)));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_read_by_its_id_without_its_record() {
    let world = world();
    handle(&world.app, request(Method::POST, "/webhook/signup", BODY, true, None)).await;
    let message = queued(&world, QueueName::Lookup(Priority::Critical)).await.remove(0);
    let run = Run::begin(message.signup.run_id(&world.app.hash_key), message.signup, Priority::High, START, "");
    let id = run.id.clone();
    let claim = ClaimRequest { run, payload_hash: "p".into(), nonce: "n".into(), now: START, lease_until: START.after(Millis::seconds(9)) };
    assert!(matches!(world.store.claim_run(&claim).await.unwrap(), Claim::Mine(..)));
    let seen = handle(&world.app, request(Method::GET, &format!("/webhook/runs/{id}"), "", false, None)).await;
    assert_eq!((seen.status_code, json(&seen)["status"].as_str().unwrap().to_owned()), (200, "accepted".to_owned()));
    assert!(!json(&seen).to_string().contains("jane"));
    let unknown = format!("/webhook/runs/{}", "a".repeat(43));
    for (path, status) in [(unknown.as_str(), 404), ("/webhook/runs/short", 404), ("/other", 404)] {
        assert_eq!(handle(&world.app, request(Method::GET, path, "", false, None)).await.status_code, status, "{path}");
    }
    assert_eq!(handle(&world.app, request(Method::GET, "/webhook/signup", "", false, None)).await.status_code, 405);
    assert_eq!(handle(&world.app, request(Method::POST, "/webhook/nobody", BODY, true, None)).await.status_code, 404);
}
