//! Whom to ask next: a machine without I/O. The shell carries out what [`next`] says and logs it as a [`Call`].
//!
//! Steps run in the order of the configuration, providers in the order of their step.

mod call;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use call::{Call, CallOutcome, Skip};

use crate::condition::{Condition, Truth, View};
use crate::credits::Price;
use crate::freshness::Freshness;
use crate::gate::Verdict;
use crate::identity::{KeyKind, LookupKey};
use crate::merge::Facts;
use crate::schema::{Field, FieldClass, Schema};
use crate::signup::RunId;
use crate::units::{BasisPoints, Credits, Millis, Timestamp};

/// A run pays for the same operation at most this often, over all its receives: once, and once more (S4-39).
const PAID_ATTEMPTS_MAX: usize = 2;

/// What the plan knows about one operation of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, `crustdata.company`.
    pub name: String,
    /// The provider, `crustdata`.
    pub provider: String,
    /// The family of sources that copy each other.
    pub family: String,
    /// The keys it can be asked by, the best first.
    pub keys: Vec<KeyKind>,
    /// The fields it may supply.
    pub supplies: Vec<Field>,
    /// What a call costs.
    pub price: Price,
    /// How its answers age.
    pub class: FieldClass,
    /// How long one call may take.
    pub timeout: Millis,
}

/// All operations by name.
pub type Catalogue = BTreeMap<String, Operation>;

/// When a wanted field counts as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Any value will do.
    FirstUsable,
    /// At this confidence.
    Confidence(BasisPoints),
    /// When so many independent families agree (S0-84).
    Confirmations(usize),
}

impl Stop {
    /// The default for scoring fields: one bare source may stop.
    pub const DEFAULT: Self = Self::Confidence(BasisPoints::new(5000));

    /// Reads `first_usable`, `confidence >= 5000` or `confirmations: 2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "first_usable" {
            return Some(Self::FirstUsable);
        }
        if let Some(points) = text.strip_prefix("confidence >=") {
            let points: u16 = points.trim().parse().ok()?;
            return (points <= 10_000).then(|| Self::Confidence(BasisPoints::new(points)));
        }
        let count: usize = text.strip_prefix("confirmations:")?.trim().parse().ok()?;
        (count > 0).then_some(Self::Confirmations(count))
    }
}

/// One step: fields that are wanted and providers that may know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// It runs only while this holds; absent means always.
    pub when: Option<Condition>,
    /// The fields wanted.
    pub wants: Vec<Field>,
    /// The operations to ask, in order.
    pub providers: Vec<String>,
    /// When a wanted field counts as known.
    pub stop: Stop,
    /// A call takes at most this long; the operation's own timeout where absent.
    pub timeout: Option<Millis>,
}

/// Everything the plan looks at.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The steps in order.
    pub steps: &'a [Step],
    /// The operations they name.
    pub catalogue: &'a Catalogue,
    /// The schema in force.
    pub schema: &'a Schema,
    /// How long fields stay fresh.
    pub freshness: &'a Freshness,
    /// The keys there are, strongest first.
    pub keys: &'a [LookupKey],
    /// What is known.
    pub facts: &'a Facts,
    /// The log so far.
    pub calls: &'a [Call],
    /// The gate's verdict on what is known.
    pub verdict: Verdict,
    /// The run that paid for this person within the hour, if one did.
    pub paid_by: Option<&'a RunId>,
    /// The time.
    pub now: Timestamp,
    /// No call begins after this.
    pub finish_by: Timestamp,
    /// Rate limits are waited for this long, from the first one on (S4-27).
    pub patience: Millis,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this call and log its end.
    Ask(Ask),
    /// Do not make this call; log why.
    Skip {
        /// The step.
        step: String,
        /// The operation.
        operation: String,
        /// Why not.
        why: Skip,
    },
    /// Nothing can be done before this moment.
    Wait {
        /// The moment.
        until: Timestamp,
    },
    /// Nobody is left to ask.
    Done,
}

/// A call to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The step.
    pub step: String,
    /// The operation.
    pub operation: String,
    /// The key to ask by.
    pub key: LookupKey,
    /// It may take this long.
    pub timeout: Millis,
    /// 1 for the first call of this run to this operation.
    pub attempt: u32,
}

