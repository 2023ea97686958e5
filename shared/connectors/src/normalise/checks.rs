//! What checks say of numbers and addresses.

use domain::value::Value;
use serde_json::Value as Json;

use super::{boolean, says_nothing, word};

/// Of several lists that somebody may stand on: one that could not be read may be the one. What is empty says nothing.
pub(super) fn any_yes(found: &[&Json]) -> Option<Value> {
    let there = found.iter().filter(|json| !says_nothing(json));
    let answers: Vec<Option<bool>> = there.map(|json| boolean(json)).collect();
    if answers.contains(&Some(true)) {
        return Some(Value::Bool(true));
    }
    (!answers.is_empty() && answers.iter().all(|answer| *answer == Some(false))).then_some(Value::Bool(false))
}

/// `None` where the vendor is not sure.
pub(super) fn validity(text: &str) -> Option<bool> {
    match word(text)?.as_str() {
        "valid" | "deliverable" => Some(true),
        "invalid" | "undeliverable" => Some(false),
        _ => None,
    }
}

/// The three types of S4-06; toll-free, premium and voicemail numbers are none of them.
pub(super) fn phone_type(text: &str) -> Option<&'static str> {
    let folded = word(text)?.replace('_', "");
    match folded.as_str() {
        "mobile" | "wireless" | "cell" => Some("mobile"),
        "landline" | "fixedline" => Some("landline"),
        "voip" | "fixedvoip" | "nonfixedvoip" => Some("voip"),
        _ => None,
    }
}
