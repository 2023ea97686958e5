//! What the bundled connectors send: where the key and the secret go, and in which form.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::any;
use connectors::{Egress, Endpoints, HttpProvider};
use domain::identity::KeyKind;
use domain::reply::Reply;

use crate::world::{Rotating, connectors, look_up, serve, tls};

struct Sent {
    line: String,
    content_type: Option<String>,
    authorization: Option<String>,
    api_key: Option<String>,
    body: String,
}

/// What an operation sends for a key; the secret is `user:p@ss word`.
async fn sent(operation: &str, kind: KeyKind, key: &str) -> Sent {
    let seen: Arc<Mutex<Option<Sent>>> = Arc::default();
    let notes = Arc::clone(&seen);
    let listen = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        *notes.lock().unwrap() = Some(Sent {
            line: format!("{method} {uri}"),
            content_type: header("content-type"),
            authorization: header("authorization"),
            api_key: header("x-api-key"),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        StatusCode::SERVICE_UNAVAILABLE
    };
    let place = serve(Router::new().fallback(any(listen))).await;
    let provider = operation.split('.').next().unwrap().to_owned();
    let endpoints = Endpoints::new([(provider, format!("http://{place}"))]).unwrap();
    let egress = Egress::new([place], tls()).unwrap();
    let provider = HttpProvider::new(Arc::new(connectors()), endpoints, egress, Rotating::new(&["user:p@ss word"]));
    let reply = look_up(&provider, operation, kind, key).await;
    assert!(matches!(reply, Reply::Failed { .. }), "{operation}: {reply:?}");
    seen.lock().unwrap().take().unwrap_or_else(|| panic!("{operation} was not asked"))
}

/// `user:p@ss word` in base64.
const BASIC: &str = "Basic dXNlcjpwQHNzIHdvcmQ=";

#[tokio::test]
async fn s4_06_a_number_stands_in_the_path_and_user_and_password_in_basic() {
    let sent = sent("twilio.line_type", KeyKind::Phone, "+15125550100").await;
    assert_eq!(sent.line, "GET /v2/PhoneNumbers/+15125550100?Fields=line_type_intelligence");
    assert_eq!((sent.authorization.as_deref(), sent.body.as_str()), (Some(BASIC), ""));
}

#[tokio::test]
async fn s4_21_the_digits_alone_stand_in_the_path_and_the_body_is_a_form() {
    let sent = sent("telesign.score", KeyKind::Phone, "+15125550100").await;
    assert_eq!(sent.line, "POST /v1/score/15125550100");
    assert_eq!(sent.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!((sent.authorization.as_deref(), sent.body.as_str()), (Some(BASIC), "account_lifecycle_event=create"));
}

#[tokio::test]
async fn s4_08_an_address_goes_into_the_body_with_the_secret_beside_it() {
    let sent = sent("neverbounce.check", KeyKind::Email, "jane@acme.example").await;
    assert_eq!(sent.line, "POST /v4/single/check", "no address in the URL");
    let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body, serde_json::json!({"timeout": 3, "email": "jane@acme.example", "key": "user:p@ss word"}));
    assert_eq!(sent.content_type.as_deref(), Some("application/json"));
}

#[tokio::test]
async fn s4_16_the_secret_goes_into_the_query_where_the_vendor_takes_it_nowhere_else() {
    let sent = sent("realvalidation.dnc", KeyKind::NorthAmericanPhone, "5125550100").await;
    assert_eq!(sent.line, "GET /rpvWebService/DNCLookup.php?output=json&phone=5125550100&token=user%3Ap%40ss+word");
    assert_eq!(sent.authorization, None);
}

#[tokio::test]
async fn s4_14_a_certificate_is_asked_for_by_its_id_at_the_vendors_own_place() {
    let sent = sent("trustedform.certificate", KeyKind::Certificate, "2605ec3a").await;
    assert_eq!(sent.line, "POST /2605ec3a");
    // `API:user:p@ss word` in base64.
    assert_eq!(sent.authorization.as_deref(), Some("Basic QVBJOnVzZXI6cEBzcyB3b3Jk"));
    let base_url = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/connectors/trustedform.certificate.yaml"));
    assert!(base_url.unwrap().contains("base_url: https://cert.trustedform.com\n"));
}

#[tokio::test]
async fn s3_37_the_other_providers_of_the_waterfall_are_asked_by_domain_and_address() {
    let company = sent("pdl.company", KeyKind::Domain, "acme.example").await;
    assert_eq!((company.line.as_str(), company.body.as_str()), ("POST /v5/company/enrich", r#"{"website":"acme.example"}"#));
    assert_eq!(company.api_key.as_deref(), Some("user:p@ss word"));
    let person = sent("pdl.person", KeyKind::BusinessEmail, "jane@acme.example").await;
    assert_eq!((person.line.as_str(), person.body.as_str()), ("POST /v5/person/enrich", r#"{"email":"jane@acme.example"}"#));
    let apollo = sent("apollo.company", KeyKind::Domain, "acme.example").await;
    assert_eq!(apollo.line, "GET /api/v1/organizations/enrich?domain=acme.example");
    assert_eq!(apollo.api_key.as_deref(), Some("user:p@ss word"));
}
