//! How HubSpot says no.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Real ones are unique a request; this one only has the form.
const CORRELATION_ID: &str = "00000000-0000-4000-8000-000000000000";

pub(crate) enum Refusal {
    /// 400: what is wrong, HubSpot's code for it, and the property or part of the body.
    Invalid { message: String, code: &'static str, place: String },
    /// 401.
    Unauthorized,
    /// 404.
    NotFound,
    /// 409: the id of the contact that has this email.
    Conflict(u64),
    /// 429 of the ten-second window.
    RateLimited,
    /// 502, as a proxy writes it: HTML.
    BadGateway,
}

impl Refusal {
    pub(crate) fn invalid(message: &str, place: &str) -> Self {
        Self::Invalid { message: message.to_owned(), code: "INVALID_VALUE", place: place.to_owned() }
    }

    pub(crate) fn no_such_property(name: &str) -> Self {
        let message = format!("Property \"{name}\" does not exist");
        Self::Invalid { message, code: "PROPERTY_DOESNT_EXIST", place: name.to_owned() }
    }

    pub(crate) fn read_only(name: &str) -> Self {
        let message = format!("\"{name}\" is a read only property; its value cannot be set.");
        Self::Invalid { message, code: "READ_ONLY_VALUE", place: name.to_owned() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid { message, code, place } => {
                let mut body = error("VALIDATION_ERROR", &message);
                body["errors"] = json!([{"message": message, "code": code, "in": place, "context": {"propertyName": [place]}}]);
                body["links"] = json!({});
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
            Self::Unauthorized => {
                let message = "Authentication credentials not found or not valid.";
                (StatusCode::UNAUTHORIZED, Json(error("INVALID_AUTHENTICATION", message))).into_response()
            }
            Self::NotFound => (StatusCode::NOT_FOUND, Json(error("OBJECT_NOT_FOUND", "resource not found"))).into_response(),
            Self::Conflict(id) => {
                let message = format!("Contact already exists. Existing ID: {id}");
                (StatusCode::CONFLICT, Json(error("CONFLICT", &message))).into_response()
            }
            Self::RateLimited => rate_limited(),
            Self::BadGateway => {
                let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
                (StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], page).into_response()
            }
        }
    }
}

fn rate_limited() -> Response {
    let body = json!({
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": CORRELATION_ID,
        "policyName": "TEN_SECONDLY_ROLLING",
        "requestId": CORRELATION_ID,
    });
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], Json(body)).into_response()
}

fn error(category: &str, message: &str) -> Value {
    json!({"status": "error", "category": category, "message": message, "correlationId": CORRELATION_ID})
}
