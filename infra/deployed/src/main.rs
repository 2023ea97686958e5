//! `cargo deployed`: builds and deploys `template.yaml` to a local stand-in for AWS and holds it to what `cargo dev` does.
//!
//! The real SAM CLI, the real binaries, the real protocols: signed signups go in at the HTTP endpoint, contacts come out in
//! the sandbox's CRM, and they must be the ones that the same samples leave there under `cargo dev`.

mod aws;
mod command;
mod dead_letters;
mod interrupt;
mod ministack;
mod queues;
mod reference;
mod samples;
mod screen;
mod stack;
mod stores;
mod sweeper;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use local::journal::Journal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use aws::AwsApi;
use interrupt::Interrupt;
use ministack::Ministack;
use reference::Reference;
use screen::Screen;
use stack::Stack;
use tools::Tools;

/// Builds, deploys, posts every sample, breaks and mends, and takes everything down again.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo deployed", version)]
struct Args {
    /// Where the SAM CLI, cargo-lambda and the stand-in are installed on first use, about 900 MB.
    #[arg(long, env = "MILLRACE_TOOLS", value_name = "DIR", default_value = ".millrace/tools")]
    tools: PathBuf,
    /// Deploy what was built last time.
    #[arg(long)]
    no_build: bool,
    /// Leave the stack up when all has passed, until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "this is where a person reads what went wrong")]
async fn main() -> ExitCode {
    let journal = Journal::default();
    tracing_subscriber::registry().with(journal.clone()).init();
    match run(Args::parse(), journal).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args, journal: Journal) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let (mut interrupt, screen) = (Interrupt::listen()?, Screen::new());
    let (tools, reference) = interrupt.or(Box::pin(prepare(&root, &args, journal, &screen))).await?;
    let stand_in = interrupt.or(screen.step("stand-in", "AWS on loopback", Ministack::start(&tools))).await?;
    let checked = interrupt.or(Box::pin(check(&root, &tools, &stand_in, &reference, &screen, args.stay))).await;
    if args.stay && checked.is_ok() {
        screen.note(&format!("{} serves until Ctrl-C", stand_in.url()));
        interrupt.wait().await;
    }
    // However it ended: only a stand-in that is asked to stop ends the functions' processes.
    let stopped = stand_in.stop().await;
    checked.and(stopped)
}

async fn prepare(root: &Path, args: &Args, journal: Journal, screen: &Screen) -> Result<(Tools, Reference)> {
    let tools = Tools::install(&root.join(&args.tools), screen).await?;
    if !args.no_build {
        screen.step("build", "sam build, release binaries, some minutes when cold", tools.build(root)).await?;
    }
    let reference = screen.step("reference", "the same samples under cargo dev", Box::pin(reference::play(root, journal))).await?;
    Ok((tools, reference))
}

/// All steps with the stand-in. A failed one shows its log, which holds what the functions wrote.
async fn check(root: &Path, tools: &Tools, stand_in: &Ministack, reference: &Reference, screen: &Screen, stay: bool) -> Result<()> {
    let done = Box::pin(steps(root, tools, stand_in, reference, screen, stay)).await;
    if done.is_err() {
        screen.note(&format!("the stand-in's log, with what the functions wrote:\n{}", stand_in.last_lines()));
    }
    done
}

async fn steps(root: &Path, tools: &Tools, stand_in: &Ministack, reference: &Reference, screen: &Screen, stay: bool) -> Result<()> {
    let aws = AwsApi::new(stand_in)?;
    let stack = screen.step("deploy", "sam deploy", Box::pin(Stack::deploy(root, tools, stand_in))).await?;
    screen.step("secrets", "millrace secret set", stack.set_secrets(root)).await?;
    let played = screen.step("samples", "posted to the HTTP endpoint", samples::play(root, &stack, reference)).await?;
    samples::compare(&played, reference)?;
    screen.note(&played.words());
    screen.step("explain", "millrace explain reads the deployed table", stack.explain(root, &played.first_run()?)).await?;
    screen
        .step("dead letters", "a broken function, five receives, repair, millrace dlq redrive", dead_letters::check(root, &stack, &aws))
        .await?;
    screen.step("sweeper", "a tick resolves what nobody came back to", sweeper::check(root, &stack, &aws)).await?;
    screen.step("queues", "nothing is left in any queue", queues::become_empty(&stack, &aws)).await?;
    screen.step("suite", "the conformance suite of the Queue port against this SQS", Box::pin(queues::check(stand_in, &aws))).await?;
    screen
        .step(
            "suites",
            "those of runs, windows, records, replies, writes, ledger and versions on its tables",
            Box::pin(stores::check(&stand_in.url())),
        )
        .await?;
    if stay {
        return Ok(());
    }
    screen.step("remove", "sam delete; tables and secrets stay", stack.delete(root, tools, &aws)).await
}
