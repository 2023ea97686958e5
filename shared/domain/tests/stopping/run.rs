//! A run of a generated world, from the signup to its track.

use std::collections::BTreeSet;

use domain::condition::View;
use domain::confidence::Trust;
use domain::coverage::Coverage;
use domain::credits::{Price, Trigger};
use domain::eligibility::Eligibility;
use domain::freshness::Freshness;
use domain::identity::{KeyKind, LookupKey};
use domain::merge::{Fact, Facts, merge};
use domain::observation::Observation;
use domain::plan::{Ask, Call, CallOutcome, Catalogue, Next, Operation, Order, Plan, Situation, Stop, Until, next};
use domain::possible::{Known, Possible};
use domain::route::Track;
use domain::schema::{Field, FieldClass, Schema};
use domain::score::{self, Score};
use domain::units::{BasisPoints, Credits, Millis};

use crate::NOW;
use crate::fields::FIELDS;
use crate::vendors::{Vendor, observation, said_by};
use crate::world::{Wishes, World};

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) track: Track,
    /// Whether it could be no other.
    pub(crate) is_settled: bool,
    pub(crate) facts: Facts,
    pub(crate) credits: i64,
    /// The calls that were made.
    pub(crate) made: BTreeSet<String>,
}

impl Ended {
    /// Whether the rules see a value of this field.
    pub(crate) fn knows(&self, field: &Field) -> bool {
        self.facts.get(field).is_some_and(|fact| fact.confidence >= Trust::default().floor)
    }
}

/// How many of the calls that may go out together do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOnce {
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
            batch: None,
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

    pub(crate) fn run(&self, until: Until, order: Order) -> Ended {
        self.run_with(until, order, AtOnce::All)
    }

    pub(crate) fn run_with(&self, until: Until, order: Order, at_once: AtOnce) -> Ended {
        let wishes = &self.wishes;
        let (wanted, wanted_by_track) = (wishes.fields.clone(), wishes.by_track.clone());
        let plan = Plan { steps: self.steps.clone(), until, order, wanted, wanted_by_track, ..Plan::default() };
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
                action: &self.action,
                cached_only: false,
                audiences: &wishes.audiences,
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
                    let (track, is_settled) = self.track(&facts, &trust);
                    return Ended { track, is_settled, facts, credits, made };
                }
            }
        }
    }

    fn said_by_signup(&self) -> Vec<Observation> {
        let claim = self.claims.then_some(("company.name", "Acme"));
        [("company.domain", "acme.io")].into_iter().chain(claim).map(|(path, written)| observation(path, written, "signup")).collect()
    }

    /// The track that `decide` gives: the gate's, the only one possible, or where it was before, or the honest default; and whether it is
    /// the only one possible.
    fn track(&self, facts: &Facts, trust: &Trust) -> (Track, bool) {
        let known = Known { facts, floor: trust.floor, open: &BTreeSet::new() };
        let tracks = Possible::new(self.judges.rules(), known, &Schema::default()).tracks();
        let while_unknown = self.judges.before.as_ref().map_or(self.judges.route.undecided.otherwise, |before| before.track);
        (tracks.single().unwrap_or(while_unknown), tracks.single().is_some())
    }

    /// The fields that are paid for whatever the track, for a lead that ended so: by name, for its track and for its audiences.
    pub(crate) fn wished_for(&self, ended: &Ended) -> Vec<Field> {
        let Wishes { fields, by_track, audiences } = &self.wishes;
        let view = View::of(&ended.facts).with_floor(Trust::default().floor);
        let Score { low, high, .. } = score::score(&self.judges.score, &view);
        let missing = Coverage::of(audiences, &view.with_score(low, high)).missing;
        let channels = missing.iter().flat_map(|channel| channel.fields());
        let of_track = by_track.get(&ended.track).filter(|_| ended.is_settled).into_iter().flatten();
        fields.iter().chain(of_track).chain(channels).chain(self.action.named()).cloned().collect()
    }

    /// Whether a step's stop predicate let a value stand that asking everybody would have overturned, or made less sure: the error that
    /// configuration allows.
    pub(crate) fn settled_for_less(&self, early: &Ended, late: &Ended) -> bool {
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

fn line(step: String, operation: String, outcome: CallOutcome, credits: i64) -> Call {
    let cost = Credits::whole(credits);
    Call { step, operation, outcome, at: NOW, latency: Millis(0), cost, key: None, cached: false }
}
