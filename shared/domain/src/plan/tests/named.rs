//! Runs that look up certain fields only (S0-96, S1-09).

use super::*;

const SIZE: Field = Field::known("company.headcount");
const WHO: Field = Field::known("contact.seniority");

/// The track hangs on the size; nobody needs the seniority.
fn world(action: Action) -> World {
    let mut world = World::new();
    steps_for(&mut world, &[("name.look", 0, "company.name"), ("size.look", 2, "company.headcount"), ("who.look", 2, "contact.seniority")]);
    world.action = action;
    world
}

#[test]
fn s0_96_only_the_fields_that_are_named_are_paid_for() {
    let mut world = world(Action::Fields(vec![WHO]));
    assert_eq!(asked(&next(&world.situation())), "name.look", "what costs nothing is asked in any case");
    world.calls.push(Call { step: "name.look".into(), ..line("name.look", CallOutcome::NoMatch) });
    assert_eq!(*skipped(&next(&world.situation())), Skip::NotNamed);
    world.calls.push(Call { step: "size.look".into(), ..line("size.look", CallOutcome::NotMade { why: Skip::NotNamed }) });
    assert_eq!(asked(&next(&world.situation())), "who.look", "also where it cannot change the track");
}

#[test]
fn s0_96_a_named_field_that_is_known_and_fresh_is_not_paid_for() {
    let mut world = world(Action::Fields(vec![SIZE]));
    world.plan.steps = vec![step(&["size.look"])];
    assert_eq!(asked(&next(&world.situation())), "size.look");
    world.know(fact(7000, Millis(0)));
    assert_eq!(*skipped(&next(&world.situation())), Skip::AlreadyKnown);
}

#[test]
fn s1_09_of_a_step_that_wants_more_only_the_named_field_counts() {
    let mut world = world(Action::Fields(vec![SIZE]));
    world.plan.steps = vec![Step { wants: vec![WHO, SIZE], ..step(&["who.look", "size.look"]) }];
    assert_eq!(*skipped(&next(&world.situation())), Skip::SuppliesNothingWanted);
    world.log("who.look", CallOutcome::NotMade { why: Skip::SuppliesNothingWanted });
    assert_eq!(asked(&next(&world.situation())), "size.look");
}

#[test]
fn an_answer_that_is_kept_is_taken_whatever_is_named() {
    let mut world = world(Action::Fields(vec![WHO]));
    world.plan.steps.remove(0);
    world.kept = ["size.look".to_owned()].into();
    assert_eq!(asked(&next(&world.situation())), "size.look");
}

#[test]
fn a_required_step_that_is_left_out_this_time_asks_for_no_review() {
    let mut world = world(Action::Fields(vec![WHO]));
    world.plan.steps[1].required = true;
    let unmet_in = |world: &World| unmet(&world.plan, &crate::condition::View::of(&world.facts), &world.calls);
    assert_eq!(unmet_in(&world), ["size.look"]);
    world.calls.push(Call { step: "size.look".into(), ..line("size.look", CallOutcome::NotMade { why: Skip::NotNamed }) });
    assert_eq!(unmet_in(&world), [""; 0]);
}

#[test]
fn what_is_not_looked_up_this_time_is_missing_and_not_open() {
    let world = world(Action::Fields(vec![WHO]));
    assert!(!open_fields(&world.situation()).contains(&SIZE));
    assert!(open_fields(&Situation { action: &Action::AllMissing, ..world.situation() }).contains(&SIZE));
}
