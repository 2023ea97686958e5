use domain::credits::Tariff;
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::ports::{Cache, CacheKey, CachedReply, Poison, Runs};
use platform::{DEFAULT_WORKSPACE, Table};

use crate::database::{START, fresh, run_id, take};

#[tokio::test]
async fn tables_that_are_there_stay_as_they_are() {
    let fresh = fresh().await;
    take(&fresh.store, 'a', "n1", START).await;
    assert_eq!(fresh.aws.create_tables("test").await.unwrap(), fresh.tables);
    assert!(fresh.store.read_run(&run_id('a')).await.unwrap().is_some());
}

#[tokio::test]
async fn x_38_every_key_starts_with_the_workspace_and_workspaces_are_apart() {
    let fresh = fresh().await;
    take(&fresh.store, 'a', "n1", START).await;
    let other = fresh.aws.store(fresh.tables.clone(), "other");
    assert!(other.read_run(&run_id('a')).await.unwrap().is_none());
    for table in Table::ALL {
        for item in fresh.items(table) {
            assert!(item["pk"]["S"].as_str().unwrap().starts_with(&format!("{DEFAULT_WORKSPACE}#")));
        }
    }
}

#[tokio::test]
async fn s3_68_the_clean_up_leaves_runs_for_at_least_90_days_and_replies_past_their_freshness() {
    let fresh = fresh().await;
    take(&fresh.store, 'a', "n1", START).await;
    fresh.store.keep_poison(&Poison { id: "m".into(), queue: "q".into(), why: "w".into(), body: "b".into(), at: START }).await.unwrap();
    for item in fresh.items(Table::Leads) {
        assert!(expires_after_days(&item) >= 90);
    }
    let reply = CachedReply {
        reply: Reply::NoMatch,
        fetched_at: START,
        fresh_until: START.after(Millis::days(7)),
        reservation: None,
        tariff: Tariff::Single,
    };
    fresh.store.keep_reply(&CacheKey { operation: "o".into(), hash: "h".into() }, &reply).await.unwrap();
    assert_eq!(expires_after_days(&fresh.items(Table::Cache)[0]), 37);
}

fn expires_after_days(item: &std::collections::BTreeMap<String, serde_json::Value>) -> i64 {
    let seconds: i64 = item["expires_at"]["N"].as_str().unwrap().parse().unwrap();
    (seconds - START.seconds()) / 86_400
}
