//! Connector files as they are written, with the line of everything that can be wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use domain::credits::Price;
use domain::identity::KeyKind;
use domain::schema::FieldClass;
use domain::units::Millis;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_saphyr::Spanned;

use crate::batch::document::{BatchKeys, BatchSection};
use crate::connector::{About, Builtin, RateLimit};
use crate::normalise::Normaliser;
use crate::request::Encoding;

/// `config/connectors/<provider>.<operation>.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) provider: Spanned<String>,
    #[serde(default)]
    pub(crate) operation: Option<String>,
    pub(crate) family: String,
    pub(crate) class: FieldClass,
    pub(crate) about: About,
    pub(crate) timeout: Spanned<Millis>,
    #[serde(default)]
    pub(crate) price: Price,
    #[serde(default)]
    pub(crate) rate_limit: Option<Spanned<RateLimit>>,
    #[serde(default)]
    pub(crate) builtin: Option<Spanned<Builtin>>,
    #[serde(default)]
    pub(crate) auth: Option<AuthSection>,
    #[serde(default)]
    pub(crate) request: Option<Spanned<RequestSection>>,
    #[serde(default)]
    pub(crate) keys: BTreeMap<KeyKind, Spanned<KeySection>>,
    #[serde(default)]
    pub(crate) batch: Option<Spanned<BatchSection>>,
    #[serde(default)]
    pub(crate) reply: Option<ReplySection>,
    #[serde(default)]
    pub(crate) errors: ErrorsSection,
    #[serde(default)]
    pub(crate) examples: Vec<Spanned<ExampleSection>>,
}

/// How the vendor knows us: `value` in a header, in the query or in the body, or `basic` alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthSection {
    #[serde(default)]
    pub(crate) header: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) query: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) body: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) value: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) basic: Option<Spanned<String>>,
    pub(crate) secret: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestSection {
    pub(crate) method: MethodWord,
    pub(crate) base_url: Spanned<String>,
    pub(crate) path: Spanned<String>,
    /// Whether the vendor may send us on, as directories do that others keep.
    #[serde(default)]
    pub(crate) follow_redirects: Option<Spanned<bool>>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) body: Option<Spanned<Json>>,
    #[serde(default)]
    pub(crate) encoding: Encoding,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum MethodWord {
    Get,
    Post,
}

/// How one kind of key is sent: what it adds to the request's query and body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeySection {
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(crate) body: Option<Spanned<Json>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplySection {
    pub(crate) hit: Spanned<OneOrMany<String>>,
    #[serde(default)]
    pub(crate) no_match: Option<Spanned<OneOrMany<String>>>,
    #[serde(default)]
    pub(crate) confidence: Option<Spanned<OneOrMany<String>>>,
    pub(crate) fields: BTreeMap<String, Spanned<OneOrMany<MappingSection>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingSection {
    pub(crate) path: OneOrMany<String>,
    #[serde(rename = "as")]
    pub(crate) normaliser: Normaliser,
    #[serde(default)]
    pub(crate) inferred: bool,
}

/// What answers mean that are no hit. Each meaning holds when one of its tests does; they are asked in this order.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ErrorsSection {
    pub(crate) out_of_credits: Vec<Spanned<TestSection>>,
    pub(crate) rate_limited: Vec<Spanned<TestSection>>,
    pub(crate) auth_failed: Vec<Spanned<TestSection>>,
    pub(crate) no_match: Vec<Spanned<TestSection>>,
    pub(crate) failed: Vec<Spanned<TestSection>>,
}

/// A test of an answer: everything that is written must hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestSection {
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) body: Option<String>,
}

/// A recorded answer and what must come out of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleSection {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) key: Option<String>,
    /// The keys of a batch, and of which kind they are; `expect` says then what comes out for each of them.
    #[serde(default)]
    pub(crate) batch: Option<BatchKeys>,
    /// What is sent for them.
    #[serde(default)]
    pub(crate) sends: Option<Json>,
    #[serde(default = "ok")]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: Json,
    pub(crate) expect: Json,
}

fn ok() -> u16 {
    200
}

/// One thing, or a list of alternatives, the best first.
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    // By hand, because serde's untagged enums forget the line and say nothing about what is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one entry or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(StrDeserializer::new(text)).map(|one| OneOrMany(vec![one]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = list.next_element()? {
            many.push(one);
        }
        Ok(OneOrMany(many))
    }
}
