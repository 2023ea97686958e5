//! I1 to I3 of RELIABILITY §1, where the store answers for them.

use domain::credits::{CapScope, Counter, CounterBound, Reservation, ReservationId, ReservationState, Settlement};
use domain::units::{Credits, Millis};
use pipeline::ports::{Ledger, Reserved};
use platform::Table;

use crate::database::{LEASE, START, fresh, run_id, take};

const COUNTERS: [&str; 3] = ["BAL#2026-11", "CAP#day#2026-11-20", "CAP#provider:crustdata#2026-11"];

fn reservation(attempt: u32) -> Reservation {
    Reservation {
        id: ReservationId { run: run_id('a'), operation: "crustdata.company".into(), attempt },
        amount: Credits::from_micros(1_500_000),
        counters: COUNTERS.map(str::to_owned).to_vec(),
        open_until: START.after(Millis::seconds(10)),
        state: ReservationState::Calling,
    }
}

fn bounds(most_before: Credits) -> Vec<CounterBound> {
    let scopes = [CapScope::Allocation, CapScope::Day, CapScope::Provider("crustdata".into())];
    let bound = |(scope, counter): (CapScope, &str)| CounterBound { scope, counter: counter.into(), at_most_before: Some(most_before) };
    scopes.into_iter().zip(COUNTERS).map(bound).collect()
}

#[tokio::test]
async fn sixty_four_racing_reservations_never_pass_the_cap_by_a_millionth() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    // A cap of 15 credits is ten calls of 1.5.
    let most_before = Credits::from_micros(13_500_000);
    let racers = (1..=64).map(|attempt| {
        let (store, lease) = (fresh.store.clone(), lease.clone());
        tokio::spawn(async move { store.reserve(&lease, &reservation(attempt), &bounds(most_before)).await.unwrap() })
    });
    let answers = futures::future::join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| *answer.as_ref().unwrap() == Reserved::Reserved).count(), 10);
    for counter in COUNTERS {
        assert_eq!(fresh.store.counter(counter).await.unwrap(), Counter { taken: Credits::whole(15), used: Credits::ZERO });
    }
    let reservations = fresh.items(Table::Credits).iter().filter(|item| item.contains_key("open_until")).count();
    assert_eq!(reservations, 10, "a refused reservation leaves no entry");
}

#[tokio::test]
async fn a_second_reserve_of_the_same_attempt_by_the_same_holder_is_not_a_second_permission_to_call() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    let bounds = bounds(Credits::whole(100));
    assert_eq!(fresh.store.reserve(&lease, &reservation(1), &bounds).await.unwrap(), Reserved::Reserved);
    assert_eq!(fresh.store.reserve(&lease, &reservation(1), &bounds).await.unwrap(), Reserved::Before(reservation(1)));
}

#[tokio::test]
async fn an_attempt_reserved_before_says_so_even_when_the_cap_is_reached() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.reserve(&lease, &reservation(1), &bounds(Credits::ZERO)).await.unwrap();
    for full in [Credits::ZERO, Credits::from_micros(-1)] {
        assert_eq!(fresh.store.reserve(&lease, &reservation(1), &bounds(full)).await.unwrap(), Reserved::Before(reservation(1)));
    }
    assert_eq!(
        fresh.store.reserve(&lease, &reservation(2), &bounds(Credits::ZERO)).await.unwrap(),
        Reserved::Refused(CapScope::Allocation)
    );
}

#[tokio::test]
async fn the_second_settle_is_refused_and_the_ledger_keeps_the_entry() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.reserve(&lease, &reservation(1), &bounds(Credits::whole(100))).await.unwrap();
    let settlement = Settlement::Used(Credits::whole(1));
    assert!(fresh.store.settle(&reservation(1), settlement).await.unwrap());
    assert!(!fresh.store.settle(&reservation(1), settlement).await.unwrap(), "the same settlement again changes nothing");
    for counter in COUNTERS {
        assert_eq!(fresh.store.counter(counter).await.unwrap(), Counter { taken: Credits::whole(1), used: Credits::whole(1) });
    }
    let entries = fresh.items(Table::Credits);
    let entry = entries.iter().find(|item| item.contains_key("state")).unwrap();
    assert_eq!(entry["state"]["S"], "settled");
    assert!(!entry.contains_key("open_until"), "what is settled is not open");
}

#[tokio::test]
async fn racing_settlements_resolve_a_reservation_once() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.reserve(&lease, &reservation(1), &bounds(Credits::whole(100))).await.unwrap();
    let racers = (0..8).map(|n| {
        let store = fresh.store.clone();
        let settlement = if n % 2 == 0 { Settlement::Unknown } else { Settlement::Used(Credits::ZERO) };
        tokio::spawn(async move { store.settle(&reservation(1), settlement).await.unwrap() })
    });
    let answers = futures::future::join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| *answer.as_ref().unwrap()).count(), 1);
    let counter = fresh.store.counter(COUNTERS[0]).await.unwrap();
    assert_eq!(counter.taken, counter.used);
}

#[tokio::test]
async fn a_claimant_with_an_old_fence_takes_no_credit() {
    let fresh = fresh().await;
    let (zombie, _) = take(&fresh.store, 'a', "n1", START).await;
    take(&fresh.store, 'a', "n2", START.after(LEASE).after(Millis(1))).await;
    let refused = fresh.store.reserve(&zombie, &reservation(1), &bounds(Credits::whole(100))).await;
    assert_eq!(refused, Err(pipeline::ports::StoreError::FenceLost));
    assert_eq!(fresh.items(Table::Credits).len(), 0);
}
