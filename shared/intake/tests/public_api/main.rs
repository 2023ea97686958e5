//! The package as its callers see it: a request in, an event or a problem out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod clerk;
mod form;
mod fuzz;
mod limits;
mod samples;
mod signatures;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use domain::signup::Signup;
use domain::units::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use intake::{Event, Keys, KeysUnavailable, Problem, RawRequest, WebhookSecret, accept, sign};
use serde_json::Value;

/// Works for both issuers: plain text to the one, base64 to the other.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-20T12:00:00Z").unwrap()
}

/// Secrets held in memory; `None` is a store that does not answer.
struct Held(Option<Vec<WebhookSecret>>);

#[async_trait]
impl Keys for Held {
    async fn webhook_secrets(&self, _issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        self.0.clone().ok_or(KeysUnavailable)
    }
}

fn current(value: &str) -> WebhookSecret {
    WebhookSecret { value: value.into(), until: None }
}

/// `accept` waits for nothing here, so one poll finishes it.
fn taken(issuer: &str, request: RawRequest, keys: &Held, now: Timestamp) -> Result<Event, Problem> {
    match pin!(accept(issuer, request, keys, now)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("these keys answer at once"),
    }
}

fn signed(issuer: &str, body: &[u8], delivery: Option<&str>, now: Timestamp) -> RawRequest {
    let headers = sign(issuer, body, &SECRET.into(), delivery, now).unwrap();
    let pairs = headers.into_iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()));
    RawRequest { headers: HeaderMap::from_iter(pairs), body: body.to_vec(), received_at: now }
}

fn send(issuer: &str, body: &[u8]) -> Result<Event, Problem> {
    taken(issuer, signed(issuer, body, None, now()), &Held(Some(vec![current(SECRET)])), now())
}

fn signup_of(issuer: &str, body: &Value) -> Signup {
    signup_in(send(issuer, body.to_string().as_bytes()))
}

fn signup_in(result: Result<Event, Problem>) -> Signup {
    match result {
        Ok(Event::Signup(signup)) => signup,
        other => panic!("not a signup: {other:?}"),
    }
}
