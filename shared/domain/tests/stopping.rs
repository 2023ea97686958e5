//! Paying only for what matters never costs a decision: over generated rules, plans and providers, the track of a run that stops as
//! soon as it may is the track of one that asks everybody in the same order (DESIGN §5, idea 2). More worlds: `PROPTEST_CASES=20000`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};

use domain::condition::Condition;
use domain::confidence::Trust;
use domain::credits::{Price, Trigger};
use domain::eligibility::Eligibility;
use domain::freshness::Freshness;
use domain::gate::{GateRule, Verdict};
use domain::identity::{KeyKind, LookupKey};
use domain::merge::{Fact, Facts, merge};
use domain::observation::{Basis, Observation};
use domain::plan::{Ask, Call, CallOutcome, Catalogue, Next, OnError, Operation, Order, Plan, Situation, Step, Stop, Until, next};
use domain::possible::{Known, Possible, Rules};
use domain::route::{RouteRule, RouteRules, Track};
use domain::rules::Action;
use domain::schema::{Field, FieldClass, Schema};
use domain::score::ScoreRule;
use domain::steady::Before;
use domain::units::{BasisPoints, Credits, Millis, Timestamp};
use domain::value::Value;
use proptest::prelude::*;
use proptest::sample::select;

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// The fields of these worlds, each with values it may have and clauses that are asked of it.
const FIELDS: &[(&str, &[&str], &[&str])] = &[
    (
        "company.headcount",
        &["20", "50", "300", "9000"],
        &["company.headcount >= 50", "company.headcount > 5000", "company.headcount < 300", "has(company.headcount)"],
    ),
    (
        "company.funding_stage",
        &["seed", "series_a", "series_b"],
        &["company.funding_stage in (\"series_a\", \"series_b\")", "company.funding_stage == \"seed\""],
    ),
    (
        "company.tech_stack",
        &["aws", "aws,kubernetes", "react"],
        &["\"aws\" in company.tech_stack", "\"kubernetes\" in company.tech_stack or \"aws\" in company.tech_stack"],
    ),
    (
        "contact.seniority",
        &["vp", "entry"],
        &["contact.seniority in (\"vp\", \"director\")", "contact.seniority != \"entry\"", "!has(contact.seniority)"],
    ),
    ("phone.valid", &["true", "false"], &["phone.valid", "phone.valid = false", "has(phone.valid)"]),
    ("company.country", &["US", "DE"], &["company.country == \"US\"", "company.country == company.state"]),
    ("company.state", &["US", "CA"], &["company.state == \"CA\""]),
    // What the fraud gate's evidence is derived from; clauses ask for what follows.
    (
        "email.domain_age_days",
        &["20", "4000"],
        &["fraud.domain_age_plausible", "fraud.domain_age_plausible = false", "has(fraud.domain_age_plausible)"],
    ),
    ("company.name", &["Acme", "Globex"], &["fraud.company_at_domain = false", "!has(fraud.company_at_domain)"]),
    ("email.domain_exists", &["true", "false"], &["fraud.company_at_domain", "email.domain_exists"]),
];
/// So many of them nothing is derived from, but for the size.
const UNDERIVED: usize = 7;

fn value(path: &str, written: &str) -> Value {
    match path {
        "company.headcount" | "email.domain_age_days" => Value::number(written.parse().unwrap()),
        "company.tech_stack" => Value::list(written.split(',')),
        "phone.valid" | "email.domain_exists" => Value::Bool(written == "true"),
        _ => Value::text(written),
    }
}

