use domain::decision::Outcome;
use domain::gate::Verdict;
use domain::plan::{CallOutcome, Skip};
use domain::reply::Reply;
use domain::route::Track;
use domain::signup::Arrival;
use domain::units::{Credits, Millis};
use domain::value::Value;
use pipeline::ports::{Claim, ClaimRequest, Records, Runs, Saved, Stage};
use pipeline::work::Worked;

use crate::faults::failing;
use crate::world::{START, TIME_LEFT, World, decision, hit, jane, signup};

#[tokio::test(start_paused = true)]
async fn a_good_lead_is_routed_to_an_account_executive_with_points_and_costs() {
    let world = World::new();
    let run = world.finish(&jane()).await;
    let decision = decision(&run);
    assert_eq!((decision.outcome, decision.route.track, decision.gate.verdict), (Outcome::Routed, Track::AeQueue, Verdict::Pass));
    assert_eq!((decision.score.low, decision.score.high), (100, 100));
    assert_eq!((run.paid_calls(), run.cost()), (2, Credits::whole(4)));
    assert_eq!(decision.owner.as_deref(), Some("ae-1"));
    assert_eq!(world.writebacks(), 1);
}

#[tokio::test(start_paused = true)]
async fn owners_of_a_pool_take_turns_and_a_record_keeps_its_owner() {
    let world = World::new();
    let owner = async |email: &str, delivery: &str| {
        let run = world.finish(&signup(email, delivery, Arrival::Signup)).await;
        decision(&run).owner.clone().unwrap()
    };
    assert_eq!(owner("jane@acme.io", "d1").await, "ae-1");
    assert_eq!(owner("john@acme.io", "d2").await, "ae-2");
    tokio::time::advance(Millis::hours(2).to_std()).await;
    assert_eq!(owner("jane@acme.io", "d3").await, "ae-1");
}

#[tokio::test(start_paused = true)]
async fn x_01_the_same_delivery_again_does_nothing() {
    let world = World::new();
    world.finish(&jane()).await;
    assert!(matches!(world.work(&jane()).await, Worked::Repeated { .. }));
    assert_eq!((world.provider.asked("crustdata.company"), world.writebacks()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn x_01_a_second_click_pays_nothing_and_reaches_the_same_track() {
    let world = World::new();
    world.finish(&jane()).await;
    let run = world.finish(&signup("jane@acme.io", "d2", Arrival::Signup)).await;
    assert_eq!((decision(&run).outcome, decision(&run).route.track, run.paid_calls()), (Outcome::Duplicate, Track::AeQueue, 0));
    assert_eq!(world.store.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn x_01_a_second_click_while_the_first_runs_waits_for_it() {
    let world = World::new();
    let (first, second) = (jane(), signup("jane@acme.io", "d2", Arrival::Signup));
    let (first, waiting) = tokio::join!(world.work(&first), world.work(&second));
    assert!(matches!(first, Worked::Finished { .. }));
    assert!(matches!(waiting, Worked::Parked { .. }));
    world.drain().await;
    assert_eq!(decision(&world.stored(&second).await).outcome, Outcome::Duplicate);
    assert_eq!(world.provider.asked("crustdata.person"), 1);
}

#[tokio::test(start_paused = true)]
async fn x_01_a_demo_request_after_a_trial_is_routed_anew() {
    let world = World::new();
    world.provider.answers(
        "crustdata.company",
        vec![(
            Millis(1),
            hit(
                "crustdata.company",
                &[
                    ("company.headcount", Value::number(20)),
                    ("company.funding_stage", Value::text("seed")),
                    ("company.tech_stack", Value::list(["php"])),
                    ("company.traffic_trend_90d", Value::number(0)),
                ],
            ),
        )],
    );
    let trial = world.finish(&jane()).await;
    assert_eq!(decision(&trial).route.track, Track::SelfServe);
    tokio::time::advance(Millis::minutes(5).to_std()).await;
    let mut demo = signup("jane@acme.io", "d2", Arrival::DemoRequest);
    demo.signup.occurred_at = START.after(Millis::minutes(5));
    let demo = world.finish(&demo).await;
    assert_eq!((decision(&demo).route.track, demo.paid_calls()), (Track::SdrQueue, 0));
}

#[tokio::test(start_paused = true)]
async fn s3_20_a_throw_away_address_is_held_before_anything_is_paid() {
    let world = World::new();
    world.provider.answers(
        "email",
        vec![(Millis(0), hit("email", &[("email.kind", Value::text("disposable")), ("email.disposable", Value::Bool(true))]))],
    );
    let run = world.finish(&signup("x@mailinator.com", "d1", Arrival::Signup)).await;
    assert_eq!((decision(&run).outcome, decision(&run).route.track, run.paid_calls()), (Outcome::Held, Track::Verification, 0));
    assert_eq!(world.writebacks(), 0, "nothing goes out");
}

#[tokio::test(start_paused = true)]
async fn x_26_a_very_large_company_goes_to_sales_whatever_its_score() {
    let world = World::new();
    world
        .provider
        .answers("crustdata.company", vec![(Millis(1), hit("crustdata.company", &[("company.headcount", Value::number(84_000))]))]);
    assert_eq!(decision(&world.finish(&jane()).await).route.track, Track::SalesAssist);
}

#[tokio::test(start_paused = true)]
async fn nothing_known_is_an_interval_and_the_honest_default_not_a_zero() {
    let world = World::new();
    for operation in ["crustdata.company", "crustdata.person"] {
        world.provider.answers(operation, vec![(Millis(1), Reply::NoMatch)]);
    }
    let run = world.finish(&jane()).await;
    let decision = decision(&run);
    assert_eq!((decision.score.low, decision.score.high), (0, 100));
    assert_eq!((decision.outcome, decision.route.track, decision.route.provisional), (Outcome::Routed, Track::SelfServe, true));
    assert!(decision.because().iter().any(|reason| reason.contains("company.headcount: no source knows it")), "{:?}", decision.because());
    assert_eq!(run.cost(), Credits::ZERO, "no match costs nothing at this price");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_leaves_the_lead_deferred_on_the_honest_default() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis(1), Reply::Failed { why: "status 503".into() })]);
    let run = world.finish(&jane()).await;
    assert_eq!((decision(&run).outcome, decision(&run).route.track), (Outcome::Deferred, Track::SelfServe));
}

#[tokio::test(start_paused = true)]
async fn s3_30_whoever_waits_gets_what_is_known_and_a_late_answer_corrects_it() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis::seconds(3), super::world::good_company())]);
    let mut message = jane();
    message.answer_by = Some(START.after(Millis(1850)));
    let watch = async {
        tokio::time::sleep(Millis(1900).to_std()).await;
        world.stored(&message).await
    };
    let (finished, seen) = tokio::join!(world.finish(&message), watch);
    let provisional = decision(&seen);
    assert_eq!((provisional.outcome, provisional.route.track, provisional.route.provisional), (Outcome::Deferred, Track::SelfServe, true));
    assert_eq!(world.writebacks(), 1, "only the corrected decision goes out");
    assert_eq!((decision(&finished).route.track, finished.decisions.len()), (Track::AeQueue, 2));
    assert_eq!(finished.paid_calls(), 2, "the late answer was paid for once");
}

