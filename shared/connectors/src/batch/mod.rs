//! A vendor's operation asked by several keys in one request (S4-33).

pub(crate) mod answer;
pub(crate) mod check;
pub(crate) mod document;
pub(crate) mod example;
#[cfg(test)]
mod tests;

use domain::identity::KeyKind;
use domain::plan::BatchTerms;
use http::Method;
use secrecy::SecretString;
use serde_json::{Map, Value as Json};
use url::Url;

use crate::egress::{BATCH_BODY_MAX_BYTES, BODY_MAX_BYTES, Call, Redirects};
use crate::path::Path;
use crate::request::{Body, Request, address};

/// How several keys of one kind stand in a request, and where the answer speaks of each.
#[derive(Debug)]
pub(crate) struct BatchForm {
    pub(crate) terms: BatchTerms,
    around: Around,
    /// What stands for each key, by its kind.
    entries: Vec<(KeyKind, Entry)>,
    answers: Answers,
}

/// What stands around the keys, without any of them.
#[derive(Debug)]
struct Around {
    /// The path's segments.
    path: Vec<String>,
    query: Vec<(String, String)>,
    /// What stands beside the list.
    body: Map<String, Json>,
}

/// A list in the body, and what stands in it for each key.
#[derive(Debug)]
struct Entry {
    list: String,
    each: Body,
}

/// Where the answer speaks of each key.
#[derive(Debug)]
struct Answers {
    /// The list of answers.
    list: Vec<Path>,
    /// In each of them the key that it is to; where it is absent, they stand in the order of the keys.
    by: Vec<Path>,
    /// In each of them the status that a call of its own would have answered with.
    status: Vec<Path>,
    /// In each of them the hit; the connector's own paths where nothing is written.
    hit: Option<Vec<Path>>,
    /// In each of them what shows that there is none; as before.
    no_match: Option<Vec<Path>>,
}

impl BatchForm {
    /// The call for these keys; `base` replaces the connector's own base URL. `None` when a part cannot be filled in.
    pub(crate) fn call(
        &self,
        request: &Request,
        base: Option<&Url>,
        kind: KeyKind,
        keys: &[String],
        secret: Option<&SecretString>,
    ) -> Option<Call> {
        let body = self.body(kind, keys)?;
        let url = address(base.unwrap_or(&request.base_url), &self.around.path, &self.around.query)?;
        let call = request.sign(Method::POST, url, Some(body), secret)?;
        // Whoever may send a GET on may not send this on.
        Some(Call {
            redirects: Redirects::Refused,
            most_bytes: BODY_MAX_BYTES.saturating_mul(keys.len()).min(BATCH_BODY_MAX_BYTES),
            ..call
        })
    }

    /// What is sent for these keys, but for the secret.
    fn body(&self, kind: KeyKind, keys: &[String]) -> Option<Map<String, Json>> {
        let (_, entry) = self.entries.iter().find(|(known, _)| *known == kind)?;
        let list: Option<Vec<Json>> = keys.iter().map(|key| entry.each.fill(key)).collect();
        let mut body = self.around.body.clone();
        body.insert(entry.list.clone(), list?.into());
        Some(body)
    }
}
