//! What the functions are invoked with, as Lambda hands it over.

use std::collections::BTreeMap;
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
    let headers: BTreeMap<String, String> = intake::sign(&sample.issuer, &body, &secret.into(), None, now)?
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let path = format!("/webhook/{}", sample.issuer);
    Ok(json!({
        "version": "2.0",
        "routeKey": "POST /webhook/{issuer}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "bench",
            "domainName": "bench.example",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "bench"},
            "requestId": "bench",
            "routeKey": "POST /webhook/{issuer}",
            "stage": "$default",
            "time": "20/Nov/2026:12:00:00 +0000",
            "timeEpoch": now.millis()
        },
        "body": String::from_utf8(body)?,
        "isBase64Encoded": false
    }))
}