/// Says whom to ask next.
#[must_use]
pub fn next(situation: &Situation<'_>) -> Next {
    let give_up_at = give_up_at(situation);
    for step in situation.steps {
        for name in &step.providers {
            let Some(operation) = situation.catalogue.get(name) else { continue };
            let last = situation.calls.iter().rev().find(|call| call.step == step.name && call.operation == *name);
            match last.map(|call| &call.outcome) {
                Some(CallOutcome::RateLimited { retry_at }) if situation.now < give_up_at && situation.now < *retry_at => {
                    return Next::Wait { until: (*retry_at).min(give_up_at) };
                }
                Some(CallOutcome::RateLimited { .. }) if situation.now < give_up_at => {}
                Some(_) => continue,
                None => {}
            }
            return ask_or_skip(situation, step, operation);
        }
    }
    Next::Done
}

/// Patience begins with the first rate limit: what a run waited for before, such as another's lease, spends none of it.
fn give_up_at(situation: &Situation<'_>) -> Timestamp {
    let first = situation.calls.iter().find(|call| matches!(call.outcome, CallOutcome::RateLimited { .. }));
    first.map_or(situation.now, |call| call.at).after(situation.patience)
}

fn ask_or_skip(situation: &Situation<'_>, step: &Step, operation: &Operation) -> Next {
    match key_for(situation, step, operation) {
        Err(why) => Next::Skip { step: step.name.clone(), operation: operation.name.clone(), why },
        Ok(key) => {
            let time_left = Millis(situation.finish_by.millis() - situation.now.millis());
            Next::Ask(Ask {
                step: step.name.clone(),
                operation: operation.name.clone(),
                key: key.clone(),
                timeout: step.timeout.unwrap_or(operation.timeout).min(time_left),
                attempt: next_attempt(situation.calls, &operation.name),
            })
        }
    }
}

/// The number of a run's next attempt at an operation, from 1: those not made do not count.
#[must_use]
pub fn next_attempt(calls: &[Call], operation: &str) -> u32 {
    let made = calls.iter().filter(|call| call.operation == operation && !matches!(call.outcome, CallOutcome::NotMade { .. }));
    u32::try_from(made.count()).unwrap_or(u32::MAX).saturating_add(1)
}

fn key_for<'a>(situation: &Situation<'a>, step: &Step, operation: &Operation) -> Result<&'a LookupKey, Skip> {
    let view = View::of(situation.facts).with_open(open_fields(situation));
    match step.when.as_ref().map_or(Truth::True, |when| when.evaluate(&view)) {
        Truth::False => return Err(Skip::ConditionFalse),
        Truth::Unknown => return Err(Skip::ConditionUnknown),
        Truth::True => {}
    }
    let wanted: Vec<&Field> = step.wants.iter().filter(|field| !is_settled(situation, step, field)).collect();
    if wanted.is_empty() {
        return Err(Skip::AlreadyKnown);
    }
    if !wanted.iter().any(|field| operation.supplies.contains(field)) {
        return Err(Skip::SuppliesNothingWanted);
    }
    if !operation.price.is_free() {
        let paid = situation.calls.iter().filter(|call| call.operation == operation.name && call.cost > Credits::ZERO);
        if paid.count() >= PAID_ATTEMPTS_MAX {
            return Err(Skip::AttemptsSpent);
        }
        if situation.verdict != Verdict::Pass {
            return Err(Skip::HeldByGate);
        }
        if let Some(run) = situation.paid_by {
            return Err(Skip::SameIdentity { run: run.clone() });
        }
    }
    if situation.now >= situation.finish_by {
        return Err(Skip::NoTimeLeft);
    }
    let key = operation.keys.iter().find_map(|kind| situation.keys.iter().find(|key| key.kind == *kind));
    key.ok_or(Skip::NoKey)
}

/// A field is settled when it is fresh and its step's stop predicate holds.
fn is_settled(situation: &Situation<'_>, step: &Step, field: &Field) -> bool {
    let Some(fact) = situation.facts.get(field) else { return false };
    let (_, class) = situation.schema.kind_of(field);
    if situation.now.since(fact.observed_at) > situation.freshness.of(class) {
        return false;
    }
    match step.stop {
        Stop::FirstUsable => true,
        Stop::Confidence(least) => fact.confidence >= least,
        Stop::Confirmations(count) => fact.confirmations >= count,
    }
}

/// The fields that a call not yet made could still supply; `has` is unknown for them.
#[must_use]
pub fn open_fields(situation: &Situation<'_>) -> Vec<Field> {
    let mut open = Vec::new();
    for step in situation.steps {
        for name in &step.providers {
            let is_done = situation.calls.iter().any(|call| call.step == step.name && call.operation == *name);
            if let (false, Some(operation)) = (is_done, situation.catalogue.get(name)) {
                open.extend(operation.supplies.iter().filter(|field| !situation.facts.contains_key(*field)).cloned());
            }
        }
    }
    open.sort();
    open.dedup();
    open
}
