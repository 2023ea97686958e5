//! I1 to I3 of RELIABILITY §1, where the store answers for them.

use domain::credits::{Bounds, Charge, Periods, Reservation, ReservationId, ReservationState, Settlement, Trigger};
use domain::schema::Entity;
use domain::units::{Credits, Millis};
use pipeline::ports::{Ledger, Reserved};
use platform::Table;

use crate::database::{LEASE, START, fresh, run_id, take};
use crate::proxy::{fresh_with_a_colleague, fresh_with_crossings};

pub(crate) fn reservation(attempt: u32) -> Reservation {
    Reservation {
        id: ReservationId { run: run_id('a'), operation: "crustdata.company".into(), attempt },
        amount: Credits::from_micros(1_500_000),
        charge: Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() },
        periods: Periods { month: "2026-11".into(), week: None, day: "2026-11-20".into() },
        answer: "h".into(),
        open_until: START.after(Millis::seconds(10)),
        state: ReservationState::Calling,
    }
}

/// An allocation of 15 credits: ten calls of 1.5.
pub(crate) fn bounds() -> Bounds {
    let (allocation, available) = (Credits::whole(15), Credits::from_micros(1_500_000));
    Bounds { allocation, available, day: None, week: None, provider: None, rule: None }
}

#[tokio::test]
async fn sixty_four_racing_reservations_never_pass_the_allocation_by_a_millionth() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    let racers = (1..=64).map(|attempt| {
        let (store, lease) = (fresh.of_another_process(), lease.clone());
        tokio::spawn(async move { store.reserve(&lease, &reservation(attempt), &bounds()).await.unwrap() })
    });
    let answers = futures::future::join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| *answer.as_ref().unwrap() == Reserved::Reserved).count(), 10);
    let balance = fresh.store.balance("2026-11").await.unwrap().unwrap();
    assert_eq!((balance.available, balance.reserved, balance.adds_up()), (Credits::ZERO, Credits::whole(15), true));
    let open = fresh.items(Table::Credits).iter().filter(|item| item.contains_key("open_until")).count();
    assert_eq!(open, 10, "a refused reservation leaves no entry");
}

#[tokio::test]
async fn a_settled_entry_stays_and_leaves_the_index_of_open_ones() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.reserve(&lease, &reservation(1), &bounds()).await.unwrap();
    let settled = reservation(1).settled(Settlement::Used(Credits::whole(1))).unwrap();
    assert!(fresh.store.move_on(&reservation(1), &settled).await.unwrap());
    let entries = fresh.items(Table::Credits);
    let entry = entries.iter().find(|item| item.contains_key("state")).unwrap();
    assert_eq!(entry["state"]["S"], "settled");
    assert!(!entry.contains_key("open_until") && !entry.contains_key("open"), "what is settled is not open");
    assert_eq!(fresh.store.overdue(START.after(Millis::days(1)), 10).await.unwrap(), []);
}

#[tokio::test]
async fn racing_settlements_resolve_a_reservation_once() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.reserve(&lease, &reservation(1), &bounds()).await.unwrap();
    let racers = (0..8).map(|n| {
        let store = fresh.of_another_process();
        let settlement = if n % 2 == 0 { Settlement::Unknown } else { Settlement::Used(Credits::ZERO) };
        let settled = reservation(1).settled(settlement).unwrap();
        tokio::spawn(async move { store.move_on(&reservation(1), &settled).await.unwrap() })
    });
    let answers = futures::future::join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| *answer.as_ref().unwrap()).count(), 1);
    let balance = fresh.store.balance("2026-11").await.unwrap().unwrap();
    assert_eq!((balance.reserved, balance.adds_up()), (Credits::ZERO, true));
}

#[tokio::test]
async fn eight_reservations_that_find_no_month_open_it_once() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    let racers = (1..=8).map(|attempt| {
        let (store, lease) = (fresh.of_another_process(), lease.clone());
        tokio::spawn(async move { store.reserve(&lease, &reservation(attempt), &bounds()).await.unwrap() })
    });
    for answer in futures::future::join_all(racers).await {
        assert_eq!(answer.unwrap(), Reserved::Reserved);
    }
    let balance = fresh.store.balance("2026-11").await.unwrap().unwrap();
    assert_eq!((balance.allocation, balance.reserved, balance.adds_up()), (Credits::whole(15), Credits::whole(12), true));
}

