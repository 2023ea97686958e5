//! How HubSpot says no, without repeating what it was told.

use std::collections::BTreeSet;

use domain::units::{Millis, Timestamp};
use pipeline::ports::{CrmReply, CrmWrite};
use serde_json::Value as Json;

use crate::egress::Answer;
use crate::wait::asked_wait;

/// The ten-second window, where HubSpot names no time.
const WAIT_DEFAULT: Millis = Millis::seconds(10);
/// The day's limit is lifted at midnight of the portal's time zone, which we do not know; also the longest wait.
const WAIT_DAILY: Millis = Millis::minutes(15);

/// Reads an answer that is neither success, nor 404, nor 409.
pub(super) fn read(answer: &Answer, write: &CrmWrite) -> CrmReply {
    let body: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        401 | 403 => CrmReply::AuthFailed,
        429 => CrmReply::RateLimited { retry_after: retry_after(answer, &body) },
        // 423: another write holds the contact; 477: the portal is being moved.
        408 | 423 | 477 | 500..=599 => CrmReply::Unavailable { why: format!("HubSpot answered {}", answer.status) },
        300..=399 => CrmReply::Unavailable { why: "HubSpot answered with a redirect, which is not followed".to_owned() },
        status => CrmReply::Refused { why: refused(status, &body, write) },
    }
}

fn retry_after(answer: &Answer, body: &Json) -> Millis {
    if body.get("policyName").and_then(Json::as_str) == Some("DAILY") {
        return WAIT_DAILY;
    }
    asked_in_seconds(answer).unwrap_or(WAIT_DEFAULT).min(WAIT_DAILY)
}

/// HubSpot writes seconds; a date cannot be read without a clock and takes the default.
fn asked_in_seconds(answer: &Answer) -> Option<Millis> {
    // From the year 9999 on, every date is over and names no wait.
    asked_wait(&answer.headers, None, Timestamp::from_millis(i64::MAX))
}

/// The category and the properties concerned. Only names that we sent are repeated: HubSpot's messages hold values.
fn refused(status: u16, body: &Json, write: &CrmWrite) -> String {
    let category = body.get("category").and_then(Json::as_str).filter(|category| is_word(category)).unwrap_or("no category");
    let mut texts = Vec::new();
    collect_texts(body.get("errors").unwrap_or(&Json::Null), &mut texts);
    let message = body.get("message").and_then(Json::as_str).unwrap_or_default();
    let is_named = |name: &str| texts.contains(&name) || message.contains(&format!("\"{name}\""));
    let ours = write.properties.keys().map(String::as_str).chain(["email"]);
    let named: BTreeSet<&str> = ours.filter(|name| is_named(name)).collect();
    if named.is_empty() {
        return format!("HubSpot answered {status} ({category})");
    }
    let names: Vec<&str> = named.into_iter().collect();
    format!("HubSpot answered {status} ({category}) about {}; check these properties", names.join(", "))
}

fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

fn collect_texts<'a>(json: &'a Json, texts: &mut Vec<&'a str>) {
    match json {
        Json::String(text) => texts.push(text),
        Json::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Json::Object(entries) => entries.values().for_each(|item| collect_texts(item, texts)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
