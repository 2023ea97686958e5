//! The real binary as Lambda runs it: the Runtime API and `DynamoDB` on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::credits::{Adjustment, ReservationState};
use domain::units::{Credits, Millis, Timestamp};
use pipeline::ports::{Adjusted, Clock as _, Ledger as _};
use platform::{DEFAULT_WORKSPACE, DynamoStore, Function as Name, SystemClock};
use serde_json::{Value, json};
use stand_in::{AwsEndpoint, Function, Outcome, Started, sample_event};

use ledger::{ALLOCATION, counted, keep_no_match, leave_open, run_id, spend, state_of};

const AMPLE: Duration = Duration::from_secs(60);
const DONE: Outcome = Outcome::Answer(Value::Null);

/// Everything around the process.
struct World {
    aws: AwsEndpoint,
    store: DynamoStore,
}

impl World {
    async fn new() -> Self {
        let aws = AwsEndpoint::start(Arc::new(SystemClock), 5, [("dev-webhooks", "{}".to_owned())]).await.unwrap();
        let store = aws.connect().store(aws.tables(), DEFAULT_WORKSPACE);
        Self { aws, store }
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.aws.variables(Name::ScheduledRefresh);
        variables.insert("AWS_ENDPOINT_URL".into(), self.aws.url().into());
        variables.insert("LOG_LEVEL".into(), "trace".into());
        variables
    }

    async fn process(&self) -> Function {
        let function = Function::start(env!("CARGO_BIN_EXE_scheduled-refresh"), &self.variables()).await.unwrap();
        assert_eq!(function.started().await, Started::Ready);
        function
    }
}

fn long_ago() -> Timestamp {
    SystemClock.now().before(Millis::minutes(2))
}

/// The month in which what [`long_ago`] left behind counts.
fn month() -> String {
    long_ago().month()
}

async fn tick(function: &Function) -> Outcome {
    function.invoke(&sample_event("scheduled-refresh.tick", SystemClock.now()).unwrap(), AMPLE).await
}

