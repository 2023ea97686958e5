//! What the functions are invoked with, as Lambda hands it over.

use std::path::Path;

use anyhow::Context as _;
use intake::sample::{Sample, local_secret};
use pipeline::ports::Clock as _;
use platform::SystemClock;
use serde_json::{Value, json};

/// A batch of one message.
pub(super) fn batch_of(body: &str) -> Value {
    json!({"Records": [{
        "messageId": "00000000-0000-4000-8000-000000000001",
        "receiptHandle": "receipt",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:lookup-high",
        "awsRegion": "eu-west-1"
    }]})
}

/// A sample signup as API Gateway hands it over, signed by its issuer.
pub(super) fn webhook_call(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (sample, now) = (Sample::parse(&text)?, SystemClock.now());
    let body = sample.render(now);
    let secret = local_secret(&sample.issuer).context("an issuer without a local secret")?;
    let signed = intake::sign(&sample.issuer, &body, &secret.into(), None, now)?;
    let headers = signed.into_iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
    Ok(stand_in::post_event(&sample.issuer, headers, std::str::from_utf8(&body)?, now))
}
