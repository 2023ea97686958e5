//! The cases of RELIABILITY §2 (IDP) that a store answers for.

use domain::units::Millis;
use pipeline::ports::{Claim, Runs, Stage, StoreError};
use platform::Table;
use serde_json::json;

use crate::database::{LEASE, START, claim, fresh, run_id, take};

#[tokio::test]
async fn the_first_claim_stores_the_run_with_fence_1() {
    let fresh = fresh().await;
    let (lease, run) = take(&fresh.store, 'a', "n1", START).await;
    assert_eq!((lease.fence, lease.until), (1, START.after(LEASE)));
    assert_eq!(fresh.store.read_run(&run_id('a')).await.unwrap().unwrap().run, run);
}

#[tokio::test]
async fn a_finished_run_is_terminal_even_after_its_lease() {
    let fresh = fresh().await;
    let (lease, run) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.decide_run(&lease, &run).await.unwrap();
    fresh.store.finish_run(&lease).await.unwrap();
    let answer = fresh.store.claim_run(&claim('a', "n2", START.after(Millis::days(1)))).await.unwrap();
    assert_eq!(answer, Claim::Terminal(Box::new(run)));
}

#[tokio::test]
async fn a_live_lease_is_busy_to_its_last_moment() {
    let fresh = fresh().await;
    let (lease, _) = take(&fresh.store, 'a', "n1", START).await;
    let answer = fresh.store.claim_run(&claim('a', "n2", lease.until)).await.unwrap();
    assert_eq!(answer, Claim::Busy { until: lease.until });
}

#[tokio::test]
async fn an_expired_lease_is_taken_by_exactly_one_of_many_racers() {
    let fresh = fresh().await;
    take(&fresh.store, 'a', "n0", START).await;
    let later = START.after(LEASE).after(Millis(1));
    let racers = (1..=16).map(|n| {
        let (store, request) = (fresh.store.clone(), claim('a', &format!("n{n}"), later));
        tokio::spawn(async move { store.claim_run(&request).await.unwrap() })
    });
    let answers = futures::future::join_all(racers).await;
    let won = answers.into_iter().filter(|answer| matches!(answer.as_ref().unwrap(), Claim::Mine(lease, _) if lease.fence == 2)).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn the_same_id_with_another_payload_is_refused_in_every_stage() {
    let fresh = fresh().await;
    let (lease, run) = take(&fresh.store, 'a', "n1", START).await;
    let mut other = claim('a', "n2", START.after(LEASE).after(Millis(1)));
    other.payload_hash = "another".into();
    assert_eq!(fresh.store.claim_run(&other).await.unwrap(), Claim::OtherPayload);
    fresh.store.decide_run(&lease, &run).await.unwrap();
    fresh.store.finish_run(&lease).await.unwrap();
    assert_eq!(fresh.store.claim_run(&other).await.unwrap(), Claim::OtherPayload);
}

#[tokio::test]
async fn a_lost_reply_to_a_claim_is_recognised_by_its_nonce() {
    let fresh = fresh().await;
    let (first, _) = take(&fresh.store, 'a', "n1", START).await;
    let (again, _) = take(&fresh.store, 'a', "n1", START.after(Millis(3))).await;
    assert_eq!(first, again);
}

#[tokio::test]
async fn a_lost_reply_to_parking_deciding_or_finishing_is_no_error() {
    let fresh = fresh().await;
    let (lease, run) = take(&fresh.store, 'a', "n1", START).await;
    for _ in 0..2 {
        fresh.store.park_run(&lease, &run).await.unwrap();
    }
    let (lease, run) = take(&fresh.store, 'a', "n2", START.after(Millis(1))).await;
    for _ in 0..2 {
        fresh.store.decide_run(&lease, &run).await.unwrap();
    }
    for _ in 0..2 {
        fresh.store.finish_run(&lease).await.unwrap();
    }
    assert_eq!(fresh.store.read_run(&run_id('a')).await.unwrap().unwrap().stage, Stage::Done);
}

#[tokio::test]
async fn a_zombies_late_finish_is_refused() {
    let fresh = fresh().await;
    let (zombie, run) = take(&fresh.store, 'a', "n1", START).await;
    fresh.store.decide_run(&zombie, &run).await.unwrap();
    let later = START.after(LEASE).after(Millis(1));
    assert!(matches!(fresh.store.claim_run(&claim('a', "n2", later)).await.unwrap(), Claim::HandOver(..)));
    assert_eq!(fresh.store.finish_run(&zombie).await, Err(StoreError::FenceLost));
    assert_eq!(fresh.store.decide_run(&zombie, &run).await, Err(StoreError::FenceLost));
}

#[tokio::test]
async fn a_lease_that_is_already_over_is_set_all_the_same() {
    let fresh = fresh().await;
    let mut request = claim('a', "n1", START);
    request.lease_until = START;
    assert!(matches!(fresh.store.claim_run(&request).await.unwrap(), Claim::Mine(..)));
    assert!(
        matches!(fresh.store.claim_run(&claim('a', "n2", START.after(Millis(1)))).await.unwrap(), Claim::Mine(lease, _) if lease.fence == 2)
    );
}

#[tokio::test]
async fn a_run_that_nobody_claimed_cannot_be_written() {
    let fresh = fresh().await;
    let (mut lease, run) = take(&fresh.store, 'a', "n1", START).await;
    lease.run = run_id('b');
    assert_eq!(fresh.store.save_run(&lease, &run).await, Err(StoreError::FenceLost));
    assert_eq!(fresh.items(Table::Leads).len(), 1);
}

#[tokio::test]
async fn a_corrupted_stored_item_is_a_clear_error_that_names_its_key_and_no_content() {
    let fresh = fresh().await;
    take(&fresh.store, 'a', "n1", START).await;
    let good = fresh.items(Table::Leads).remove(0);
    let breakages = [
        ("doc", json!({ "S": "{\"id\":\"canary\"}" }), "`doc`"),
        ("stage", json!({ "S": "asleep" }), "`stage`"),
        ("v", json!({ "N": "2" }), "its form is 2"),
    ];
    for (attribute, value, words) in breakages {
        let mut broken = good.clone();
        broken.insert(attribute.to_owned(), value);
        fresh.overwrite(Table::Leads, &broken);
        let error = fresh.store.read_run(&run_id('a')).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{text}");
        assert!(text.contains("default#RUN#aaa") && text.contains(words) && !text.contains("canary"), "{text}");
    }
    let mut without_lease = good;
    without_lease.remove("lease_until");
    fresh.overwrite(Table::Leads, &without_lease);
    let claimed = fresh.store.claim_run(&claim('a', "n2", START.after(Millis::days(1)))).await;
    assert!(matches!(claimed, Err(StoreError::Corrupt { .. })), "a run without a lease is given to nobody");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_unavailable() {
    let aws = platform::Aws::local("http://127.0.0.1:9").await.unwrap();
    let store = aws.store(platform::TableNames::prefixed("test"), platform::DEFAULT_WORKSPACE);
    let error = store.claim_run(&claim('a', "n1", START)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}
