//! HubSpot's answers (S3-63, S3-64): what is written, and what a refusal means.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use connectors::{Egress, Endpoints, HubSpot};
use domain::identity::Email;
use domain::units::Millis;
use pipeline::ports::{Crm as _, CrmReply, CrmWrite};
use serde_json::{Value, json};

use crate::world::{Rotating, serve, tls};

/// Status, a header, body.
type Answer = (u16, Option<(&'static str, &'static str)>, Value);
type Asked = (Method, Uri, HeaderMap, Value);

/// Answers in order, the last one for ever, and what was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<Vec<Answer>>>,
    seen: Arc<Mutex<Vec<Asked>>>,
}

async fn play(State(script): State<Script>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    script.seen.lock().unwrap().push((method, uri, headers, serde_json::from_slice(&body).unwrap()));
    let mut answers = script.answers.lock().unwrap();
    let (status, header, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    let mut response = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
    if let Some((name, text)) = header {
        response.headers_mut().insert(name, text.parse().unwrap());
    }
    response
}

fn script(answers: &[Answer]) -> Script {
    Script { answers: Arc::new(Mutex::new(answers.to_vec())), ..Script::default() }
}

fn write() -> CrmWrite {
    let properties = [("jobtitle", "VP Engineering"), ("company_headcount", "200"), ("person_seniority", "vp")];
    CrmWrite {
        target: "hubspot".to_owned(),
        email: Email::parse("canary+x@acme.example").unwrap(),
        properties: properties.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>(),
        timeout: Millis::seconds(5),
    }
}

async fn hubspot(place: &str, secrets: &[&'static str]) -> HubSpot {
    let endpoints = Endpoints::new([("hubspot".to_owned(), format!("http://{place}/hubspot/"))]).unwrap();
    HubSpot::new(&endpoints, HubSpot::CONTACTS_PATH, Egress::new([place.to_owned()], tls()).unwrap(), Rotating::new(secrets)).unwrap()
}

async fn upsert(script: &Script) -> CrmReply {
    let place = serve(Router::new().fallback(any(play)).with_state(script.clone())).await;
    hubspot(&place, &["token"]).await.upsert(&write()).await
}

fn methods(script: &Script) -> Vec<String> {
    script.seen.lock().unwrap().iter().map(|(method, ..)| method.to_string()).collect()
}

fn written(created: bool) -> CrmReply {
    CrmReply::Written { external_id: "512".to_owned(), created }
}

fn contact() -> Value {
    json!({"id": "512", "properties": {}})
}

#[tokio::test]
async fn s3_63_a_contact_is_found_by_email_and_its_properties_are_texts() {
    let script = script(&[(200, None, contact())]);
    assert_eq!(upsert(&script).await, written(false));
    let (method, uri, headers, body) = script.seen.lock().unwrap().pop().unwrap();
    assert_eq!(method, "PATCH");
    assert_eq!(uri, "/hubspot/crm/objects/2026-03/contacts/canary+x@acme.example?idProperty=email");
    assert_eq!(headers["authorization"], "Bearer token");
    assert_eq!(body, json!({"properties": {"jobtitle": "VP Engineering", "company_headcount": "200", "person_seniority": "vp"}}));
}

#[tokio::test]
async fn whom_nobody_knows_is_created_with_the_email() {
    let script = script(&[(404, None, json!({})), (201, None, contact())]);
    assert_eq!(upsert(&script).await, written(true));
    let (_, uri, _, body) = script.seen.lock().unwrap().pop().unwrap();
    assert_eq!(uri, "/hubspot/crm/objects/2026-03/contacts");
    assert_eq!(
        (&body["properties"]["email"], &body["properties"]["jobtitle"]),
        (&json!("canary+x@acme.example"), &json!("VP Engineering"))
    );
}

#[tokio::test]
async fn whom_somebody_else_created_in_between_is_updated() {
    let conflict = json!({"category": "CONFLICT", "message": "Contact already exists. Existing ID: 512"});
    let script = script(&[(404, None, json!({})), (409, None, conflict), (200, None, contact())]);
    assert_eq!(upsert(&script).await, written(false));
    assert_eq!(methods(&script), ["PATCH", "POST", "PATCH"]);
}

#[tokio::test]
async fn a_contact_that_exists_and_is_never_found_is_tried_again_later() {
    let script = script(&[(404, None, json!({})), (409, None, json!({})), (404, None, json!({}))]);
    assert!(matches!(upsert(&script).await, CrmReply::Unavailable { .. }));
}

#[tokio::test]
async fn a_wrong_path_is_a_matter_for_a_person() {
    let reply = upsert(&script(&[(404, None, json!({}))])).await;
    assert!(matches!(&reply, CrmReply::Refused { why } if why.contains("path")), "{reply:?}");
}

#[tokio::test]
async fn a_refused_token_is_fetched_again_once() {
    let place = |script: Script| serve(Router::new().fallback(any(play)).with_state(script));
    let rotated = script(&[(401, None, json!({})), (200, None, contact())]);
    let crm = hubspot(&place(rotated.clone()).await, &["old", "new"]).await;
    assert_eq!(crm.upsert(&write()).await, written(false));
    let tokens: Vec<_> = rotated.seen.lock().unwrap().iter().map(|(_, _, headers, _)| headers["authorization"].clone()).collect();
    assert_eq!(tokens, ["Bearer old", "Bearer new"]);
    let refused = script(&[(401, None, json!({}))]);
    assert_eq!(upsert(&refused).await, CrmReply::AuthFailed);
    assert_eq!(methods(&refused).len(), 2);
}

#[tokio::test]
async fn rate_limits_name_their_wait() {
    for (header, policy, seconds) in [
        (Some(("retry-after", "3")), "TEN_SECONDLY_ROLLING", 3),
        (None, "TEN_SECONDLY_ROLLING", 10),
        (Some(("retry-after", "soon")), "SECONDLY", 10),
        (Some(("retry-after", "86400")), "SECONDLY", 900),
        (None, "DAILY", 900),
        (Some(("retry-after", "1")), "DAILY", 900),
    ] {
        let body = json!({"status": "error", "errorType": "RATE_LIMIT", "policyName": policy});
        let reply = upsert(&script(&[(429, header, body)])).await;
        assert_eq!(reply, CrmReply::RateLimited { retry_after: Millis::seconds(seconds) }, "{header:?} {policy}");
    }
}

#[tokio::test]
async fn a_refusal_names_category_and_properties_and_no_value() {
    let body = json!({"status": "error", "category": "VALIDATION_ERROR", "message": "canary+x@acme.example has a bad \"person_seniority\"",
        "errors": [{"message": "VP Engineering was not one of the allowed options", "code": "INVALID_OPTION", "context": {"propertyName": ["jobtitle"]}}]});
    let reply = upsert(&script(&[(400, None, body)])).await;
    let why = "HubSpot answered 400 (VALIDATION_ERROR) about jobtitle, person_seniority; check these properties";
    assert_eq!(reply, CrmReply::Refused { why: why.to_owned() });
    let odd = upsert(&script(&[(400, None, json!({"category": "canary@acme.example"}))])).await;
    assert_eq!(odd, CrmReply::Refused { why: "HubSpot answered 400 (no category)".to_owned() });
}

#[tokio::test]
async fn what_may_have_been_written_is_unavailable_and_names_nobody() {
    for status in [408, 423, 500, 502, 503, 504, 302] {
        let reply = upsert(&script(&[(status, None, json!({"message": "canary+x@acme.example"}))])).await;
        assert!(matches!(reply, CrmReply::Unavailable { .. }), "{status}: {reply:?}");
        assert!(!format!("{reply:?}").contains("canary"));
    }
    let without_id = upsert(&script(&[(200, None, json!({}))])).await;
    assert!(matches!(without_id, CrmReply::Unavailable { .. }));
}

#[tokio::test]
async fn a_late_answer_is_unavailable() {
    let late = Router::new().fallback(any(|| async { tokio::time::sleep(Duration::from_secs(30)).await }));
    let crm = hubspot(&serve(late).await, &["token"]).await;
    let reply = crm.upsert(&CrmWrite { timeout: Millis(100), ..write() }).await;
    assert!(matches!(reply, CrmReply::Unavailable { .. }), "{reply:?}");
}

#[tokio::test]
async fn another_crm_is_refused() {
    let crm = hubspot("127.0.0.1:9", &["token"]).await;
    assert!(matches!(crm.upsert(&CrmWrite { target: "other".to_owned(), ..write() }).await, CrmReply::Refused { .. }));
}
