use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::units::{Millis, Timestamp};
use pipeline::conformance::{RECEIVES_MAX, queue_suite};
use pipeline::ports::{Clock, Queue, QueueName, Secrets};
use platform::{QueueUrls, SecretReader, SecretsIds};
use secrecy::ExposeSecret as _;
use stand_in::AwsEndpoint;

use crate::database::START;

/// A clock that stands still until it is moved.
#[derive(Default)]
struct HandClock(AtomicI64);

impl HandClock {
    fn pass(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        START.after(Millis(self.0.load(Ordering::SeqCst)))
    }
}

async fn endpoint(clock: Arc<HandClock>) -> AwsEndpoint {
    let secrets = [("first", r#"{"api_key":"one"}"#), ("second", r#"{"api_key":"two","token":"three"}"#)];
    AwsEndpoint::start(clock, RECEIVES_MAX, secrets.map(|(id, text)| (id, text.to_owned()))).await.unwrap()
}

async fn secrets(endpoint: &AwsEndpoint, ids: &str) -> SecretReader {
    endpoint.connect().secrets(SecretsIds::new(ids), Arc::new(HandClock::default()))
}

#[tokio::test]
async fn the_queues_keep_the_semantics_of_sqs_on_the_wire() {
    let clock = Arc::new(HandClock::default());
    let endpoints = tokio::sync::Mutex::new(Vec::new());
    let fresh = async || {
        let endpoint = endpoint(clock.clone()).await;
        let queue = endpoint.connect().queue(endpoint.queue_urls());
        endpoints.lock().await.push(endpoint);
        Arc::new(queue) as Arc<dyn Queue>
    };
    queue_suite(fresh, async |span| clock.pass(span)).await;
}

#[tokio::test]
async fn a_longer_delay_than_sqs_allows_is_shortened() {
    let endpoint = endpoint(Arc::default()).await;
    endpoint.connect().queue(endpoint.queue_urls()).send(QueueName::Writeback, "a", Millis::hours(2)).await.unwrap();
    assert_eq!(endpoint.requests()[0].1["DelaySeconds"], 900);
}

#[tokio::test]
async fn a_queue_without_an_address_names_the_variable_to_set() {
    let endpoint = endpoint(Arc::default()).await;
    let queue = endpoint.connect().queue(QueueUrls::new([]));
    let error = queue.send(QueueName::Writeback, "canary", Millis(0)).await.unwrap_err().to_string();
    assert!(error.contains("WRITEBACK_QUEUE_URL") && !error.contains("canary"), "{error}");
}

#[tokio::test]
async fn dead_letters_are_read_to_the_end_and_shown_again() {
    let endpoint = endpoint(Arc::default()).await;
    let queue = endpoint.connect().queue(endpoint.queue_urls());
    for nth in 0..23 {
        queue.send(QueueName::Writeback, &nth.to_string(), Millis(0)).await.unwrap();
    }
    while endpoint.queue().waiting(QueueName::Writeback) > 0 {
        queue.receive(QueueName::Writeback, 10, Millis(0)).await.unwrap();
    }
    for _ in 0..2 {
        let letters = queue.dead_letters(QueueName::Writeback).await.unwrap();
        let bodies: BTreeSet<&str> = letters.iter().map(|letter| letter.body.as_str()).collect();
        assert_eq!((letters.len(), bodies.len()), (23, 23));
        assert!(letters.iter().all(|letter| letter.sent_at == Some(START)));
    }
}

#[tokio::test]
async fn a_secret_is_read_once() {
    let endpoint = endpoint(Arc::default()).await;
    let secrets = secrets(&endpoint, "first").await;
    for _ in 0..2 {
        assert_eq!(secrets.secret("api_key").await.unwrap().expose_secret(), "one");
    }
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn the_names_of_several_secrets_are_put_together_and_the_first_value_stands() {
    let endpoint = endpoint(Arc::default()).await;
    let secrets = secrets(&endpoint, "first, second").await;
    assert_eq!(secrets.secret("api_key").await.unwrap().expose_secret(), "one");
    assert_eq!(secrets.secret("token").await.unwrap().expose_secret(), "three");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_an_error_with_the_code() {
    let endpoint = endpoint(Arc::default()).await;
    let error = secrets(&endpoint, "other").await.secret("api_key").await.unwrap_err();
    assert!(error.to_string().contains("secret other: ResourceNotFoundException"), "{error}");
}
