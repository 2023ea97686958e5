use std::sync::Arc;

use domain::units::Millis;
use pipeline::conformance::{RECEIVES_MAX, queue_suite};
use pipeline::ports::{Queue, QueueName, Secrets};
use platform::{QueueUrls, SecretsId, SqsQueue};
use secrecy::ExposeSecret as _;

use crate::stand_in::{HandClock, start, urls};

#[tokio::test]
async fn the_queues_keep_the_semantics_of_sqs_on_the_wire() {
    let clock = Arc::new(HandClock::default());
    let fresh = async || Arc::new(queue(&clock).await) as Arc<dyn Queue>;
    queue_suite(fresh, async |span| clock.pass(span)).await;
}

async fn queue(clock: &Arc<HandClock>) -> SqsQueue {
    start(clock.clone(), RECEIVES_MAX).await.0.queue(urls())
}

#[tokio::test]
async fn a_longer_delay_than_sqs_allows_is_shortened() {
    let (aws, stand_in) = start(Arc::new(HandClock::default()), RECEIVES_MAX).await;
    aws.queue(urls()).send(QueueName::Writeback, "a", Millis::hours(2)).await.unwrap();
    assert_eq!(stand_in.requests()[0].1["DelaySeconds"], 900);
}

#[tokio::test]
async fn a_queue_without_an_address_names_the_variable_to_set() {
    let (aws, _) = start(Arc::new(HandClock::default()), RECEIVES_MAX).await;
    let error = aws.queue(QueueUrls::new([])).send(QueueName::Writeback, "canary", Millis(0)).await.unwrap_err().to_string();
    assert!(error.contains("WRITEBACK_QUEUE_URL") && !error.contains("canary"), "{error}");
}

#[tokio::test]
async fn secrets_are_read_from_one_secret_and_once() {
    let (aws, stand_in) = start(Arc::new(HandClock::default()), RECEIVES_MAX).await;
    let secrets = aws.secrets(SecretsId::new("millrace"), Arc::new(HandClock::default()));
    for _ in 0..2 {
        assert_eq!(secrets.secret("api_key").await.unwrap().expose_secret(), "one");
    }
    assert_eq!(stand_in.requests().len(), 1);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_an_error_with_the_code() {
    let (aws, _) = start(Arc::new(HandClock::default()), RECEIVES_MAX).await;
    let error = aws.secrets(SecretsId::new("other"), Arc::new(HandClock::default())).secret("api_key").await.unwrap_err();
    assert!(error.to_string().contains("ResourceNotFoundException"), "{error}");
}
