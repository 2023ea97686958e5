//! An attempt that somebody else resolves, that took its time, or that an earlier claimant left.

use std::sync::Arc;

use async_trait::async_trait;
use domain::credits::{Reservation, ReservationState, Settlement, Tariff};
use domain::identity::KeyKind;
use domain::plan::{Call, CallOutcome, Skip};
use domain::reply::Reply;
use domain::run::Run;
use domain::signup::Arrival;
use domain::units::{Credits, Millis};
use pipeline::memory::{Fate, Hook, MemoryStore};
use pipeline::ports::{Cache, CachedReply, Ledger, Runs};
use pipeline::work::Worked;

use crate::faults::{silent_once, slow, with};
use crate::money::crash_between_keep_and_settle;
use crate::world::{START, TIME_LEFT, World, good_company, jane, signup};

const COMPANY: &str = "crustdata.company";
const PERSON: &str = "crustdata.person";

/// The entry of a run's first attempt.
fn entry_of(world: &World, run: &Run, operation: &str) -> Reservation {
    let is_it = |entry: &Reservation| entry.id.run == run.id && entry.id.operation == operation && entry.id.attempt == 1;
    world.store.reservations().into_iter().find(is_it).unwrap()
}

fn call_of<'a>(run: &'a Run, operation: &str) -> &'a Call {
    run.calls.iter().find(|call| call.operation == operation).unwrap()
}

/// What the log says was spent is what the ledger says (I8).
fn assert_log_and_ledger_agree(world: &World, run: &Run) {
    let used = world.store.reservations().iter().filter(|entry| entry.id.run == run.id).fold(Credits::ZERO, |sum, it| sum.plus(it.used()));
    assert_eq!(run.cost(), used);
}

