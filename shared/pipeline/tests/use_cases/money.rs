use domain::credits::{CapScope, Charge, Periods, Reservation, ReservationId, ReservationState, Tariff, Trigger};
use domain::decision::Outcome;
use domain::identity::HashKey;
use domain::plan::{Call, CallOutcome, Skip};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::run::Run;
use domain::schema::Entity;
use domain::signup::Arrival;
use domain::units::{Credits, Millis};
use pipeline::hold::hold_the_day;
use pipeline::messages::LookupMessage;
use pipeline::ports::{Cache, CacheKey, CachedReply, Claim, ClaimRequest, Lease, Ledger, Queue, QueueName, Reserved, Runs};
use pipeline::work::Worked;

use crate::world::{START, TIME_LEFT, World, decision, jane, signup, vice_president};

async fn day(world: &World) -> (i64, i64) {
    let usage = world.store.usage(&START.month()).await.unwrap().remove(&START.day()).unwrap_or_default();
    (usage.taken.micros(), usage.used.micros())
}

const TWO: i64 = 2_000_000;

/// Sets the rest of the day's credits aside.
async fn spend_the_day(world: &World) {
    let held = hold_the_day(&*world.store, &world.enrich.config, &world.key, START).await.unwrap();
    assert_eq!(held.unwrap().amount, world.enrich.config.limits.day.unwrap());
}

#[tokio::test(start_paused = true)]
async fn s0_77_at_the_days_cap_nothing_is_paid_and_the_reason_is_logged() {
    let world = World::new();
    spend_the_day(&world).await;
    let run = world.finish(&jane()).await;
    assert_eq!((decision(&run).outcome, run.cost()), (Outcome::Deferred, Credits::ZERO));
    let capped = CallOutcome::NotMade { why: Skip::Cap { scope: CapScope::Day } };
    assert_eq!(run.calls.iter().filter(|call| call.outcome == capped).count(), 2);
    assert_eq!(world.provider.asked("crustdata.company"), 0);
    let reasons = decision(&run).because();
    assert!(reasons.contains(&"crustdata.company was not asked: the day's cap is reached".to_owned()), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn s0_77_critical_goes_on_past_the_days_cap() {
    let world = World::new();
    spend_the_day(&world).await;
    let run = world.finish(&signup("jane@acme.io", "d1", Arrival::ContactSales)).await;
    assert_eq!((decision(&run).outcome, run.cost()), (Outcome::Routed, Credits::whole(4)));
}

#[tokio::test(start_paused = true)]
async fn what_was_found_is_used_and_the_rest_released() {
    let world = World::new();
    world.provider.answers("crustdata.person", vec![(Millis(1), Reply::NoMatch)]);
    world.finish(&jane()).await;
    assert_eq!(day(&world).await, (TWO, TWO));
}

#[tokio::test(start_paused = true)]
async fn s0_76_the_next_person_of_the_company_pays_for_the_person_only() {
    let world = World::new();
    world.finish(&jane()).await;
    let john = world.finish(&signup("john@acme.io", "d2", Arrival::Signup)).await;
    assert_eq!((world.provider.asked("crustdata.company"), john.cost()), (1, Credits::whole(2)));
    assert_eq!(decision(&john).route.track, domain::route::Track::AeQueue, "the cached company counts in full");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_counts_as_used_for_the_vendor_may_bill_it() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis::hours(1), Reply::NoMatch)]);
    let run = world.finish(&jane()).await;
    assert!(run.calls.iter().any(|call| call.outcome == CallOutcome::TimedOut && call.cost == Credits::whole(2)));
    let states: Vec<ReservationState> = world.store.reservations().into_iter().map(|reservation| reservation.state).collect();
    assert!(states.contains(&ReservationState::OutcomeUnknown));
    assert_eq!(day(&world).await, (2 * TWO, 2 * TWO));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_counts_as_used_and_a_refusal_does_not() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis(1), Reply::Unreadable { why: "not JSON".into() })]);
    world.provider.answers("crustdata.person", vec![(Millis(1), Reply::AuthFailed)]);
    world.finish(&jane()).await;
    assert_eq!(day(&world).await, (TWO, TWO));
}