/// Ends the process; whatever it wrote is lines of JSON.
async fn log_of(function: Function) -> Vec<Value> {
    let log = stand_in::log_of(function, &["test-secret"]).await.unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The thresholds that were told, in order.
fn told(log: &[Value]) -> Vec<&str> {
    let crossed = log.iter().filter(|line| line["level"] == "WARN" && line["message"] == "a credit threshold was crossed");
    crossed.map(|line| line["threshold"].as_str().unwrap()).collect()
}

/// What the lines of all ticks add up to.
fn swept(log: &[Value], what: &str) -> u64 {
    log.iter().filter(|line| line["message"] == "ledger swept").map(|line| line[what].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn what_nobody_came_back_to_is_settled_by_its_reply_or_counts_as_used_and_no_secret_is_read() {
    let world = World::new().await;
    let kept = leave_open(&world.store, 1, 2, long_ago()).await;
    keep_no_match(&world.store, &kept).await;
    let lost = leave_open(&world.store, 2, 3, long_ago()).await;
    let calling = leave_open(&world.store, 3, 5, SystemClock.now().after(Millis::minutes(5))).await;
    let function = world.process().await;
    assert_eq!(tick(&function).await, DONE);
    assert_eq!(state_of(&world.store, &kept).await, ReservationState::Settled { used: Credits::ZERO });
    assert_eq!(state_of(&world.store, &lost).await, ReservationState::OutcomeUnknown);
    assert_eq!(state_of(&world.store, &calling).await, ReservationState::Calling);
    let (_, used) = counted(&world.store, &month()).await;
    assert_eq!(used, Credits::whole(3));
    assert_eq!(tick(&function).await, DONE);
    let log = log_of(function).await;
    assert_eq!((log.len(), swept(&log, "settled"), swept(&log, "unknown")), (1, 1, 1), "the second tick has nothing to do: {log:?}");
    assert!(world.aws.requests().iter().all(|(operation, _)| operation != "GetSecretValue"));
}

#[tokio::test]
async fn s0_78_and_s4_52_every_threshold_is_told_exactly_once_whichever_process_ticks() {
    let world = World::new().await;
    let (now, month) = (SystemClock.now(), SystemClock.now().month());
    let more = Adjustment { id: "more".into(), month, amount: Credits::whole(2_000), because: "bought".into(), at: now };
    assert_eq!(world.store.adjust(&more, ALLOCATION).await.unwrap(), Adjusted::Done);
    let mut all = Vec::new();
    for (nth, amount) in [(1, 6_000), (2, 3_000), (3, 2_000), (4, 1)] {
        spend(&world.store, nth, amount, now).await;
        let function = world.process().await;
        for _ in 0..2 {
            assert_eq!(tick(&function).await, DONE);
        }
        let log = log_of(function).await;
        all.push(told(&log).join(" "));
    }
    assert_eq!(all, ["half", "three_quarters", "nine_tenths", "over_budget"]);
}

#[tokio::test]
async fn two_processes_that_sweep_at_the_same_time_resolve_each_reservation_once() {
    let world = World::new().await;
    for nth in 0..40 {
        leave_open(&world.store, nth, 1, long_ago()).await;
    }
    let (one, two) = (world.process().await, world.process().await);
    assert_eq!(futures::join!(tick(&one), tick(&two)), (DONE, DONE));
    assert_eq!(counted(&world.store, &month()).await, (Credits::ZERO, Credits::whole(40)));
    let usage = world.store.usage(&month()).await.unwrap();
    assert_eq!(usage.values().map(|day| day.calls).sum::<u64>(), 40, "none is counted twice");
    let (one, two) = (log_of(one).await, log_of(two).await);
    assert_eq!(swept(&one, "unknown") + swept(&two, "unknown"), 40, "and whoever resolved it says so: {one:?} {two:?}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_fails_the_tick_and_the_next_one_does_all_of_it() {
    let world = World::new().await;
    let open = leave_open(&world.store, 1, 2, long_ago()).await;
    let function = world.process().await;
    world.aws.fail_requests_with("IndexName");
    let Outcome::Failed { message, .. } = tick(&function).await else { panic!("it did not fail") };
    assert!(message.contains("could not be worked on"), "{message}");
    assert_eq!(state_of(&world.store, &open).await, ReservationState::Calling);
    world.aws.recover();
    assert_eq!(tick(&function).await, DONE);
    assert_eq!(state_of(&world.store, &open).await, ReservationState::OutcomeUnknown);
}

#[tokio::test]
async fn one_reservation_that_cannot_be_resolved_fails_the_tick_and_keeps_no_other_from_it() {
    let world = World::new().await;
    let mut open = Vec::new();
    for nth in 1..=3 {
        open.push(leave_open(&world.store, nth, 2, long_ago()).await);
    }
    let function = world.process().await;
    world.aws.fail_requests_with(run_id(2).as_str());
    let Outcome::Failed { message, .. } = tick(&function).await else { panic!("it did not fail") };
    assert!(message.contains("1 reservations"), "{message}");
    world.aws.recover();
    let mut states = Vec::new();
    for entry in &open {
        states.push(state_of(&world.store, entry).await);
    }
    let (done, left) = (ReservationState::OutcomeUnknown, ReservationState::Calling);
    assert_eq!(states, [done.clone(), left, done]);
    assert_eq!(tick(&function).await, DONE);
    assert_eq!(counted(&world.store, &month()).await, (Credits::ZERO, Credits::whole(6)));
    let log = log_of(function).await;
    assert_eq!((swept(&log, "unknown"), swept(&log, "failed")), (3, 1));
    assert!(log.iter().any(|line| line["message"] == "a reservation could not be resolved" && line["run"] == run_id(2).as_str()));
}

/// Better twice than never: nobody knows whether a mark stands whose answer did not come.
#[tokio::test]
async fn a_threshold_that_cannot_be_marked_is_told_all_the_same() {
    let world = World::new().await;
    spend(&world.store, 1, 6_000, SystemClock.now()).await;
    let function = world.process().await;
    world.aws.fail_requests_with("crossed:half");
    assert!(matches!(tick(&function).await, Outcome::Failed { .. }));
    world.aws.recover();
    for _ in 0..2 {
        assert_eq!(tick(&function).await, DONE);
    }
    assert_eq!(told(&log_of(function).await), ["half", "half"]);
}

#[tokio::test]
async fn what_is_no_tick_fails_the_invocation_clearly_and_the_process_answers_the_next() {
    let world = World::new().await;
    let function = world.process().await;
    for event in [json!(null), json!({}), json!({"Records": []})] {
        let Outcome::Failed { message, .. } = function.invoke(&event, AMPLE).await else { panic!("{event} was taken") };
        assert!(message.contains("not a tick"), "{message}");
    }
    assert_eq!(tick(&function).await, DONE);
}

#[tokio::test]
async fn a_missing_variable_is_named_at_the_start_and_all_missing_ones_together() {
    let why = stand_in::failure_of(env!("CARGO_BIN_EXE_scheduled-refresh"), &BTreeMap::<String, String>::new()).await.unwrap();
    assert!(why.contains("CACHE_TABLE, CREDITS_TABLE") && !why.contains("SECRETS_ID"), "{why}");
}
