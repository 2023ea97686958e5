//! What the sender gets to read.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use domain::merge::Fact;
use domain::run::Run;
use domain::signup::RunId;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use intake::Problem;
use serde_json::{Map, Value, json};

use crate::request::Refusal;

/// Svix keeps sending what is refused for days; this asks it not to (WIRE-FORMATS §3.2, Clerk).
const STOP_SENDING: (HeaderName, &str) = (HeaderName::from_static("webhook-delivery"), "abort-message");

pub(crate) fn accepted(run: &RunId) -> ApiGatewayV2httpResponse {
    let location = format!("/webhook/runs/{run}");
    let body = json!({"run": run.as_str(), "status": "accepted"});
    respond(StatusCode::ACCEPTED, &body, &[(LOCATION, &location)])
}

pub(crate) fn ignored(why: &str) -> ApiGatewayV2httpResponse {
    respond(StatusCode::OK, &json!({"status": "ignored", "why": why}), &[])
}

/// The decision with the record, for the signed sender who waited.
pub(crate) fn decided(run: &Run) -> ApiGatewayV2httpResponse {
    let mut body = decision_of(run);
    let record: Map<String, Value> = run.facts.iter().map(|(field, fact)| (field.to_string(), fact_of(fact))).collect();
    body.insert("record".to_owned(), Value::Object(record));
    respond(StatusCode::OK, &Value::Object(body), &[])
}

/// The decision without the record, for whoever knows the run's id.
pub(crate) fn seen(run: &Run) -> ApiGatewayV2httpResponse {
    respond(StatusCode::OK, &Value::Object(decision_of(run)), &[])
}

pub(crate) fn not_found() -> ApiGatewayV2httpResponse {
    problem_text(
        "not-found",
        "There is nothing here",
        StatusCode::NOT_FOUND,
        "Post signups to /webhook/{issuer}; read runs at /webhook/runs/{run}.",
        &[],
    )
}

pub(crate) fn try_again() -> ApiGatewayV2httpResponse {
    let detail = "Nothing was lost: send the same request again.";
    problem_text("try-again", "The signup could not be taken just now", StatusCode::SERVICE_UNAVAILABLE, detail, &[(RETRY_AFTER, "2")])
}

pub(crate) fn refusal(refusal: Refusal) -> ApiGatewayV2httpResponse {
    match refusal {
        Refusal::NotFound => not_found(),
        Refusal::MethodNotAllowed => {
            let detail = "Post signups to /webhook/{issuer}; get runs from /webhook/runs/{run}.";
            problem_text("method-not-allowed", "This method is not for this page", StatusCode::METHOD_NOT_ALLOWED, detail, &[])
        }
        Refusal::NotBase64 => {
            let detail = "The request is marked as base64 and its body is not.";
            problem_text("malformed-body", "The body cannot be read", StatusCode::BAD_REQUEST, detail, &[STOP_SENDING])
        }
    }
}

pub(crate) fn problem(problem: Problem) -> ApiGatewayV2httpResponse {
    let status = problem.status();
    // A signature can be refused because of our own clock or secret, so only the body's own faults end the sending.
    let is_final = status.is_client_error() && status != StatusCode::UNAUTHORIZED && status != StatusCode::NOT_FOUND;
    let extra: &[(HeaderName, &str)] = match status {
        StatusCode::SERVICE_UNAVAILABLE => &[(RETRY_AFTER, "10")],
        _ if is_final => &[STOP_SENDING],
        _ => &[],
    };
    raw(status, Problem::CONTENT_TYPE, problem.to_json(), extra)
}

fn decision_of(run: &Run) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("run".to_owned(), json!(run.id));
    let Some(decision) = run.decision() else {
        body.insert("status".to_owned(), json!("accepted"));
        return body;
    };
    let fields = [
        ("status", json!("decided")),
        ("outcome", json!(decision.outcome)),
        ("gate", json!(decision.gate.verdict)),
        ("score", json!([decision.score.low, decision.score.high])),
        ("track", json!(decision.route.track)),
        ("provisional", json!(decision.route.provisional)),
        ("owner", json!(decision.owner)),
        ("because", json!(decision.because())),
    ];
    body.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    body
}

fn fact_of(fact: &Fact) -> Value {
    let value = match &fact.value {
        domain::value::Value::Number(number) => number.to_string().parse().map_or(Value::Null, Value::Number),
        domain::value::Value::Bool(yes) => json!(yes),
        domain::value::Value::Text(text) => json!(text),
        domain::value::Value::List(words) => json!(words),
    };
    json!({"value": value, "confidence": fact.confidence.as_fraction(), "level": fact.level(), "sources": fact.sources})
}

fn problem_text(id: &str, title: &str, status: StatusCode, detail: &str, extra: &[(HeaderName, &str)]) -> ApiGatewayV2httpResponse {
    let body = json!({"type": format!("https://millrace.dev/problems/{id}"), "title": title, "status": status.as_u16(), "detail": detail});
    raw(status, Problem::CONTENT_TYPE, body.to_string(), extra)
}

fn respond(status: StatusCode, body: &Value, extra: &[(HeaderName, &str)]) -> ApiGatewayV2httpResponse {
    raw(status, "application/json", body.to_string(), extra)
}

fn raw(status: StatusCode, content_type: &'static str, body: String, extra: &[(HeaderName, &str)]) -> ApiGatewayV2httpResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in extra {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(status.as_u16());
    response.headers = headers;
    response.body = Some(body.into());
    response
}
