//! What is kept of a reply, and for how long it is believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::credits::Tariff;
use domain::identity::KeyKind;
use domain::reply::Reply;
use domain::run::Run;
use domain::signup::Arrival;
use domain::units::{Millis, Timestamp};
use domain::value::Value;
use pipeline::memory::{Fate, Hook};
use pipeline::ports::{Cache, CachedReply};

use crate::faults::with;
use crate::world::{START, World, good_company, hit, jane, signup};

const COMPANY: &str = "crustdata.company";

/// A colleague of Jane's.
async fn colleague(world: &World, name: &str) -> Run {
    world.finish(&signup(&format!("{name}@acme.io"), name, Arrival::Signup)).await
}

fn is_cached(run: &Run, operation: &str) -> bool {
    run.calls.iter().find(|call| call.operation == operation).unwrap().cached
}

async fn until(world: &World, moment: Timestamp) {
    tokio::time::advance(moment.since(world.now()).to_std()).await;
    assert_eq!(world.now(), moment);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_believed_for_the_life_of_its_class_and_a_no_match_for_its_own() {
    let lives = World::new().enrich.config.freshness;
    for (reply, life) in [(good_company(), lives.company), (Reply::NoMatch, lives.no_match)] {
        let world = World::new();
        world.provider.answers(COMPANY, vec![(Millis(0), reply.clone())]);
        world.provider.answers("crustdata.person", vec![(Millis(0), Reply::NoMatch)]);
        world.finish(&jane()).await;
        let ends = START.after(life);
        until(&world, ends.before(Millis(1))).await;
        assert!(is_cached(&colleague(&world, "john").await, COMPANY), "{reply:?}");
        until(&world, ends).await;
        assert!(!is_cached(&colleague(&world, "kim").await, COMPANY), "{reply:?}");
        assert_eq!(world.provider.asked(COMPANY), 2);
    }
}

/// Whether a run that looked for the company's answer before there was one takes it from the cache `after` its look.
async fn is_looked_for_again(after: Millis) -> bool {
    let world = World::new();
    world.provider.answers("email", vec![(after, hit("email", &[("email.kind", Value::text("work"))]))]);
    let bought_meanwhile = async {
        tokio::time::sleep(Millis(100).to_std()).await;
        let kept = CachedReply {
            reply: good_company(),
            fetched_at: START,
            fresh_until: START.after(Millis::days(1)),
            reservation: None,
            tariff: Tariff::Single,
        };
        world.store.keep_reply(&world.cache_key(COMPANY, KeyKind::Domain, "acme.io"), &kept).await.unwrap();
    };
    let message = jane();
    let (run, ()) = tokio::join!(world.finish(&message), bought_meanwhile);
    is_cached(&run, COMPANY)
}

#[tokio::test(start_paused = true)]
async fn that_nothing_was_kept_is_believed_for_a_quarter_of_a_second_before_a_paid_call() {
    assert!(!is_looked_for_again(Millis(249)).await);
    assert!(is_looked_for_again(Millis(250)).await);
}

/// Counts the looks into the cache.
struct Looks(Arc<AtomicUsize>);

#[async_trait]
impl Hook for Looks {
    async fn before(&self, verb: &'static str) -> Fate {
        if verb == "kept_reply" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Fate::Go
    }

    async fn after(&self, _: &'static str) -> Fate {
        Fate::Go
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_looks_once_for_each_answer_that_may_be_kept() {
    let mut world = World::new();
    world.finish(&jane()).await;
    let looks = Arc::new(AtomicUsize::new(0));
    world.enrich.store = with(&world, Looks(looks.clone()));
    assert!(is_cached(&colleague(&world, "john").await, COMPANY));
    assert_eq!(looks.load(Ordering::Relaxed), 4, "company, person, rdap and website; email and dns are looked at anew");
}

#[tokio::test(start_paused = true)]
async fn a_free_answer_is_kept_and_neither_a_check_of_the_moment_nor_a_failure_is() {
    let world = World::new();
    world.provider.answers(COMPANY, vec![(Millis(0), Reply::NoMatch)]);
    let failed = Reply::Failed { why: "status 503".into() };
    world.provider.answers("website", vec![(Millis(0), failed), (Millis(0), Reply::NoMatch)]);
    let website = world.cache_key("website", KeyKind::Domain, "acme.io");
    world.finish(&jane()).await;
    assert_eq!(world.store.kept_reply(&website).await.unwrap(), None, "it failed");
    assert!(!is_cached(&colleague(&world, "john").await, "website"));
    assert!(is_cached(&colleague(&world, "kim").await, "website"));
    assert_eq!((world.provider.asked("website"), world.provider.asked("email")), (2, 3));
    let email = world.cache_key("email", KeyKind::Email, "jane@acme.io");
    assert_eq!(world.store.kept_reply(&email).await.unwrap(), None);
}