/// A worker that dies while it calls: the future is dropped where it stands.
async fn crash_after(world: &World, span: Millis) {
    let message = jane();
    let work = world.enrich.work(&message, TIME_LEFT);
    tokio::time::timeout(span.to_std(), work).await.expect_err("the worker was to die before it ended");
    tokio::time::advance(TIME_LEFT.to_std()).await;
    tokio::time::advance(Millis::seconds(6).to_std()).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_during_a_call_nobody_calls_again_and_the_credits_count_as_used() {
    let world = World::new();
    crash_after(&world, Millis(100)).await;
    let run = world.finish(&jane()).await;
    assert_eq!(world.provider.asked("crustdata.company"), 1);
    assert!(run.calls.iter().any(|call| call.operation == "crustdata.company" && call.outcome == CallOutcome::TimedOut));
    assert_eq!(day(&world).await, (2 * TWO, 2 * TWO), "both calls were out");
}

/// What all runs' logs say was spent, against what the ledger says (I8).
async fn logged_and_used(world: &World, messages: &[LookupMessage]) -> (i64, i64) {
    let mut logged = Credits::ZERO;
    for message in messages {
        logged = logged.plus(world.stored(message).await.cost());
    }
    (logged.micros(), day(world).await.1)
}

#[tokio::test(start_paused = true)]
async fn i8_a_call_that_was_cut_off_stands_in_the_log_though_a_colleague_bought_the_answer_meanwhile() {
    let (world, john) = (World::new(), signup("john@acme.io", "d2", Arrival::Signup));
    crash_after(&world, Millis(100)).await;
    world.finish(&john).await;
    let run = world.finish(&jane()).await;
    assert_eq!(world.provider.asked("crustdata.company"), 2, "hers was cut off, his was answered, and she took his");
    let company: Vec<_> = run.calls.iter().filter(|call| call.operation == "crustdata.company").collect();
    assert_eq!((&company[0].outcome, company[0].cost), (&CallOutcome::TimedOut, Credits::whole(2)));
    assert!(company[1].cached && matches!(company[1].outcome, CallOutcome::Hit { .. }));
    let (logged, used) = logged_and_used(&world, &[jane(), john]).await;
    assert_eq!((logged, used), (4 * TWO, 4 * TWO));
}

#[tokio::test(start_paused = true)]
async fn i8_a_call_that_was_cut_off_stands_in_the_log_though_a_second_click_was_finished_meanwhile() {
    let (world, click) = (World::new(), signup("jane@acme.io", "d2", Arrival::Signup));
    crash_after(&world, Millis(100)).await;
    world.finish(&click).await;
    world.finish(&jane()).await;
    let (logged, used) = logged_and_used(&world, &[jane(), click]).await;
    assert_eq!((logged, used), (4 * TWO, 4 * TWO), "two calls that were cut off, and two that were answered");
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_between_two_calls_the_first_answer_is_read_and_not_paid_again() {
    let world = World::new();
    world.provider.answers("crustdata.person", vec![(Millis(600), vice_president())]);
    crash_after(&world, Millis(400)).await;
    let run = world.finish(&jane()).await;
    assert_eq!(world.provider.asked("crustdata.company"), 1);
    assert_eq!(decision(&run).score.low, 85, "the company's answer counts; the person's was lost");
    assert_eq!(day(&world).await, (2 * TWO, 2 * TWO));
}

#[tokio::test(start_paused = true)]
async fn a_person_is_not_an_email_in_any_key() {
    let world = World::new();
    world.finish(&jane()).await;
    let ledger = format!("{:?}", world.store.reservations());
    assert!(!ledger.contains("jane") && !ledger.contains("acme"), "{ledger}");
    let received = world.queue.receive(QueueName::Writeback, 1, Millis(1)).await.unwrap().remove(0);
    assert!(!received.body.contains("jane"), "the write-back message carries no person: {}", received.body);
    assert!(HashKey::new(vec![1; 4]).is_err());
}

#[tokio::test(start_paused = true)]
async fn x_01_a_call_that_failed_for_free_leaves_the_next_click_its_chance() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis(1), Reply::AuthFailed), (Millis(1), crate::world::good_company())]);
    world.provider.answers("crustdata.person", vec![(Millis(1), Reply::NoMatch)]);
    world.finish(&jane()).await;
    let again = world.finish(&signup("jane@acme.io", "d2", Arrival::Signup)).await;
    assert_eq!((again.paid_by.clone(), again.cost(), decision(&again).outcome), (None, Credits::whole(2), Outcome::Routed));
}

