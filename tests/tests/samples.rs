//! The sample signups through the whole local stack: real handlers, the DynamoDB protocol, HTTP to the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use clap::Parser;
use local::args::Args;
use local::journal::Journal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn args(more: &[&str]) -> Args {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let (config, events) = (format!("{root}/config"), format!("{root}/events"));
    let fixed = ["cargo dev", "--once", "--json", "--port", "0", "--config", &config, "--events", &events];
    Args::parse_from(fixed.iter().chain(more))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_takes_the_track_that_is_expected() {
    let journal = Journal::default();
    tracing_subscriber::registry().with(journal.clone()).init();
    local::run(args(&[]), journal).await.unwrap();
}
