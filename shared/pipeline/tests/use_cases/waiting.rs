//! What a run waits for within its invocation, and what it leaves to a copy of its message.

use domain::plan::{CallOutcome, Until};
use domain::priority::Priority;
use domain::record::{Record, RecordId, aliases_of};
use domain::reply::Reply;
use domain::signup::Arrival;
use domain::units::Millis;
use pipeline::messages::{LookupMessage, from_body};
use pipeline::ports::{Queue, QueueName, Records, Runs, Saved, Window};
use pipeline::work::Worked;

use crate::world::{START, TIME_LEFT, World, decision, good_company, jane, signup, vice_president};

/// The provider answers after one rate limit of so long.
fn limited_for(span: Millis) -> World {
    let world = World::new();
    let limited = Reply::RateLimited { retry_after: span };
    world.provider.answers("crustdata.company", vec![(Millis(0), limited), (Millis(0), good_company())]);
    world
}

/// Somebody waits for Jane's answer until then.
fn awaited_until(span: Millis) -> LookupMessage {
    LookupMessage { answer_by: Some(START.after(span)), ..jane() }
}

async fn is_sat_out(world: &World, message: &LookupMessage, time_left: Millis) -> bool {
    matches!(world.enrich.work(message, time_left).await.unwrap(), Worked::Finished { .. })
}

#[tokio::test(start_paused = true)]
async fn a_short_rate_limit_is_sat_out_for_whoever_waits_and_for_nobody_else() {
    let second = Millis::seconds(1);
    assert!(is_sat_out(&limited_for(second), &awaited_until(Millis::seconds(2)), TIME_LEFT).await);
    assert!(!is_sat_out(&limited_for(second), &jane(), TIME_LEFT).await, "nobody waits");
    assert!(!is_sat_out(&limited_for(second), &awaited_until(second), TIME_LEFT).await, "the answer would come too late");
    assert!(!is_sat_out(&limited_for(Millis::seconds(3)), &awaited_until(Millis::seconds(2)), TIME_LEFT).await);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_not_sat_out_beyond_the_invocation() {
    let message = awaited_until(Millis::seconds(9));
    assert!(is_sat_out(&limited_for(Millis::seconds(3)), &message, Millis::seconds(5)).await);
    assert!(!is_sat_out(&limited_for(Millis::seconds(4)), &message, Millis::seconds(5)).await, "a second is kept for closing");
    assert!(!is_sat_out(&limited_for(Millis::seconds(6)), &message, Millis::seconds(5)).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_begins_with_three_seconds_left_and_not_with_less() {
    let world = World::new();
    assert!(matches!(world.enrich.work(&jane(), Millis(2999)).await.unwrap(), Worked::Parked { .. }));
    assert!(matches!(world.enrich.work(&jane(), Millis::seconds(3)).await.unwrap(), Worked::Finished { .. }));
}

#[tokio::test(start_paused = true)]
async fn while_a_rate_limit_is_waited_for_another_run_may_pay_for_the_person() {
    let world = limited_for(Millis::seconds(30));
    world.provider.answers("crustdata.person", vec![(Millis(0), Reply::RateLimited { retry_after: Millis::seconds(30) })]);
    assert!(!is_sat_out(&world, &jane(), TIME_LEFT).await);
    let identity = jane().signup.identity(&world.key).unwrap();
    let other = signup("jane@acme.io", "d2", Arrival::Signup).signup.run_id(&world.key);
    let window = world.store.open_window(&identity, &other, world.now(), world.now().after(TIME_LEFT)).await.unwrap();
    assert_eq!(window, Window::Mine);
}

#[tokio::test(start_paused = true)]
async fn a_decision_for_now_is_made_anew_when_the_score_has_changed_though_the_route_has_not() {
    let world = World::new();
    let limited = Reply::RateLimited { retry_after: Millis::seconds(30) };
    world.provider.answers("crustdata.company", vec![(Millis(0), limited)]);
    world.provider.answers("crustdata.person", vec![(Millis(0), Reply::NoMatch)]);
    world.work(&jane()).await;
    let first = decision(&world.stored(&jane()).await).clone();
    let Reply::Hit { observations } = vice_president() else { panic!("the fake knows her") };
    let record = Record { version: 1, observations, ..Record::new(RecordId("r1".into())) };
    assert_eq!(world.store.save_record(&record, &aliases_of(&jane().signup, &world.key)).await.unwrap(), Saved::Stored);
    tokio::time::advance(Millis::seconds(31).to_std()).await;
    assert!(matches!(world.work(&jane()).await, Worked::Parked { .. }), "the company is still limited");
    let run = world.stored(&jane()).await;
    assert_eq!((run.decisions.len(), &decision(&run).route), (2, &first.route));
    assert_eq!((first.score.low, decision(&run).score.low), (0, 15));
}

#[tokio::test(start_paused = true)]
async fn a_kept_answer_is_taken_though_the_track_does_not_need_it() {
    let mut world = World::new();
    world.finish(&jane()).await;
    let mut config = (*world.enrich.config).clone();
    config.plan.until = Until::Track;
    config.route.rules.clear();
    world.enrich.config = config.into();
    let run = world.finish(&signup("john@acme.io", "d2", Arrival::Signup)).await;
    let of = |operation: &str| run.calls.iter().find(|call| call.operation == operation).unwrap();
    assert!(of("crustdata.company").cached, "{:?}", of("crustdata.company"));
    assert!(matches!(of("crustdata.person").outcome, CallOutcome::NotMade { .. }), "one track is left");
    assert_eq!(world.provider.asked("crustdata.company"), 1);
}

#[tokio::test(start_paused = true)]
async fn every_copy_of_a_message_counts_itself_until_there_are_too_many() {
    let world = limited_for(Millis::seconds(30));
    let parked = async |copies| world.enrich.work(&LookupMessage { copies, ..jane() }, TIME_LEFT).await;
    assert!(matches!(parked(6).await.unwrap(), Worked::Parked { .. }));
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    let copy = world.queue.receive(QueueName::Lookup(Priority::High), 1, Millis(0)).await.unwrap().remove(0);
    assert_eq!(from_body::<LookupMessage>(&copy.body).unwrap().copies, 7);
    let world = limited_for(Millis::seconds(30));
    let tired = LookupMessage { copies: 1000, ..jane() };
    assert!(world.enrich.work(&tired, TIME_LEFT).await.is_err(), "left to the dead-letter queue");
}
