use std::sync::Arc;

use domain::record::RecordId;
use domain::units::{Millis, Timestamp};

use super::{LEASE, START};
use crate::ports::{Outbox, OutboxLease, OutboxTurn, Store, StoreError, WriteRequest, Written};

/// Outbound writes: one at a time, and a zombie's values do not stay (RELIABILITY §1, write back).
pub async fn outbox_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    a_finished_write_is_remembered(&*fresh().await).await;
    one_worker_writes_at_a_time(&*fresh().await).await;
    an_abandoned_write_changes_nothing(&*fresh().await).await;
    an_expired_mark_means_that_nobody_knows_what_the_target_holds(&*fresh().await).await;
    a_zombie_is_refused_and_its_values_are_not_believed(&*fresh().await).await;
    a_holder_disturbed_by_a_zombie_asserts_again(&*fresh().await).await;
}

fn record() -> RecordId {
    RecordId("r1".into())
}

async fn begin(store: &dyn Outbox, nonce: &str, now: Timestamp) -> OutboxTurn {
    let request = WriteRequest { record: record(), target: "hubspot".into(), nonce: nonce.into(), now, lease_until: now.after(LEASE) };
    store.begin_write(&request).await.unwrap()
}

async fn take(store: &dyn Outbox, nonce: &str, now: Timestamp) -> OutboxLease {
    match begin(store, nonce, now).await {
        OutboxTurn::Yours(lease) => lease,
        OutboxTurn::Busy { until } => unreachable!("busy until {until}"),
    }
}

fn written(digest: &str) -> Written {
    Written { digest: digest.into(), seq: 1, external_id: "512".into() }
}

async fn last(store: &dyn Outbox) -> Option<Written> {
    store.last_write(&record(), "hubspot").await.unwrap()
}

async fn a_finished_write_is_remembered(store: &dyn Store) {
    assert_eq!(last(store).await, None);
    let lease = take(store, "n1", START).await;
    assert_eq!(lease.last, None);
    store.finish_write(&lease, &written("d1")).await.unwrap();
    assert_eq!(take(store, "n2", START.after(Millis(1))).await.last, Some(written("d1")));
    assert_eq!(last(store).await, Some(written("d1")));
}

async fn one_worker_writes_at_a_time(store: &dyn Store) {
    take(store, "n1", START).await;
    assert_eq!(begin(store, "n2", START.after(Millis(1))).await, OutboxTurn::Busy { until: START.after(LEASE) });
}

async fn an_abandoned_write_changes_nothing(store: &dyn Store) {
    let lease = take(store, "n1", START).await;
    store.finish_write(&lease, &written("d1")).await.unwrap();
    let lease = take(store, "n2", START.after(Millis(1))).await;
    store.abandon_write(&lease).await.unwrap();
    assert_eq!(take(store, "n3", START.after(Millis(2))).await.last, Some(written("d1")));
}

async fn an_expired_mark_means_that_nobody_knows_what_the_target_holds(store: &dyn Store) {
    let lease = take(store, "n1", START).await;
    store.finish_write(&lease, &written("d1")).await.unwrap();
    take(store, "n2", START.after(Millis(1))).await;
    let after_the_crash = START.after(LEASE).after(Millis(10));
    let taken = take(store, "n3", after_the_crash).await;
    assert_eq!((&taken.last, taken.took_over), (&None, true));
    store.abandon_write(&taken).await.unwrap();
    assert!(!take(store, "n4", after_the_crash.after(Millis(1))).await.took_over, "only whoever found the mark took over");
}

async fn a_zombie_is_refused_and_its_values_are_not_believed(store: &dyn Store) {
    let zombie = take(store, "n1", START).await;
    let later = START.after(LEASE).after(Millis(1));
    let lease = take(store, "n2", later).await;
    store.finish_write(&lease, &written("d2")).await.unwrap();
    assert_eq!(store.finish_write(&zombie, &written("d1")).await, Err(StoreError::FenceLost));
    assert_eq!(last(store).await, None, "the zombie wrote over d2, so d2 has to be asserted again");
}

async fn a_holder_disturbed_by_a_zombie_asserts_again(store: &dyn Store) {
    let zombie = take(store, "n1", START).await;
    let later = START.after(LEASE).after(Millis(1));
    let holder = take(store, "n2", later).await;
    assert_eq!(store.finish_write(&zombie, &written("d1")).await, Err(StoreError::FenceLost));
    assert_eq!(store.finish_write(&holder, &written("d2")).await, Err(StoreError::FenceLost), "d1 may stand over d2");
    assert_eq!(last(store).await, None);
    let again = take(store, "n3", later.after(Millis(1))).await;
    store.finish_write(&again, &written("d2")).await.unwrap();
    assert_eq!(last(store).await, Some(written("d2")));
}
