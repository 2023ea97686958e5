//! `cargo bench -p tests`: how fast and how cheap, as one Markdown table and one JSON file. A file a row.
//!
//! `-- --only c,d'` chooses rows, `-- --check` fails when a gate does. Times are of whole processes; a row whose
//! measurements spread too much has no verdict.
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]

mod answer;
mod cold_start;
mod decision_core;
mod history;
mod idle_cost;
mod interpreter;
mod limit;
mod paid_calls;
mod prices;
mod report;
mod row;
mod samples;
mod units;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use report::Report;
use row::Row;

/// Every row there is.
const ROWS: [&str; 9] = [
    answer::ID,
    answer::ACCEPT,
    answer::DEADLINES,
    decision_core::ID,
    cold_start::ID,
    units::ID,
    idle_cost::ID,
    paid_calls::ID,
    history::ID,
];

/// What is measured and what becomes of it.
#[derive(Debug, Parser)]
struct Args {
    /// The rows to measure, separated by commas; all of them when absent.
    #[arg(long, value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(ROWS))]
    only: Vec<String>,
    /// Ends with an error when a gate fails.
    #[arg(long)]
    check: bool,
    /// All signups, all history, Node and Python, as in an optimised build: some minutes without.
    #[arg(long)]
    full: bool,
    /// Lists every request of row d.
    #[arg(long)]
    verbose: bool,
    /// A folder with the functions' release binaries; they are built when there is none.
    #[arg(long, env = "MILLRACE_BOOTSTRAPS")]
    bootstraps: Option<PathBuf>,
    /// How often each process is started in row c.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(20..))]
    runs: u32,
    /// Passed on by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much is measured in the counted rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// What a build without optimisation does within a minute.
    Small,
    Full,
}

/// Where things are.
struct Places {
    root: PathBuf,
    target: PathBuf,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    // Why an invocation failed stands in its log; the database warns of every condition that does not hold.
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter("warn,dynoxide=off").init();
    let places = places()?;
    let mut report = Report::default();
    for id in ROWS {
        if args.only.is_empty() || args.only.iter().any(|only| only == id) {
            report.append(Box::pin(measure(id, &args, &places)).await);
        }
    }
    println!("{report}");
    report.write(&places.target.join("bench.json"))?;
    Ok(if args.check && report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn measure(id: &'static str, args: &Args, places: &Places) -> Report {
    let size = if args.full || !cfg!(debug_assertions) { Size::Full } else { Size::Small };
    let measured = match id {
        cold_start::ID => Box::pin(cold_start::measure(places, args.bootstraps.as_deref(), args.runs)).await,
        decision_core::ID => decision_core::measure(places, args.bootstraps.as_deref(), size),
        answer::ID => Box::pin(answer::measure(size)).await,
        answer::ACCEPT => Box::pin(answer::measure_accept(size)).await,
        answer::DEADLINES => Box::pin(answer::deadlines::measure(size)).await,
        units::ID => Box::pin(units::measure(args.verbose)).await,
        idle_cost::ID => idle_cost::count(),
        paid_calls::ID => Box::pin(paid_calls::measure()).await,
        history::ID => Box::pin(history::measure(size)).await,
        other => unreachable!("row {other} is in ROWS and measured by nobody"),
    };
    measured.unwrap_or_else(|error| {
        let mut report = Report::default();
        report.row(Row::broken(id, "could not be measured", format!("{error:#}")));
        report
    })
}

fn places() -> anyhow::Result<Places> {
    let metadata =
        cargo_metadata::MetadataCommand::new().no_deps().manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).exec();
    let metadata = metadata.context("cargo metadata")?;
    Ok(Places { root: metadata.workspace_root.into(), target: metadata.target_directory.into() })
}
