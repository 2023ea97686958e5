//! One call, from headers to bill.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{EMPTY_KEY, KEY, company, person};
use crate::books::{Endpoint, email_key};
use crate::magic::Magic;
use crate::universe::Universe;
use crate::{Sandbox, pace};

const API_VERSION: &str = "2025-11-01";
/// The vendor's limit for one call.
const MOST_IDENTIFIERS: usize = 25;
/// What a matched record costs, in credits.
const CREDITS_A_MATCH: u64 = 2;
/// What the technographics of a matched company cost on top (WIRE-FORMATS 1.1).
const CREDITS_FOR_TECHNOGRAPHICS: u64 = 2;
const HANG: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Person,
    Company,
}

/// A record with all its sections, the score of the match, and how long the vendor thinks about it.
pub(crate) struct Found {
    pub(crate) sections: Map<String, Value>,
    pub(crate) match_score: f64,
    pub(crate) delay: Duration,
}

/// What a well-formed body asks for.
struct Asked {
    keys: Vec<String>,
    match_type: &'static str,
    sections: Vec<String>,
}

impl Operation {
    fn endpoint(self) -> Endpoint {
        match self {
            Self::Person => Endpoint::CrustdataPerson,
            Self::Company => Endpoint::CrustdataCompany,
        }
    }

    /// The body's identifier lists and what a match by them is called.
    fn identifiers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Person => person::IDENTIFIERS,
            Self::Company => company::IDENTIFIERS,
        }
    }

    fn known_sections(self) -> &'static [&'static str] {
        match self {
            Self::Person => person::SECTIONS,
            Self::Company => company::SECTIONS,
        }
    }

    fn default_sections(self) -> &'static [&'static str] {
        match self {
            Self::Person => &["basic_profile", "social_handles"],
            Self::Company => &["basic_info"],
        }
    }

    fn data_key(self) -> &'static str {
        match self {
            Self::Person => "person_data",
            Self::Company => "company_data",
        }
    }

    fn find(self, universe: &Universe, match_type: &str, key: &str) -> Option<Found> {
        match self {
            Self::Person => person::find(universe, key),
            Self::Company => company::find(universe, match_type, key),
        }
    }

    fn magic(self, key: &str) -> Option<Magic> {
        match self {
            Self::Person => Magic::of_email(&person::email_of(key)),
            Self::Company => Magic::of_domain(&key.to_lowercase()),
        }
    }

    /// How a key stands in the books: no email and no profile address in the clear.
    fn books_key(self, key: &str) -> String {
        match self {
            Self::Person => email_key(key),
            Self::Company => key.trim().to_lowercase(),
        }
    }
}

impl Asked {
    fn price(&self) -> u64 {
        let technographics = self.sections.iter().any(|section| *section == "technographics");
        if technographics { CREDITS_A_MATCH + CREDITS_FOR_TECHNOGRAPHICS } else { CREDITS_A_MATCH }
    }
}

pub(crate) async fn answer(sandbox: &Sandbox, operation: Operation, headers: &HeaderMap, body: &[u8]) -> Response {
    let asked = read(operation, body);
    let keys: Vec<String> = match &asked {
        Ok(asked) => asked.keys.iter().map(|key| operation.books_key(key)).collect(),
        Err(_) => Vec::new(),
    };
    sandbox.books().note(operation.endpoint(), &keys);
    sandbox.pace().wait(pace::CRUSTDATA).await;
    let outcome = match check_headers(headers).and(asked) {
        Ok(asked) => fulfil(sandbox, operation, &asked).await,
        Err(refusal) => Err(refusal),
    };
    outcome.unwrap_or_else(IntoResponse::into_response)
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text(header::AUTHORIZATION.as_str()).strip_prefix("Bearer ") {
        Some(KEY) => {}
        Some(EMPTY_KEY) => return Err(Refusal::InsufficientCredits),
        _ => return Err(Refusal::InvalidKey),
    }
    if text("x-api-version") != API_VERSION {
        return Err(Refusal::BadRequest(format!("header x-api-version is missing or unknown; send {API_VERSION}")));
    }
    if !text(header::CONTENT_TYPE.as_str()).starts_with("application/json") {
        return Err(Refusal::BadRequest("header content-type must be application/json".to_owned()));
    }
    Ok(())
}

