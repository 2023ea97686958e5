//! Whom to ask next: a machine without I/O. The shell carries out what [`next`] says and logs it as a [`Call`].
//!
//! Steps run in the order of the configuration, providers in the order of their step.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::condition::{Condition, Truth, View};
use crate::credits::{CapScope, Price};
use crate::freshness::Freshness;
use crate::gate::Verdict;
use crate::identity::{KeyKind, LookupKey};
use crate::merge::Facts;
use crate::schema::{Field, FieldClass, Schema};
use crate::signup::RunId;
use crate::units::{BasisPoints, Credits, Millis, Timestamp};

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

/// When a wanted field counts as known (X-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Any value will do.
    FirstUsable,
    /// At this confidence.
    Confidence(BasisPoints),
    /// When so many sources agree.
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

/// One line of the run's log: a call that was made, or one that was not and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The step it belongs to.
    pub step: String,
    /// The operation.
    pub operation: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: CallOutcome,
    /// When it was decided or began.
    pub at: Timestamp,
    /// How long it took.
    pub latency: Millis,
    /// What it cost.
    pub cost: Credits,
    /// The kind of key it was asked by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyKind>,
    /// Whether the answer came from the cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CallOutcome {
    /// It told these fields.
    Hit {
        /// The fields, sorted.
        fields: Vec<Field>,
    },
    /// The provider knows nothing.
    NoMatch,
    /// Asked too often; may be asked again at this moment.
    RateLimited {
        /// When to ask again.
        retry_at: Timestamp,
    },
    /// No answer in time.
    TimedOut,
    /// An answer that is none.
    Failed {
        /// What was wrong.
        why: String,
    },
    /// The provider refuses our credentials.
    AuthFailed,
    /// The account at the provider is empty.
    OutOfCredits,
    /// It was not made.
    NotMade {
        /// Why not.
        why: Skip,
    },
}

impl CallOutcome {
    /// Whether a later try may fare better, so that the decision waits for correction.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::TimedOut | Self::Failed { .. } | Self::AuthFailed | Self::OutOfCredits => true,
            Self::NotMade { why } => matches!(why, Skip::Cap { .. } | Skip::NoTimeLeft),
            Self::Hit { .. } | Self::NoMatch => false,
        }
    }
}

/// Why a call was not made. It cost nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Skip {
    /// The step's condition does not hold.
    ConditionFalse,
    /// The step's condition depends on something not known.
    ConditionUnknown,
    /// Everything the step wants is known, fresh and sure enough (S0-75).
    AlreadyKnown,
    /// The operation supplies nothing that is still wanted (S0-16).
    SuppliesNothingWanted,
    /// There is no key that the operation accepts.
    NoKey,
    /// The gate holds paid calls (X-18).
    HeldByGate,
    /// The same person was paid for within the hour (X-01).
    SameIdentity {
        /// The run that paid.
        run: RunId,
    },
    /// The run's time is over.
    NoTimeLeft,
    /// A cap refused the credits (S0-77).
    Cap {
        /// Which one.
        scope: CapScope,
    },
}

impl Skip {
    /// The reason in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::ConditionFalse => "its condition does not hold".to_owned(),
            Self::ConditionUnknown => "its condition depends on something unknown".to_owned(),
            Self::AlreadyKnown => "everything it wants is known and fresh".to_owned(),
            Self::SuppliesNothingWanted => "it supplies nothing still wanted".to_owned(),
            Self::NoKey => "there is no key to ask by".to_owned(),
            Self::HeldByGate => "the gate holds paid calls".to_owned(),
            Self::SameIdentity { .. } => "the same person was looked up within the hour".to_owned(),
            Self::NoTimeLeft => "no time was left".to_owned(),
            Self::Cap { scope } => format!("{} is reached", scope.words()),
        }
    }
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
    /// Rate limits are waited for until then.
    pub give_up_at: Timestamp,
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
    for step in situation.steps {
        for name in &step.providers {
            let Some(operation) = situation.catalogue.get(name) else { continue };
            let last = situation.calls.iter().rev().find(|call| call.step == step.name && call.operation == *name);
            match last.map(|call| &call.outcome) {
                Some(CallOutcome::RateLimited { retry_at }) if situation.now < situation.give_up_at && situation.now < *retry_at => {
                    return Next::Wait { until: *retry_at };
                }
                Some(CallOutcome::RateLimited { .. }) if situation.now < situation.give_up_at => {}
                Some(_) => continue,
                None => {}
            }
            return ask_or_skip(situation, step, operation);
        }
    }
    Next::Done
}

