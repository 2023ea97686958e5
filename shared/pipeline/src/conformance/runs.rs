use std::sync::Arc;

use domain::units::Millis;

use super::{LEASE, START, claim, run, run_id, take};
use crate::ports::{Claim, Poison, Runs, Stage, Store, StoreError, Window};

/// Claims, fences and stages (RELIABILITY §2, IDP).
pub async fn runs_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    the_first_claim_stores_the_run(&*fresh().await).await;
    a_live_lease_keeps_others_out(&*fresh().await).await;
    an_expired_lease_is_taken_by_exactly_one_of_two_racers(fresh().await).await;
    a_lost_reply_is_recognised_by_its_nonce(&*fresh().await).await;
    another_payload_under_the_same_id_is_refused(&*fresh().await).await;
    a_parked_run_is_taken_up_with_its_progress(&*fresh().await).await;
    a_decided_run_is_only_handed_over(&*fresh().await).await;
    a_finished_run_is_terminal(&*fresh().await).await;
    a_zombie_writes_nothing(&*fresh().await).await;
    the_same_write_twice_is_no_error(&*fresh().await).await;
    a_renewed_lease_keeps_others_out_longer(&*fresh().await).await;
    a_freed_run_is_taken_up_where_its_progress_was_stored(&*fresh().await).await;
    poison_is_kept(&*fresh().await).await;
}

async fn the_first_claim_stores_the_run(store: &dyn Store) {
    assert!(store.read_run(&run_id('a')).await.unwrap().is_none());
    let (lease, taken) = take(store, 'a', "n1", START).await;
    assert_eq!((lease.fence, taken), (1, run('a')));
    let stored = store.read_run(&run_id('a')).await.unwrap().unwrap();
    assert_eq!((stored.stage, stored.run), (Stage::Working, run('a')));
}

async fn a_live_lease_keeps_others_out(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    let answer = store.claim_run(&claim('a', "n2", START.after(Millis(1)))).await.unwrap();
    assert_eq!(answer, Claim::Busy { until: lease.until });
}

async fn an_expired_lease_is_taken_by_exactly_one_of_two_racers(store: Arc<dyn Store>) {
    take(&*store, 'a', "n1", START).await;
    let later = START.after(LEASE).after(Millis(1));
    let (left_request, right_request) = (claim('a', "n2", later), claim('a', "n3", later));
    let (left, right) = tokio::join!(store.claim_run(&left_request), store.claim_run(&right_request));
    let won = [left.unwrap(), right.unwrap()].iter().filter(|claim| matches!(claim, Claim::Mine(lease, _) if lease.fence == 2)).count();
    assert_eq!(won, 1);
}

async fn a_lost_reply_is_recognised_by_its_nonce(store: &dyn Store) {
    let (first, _) = take(store, 'a', "n1", START).await;
    let (again, _) = take(store, 'a', "n1", START.after(Millis(5))).await;
    assert_eq!(first, again);
}

async fn another_payload_under_the_same_id_is_refused(store: &dyn Store) {
    take(store, 'a', "n1", START).await;
    let mut other = claim('a', "n2", START.after(LEASE).after(Millis(1)));
    other.payload_hash = "another".into();
    assert_eq!(store.claim_run(&other).await.unwrap(), Claim::OtherPayload);
}

async fn a_parked_run_is_taken_up_with_its_progress(store: &dyn Store) {
    let (lease, mut taken) = take(store, 'a', "n1", START).await;
    taken.config = "progress".into();
    store.park_run(&lease, &taken).await.unwrap();
    assert_eq!(store.read_run(&run_id('a')).await.unwrap().unwrap().stage, Stage::Parked);
    let (next, resumed) = take(store, 'a', "n2", START.after(Millis(1))).await;
    assert_eq!((next.fence, resumed.config.as_str()), (2, "progress"));
    assert_eq!(store.save_run(&lease, &taken).await, Err(StoreError::FenceLost), "the parked claimant is out");
}

async fn a_decided_run_is_only_handed_over(store: &dyn Store) {
    let (lease, taken) = take(store, 'a', "n1", START).await;
    store.decide_run(&lease, &taken).await.unwrap();
    assert_eq!(store.save_run(&lease, &taken).await, Err(StoreError::FenceLost), "a decision is not undone");
    let later = START.after(LEASE).after(Millis(1));
    assert!(matches!(store.claim_run(&claim('a', "n2", later)).await.unwrap(), Claim::HandOver(lease, _) if lease.fence == 2));
}

async fn a_finished_run_is_terminal(store: &dyn Store) {
    let (lease, taken) = take(store, 'a', "n1", START).await;
    assert_eq!(store.finish_run(&lease).await, Err(StoreError::FenceLost), "what was not decided is not finished");
    store.decide_run(&lease, &taken).await.unwrap();
    store.finish_run(&lease).await.unwrap();
    assert_eq!(store.claim_run(&claim('a', "n2", START.after(Millis(1)))).await.unwrap(), Claim::Terminal(Box::new(taken)));
    assert_eq!(store.read_run(&run_id('a')).await.unwrap().unwrap().stage, Stage::Done);
}

async fn a_zombie_writes_nothing(store: &dyn Store) {
    let (zombie, taken) = take(store, 'a', "n1", START).await;
    take(store, 'a', "n2", START.after(LEASE).after(Millis(1))).await;
    for refused in [
        store.save_run(&zombie, &taken).await,
        store.park_run(&zombie, &taken).await,
        store.decide_run(&zombie, &taken).await,
        store.finish_run(&zombie).await,
    ] {
        assert_eq!(refused, Err(StoreError::FenceLost));
    }
}