#[tokio::test(start_paused = true)]
async fn i8_a_lost_attempt_is_in_the_log_although_the_cache_has_the_answer_by_now() {
    let world = World::new();
    crash_after(&world, Millis(100)).await;
    world.finish(&signup("john@acme.io", "d2", Arrival::Signup)).await;
    let run = world.finish(&jane()).await;
    let company = run.calls.iter().filter(|call| call.operation == "crustdata.company");
    let logged: Vec<(Credits, bool)> = company.map(|call| (call.cost, call.cached)).collect();
    assert_eq!(logged, [(Credits::whole(2), false), (Credits::ZERO, true)], "the lost call, and the answer that John's run kept");
    let entries = world.store.reservations().into_iter().filter(|entry| entry.id.run == run.id);
    assert_eq!(run.cost(), entries.fold(Credits::ZERO, |sum, entry| sum.plus(entry.used())));
    assert_eq!(decision(&run).score.low, 85, "the person's answer was lost as well, and nobody else had asked for it");
}

/// What a claimant leaves behind that dies after the reply was kept and before it was settled.
pub(crate) async fn crash_between_keep_and_settle(world: &World, kept_by: Option<u32>) -> (Lease, Box<Run>) {
    let run = jane().signup.run_id(&world.key);
    let begun = Run::begin(run.clone(), jane().signup, Priority::High, START, "");
    let claim = ClaimRequest {
        run: begun,
        payload_hash: jane().signup.payload_hash(&world.key),
        nonce: "crashed".into(),
        now: START,
        lease_until: START.after(Millis::seconds(1)),
    };
    let Claim::Mine(lease, claimed) = world.store.claim_run(&claim).await.unwrap() else { panic!() };
    let limits = &world.enrich.config.limits;
    let charge = Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() };
    let hash = world.key.hash(&["cache", "domain", "acme.io"]);
    let bounds = domain::credits::bounds(limits, Credits::whole(2), &charge, Priority::High);
    let reservation = Reservation {
        id: ReservationId { run: run.clone(), operation: "crustdata.company".into(), attempt: 1 },
        amount: Credits::whole(2),
        charge,
        periods: Periods::of(START, limits),
        answer: hash.clone(),
        open_until: START.after(Millis::seconds(9)),
        state: ReservationState::Calling,
    };
    assert_eq!(world.store.reserve(&lease, &reservation, &bounds).await.unwrap(), Reserved::Reserved);
    let key = CacheKey { operation: "crustdata.company".into(), hash };
    let reservation = kept_by.map(|attempt| ReservationId { attempt, ..reservation.id });
    // The stale one is an old answer of somebody else; it says nothing about the call that was cut off.
    let (reply, fresh_until) =
        if kept_by.is_some() { (crate::world::good_company(), START.after(Millis::days(90))) } else { (Reply::NoMatch, START) };
    world
        .store
        .keep_reply(&key, &CachedReply { reply, fetched_at: START, fresh_until, reservation, tariff: Tariff::Single })
        .await
        .unwrap();
    tokio::time::advance(Millis::seconds(10).to_std()).await;
    (lease, claimed)
}

