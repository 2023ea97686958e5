//! How the vendor says no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(crate) enum Refusal {
    /// 400: what is wrong with the request.
    BadRequest(String),
    /// 401.
    InvalidKey,
    /// 402: the account is empty.
    InsufficientCredits,
    /// 429: try again in a second.
    RateLimited,
    /// 503.
    Unavailable,
    /// 504, after hanging.
    TimedOut,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::BadRequest(message) => refuse(StatusCode::BAD_REQUEST, &error("invalid_request", &message)),
            Self::InvalidKey => refuse(StatusCode::UNAUTHORIZED, &json!({"message": "Invalid API key in request"})),
            Self::InsufficientCredits => {
                refuse(StatusCode::PAYMENT_REQUIRED, &error("insufficient_credits", "The account has no credits left."))
            }
            Self::RateLimited => {
                let body = error("rate_limited", "Too many requests to this endpoint.");
                let limits = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")];
                (StatusCode::TOO_MANY_REQUESTS, limits, Json(body)).into_response()
            }
            Self::Unavailable => refuse(StatusCode::SERVICE_UNAVAILABLE, &error("service_unavailable", "The service is down.")),
            Self::TimedOut => refuse(StatusCode::GATEWAY_TIMEOUT, &error("timeout", "The request took too long.")),
        }
    }
}

fn refuse(status: StatusCode, body: &Value) -> Response {
    (status, Json(body)).into_response()
}

fn error(kind: &str, message: &str) -> Value {
    json!({"error": {"type": kind, "message": message, "metadata": []}})
}
