//! HubSpot's contacts (WIRE-FORMATS §2.1), under the current and the legacy base path:
//! `/hubspot/crm/objects/2026-03/contacts` and `/hubspot/crm/v3/objects/contacts`.
//!
//! Settled here, **[M]**: a property whose name is not lower-case letters, digits and underscores does not exist
//! (400 `PROPERTY_DOESNT_EXIST`), and every other one does, as if the portal had all custom properties that we write.
//! Times come from a clock that moves one second a write, so that bodies repeat. There is no batch endpoint.

mod contacts;
mod refusal;
mod search;

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

pub use contacts::Contact;
pub(crate) use contacts::Contacts;

use crate::books::{Endpoint, email_key};
use crate::magic::Magic;
use crate::{Sandbox, pace};
use refusal::Refusal;

/// The private-app token that opens the invented HubSpot.
pub const TOKEN: &str = "sandbox-hubspot-token";

pub(crate) fn routes() -> Router<Sandbox> {
    let mut router = Router::new();
    for base in ["/crm/objects/2026-03/contacts", "/crm/v3/objects/contacts"] {
        router = router
            .route(base, post(create))
            .route(&format!("{base}/search"), post(search_contacts))
            .route(&format!("{base}/{{id}}"), get(read).patch(update));
    }
    router
}

async fn create(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let properties = properties(&body);
    let email = properties.as_ref().ok().and_then(|given| given.get("email")).cloned();
    let outcome = enter(&sandbox, Endpoint::HubspotCreate, &headers, email.as_deref()).await;
    let created = outcome.and_then(|()| sandbox.crm().create(properties?));
    respond(created.map(|contact| (StatusCode::CREATED, Json(contact)).into_response()))
}

async fn update(State(sandbox): State<Sandbox>, Path(id): Path<String>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let key = Key::of(&sandbox, &uri, &id);
    let email = key.as_ref().ok().and_then(|key| key.email.as_deref());
    let outcome = enter(&sandbox, Endpoint::HubspotUpdate, &headers, email).await;
    let updated = outcome.and_then(|()| {
        let (id, properties) = (key?.id.ok_or(Refusal::NotFound)?, properties(&body)?);
        sandbox.crm().update(id, properties)
    });
    respond(updated.map(|contact| Json(contact).into_response()))
}

async fn read(State(sandbox): State<Sandbox>, Path(id): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let key = Key::of(&sandbox, &uri, &id);
    let email = key.as_ref().ok().and_then(|key| key.email.as_deref());
    let outcome = enter(&sandbox, Endpoint::HubspotRead, &headers, email).await;
    let contact = outcome.and_then(|()| sandbox.crm().get(key?.id.ok_or(Refusal::NotFound)?));
    respond(contact.map(|contact| Json(contact).into_response()))
}

async fn search_contacts(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let outcome = enter(&sandbox, Endpoint::HubspotSearch, &headers, None).await;
    let found = outcome.and_then(|()| search::search(&sandbox.crm().all(), &json_body(&body)?));
    respond(found.map(|found| Json(found).into_response()))
}

/// Whom a path names: `{id}` as it is, or an email with `?idProperty=email`.
struct Key {
    /// `None` when nobody in the CRM has this email.
    id: Option<u64>,
    email: Option<String>,
}

impl Key {
    fn of(sandbox: &Sandbox, uri: &Uri, id: &str) -> Result<Self, Refusal> {
        let query = uri.query().unwrap_or_default();
        match query.split('&').find_map(|pair| pair.strip_prefix("idProperty=")) {
            None => Ok(Self { id: id.parse().ok(), email: None }),
            Some("email") => {
                let email = id.trim().to_lowercase();
                Ok(Self { id: sandbox.crm().id_of_email(&email), email: Some(email) })
            }
            Some(_) => Err(Refusal::invalid("idProperty names no unique property of contacts; use email", "idProperty")),
        }
    }
}

/// Notes the call, takes its time, checks the token and plays what the address asks for.
async fn enter(sandbox: &Sandbox, endpoint: Endpoint, headers: &HeaderMap, email: Option<&str>) -> Result<(), Refusal> {
    let keys: Vec<String> = email.map(email_key).into_iter().collect();
    sandbox.books().note(endpoint, &keys);
    sandbox.pace().wait(pace::HUBSPOT).await;
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    if token != Some(TOKEN) {
        return Err(Refusal::Unauthorized);
    }
    let writes = matches!(endpoint, Endpoint::HubspotCreate | Endpoint::HubspotUpdate);
    let (Some(email), true) = (email, writes) else {
        return Ok(());
    };
    let refused = match Magic::of_email(&email.to_lowercase()) {
        Some(Magic::CrmLimited) => (1, Refusal::RateLimited),
        Some(Magic::CrmDown) => (2, Refusal::BadGateway),
        _ => return Ok(()),
    };
    let earlier = sandbox.books().earlier_tries("hubspot.write", &email_key(email));
    if earlier < refused.0 { Err(refused.1) } else { Ok(()) }
}

fn json_body(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::invalid("the body is not JSON", "body"))
}

/// The body's properties: names that exist, values that are strings.
fn properties(body: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let body = json_body(body)?;
    let Some(given) = body.get("properties").and_then(Value::as_object) else {
        return Err(Refusal::invalid("the body has no object named properties", "properties"));
    };
    let mut properties = BTreeMap::new();
    for (name, value) in given {
        let well_named = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !well_named || name.is_empty() {
            return Err(Refusal::no_such_property(name));
        }
        if contacts::READ_ONLY.contains(&name.as_str()) {
            return Err(Refusal::read_only(name));
        }
        let Some(text) = value.as_str() else {
            return Err(Refusal::invalid("property values are strings; write \"200\", not 200", name));
        };
        properties.insert(name.clone(), text.to_owned());
    }
    Ok(properties)
}

fn respond(outcome: Result<Response, Refusal>) -> Response {
    let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
    for (name, value) in [
        ("x-hubspot-ratelimit-max", "190"),
        ("x-hubspot-ratelimit-remaining", "189"),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
    ] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
