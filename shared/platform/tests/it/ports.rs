//! The suites that memory passes too.

use std::sync::Arc;

use pipeline::conformance::{
    cache_suite, decided_runs_suite, ledger_suite, outbox_suite, put_aside_suite, records_suite, run_log_suite, runs_suite, settings_suite,
    windows_suite,
};
use pipeline::ports::Store;

use crate::database::fresh;

async fn store() -> Arc<dyn Store> {
    Arc::new(fresh().await.store)
}

#[tokio::test]
async fn runs_are_claimed_and_fenced() {
    runs_suite(store).await;
}

#[tokio::test]
async fn x_01_windows_are_held_by_one_run() {
    windows_suite(store).await;
}

#[tokio::test]
async fn records_are_versioned() {
    records_suite(store).await;
}

#[tokio::test]
async fn credits_are_reserved_and_settled() {
    ledger_suite(store).await;
}

#[tokio::test]
async fn replies_are_kept() {
    cache_suite(store).await;
}

#[tokio::test]
async fn outbound_writes_are_leased() {
    outbox_suite(store).await;
}

#[tokio::test]
async fn what_was_put_aside_is_found_and_forgotten() {
    put_aside_suite(async || Arc::new(fresh().await.store)).await;
}

#[tokio::test]
async fn the_logs_of_runs_that_are_done_are_added_to() {
    decided_runs_suite(async || Arc::new(fresh().await.store)).await;
}

#[tokio::test]
async fn all_runs_are_shown_to_an_audit() {
    run_log_suite(async || Arc::new(fresh().await.store)).await;
}

#[tokio::test]
async fn versions_of_the_configuration_are_immutable_and_one_is_in_force() {
    settings_suite(async || Arc::new(fresh().await.store)).await;
}
