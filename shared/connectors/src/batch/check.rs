//! Checks a connector's section `batch` and compiles it.

use std::collections::BTreeMap;

use domain::credits::Price;
use domain::identity::KeyKind;
use domain::plan::BatchTerms;
use domain::schema::{Schema, is_channel};
use serde_json::Map;
use serde_saphyr::Spanned;

use super::document::{AnswersSection, BatchRequestSection, BatchSection, EntrySection};
use super::{Answers, Around, BatchForm, Entry};
use crate::check::{Checker, body_has_hole};
use crate::document::{KeySection, ReplySection, RequestSection};
use crate::request::Encoding;

/// What differs from the connector's own request is taken from it.
pub(crate) struct Single<'a> {
    request: &'a RequestSection,
    keys: Vec<KeyKind>,
    price: Price,
    /// How many channels an answer may fill.
    channels: usize,
}

impl<'a> Single<'a> {
    pub(crate) fn of(
        request: &'a RequestSection,
        keys: &BTreeMap<KeyKind, Spanned<KeySection>>,
        price: Price,
        reply: &ReplySection,
        schema: &Schema,
    ) -> Self {
        let channels = reply.fields.keys().filter(|name| schema.field(name).is_ok_and(|field| is_channel(&field))).count();
        Self { request, keys: keys.keys().copied().collect(), price, channels }
    }
}

impl Checker<'_> {
    pub(crate) fn batch(&mut self, section: Spanned<BatchSection>, single: &Single<'_>) -> Option<BatchForm> {
        if single.request.encoding == Encoding::Form {
            self.find(&section, "batch: a form holds no list; leave `batch` out, or `encoding: form`".to_owned());
        }
        let written = section.value;
        let terms = self.terms(&written, single);
        let around = self.around(&written.request, single.request);
        let entries = self.entries(&written.keys, &single.keys);
        let answers = self.answers(&written.answers);
        Some(BatchForm { terms, around: around?, entries, answers })
    }

    fn terms(&mut self, section: &BatchSection, single: &Single<'_>) -> BatchTerms {
        let BatchSection { most, at_least, price, keys, .. } = section;
        if most.value < 2 {
            self.find(most, format!("batch.most: {} is no batch; write how many keys the vendor takes at once", most.value));
        }
        if let Some(least) = at_least.as_ref().filter(|least| !(1..=most.value).contains(&least.value)) {
            self.find(least, format!("batch.at_least: {} is never reached or always; write 1 to {}", least.value, most.value));
        }
        BatchTerms {
            keys: keys.value.keys().copied().collect(),
            most: most.value,
            at_least: at_least.as_ref().map_or(1, |least| least.value),
            price: price.as_ref().map_or(single.price, |price| self.batch_price(price, single)),
        }
    }

    /// What is set aside for a call is the price of a single one, so that an entry of a batch may cost no more.
    fn batch_price(&mut self, written: &Spanned<Price>, single: &Single<'_>) -> Price {
        let (bulk, own) = (written.value.worst_case(single.channels), single.price.worst_case(single.channels));
        if bulk > own {
            let message =
                format!("batch.price: {bulk} for an entry is more than the {own} that a call of its own costs; write that or less");
            self.find(written, message);
        }
        written.value
    }

    /// What stands around the keys: path, query and body, without any of them.
    fn around(&mut self, own: &BatchRequestSection, single: &RequestSection) -> Option<Around> {
        let path = own.path.as_ref().unwrap_or(&single.path);
        if !path.value.starts_with('/') {
            self.find(path, format!("`{}` is no path; write it from the first slash, such as /v5/person/bulk", path.value));
        }
        self.has_no_key(path, &path.value);
        let query = own.query.as_ref().unwrap_or(&single.query);
        for text in query.values() {
            self.has_no_key(text, &text.value);
        }
        let body = match own.body.as_ref().or(single.body.as_ref()) {
            None => Some(Map::new()),
            Some(written) => {
                self.has_no_key(written, &written.value.to_string());
                let body = written.value.as_object().cloned();
                if body.is_none() && own.body.is_some() {
                    self.find(written, "batch.request.body: a body is a mapping, such as {fields: [basic_info]}".to_owned());
                }
                body
            }
        };
        let path = path.value.trim_start_matches('/').split('/').map(str::to_owned).collect();
        let query = query.iter().map(|(name, text)| (name.clone(), text.value.clone())).collect();
        Some(Around { path, query, body: body? })
    }

    fn has_no_key<T>(&mut self, at: &Spanned<T>, text: &str) {
        if text.contains("{{") {
            let message = "a batch has its keys in `batch.keys` alone; write `path`, `query` or `body` without one under `batch.request`";
            self.find(at, message.to_owned());
        }
    }

    fn entries(&mut self, section: &Spanned<BTreeMap<KeyKind, Spanned<EntrySection>>>, known: &[KeyKind]) -> Vec<(KeyKind, Entry)> {
        if section.value.is_empty() {
            self.find(section, "batch.keys: write the list that each kind of key stands in, and what stands there for each".to_owned());
        }
        let mut entries = Vec::new();
        for (kind, written) in &section.value {
            if !known.contains(kind) {
                let known: Vec<&str> = known.iter().map(|kind| kind.as_str()).collect();
                self.find(written, format!("batch.keys: the connector is not asked by {}; write {}", kind.as_str(), known.join(" or ")));
            }
            let Some(each) = self.body(written, &written.value.each) else { continue };
            if !body_has_hole(&each) {
                self.find(written, format!("{}: the key is not sent; write {{{{key}}}} into `each`", kind.as_str()));
            }
            entries.push((*kind, Entry { list: written.value.list.clone(), each }));
        }
        entries
    }

    fn answers(&mut self, section: &AnswersSection) -> Answers {
        Answers {
            list: self.paths(&section.list),
            by: section.by.iter().flat_map(|written| self.paths(written)).collect(),
            status: section.status.iter().flat_map(|written| self.paths(written)).collect(),
            hit: section.hit.as_ref().map(|written| self.paths(written)),
            no_match: section.no_match.as_ref().map(|written| self.paths(written)),
        }
    }
}