fn read(operation: Operation, body: &[u8]) -> Result<Asked, Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::BadRequest("the body is not JSON".to_owned()))?;
    let given: Vec<_> = operation.identifiers().iter().filter(|(name, _)| body.get(name).is_some()).collect();
    let [(name, match_type)] = given.as_slice() else {
        let names: Vec<&str> = operation.identifiers().iter().map(|(name, _)| *name).collect();
        return Err(Refusal::BadRequest(format!("give exactly one of {}", names.join(", "))));
    };
    let keys = texts(&body, name)?;
    if keys.is_empty() || keys.len() > MOST_IDENTIFIERS {
        return Err(Refusal::BadRequest(format!("{name} takes 1 to {MOST_IDENTIFIERS} entries")));
    }
    Ok(Asked { keys, match_type, sections: sections(operation, &body)? })
}

/// `fields` may name a section or something inside of it; the answer comes by sections.
fn sections(operation: Operation, body: &Value) -> Result<Vec<String>, Refusal> {
    if body.get("fields").is_none() {
        return Ok(operation.default_sections().iter().map(|&name| name.to_owned()).collect());
    }
    let mut sections = Vec::new();
    for field in texts(body, "fields")? {
        let section = field.split('.').next().unwrap_or_default();
        if !operation.known_sections().contains(&section) {
            let known = operation.known_sections().join(", ");
            return Err(Refusal::BadRequest(format!("fields names a section that does not exist; choose from {known}")));
        }
        sections.push(section.to_owned());
    }
    Ok(sections)
}

/// A list of texts; company ids may be numbers.
fn texts(body: &Value, name: &str) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::BadRequest(format!("{name} must be a list of strings"));
    let items = body.get(name).and_then(Value::as_array).ok_or_else(wrong)?;
    let text = |item: &Value| match item {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if name == "crustdata_company_ids" => Ok(number.to_string()),
        _ => Err(wrong()),
    };
    items.iter().map(text).collect()
}

async fn fulfil(sandbox: &Sandbox, operation: Operation, asked: &Asked) -> Result<Response, Refusal> {
    let magic = asked.keys.iter().find_map(|key| operation.magic(key).map(|magic| (magic, key)));
    let mut delay = Duration::ZERO;
    match magic {
        Some((Magic::Timeout, _)) => {
            tokio::time::sleep(HANG).await;
            return Err(Refusal::TimedOut);
        }
        Some((Magic::AlwaysLimited, _)) => return Err(Refusal::RateLimited),
        Some((Magic::RateLimited, key)) => {
            let key = operation.books_key(key);
            if sandbox.books().earlier_tries(operation.endpoint().name(), &key) < 2 {
                return Err(Refusal::RateLimited);
            }
        }
        Some((Magic::Down, _)) => return Err(Refusal::Unavailable),
        Some((Magic::Denied, _)) => return Err(Refusal::InvalidKey),
        Some((Magic::Slow, _)) => delay = SLOW,
        _ => {}
    }
    let (body, matched, longest) = entries(sandbox.universe(), operation, asked);
    // Billed before the wait: a vendor that did the work charges for it, though nobody waited for the answer.
    sandbox.books().bill(operation.endpoint(), matched * asked.price());
    tokio::time::sleep(delay.max(longest)).await;
    if matches!(magic, Some((Magic::Broken, _))) {
        return Ok(truncated(&body));
    }
    Ok(Json(body).into_response())
}

/// The answer's entries, how many matched, and how long the vendor thinks about the slowest.
fn entries(universe: &Universe, operation: Operation, asked: &Asked) -> (Value, u64, Duration) {
    let (mut entries, mut matched, mut longest) = (Vec::new(), 0, Duration::ZERO);
    for key in &asked.keys {
        let hidden = operation.magic(key) == Some(Magic::NoMatch);
        let found = if hidden { None } else { operation.find(universe, asked.match_type, key) };
        let mut matches = Vec::new();
        if let Some(found) = found {
            matched += 1;
            longest = longest.max(found.delay);
            let wanted = found.sections.into_iter().filter(|(name, _)| name == company::ID || asked.sections.contains(name));
            let data: Map<String, Value> = wanted.collect();
            matches.push(json!({"confidence_score": found.match_score, operation.data_key(): data}));
        }
        entries.push(json!({"matched_on": key, "match_type": asked.match_type, "matches": matches}));
    }
    (Value::Array(entries), matched, longest)
}

/// 200 with a body that stops in the middle.
fn truncated(body: &Value) -> Response {
    let mut text = body.to_string();
    let mut half = text.len() / 2;
    while !text.is_char_boundary(half) {
        half -= 1;
    }
    text.truncate(half);
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
