//! One connector: a provider's operation, parsed and checked.

use domain::identity::{KeyKind, LookupKey};
use domain::observation::Basis;
use domain::plan::Operation;
use domain::reply::Reply;
use domain::schema::Field;
use domain::units::Timestamp;
use http::HeaderMap;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::batch::BatchForm;
use crate::builtin;
use crate::egress::Answer;
use crate::example::Example;
use crate::normalise::Normaliser;
use crate::path::Path;
use crate::request::Request;
use crate::wanted::Wanted;

/// One parsed, checked connector file (DESIGN §7).
#[derive(Debug)]
pub struct Connector {
    pub(crate) operation: Operation,
    pub(crate) about: About,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) speech: Speech,
    pub(crate) examples: Vec<Example>,
}

impl Connector {
    /// What the plan knows about it.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// What the vendor offers (S0-11, S3-76).
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// Whether somebody else is asked, so that there is an address to replace.
    pub(crate) const fn calls_out(&self) -> bool {
        !matches!(self.speech, Speech::Builtin(Builtin::Email))
    }

    /// The vendor's published limit, where there is one; not enforced yet.
    #[must_use]
    pub const fn rate_limit(&self) -> Option<&RateLimit> {
        self.rate_limit.as_ref()
    }

    /// The name of the secret that it is called with.
    pub(crate) fn secret(&self) -> Option<&str> {
        let Speech::Http(http) = &self.speech else { return None };
        http.request.auth.as_ref().map(|auth| auth.secret.as_str())
    }

    /// Reads what a vendor answered with status 200 as if it had come now, and asks nobody: for benches.
    #[must_use]
    pub fn read(&self, key: &LookupKey, body: Vec<u8>, now: Timestamp) -> Reply {
        let answer = Answer { status: 200, headers: HeaderMap::new(), body };
        match &self.speech {
            Speech::Builtin(builtin) => builtin::read_example(*builtin, &self.operation, key, &answer, now),
            Speech::Http(http) => http.read(&self.operation, &answer, now),
        }
    }

    pub(crate) fn accepts(&self, kind: KeyKind) -> bool {
        self.operation.keys.contains(&kind)
    }
}

/// Catalogue data of a provider: for the people who choose one (S0-11, S3-76).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What it is asked for first of all.
    pub primary_data: String,
    /// Where it is strong and where not.
    pub coverage: String,
    /// Whether its data may be shown to our own customers.
    pub resale: Resale,
    /// What one of its credits costs in US dollars, where that is known.
    #[serde(default)]
    pub credit_usd: Option<Decimal>,
}

/// Whether a vendor's data may be passed on (S3-76).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resale {
    /// Freely.
    Allowed,
    /// As the contract with the vendor says.
    ByContract,
    /// Not at all.
    Forbidden,
}

/// A vendor's published limit: catalogue data for people. Our own calls are not held back by it yet; a vendor that turns us
/// away is asked again when it says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls a minute, at least 1. Not enforced.
    pub per_minute: u32,
    /// The header that says in how many seconds the limit is lifted, where the vendor sends no `Retry-After`.
    #[serde(default)]
    pub reset_header: Option<String>,
}

/// How an operation is carried out.
#[derive(Debug)]
pub(crate) enum Speech {
    Builtin(Builtin),
    Http(Box<Http>),
}

/// Operations that need no vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Builtin {
    /// What an address itself says.
    Email,
    /// What a company's home page says.
    Website,
}

/// A vendor's HTTP operation.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) request: Request,
    /// How it is asked by several keys at once.
    pub(crate) batch: Option<BatchForm>,
    pub(crate) meanings: Vec<(Meaning, Test)>,
    pub(crate) reset_header: Option<http::HeaderName>,
    pub(crate) hit: Vec<Path>,
    pub(crate) no_match: Vec<Path>,
    pub(crate) confidence: Vec<Path>,
    /// Where the paths to the confidence are written.
    pub(crate) confidence_line: u64,
    pub(crate) fields: Vec<(Field, Vec<Mapping>)>,
    /// What of an answer any of these reads.
    pub(crate) wanted: Wanted,
}

impl Http {
    /// Finds out what has to be read of an answer.
    pub(crate) fn want(&mut self) {
        let mut wanted = Wanted::default();
        wanted.add_whether(self.meanings.iter().filter_map(|(_, test)| test.body.as_ref()));
        wanted.add_whether(&self.no_match);
        let mapped = self.fields.iter().flat_map(|(_, mappings)| mappings).flat_map(|mapping| &mapping.paths);
        wanted.add_from(&self.hit, self.confidence.iter().chain(mapped));
        self.wanted = wanted;
    }

    /// The fields of which it tells nothing but what it infers.
    pub(crate) fn inferred(&self) -> impl Iterator<Item = &Field> {
        let is_inferred = |mappings: &[Mapping]| mappings.iter().all(|mapping| mapping.basis == Basis::Inferred);
        self.fields.iter().filter(move |(_, mappings)| is_inferred(mappings)).map(|(field, _)| field)
    }
}

/// What an answer means that is no hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    OutOfCredits,
    RateLimited,
    AuthFailed,
    NoMatch,
    Failed,
}

/// A test of an answer; all parts must hold.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) status: Option<u16>,
    pub(crate) body: Option<Path>,
}

/// Where a field's value stands and how it becomes canonical.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) paths: Vec<Path>,
    pub(crate) normaliser: Normaliser,
    pub(crate) basis: Basis,
}