async fn the_same_write_twice_is_no_error(store: &dyn Store) {
    let (lease, taken) = take(store, 'a', "n1", START).await;
    for _ in 0..2 {
        store.decide_run(&lease, &taken).await.unwrap();
    }
    for _ in 0..2 {
        store.finish_run(&lease).await.unwrap();
    }
    let (lease, taken) = take(store, 'b', "n1", START).await;
    for _ in 0..2 {
        store.park_run(&lease, &taken).await.unwrap();
    }
}

async fn a_freed_run_is_taken_up_where_its_progress_was_stored(store: &dyn Store) {
    let (lease, mut taken) = take(store, 'a', "n1", START).await;
    taken.config = "progress".into();
    store.save_run(&lease, &taken).await.unwrap();
    for _ in 0..2 {
        store.free_run(&lease).await.unwrap();
    }
    let (next, resumed) = take(store, 'a', "n2", START.after(Millis(1))).await;
    assert_eq!((next.fence, resumed.config.as_str()), (2, "progress"));
    assert_eq!(store.free_run(&lease).await, Err(StoreError::FenceLost), "a zombie frees nothing");
    store.decide_run(&next, &resumed).await.unwrap();
    assert_eq!(store.free_run(&next).await, Err(StoreError::FenceLost), "what is decided is handed over, not begun again");
}

async fn a_renewed_lease_keeps_others_out_longer(store: &dyn Store) {
    let (lease, taken) = take(store, 'a', "n1", START).await;
    let longer = START.after(LEASE).after(LEASE);
    let renewed = store.renew_run(&lease, longer).await.unwrap();
    assert_eq!((renewed.fence, renewed.until), (lease.fence, longer));
    let later = START.after(LEASE).after(Millis(1));
    assert_eq!(store.claim_run(&claim('a', "n2", later)).await.unwrap(), Claim::Busy { until: longer });
    assert_eq!(store.renew_run(&lease, START).await.unwrap().until, longer, "a renewal never shortens a lease");
    let (next, _) = take(store, 'a', "n3", longer.after(Millis(1))).await;
    assert_eq!(store.renew_run(&lease, longer).await, Err(StoreError::FenceLost), "a zombie renews nothing");
    store.park_run(&next, &taken).await.unwrap();
    assert_eq!(store.renew_run(&next, longer).await, Err(StoreError::FenceLost), "what is parked has no lease");
}

async fn poison_is_kept(store: &dyn Store) {
    let poison = Poison { id: "m1".into(), queue: "lookup-high".into(), why: "not JSON".into(), body: "{".into(), at: START };
    store.keep_poison(&poison).await.unwrap();
    store.keep_poison(&poison).await.unwrap();
}

/// Identity windows.
pub async fn windows_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    one_run_of_a_person_holds_the_window(&*fresh().await).await;
    a_hold_past_its_end_is_taken_over(&*fresh().await).await;
    a_paid_window_names_the_payer_until_its_end(&*fresh().await).await;
    a_freed_window_is_open_again_and_a_paid_one_is_not_freed(&*fresh().await).await;
}

async fn open(store: &dyn Runs, letter: char, after: Millis) -> Window {
    let now = START.after(after);
    store.open_window("i", &run_id(letter), now, now.after(LEASE)).await.unwrap()
}

async fn one_run_of_a_person_holds_the_window(store: &dyn Store) {
    assert_eq!(open(store, 'a', Millis(0)).await, Window::Mine);
    assert_eq!(open(store, 'a', Millis(1)).await, Window::Mine, "the holder asks again");
    assert!(matches!(open(store, 'b', Millis(2)).await, Window::HeldBy { run, .. } if run == run_id('a')));
}

async fn a_hold_past_its_end_is_taken_over(store: &dyn Store) {
    open(store, 'a', Millis(0)).await;
    assert_eq!(open(store, 'b', Millis(LEASE.0 + 1)).await, Window::Mine);
}

async fn a_paid_window_names_the_payer_until_its_end(store: &dyn Store) {
    open(store, 'a', Millis(0)).await;
    store.close_window_paid("i", &run_id('b'), START.after(Millis::hours(9))).await.unwrap();
    store.close_window_paid("i", &run_id('a'), START.after(Millis::hours(1))).await.unwrap();
    assert!(matches!(open(store, 'b', Millis(1)).await, Window::HeldBy { .. }), "the payer is still at it");
    assert_eq!(open(store, 'a', Millis(2)).await, Window::Mine, "the payer goes on");
    store.free_window("i", &run_id('a')).await.unwrap();
    assert_eq!(open(store, 'b', Millis::minutes(59)).await, Window::PaidBy(run_id('a')));
    assert_eq!(open(store, 'b', Millis::minutes(61)).await, Window::Mine);
}

async fn a_freed_window_is_open_again_and_a_paid_one_is_not_freed(store: &dyn Store) {
    open(store, 'a', Millis(0)).await;
    store.free_window("i", &run_id('b')).await.unwrap();
    assert!(matches!(open(store, 'b', Millis(1)).await, Window::HeldBy { .. }), "only the holder frees");
    store.free_window("i", &run_id('a')).await.unwrap();
    assert_eq!(open(store, 'b', Millis(2)).await, Window::Mine);
    store.close_window_paid("i", &run_id('b'), START.after(Millis::hours(1))).await.unwrap();
    store.free_window("i", &run_id('b')).await.unwrap();
    assert_eq!(open(store, 'a', Millis(3)).await, Window::PaidBy(run_id('b')));
}
