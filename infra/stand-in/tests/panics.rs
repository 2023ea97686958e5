//! A panic under the real runtime, and what keeps it apart from the other records.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::{Function, Started, failures, log_of};

const AMPLE: Duration = Duration::from_secs(30);

fn batch(bodies: &[&str]) -> Value {
    let record = |(index, body): (usize, &&str)| json!({ "messageId": format!("m{index}"), "body": body, "eventSource": "aws:sqs" });
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<Value>>() })
}

async fn process() -> Function {
    let function = Function::start::<_, &str, &str>(env!("CARGO_BIN_EXE_panics"), []).await.unwrap();
    assert_eq!(function.started().await, Started::Ready);
    function
}

#[tokio::test]
async fn a_panic_fails_its_record_alone_and_the_process_answers_the_next_event() {
    let function = process().await;
    for word in ["panic", "panic later"] {
        assert_eq!(function.invoke(&batch(&["good", word, "good"]), AMPLE).await, failures(&[&json!("m1")]), "{word}");
    }
    assert_eq!(function.invoke(&batch(&["good", "good"]), AMPLE).await, failures(&[]));
    // The text of a panic may hold a person's data, so the log has its place alone.
    let log = log_of(function, &["canary", "4711"]).await.unwrap();
    assert_eq!(log.matches("a panic happened").count(), 2, "{log}");
    assert_eq!(log.matches("panics.rs:").count(), 2, "{log}");
}

#[tokio::test]
async fn when_every_record_panics_all_come_again_and_the_process_lives() {
    let function = process().await;
    assert_eq!(function.invoke(&batch(&["panic", "panic later"]), AMPLE).await, failures(&[&json!("m0"), &json!("m1")]));
    assert_eq!(function.invoke(&batch(&["good"]), AMPLE).await, failures(&[]));
}

/// Builders of Lambda functions set `panic = "abort"` for whoever does not say otherwise, and then one record takes all down.
#[test]
fn the_release_profile_unwinds_and_nothing_overrides_it() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |file: &str| std::fs::read_to_string(format!("{root}/{file}")).unwrap().parse::<toml_edit::DocumentMut>().unwrap();
    assert_eq!(read("Cargo.toml")["profile"]["release"]["panic"].as_str(), Some("unwind"));
    assert!(read(".cargo/config.toml").get("profile").is_none());
}
