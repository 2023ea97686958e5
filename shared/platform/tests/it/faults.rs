//! A write took effect and its sender hears otherwise, at every verb (RELIABILITY §1: "lost reply").

use domain::credits::{Settlement, Tariff, Threshold};
use domain::record::{Alias, Record, RecordId};
use domain::reply::Reply;
use domain::units::{Credits, Millis};
use pipeline::ports::{
    Cache as _, CacheKey, CachedReply, Ledger, Outbox, OutboxTurn, Records, Reserved, Runs, Saved, Stage, StoreError, WriteRequest, Written,
};

use crate::credits::{bounds, reservation};
use crate::database::{LEASE, START, run_id, take};
use crate::proxy::{Fault, fresh_with_faults};

#[tokio::test]
async fn the_lost_reply_to_a_claim_costs_no_second_fence() {
    let (fresh, faults) = fresh_with_faults().await;
    faults.next(&[Fault::LostReply]);
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    assert_eq!((lease.fence, faults.left()), (1, 0));
}

#[tokio::test]
async fn the_lost_reply_to_any_write_of_a_run_is_no_error() {
    let (fresh, faults) = fresh_with_faults().await;
    let (lease, run) = take(&fresh.store, 'a', "n1", START).await;
    faults.next(&[Fault::LostReply]);
    fresh.store.save_run(&lease, &run).await.unwrap();
    faults.next(&[Fault::LostReply]);
    fresh.store.park_run(&lease, &run).await.unwrap();
    let (lease, run) = take(&fresh.store, 'a', "n2", START.after(Millis(1))).await;
    faults.next(&[Fault::LostReply]);
    fresh.store.decide_run(&lease, &run).await.unwrap();
    faults.next(&[Fault::LostReply]);
    fresh.store.finish_run(&lease).await.unwrap();
    assert_eq!(fresh.store.read_run(&run_id('a')).await.unwrap().unwrap().stage, Stage::Done);
}

#[tokio::test]
async fn a_reservation_and_a_settlement_whose_replies_are_lost_take_effect_once() {
    for fault in [Fault::LostReply, Fault::Collision] {
        let (fresh, faults) = fresh_with_faults().await;
        let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
        faults.next(&[fault]);
        assert_eq!(fresh.store.reserve(&lease, &reservation(1), &bounds()).await.unwrap(), Reserved::Reserved);
        assert_eq!(fresh.store.balance("2026-11").await.unwrap().unwrap().reserved, reservation(1).amount);
        faults.next(&[fault]);
        let settled = reservation(1).settled(Settlement::Used(Credits::whole(1))).unwrap();
        assert!(fresh.store.move_on(&reservation(1), &settled).await.unwrap());
        let balance = fresh.store.balance("2026-11").await.unwrap().unwrap();
        assert_eq!((balance.used, balance.reserved), (Credits::whole(1), Credits::ZERO));
        assert_eq!(faults.left(), 0);
    }
}

#[tokio::test]
async fn x_10_a_threshold_whose_marks_reply_is_lost_is_still_told_by_whoever_marked_it_and_by_nobody_else() {
    let (fresh, faults) = fresh_with_faults().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.reserve(&lease, &reservation(1), &bounds()).await.unwrap();
    faults.next(&[Fault::LostReply]);
    assert!(fresh.store.mark_crossed("2026-11", Threshold::Half, START).await.unwrap());
    assert!(!fresh.store.mark_crossed("2026-11", Threshold::Half, START.after(Millis(1))).await.unwrap());
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn a_collision_is_not_a_refusal_however_often_it_happens() {
    let (fresh, faults) = fresh_with_faults().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    faults.next(&[Fault::Collision; 7]);
    assert_eq!(fresh.store.reserve(&lease, &reservation(1), &bounds()).await.unwrap(), Reserved::Reserved);
    faults.next(&[Fault::Collision; 8]);
    let settled = reservation(1).settled(Settlement::Unknown).unwrap();
    let error = fresh.store.move_on(&reservation(1), &settled).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("collided")), "{error}");
}

#[tokio::test]
async fn a_plain_write_waits_until_somebodys_transaction_is_over_but_not_for_ever() {
    let (fresh, faults) = fresh_with_faults().await;
    let (lease, run) = take(&fresh.store, 'a', "n1", START).await;
    faults.next(&[Fault::InTransaction; 7]);
    fresh.store.save_run(&lease, &run).await.unwrap();
    let key = CacheKey { operation: "hunter.person".into(), hash: "h1".into() };
    let kept = CachedReply {
        reply: Reply::NoMatch,
        fetched_at: START,
        fresh_until: START.after(LEASE),
        reservation: None,
        tariff: Tariff::Single,
    };
    faults.next(&[Fault::InTransaction; 7]);
    fresh.store.keep_reply(&key, &kept).await.unwrap();
    faults.next(&[Fault::InTransaction; 8]);
    let error = fresh.store.save_run(&lease, &run).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("TransactionConflict")), "{error}");
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn a_record_whose_creation_was_answered_late_is_stored_once() {
    let (fresh, faults) = fresh_with_faults().await;
    let record = Record { version: 1, ..Record::new(RecordId("r1".into())) };
    let alias = Alias { kind: "email".into(), hash: "h".into() };
    faults.next(&[Fault::LostReply]);
    assert_eq!(fresh.store.save_record(&record, std::slice::from_ref(&alias)).await.unwrap(), Saved::Stored);
    assert_eq!(fresh.store.find_record(&[alias]).await.unwrap(), Some(record));
}

#[tokio::test]
async fn a_lost_reply_to_a_later_version_of_a_record_is_a_conflict_that_one_more_merge_resolves() {
    let (fresh, faults) = fresh_with_faults().await;
    let mut record = Record { version: 1, ..Record::new(RecordId("r1".into())) };
    fresh.store.save_record(&record, &[]).await.unwrap();
    record.version = 2;
    faults.next(&[Fault::LostReply]);
    assert_eq!(fresh.store.save_record(&record, &[]).await.unwrap(), Saved::Conflict);
    assert_eq!(fresh.store.read_record(&record.id).await.unwrap(), Some(record));
}

#[tokio::test]
async fn an_outbound_write_whose_replies_are_lost_is_begun_and_finished_once() {
    let (fresh, faults) = fresh_with_faults().await;
    let (record, target) = (RecordId("r1".into()), "hubspot".to_owned());
    let request = WriteRequest { record, target, nonce: "n1".into(), now: START, lease_until: START.after(LEASE) };
    faults.next(&[Fault::LostReply]);
    let OutboxTurn::Yours(lease) = fresh.store.begin_write(&request).await.unwrap() else { unreachable!("nobody else writes") };
    let written = Written { digest: "d1".into(), seq: 1, external_id: "512".into() };
    faults.next(&[Fault::LostReply]);
    fresh.store.finish_write(&lease, &written).await.unwrap();
    assert_eq!(fresh.store.last_write(&lease.record, "hubspot").await.unwrap(), Some(written));
}
