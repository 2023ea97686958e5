mod matters;
mod named;

use std::collections::BTreeSet;

use super::*;
use crate::confidence::Trust;
use crate::coverage::Audience;
use crate::credits::Trigger;
use crate::eligibility::Eligibility;
use crate::freshness::Freshness;
use crate::gate::{GateRule, Verdict};
use crate::merge::{Fact, Facts};
use crate::possible::Rules;
use crate::route::{RouteRule, RouteRules, Track};
use crate::rules::Action;
use crate::schema::Schema;
use crate::units::BasisPoints;
use crate::value::Value;

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

fn operation(name: &str, credits: i64, supplies: &[&'static str]) -> Operation {
    Operation {
        name: name.into(),
        provider: name.split('.').next().unwrap().into(),
        family: name.into(),
        keys: vec![KeyKind::Domain],
        supplies: supplies.iter().map(|path| Field::known(path)).collect(),
        inferred: vec![],
        price: Price { per_hit: Credits::whole(credits), ..Price::default() },
        class: FieldClass::Company,
        timeout: Millis::seconds(1),
        batch: None,
    }
}

fn step(providers: &[&str]) -> Step {
    Step {
        name: "company".into(),
        when: None,
        guards: vec![],
        wants: vec![Field::known("company.headcount")],
        providers: providers.iter().map(|name| (*name).to_owned()).collect(),
        stop: None,
        budget: None,
        timeout: None,
        batch: None,
        required: false,
        on: OnError::default(),
    }
}

fn route(rules: &[(&str, Track)]) -> RouteRules {
    let rule = |(when, to): &(&str, Track)| RouteRule {
        when: Condition::parse(when, &Schema::default()).unwrap(),
        to: *to,
        destination: None,
        because: (*when).to_owned(),
    };
    RouteRules { rules: rules.iter().map(rule).collect(), otherwise: Track::SelfServe, undecided: Track::SelfServe.into(), hysteresis: 5 }
}

fn fact(confidence: u16, age: Millis) -> Fact {
    Fact {
        value: Value::number(200),
        confidence: BasisPoints::new(confidence),
        sources: vec!["a".into()],
        confirmations: 1,
        observed_at: NOW.before(age),
        conflicts: vec![],
        checks: vec![],
    }
}

struct World {
    plan: Plan,
    rules: RouteRules,
    trust: Trust,
    eligibility: Eligibility,
    audiences: Vec<Audience>,
    kept: BTreeSet<String>,
    catalogue: Catalogue,
    schema: Schema,
    keys: Vec<LookupKey>,
    facts: Facts,
    calls: Vec<Call>,
    action: Action,
}

impl World {
    fn new() -> Self {
        let operations = [
            operation("paid.a", 2, &["company.headcount"]),
            operation("paid.b", 2, &["company.headcount"]),
            operation("free.c", 0, &["company.name"]),
        ];
        Self {
            plan: Plan { steps: vec![step(&["paid.a", "paid.b", "free.c"])], ..Plan::default() },
            rules: route(&[("company.headcount > 100", Track::AeQueue)]),
            trust: Trust::default(),
            eligibility: Eligibility::default(),
            audiences: Vec::new(),
            kept: BTreeSet::new(),
            catalogue: operations.into_iter().map(|operation| (operation.name.clone(), operation)).collect(),
            schema: Schema::default(),
            keys: vec![LookupKey { kind: KeyKind::Domain, value: "acme.io".into() }],
            facts: Facts::new(),
            calls: vec![],
            action: Action::AllMissing,
        }
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            plan: &self.plan,
            rules: Rules { gate: &[], score: &[], route: &self.rules, before: None },
            trust: &self.trust,
            explored: false,
            catalogue: &self.catalogue,
            schema: &self.schema,
            freshness: Freshness::SIGNUP,
            eligibility: &self.eligibility,
            trigger: Trigger::Auto,
            action: &self.action,
            cached_only: false,
            audiences: &self.audiences,
            kept: &self.kept,
            keys: &self.keys,
            facts: &self.facts,
            calls: &self.calls,
            paid_by: None,
            now: NOW,
            finish_by: NOW.after(Millis::seconds(10)),
            patience: Millis::minutes(5),
        }
    }

    fn log(&mut self, operation: &str, outcome: CallOutcome) {
        self.calls.push(line(operation, outcome));
    }

    fn know(&mut self, fact: Fact) {
        self.facts.insert(Field::known("company.headcount"), fact);
    }
}

fn line(operation: &str, outcome: CallOutcome) -> Call {
    Call {
        step: "company".into(),
        operation: operation.into(),
        outcome,
        at: NOW,
        latency: Millis(0),
        cost: Credits::ZERO,
        key: None,
        cached: false,
    }
}

/// One step that a paid provider serves, for each field.
fn steps_for(world: &mut World, operations: &[(&str, i64, &'static str)]) {
    for (name, credits, field) in operations {
        world.catalogue.insert((*name).to_owned(), operation(name, *credits, &[field]));
    }
    let step_of =
        |(name, _, field): &(&str, i64, &'static str)| Step { name: (*name).to_owned(), wants: vec![Field::known(field)], ..step(&[name]) };
    world.plan.steps = operations.iter().map(step_of).collect();
}

/// The only call to make.
fn ask(next: &Next) -> &Ask {
    match next {
        Next::Ask(asks) if asks.len() == 1 => &asks[0],
        other => panic!("{other:?}"),
    }
}

fn asked(next: &Next) -> &str {
    &ask(next).operation
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
fn s0_29_and_s0_75_a_fresh_fact_is_not_asked_for_and_a_stale_or_weak_one_is() {
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
    let gate = [GateRule {
        when: Condition::parse("!has(contact.phone)", &world.schema).unwrap(),
        verdict: Verdict::Verify,
        because: "no phone".into(),
    }];
    let held = Situation { rules: Rules { gate: &gate, ..world.situation().rules }, ..world.situation() };
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
    assert_eq!(ask(&next(&later)).attempt, 2);
    let impatient = Situation { patience: Millis(0), ..world.situation() };
    assert_eq!(asked(&next(&impatient)), "paid.b", "the next provider is asked instead");
}

#[test]
fn no_call_outlives_the_run() {
    let world = World::new();
    let hurried = Situation { finish_by: NOW.after(Millis(300)), ..world.situation() };
    assert_eq!(ask(&next(&hurried)).timeout, Millis(300));
    let over = Situation { finish_by: NOW, ..world.situation() };
    assert_eq!(*skipped(&next(&over)), Skip::NoTimeLeft);
}

#[test]
fn a_step_waits_for_its_condition() {
    let mut world = World::new();
    world.plan.steps[0].when = Some(Condition::parse("company.headcount > 5", &world.schema).unwrap());
    assert_eq!(*skipped(&next(&world.situation())), Skip::ConditionUnknown);
    world.plan.steps[0].when = Some(Condition::parse("has(contact.phone)", &world.schema).unwrap());
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