#[tokio::test(start_paused = true)]
async fn i8_an_entry_of_which_only_the_log_was_written_becomes_what_the_log_says_of_its_call() {
    let (until, two) = (START.after(Millis::hours(2)), Credits::whole(2));
    let failed = || CallOutcome::Failed { why: "status 503".into() };
    for (outcome, cost, state) in [
        (CallOutcome::Pending { until }, Credits::ZERO, ReservationState::Pending),
        (CallOutcome::TimedOut, two, ReservationState::OutcomeUnknown),
        (failed(), two, ReservationState::OutcomeUnknown),
        (failed(), Credits::ZERO, ReservationState::Settled { used: Credits::ZERO }),
        (CallOutcome::NoMatch, two, ReservationState::Settled { used: two }),
    ] {
        let world = World::new();
        let (lease, mut run) = crash_between_keep_and_settle(&world, None).await;
        let (step, operation, latency) = ("company".into(), COMPANY.into(), Millis(0));
        run.calls.push(Call { step, operation, outcome: outcome.clone(), at: START, latency, cost, key: None, cached: false });
        world.store.save_run(&lease, &run).await.unwrap();
        let run = world.finish(&jane()).await;
        let entry = entry_of(&world, &run, COMPANY);
        assert_eq!(entry.state, state, "{outcome:?} at {cost:?}");
        assert_eq!(entry.open_until == until, state == ReservationState::Pending, "{outcome:?}");
        assert_log_and_ledger_agree(&world, &run);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_the_vendor_took_is_pending_until_the_moment_it_named() {
    let world = World::new();
    world.provider.answers(COMPANY, vec![(Millis(0), Reply::Pending { within: Millis::hours(1) })]);
    world.provider.answers(PERSON, vec![(Millis(0), Reply::NoMatch)]);
    let run = world.finish(&jane()).await;
    let entry = entry_of(&world, &run, COMPANY);
    assert_eq!((entry.state, entry.open_until), (ReservationState::Pending, START.after(Millis::hours(1))));
    assert_log_and_ledger_agree(&world, &run);
}

#[tokio::test(start_paused = true)]
async fn while_an_earlier_attempt_may_be_answered_nobody_asks_and_nobody_else_pays_for_the_person() {
    let mut world = World::new();
    world.enrich.store = silent_once(&world, "reserve");
    assert!(world.enrich.work(&jane(), TIME_LEFT).await.is_err(), "nobody heard whether the credits are reserved");
    let Worked::Parked { until, why, .. } = world.work(&jane()).await else { panic!("it may be out") };
    assert_eq!((until, why), (START.after(Millis::seconds(10)), "an earlier attempt may still be answered"));
    assert!(matches!(world.work(&signup("jane@acme.io", "d2", Arrival::Signup)).await, Worked::Parked { .. }));
    tokio::time::advance(Millis::seconds(10).to_std()).await;
    let run = world.finish(&jane()).await;
    assert_eq!((&call_of(&run, COMPANY).outcome, world.provider.asked(COMPANY)), (&CallOutcome::TimedOut, 0));
    assert_log_and_ledger_agree(&world, &run);
}

/// A sweep that is faster than every run: it counts all of an entry as used before its run settles it.
struct SweptFirst(Arc<MemoryStore>);

#[async_trait]
impl Hook for SweptFirst {
    async fn before(&self, verb: &'static str) -> Fate {
        if verb == "move_on" {
            for entry in self.0.reservations() {
                if let Some(swept) = entry.settled(Settlement::Unknown) {
                    assert!(self.0.move_on(&entry, &swept).await.unwrap());
                }
            }
        }
        Fate::Go
    }

    async fn after(&self, _: &'static str) -> Fate {
        Fate::Go
    }
}

#[tokio::test(start_paused = true)]
async fn i8_where_the_sweep_was_first_its_count_stands_in_the_log_of_that_call_and_no_other() {
    let mut world = World::new();
    let mut config = (*world.enrich.config).clone();
    for (operation, credits) in [(COMPANY, 2), (PERSON, 3)] {
        config.catalogue.get_mut(operation).unwrap().price.per_hit = Credits::whole(credits);
        world.provider.answers(operation, vec![(Millis(300), Reply::NoMatch)]);
    }
    world.enrich.config = config.into();
    // An answer from the cache is logged after the last paid call and before that is paid.
    let website = world.cache_key("website", KeyKind::Domain, "acme.io");
    let kept = CachedReply {
        reply: Reply::NoMatch,
        fetched_at: START,
        fresh_until: START.after(Millis::days(1)),
        reservation: None,
        tariff: Tariff::Single,
    };
    world.store.keep_reply(&website, &kept).await.unwrap();
    world.enrich.store = with(&world, SweptFirst(world.store.clone()));
    let run = world.finish(&jane()).await;
    assert!(call_of(&run, "website").cached);
    let costs = ["email", COMPANY, PERSON, "website"].map(|operation| call_of(&run, operation).cost);
    assert_eq!(costs, [Credits::ZERO, Credits::whole(2), Credits::whole(3), Credits::ZERO]);
    assert_log_and_ledger_agree(&world, &run);
}

#[tokio::test(start_paused = true)]
async fn what_was_reserved_too_late_to_call_is_given_back() {
    let mut world = World::new();
    world.enrich.store = slow(&world, "reserve", Millis::seconds(4));
    let run = world.finish(&jane()).await;
    assert_eq!(call_of(&run, COMPANY).outcome, CallOutcome::NotMade { why: Skip::NoTimeLeft });
    assert_eq!(world.provider.asked(COMPANY), 0);
    assert_eq!(entry_of(&world, &run, COMPANY).state, ReservationState::Settled { used: Credits::ZERO });
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_outlive_its_reservation_that_took_long() {
    let mut world = World::new();
    world.provider.answers(COMPANY, vec![(Millis::hours(1), Reply::NoMatch)]);
    // Company and person are reserved one after the other and then asked together: a second is reckoned for the person's.
    world.enrich.store = slow(&world, "reserve", Millis(1500));
    let run = world.finish(&jane()).await;
    let call = call_of(&run, COMPANY);
    assert_eq!((&call.outcome, call.latency), (&CallOutcome::TimedOut, Millis::seconds(5)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_outlasts_the_lease_renews_run_and_person_first() {
    let mut world = World::new();
    let mut config = (*world.enrich.config).clone();
    config.deadlines.background = Millis::seconds(55);
    config.catalogue.get_mut(COMPANY).unwrap().timeout = Millis::seconds(50);
    world.enrich.config = config.into();
    world.provider.answers(COMPANY, vec![(Millis::seconds(48), good_company())]);
    let (message, click) = (jane(), signup("jane@acme.io", "d2", Arrival::Signup));
    let others = async {
        tokio::time::sleep(Millis::seconds(45).to_std()).await;
        (world.work(&message).await, world.work(&click).await)
    };
    let (run, (again, click)) = tokio::join!(world.finish(&message), others);
    let waits_for = |worked: &Worked| if let Worked::Parked { why, .. } = worked { *why } else { "nothing" };
    assert_eq!(waits_for(&again), "another worker holds the run");
    assert_eq!(waits_for(&click), "another run of the same person is at work");
    assert_eq!(call_of(&run, COMPANY).cost, Credits::whole(2));
}