fn condition(text: &str) -> Condition {
    Condition::parse(text, &Schema::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A condition of up to four clauses.
fn text(asks_for_presence: bool) -> impl Strategy<Value = String> {
    let clauses = FIELDS.iter().flat_map(|(_, _, clauses)| clauses.iter().map(|clause| (*clause).to_owned()));
    let clauses: Vec<String> = clauses.filter(|clause| asks_for_presence || !clause.contains("has(")).collect();
    select(clauses).prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn track() -> impl Strategy<Value = Track> {
    select(vec![Track::AeQueue, Track::SdrQueue, Track::SalesAssist, Track::SelfServe, Track::Review])
}

#[derive(Clone, Debug)]
struct Judges {
    gate: Vec<GateRule>,
    score: Vec<ScoreRule>,
    route: RouteRules,
    before: Option<Before>,
}

impl Judges {
    fn rules(&self) -> Rules<'_> {
        Rules { gate: &self.gate, score: &self.score, route: &self.route, before: self.before.as_ref() }
    }
}

fn judges() -> impl Strategy<Value = Judges> {
    judges_with(prop::collection::vec(text(true), 0..2), true)
}

fn judges_with(gate: impl Strategy<Value = Vec<String>>, has: bool) -> impl Strategy<Value = Judges> {
    let score = prop::collection::vec((text(has), -30i64..60), 0..5);
    let route = prop::collection::vec((prop_oneof![text(has), (0i64..100).prop_map(|least| format!("score >= {least}"))], track()), 1..4);
    let left = prop::collection::vec(track(), 0..2);
    let before = prop::option::of((track(), left).prop_map(|(track, left)| Before { track, destination: None, left, news: true }));
    (gate, score, route, (track(), track(), 0i64..30), before).prop_map(
        |(gate, score, route, (otherwise, undecided, hysteresis), before)| Judges {
            gate: gate
                .into_iter()
                .map(|when| GateRule { when: condition(&when), verdict: Verdict::Verify, because: "gate".into() })
                .collect(),
            score: score.into_iter().map(|(when, points)| ScoreRule { when: condition(&when), points, because: "score".into() }).collect(),
            route: RouteRules {
                rules: route
                    .into_iter()
                    .map(|(when, to)| RouteRule { when: condition(&when), to, destination: None, because: when })
                    .collect(),
                otherwise,
                undecided: undecided.into(),
                hysteresis,
            },
            before,
        },
    )
}

/// A provider: what it costs, how far it is trusted, and what it tells of each field that it supplies, if anything.
#[derive(Clone, Debug)]
struct Vendor {
    credits: i64,
    reliability: u16,
    tells: BTreeMap<usize, Option<String>>,
}

/// Providers that tell of each field the truth or nothing.
fn vendors() -> impl Strategy<Value = Vec<Vendor>> {
    let truth: Vec<_> = FIELDS.iter().map(|(_, values, _)| select(*values)).collect();
    let supplies = prop::collection::btree_map(0..FIELDS.len(), prop::bool::weighted(0.8), 1..4);
    let vendor = (0i64..4, select(vec![4000u16, 6000, 8500]), supplies);
    (truth, prop::collection::vec(vendor, 1..6)).prop_map(|(truth, vendors)| {
        let vendor = |(credits, reliability, supplies): (i64, u16, BTreeMap<usize, bool>)| Vendor {
            credits,
            reliability,
            tells: supplies.into_iter().map(|(field, knows)| (field, knows.then(|| truth[field].to_owned()))).collect(),
        };
        vendors.into_iter().map(vendor).collect()
    })
}

/// The same, each with an opinion of its own.
fn contrary_vendors() -> impl Strategy<Value = Vec<Vendor>> {
    let told = (0..FIELDS.len()).prop_flat_map(|field| (Just(field), prop::option::weighted(0.8, select(FIELDS[field].1))));
    let supplies = prop::collection::vec(told, 1..4);
    let vendor = (0i64..4, select(vec![4000u16, 6000, 8500]), supplies).prop_map(|(credits, reliability, told)| Vendor {
        credits,
        reliability,
        tells: told.into_iter().map(|(field, value)| (field, value.map(str::to_owned))).collect(),
    });
    prop::collection::vec(vendor, 1..6)
}

fn stop() -> impl Strategy<Value = Stop> {
    select(vec![Stop::DEFAULT, Stop::FirstUsable, Stop::Confidence(BasisPoints::new(9000)), Stop::Confirmations(2)])
}

#[derive(Clone, Debug)]
struct World {
    judges: Judges,
    vendors: Vec<Vendor>,
    steps: Vec<Step>,
    /// Whether the signup claims a company.
    claims: bool,
}

fn world(vendors: impl Strategy<Value = Vec<Vendor>>) -> impl Strategy<Value = World> {
    // S4-24: a step may depend on the score.
    let of_score = (0i64..100, text(true)).prop_map(|(least, text)| format!("score >= {least} || {text}"));
    let when = prop_oneof![3 => text(true), 1 => (0i64..100).prop_map(|least| format!("score < {least}")), 1 => of_score];
    let steps = prop::collection::vec((prop::option::weighted(0.3, when), stop(), 1usize..3), 6);
    (judges(), vendors, steps, prop::bool::ANY).prop_map(|(judges, vendors, shapes, claims)| {
        let mut names: Vec<String> = (0..vendors.len()).map(|number| format!("v{number}.look")).collect();
        let mut steps = Vec::new();
        for (number, (when, stop, size)) in shapes.into_iter().enumerate() {
            let providers: Vec<String> = names.drain(..size.min(names.len())).collect();
            let first = providers.first().and_then(|name| name[1..2].parse::<usize>().ok());
            let Some(first) = first else { break };
            steps.push(Step {
                name: format!("s{number}"),
                when: when.map(|text| condition(&text)),
                wants: vendors[first].tells.keys().map(|field| Field::known(FIELDS[*field].0)).collect(),
                providers,
                stop: Some(stop),
                guards: Vec::new(),
                budget: None,
                timeout: None,
                required: false,
                on: OnError::default(),
            });
        }
        World { judges, vendors, steps, claims }
    })
}

/// How a run ended.
#[derive(Debug)]
struct Ended {
    track: Track,
    facts: Facts,
    credits: i64,
    /// The calls that were made.
    made: BTreeSet<String>,
}

/// How many of the calls that may go out together do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtOnce {
    All,
    One,
}

impl World {
    fn catalogue(&self) -> Catalogue {
        let operation = |(number, vendor): (usize, &Vendor)| Operation {
            name: format!("v{number}.look"),
            provider: format!("v{number}"),
            family: format!("v{number}"),
            keys: vec![KeyKind::Domain],
            supplies: vendor.tells.keys().map(|field| Field::known(FIELDS[*field].0)).collect(),
            inferred: vec![],
            price: Price { per_call: Credits::whole(vendor.credits), ..Price::default() },
            class: FieldClass::Company,
            timeout: Millis::seconds(1),
        };
        self.vendors.iter().enumerate().map(operation).map(|operation| (operation.name.clone(), operation)).collect()
    }

    fn trust(&self) -> Trust {
        let reliability =
            self.vendors.iter().enumerate().map(|(number, vendor)| (format!("v{number}"), BasisPoints::new(vendor.reliability)));
        Trust { reliability: reliability.collect(), ..Trust::default() }
    }

    fn run(&self, until: Until, order: Order) -> Ended {
        self.run_with(until, order, AtOnce::All)
    }

    fn run_with(&self, until: Until, order: Order, at_once: AtOnce) -> Ended {
        let plan = Plan { steps: self.steps.clone(), until, order, ..Plan::default() };
        let (catalogue, trust, schema) = (self.catalogue(), self.trust(), Schema::default());
        let keys = [LookupKey { kind: KeyKind::Domain, value: "acme.io".into() }];
        let (mut observations, mut calls, mut credits) = (self.said_by_signup(), Vec::new(), 0);
        loop {
            let facts = merge(&observations, &schema, &trust, NOW);
            let situation = Situation {
                plan: &plan,
                rules: self.judges.rules(),
                trust: &trust,
                explored: false,
                catalogue: &catalogue,
                schema: &schema,
                freshness: Freshness::SIGNUP,
                eligibility: &Eligibility::default(),
                trigger: Trigger::Auto,
                action: &Action::AllMissing,
                cached_only: false,
                audiences: &[],
                kept: &BTreeSet::new(),
                keys: &keys,
                facts: &facts,
                calls: &calls,
                paid_by: None,
                now: NOW,
                finish_by: NOW.after(Millis::seconds(10)),
                patience: Millis::minutes(5),
            };
            match next(&situation) {
                Next::Ask(mut asks) => {
                    if at_once == AtOnce::One {
                        asks.truncate(1);
                    }
                    for Ask { step, operation, .. } in asks {
                        let vendor = &self.vendors[operation[1..2].parse::<usize>().unwrap()];
                        credits += vendor.credits;
                        observations.extend(said_by(vendor, &operation));
                        calls.push(line(step, operation, CallOutcome::Hit { fields: Vec::new() }, vendor.credits));
                    }
                }
                Next::Skip { step, operation, why } => calls.push(line(step, operation, CallOutcome::NotMade { why }, 0)),
                Next::Wait { .. } => panic!("nobody limits the rate here"),
                Next::Done => {
                    let is_made = |call: &&Call| !matches!(call.outcome, CallOutcome::NotMade { .. });
                    let made = calls.iter().filter(is_made).map(|call| call.operation.clone()).collect();
                    return Ended { track: self.track(&facts, &trust), facts, credits, made };
                }
            }
        }
    }

    fn said_by_signup(&self) -> Vec<Observation> {
        let claim = self.claims.then_some(("company.name", "Acme"));
        [("company.domain", "acme.io")].into_iter().chain(claim).map(|(path, written)| observation(path, written, "signup")).collect()
    }

    /// The track that `decide` gives: the gate's, the only one possible, or where it was before, or the honest default.
    fn track(&self, facts: &Facts, trust: &Trust) -> Track {
        let known = Known { facts, floor: trust.floor, open: &BTreeSet::new() };
        let tracks = Possible::new(self.judges.rules(), known, &Schema::default()).tracks();
        let while_unknown = self.judges.before.as_ref().map_or(self.judges.route.undecided.otherwise, |before| before.track);
        tracks.single().unwrap_or(while_unknown)
    }

    /// Whether a step's stop predicate let a value stand that asking everybody would have overturned, or made less sure: the error that
    /// configuration allows.
    fn settled_for_less(&self, early: &Ended, late: &Ended) -> bool {
        early.facts.iter().any(|(field, fact)| {
            let is_worse = late.facts.get(field).is_none_or(|other| other.value != fact.value || other.confidence < fact.confidence);
            let stops: Vec<Stop> = self.steps.iter().filter(|step| step.wants.contains(field)).map(|step| step.stop_for(field)).collect();
            is_worse && stops.iter().chain(stops.is_empty().then_some(&Stop::of(field))).any(|stop| was_content(*stop, fact))
        })
    }
}

fn was_content(stop: Stop, fact: &Fact) -> bool {
    match stop {
        Stop::FirstUsable => true,
        Stop::Confidence(least) => fact.confidence >= least,
        Stop::Confirmations(count) => fact.confirmations >= count,
    }
}

fn said_by(vendor: &Vendor, operation: &str) -> Vec<Observation> {
    let told = vendor.tells.iter().filter_map(|(field, told)| Some((FIELDS[*field].0, told.as_deref()?)));
    told.map(|(path, written)| observation(path, written, operation)).collect()
}

fn observation(path: &'static str, written: &str, source: &str) -> Observation {
    Observation {
        field: Field::known(path),
        value: value(path, written),
        source: source.to_owned(),
        family: source.to_owned(),
        observed_at: NOW,
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    }
}

fn line(step: String, operation: String, outcome: CallOutcome, credits: i64) -> Call {
    let cost = Credits::whole(credits);
    Call { step, operation, outcome, at: NOW, latency: Millis(0), cost, key: None, cached: false }
}

/// Every combination of values of the fields that `facts` does not know, as the rules see them.
fn every_completion(facts: &Facts) -> Vec<Facts> {
    let sure = |value: Value| Fact {
        value,
        confidence: BasisPoints::ONE,
        sources: vec!["test".into()],
        confirmations: 1,
        observed_at: NOW,
        conflicts: Vec::new(),
        checks: Vec::new(),
    };
    let mut all = vec![facts.clone()];
    for (path, values, _) in FIELDS.iter().take(UNDERIVED).filter(|(path, ..)| !facts.contains_key(&Field::known(path))) {
        let grow = |known: Facts| {
            values.iter().map(move |written| {
                let mut known = known.clone();
                known.insert(Field::known(path), sure(value(path, written)));
                known
            })
        };
        all = all.into_iter().flat_map(grow).collect();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_pays_only_for_what_matters_takes_the_track_of_one_that_asks_everybody(world in world(vendors())) {
        for order in [Order::Written, Order::Narrowing] {
            let (ours, everything) = (world.run(Until::Track, order), world.run(Until::Everything, order));
            prop_assert_eq!(ours.track, everything.track, "{:?}", order);
            prop_assert!(order == Order::Narrowing || ours.credits <= everything.credits);
        }
    }

    #[test]
    fn s4_38_calls_that_go_out_together_are_those_that_would_have_been_made_one_by_one(world in world(contrary_vendors())) {
        for (until, order) in [(Until::Everything, Order::Written), (Until::Everything, Order::Narrowing), (Until::Track, Order::Written)] {
            let (together, one_by_one) = (world.run_with(until, order, AtOnce::All), world.run_with(until, order, AtOnce::One));
            prop_assert_eq!(&together.made, &one_by_one.made, "{:?} {:?}", until, order);
            prop_assert_eq!(together.facts, one_by_one.facts);
        }
    }

    #[test]
    fn a_track_may_differ_only_where_a_stop_predicate_let_a_value_stand(world in world(contrary_vendors())) {
        for order in [Order::Written, Order::Narrowing] {
            let (ours, everything) = (world.run(Until::Track, order), world.run(Until::Everything, order));
            prop_assert!(ours.track == everything.track || world.settled_for_less(&ours, &everything), "{:?} {:?} {:?}", order, ours, everything);
        }
    }

    #[test]
    fn the_possible_tracks_hold_those_of_every_completion(judges in judges_with(Just(Vec::new()), false), known in prop::collection::btree_map(0..FIELDS.len(), 0usize..2, 0..FIELDS.len())) {
        // Without gate and `has`, to which a missing field is missing whatever it may be.
        let told: Vec<Observation> = known.iter().flat_map(|(field, value)| {
            let vendor = Vendor { credits: 0, reliability: 8500, tells: BTreeMap::from([(*field, Some(FIELDS[*field].1[*value].to_owned()))]) };
            said_by(&vendor, "v0.look")
        }).collect();
        let facts = merge(&told, &Schema::default(), &Trust::default(), NOW);
        let tracks_of = |facts: &Facts| {
            let known = Known { facts, floor: BasisPoints::ZERO, open: &BTreeSet::new() };
            Possible::new(judges.rules(), known, &Schema::default()).tracks()
        };
        let possible = tracks_of(&facts);
        for complete in every_completion(&facts) {
            prop_assert!(tracks_of(&complete).is_within(possible));
        }
    }
}
