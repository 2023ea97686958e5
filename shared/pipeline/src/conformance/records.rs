use std::sync::Arc;

use domain::observation::{Basis, Observation};
use domain::record::{Alias, Record, RecordId};
use domain::schema::Field;
use domain::units::BasisPoints;
use domain::value::Value;

use super::START;
use crate::ports::{Saved, Store};

/// Records, their aliases and the turns of owners.
pub async fn records_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    a_record_is_found_by_each_of_its_aliases(&*fresh().await).await;
    two_records_cannot_share_an_alias(&*fresh().await).await;
    a_write_over_another_version_is_a_conflict(&*fresh().await).await;
    an_old_record_gains_aliases(&*fresh().await).await;
    every_turn_is_taken_once(fresh().await).await;
}

fn alias(kind: &str) -> Alias {
    Alias { kind: kind.into(), hash: format!("hash-of-{kind}") }
}

fn record(id: &str, version: u64) -> Record {
    let observation = Observation {
        field: Field::known("company.traffic_trend_90d"),
        value: Value::Number("0.15".parse().unwrap()),
        source: "test".into(),
        family: "test".into(),
        observed_at: START,
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    };
    Record { id: RecordId(id.into()), version, observations: vec![observation], decided: None }
}

async fn a_record_is_found_by_each_of_its_aliases(store: &dyn Store) {
    let (email, external) = (alias("email"), alias("external_id"));
    assert_eq!(store.find_record(std::slice::from_ref(&email)).await.unwrap(), None);
    assert_eq!(store.save_record(&record("r1", 1), &[email.clone(), external.clone()]).await.unwrap(), Saved::Stored);
    for known in [email, external] {
        assert_eq!(store.find_record(&[alias("unknown"), known]).await.unwrap(), Some(record("r1", 1)));
    }
    assert_eq!(store.read_record(&RecordId("r1".into())).await.unwrap(), Some(record("r1", 1)));
}

async fn two_records_cannot_share_an_alias(store: &dyn Store) {
    store.save_record(&record("r1", 1), &[alias("email")]).await.unwrap();
    assert_eq!(store.save_record(&record("r2", 1), &[alias("email"), alias("other")]).await.unwrap(), Saved::Conflict);
    assert_eq!(store.find_record(&[alias("other")]).await.unwrap(), None, "a refused creation leaves nothing behind");
    assert_eq!(store.read_record(&RecordId("r2".into())).await.unwrap(), None);
}

async fn a_write_over_another_version_is_a_conflict(store: &dyn Store) {
    store.save_record(&record("r1", 1), &[]).await.unwrap();
    assert_eq!(store.save_record(&record("r1", 1), &[]).await.unwrap(), Saved::Conflict);
    assert_eq!(store.save_record(&record("r1", 3), &[]).await.unwrap(), Saved::Conflict);
    assert_eq!(store.save_record(&record("r1", 2), &[]).await.unwrap(), Saved::Stored);
}

async fn an_old_record_gains_aliases(store: &dyn Store) {
    store.save_record(&record("r1", 1), &[alias("email")]).await.unwrap();
    store.save_record(&record("r1", 2), &[alias("email"), alias("social_url")]).await.unwrap();
    assert_eq!(store.find_record(&[alias("social_url")]).await.unwrap().unwrap().version, 2);
}

async fn every_turn_is_taken_once(store: Arc<dyn Store>) {
    let turns = futures::future::join_all((0..20).map(|_| store.next_turn("ae_queue"))).await;
    let mut turns: Vec<u64> = turns.into_iter().map(Result::unwrap).collect();
    turns.sort_unstable();
    assert_eq!(turns, (0..20).collect::<Vec<u64>>());
    assert_eq!(store.next_turn("sdr_queue").await.unwrap(), 0, "each pool counts for itself");
}
