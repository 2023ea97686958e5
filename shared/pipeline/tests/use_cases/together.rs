//! Calls that go out together, and signups that get by with what is kept (S4-38, S3-55).

use domain::condition::Condition;
use domain::credits::{CapScope, Trigger};
use domain::decision::Outcome;
use domain::plan::{Call, CallOutcome, Skip};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::rules::Action;
use domain::run::Run;
use domain::schema::{Field, Schema};
use domain::signup::Arrival;
use domain::units::{Credits, Millis};
use domain::value::Value;
use pipeline::messages::{LookupMessage, from_body};
use pipeline::ports::{Queue as _, QueueName};
use pipeline::work::Worked;

use crate::world::{START, World, decision, hit, jane, signup};

fn call<'a>(run: &'a Run, operation: &str) -> &'a Call {
    run.calls.iter().find(|call| call.operation == operation).unwrap()
}

#[tokio::test(start_paused = true)]
async fn s4_38_two_calls_of_which_neither_reads_the_other_take_the_time_of_one() {
    let world = World::new();
    let run = world.finish(&jane()).await;
    assert_eq!(world.now(), START.after(Millis(300)), "both take 300 ms");
    assert_eq!((call(&run, "crustdata.company").at, call(&run, "crustdata.person").at), (START, START));
    assert_eq!((run.paid_calls(), decision(&run).score.low), (2, 100));
    let entries = world.store.reservations();
    assert_eq!(entries.iter().fold(Credits::ZERO, |sum, entry| sum.plus(entry.used())), run.cost());
}

