//! Observations become facts: equal values are grouped, weighed, held against each other and capped (DESIGN §4).
//!
//! Two passes, so that no order of fields matters: first every field is weighed alone, then the checks read what the first
//! pass found and never each other's result.

mod candidate;
#[cfg(test)]
mod tests;
mod validation;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::confidence::{self, CAP_INVALID, FLOOR_VALIDATED, Level, Standing, Trust};
use crate::consistency::{self, Check, CheckOutcome};
use crate::derived;
use crate::observation::{Basis, Observation};
use crate::schema::{Field, FieldKind, Schema};
use crate::units::{BasisPoints, Timestamp};
use crate::value::Value;
use candidate::{Candidate, Scales};

/// What is believed about a field, and on whose word. `Debug` shows no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The best value, as its most recent source wrote it.
    pub value: Value,
    /// How sure we are of it.
    pub confidence: BasisPoints,
    /// The sources that say so, sorted (S1-17).
    pub sources: Vec<String>,
    /// How many independent families say so, neither inferring nor outdated; a direct check counts as one.
    #[serde(default)]
    pub confirmations: usize,
    /// The most recent time one of them said so.
    pub observed_at: Timestamp,
    /// Other values that somebody stated, strongest first (S2-18).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Value>,
    /// The checks it went through and how they ended (S0-86, S0-87); one without its input did not take place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

impl Fact {
    /// The level of its confidence.
    #[must_use]
    pub const fn level(&self) -> Level {
        Level::of(self.confidence)
    }
}

/// Everything believed about a record.
pub type Facts = BTreeMap<Field, Fact>;

/// The fields whose confidence a value of this one can change.
pub(crate) fn checked_by(field: &Field) -> impl Iterator<Item = Field> + use<> {
    consistency::measured_by(field).iter().chain(validation::validated_by(field)).map(|path| Field::known(path))
}

/// Merges observations into facts as of `now`, with those that follow from them. The order of the observations never matters.
#[must_use]
pub fn merge(observations: &[Observation], schema: &Schema, trust: &Trust, now: Timestamp) -> Facts {
    let mut facts = weigh(observations, schema, trust, now);
    derived::add(&mut facts, observations, schema, trust, now);
    facts
}

/// Merges observations into the facts that were told.
pub(crate) fn weigh<'a>(observations: impl IntoIterator<Item = &'a Observation>, schema: &Schema, trust: &Trust, now: Timestamp) -> Facts {
    let mut observations: Vec<&Observation> = observations.into_iter().collect();
    observations.sort_by(|a, b| a.field.cmp(&b.field).then_with(|| a.family.cmp(&b.family)));
    let weighed = observations.chunk_by(|a, b| a.field == b.field).filter_map(|seen| {
        let field = &seen.first()?.field;
        let (kind, class) = schema.kind_of(field);
        Some((field, Weighed::of(seen, field, kind, Scales { class, trust, now })?))
    });
    let lead = Lead { fields: weighed.collect(), floor: trust.floor };
    lead.fields.iter().map(|(field, weighed)| ((*field).clone(), lead.fact(field, weighed))).collect()
}

/// A field after the first pass.
struct Weighed<'a> {
    kind: FieldKind,
    best: Candidate<'a>,
    /// The other values, strongest first.
    others: Vec<Candidate<'a>>,
    /// The support of the best value, less what the others take away.
    contested: BasisPoints,
}

impl<'a> Weighed<'a> {
    fn of(seen: &'a [&'a Observation], field: &Field, kind: FieldKind, scales: Scales<'a>) -> Option<Self> {
        let mut candidates = candidate::weigh_all(seen, field, kind, scales).into_iter();
        let best = candidates.next()?;
        let others: Vec<Candidate<'a>> = candidates.collect();
        let contested = confidence::contested(best.support, others.iter().map(|other| other.support));
        Some(Self { kind, best, others, contested })
    }

    fn standing(&self) -> Standing {
        // Two checks that disagree verify nothing.
        let is_disputed = self.best.is_validated() && self.others.iter().any(Candidate::is_validated);
        let basis = if is_disputed { Basis::Stated } else { self.best.basis };
        Standing { families: self.best.confirmations, basis, is_outdated: self.best.is_outdated, is_consistent: false }
    }
}

/// All fields after the first pass, in order.
struct Lead<'a> {
    fields: Vec<(&'a Field, Weighed<'a>)>,
    floor: BasisPoints,
}

impl<'a> Lead<'a> {
    fn weighed(&self, name: &str) -> Option<&Weighed<'a>> {
        let place = self.fields.binary_search_by(|(field, _)| field.as_str().cmp(name)).ok()?;
        self.fields.get(place).map(|(_, weighed)| weighed)
    }

    /// What a check may read: what gate, score and route would see, if somebody stated it. A value that was inferred may
    /// have been inferred from the very value that is checked.
    fn known(&self, name: &'static str) -> Option<&Weighed<'a>> {
        let weighed = self.weighed(name)?;
        let standing = weighed.standing();
        let is_stated = standing.basis != Basis::Inferred && !standing.is_outdated;
        (is_stated && confidence::capped(weighed.contested, standing) >= self.floor).then_some(weighed)
    }

    fn fact(&self, field: &Field, weighed: &Weighed<'_>) -> Fact {
        let best = &weighed.best;
        let known = |name| self.known(name).map(|weighed| &weighed.best.latest.value);
        let consistency = consistency::check(field, &best.latest.value, known);
        let validation = validation::of(field, weighed, self);
        Fact {
            value: best.latest.value.clone(),
            confidence: confidence_of(weighed, consistency, validation.as_ref().map(|validation| validation.check)),
            sources: best.sources(),
            confirmations: best.confirmations + validation.as_ref().map_or(0, |validation| validation.confirms(best)),
            observed_at: best.latest.observed_at,
            conflicts: weighed.others.iter().map(|other| other.latest.value.clone()).collect(),
            checks: consistency.into_iter().chain(validation.map(|validation| validation.check)).collect(),
        }
    }
}

/// The second pass: what the checks leave of the confidence, how far it may go, and what a direct validation says at last.
fn confidence_of(weighed: &Weighed<'_>, consistency: Option<Check>, validation: Option<Check>) -> BasisPoints {
    let mut standing = weighed.standing();
    let mut left = weighed.contested;
    match consistency.map(|check| check.outcome) {
        Some(CheckOutcome::Passed) => standing.is_consistent = weighed.best.is_reliable,
        Some(CheckOutcome::Failed) => left = left.times(consistency::FACTOR_FAILED),
        None => {}
    }
    let is_validated = standing.basis == Basis::Validated && !standing.is_outdated;
    match validation.map(|check| check.outcome) {
        None => confidence::capped(left, standing),
        Some(CheckOutcome::Passed) => confidence::capped(left, standing).max(FLOOR_VALIDATED),
        // Two checks that disagree verify nothing.
        Some(CheckOutcome::Failed) if is_validated => confidence::capped(left, Standing { basis: Basis::Stated, ..standing }),
        Some(CheckOutcome::Failed) => confidence::capped(left, standing).min(CAP_INVALID),
    }
}
