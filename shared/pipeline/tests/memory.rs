//! The ports in memory pass the suites that the real ones pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use domain::units::Millis;
use pipeline::conformance;
use pipeline::memory::{MemoryQueue, MemoryStore, TokioClock};
use pipeline::ports::{Queue, Store};

async fn fresh() -> Arc<dyn Store> {
    Arc::new(MemoryStore::default())
}

async fn fresh_queue() -> Arc<dyn Queue> {
    let clock = Arc::new(TokioClock::starting_at(conformance::START));
    Arc::new(MemoryQueue::new(clock, conformance::RECEIVES_MAX))
}

#[tokio::test]
async fn memory_store_keeps_runs() {
    conformance::runs_suite(fresh).await;
}

#[tokio::test]
async fn memory_store_keeps_identity_windows() {
    conformance::windows_suite(fresh).await;
}

#[tokio::test]
async fn memory_store_keeps_records() {
    conformance::records_suite(fresh).await;
}

#[tokio::test]
async fn memory_store_keeps_the_ledger() {
    conformance::ledger_suite(fresh).await;
}

#[tokio::test]
async fn memory_store_keeps_replies() {
    conformance::cache_suite(fresh).await;
}

#[tokio::test]
async fn memory_store_keeps_outbound_writes() {
    conformance::outbox_suite(fresh).await;
}

#[tokio::test]
async fn memory_store_keeps_what_was_put_aside() {
    conformance::put_aside_suite(async || Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_logs_of_runs_that_are_done_are_added_to() {
    conformance::decided_runs_suite(async || Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn all_runs_are_shown_to_an_audit() {
    conformance::run_log_suite(async || Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn memory_store_keeps_versions_of_the_configuration() {
    conformance::settings_suite(async || Arc::new(MemoryStore::default())).await;
}

#[tokio::test(start_paused = true)]
async fn memory_queue_behaves_like_sqs() {
    let pass = async |span: Millis| tokio::time::advance(span.to_std()).await;
    conformance::queue_suite(fresh_queue, pass).await;
}
