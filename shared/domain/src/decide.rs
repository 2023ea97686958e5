//! A decision as a pure function of what was logged: gate, score, route and outcome in one place.

use std::collections::BTreeMap;

use crate::condition::View;
use crate::config::Config;
use crate::gate::{self, Verdict};
use crate::merge::Facts;
use crate::observation::{Basis, Observation};
use crate::plan::Call;
use crate::route::{self, Route, Track};
use crate::run::{Decision, Outcome, absence_of};
use crate::schema::Field;
use crate::score;
use crate::signup::{RunId, Signup};
use crate::units::{BasisPoints, Timestamp};
use crate::value::Value;

/// What a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// The calls made and not made.
    pub calls: &'a [Call],
    /// Fields that a call not yet made could still supply.
    pub open: &'a [Field],
    /// The run that paid for the same person within the hour.
    pub paid_by: Option<&'a RunId>,
    /// When the signup was accepted.
    pub accepted_at: Timestamp,
}

/// Decides about a signup. The owner is assigned afterwards, for it depends on whose turn it is.
#[must_use]
pub fn decide(config: &Config, evidence: &Evidence<'_>, seq: u64, now: Timestamp) -> Decision {
    let view = View::of(evidence.facts).with_open(evidence.open.iter().cloned());
    let gate = gate::judge(&config.gate, &view);
    let score = score::score(&config.score, &view);
    let scored = view.with_score(score.low, score.high);
    let route = match gate.verdict {
        Verdict::Pass => route::route(&config.route, &scored),
        Verdict::Verify => held(Track::Verification, "held until verified"),
        Verdict::Reject => held(Track::Verification, "rejected by the gate"),
    };
    let outcome = outcome(gate.verdict, &route, evidence);
    let supplies = |operation: &str, field: &Field| config.catalogue.get(operation).is_some_and(|op| op.supplies.contains(field));
    let unread = config.decision_fields().into_iter().filter(|field| !evidence.facts.contains_key(field));
    let absent: BTreeMap<Field, _> = unread.map(|field| (field.clone(), absence_of(&field, evidence.calls, supplies))).collect();
    Decision { outcome, gate, score, route, owner: None, absent, seq, at: now, after: now.since(evidence.accepted_at) }
}

fn held(track: Track, because: &str) -> Route {
    Route { track, provisional: false, possible: vec![track], because: vec![because.to_owned()] }
}

fn outcome(verdict: Verdict, route: &Route, evidence: &Evidence<'_>) -> Outcome {
    match verdict {
        Verdict::Reject => return Outcome::Rejected,
        Verdict::Verify => return Outcome::Held,
        Verdict::Pass => {}
    }
    if evidence.paid_by.is_some() {
        return Outcome::Duplicate;
    }
    let something_may_come = !evidence.open.is_empty() || evidence.calls.iter().any(|call| call.outcome.may_pass());
    if route.provisional && something_may_come { Outcome::Deferred } else { Outcome::Routed }
}

/// What the signup itself says: observations from the source `signup`.
#[must_use]
pub fn observations_of(signup: &Signup, config: &Config) -> Vec<Observation> {
    let mut said = Vec::new();
    let mut say = |field: Field, value: Value, basis: Basis| {
        said.push(Observation {
            field,
            value,
            source: "signup".to_owned(),
            family: "signup".to_owned(),
            observed_at: signup.occurred_at,
            stated: BasisPoints::ONE,
            basis,
        });
    };
    say(Field::known("signup.arrival"), Value::text(signup.arrival.as_str()), Basis::Validated);
    say(Field::known("signup.issuer"), Value::text(&signup.issuer), Basis::Validated);
    let texts = [
        ("signup.source", &signup.source),
        ("contact.full_name", &signup.name),
        ("contact.title", &signup.job_role),
        ("contact.linkedin_url", &signup.social_url),
        ("company.name", &signup.company_name),
    ];
    for (path, text) in texts {
        if let Some(text) = text {
            say(Field::known(path), Value::text(text), Basis::Stated);
        }
    }
    if let Some(email) = &signup.email {
        let basis = if signup.email_verified { Basis::Validated } else { Basis::Stated };
        say(Field::known("contact.email"), Value::text(email.expose()), basis);
    }
    if let Some(domain) = signup.company_domain() {
        say(Field::known("company.domain"), Value::text(domain.as_str()), Basis::Stated);
    }
    for (name, json) in &signup.custom {
        let Ok(field) = config.schema.field(name) else { continue };
        let value = Value::of_json(json).filter(|value| value.fits(config.schema.kind_of(&field).0));
        if let Some(value) = value {
            say(field, value, Basis::Stated);
        }
    }
    said
}

/// Adds new observations to old ones: of one source and field only the newest stays.
#[must_use]
pub fn join_observations(old: &[Observation], new: &[Observation]) -> Vec<Observation> {
    let mut newest: BTreeMap<(Field, String), Observation> = BTreeMap::new();
    for observation in old.iter().chain(new) {
        let key = (observation.field.clone(), observation.source.clone());
        match newest.get(&key) {
            Some(kept) if (kept.observed_at, &kept.value) > (observation.observed_at, &observation.value) => {}
            _ => {
                newest.insert(key, observation.clone());
            }
        }
    }
    newest.into_values().collect()
}
