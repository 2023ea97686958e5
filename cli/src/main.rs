//! `millrace`: the operator's tool.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod check;
mod config;
mod configured;
mod dlq;
mod explain;
mod local;
mod outputs;
mod redecide;
mod replay;
mod say;
mod secret;
mod send;
mod stack;
mod table;
mod usage;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "millrace", version, about = "Signups become verified, scored, routed leads; this is the operator's tool.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Post a sample event, signed like its issuer.
    Send(send::Send),
    /// Say why a signup went where it went: route, points, unknowns, sources, calls, costs.
    Explain(explain::Explain),
    /// Make logged decisions again and compare them with the log, to the byte.
    Replay(replay::Replay),
    /// Decide about a lead again, by the configuration of now and without a lookup.
    Redecide(redecide::Redecide),
    /// See what could not be worked off, and send it again.
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    /// Say what a month's credits went into, how fast they go and what is left; adjust and refund them.
    Usage(Box<usage::Usage>),
    /// Fill the secrets of a deployed stack.
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Check the configuration, publish versions of it, and put one in force.
    #[command(subcommand)]
    Config(Box<config::Config>),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Send(send) => send.run().await,
        Command::Explain(explain) => explain.run().await,
        Command::Replay(replay) => Box::pin(replay.run()).await,
        Command::Redecide(redecide) => Box::pin(redecide.run()).await,
        Command::Dlq(dlq) => Box::pin(dlq.run()).await,
        Command::Usage(usage) => Box::pin(usage.run()).await,
        Command::Secret(secret) => secret.run().await,
        Command::Config(config) => Box::pin(config.run()).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever has closed this too is told by the exit code.
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}
