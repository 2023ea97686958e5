//! The function as Lambda calls it, on the ports in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use async_trait::async_trait;
use domain::config::Sources;
use domain::identity::{Email, HashKey};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::signup::Signup;
use domain::units::{Millis, Timestamp};
use lambda_runtime::Context;
use pipeline::enrich::{Configured, Desks, Enrich};
use pipeline::memory::{CountingEntropy, MemoryQueue, MemoryStore, TokioClock};
use pipeline::messages::{LookupMessage, to_body};
use pipeline::ports::{InForce, LookupRequest, Provider, QueueName, Runs, Settings as _, Stage};
use pipeline::versions::Versions;
use platform::bundled_config;
use provider_lookup::{App, handle};
use serde_json::{Value, json};

const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// Knows nobody, and panics over one domain.
struct KnowsNobody;

#[async_trait]
impl Provider for KnowsNobody {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        assert!(!request.key.value.contains("panic"), "the provider of this test panics");
        Reply::NoMatch
    }
}

fn world() -> (App, Arc<MemoryStore>, Arc<MemoryQueue>) {
    let clock = Arc::new(TokioClock::starting_at(START));
    let (store, queue) = (Arc::new(MemoryStore::default()), Arc::new(MemoryQueue::new(clock.clone(), 5)));
    let (config, _) = connectors::configure(&bundled_config()).unwrap();
    let enrich = Enrich {
        store: store.clone(),
        queue: queue.clone(),
        provider: Arc::new(KnowsNobody),
        clock,
        entropy: Arc::new(CountingEntropy::default()),
        config: Arc::new(config),
        key: Arc::new(HashKey::new(vec![1; 32]).unwrap()),
        versions: None,
        desks: Desks::default(),
    };
    (App { enrich }, store, queue)
}

fn message(email: &str) -> LookupMessage {
    let signup = Signup {
        issuer: "signup".into(),
        delivery: email.into(),
        email: Some(Email::parse(email).unwrap()),
        occurred_at: START,
        ..Signup::default()
    };
    LookupMessage::of(signup, Priority::High, START)
}

fn record(id: &str, body: &str) -> Value {
    json!({"messageId": id, "receiptHandle": id, "body": body, "eventSource": "aws:sqs"})
}

fn context() -> Context {
    let mut context = Context::default();
    context.deadline = u64::try_from(START.after(Millis::seconds(60)).millis()).unwrap();
    context
}

#[tokio::test(start_paused = true)]
async fn a_batch_works_off_what_it_can_and_reports_exactly_what_failed() {
    let (app, store, queue) = world();
    let payload = json!({"Records": [
        record("good", &to_body(&message("jane@acme.io")).unwrap()),
        record("unreadable", "{\"signup\": 5"),
        record("panics", &to_body(&message("jane@panic.io")).unwrap()),
    ]});
    let response = handle(&app, &payload, &context()).await.unwrap();
    let failed: Vec<&str> = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
    assert_eq!(failed, ["panics"]);
    let run = message("jane@acme.io").signup.run_id(&app.enrich.key);
    assert_eq!(store.read_run(&run).await.unwrap().unwrap().stage, Stage::Done);
    assert_eq!(queue.waiting(QueueName::Writeback), 1);
    let poison = store.poison();
    assert_eq!((poison.len(), poison[0].id.as_str()), (1, "unreadable"));
    assert!(poison[0].why.contains("line 1"), "{}", poison[0].why);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_batch_is_a_clear_error() {
    let (app, ..) = world();
    for payload in [json!(null), json!({}), json!({"Records": null}), json!([1])] {
        let error = handle(&app, &payload, &context()).await.unwrap_err().to_string();
        assert!(error.contains("not an SQS event"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invocation_takes_up_the_version_that_came_into_force_a_minute_after_the_last_look() {
    let (mut app, store, _) = world();
    let make = |sources: &Sources| {
        let (config, _) = connectors::configure_for_use(sources)?;
        Ok(Configured { config: Arc::new(config), provider: Arc::new(KnowsNobody) })
    };
    let versions = Versions::load(store.clone(), app.enrich.clock.clone(), bundled_config(), make).await.unwrap();
    app.enrich.versions = Some(Arc::new(versions));
    let published = Sources::new(bundled_config().iter().map(|(path, text)| (path.to_owned(), format!("{text}\n# changed\n"))));
    store.publish_version(&published, START).await.unwrap();
    store.activate(&InForce::Version(published.hash()), &InForce::Bundled, START).await.unwrap();
    let mut configs = Vec::new();
    for (email, pass) in [("a@acme.io", 59_999), ("b@acme.io", 1)] {
        tokio::time::sleep(std::time::Duration::from_millis(pass)).await;
        let mut context = Context::default();
        context.deadline = u64::try_from(app.enrich.clock.now().after(Millis::seconds(60)).millis()).unwrap();
        let payload = json!({ "Records": [record(email, &to_body(&message(email)).unwrap())] });
        assert_eq!(handle(&app, &payload, &context).await.unwrap().batch_item_failures.len(), 0);
        configs.push(store.read_run(&message(email).signup.run_id(&app.enrich.key)).await.unwrap().unwrap().run.config);
    }
    assert_eq!(configs, [bundled_config().hash(), published.hash()]);
}
