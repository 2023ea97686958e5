//! IDP: one delivery is worked on once, whoever gets it and however often.

use std::sync::Arc;

use domain::decision::Outcome;
use domain::units::{Credits, Millis};
use pipeline::ports::Stage;
use pipeline::work::{Retry, Worked};

use crate::world::{AMPLE, SkewedClock, World, jane};

/// Longer than any lease.
const LATER: Millis = Millis::minutes(2);

fn is_finished(worked: &Result<Worked, Retry>) -> bool {
    matches!(worked, Ok(Worked::Finished { .. }))
}

#[tokio::test]
async fn idp_the_first_run_is_stored_with_its_decision() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        assert!(is_finished(&world.work(&message).await));
        let (run, stage) = world.stored(&message).await.unwrap();
        assert_eq!((stage, run.decisions.len(), run.paid_calls()), (Stage::Done, 1, 2));
    }
}

#[tokio::test]
async fn idp_and_s0_74_a_completed_run_answers_from_what_is_stored_and_nobody_is_asked() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        world.work(&message).await.unwrap();
        let (before, spent) = (world.stored(&message).await, world.spent().await);
        for wait in [Millis(0), LATER, Millis::days(13)] {
            world.clock.pass(wait);
            assert_eq!(world.work(&message).await.unwrap(), Worked::Repeated { run: world.run_id(&message) });
        }
        assert_eq!((world.stored(&message).await, world.spent().await), (before, spent), "I6");
        assert_eq!((world.provider.asked("crustdata.company"), world.copies()), (1, 0));
    }
}

#[tokio::test]
async fn idp_a_run_in_progress_is_not_run_again_and_its_message_goes_on_as_a_copy() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        world.trouble.fail_next("save_record");
        world.work(&message).await.unwrap_err();
        // The claim was freed; take it as a worker does that lives on.
        let held = claim_and_hold(&world).await;
        let worked = world.work(&message).await.unwrap();
        assert!(matches!(worked, Worked::Parked { until, .. } if until == held), "{worked:?}");
        assert_eq!(world.copies(), 1);
    }
}

/// Claims Jane's run and does nothing with it.
async fn claim_and_hold(world: &World) -> domain::units::Timestamp {
    let (run, _) = world.stored(&jane("d1")).await.unwrap();
    let now = world.enrich.clock.now();
    let claim = pipeline::ports::ClaimRequest {
        payload_hash: jane("d1").signup.payload_hash(&world.enrich.key),
        run,
        nonce: "holder".into(),
        now,
        lease_until: now.after(Millis::seconds(30)),
    };
    world.store.claim_run(&claim).await.unwrap();
    claim.lease_until
}

#[tokio::test]
async fn idp_an_expired_lease_runs_again_by_exactly_one_of_two_racers() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        world.trouble.fail_next("decide_run");
        world.work(&message).await.unwrap_err();
        claim_and_hold(&world).await;
        world.clock.pass(LATER);
        let (left, right) = (world.another_worker(1000), world.another_worker(2000));
        let (one, two) = tokio::join!(left.work(&message, AMPLE), right.work(&message, AMPLE));
        assert_eq!([&one, &two].into_iter().filter(|worked| is_finished(worked)).count(), 1, "{one:?} {two:?}");
        assert_eq!((world.provider.asked("crustdata.company"), world.spent().await.1), (1, Credits::ZERO));
    }
}

#[tokio::test]
async fn idp_an_event_that_a_handler_changed_on_the_way_is_the_same_run() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        world.work(&message).await.unwrap();
        let mut copy = message.clone();
        (copy.copies, copy.answer_by) = (7, Some(message.accepted_at.after(LATER)));
        assert!(matches!(world.work(&copy).await.unwrap(), Worked::Repeated { .. }));
    }
}

#[tokio::test]
async fn idp_a_failure_frees_the_claim_and_keeps_its_own_error() {
    for verb in ["save_record", "reserve", "move_on", "decide_run", "open_window", "find_record", "kept_reply"] {
        for world in World::on_every_store().await {
            let message = jane("d1");
            world.trouble.fail_next(verb);
            let error = world.work(&message).await.unwrap_err();
            assert!(error.0.contains("a fault on command"), "{verb}: {error}");
            // Nobody waits for the end of a lease: the next receive takes the run up at once.
            let again = world.work(&message).await.unwrap();
            let is_out = matches!(&again, Worked::Parked { why, .. } if *why == "an earlier attempt may still be answered");
            assert!(is_finished(&Ok(again.clone())) || is_out, "{verb}: {again:?}");
        }
    }
}

