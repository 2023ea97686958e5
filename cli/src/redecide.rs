//! `millrace redecide`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::signup::RunId;
use domain::units::Millis;
use pipeline::messages::{Cause, RedecideMessage, to_body};
use pipeline::ports::{Queue as _, QueueName, Runs as _};
use platform::{Aws, DEFAULT_WORKSPACE, QueueUrls, Table, TableNames};

use crate::dlq::resource;
use crate::outputs::Outputs;
use crate::say::say;

/// Which lead, and in which stack.
#[derive(Debug, Args)]
pub(crate) struct Redecide {
    /// A run of the lead: `run` in the webhook's answer, `signup` in `cargo dev --json`. One in 64 begins with a hyphen.
    #[arg(value_parser = RunId::parse, allow_hyphen_values = true)]
    run: RunId,
    /// A file with the outputs of a deployed stack, or - for standard input: what `sam list stack-outputs --output json`
    /// prints. The queues of `cargo dev` cannot be reached from outside.
    #[arg(long, env = "MILLRACE_OUTPUTS", value_name = "FILE")]
    outputs: String,
}

impl Redecide {
    pub(crate) async fn run(&self) -> Result<()> {
        let outputs = Outputs::read(&self.outputs)?;
        let asked = || format!("are the outputs in {} those of this account's stack?", self.outputs);
        let url = outputs.get(&format!("{}QueueUrl", resource(QueueName::Score)))?;
        let tables = TableNames::new([(Table::Leads, outputs.get("LeadsTable")?)]);
        let aws = Aws::from_environment_in(outputs.region()).await?;
        let stored = aws.store(tables, DEFAULT_WORKSPACE).read_run(&self.run).await.with_context(asked)?;
        let Some(stored) = stored else { bail!("there is no run {}; {}", self.run, asked()) };
        let Some(record) = stored.run.record else {
            bail!("run {} is not decided for good yet; `millrace explain` says what it waits for", self.run);
        };
        let message = RedecideMessage { record, cause: Cause::Operator, copies: 0 };
        let queue = aws.queue(QueueUrls::new([(QueueName::Score, url)]));
        queue.send(QueueName::Score, &to_body(&message)?, Millis(0)).await.with_context(asked)?;
        say(format!("the lead of run {} is decided about again; `millrace explain` shows what came of it", self.run))
    }
}
