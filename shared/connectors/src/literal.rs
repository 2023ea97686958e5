//! Secrets that are written into a connector file instead of named: who reads the repository reads them, and they are published with
//! the configuration.

use std::collections::BTreeMap;

use domain::config::Finding;
use serde_json::Value as Json;
use serde_saphyr::Spanned;

use crate::document::Document;

/// Names under which vendors take a secret and nothing else.
const ALWAYS: &[&str] = &["authorization", "apikey", "accesskey", "secretkey", "subscriptionkey", "password", "secret", "cookie"];
/// Names under which they take secrets and other things alike.
const OFTEN: &[&str] = &["key", "token", "auth"];
/// Names that end like these and take what everybody may read.
const NEVER: &[&str] = &["idempotencykey", "sortkey", "partitionkey"];
/// Answers to a question that a name asks, such as `include_secret`.
const ANSWERS: &[&str] = &["true", "false", "yes", "no", "none", "0", "1"];
/// What is shorter is a word of the vendor's rather than a key.
const KEY_MIN_CHARS: usize = 12;

/// What looks like a secret outside `auth`, in headers, query and body of the request and of its keys. No value is repeated.
pub(crate) fn secrets_in(file: &str, document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(request) = document.request.as_ref().map(|section| &section.value) {
        findings.extend(of_address(file, &request.path));
        findings.extend(of_texts(file, "header", &request.headers));
        findings.extend(of_texts(file, "query", &request.query));
        findings.extend(request.body.iter().flat_map(|body| of_body(file, body)));
    }
    if let Some(batch) = document.batch.as_ref().map(|section| &section.value) {
        findings.extend(batch.request.path.iter().flat_map(|path| of_address(file, path)));
        findings.extend(batch.request.query.iter().flat_map(|query| of_texts(file, "query", query)));
        findings.extend(batch.request.body.iter().flat_map(|body| of_body(file, body)));
        for entry in batch.keys.value.values() {
            findings.extend(of_json(file, entry.referenced.line(), &entry.value.each));
        }
    }
    for section in document.keys.values().map(|section| &section.value) {
        findings.extend(of_texts(file, "query", &section.query));
        findings.extend(section.body.iter().flat_map(|body| of_body(file, body)));
    }
    findings
}

/// Parameters that are written behind a path.
fn of_address(file: &str, path: &Spanned<String>) -> Vec<Finding> {
    let parameters = path.value.split(['?', '&']).skip(1).filter_map(|pair| pair.split_once('='));
    let secrets = parameters.filter(|(name, text)| is_secret(name, text));
    secrets.map(|(name, _)| finding(file, path.referenced.line(), "query", name)).collect()
}

fn of_texts(file: &str, place: &str, texts: &BTreeMap<String, Spanned<String>>) -> Vec<Finding> {
    let secrets = texts.iter().filter(|(name, text)| is_secret(name, &text.value));
    secrets.map(|(name, text)| finding(file, text.referenced.line(), place, name)).collect()
}

fn of_body(file: &str, body: &Spanned<Json>) -> Vec<Finding> {
    of_json(file, body.referenced.line(), &body.value)
}

fn of_json(file: &str, line: u64, json: &Json) -> Vec<Finding> {
    let mut names = Vec::new();
    find_in(json, &mut names);
    names.into_iter().map(|name| finding(file, line, "body", name)).collect()
}

/// The names of the members, however deep, that hold what looks like a secret.
fn find_in<'j>(json: &'j Json, found: &mut Vec<&'j str>) {
    match json {
        Json::Object(entries) => {
            for (name, value) in entries {
                let text = if let Json::Number(number) = value { Some(number.to_string()) } else { value.as_str().map(str::to_owned) };
                match text {
                    Some(text) if is_secret(name, &text) => found.push(name),
                    _ => find_in(value, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| find_in(item, found)),
        _ => {}
    }
}

fn is_secret(name: &str, text: &str) -> bool {
    if text.trim().is_empty() || text.contains("{{") || ANSWERS.contains(&text.trim()) {
        return false;
    }
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    if NEVER.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    ALWAYS.iter().any(|end| name.ends_with(end)) || (OFTEN.iter().any(|end| name.ends_with(end)) && looks_random(text))
}

/// Words of a vendor's have neither so many characters without a space nor a digit among letters.
fn looks_random(text: &str) -> bool {
    let secret = text.rsplit(' ').next().unwrap_or_default();
    let has = |is: fn(&char) -> bool| secret.chars().any(|letter| is(&letter));
    secret.chars().count() >= KEY_MIN_CHARS && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
}

fn finding(file: &str, line: u64, place: &str, name: &str) -> Finding {
    // What `auth` calls the place, with the name as it is written.
    let auth = if name.eq_ignore_ascii_case("authorization") {
        "{header: authorization, value: \"Bearer {{secret}}\", secret: NAME}".to_owned()
    } else {
        format!("{{{place}: {name}, value: \"{{{{secret}}}}\", secret: NAME}}")
    };
    let where_to = if place == "body" { ", which stands at the top of the body" } else { "" };
    Finding::new(
        file,
        line,
        format!("`{name}` holds what looks like a secret, which everybody reads here; name it: `auth: {auth}`{where_to}"),
    )
}