#[tokio::test]
async fn idp_a_failure_to_free_leaves_the_claim_to_the_end_of_its_lease() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        world.trouble.fail_next("save_record");
        let hold_on = world.another_worker(500);
        // Both fail: the work, and then the freeing of its claim.
        let store = pipeline::memory::Faulty::<dyn pipeline::ports::Store>::new(world.store.clone(), Arc::new(NeverFrees));
        let worker = pipeline::enrich::Enrich { store, ..hold_on };
        let error = worker.work(&message, AMPLE).await.unwrap_err();
        assert!(error.0.contains("a fault on command"), "{error}");
        assert!(matches!(world.work(&message).await.unwrap(), Worked::Parked { .. }));
        world.clock.pass(LATER);
        assert!(is_finished(&world.work(&message).await));
    }
}

#[tokio::test]
async fn a_paid_reply_that_cannot_be_kept_is_used_and_settled_all_the_same() {
    for world in World::on_every_store().await {
        world.trouble.fail_next("keep_reply");
        assert!(is_finished(&world.work(&jane("d1")).await));
        let (run, _) = world.stored(&jane("d1")).await.unwrap();
        assert_eq!((run.paid_calls(), (run.cost(), Credits::ZERO)), (2, world.spent().await));
        assert!(world.trouble.is_over());
    }
}

struct NeverFrees;

#[async_trait::async_trait]
impl pipeline::memory::Hook for NeverFrees {
    async fn before(&self, verb: &'static str) -> pipeline::memory::Fate {
        if verb == "free_run" { pipeline::memory::Fate::Fail } else { pipeline::memory::Fate::Go }
    }

    async fn after(&self, _: &'static str) -> pipeline::memory::Fate {
        pipeline::memory::Fate::Go
    }
}

#[tokio::test]
async fn idp_a_lost_reply_at_claim_save_decide_or_finish_costs_nothing_twice() {
    for verb in ["claim_run", "open_window", "save_run", "save_record", "decide_run", "free_window", "send", "finish_run"] {
        for world in World::on_every_store().await {
            let message = jane("d1");
            world.trouble.lose_reply_of_next(verb);
            for _ in 0..3 {
                drop(world.work(&message).await);
                world.clock.pass(LATER);
            }
            assert!(world.trouble.is_over(), "{verb} was never called");
            let (run, stage) = world.stored(&message).await.unwrap();
            assert_eq!((stage, run.decision().unwrap().outcome), (Stage::Done, Outcome::Routed), "{verb}");
            assert_eq!((run.cost(), Credits::ZERO), world.spent().await, "{verb}");
            assert_eq!((world.provider.asked("crustdata.company"), world.provider.asked("crustdata.person")), (1, 1), "{verb}");
        }
    }
}

#[tokio::test]
async fn idp_the_same_id_with_another_signup_is_put_aside_and_the_first_stands() {
    for world in World::on_every_store().await {
        world.work(&jane("d1")).await.unwrap();
        let mut other = jane("d1");
        other.signup.name = Some("Somebody Else".into());
        assert_eq!(world.run_id(&other), world.run_id(&jane("d1")));
        let Worked::Poisoned { why } = world.work(&other).await.unwrap() else { panic!() };
        assert!(why.contains("another signup") && !why.contains("jane"), "{why}");
        assert_eq!(world.stored(&jane("d1")).await.unwrap().0.signup, jane("d1").signup);
    }
}

#[tokio::test]
async fn idp_with_no_time_left_or_none_known_nothing_is_claimed_and_a_copy_goes_on() {
    for world in World::on_every_store().await {
        for time_left in [Millis(0), Millis(-1), Millis::seconds(2)] {
            assert!(matches!(world.enrich.work(&jane("d1"), time_left).await.unwrap(), Worked::Parked { .. }));
        }
        assert_eq!((world.stored(&jane("d1")).await.is_none(), world.copies()), (true, 3));
    }
}