fn ask_or_skip(situation: &Situation<'_>, step: &Step, operation: &Operation) -> Next {
    match key_for(situation, step, operation) {
        Err(why) => Next::Skip { step: step.name.clone(), operation: operation.name.clone(), why },
        Ok(key) => {
            let earlier = situation
                .calls
                .iter()
                .filter(|call| call.operation == operation.name && !matches!(call.outcome, CallOutcome::NotMade { .. }));
            let time_left = Millis(situation.finish_by.millis() - situation.now.millis());
            Next::Ask(Ask {
                step: step.name.clone(),
                operation: operation.name.clone(),
                key: key.clone(),
                timeout: step.timeout.unwrap_or(operation.timeout).min(time_left),
                attempt: u32::try_from(earlier.count()).unwrap_or(u32::MAX).saturating_add(1),
            })
        }
    }
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
        Stop::Confirmations(count) => fact.sources.len() >= count,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Fact;
    use crate::value::Value;

    const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

    fn operation(name: &str, credits: i64, supplies: &[&'static str]) -> Operation {
        Operation {
            name: name.into(),
            provider: name.split('.').next().unwrap().into(),
            family: name.into(),
            keys: vec![KeyKind::Domain],
            supplies: supplies.iter().map(|path| Field::known(path)).collect(),
            price: Price { per_hit: Credits::whole(credits), ..Price::default() },
            class: FieldClass::Company,
            timeout: Millis::seconds(1),
        }
    }

    fn step(providers: &[&str]) -> Step {
        Step {
            name: "company".into(),
            when: None,
            wants: vec![Field::known("company.headcount")],
            providers: providers.iter().map(|name| (*name).to_owned()).collect(),
            stop: Stop::DEFAULT,
            timeout: None,
        }
    }

    fn fact(confidence: u16, age: Millis) -> Fact {
        Fact {
            value: Value::number(200),
            confidence: BasisPoints::new(confidence),
            sources: vec!["a".into()],
            observed_at: NOW.before(age),
            conflicts: vec![],
        }
    }

    struct World {
        steps: Vec<Step>,
        catalogue: Catalogue,
        schema: Schema,
        keys: Vec<LookupKey>,
        facts: Facts,
        calls: Vec<Call>,
    }

    impl World {
        fn new() -> Self {
            let operations = [
                operation("paid.a", 2, &["company.headcount"]),
                operation("paid.b", 2, &["company.headcount"]),
                operation("free.c", 0, &["company.name"]),
            ];
            Self {
                steps: vec![step(&["paid.a", "paid.b", "free.c"])],
                catalogue: operations.into_iter().map(|operation| (operation.name.clone(), operation)).collect(),
                schema: Schema::default(),
                keys: vec![LookupKey { kind: KeyKind::Domain, value: "acme.io".into() }],
                facts: Facts::new(),
                calls: vec![],
            }
        }

        fn situation(&self) -> Situation<'_> {
            Situation {
                steps: &self.steps,
                catalogue: &self.catalogue,
                schema: &self.schema,
                freshness: &Freshness::SIGNUP,
                keys: &self.keys,
                facts: &self.facts,
                calls: &self.calls,
                verdict: Verdict::Pass,
                paid_by: None,
                now: NOW,
                finish_by: NOW.after(Millis::seconds(10)),
                give_up_at: NOW.after(Millis::minutes(5)),
            }
        }

        fn log(&mut self, operation: &str, outcome: CallOutcome) {
            let at = NOW;
            self.calls.push(Call {
                step: "company".into(),
                operation: operation.into(),
                outcome,
                at,
                latency: Millis(0),
                cost: Credits::ZERO,
                key: None,
                cached: false,
            });
        }

        fn know(&mut self, fact: Fact) {
            self.facts.insert(Field::known("company.headcount"), fact);
        }
    }

    fn asked(next: &Next) -> &str {
        if let Next::Ask(ask) = next { &ask.operation } else { panic!("{next:?}") }
    }

    fn skipped(next: &Next) -> &Skip {
        if let Next::Skip { why, .. } = next { why } else { panic!("{next:?}") }
    }

    #[test]
    fn s0_14_and_s0_15_providers_are_asked_in_order_until_the_field_is_known() {
        let mut world = World::new();
        assert_eq!(asked(&next(&world.situation())), "paid.a");
        world.log("paid.a", CallOutcome::NoMatch);
        assert_eq!(asked(&next(&world.situation())), "paid.b");
        world.log("paid.b", CallOutcome::Hit { fields: vec![] });
        world.know(fact(7000, Millis(0)));
        assert_eq!(*skipped(&next(&world.situation())), Skip::AlreadyKnown);
        world.log("free.c", CallOutcome::NotMade { why: Skip::AlreadyKnown });
        assert_eq!(next(&world.situation()), Next::Done);
    }

    #[test]
    fn s0_16_a_provider_that_cannot_know_is_not_asked() {
        let mut world = World::new();
        world.log("paid.a", CallOutcome::NoMatch);
        world.log("paid.b", CallOutcome::NoMatch);
        assert_eq!(*skipped(&next(&world.situation())), Skip::SuppliesNothingWanted);
    }

    #[test]
    fn s0_29_a_fresh_fact_is_not_asked_for_and_a_stale_or_weak_one_is() {
        let mut world = World::new();
        world.know(fact(7000, Millis::days(89)));
        assert_eq!(*skipped(&next(&world.situation())), Skip::AlreadyKnown);
        world.know(fact(7000, Millis::days(91)));
        assert_eq!(asked(&next(&world.situation())), "paid.a");
        world.know(fact(4000, Millis(0)));
        assert_eq!(asked(&next(&world.situation())), "paid.a");
    }

    #[test]
    fn x_18_the_gate_holds_paid_calls_and_x_01_the_same_person_never_pays_again() {
        let world = World::new();
        let held = Situation { verdict: Verdict::Verify, ..world.situation() };
        assert_eq!(*skipped(&next(&held)), Skip::HeldByGate);
        let run = RunId::parse(&"r".repeat(43)).unwrap();
        let again = Situation { paid_by: Some(&run), ..world.situation() };
        assert!(matches!(skipped(&next(&again)), Skip::SameIdentity { .. }));
    }

    #[test]
    fn s4_27_a_rate_limit_is_waited_for_until_patience_ends() {
        let mut world = World::new();
        let retry_at = NOW.after(Millis::seconds(3));
        world.log("paid.a", CallOutcome::RateLimited { retry_at });
        assert_eq!(next(&world.situation()), Next::Wait { until: retry_at });
        let later = Situation { now: retry_at, ..world.situation() };
        assert!(matches!(next(&later), Next::Ask(Ask { attempt: 2, .. })));
        let impatient = Situation { give_up_at: NOW, ..world.situation() };
        assert_eq!(asked(&next(&impatient)), "paid.b", "the next provider is asked instead");
    }

    #[test]
    fn no_call_outlives_the_run() {
        let world = World::new();
        let hurried = Situation { finish_by: NOW.after(Millis(300)), ..world.situation() };
        assert!(matches!(next(&hurried), Next::Ask(Ask { timeout: Millis(300), .. })));
        let over = Situation { finish_by: NOW, ..world.situation() };
        assert_eq!(*skipped(&next(&over)), Skip::NoTimeLeft);
    }

    #[test]
    fn a_step_waits_for_its_condition() {
        let mut world = World::new();
        world.steps[0].when = Some(Condition::parse("company.headcount > 5", &world.schema).unwrap());
        assert_eq!(*skipped(&next(&world.situation())), Skip::ConditionUnknown);
        world.steps[0].when = Some(Condition::parse("has(contact.phone)", &world.schema).unwrap());
        assert_eq!(*skipped(&next(&world.situation())), Skip::ConditionFalse);
    }

    #[test]
    fn x_06_stop_predicates_are_read_as_written() {
        assert_eq!(Stop::parse("first_usable"), Some(Stop::FirstUsable));
        assert_eq!(Stop::parse("confidence >= 9000"), Some(Stop::Confidence(BasisPoints::new(9000))));
        assert_eq!(Stop::parse("confirmations: 2"), Some(Stop::Confirmations(2)));
        assert_eq!(Stop::parse("confidence >= 10001"), None);
        assert_eq!(Stop::parse("soon"), None);
    }
}