#[tokio::test(start_paused = true)]
async fn s4_27_a_rate_limited_run_is_parked_and_goes_on() {
    let world = World::new();
    let limited = Reply::RateLimited { retry_after: Millis::seconds(2) };
    world.provider.answers("crustdata.company", vec![(Millis(1), limited), (Millis(1), super::world::good_company())]);
    assert!(matches!(world.work(&jane()).await, Worked::Parked { .. }));
    assert_eq!(world.stored(&jane()).await.decisions.len(), 1, "what is known is there to read");
    world.drain().await;
    let run = world.stored(&jane()).await;
    assert_eq!((decision(&run).route.track, decision(&run).outcome), (Track::AeQueue, Outcome::Routed));
    assert_eq!(world.provider.asked("crustdata.company"), 2);
}

#[tokio::test(start_paused = true)]
async fn s4_27_after_five_minutes_a_rate_limited_run_is_decided_on_what_is_known() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis(1), Reply::RateLimited { retry_after: Millis::seconds(90) })]);
    world.work(&jane()).await;
    world.drain().await;
    let run = world.stored(&jane()).await;
    assert_eq!((decision(&run).outcome, decision(&run).route.track), (Outcome::Deferred, Track::SelfServe));
    assert!(world.now() >= START.after(Millis::minutes(4)));
    assert_eq!(run.decisions.len(), 2, "waiting anew says nothing new");
}