#[tokio::test]
async fn idp_an_empty_result_is_stored_and_answered_again() {
    for world in World::where_nobody_is_known().await {
        let message = jane("d1");
        assert!(is_finished(&world.work(&message).await));
        let (run, stage) = world.stored(&message).await.unwrap();
        assert_eq!((stage, run.cost(), run.decisions.len()), (Stage::Done, Credits::ZERO, 1));
        assert!(matches!(world.work(&message).await.unwrap(), Worked::Repeated { .. }));
        assert_eq!((world.provider.asked("crustdata.company"), world.spent().await), (1, (Credits::ZERO, Credits::ZERO)));
    }
}

#[tokio::test]
async fn idp_two_issuers_with_one_payload_do_not_share_a_run() {
    for world in World::on_every_store().await {
        let mut clerk = jane("d1");
        clerk.signup.issuer = "clerk".into();
        assert_ne!(world.run_id(&clerk), world.run_id(&jane("d1")));
        world.work(&jane("d1")).await.unwrap();
        assert!(is_finished(&world.work(&clerk).await));
        assert_eq!(world.provider.asked("crustdata.person"), 1, "X-01: the person is the same, and is not paid for again");
    }
}

#[tokio::test]
async fn idp_a_warm_worker_remembers_no_claim_of_its_own() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        world.trouble.fail_next("save_record");
        world.work(&message).await.unwrap_err();
        // Somebody else finishes the run; the worker that failed before says what is stored, not what it remembers.
        assert!(is_finished(&world.another_worker(1000).work(&message, AMPLE).await));
        assert!(matches!(world.work(&message).await.unwrap(), Worked::Repeated { .. }));
    }
}

#[tokio::test]
async fn idp_concurrent_signups_in_one_worker_share_no_state() {
    for world in World::on_every_store().await {
        let mut messages = vec![jane("d1")];
        for (index, name) in ["ann", "bob", "cid", "dee", "eva", "fay"].into_iter().enumerate() {
            let mut message = jane(&format!("x{index}"));
            message.signup.email = Some(domain::identity::Email::parse(&format!("{name}@company{index}.io")).unwrap());
            messages.push(message);
        }
        let worked = futures::future::join_all(messages.iter().map(|message| world.work(message))).await;
        assert!(worked.iter().all(is_finished), "{worked:?}");
        for message in &messages {
            let (run, _) = world.stored(message).await.unwrap();
            assert_eq!((&run.signup, run.paid_calls()), (&message.signup, 2));
        }
    }
}

#[tokio::test]
async fn idp_a_zombies_late_finish_is_refused_and_its_call_is_counted_once() {
    for world in World::on_every_store().await {
        let message = jane("d1");
        world.trouble.fail_next("finish_run");
        world.work(&message).await.unwrap_err();
        let (run, stage) = world.stored(&message).await.unwrap();
        assert_eq!(stage, Stage::Decided, "decided, not handed over");
        world.clock.pass(LATER);
        assert!(is_finished(&world.another_worker(1000).work(&message, AMPLE).await));
        let zombie = pipeline::ports::Lease { run: run.id.clone(), fence: 1, until: run.accepted_at };
        assert_eq!(world.store.finish_run(&zombie).await, Err(pipeline::ports::StoreError::FenceLost));
        assert_eq!(world.store.save_run(&zombie, &run).await, Err(pipeline::ports::StoreError::FenceLost));
        assert_eq!(world.spent().await.0, run.cost());
    }
}

#[tokio::test]
async fn idp_a_clock_five_seconds_ahead_or_behind_takes_no_living_lease_and_every_dead_one() {
    for ahead in [-5_000, 5_000] {
        for world in World::on_every_store().await {
            let message = jane("d1");
            world.trouble.fail_next("save_record");
            world.work(&message).await.unwrap_err();
            let until = claim_and_hold(&world).await;
            let clock = Arc::new(SkewedClock { clock: world.clock.clone(), ahead });
            let skewed = pipeline::enrich::Enrich { clock, ..world.another_worker(1000) };
            // A holder ends its work five seconds before its lease does.
            world.clock.pass(Millis(until.since(world.enrich.clock.now()).0 - 5_000));
            assert!(matches!(skewed.work(&message, AMPLE).await.unwrap(), Worked::Parked { .. }), "{ahead}");
            world.clock.pass(Millis(10_001));
            assert!(is_finished(&skewed.work(&message, AMPLE).await), "{ahead}");
        }
    }
}
