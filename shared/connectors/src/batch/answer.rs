//! What one answer says to each of the keys that were asked together: pure, as for a single one.

use std::collections::BTreeMap;

use domain::identity::{Domain, Email, KeyKind, Phone};
use domain::plan::Operation;
use domain::reply::Reply;
use domain::units::Timestamp;
use serde_json::Value as Json;

use super::{Answers, BatchForm};
use crate::answer::{OTHER_SHAPE, Part, failed, first, unreadable};
use crate::connector::{Http, Meaning};
use crate::egress::Answer;
use crate::path::Path;

impl Http {
    /// Reads an answer to a batch: a reply to each key, in their order. What the answer as a whole means, it means to each of them.
    pub(crate) fn read_all(
        &self,
        form: &BatchForm,
        operation: &Operation,
        (kind, keys): (KeyKind, &[String]),
        answer: &Answer,
        now: Timestamp,
    ) -> Vec<Reply> {
        let body: Option<Json> = std::str::from_utf8(&answer.body).ok().and_then(|text| serde_json::from_str(text).ok());
        let whole = match (self.meaning(answer.status, body.as_ref()), &body) {
            // A wrong path says "not found" as well: nobody may take that for having asked about each.
            (Some(Meaning::NoMatch), _) => Some(failed(format!("answered {} to the batch as a whole", answer.status))),
            (Some(meaning), _) => Some(self.reply_to(meaning, answer.status, answer, now)),
            (None, None) => Some(unreadable("the answer is no JSON, or not all of it")),
            (None, Some(_)) => None,
        };
        if let Some(reply) = whole {
            return vec![reply; keys.len()];
        }
        let list = body.as_ref().and_then(|body| form.answers.list_in(body));
        let Some(list) = list else { return vec![unreadable(OTHER_SHAPE); keys.len()] };
        let entries = form.answers.to_each(list, kind, keys);
        entries.into_iter().map(|entry| self.read_entry(form, operation, entry, answer, now)).collect()
    }

    fn read_entry(&self, form: &BatchForm, operation: &Operation, entry: Option<&Json>, answer: &Answer, now: Timestamp) -> Reply {
        // Asked for, and nobody knows what became of it: it may have been billed.
        let Some(entry) = entry else { return unreadable("the answer to the batch says nothing to this key") };
        let Answers { status, hit, no_match, .. } = &form.answers;
        let own_status = first(status, entry).and_then(Json::as_u64).and_then(|status| u16::try_from(status).ok());
        let part = Part {
            status: own_status.unwrap_or(answer.status),
            body: Some(entry),
            hit: hit.as_ref().unwrap_or(&self.hit),
            no_match: no_match.as_ref().unwrap_or(&self.no_match),
        };
        self.read_part(operation, &part, answer, now)
    }
}

impl Answers {
    fn list_in<'a>(&self, body: &'a Json) -> Option<&'a Vec<Json>> {
        self.list.iter().find_map(|path| path.first(body)?.as_array())
    }

    /// The entry to each key, where there is one.
    fn to_each<'a>(&self, list: &'a [Json], kind: KeyKind, keys: &[String]) -> Vec<Option<&'a Json>> {
        if self.by.is_empty() {
            // With one more or less nobody knows whose is whose.
            return if list.len() == keys.len() { list.iter().map(Some).collect() } else { vec![None; keys.len()] };
        }
        let mut by_key = BTreeMap::new();
        for entry in list {
            if let Some(key) = named(&self.by, entry) {
                by_key.entry(normal(kind, key)).or_insert(entry);
            }
        }
        keys.iter().map(|key| by_key.get(&normal(kind, key)).copied()).collect()
    }
}

fn named<'a>(by: &[Path], entry: &'a Json) -> Option<&'a str> {
    by.iter().find_map(|path| path.first(entry)?.as_str())
}

/// A key as we write it, whichever way the vendor repeats it.
fn normal(kind: KeyKind, text: &str) -> String {
    let parsed = match kind {
        KeyKind::Domain | KeyKind::EmailDomain => Domain::parse(text).ok().map(|domain| domain.as_str().to_owned()),
        KeyKind::BusinessEmail | KeyKind::PersonalEmail | KeyKind::Email => Email::parse(text).ok().map(|email| email.expose().to_owned()),
        KeyKind::Phone => Phone::parse(text).ok().map(|phone| phone.expose().to_owned()),
        KeyKind::SocialUrl | KeyKind::CompanyLinkedinUrl => Some(place_of(text)),
        KeyKind::SsoIdentity | KeyKind::NameAndCompany | KeyKind::CompanyName | KeyKind::NorthAmericanPhone | KeyKind::Certificate => None,
    };
    parsed.unwrap_or_else(|| text.trim().to_lowercase())
}

/// A URL without what vendors write in several ways: scheme, `www.` and the last slash.
fn place_of(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let without_scheme = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    without_scheme.trim_start_matches("www.").trim_end_matches('/').to_owned()
}
