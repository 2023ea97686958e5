//! Events as Lambda delivers them.

use std::io;
use std::path::Path;

use domain::units::Timestamp;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

/// Reads `events/<name>.json`. Wherever `$NOW_MS` stands, also inside of the bodies, which are JSON in a string, `now` is put
/// in as milliseconds, and for `$NOW` in RFC 3339. `md5OfBody` is put in here too, since a body is finished only then.
///
/// # Errors
/// Names the file that cannot be read.
pub fn sample_event(name: &str, now: Timestamp) -> io::Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    let text = text.replace("$NOW_MS", &now.millis().to_string()).replace("$NOW", &now.to_string());
    let mut event: Value = serde_json::from_str(&text)?;
    for record in event.get_mut("Records").and_then(Value::as_array_mut).into_iter().flatten() {
        let digest = hex::encode(Md5::digest(record["body"].as_str().unwrap_or_default()));
        record["md5OfBody"] = digest.into();
    }
    Ok(event)
}

/// A POST as API Gateway hands it over, form 2.0.
#[must_use]
pub fn post_event(issuer: &str, headers: Map<String, Value>, body: &str, now: Timestamp) -> Value {
    let path = format!("/webhook/{issuer}");
    json!({
        "version": "2.0",
        "routeKey": "POST /webhook/{issuer}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "sample",
            "domainName": "sample.execute-api.eu-west-1.amazonaws.com",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "sample"},
            "requestId": "sample",
            "routeKey": "POST /webhook/{issuer}",
            "stage": "$default",
            "time": "20/Nov/2026:12:00:00 +0000",
            "timeEpoch": now.millis(),
        },
        "pathParameters": {"issuer": issuer},
        "body": body,
        "isBase64Encoded": false,
    })
}
