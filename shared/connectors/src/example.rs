//! Recorded answers in a connector's file, which are its tests.

use std::collections::BTreeMap;

use domain::identity::{KeyKind, LookupKey};
use domain::observation::Observation;
use domain::reply::Reply;
use domain::schema::{Field, Schema};
use domain::units::Timestamp;
use domain::value::Value;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;

use crate::answer::fraction;
use crate::batch::example::BatchExample;
use crate::builtin;
use crate::connector::{Connector, Speech};
use crate::document::ExampleSection;
use crate::egress::Answer;
use crate::path::Path;

/// The moment at which examples are read: 2026-11-20T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

const WORDS: &str = "no_match, rate_limited, out_of_credits, auth_failed, failed or unreadable";

/// A recorded answer and what must come out of it.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) line: u64,
    name: String,
    key: Option<String>,
    status: u16,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    expect: Expectation,
}

/// Of one key, or of those that were asked together.
#[derive(Debug)]
enum Expectation {
    One(Expected),
    Each(BatchExample),
}

#[derive(Debug)]
pub(crate) enum Expected {
    Fields(BTreeMap<Field, Value>),
    NoMatch,
    RateLimited,
    OutOfCredits,
    AuthFailed,
    Failed,
    Unreadable,
}

impl Example {
    pub(crate) fn parse(section: &ExampleSection, line: u64, schema: &Schema) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &section.headers {
            let (Ok(header), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
                return Err(format!("`{name}` is no header"));
            };
            headers.insert(header, value);
        }
        // A text is the body as it came, so that garbage and pages can be recorded too.
        let body = match &section.body {
            Json::Null => Vec::new(),
            Json::String(text) => text.clone().into_bytes(),
            json => json.to_string().into_bytes(),
        };
        let expect = match &section.batch {
            Some(keys) => Expectation::Each(BatchExample::parse(keys, section.sends.as_ref(), &section.expect, schema)?),
            None if section.sends.is_some() => return Err("sends: only an example with `batch` says what is sent".to_owned()),
            None => Expectation::One(expected(&section.expect, schema)?),
        };
        Ok(Self { line, name: section.name.clone(), key: section.key.clone(), status: section.status, headers, body, expect })
    }

    /// Reads the recorded answer and compares; the message names fields, never values.
    pub(crate) fn check(&self, connector: &Connector) -> Result<(), String> {
        let answer = Answer { status: self.status, headers: self.headers.clone(), body: self.body.clone() };
        let expected = match &self.expect {
            Expectation::Each(batch) => return batch.check(&self.name, connector, &answer),
            Expectation::One(expected) => expected,
        };
        let reply = match &connector.speech {
            Speech::Http(http) => http.read(&connector.operation, &answer, NOW),
            Speech::Builtin(builtin) => {
                let key = self.key.clone().ok_or_else(|| format!("example `{}` needs a `key`", self.name))?;
                builtin::read_example(*builtin, &connector.operation, &LookupKey { kind: KeyKind::Email, value: key }, &answer, NOW)
            }
        };
        expected.check(&self.name, reply)
    }
}

impl Expected {
    /// Compares it with what came out.
    pub(crate) fn check(&self, name: &str, reply: Reply) -> Result<(), String> {
        let found = match reply {
            Reply::Hit { observations } => {
                let Self::Fields(expected) = self else { return Err(format!("example `{name}` is a hit")) };
                return compare(name, expected, &observations);
            }
            Reply::NoMatch => ("no_match", matches!(self, Self::NoMatch)),
            Reply::RateLimited { .. } => ("rate_limited", matches!(self, Self::RateLimited)),
            Reply::OutOfCredits => ("out_of_credits", matches!(self, Self::OutOfCredits)),
            Reply::AuthFailed => ("auth_failed", matches!(self, Self::AuthFailed)),
            Reply::Failed { .. } | Reply::NotSent { .. } => ("failed", matches!(self, Self::Failed)),
            Reply::Unreadable { .. } => ("unreadable", matches!(self, Self::Unreadable)),
            Reply::Pending { .. } => ("pending", false),
            Reply::TimedOut => ("timed_out", false),
        };
        if found.1 { Ok(()) } else { Err(format!("example `{name}` is read as {}", found.0)) }
    }
}

/// A path to the confidence that finds none in any recorded answer would make every answer certain without a word.
/// Gives its line and what is wrong.
pub(crate) fn check_confidence(connector: &Connector) -> Option<(u64, String)> {
    let Speech::Http(http) = &connector.speech else { return None };
    let bodies: Vec<Json> = connector.examples.iter().filter_map(|example| serde_json::from_slice(&example.body).ok()).collect();
    let hits: Vec<&Json> = bodies.iter().filter_map(|body| http.hit_in(body)).collect();
    let is_found = |path: &Path| hits.iter().any(|hit| path.first(hit).is_some_and(|found| fraction(found).is_some()));
    let lost = http.confidence.iter().find(|path| !is_found(path))?;
    let message =
        format!("confidence: `{lost}` finds no number from 0 to 1 in any example; mend the path (`$` is the hit) or record a hit with it");
    Some((http.confidence_line, message))
}

pub(crate) fn expected(written: &Json, schema: &Schema) -> Result<Expected, String> {
    match written {
        Json::Object(entries) => {
            let mut fields = BTreeMap::new();
            for (name, json) in entries {
                let value = Value::of_json(json).ok_or_else(|| format!("expect: `{name}` has no value; leave the line out"))?;
                fields.insert(schema.field(name)?, value);
            }
            Ok(Expected::Fields(fields))
        }
        Json::String(word) => match word.as_str() {
            "no_match" => Ok(Expected::NoMatch),
            "rate_limited" => Ok(Expected::RateLimited),
            "out_of_credits" => Ok(Expected::OutOfCredits),
            "auth_failed" => Ok(Expected::AuthFailed),
            "failed" => Ok(Expected::Failed),
            "unreadable" => Ok(Expected::Unreadable),
            _ => Err(format!("expect: `{word}` is not known; write fields with their values, or {WORDS}")),
        },
        _ => Err(format!("expect: write fields with their values, or {WORDS}")),
    }
}

fn compare(name: &str, expected: &BTreeMap<Field, Value>, observations: &[Observation]) -> Result<(), String> {
    let found: BTreeMap<&Field, &Value> = observations.iter().map(|observation| (&observation.field, &observation.value)).collect();
    let mut wrong = Vec::new();
    for (field, value) in expected {
        match found.get(field) {
            None => wrong.push(format!("{field} is missing")),
            Some(other) if *other != value => wrong.push(format!("{field} has another value")),
            Some(_) => {}
        }
    }
    let unexpected = found.keys().filter(|field| !expected.contains_key(**field));
    wrong.extend(unexpected.map(|field| format!("{field} is not expected")));
    if wrong.is_empty() { Ok(()) } else { Err(format!("example `{name}`: {}", wrong.join(", "))) }
}
