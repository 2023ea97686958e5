//! The section `batch` of a connector file, as it is written.

use std::collections::BTreeMap;

use domain::credits::Price;
use domain::identity::KeyKind;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_saphyr::Spanned;

use crate::document::OneOrMany;

/// How several keys are asked in one request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchSection {
    /// So many keys at most.
    pub(crate) most: Spanned<u32>,
    /// With fewer than these each is asked by itself; 1 where left out.
    #[serde(default)]
    pub(crate) at_least: Option<Spanned<u32>>,
    /// What each of them costs; the connector's own price where left out.
    #[serde(default)]
    pub(crate) price: Option<Spanned<Price>>,
    #[serde(default)]
    pub(crate) request: BatchRequestSection,
    pub(crate) keys: Spanned<BTreeMap<KeyKind, Spanned<EntrySection>>>,
    pub(crate) answers: AnswersSection,
}

/// What differs from the connector's own request; always a POST.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BatchRequestSection {
    pub(crate) path: Option<Spanned<String>>,
    pub(crate) query: Option<BTreeMap<String, Spanned<String>>>,
    pub(crate) body: Option<Spanned<Json>>,
}

/// The list in the body that holds the keys, and what stands in it for each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntrySection {
    pub(crate) list: String,
    pub(crate) each: Json,
}

/// Whom a recorded answer is to: one kind of key, and keys of it.
pub(crate) type BatchKeys = BTreeMap<KeyKind, Vec<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswersSection {
    pub(crate) list: Spanned<OneOrMany<String>>,
    #[serde(default)]
    pub(crate) by: Option<Spanned<OneOrMany<String>>>,
    #[serde(default)]
    pub(crate) status: Option<Spanned<OneOrMany<String>>>,
    #[serde(default)]
    pub(crate) hit: Option<Spanned<OneOrMany<String>>>,
    #[serde(default)]
    pub(crate) no_match: Option<Spanned<OneOrMany<String>>>,
}