#[tokio::test(start_paused = true)]
async fn another_signup_under_the_same_delivery_is_poison_with_its_reason() {
    let world = World::new();
    world.finish(&jane()).await;
    assert!(matches!(world.work(&signup("john@acme.io", "d1", Arrival::Signup)).await, Worked::Poisoned { .. }));
    assert_eq!(world.store.poison().len(), 1);
    assert!(!world.store.poison()[0].why.contains("john"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_another_worker_holds_is_parked_as_a_copy() {
    let world = World::new();
    let (first, second) = (jane(), jane());
    let (one, two) = tokio::join!(world.work(&first), world.work(&second));
    assert!(matches!(one, Worked::Finished { .. }));
    assert!(matches!(two, Worked::Parked { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_decided_and_not_handed_over_is_only_handed_over() {
    let world = World::new();
    let run = world.finish(&jane()).await;
    let other = World::new();
    let request = ClaimRequest {
        run: run.clone(),
        payload_hash: jane().signup.payload_hash(&other.key),
        nonce: "crashed".into(),
        now: START,
        lease_until: START.after(Millis(1)),
    };
    let Claim::Mine(lease, _) = other.store.claim_run(&request).await.unwrap() else { panic!() };
    other.store.decide_run(&lease, &run).await.unwrap();
    tokio::time::advance(Millis::seconds(1).to_std()).await;
    assert_eq!(other.finish(&jane()).await.decisions, run.decisions);
    assert_eq!((other.provider.asked("crustdata.company"), other.writebacks()), (0, 1));
    assert_eq!(other.store.read_run(&run.id).await.unwrap().unwrap().stage, Stage::Done);
}

#[tokio::test(start_paused = true)]
async fn every_call_that_was_not_made_is_logged_with_its_reason() {
    let world = World::new();
    let run = world.finish(&jane()).await;
    let skipped: Vec<(&str, &CallOutcome)> =
        run.calls.iter().filter(|call| call.operation == "website").map(|call| (call.step.as_str(), &call.outcome)).collect();
    assert_eq!(skipped, [("site", &CallOutcome::NotMade { why: Skip::ConditionFalse })]);
}

#[tokio::test(start_paused = true)]
async fn s3_45_a_weak_value_does_not_score_and_is_named_as_not_sure_enough() {
    let world = World::new();
    let Reply::Hit { mut observations } = super::world::vice_president() else { panic!() };
    observations[0].basis = domain::observation::Basis::Inferred;
    world.provider.answers("crustdata.person", vec![(Millis(1), Reply::Hit { observations })]);
    let run = world.finish(&jane()).await;
    let decision = decision(&run);
    assert_eq!((decision.score.low, decision.score.high), (85, 100));
    assert!(decision.because().iter().any(|reason| reason.contains("contact.seniority: not sure enough")), "{:?}", decision.because());
}

#[tokio::test(start_paused = true)]
async fn what_a_zombie_decided_last_on_the_record_is_handed_over_when_its_message_comes_again() {
    let world = World::new();
    world.finish(&jane()).await;
    let mut record = world.store.records().remove(0);
    record.version += 1;
    record.decided.as_mut().unwrap().decision.seq = record.version;
    let before = world.writebacks();
    assert!(matches!(world.work(&jane()).await, Worked::Repeated { .. }));
    assert_eq!(world.writebacks(), before, "a plain duplicate hands over nothing");
    assert_eq!(world.store.save_record(&record, &[]).await.unwrap(), Saved::Stored);
    assert!(matches!(world.work(&jane()).await, Worked::Repeated { .. }));
    assert_eq!(world.writebacks(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn the_claim_of_work_that_failed_is_free_when_its_message_comes_again() {
    for verb in ["open_window", "find_record", "reserve", "save_record", "decide_run"] {
        let mut world = World::new();
        world.enrich.store = failing(&world, verb, 1);
        assert!(world.enrich.work(&jane(), TIME_LEFT).await.is_err(), "{verb} was to fail");
        let again = world.work(&jane()).await;
        let Worked::Finished { run } = again else { panic!("after {verb} had failed: {again:?}") };
        assert_eq!((decision(&run).route.track, run.cost()), (Track::AeQueue, Credits::whole(4)), "after {verb} had failed");
        assert_eq!(world.provider.asked("crustdata.company"), 1, "after {verb} had failed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_in_time_is_decided_once_and_numbered_as_its_record_is() {
    let world = World::new();
    for (delivery, number) in [("d1", 1), ("d2", 2)] {
        let run = world.finish(&signup("jane@acme.io", delivery, Arrival::Signup)).await;
        assert_eq!((run.decisions.len(), decision(&run).seq, world.store.records()[0].version), (1, number, number));
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_who_has_left_the_pool_is_replaced_and_one_of_a_track_without_a_pool_stays() {
    for (pool, is_kept) in [(vec!["ae-1", "ae-2"], true), (vec!["ae-2", "ae-3"], false), (vec![], true)] {
        let mut world = World::new();
        assert_eq!(decision(&world.finish(&jane()).await).owner.as_deref(), Some("ae-1"));
        let mut config = (*world.enrich.config).clone();
        config.tracks.get_mut(&Track::AeQueue).unwrap().owners = pool.iter().map(|owner| (*owner).to_owned()).collect();
        world.enrich.config = config.into();
        tokio::time::advance(Millis::hours(2).to_std()).await;
        let again = world.finish(&signup("jane@acme.io", "d2", Arrival::Signup)).await;
        let owner = decision(&again).owner.as_deref().unwrap();
        assert_eq!(owner == "ae-1", is_kept, "{owner} of {pool:?}");
        assert!(pool.is_empty() || pool.contains(&owner), "{owner} of {pool:?}");
    }
}
