//! `millrace redecide`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::signup::RunId;
use domain::units::Millis;
use pipeline::messages::{Cause, RedecideMessage, to_body};
use pipeline::ports::{Queue as _, QueueName, Runs as _};
use platform::Table;

use crate::config::called;
use crate::say::say;
use crate::stack::Which;

/// Which lead, and in which stack.
#[derive(Debug, Args)]
pub(crate) struct Redecide {
    /// A run of the lead: `run` in the webhook's answer, `signup` in `cargo dev --json`. One in 64 begins with a hyphen.
    #[arg(value_parser = RunId::parse, allow_hyphen_values = true)]
    run: RunId,
    #[command(flatten)]
    which: Which,
}

impl Redecide {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = self.which.connect_to_change(&[Table::Leads, Table::Settings], &[QueueName::Score]).await?;
        let Some(queue) = &place.queue else {
            bail!("the queues of `cargo dev` cannot be reached from outside; name the outputs of a deployed stack with --outputs");
        };
        let stored = place.asked(place.store.read_run(&self.run).await)?;
        let stored =
            stored.with_context(|| format!("there is no run {} in {}; are these the outputs of its stack?", self.run, place.name))?;
        let Some(record) = stored.run.record else {
            bail!("run {} is not decided for good yet; `millrace explain` says what it waits for", self.run);
        };
        let in_force = place.in_force().await?;
        let message = RedecideMessage { record, cause: Cause::Operator, config: Some(in_force.clone()), copies: 0 };
        place.asked(queue.send(QueueName::Score, &to_body(&message)?, Millis(0)).await)?;
        say(format!(
            "the lead of run {} is decided about again by {}, which is in force now; `millrace explain` shows what came of it",
            self.run,
            called(&in_force)
        ))
    }
}