#[tokio::test(start_paused = true)]
async fn each_of_two_calls_at_once_is_logged_with_the_time_that_it_took_itself() {
    let world = World::new();
    world.provider.answers("crustdata.person", vec![(Millis(700), Reply::NoMatch)]);
    let run = world.finish(&jane()).await;
    assert_eq!((call(&run, "crustdata.company").latency, call(&run, "crustdata.person").latency), (Millis(300), Millis(700)));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_hears_what_is_known_while_both_calls_go_on() {
    let world = World::new();
    world.provider.answers("crustdata.person", vec![(Millis(3000), crate::world::vice_president())]);
    let run = world.finish(&jane()).await;
    assert_eq!(run.decisions.len(), 2);
    assert_eq!(run.decisions[0].at, START.after(Millis::seconds(2)), "nothing of the two was in by then");
    assert_eq!((run.decisions[0].score.low, decision(&run).score.low), (0, 100));
}

#[tokio::test(start_paused = true)]
async fn a_cap_that_leaves_room_for_one_of_two_calls_lets_one_out() {
    let mut world = World::new();
    let mut config = (*world.enrich.config).clone();
    config.limits.day = Some(Credits::whole(3));
    world.enrich.config = config.into();
    let run = world.finish(&jane()).await;
    assert!(matches!(call(&run, "crustdata.company").outcome, CallOutcome::Hit { .. }));
    assert_eq!(call(&run, "crustdata.person").outcome, CallOutcome::NotMade { why: Skip::Cap { scope: CapScope::Day } });
    assert_eq!((run.cost(), world.store.reservations().len()), (Credits::whole(2), 1));
}

/// Free-tier signups get by with what is kept.
fn cached_only() -> World {
    let mut world = World::new();
    let mut config = (*world.enrich.config).clone();
    let when = Condition::parse(r#"signup.arrival == "free_tier""#, &Schema::default()).unwrap();
    config.plan.cached_only = Some(when);
    world.enrich.config = config.into();
    world
}

#[tokio::test(start_paused = true)]
async fn s3_55_a_free_tier_signup_pays_nobody_and_a_refresh_in_the_background_corrects_it() {
    let world = cached_only();
    let message = signup("jane@acme.io", "d1", Arrival::FreeTier);
    let run = world.finish(&message).await;
    assert_eq!((run.cost(), run.paid_calls(), decision(&run).outcome), (Credits::ZERO, 0, Outcome::Deferred));
    assert_eq!(call(&run, "crustdata.company").outcome, CallOutcome::NotMade { why: Skip::CachedOnly });
    assert_eq!(world.queue.waiting(QueueName::Lookup(Priority::Low)), 1);
    world.drain().await;
    let refreshed = world.stored(&LookupMessage { signup: message.signup.for_refresh(), ..message }).await;
    assert_eq!((refreshed.trigger, refreshed.paid_calls(), decision(&refreshed).score.low), (Trigger::Scheduled, 2, 100));
    assert_eq!((refreshed.record, run.refreshed_by), (run.record, Some(refreshed.id)), "the same lead, and the log says where");
    assert_eq!(world.store.reservations()[0].charge.trigger, Trigger::Scheduled);
}

#[tokio::test(start_paused = true)]
async fn s3_55_what_is_kept_is_used_and_without_a_miss_nothing_is_refreshed() {
    let world = cached_only();
    world.finish(&jane()).await;
    let run = world.finish(&signup("jane@acme.io", "d2", Arrival::FreeTier)).await;
    assert_eq!((run.cost(), decision(&run).score.low), (Credits::ZERO, 100));
    let colleague = world.finish(&signup("john@acme.io", "d3", Arrival::FreeTier)).await;
    assert!(call(&colleague, "crustdata.company").cached, "the company is kept");
    assert_eq!(call(&colleague, "crustdata.person").outcome, CallOutcome::NotMade { why: Skip::CachedOnly });
    assert_eq!(world.queue.waiting(QueueName::Lookup(Priority::Low)), 1, "for the colleague only");
}

#[tokio::test(start_paused = true)]
async fn s3_55_what_is_kept_under_a_key_found_on_the_way_is_used() {
    let mut world = cached_only();
    let mut config = (*world.enrich.config).clone();
    let domain = Field::known("company.domain");
    config.catalogue.get_mut("email").unwrap().supplies.push(domain);
    world.enrich.config = config.into();
    world.finish(&jane()).await;
    world.provider.answers("email", vec![(Millis(0), hit("email", &[("company.domain", Value::text("acme.io"))]))]);
    let found = world.finish(&signup("john@gmail.com", "d4", Arrival::FreeTier)).await;
    assert!(call(&found, "crustdata.company").cached);
    assert_eq!((found.cost(), world.provider.asked("crustdata.company")), (Credits::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn s0_96_a_run_for_one_field_pays_for_that_alone() {
    let world = World::new();
    let seniority = Field::known("contact.seniority");
    let run = world.finish(&LookupMessage { action: Action::Fields(vec![seniority.clone()]), ..jane() }).await;
    assert_eq!((world.provider.asked("crustdata.person"), world.provider.asked("crustdata.company")), (1, 0));
    assert_eq!(call(&run, "crustdata.company").outcome, CallOutcome::NotMade { why: Skip::NotNamed });
    assert!(run.facts.contains_key(&seniority));
    let signup = world.finish(&signup("jane@acme.io", "d9", Arrival::DemoRequest)).await;
    assert_eq!((signup.paid_by, world.provider.asked("crustdata.company")), (None, 1), "she was not looked up by that");
}

#[tokio::test(start_paused = true)]
async fn s3_55_the_refresh_of_a_run_for_one_field_asks_for_that_alone() {
    let world = cached_only();
    let named = Action::Fields(vec![Field::known("contact.seniority")]);
    world.finish(&LookupMessage { action: named, ..signup("jane@acme.io", "d1", Arrival::FreeTier) }).await;
    world.drain().await;
    assert_eq!((world.provider.asked("crustdata.person"), world.provider.asked("crustdata.company")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn s3_55_a_refresh_that_is_sent_twice_is_one_run() {
    let world = cached_only();
    let message = signup("jane@acme.io", "d1", Arrival::FreeTier);
    world.finish(&message).await;
    let refresh = LookupMessage { signup: message.signup.for_refresh(), trigger: Trigger::Scheduled, ..message };
    let run = world.finish(&refresh).await;
    let sent = world.queue.receive(QueueName::Lookup(Priority::Low), 1, Millis::minutes(6)).await.unwrap().remove(0);
    let again = world.work(&from_body(&sent.body).unwrap()).await;
    assert!(matches!(&again, Worked::Repeated { run: repeated } if *repeated == run.id), "{again:?}");
    assert_eq!(world.provider.asked("crustdata.company"), 1);
}
