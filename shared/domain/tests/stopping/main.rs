//! Paying only for what matters never costs a decision: over generated rules, plans and providers, the track of a run that stops as
//! soon as it may is the track of one that asks everybody in the same order (DESIGN §5, idea 2). More worlds: `PROPTEST_CASES=20000`.
//!
//! Who wants more (`plan.wanted`, what a track wants, channels of audiences) gets what asking everybody would have found, and moves no
//! track. A step's budget, and a run for certain fields, leave the same out whether or not the run stops early: such a run is held
//! against one that asks everybody under the same terms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod fields;
mod judges;
mod run;
mod vendors;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use domain::confidence::Trust;
use domain::merge::{Fact, Facts, merge};
use domain::observation::Observation;
use domain::plan::{Order, Until};
use domain::possible::{Known, Possible};
use domain::route::Track;
use domain::schema::{Field, Schema};
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;
use proptest::prelude::*;

use fields::{FIELDS, UNDERIVED, value};
use judges::judges_with;
use run::AtOnce;
use vendors::{Vendor, contrary_vendors, said_by, vendors};
use world::{budgets, some_fields, wishes, world};

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

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
            let (ours, everything) = (world.run(Until::Track, order), world.run_with(Until::Everything, order, AtOnce::One));
            prop_assert_eq!(ours.track, everything.track, "{:?}", order);
            prop_assert!(order == Order::Narrowing || ours.credits <= everything.credits);
        }
    }

    #[test]
    fn who_wants_more_gets_it_and_never_changes_the_track(world in world(vendors()), wishes in wishes()) {
        for order in [Order::Written, Order::Narrowing] {
            let without = world.run(Until::Track, order);
            let wishing = world.clone().wishing(wishes.clone());
            let (ours, everything) = (wishing.run(Until::Track, order), wishing.run(Until::Everything, order));
            prop_assert_eq!((ours.track, without.track), (everything.track, everything.track), "{:?}", order);
            for field in wishing.wished_for(&ours) {
                prop_assert!(ours.knows(&field) || !everything.knows(&field), "{:?} {:?}", order, field);
            }
        }
    }

    #[test]
    fn under_the_same_budgets_the_track_is_that_of_asking_everybody(world in world(vendors()), budgets in budgets(), wishes in wishes()) {
        let world = world.spending(&budgets).wishing(wishes);
        for order in [Order::Written, Order::Narrowing] {
            let (ours, everything) = (world.run(Until::Track, order), world.run(Until::Everything, order));
            prop_assert_eq!(ours.track, everything.track, "{:?}", order);
        }
    }

    #[test]
    fn s0_96_a_run_for_certain_fields_takes_the_track_of_one_that_asks_everybody_for_them(world in world(vendors()), fields in some_fields(0..4)) {
        let world = world.looking_up(fields);
        for order in [Order::Written, Order::Narrowing] {
            let (ours, everything) = (world.run(Until::Track, order), world.run(Until::Everything, order));
            prop_assert_eq!(ours.track, everything.track, "{:?}", order);
            for field in world.wished_for(&ours) {
                prop_assert!(ours.knows(&field) || !everything.knows(&field), "{:?} {:?}", order, field);
            }
        }
    }

    #[test]
    fn s4_38_calls_that_go_out_together_are_those_that_would_have_been_made_one_by_one(world in world(contrary_vendors()), budgets in budgets(), wishes in wishes()) {
        let world = world.spending(&budgets).wishing(wishes);
        for (until, order) in [(Until::Everything, Order::Written), (Until::Everything, Order::Narrowing), (Until::Track, Order::Written)] {
            let (together, one_by_one) = (world.run_with(until, order, AtOnce::All), world.run_with(until, order, AtOnce::One));
            prop_assert!(together.made.is_subset(&one_by_one.made), "{:?} {:?}", until, order);
            prop_assert_eq!(together.track, one_by_one.track);
            // What closes the gate may come earlier than one by one, and spare what would have been paid before it.
            prop_assert!(together.track == Track::Verification || together.facts == one_by_one.facts, "{:?} {:?}", until, order);
        }
    }

    #[test]
    fn a_track_may_differ_only_where_a_stop_predicate_let_a_value_stand(world in world(contrary_vendors()), budgets in budgets(), wishes in wishes()) {
        let world = world.spending(&budgets).wishing(wishes);
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