#[tokio::test(start_paused = true)]
async fn i8_an_entry_of_which_only_the_log_was_written_follows_the_log() {
    let world = World::new();
    let (lease, mut run) = crash_between_keep_and_settle(&world, Some(1)).await;
    run.calls.push(Call {
        step: "company".into(),
        operation: "crustdata.company".into(),
        outcome: CallOutcome::RateLimited { retry_at: START },
        at: START,
        latency: Millis(0),
        cost: Credits::ZERO,
        key: None,
        cached: false,
    });
    world.store.save_run(&lease, &run).await.unwrap();
    let run = world.finish(&jane()).await;
    let entries: Vec<Reservation> = world.store.reservations().into_iter().filter(|entry| entry.id.run == run.id).collect();
    let first = entries.iter().find(|entry| entry.id.operation == "crustdata.company" && entry.id.attempt == 1).unwrap();
    assert_eq!(first.state, ReservationState::Settled { used: Credits::ZERO });
    assert_eq!(run.cost(), entries.iter().fold(Credits::ZERO, |sum, entry| sum.plus(entry.used())));
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_between_keep_and_settle_the_reply_is_read_and_settled() {
    let world = World::new();
    crash_between_keep_and_settle(&world, Some(1)).await;
    let run = world.finish(&jane()).await;
    assert_eq!(world.provider.asked("crustdata.company"), 0);
    assert_eq!((run.paid_calls(), run.cost(), decision(&run).score.low), (2, Credits::whole(4), 100));
    assert_eq!(day(&world).await, (2 * TWO, 2 * TWO));
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_of_somebody_else_is_not_taken_for_the_answer_of_a_lost_call() {
    let world = World::new();
    crash_between_keep_and_settle(&world, None).await;
    let run = world.finish(&jane()).await;
    let company: Vec<&CallOutcome> =
        run.calls.iter().filter(|call| call.operation == "crustdata.company").map(|call| &call.outcome).collect();
    assert_eq!(company, [&CallOutcome::TimedOut]);
    assert_eq!(day(&world).await, (2 * TWO, 2 * TWO), "the lost call counts as used, the person's is used");
}

#[tokio::test(start_paused = true)]
async fn a_second_click_while_the_first_has_paid_and_still_works_waits_for_it() {
    let world = World::new();
    let (first, second) = (jane(), signup("jane@acme.io", "d2", Arrival::Signup));
    world.provider.answers("crustdata.person", vec![(Millis(600), vice_president())]);
    let late = async {
        tokio::time::sleep(Millis(450).to_std()).await;
        world.work(&second).await
    };
    let (one, two) = tokio::join!(world.work(&first), late);
    assert!(matches!(one, Worked::Finished { .. }));
    assert!(matches!(two, Worked::Parked { .. }), "the company has answered and the person not yet: {two:?}");
    world.drain().await;
    assert_eq!(decision(&world.stored(&second).await).owner, decision(&world.stored(&first).await).owner);
}

#[tokio::test(start_paused = true)]
async fn no_run_begins_that_the_invocation_cannot_end() {
    let world = World::new();
    assert!(matches!(world.enrich.work(&jane(), Millis::seconds(2)).await.unwrap(), Worked::Parked { .. }));
    assert_eq!((world.provider.asked("crustdata.company"), world.store.reservations().len()), (0, 0));
    world.provider.answers("crustdata.company", vec![(Millis::hours(1), Reply::NoMatch)]);
    let Worked::Finished { run } = world.enrich.work(&jane(), Millis::seconds(4)).await.unwrap() else { panic!() };
    assert!(run.calls.iter().any(|call| call.outcome == CallOutcome::TimedOut && call.latency <= Millis::seconds(3)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_left_costs_nothing() {
    let world = World::new();
    let without_secret = Reply::NotSent { why: "secret `crustdata_api_key` cannot be read".into() };
    world.provider.answers("crustdata.company", vec![(Millis(1), without_secret.clone())]);
    world.provider.answers("crustdata.person", vec![(Millis(1), without_secret)]);
    let run = world.finish(&jane()).await;
    assert_eq!((run.cost(), run.paid_calls(), day(&world).await), (Credits::ZERO, 0, (0, 0)));
    assert!(run.calls.iter().any(|call| matches!(&call.outcome, CallOutcome::Failed { why } if why.contains("secret"))));
}
