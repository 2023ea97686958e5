//! What stands in public about domains: the name system over HTTPS, `GET /dns/dns-query?name=…&type=MX` or `A`, and the registries'
//! directory, `GET /rdap/domain/{domain}`, which sends its callers on as rdap.org does.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::books::Endpoint;
use crate::magic::Magic;
use crate::{Sandbox, pace};

/// No age is too young for it.
const LONG_AGO: &str = "2012-03-04T05:06:07Z";
/// The sandbox has no clock; a day that does not come keeps a domain as young as one can be.
const NOT_YET: &str = "2199-01-01T00:00:00Z";
/// The kinds of record in the name system's numbers.
const A: u16 = 1;
const MX: u16 = 15;

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/dns/dns-query", get(dns))
        .route("/rdap/domain/{domain}", get(directory))
        .route("/rdap/registry/domain/{domain}", get(registry))
}

async fn dns(State(sandbox): State<Sandbox>, RawQuery(query): RawQuery) -> Json<Value> {
    // A domain in ASCII needs no escapes.
    let said = |name: &str| query.iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
    let (name, kind) = (said("name=").to_lowercase(), if said("type=") == "A" { A } else { MX });
    sandbox.books().note(Endpoint::Dns, std::slice::from_ref(&name));
    sandbox.pace().wait(pace::DNS).await;
    let asked = json!([{"name": name, "type": kind}]);
    let answer = |data: &str| json!({"Status": 0, "Question": asked, "Answer": [{"name": name, "type": kind, "TTL": 300, "data": data}]});
    Json(match (Magic::of_domain(&name), kind) {
        (Some(Magic::Unregistered), _) => json!({"Status": 3, "Question": asked}),
        (Some(Magic::NoMail), _) | (Some(Magic::OwnMail), MX) => json!({"Status": 0, "Question": asked}),
        (Some(Magic::NullMx), MX) => answer("0 ."),
        (_, MX) => answer(&format!("10 mail.{name}.")),
        _ => answer("192.0.2.7"),
    })
}

async fn directory(Path(domain): Path<String>) -> Redirect {
    Redirect::temporary(&format!("/rdap/registry/domain/{domain}"))
}

async fn registry(State(sandbox): State<Sandbox>, Path(domain): Path<String>) -> Response {
    let domain = domain.trim().to_lowercase();
    sandbox.books().note(Endpoint::Rdap, std::slice::from_ref(&domain));
    sandbox.pace().wait(pace::RDAP).await;
    let registered = match Magic::of_domain(&domain) {
        Some(Magic::Unregistered) => return (StatusCode::NOT_FOUND, Json(json!({"errorCode": 404}))).into_response(),
        Some(Magic::Newborn) => NOT_YET,
        _ => LONG_AGO,
    };
    let events = json!([{"eventAction": "registration", "eventDate": registered}]);
    Json(json!({"objectClassName": "domain", "ldhName": domain, "events": events})).into_response()
}
