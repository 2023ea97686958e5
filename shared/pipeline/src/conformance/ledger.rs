use std::sync::Arc;

use domain::credits::{CapScope, Counter, CounterBound, Reservation, ReservationId, ReservationState, Settlement};
use domain::observation::{Basis, Observation};
use domain::reply::Reply;
use domain::schema::Field;
use domain::units::{BasisPoints, Credits, Millis};
use domain::value::Value;

use super::{LEASE, START, run_id, take};
use crate::ports::{CacheKey, CachedReply, Lease, Ledger, Reserved, Store, StoreError};

/// Reservations, settlements and caps (RELIABILITY §1, I1 to I3).
pub async fn ledger_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    a_reservation_is_taken_from_every_counter(&*fresh().await).await;
    a_cap_refuses_and_leaves_every_counter_as_it_was(&*fresh().await).await;
    the_same_attempt_is_reserved_once(&*fresh().await).await;
    a_settlement_releases_the_rest_and_happens_once(&*fresh().await).await;
    an_unknown_outcome_counts_as_used(&*fresh().await).await;
    a_zombie_reserves_nothing(&*fresh().await).await;
    sixty_four_racers_never_pass_the_cap(fresh().await).await;
}

fn bound(counter: &str, most_before: Option<i64>) -> CounterBound {
    let scope = if counter.starts_with("BAL") { CapScope::Allocation } else { CapScope::Day };
    CounterBound { scope, counter: counter.into(), at_most_before: most_before.map(Credits::whole) }
}

fn reservation(attempt: u32) -> Reservation {
    Reservation {
        id: ReservationId { run: run_id('a'), operation: "crustdata.company".into(), attempt },
        amount: Credits::whole(2),
        counters: vec!["BAL#2026-11".into(), "CAP#day#2026-11-20".into()],
        open_until: START.after(Millis::seconds(10)),
        state: ReservationState::Calling,
    }
}

fn bounds(most_before: i64) -> [CounterBound; 2] {
    [bound("BAL#2026-11", Some(1000)), bound("CAP#day#2026-11-20", Some(most_before))]
}

async fn reserve(store: &dyn Ledger, lease: &Lease, attempt: u32, most_before: i64) -> Reserved {
    store.reserve(lease, &reservation(attempt), &bounds(most_before)).await.unwrap()
}

async fn counters(store: &dyn Ledger) -> [Counter; 2] {
    [store.counter("BAL#2026-11").await.unwrap(), store.counter("CAP#day#2026-11-20").await.unwrap()]
}

fn holding(taken: i64, used: i64) -> [Counter; 2] {
    [Counter { taken: Credits::whole(taken), used: Credits::whole(used) }; 2]
}

async fn a_reservation_is_taken_from_every_counter(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    assert_eq!(counters(store).await, holding(0, 0));
    assert_eq!(reserve(store, &lease, 1, 0).await, Reserved::Reserved);
    assert_eq!(counters(store).await, holding(2, 0));
}

async fn a_cap_refuses_and_leaves_every_counter_as_it_was(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    assert_eq!(reserve(store, &lease, 1, 1).await, Reserved::Reserved);
    assert_eq!(reserve(store, &lease, 2, 1).await, Reserved::Refused(CapScope::Day));
    assert_eq!(reserve(store, &lease, 3, -1).await, Reserved::Refused(CapScope::Day), "a bound below zero is never met");
    assert_eq!(counters(store).await, holding(2, 0));
    let uncapped = [bound("BAL#2026-11", Some(1000)), bound("CAP#day#2026-11-20", None)];
    assert_eq!(store.reserve(&lease, &reservation(4), &uncapped).await.unwrap(), Reserved::Reserved, "Critical passes the day's cap");
    assert_eq!(counters(store).await, holding(4, 0));
}

async fn the_same_attempt_is_reserved_once(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, 100).await;
    let (next, _) = take(store, 'a', "n2", START.after(LEASE).after(Millis(1))).await;
    assert_eq!(reserve(store, &next, 1, 100).await, Reserved::Before(reservation(1)));
    assert_eq!(counters(store).await, holding(2, 0));
}

async fn a_settlement_releases_the_rest_and_happens_once(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, 100).await;
    assert!(store.settle(&reservation(1), Settlement::Used(Credits::whole(1))).await.unwrap());
    assert!(!store.settle(&reservation(1), Settlement::Unknown).await.unwrap());
    assert!(!store.settle(&reservation(2), Settlement::Unknown).await.unwrap(), "what was never reserved is not settled");
    assert_eq!(counters(store).await, holding(1, 1));
    let Reserved::Before(stored) = reserve(store, &lease, 1, 100).await else { unreachable!("the ledger forgets nothing") };
    assert_eq!(stored.state, ReservationState::Settled { used: Credits::whole(1) });
}

async fn an_unknown_outcome_counts_as_used(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, 100).await;
    assert!(store.settle(&reservation(1), Settlement::Unknown).await.unwrap());
    assert_eq!(counters(store).await, holding(2, 2));
    let Reserved::Before(stored) = reserve(store, &lease, 1, 100).await else { unreachable!("the ledger forgets nothing") };
    assert_eq!(stored.state, ReservationState::OutcomeUnknown);
}

async fn a_zombie_reserves_nothing(store: &dyn Store) {
    let (zombie, _) = take(store, 'a', "n1", START).await;
    take(store, 'a', "n2", START.after(LEASE).after(Millis(1))).await;
    assert_eq!(store.reserve(&zombie, &reservation(1), &bounds(100)).await, Err(StoreError::FenceLost));
    assert_eq!(counters(store).await, holding(0, 0));
}

async fn sixty_four_racers_never_pass_the_cap(store: Arc<dyn Store>) {
    let (lease, _) = take(&*store, 'a', "n1", START).await;
    let racers = (1..=64).map(|attempt| {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        async move { reserve(&*store, &lease, attempt, 18).await }
    });
    let answers = futures::future::join_all(racers).await;
    let won = answers.iter().filter(|answer| **answer == Reserved::Reserved).count();
    assert_eq!(won, 10, "twenty credits are ten calls of two");
    assert_eq!(counters(&*store).await, holding(20, 0));
}

/// Replies that are kept.
pub async fn cache_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    let store = fresh().await;
    let key = CacheKey { operation: "crustdata.company".into(), hash: "h".into() };
    assert_eq!(store.kept_reply(&key).await.unwrap(), None);
    let observation = Observation {
        field: Field::known("company.headcount"),
        value: Value::number(200),
        source: "crustdata.company".into(),
        family: "crustdata".into(),
        observed_at: START,
        stated: BasisPoints::new(9700),
        basis: Basis::Stated,
    };
    let kept = |after: i64, reply: Reply| CachedReply {
        reply,
        fetched_at: START.after(Millis(after)),
        fresh_until: START.after(Millis::days(90)),
        reservation: (after == 10).then(|| reservation(1).id),
    };
    let younger = kept(10, Reply::Hit { observations: vec![observation] });
    store.keep_reply(&key, &younger).await.unwrap();
    store.keep_reply(&key, &kept(5, Reply::NoMatch)).await.unwrap();
    assert_eq!(store.kept_reply(&key).await.unwrap(), Some(younger), "an older reply never replaces a younger one");
    store.keep_reply(&key, &kept(20, Reply::NoMatch)).await.unwrap();
    assert_eq!(store.kept_reply(&key).await.unwrap().unwrap().reply, Reply::NoMatch);
}
