use domain::record::{Alias, Record, RecordId};
use domain::units::Millis;
use pipeline::ports::{Outbox, OutboxTurn, Records, Saved, StoreError, WriteRequest, Written};
use platform::Table;
use serde_json::json;

use crate::database::{LEASE, START, fresh};

fn alias(kind: &str) -> Alias {
    Alias { kind: kind.into(), hash: "h".into() }
}

fn record(id: &str) -> Record {
    Record { version: 1, ..Record::new(RecordId(id.into())) }
}

#[tokio::test]
async fn an_erased_person_is_not_recreated() {
    let fresh = fresh().await;
    let tombstone = json!({ "pk": { "S": "default#KEY#email#h" }, "sk": { "S": "-" }, "v": { "N": "1" }, "erased": { "BOOL": true } });
    fresh.overwrite(Table::Leads, &serde_json::from_value(tombstone).unwrap());
    assert_eq!(fresh.store.save_record(&record("r1"), &[alias("email")]).await.unwrap(), Saved::Conflict);
    assert_eq!(fresh.store.find_record(&[alias("email")]).await.unwrap(), None);
}

#[tokio::test]
async fn an_alias_given_twice_is_one_alias() {
    let fresh = fresh().await;
    assert_eq!(fresh.store.save_record(&record("r1"), &[alias("email"), alias("email")]).await.unwrap(), Saved::Stored);
}

#[tokio::test]
async fn of_racing_creations_of_one_person_one_wins_and_the_loser_leaves_nothing() {
    let fresh = fresh().await;
    let racers = (0..8).map(|n| {
        let store = fresh.store.clone();
        tokio::spawn(async move { store.save_record(&record(&format!("r{n}")), &[alias("email"), alias("social_url")]).await.unwrap() })
    });
    let answers = futures::future::join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| *answer.as_ref().unwrap() == Saved::Stored).count(), 1);
    assert_eq!(fresh.items(Table::Leads).len(), 3);
}

#[tokio::test]
async fn a_lost_reply_to_a_finished_write_is_no_error() {
    let fresh = fresh().await;
    let request = WriteRequest {
        record: RecordId("r1".into()),
        target: "hubspot".into(),
        nonce: "n1".into(),
        now: START,
        lease_until: START.after(LEASE),
    };
    let OutboxTurn::Yours(lease) = fresh.store.begin_write(&request).await.unwrap() else { unreachable!("nobody else writes") };
    let written = Written { digest: "d1".into(), seq: 3, external_id: "512".into() };
    for _ in 0..2 {
        fresh.store.finish_write(&lease, &written).await.unwrap();
    }
    assert_eq!(fresh.store.last_write(&lease.record, "hubspot").await.unwrap(), Some(written));
}

#[tokio::test]
async fn an_expired_mark_is_taken_over_by_exactly_one_of_many_racers() {
    let fresh = fresh().await;
    let request = |nonce: String, now| WriteRequest {
        record: RecordId("r1".into()),
        target: "hubspot".into(),
        nonce,
        now,
        lease_until: START.after(Millis::hours(1)),
    };
    let crashed = WriteRequest { lease_until: START.after(LEASE), ..request("n0".into(), START) };
    fresh.store.begin_write(&crashed).await.unwrap();
    let racers = (1..=8).map(|n| {
        let (store, request) = (fresh.store.clone(), request(format!("n{n}"), START.after(LEASE).after(Millis(1))));
        tokio::spawn(async move { store.begin_write(&request).await.unwrap() })
    });
    let answers = futures::future::join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer.as_ref().unwrap(), OutboxTurn::Yours(_))).count(), 1);
}

#[tokio::test]
async fn a_corrupted_record_is_a_clear_error() {
    let fresh = fresh().await;
    fresh.store.save_record(&record("r1"), &[]).await.unwrap();
    let mut broken = fresh.items(Table::Leads).remove(0);
    broken.insert("version".into(), json!({ "N": "7" }));
    fresh.overwrite(Table::Leads, &broken);
    let error = fresh.store.read_record(&RecordId("r1".into())).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { key, .. } if key.starts_with("default#REC#lead#r1")), "{error}");
}
