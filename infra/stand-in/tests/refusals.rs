//! What the stand-in refuses as SQS and Secrets Manager do, and what it gives to whom.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use platform::{Function, SystemClock};
use serde_json::{Value, json};
use stand_in::AwsEndpoint;

async fn endpoint() -> AwsEndpoint {
    let secrets = [("webhooks", "{}"), ("vendors", "{}")];
    AwsEndpoint::start(Arc::new(SystemClock), 5, secrets.map(|(id, text)| (id, text.to_owned()))).await.unwrap()
}

/// Sends a request as an SDK would; gives back the code of the refusal, or an empty text when it was taken.
async fn refusal(endpoint: &AwsEndpoint, operation: &str, request: Value) -> String {
    let client = platform::http_client().unwrap().no_proxy().build().unwrap();
    let request = client.post(endpoint.url()).header("x-amz-target", format!("AmazonSQS.{operation}")).body(request.to_string());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers().contains_key("x-amzn-query-error"), answer.status() == 400);
    let code = answer.headers().get("x-amzn-query-error").map(|code| code.to_str().unwrap().to_owned());
    code.unwrap_or_default().trim_end_matches(";Sender").to_owned()
}

#[tokio::test]
async fn sqs_refuses_unknown_queues_too_long_delays_and_what_is_not_played() {
    let endpoint = endpoint().await;
    let url = endpoint.variables(Function::CrmWriteback)["WRITEBACK_QUEUE_URL"].clone();
    let send = |url: &str, delay: i64| json!({ "QueueUrl": url, "MessageBody": "a", "DelaySeconds": delay });
    let (dead, unknown) = (format!("{url}-dlq"), format!("{url}-2"));
    let unsupported = "AWS.SimpleQueueService.UnsupportedOperation";
    for (operation, request, code) in [
        ("SendMessage", send(&url, 900), ""),
        ("SendMessage", send(&url, 901), "InvalidParameterValue"),
        ("SendMessage", send(&url, -1), "InvalidParameterValue"),
        ("SendMessage", send(&unknown, 0), "AWS.SimpleQueueService.NonExistentQueue"),
        ("SendMessage", send(&dead, 0), unsupported),
        ("DeleteMessage", json!({ "QueueUrl": dead, "ReceiptHandle": "r" }), ""),
        ("ChangeMessageVisibilityBatch", json!({ "QueueUrl": url, "Entries": [] }), unsupported),
        ("SendMessage", json!({ "QueueUrl": url }), "MissingParameter"),
        ("PurgeQueue", json!({ "QueueUrl": url }), unsupported),
    ] {
        assert_eq!(refusal(&endpoint, operation, request.clone()).await, code, "{operation} {request}");
    }
}

#[tokio::test]
async fn a_function_has_only_the_secrets_that_the_template_gives_it() {
    let endpoint = endpoint().await;
    let secrets = Function::ALL.map(|function| endpoint.variables(function).remove("SECRETS_ID"));
    assert_eq!(secrets, [Some("webhooks"), Some("webhooks,vendors"), None, Some("vendors"), None].map(|ids| ids.map(str::to_owned)));
}
