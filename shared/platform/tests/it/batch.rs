//! The cases of RELIABILITY §2 (BAT) that the batch helper answers for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsMessage;
use pipeline::work::Retry;
use platform::{read_batch, work_batch};
use serde_json::{Value, json};

const AMPLE: Duration = Duration::from_secs(30);

fn payload(ids: &[&str]) -> Value {
    let record = |id: &&str| json!({ "messageId": id, "receiptHandle": "r", "body": id, "eventSource": "aws:sqs", "attributes": {} });
    json!({ "Records": ids.iter().map(record).collect::<Vec<Value>>() })
}

/// Works on the ids with `work` and returns the whole answer as Lambda gets it.
async fn answer<F: Future<Output = Result<(), Retry>>>(ids: &[&str], remaining: Duration, work: impl Fn(String) -> F) -> Value {
    let event = read_batch(&payload(ids)).unwrap();
    let response = work_batch(event, remaining, |message: SqsMessage| work(message.body.unwrap_or_default())).await;
    serde_json::to_value(response).unwrap()
}

fn failures(ids: &[&str]) -> Value {
    json!({ "batchItemFailures": ids.iter().map(|id| json!({ "itemIdentifier": id })).collect::<Vec<Value>>() })
}

async fn fails_if_bad(body: String) -> Result<(), Retry> {
    if body.starts_with("bad") { Err(Retry("not today".into())) } else { Ok(()) }
}

#[tokio::test]
async fn when_all_go_well_nothing_is_reported() {
    assert_eq!(answer(&["a", "b", "c"], AMPLE, fails_if_bad).await, failures(&[]));
}

#[tokio::test]
async fn when_some_fail_exactly_those_are_reported() {
    assert_eq!(answer(&["a", "bad1", "b", "bad2"], AMPLE, fails_if_bad).await, failures(&["bad1", "bad2"]));
}

#[tokio::test]
async fn when_all_fail_all_are_reported() {
    assert_eq!(answer(&["bad1", "bad2"], AMPLE, fails_if_bad).await, failures(&["bad1", "bad2"]));
}

#[test]
fn what_is_no_sqs_event_is_a_clear_error_that_repeats_no_content() {
    let no_id = json!({ "Records": [{ "body": "canary" }] });
    let empty_id = json!({ "Records": [{ "messageId": "", "body": "canary" }] });
    let bucket = json!({ "Records": [{ "messageId": "m", "eventSource": "aws:s3", "body": "canary" }] });
    let odd = json!({ "Records": [{ "messageId": "m", "body": { "canary": 1 } }] });
    for payload in [json!(null), json!({}), json!({ "Records": null }), json!([]), json!("canary"), no_id, empty_id, bucket, odd] {
        let error = read_batch(&payload).unwrap_err().to_string();
        assert!(error.starts_with("not an SQS event: ") && !error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_panic_in_one_record_fails_alone() {
    let work = |body: String| {
        assert!(body != "early", "before the first await");
        async move {
            tokio::task::yield_now().await;
            assert!(body != "late", "after the first await");
            Ok(())
        }
    };
    assert_eq!(answer(&["a", "early", "late", "b"], AMPLE, work).await, failures(&["early", "late"]));
}

#[tokio::test]
async fn a_message_that_stands_twice_in_a_batch_is_worked_on_and_answered_once() {
    let calls = AtomicUsize::new(0);
    let work = |body: String| {
        calls.fetch_add(1, Ordering::SeqCst);
        fails_if_bad(body)
    };
    assert_eq!(answer(&["bad1", "bad1", "a", "a"], AMPLE, work).await, failures(&["bad1"]));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_answer_never_holds_an_empty_or_unknown_id() {
    // Built without `read_batch`, which refuses such a record.
    let event = serde_json::from_value(
        json!({ "Records": [{ "body": "bad" }, { "messageId": "", "body": "bad" }, { "messageId": "m", "body": "bad" }] }),
    );
    let response = work_batch(event.unwrap(), AMPLE, |message| fails_if_bad(message.body.unwrap_or_default())).await;
    assert_eq!(serde_json::to_value(response).unwrap(), failures(&["m"]));
}

#[tokio::test(start_paused = true)]
async fn with_too_little_time_left_what_is_handed_on_is_not_reported_and_what_is_not_is() {
    let hand_on = |body: String| async move {
        let millis = if body == "slow" { 10_000 } else { 20 };
        tokio::time::sleep(Duration::from_millis(millis)).await;
        fails_if_bad(body).await
    };
    for remaining in [Duration::ZERO, Duration::from_millis(250)] {
        assert_eq!(answer(&["a", "bad", "slow"], remaining, hand_on).await, failures(&["bad", "slow"]));
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_time_runs_out_only_the_unfinished_are_reported() {
    let work = |body: String| async move {
        let seconds = if body == "slow" { 60 } else { 1 };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    };
    assert_eq!(answer(&["a", "slow", "b"], Duration::from_secs(5), work).await, failures(&["slow"]));
}

#[tokio::test(start_paused = true)]
async fn one_slow_record_does_not_starve_nine() {
    let ids = ["slow", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let done = AtomicUsize::new(0);
    let done = &done;
    let work = |body: String| async move {
        if body == "slow" {
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(done.load(Ordering::SeqCst), 9, "the others did not wait");
        }
        done.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    assert_eq!(answer(&ids, AMPLE, work).await, failures(&[]));
}
