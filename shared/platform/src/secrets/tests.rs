use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex as StdMutex, PoisonError};

use intake::Keys as _;

use super::source::parse;
use super::*;

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
        Timestamp::from_millis(1_795_176_000_000 + self.0.load(Ordering::SeqCst))
    }
}

/// Answers with the JSON it holds, or fails when it holds none; counts.
#[derive(Clone, Default)]
struct Script(Arc<StdMutex<(Option<String>, usize)>>);

impl Script {
    fn say(&self, json: Option<&str>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = json.map(str::to_owned);
    }

    fn place(&self) -> Box<dyn Source> {
        Box::new(self.clone())
    }

    fn readings(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[async_trait]
impl Source for Script {
    async fn read(&self) -> Result<Values, String> {
        let json = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.1 += 1;
            state.0.clone()
        };
        tokio::task::yield_now().await;
        parse(&json.ok_or("down")?)
    }
}

fn reader(json: &str) -> (SecretReader, Script, Arc<HandClock>) {
    let (script, clock) = (Script::default(), Arc::new(HandClock::default()));
    script.say(Some(json));
    (SecretReader::of([script.place()], Arc::clone(&clock) as Arc<dyn Clock>), script, clock)
}

async fn key(reader: &SecretReader) -> String {
    reader.secret("api_key").await.unwrap().expose_secret().to_owned()
}

#[tokio::test]
async fn many_callers_wait_for_one_reading() {
    let (reader, script, _) = reader(r#"{"api_key":"one"}"#);
    futures::future::join_all((0..20).map(|_| key(&reader))).await;
    assert_eq!(script.readings(), 1);
}

#[tokio::test]
async fn values_are_read_again_after_five_minutes() {
    let (reader, script, clock) = reader(r#"{"api_key":"one"}"#);
    key(&reader).await;
    script.say(Some(r#"{"api_key":"two"}"#));
    clock.pass(BELIEVED);
    assert_eq!(key(&reader).await, "two");
}

#[tokio::test]
async fn a_refused_caller_gets_a_fresh_value_before_the_time_is_over() {
    let (reader, script, _) = reader(r#"{"api_key":"one"}"#);
    key(&reader).await;
    script.say(Some(r#"{"api_key":"two"}"#));
    assert_eq!(key(&reader).await, "one");
    reader.refresh("api_key").await;
    assert_eq!(key(&reader).await, "two");
}

#[tokio::test]
async fn stale_values_serve_while_the_manager_is_down_and_it_is_not_hammered() {
    let (reader, script, clock) = reader(r#"{"api_key":"one"}"#);
    key(&reader).await;
    script.say(None);
    clock.pass(Millis::minutes(6));
    assert_eq!((key(&reader).await, key(&reader).await, script.readings()), ("one".into(), "one".into(), 2));
    script.say(Some(r#"{"api_key":"two"}"#));
    clock.pass(PAUSE_AFTER_FAILURE);
    assert_eq!(key(&reader).await, "two");
}

#[tokio::test]
async fn without_any_value_the_error_says_what_to_do_and_shows_none() {
    let (reader, script, _) = reader(r#"{"other":"canary"}"#);
    assert_eq!(
        reader.secret("api_key").await.unwrap_err().to_string(),
        "secret `api_key` cannot be read: add it to the secret: `millrace secret set`"
    );
    script.say(Some(r#"{"api_key":["canary"]}"#));
    reader.refresh("api_key").await;
    assert!(reader.secret("api_key").await.is_err());
    let why = parse(r#"{"api_key":["canary"]}"#).unwrap_err();
    assert!(!why.contains("canary") && !format!("{reader:?}").contains("canary"), "{why}");
}

#[tokio::test]
async fn a_place_is_read_when_a_name_is_not_in_those_before_it() {
    let (first, second) = (Script::default(), Script::default());
    first.say(Some(r#"{"hash_key":"a","empty":""}"#));
    second.say(Some(r#"{"hash_key":"b","api_key":"one","empty":"two"}"#));
    let reader = SecretReader::of([first.place(), second.place()], Arc::new(HandClock::default()));
    assert_eq!(reader.secret("hash_key").await.unwrap().expose_secret(), "a");
    assert_eq!((first.readings(), second.readings()), (1, 0));
    assert_eq!(key(&reader).await, "one");
    assert_eq!(reader.secret("empty").await.unwrap().expose_secret(), "two");
    assert_eq!((first.readings(), second.readings()), (1, 1));
    assert!(reader.secret("unknown").await.is_err());
}

#[tokio::test]
async fn two_webhook_secrets_are_active_while_one_is_changed() {
    let (reader, ..) = reader(
        r#"{"webhook_secret_clerk":"new","webhook_secret_clerk_previous":"old","webhook_secret_clerk_previous_until":"2026-12-01T00:00:00Z"}"#,
    );
    let secrets = reader.webhook_secrets("clerk").await.unwrap();
    let ends: Vec<Option<Timestamp>> = secrets.iter().map(|secret| secret.until).collect();
    assert_eq!(ends, [None, Timestamp::parse("2026-12-01T00:00:00Z")]);
    assert!(reader.webhook_secrets("workos").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_former_webhook_secret_without_an_end_is_not_used() {
    let (reader, ..) = reader(r#"{"webhook_secret_clerk":"new","webhook_secret_clerk_previous":"old"}"#);
    assert_eq!(reader.webhook_secrets("clerk").await.unwrap().len(), 1);
}

#[tokio::test]
async fn webhook_secrets_that_cannot_be_read_are_an_error_and_not_an_empty_list() {
    let (reader, script, _) = reader("{}");
    script.say(None);
    assert!(reader.webhook_secrets("clerk").await.is_err());
}

#[tokio::test]
async fn the_hash_key_is_base64_of_at_least_16_bytes() {
    let (good, ..) = reader(r#"{"hash_key":"AQIDBAUGBwgJCgsMDQ4PEA"}"#);
    assert!(good.hash_key().await.is_ok());
    for bad in [r#"{"hash_key":"AQID"}"#, r#"{"hash_key":"!"}"#, "{}"] {
        let (reader, ..) = reader(bad);
        assert!(reader.hash_key().await.is_err(), "{bad}");
    }
}
