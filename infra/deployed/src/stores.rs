//! The conformance suites of the store's ports against the stand-in's DynamoDB, on tables of their own.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use pipeline::conformance::{
    cache_suite, ledger_suite, outbox_suite, put_aside_suite, records_suite, runs_suite, settings_suite, windows_suite,
};
use pipeline::ports::Store;
use platform::Aws;
use tokio::task::LocalSet;

/// How the names of the suites' tables begin.
const PREFIX: &str = "suite";

/// Runs the suites. They panic, as tests do, where a store does not behave; here that is an error, so that the stand-in is
/// stopped in good order. Each case has a workspace of its own, which is as good as an empty table and quicker made.
pub(crate) async fn check(url: &str) -> Result<()> {
    let aws = Aws::local(url).await?;
    let tables = aws.create_tables(PREFIX).await?;
    let next = AtomicU32::new(0);
    let suites = async move {
        let fresh = || {
            let workspace = format!("case-{}", next.fetch_add(1, Ordering::SeqCst));
            let store: Arc<dyn Store> = Arc::new(aws.store(tables.clone(), &workspace));
            ready(store)
        };
        runs_suite(fresh).await;
        windows_suite(fresh).await;
        records_suite(fresh).await;
        cache_suite(fresh).await;
        outbox_suite(fresh).await;
        ledger_suite(fresh).await;
        let aside = || ready(Arc::new(aws.store(tables.clone(), &format!("aside-{}", next.fetch_add(1, Ordering::SeqCst)))));
        put_aside_suite(aside).await;
        let settings = || ready(Arc::new(aws.store(tables.clone(), &format!("settings-{}", next.fetch_add(1, Ordering::SeqCst)))));
        settings_suite(settings).await;
    };
    let panicked = LocalSet::new().run_until(async { tokio::task::spawn_local(suites).await }).await;
    panicked.context("a conformance suite of the store")
}
