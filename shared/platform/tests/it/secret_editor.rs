use std::sync::Arc;

use pipeline::ports::Secrets as _;
use platform::{SecretEditor, SecretNotChanged, SecretsIds, SystemClock};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use stand_in::AwsEndpoint;

const KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEA";
const OTHER_KEY: &str = "EBESExQVFhcYGRobHB0eHw==";

/// One secret with these entries, and what edits it.
async fn secret(entries: Value) -> (AwsEndpoint, SecretEditor) {
    let endpoint = AwsEndpoint::start(Arc::new(SystemClock), 5, [("own", entries.to_string())]).await.unwrap();
    let editor = endpoint.connect().secret_editor("own");
    (endpoint, editor)
}

/// Sets a name in a secret with these entries; gives back what stands there then, which is what stood there after an error.
async fn set(entries: Value, name: &str, value: &str) -> (Value, Result<(), SecretNotChanged>) {
    let (endpoint, editor) = secret(entries).await;
    let result = editor.set(name, &value.into()).await;
    let put = endpoint.requests().into_iter().rfind(|(operation, _)| operation == "PutSecretValue");
    let now = put.map(|(_, request)| serde_json::from_str(request["SecretString"].as_str().unwrap()).unwrap());
    assert_eq!(now.is_some(), result.is_ok());
    (now.unwrap_or_default(), result)
}

async fn refused(entries: Value, name: &str, value: &str) -> SecretNotChanged {
    let error = set(entries, name, value).await.1.unwrap_err();
    assert!(!error.to_string().contains("canary") && !format!("{error:?}").contains("canary"), "{error:?}");
    error
}

#[tokio::test]
async fn a_name_gets_its_value_and_the_others_survive() {
    let (endpoint, editor) = secret(json!({ "hash_key": KEY, "webhook_secret_clerk": "old", "webhook_secret_signup": "" })).await;
    editor.set("webhook_secret_clerk", &"new".into()).await.unwrap();
    assert_eq!(editor.names().await.unwrap(), ["hash_key", "webhook_secret_clerk"]);
    let reader = endpoint.connect().secrets(SecretsIds::new("own"), Arc::new(SystemClock));
    assert_eq!(reader.secret("webhook_secret_clerk").await.unwrap().expose_secret(), "new");
    assert_eq!(reader.secret("hash_key").await.unwrap().expose_secret(), KEY);
}

#[tokio::test]
async fn a_valid_hash_key_is_never_replaced_and_an_empty_or_invalid_one_may_be() {
    assert_eq!(refused(json!({ "hash_key": KEY }), "hash_key", OTHER_KEY).await, SecretNotChanged::HashKey);
    for replaceable in [json!({}), json!({ "hash_key": "" }), json!({ "hash_key": "AQID" }), json!({ "hash_key": "no base64!" })] {
        assert_eq!(set(replaceable, "hash_key", OTHER_KEY).await, (json!({ "hash_key": OTHER_KEY }), Ok(())));
    }
}

#[tokio::test]
async fn a_hash_key_that_readers_would_not_take_is_refused_with_how_to_make_one() {
    for bad in ["", "canary", "canary/+canary/+canary/+canary/+", "AQID"] {
        let error = refused(json!({}), "hash_key", bad).await.to_string();
        assert!(error.contains("openssl rand -base64 33 | tr '+/' '-_'"), "{error}");
    }
}

#[tokio::test]
async fn the_end_of_a_former_webhook_secret_is_a_time() {
    let (name, entries) = ("webhook_secret_clerk_previous_until", json!({ "hash_key": KEY }));
    let (now, result) = set(entries.clone(), name, "2026-12-01T00:00:00Z").await;
    assert_eq!((now[name].as_str(), result), (Some("2026-12-01T00:00:00Z"), Ok(())));
    for bad in ["canary", "2026-12-01", "1.12.2026"] {
        let error = refused(entries.clone(), name, bad).await.to_string();
        assert!(error.contains(name) && error.contains("2026-12-01T00:00:00Z"), "{error}");
    }
}

#[tokio::test]
async fn a_name_goes_into_its_own_secret() {
    for name in ["crustdata_api_key", "hubspot_token"] {
        let error = refused(json!({ "hash_key": KEY }), name, "canary").await.to_string();
        assert!(error.contains("Use VendorSecretsArn") && error.contains(name), "{error}");
        assert!(set(json!({}), name, "canary").await.1.is_ok());
    }
    let error = refused(json!({ "hubspot_token": "canary" }), "webhook_secret_clerk", "canary").await.to_string();
    assert!(error.contains("Use WebhookSecretsArn") && error.contains("webhook_secret_clerk"), "{error}");
}

#[tokio::test]
async fn a_secret_that_is_not_understood_is_named_and_not_shown() {
    for broken in [json!({ "hubspot_token": ["canary"] }), json!("canary")] {
        let error = refused(broken, "hubspot_token", "canary").await.to_string();
        assert!(error.contains("secret own") && error.contains("no JSON object"), "{error}");
    }
    let (endpoint, _) = secret(json!({})).await;
    let error = endpoint.connect().secret_editor("dev-nobody").names().await.unwrap_err().to_string();
    assert!(error.contains("secret dev-nobody: ResourceNotFoundException"), "{error}");
}
