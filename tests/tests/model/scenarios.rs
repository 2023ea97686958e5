//! What is checked: small worlds in which everything is tried, and the safeguards taken away.
//!
//! The larger worlds are left to a release build:
//! `cargo test --release -p tests --test model -- --ignored --nocapture --test-threads 1`

use std::collections::BTreeSet;
use std::time::Instant;

use stateright::{Checker, CheckerBuilder, DiscoveryClassification, HasDiscoveries, Model, Path};

use crate::breakage::Breakage;
use crate::chain::Chain;
use crate::properties::{I3, I4, I5, I8_IDLE, ONE_CALL};
use crate::setup::{Faults, Setup};
use crate::world::{Action, World};

/// Delivery, address and kind.
type Signup = (&'static str, &'static str, &'static str);

const JANE: Signup = ("d1", "jane@acme.io", "signup");
/// The same person, whose second decision is another one.
const JANE_AGAIN: Signup = ("d2", "jane@acme.io", "demo_request");
const JOE: Signup = ("d3", "joe@other.io", "signup");
/// Enough for everybody.
const AMPLE: i64 = 10;
/// Enough for one call.
const ONE_CALL_ONLY: i64 = 2;

const NONE: Faults = Faults { crashes: 0, lost: 0, hangs: 0, duplicates: 0, stalls: 0 };
const CRASH: Faults = Faults { crashes: 1, ..NONE };
const LOST: Faults = Faults { lost: 1, ..NONE };
const HANG: Faults = Faults { hangs: 1, ..NONE };
const DUPLICATE: Faults = Faults { duplicates: 1, ..NONE };
const STALL: Faults = Faults { stalls: 1, ..NONE };

/// Tries everything, and says how much that was.
fn check(name: &str, setup: Setup) {
    let begun = Instant::now();
    let checker = checker(setup, HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{name}: {} states, {} unique, depth {}, {} replays, {:.1} s",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        checker.model().replays(),
        begun.elapsed().as_secs_f64()
    );
    for (property, path) in checker.discoveries() {
        let is_example = matches!(checker.discovery_classification(property), DiscoveryClassification::Example);
        assert!(is_example, "{name}: broken is \"{property}\" after\n{}", told(&path));
    }
    checker.assert_properties();
}

/// With a safeguard taken away the property that it was for must break.
fn check_broken(name: &str, setup: Setup, property: &'static str) {
    let checker = checker(setup, HasDiscoveries::AnyOf(BTreeSet::from([property]))).spawn_bfs().join();
    let path = checker.discovery(property).unwrap_or_else(|| panic!("{name}: nothing breaks \"{property}\""));
    println!("{name} breaks \"{property}\" after\n{}", told(&path));
}

fn checker(setup: Setup, finish: HasDiscoveries) -> CheckerBuilder<Chain> {
    Chain::new(setup).checker().threads(2).finish_when(finish)
}

/// A path as a reader wants it: who did what.
fn told(path: &Path<World, Action>) -> String {
    let steps = path.clone().into_actions();
    steps.iter().map(|action| format!("  {action:?}\n")).collect::<String>() + &format!("  {:?}", path.last_state())
}

fn one(faults: Faults) -> Setup {
    Setup::new(&[JANE], AMPLE, faults)
}

fn twice(faults: Faults) -> Setup {
    Setup::new(&[JANE, JANE_AGAIN], AMPLE, faults).accepted().in_order()
}

#[test]
fn one_signup_ends_whatever_is_lost_crashes_hangs_or_comes_twice() {
    check("one signup", one(NONE));
    check("one signup, a hang", one(HANG));
    check("one signup, a duplicate", one(DUPLICATE).in_order());
    check("one signup, a crash", one(CRASH).in_order());
    check("one signup, a lost answer", one(LOST).in_order());
}

/// Workers that wake up after their lease is over.
#[test]
#[ignore = "for a release build"]
fn one_signup_ends_though_workers_stall() {
    check("one signup, a stall", one(STALL).accepted().in_order());
    check("one signup, a stall and a crash", one(Faults { crashes: 1, ..STALL }).accepted().in_order());
    check("one signup, a stall and a duplicate", one(Faults { duplicates: 1, ..STALL }).accepted().in_order());
}

#[test]
#[ignore = "for a release build"]
fn one_signup_ends_in_every_order_of_requests_made_together() {
    check("one signup, a crash, any order", one(CRASH));
    check("one signup, a lost answer, any order", one(LOST));
    check("one signup, a duplicate, any order", one(DUPLICATE));
}

#[test]
#[ignore = "for a release build"]
fn one_signup_ends_under_several_faults() {
    check("one signup, two crashes and a lost answer", one(Faults { crashes: 2, lost: 1, ..NONE }).accepted().in_order());
    check("one signup, a crash and a duplicate", one(Faults { crashes: 1, duplicates: 1, ..NONE }).accepted().in_order());
}

#[test]
#[ignore = "for a release build"]
fn the_same_person_twice_ends_whatever_crashes_or_is_lost() {
    check("the same person twice, a crash", twice(CRASH));
    check("the same person twice, a lost answer", twice(LOST));
    check("the same person twice, a hang", twice(HANG));
}

#[test]
#[ignore = "for a release build"]
fn the_same_person_twice_ends_though_a_message_comes_twice() {
    check("the same person twice, a duplicate", twice(DUPLICATE));
}

#[test]
fn the_same_person_twice_is_one_contact_with_the_newest_decision() {
    check("the same person twice", twice(NONE));
}

#[test]
fn two_signups_never_spend_more_than_the_allocation() {
    check("two people, credits for one", Setup::new(&[JANE, JOE], ONE_CALL_ONLY, NONE).accepted().in_order());
}

#[test]
fn without_fencing_a_write_with_an_old_fence_lands() {
    check_broken("no fencing", one(STALL).accepted().in_order().broken(Breakage::NoFencing), I5);
}

#[test]
fn a_reservation_apart_from_the_balance_leaks_credits() {
    check_broken("reservation apart from the balance", one(CRASH).accepted().in_order().broken(Breakage::ReservationApart), I8_IDLE);
}

#[test]
fn without_a_mark_before_the_call_more_is_billed_than_counted() {
    check_broken("no mark before the call", one(NONE).accepted().in_order().broken(Breakage::NoMarkBeforeCall), I3);
}

#[test]
fn without_a_mark_before_the_call_it_is_made_again_after_a_crash() {
    check_broken("no mark before the call", one(CRASH).accepted().in_order().broken(Breakage::NoMarkBeforeCall), ONE_CALL);
}

#[test]
fn a_refund_on_timeout_counts_less_than_is_billed() {
    check_broken("refund on timeout", one(HANG).accepted().in_order().broken(Breakage::RefundOnTimeout), I3);
}

#[test]
fn an_answer_before_the_queue_has_the_message_loses_signups() {
    check_broken("two stores at accept", one(CRASH).in_order().broken(Breakage::TwoStoresAtAccept), I4);
}

#[test]
fn a_message_deleted_before_its_copy_is_sent_loses_signups() {
    check_broken("delete before copy", twice(CRASH).broken(Breakage::DeleteBeforeCopy), I4);
}
