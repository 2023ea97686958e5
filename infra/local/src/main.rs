//! `cargo dev`.

use std::process::ExitCode;

use clap::Parser;
use local::args::Args;
use local::journal::Journal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this is where a person reads what went wrong")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let journal = Journal::default();
    let to_screen = args.logs.then(|| {
        let ours = EnvFilter::new("warn,signup_webhook=info,provider_lookup=info,crm_writeback=info");
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).with_filter(ours)
    });
    tracing_subscriber::registry().with(journal.clone()).with(to_screen).init();
    match local::run(args, journal).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