#[tokio::test]
async fn a_claimant_with_an_old_fence_takes_no_credit() {
    let fresh = fresh().await;
    let (zombie, _) = take(&fresh.store, 'a', "n1", START).await;
    take(&fresh.store, 'a', "n2", START.after(LEASE).after(Millis(1))).await;
    let refused = fresh.store.reserve(&zombie, &reservation(1), &bounds()).await;
    assert_eq!(refused, Err(pipeline::ports::StoreError::FenceLost));
    assert!(fresh.items(Table::Credits).iter().all(|item| !item.contains_key("state")), "no entry");
}

#[tokio::test]
async fn a_lower_allocation_takes_nothing_that_a_colleague_has_taken_meanwhile() {
    let (fresh, meanwhile) = fresh_with_a_colleague().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    assert_eq!(fresh.store.reserve(&lease, &reservation(1), &bounds()).await.unwrap(), Reserved::Reserved);
    let (colleague, theirs) = (fresh.of_another_process(), lease.clone());
    meanwhile.set(async move {
        for attempt in 3..=9 {
            assert_eq!(colleague.reserve(&theirs, &reservation(attempt), &bounds()).await.unwrap(), Reserved::Reserved);
        }
    });
    // 13.5 of 15 are left when it is read that five may go, and three when they are to be taken away: then only three go.
    let lower = Bounds { allocation: Credits::whole(10), ..bounds() };
    let answer = fresh.store.reserve(&lease, &reservation(2), &lower).await.unwrap();
    let balance = fresh.store.balance("2026-11").await.unwrap().unwrap();
    assert_eq!(answer, Reserved::Refused(domain::credits::CapScope::Allocation));
    assert_eq!((balance.allocation, balance.available, balance.adds_up()), (Credits::whole(12), Credits::ZERO, true));
}

#[tokio::test]
async fn open_entries_of_another_workspace_are_nobodys_business() {
    let fresh = fresh().await;
    let other = fresh.aws.store(fresh.tables.clone(), "other");
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.reserve(&lease, &reservation(1), &bounds()).await.unwrap();
    assert_eq!(fresh.store.overdue(START.after(Millis::days(1)), 10).await.unwrap(), [reservation(1).id]);
    assert_eq!(other.overdue(START.after(Millis::days(1)), 10).await.unwrap(), []);
}

/// What a hundred reservations at once hear: how many were made, and how many transactions crossed and were cancelled.
async fn a_hundred_at_once(is_one_process: bool) -> (usize, usize) {
    let (fresh, crossings) = fresh_with_crossings().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    let roomy = Bounds { allocation: Credits::whole(1000), ..bounds() };
    // Whoever finds no month opens it, which is no transaction and not what is counted here.
    assert_eq!(fresh.store.reserve(&lease, &reservation(1), &roomy).await.unwrap(), Reserved::Reserved);
    let racers = (2..=101).map(|attempt| {
        let store = if is_one_process { fresh.store.clone() } else { fresh.of_another_process() };
        let (lease, roomy) = (lease.clone(), roomy.clone());
        tokio::spawn(async move {
            let made = store.reserve(&lease, &reservation(attempt), &roomy).await == Ok(Reserved::Reserved);
            let settled = reservation(attempt).settled(Settlement::Used(Credits::whole(1))).unwrap();
            made && store.move_on(&reservation(attempt), &settled).await == Ok(true)
        })
    });
    let made = futures::future::join_all(racers).await.into_iter().filter(|made| *made.as_ref().unwrap()).count();
    (made, crossings.cancelled())
}

#[tokio::test]
async fn s4_33_a_hundred_runs_of_one_process_reserve_and_settle_without_a_cancelled_transaction() {
    assert_eq!(a_hundred_at_once(true).await, (100, 0));
    let (made, cancelled) = a_hundred_at_once(false).await;
    assert!(cancelled > 0, "as many processes cross: {made} came through");
}
