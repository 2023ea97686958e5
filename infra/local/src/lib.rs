//! `cargo dev`: the whole pipeline on one machine, with nothing else installed (LOCAL §1).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod args;
mod clock;
mod durable;
mod folder;
mod http;
pub mod journal;
mod pump;
pub mod row;
pub mod samples;
mod schedule;
pub mod screen;
mod secrets;
pub mod stack;

use anyhow::{Result, bail};

pub use secrets::hash_key;

use args::{Args, DEFAULT_PORT};
use journal::Journal;
use samples::{Samples, play, show_others};
use screen::Screen;
use stack::Stack;

/// Starts the stack, plays the samples and stays up, or ends with a summary.
///
/// # Errors
/// What could not start, or which samples ended otherwise than expected.
pub async fn run(args: Args, journal: Journal) -> Result<()> {
    let is_once = args.once;
    tokio::select! {
        ended = work(args, journal) => ended,
        interrupt = tokio::signal::ctrl_c() => {
            interrupt?;
            if is_once { bail!("interrupted before the samples had ended") } else { Ok(()) }
        }
    }
}

async fn work(mut args: Args, journal: Journal) -> Result<()> {
    if args.once && args.port == DEFAULT_PORT {
        // A run that ends by itself must not collide with a stack that is up.
        args.port = 0;
    }
    let is_fresh = args.data.as_ref().is_none_or(|folder| !folder.join(stack::TABLES_FILE).exists());
    if args.once && !is_fresh {
        bail!("--once sends the samples to an empty stack, and this folder holds data; name a new one, or leave --once out");
    }
    let stack = Stack::start(&args, journal).await?;
    let mut screen = Screen::new(args.json);
    if !args.no_samples && is_fresh {
        play_all(&stack, &args, &mut screen).await?;
    }
    if args.once {
        return Ok(());
    }
    screen.serving(&stack, args.port);
    let shown = stack.journal.ends();
    show_others(&stack, &mut screen, shown).await
}

async fn play_all(stack: &Stack, args: &Args, screen: &mut Screen) -> Result<()> {
    let samples = Samples::load(&args.events)?;
    screen.expect(samples.count());
    for (case, sample, expected) in samples.iter() {
        screen.working_on(case);
        for row in play(stack, case, sample, expected).await? {
            screen.show(row);
        }
    }
    let unexpected = screen.summary();
    if args.once && !unexpected.is_empty() {
        bail!("{} of {} signups ended otherwise than events/expected.json says", unexpected.len(), samples.count());
    }
    Ok(())
}
