//! Reading JSON bodies without trusting a single type in them.
//!
//! Limits: `serde_json` refuses what is nested 128 deep, numbers beyond `f64` and lone surrogates; of a key that is given
//! twice the last counts, as in browsers.

use std::collections::BTreeMap;

use domain::identity::Email;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::text;

/// Custom values kept of one signup; further ones, by name, are left out.
const CUSTOM_MAX: usize = 64;

/// The longest name of a custom value, in characters; a longer one is left out with its value.
const CUSTOM_NAME_MAX_CHARS: usize = 64;

/// Reads a body that must be one JSON object. The error tells where reading stopped and nothing of what was read.
pub(crate) fn read(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::MalformedJson { line: error.line(), column: error.column() })
}

/// A clean text, or a number as it is written; `None` for anything else.
pub(crate) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(typed) => text::clean(typed),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An address; absent, `null` and blank are `None`, anything else that is not an address is a problem.
pub(crate) fn email(value: Option<&Value>) -> Result<Option<Email>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(typed)) if typed.trim().is_empty() => Ok(None),
        Some(other) => Email::parse(other.as_str().unwrap_or_default()).map(Some).map_err(Problem::InvalidEmail),
    }
}

/// The parts of a name put together.
pub(crate) fn full_name(first: Option<String>, last: Option<String>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.or(last),
    }
}

/// The scalars among `fields`, made harmless and bounded in number; lists and objects are left out.
pub(crate) fn custom(fields: Map<String, Value>) -> BTreeMap<String, Value> {
    let scalars = fields.into_iter().filter_map(|(name, value)| Some((custom_name(&name)?, scalar(value)?)));
    let by_name: BTreeMap<String, Value> = scalars.collect();
    by_name.into_iter().take(CUSTOM_MAX).collect()
}

fn custom_name(name: &str) -> Option<String> {
    text::clean(name).filter(|name| name.chars().count() <= CUSTOM_NAME_MAX_CHARS)
}

fn scalar(value: Value) -> Option<Value> {
    match value {
        Value::String(typed) => text::clean(&typed).map(Value::String),
        Value::Number(_) | Value::Bool(_) => Some(value),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
