//! The function as Lambda calls it, on the ports in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod ledger;

use std::io;
use std::sync::{Arc, Mutex};

use domain::credits::ReservationState;
use domain::units::{Credits, Millis, Timestamp};
use lambda_runtime::Context;
use pipeline::memory::{MemoryStore, TokioClock};
use pipeline::sweep::Sweep;
use platform::bundled_config;
use scheduled_refresh::{App, TickFailed, handle};
use serde_json::{Value, json};
use stand_in::sample_event;
use tracing_subscriber::fmt::MakeWriter;

use ledger::{counted, keep_no_match, leave_open, spend, state_of};

const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);
const AMPLE: Millis = Millis::seconds(60);
const LONG_AGO: Timestamp = START.before(Millis::minutes(2));

struct World {
    app: App,
    store: Arc<MemoryStore>,
    log: Log,
}

/// What is logged on this thread, one JSON object a line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    /// The lines since they were last taken.
    fn take(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl World {
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(TokioClock::starting_at(START)));
        let (config, _) = connectors::configure(&bundled_config()).unwrap();
        assert_eq!(config.limits.allocation, ledger::ALLOCATION);
        let sweep = Sweep { store: store.clone(), clock, config: Arc::new(config) };
        Self { app: App { sweep }, store, log: Log::default() }
    }

    /// One tick, and what it logs.
    async fn tick(&self, time_left: Millis) -> (Result<(), TickFailed>, Vec<Value>) {
        let lines = tracing_subscriber::fmt().json().flatten_event(true).with_writer(self.log.clone()).finish();
        let _guard = tracing::subscriber::set_default(lines);
        let mut context = Context::default();
        context.deadline = u64::try_from(self.app.sweep.clock.now().after(time_left).millis()).unwrap();
        let ended = handle(&self.app, &sample_event("scheduled-refresh.tick", START).unwrap(), &context).await;
        (ended, self.log.take())
    }
}

#[tokio::test(start_paused = true)]
async fn a_tick_with_nothing_to_do_logs_nothing() {
    let world = World::new();
    let calling = leave_open(&*world.store, 1, 2, START).await;
    assert_eq!(world.tick(AMPLE).await, (Ok(()), vec![]));
    assert_eq!(state_of(&*world.store, &calling).await, ReservationState::Calling, "a reservation that still calls is left alone");
}

#[tokio::test(start_paused = true)]
async fn one_line_says_what_a_tick_did_and_names_nobody() {
    let world = World::new();
    let kept = leave_open(&*world.store, 1, 2, LONG_AGO).await;
    keep_no_match(&*world.store, &kept).await;
    leave_open(&*world.store, 2, 2, LONG_AGO).await;
    let (ended, log) = world.tick(AMPLE).await;
    assert_eq!((ended, log.len()), (Ok(()), 1));
    let line = json!([log[0]["level"], log[0]["message"], log[0]["settled"], log[0]["unknown"], log[0]["failed"]]);
    assert_eq!(line, json!(["INFO", "ledger swept", 1, 1, 0]));
    assert_eq!(counted(&*world.store, &START.month()).await, (Credits::ZERO, Credits::whole(2)));
    assert_eq!(world.tick(AMPLE).await, (Ok(()), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_tick_goes_on_until_nothing_is_left_and_still_says_so_in_one_line() {
    let world = World::new();
    for nth in 0..450 {
        leave_open(&*world.store, nth, 1, LONG_AGO).await;
    }
    let (ended, log) = world.tick(AMPLE).await;
    assert_eq!((ended, log.len()), (Ok(()), 1));
    assert_eq!((&log[0]["unknown"], &log[0]["more"]), (&json!(450), &json!(false)));
}

#[tokio::test(start_paused = true)]
async fn with_little_time_left_the_rest_is_left_to_the_next_tick() {
    let world = World::new();
    for nth in 0..250 {
        leave_open(&*world.store, nth, 1, LONG_AGO).await;
    }
    let (ended, log) = world.tick(Millis(4_999)).await;
    assert_eq!((ended, &log[0]["unknown"], &log[0]["more"]), (Ok(()), &json!(200), &json!(true)));
    let (_, log) = world.tick(Millis::seconds(5)).await;
    assert_eq!((&log[0]["unknown"], &log[0]["more"]), (&json!(50), &json!(false)));
}

#[tokio::test(start_paused = true)]
async fn s0_78_each_threshold_is_one_warning_with_its_month_and_numbers_and_the_second_tick_is_silent() {
    let world = World::new();
    spend(&*world.store, 1, 7_500, START).await;
    let (ended, log) = world.tick(AMPLE).await;
    let fields = ["level", "stage", "threshold", "month", "used", "total", "message"];
    let lines: Vec<Value> = log.iter().map(|line| json!(fields.map(|field| &line[field]))).collect();
    let wanted = |threshold: &str| json!(["WARN", "refresh", threshold, "2026-11", "7500", "10000", "a credit threshold was crossed"]);
    assert_eq!((ended, lines), (Ok(()), vec![wanted("half"), wanted("three_quarters")]));
    assert_eq!(world.tick(AMPLE).await, (Ok(()), vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_tick_is_a_clear_error_and_nothing_is_done() {
    let world = World::new();
    let open = leave_open(&*world.store, 1, 2, LONG_AGO).await;
    let tick = sample_event("scheduled-refresh.tick", START).unwrap();
    let with = |name: &str, value: Value| {
        let mut event = tick.clone();
        event[name] = value;
        event
    };
    for payload in [
        json!(null),
        json!({}),
        json!([1]),
        json!({"Records": []}),
        with("detail-type", json!("Object Created")),
        with("detail-type", json!(5)),
        with("source", json!("aws.s3")),
        with("source", Value::Null),
    ] {
        let error = handle(&world.app, &payload, &Context::default()).await.unwrap_err().to_string();
        assert!(error.contains("not a tick") && error.contains("EventBridge"), "{payload}: {error}");
    }
    assert_eq!(state_of(&*world.store, &open).await, ReservationState::Calling);
    handle(&world.app, &with("source", json!("aws.events")), &Context::default()).await.unwrap();
    assert_eq!(state_of(&*world.store, &open).await, ReservationState::OutcomeUnknown, "a rule of EventBridge ticks as well");
}
