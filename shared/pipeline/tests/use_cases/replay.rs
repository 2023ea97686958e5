//! What is logged of a run is enough to make its decisions again, to the byte.

use domain::config::Config;
use domain::decision::Outcome;
use domain::replay::{ReplayError, Replayed, Skipped, replay};
use domain::reply::Reply;
use domain::route::Track;
use domain::run::Run;
use domain::signup::Arrival;
use domain::units::Millis;
use domain::value::Value;
use domain::what_if::{Supposed, what_if};
use pipeline::work::Worked;

use crate::world::{START, World, good_company, hit, jane, signup};

/// Replays a run as it is read from the store.
fn replayed(world: &World, run: &Run) -> Replayed {
    replay(&read_again(run), &world.enrich.config).unwrap()
}

fn read_again(run: &Run) -> Run {
    serde_json::from_str(&serde_json::to_string(run).unwrap()).unwrap()
}

fn assert_same(world: &World, run: &Run, decisions: usize) {
    assert_eq!(replayed(world, run), Replayed { decisions, ..Replayed::default() });
}

fn paths(replayed: &Replayed) -> Vec<&str> {
    replayed.differences.iter().map(|difference| difference.path.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_of_somebody_new_replays_and_logs_nothing_more_for_it() {
    let world = World::new();
    let run = world.finish(&jane()).await;
    assert_same(&world, &run, 1);
    assert!(!serde_json::to_string(&run).unwrap().contains("\"seen\""));
}

#[tokio::test(start_paused = true)]
async fn a_run_of_somebody_known_replays_with_what_the_record_knew() {
    let world = World::new();
    world.finish(&jane()).await;
    tokio::time::advance(Millis::hours(2).to_std()).await;
    let mut again = signup("jane@acme.io", "d2", Arrival::DemoRequest);
    again.signup.occurred_at = world.now();
    let run = world.finish(&again).await;
    assert_same(&world, &run, 1);
    let known = run.seen[0].known.as_ref().unwrap();
    assert!(known.iter().any(|observation| observation.field.as_str() == "company.headcount"), "{known:?}");
    assert!(known.iter().all(|observation| observation.source != "signup"), "this run's own signup says it: {known:?}");
    let forgotten = Run { seen: Vec::new(), ..run };
    assert!(paths(&replayed(&world, &forgotten)).contains(&"$.facts['company.headcount']"), "it is what the replay needs");
}

#[tokio::test(start_paused = true)]
async fn s3_74_what_was_derived_replays_and_follows_from_what_is_supposed() {
    let world = World::new();
    let young = START.before(Millis::days(10)).day();
    world.provider.answers("rdap", vec![(Millis(0), hit("rdap", &[("email.domain_registered_at", Value::text(young))]))]);
    let run = world.finish(&jane()).await;
    assert_eq!(run.decision().unwrap().outcome, Outcome::Held, "1,200 people on a domain of ten days");
    assert_same(&world, &run, 1);
    for supposed in ["company.headcount=20", "email.domain_registered_at=2010-01-01", "fraud.domain_age_plausible=true"] {
        let supposed = Supposed::parse(supposed, &world.enrich.config.schema).unwrap();
        let after = what_if(&run, &world.enrich.config, std::slice::from_ref(&supposed)).unwrap().after;
        assert_eq!(after.outcome, Outcome::Routed, "{}", supposed.field);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_click_replays_as_the_duplicate_it_was() {
    let world = World::new();
    world.finish(&jane()).await;
    let run = world.finish(&signup("jane@acme.io", "d2", Arrival::Signup)).await;
    assert_eq!(run.decision().unwrap().outcome, Outcome::Duplicate);
    assert_same(&world, &run, 1);
}

#[tokio::test(start_paused = true)]
async fn s3_30_the_decision_for_now_replays_from_what_was_known_then() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis::seconds(3), good_company())]);
    let mut message = jane();
    message.answer_by = Some(START.after(Millis(1850)));
    let run = world.finish(&message).await;
    assert_eq!(run.decisions.iter().map(|decision| decision.route.track).collect::<Vec<_>>(), [Track::SelfServe, Track::AeQueue]);
    assert_same(&world, &run, 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_changes_between_two_decisions_replays_in_both() {
    let world = World::new();
    world.finish(&jane()).await;
    tokio::time::advance(Millis::days(200).to_std()).await;
    // The company is asked again, and the answer takes long: a decision for now is made from the old record.
    let late = hit("crustdata.company", &[("company.headcount", Value::number(84_000))]);
    world.provider.answers("crustdata.company", vec![(Millis::seconds(3), late)]);
    let mut slow = signup("jane@acme.io", "d2", Arrival::Signup);
    (slow.accepted_at, slow.signup.occurred_at) = (world.now(), world.now());
    slow.answer_by = Some(world.now().after(Millis(1850)));
    let store = world.store.clone();
    let somebody_else = async {
        tokio::time::sleep(Millis(2500).to_std()).await;
        let mut record = store.records().remove(0);
        record.version += 1;
        for observation in record.observations.iter_mut().filter(|seen| seen.source == "crustdata.person") {
            (observation.value, observation.observed_at) = (Value::text("entry"), world.now());
        }
        pipeline::ports::Records::save_record(&*store, &record, &[]).await.unwrap();
    };
    let (run, ()) = tokio::join!(world.finish(&slow), somebody_else);
    assert_same(&world, &run, 2);
    assert!(run.seen[0].known.is_some() && run.seen[1].known.is_some(), "the record knew something else each time: {:?}", run.seen);
}

#[tokio::test(start_paused = true)]
async fn s4_27_a_parked_run_replays_before_and_after_it_goes_on() {
    let world = World::new();
    let limited = Reply::RateLimited { retry_after: Millis::seconds(2) };
    world.provider.answers("crustdata.company", vec![(Millis(1), limited), (Millis(1), good_company())]);
    assert!(matches!(world.work(&jane()).await, Worked::Parked { .. }));
    assert_same(&world, &world.stored(&jane()).await, 1);
    world.drain().await;
    let run = world.stored(&jane()).await;
    assert_same(&world, &run, 2);
    assert_eq!(run.seen.len(), 1, "the last decision saw the whole log");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_pinned_anew_says_which_configuration_its_first_decision_takes() {
    let mut world = World::new();
    let limited = Reply::RateLimited { retry_after: Millis::seconds(2) };
    world.provider.answers("crustdata.company", vec![(Millis(1), limited), (Millis(1), good_company())]);
    world.work(&jane()).await;
    let old = world.enrich.config.clone();
    world.enrich.config = Config { hash: "deployed-since".into(), ..(*old).clone() }.into();
    world.drain().await;
    let run = world.stored(&jane()).await;
    let replayed = replayed(&world, &run);
    assert_eq!((replayed.decisions, paths(&replayed)), (1, vec![]));
    assert_eq!(replayed.skipped, [Skipped { decision: 0, needs: old.hash.clone() }]);
    let error = replay(&run, &old).unwrap_err();
    assert_eq!(error, ReplayError::OtherConfiguration { needs: "deployed-since".into(), given: old.hash.clone() });
    assert!(error.to_string().contains("deployed-since"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_changed_is_found_out() {
    let world = World::new();
    let run = world.finish(&jane()).await;
    let changed = |change: &dyn Fn(&mut Run)| {
        let mut run = run.clone();
        change(&mut run);
        replayed(&world, &run).differences.into_iter().map(|difference| difference.path).collect::<Vec<_>>()
    };
    assert_eq!(changed(&|run| run.decisions[0].score.low -= 1), ["$.decisions[0].score.low"]);
    assert_eq!(changed(&|run| run.decisions[0].owner = Some("sdr-1".into())), ["$.decisions[0].owner"]);
    assert_eq!(changed(&|run| run.decisions[0].owner = Some("ae-2".into())), [""; 0], "whose turn it was is not in the log");
    let smaller = changed(&|run| {
        let headcount = run.observations.iter_mut().find(|seen| seen.field.as_str() == "company.headcount").unwrap();
        headcount.value = Value::number(3);
    });
    assert!(smaller.contains(&"$.facts['company.headcount'].value".to_owned()), "{smaller:?}");
    assert!(smaller.contains(&"$.decisions[0].score.low".to_owned()), "{smaller:?}");
}

#[tokio::test(start_paused = true)]
async fn what_if_decides_again_with_what_is_supposed() {
    let world = World::new();
    let run = world.finish(&jane()).await;
    let supposed = |text: &str| Supposed::parse(text, &world.enrich.config.schema).unwrap();
    let nothing = what_if(&run, &world.enrich.config, &[]).unwrap();
    assert_eq!((&nothing.before.score, &nothing.before), (&run.decision().unwrap().score, &nothing.after));
    let large = what_if(&run, &world.enrich.config, &[supposed("company.headcount=84000")]).unwrap();
    assert_eq!((large.before.route.track, large.after.route.track), (Track::AeQueue, Track::SalesAssist));
    let fraud = what_if(&run, &world.enrich.config, &[supposed("email.disposable=true")]).unwrap();
    assert_eq!(fraud.after.outcome, Outcome::Held);
    let undecided = Run { decisions: Vec::new(), ..run };
    assert_eq!(what_if(&undecided, &world.enrich.config, &[]), None);
}
