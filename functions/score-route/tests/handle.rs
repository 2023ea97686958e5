//! The function as Lambda calls it, on the ports in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod leads;

use std::sync::Arc;

use domain::config::Config;
use domain::route::Track;
use domain::units::Millis;
use lambda_runtime::Context;
use pipeline::memory::{MemoryQueue, MemoryStore, TokioClock};
use pipeline::ports::QueueName;
use pipeline::redecide::Redecide;
use platform::bundled_config;
use score_route::{App, handle};
use serde_json::{Value, json};

use leads::{PEOPLE, START, decided};

struct World {
    app: App,
    store: Arc<MemoryStore>,
    queue: Arc<MemoryQueue>,
}

/// The bundled configuration, and one deployed since in which everybody goes to the sales development reps.
fn configurations() -> (Config, Config) {
    let (before, _) = connectors::configure(&bundled_config()).unwrap();
    let mut since = before.clone();
    since.hash = "deployed-since".into();
    since.route.rules.clear();
    (since.route.otherwise, since.route.undecided) = (Track::SdrQueue, Track::SdrQueue.into());
    (before, since)
}

/// With the records that the sample events name, each decided by a run that is done.
async fn world() -> World {
    let clock = Arc::new(TokioClock::starting_at(START));
    let (store, queue) = (Arc::new(MemoryStore::default()), Arc::new(MemoryQueue::new(clock.clone(), 5)));
    let (before, since) = configurations();
    for (record, email) in PEOPLE {
        decided(&*store, &before, record, email).await;
    }
    let redecide = Redecide { store: store.clone(), queue: queue.clone(), clock, config: Arc::new(since), versions: None };
    World { app: App { redecide }, store, queue }
}

fn context() -> Context {
    let mut context = Context::default();
    context.deadline = u64::try_from(START.after(Millis::seconds(60)).millis()).unwrap();
    context
}

fn sample() -> Value {
    serde_json::from_str(include_str!("../../../events/score-route.one-bad-record.json")).unwrap()
}

fn tracks(store: &MemoryStore) -> Vec<Track> {
    store.records().into_iter().filter_map(|record| record.decided).map(|decided| decided.decision.route.track).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_decides_again_what_it_can_and_puts_aside_what_nobody_can_read() {
    let world = world().await;
    assert_eq!(tracks(&world.store), [Track::SelfServe, Track::SelfServe]);
    let response = handle(&world.app, &sample(), &context()).await.unwrap();
    assert!(response.batch_item_failures.is_empty(), "{response:?}");
    assert_eq!((tracks(&world.store), world.queue.waiting(QueueName::Writeback)), (vec![Track::SdrQueue; 2], 2));
    let poison = world.store.poison();
    assert_eq!((poison.len(), poison[0].queue.as_str()), (1, "score"));
    assert!(!poison[0].why.contains("whim"), "no part of a body is repeated: {}", poison[0].why);
    // The same batch again writes nothing more to the CRM.
    handle(&world.app, &sample(), &context()).await.unwrap();
    assert_eq!(world.queue.waiting(QueueName::Writeback), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_batch_is_a_clear_error() {
    let world = world().await;
    for payload in [json!(null), json!({}), json!({"Records": null})] {
        let error = handle(&world.app, &payload, &context()).await.unwrap_err().to_string();
        assert!(error.contains("not an SQS event"), "{error}");
    }
}
