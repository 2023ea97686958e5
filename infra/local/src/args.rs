//! What `cargo dev` can be told.

use std::path::PathBuf;

use clap::Parser;

/// The port that `cargo millrace send` expects.
pub const DEFAULT_PORT: u16 = 7700;

/// The whole pipeline on this machine: webhook, look-ups, gate, score, route and CRM, with invented providers.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo dev", version)]
pub struct Args {
    /// End after the samples with a summary; fails when one of them took another track than events/expected.json says.
    #[arg(long)]
    pub once: bool,
    /// Print one JSON line a signup instead of the table; `credits` are millionths of a credit.
    #[arg(long)]
    pub json: bool,
    /// Keep data in this folder: the queue is durable too, and queue and tables are there at the next start (the sandbox
    /// forgets). The samples are sent to an empty folder only.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration to run with.
    #[arg(long, value_name = "DIR", default_value = "config")]
    pub config: PathBuf,
    /// The sample events to send.
    #[arg(long, value_name = "DIR", default_value = "events")]
    pub events: PathBuf,
    /// Send no samples; just serve.
    #[arg(long, conflicts_with = "once")]
    pub no_samples: bool,
    /// The port of the webhooks; the tables listen on the next one, the sandbox on the one after. 0 takes free ones.
    #[arg(long, default_value_t = DEFAULT_PORT)]
    pub port: u16,
    /// The seed of everything invented: companies, people and latencies.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Call this sandbox instead of serving one: its books and its CRM outlive this process, as vendors do.
    #[arg(long, value_name = "URL")]
    pub sandbox: Option<String>,
    /// Let the clock run this many seconds ahead, as after an outage of that length: what waited in --data is due at once.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide = true)]
    pub clock_ahead: i64,
    /// Write the functions' JSON logs to standard error.
    #[arg(long)]
    pub logs: bool,
}
