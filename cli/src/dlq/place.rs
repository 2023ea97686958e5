//! Where the letters are: a deployed stack by its outputs, or the tables of `cargo dev`.

use anyhow::{Context as _, Result};
use clap::Args;
use domain::priority::Priority;
use pipeline::dead_letters::{Letter, read_dead, read_put_aside};
use pipeline::ports::{Clock as _, QueueName};
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, QueueUrls, SqsQueue, SystemClock, Table, TableNames};

use crate::local::{LOCAL_TABLES, is_it_up, tables_at};
use crate::outputs::Outputs;

/// Which stack.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A file with the outputs of a deployed stack, or - for standard input: what `sam list stack-outputs --output json`
    /// prints. Without it, what was put aside under `cargo dev` is read; its queues cannot be reached from outside.
    #[arg(long, env = "MILLRACE_OUTPUTS", value_name = "FILE")]
    outputs: Option<String>,
    /// Another address of the local tables.
    #[arg(long, default_value = LOCAL_TABLES, value_parser = tables_at, conflicts_with = "outputs")]
    local: String,
}

/// The stack, connected.
pub(super) struct Place {
    /// Without queues: `cargo dev`.
    pub(super) queue: Option<SqsQueue>,
    pub(super) aside: DynamoStore,
    asked: String,
}

impl Which {
    pub(super) async fn connect(&self) -> Result<Place> {
        let Some(file) = &self.outputs else {
            let aside = Aws::local(&self.local).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE);
            return Ok(Place { queue: None, aside, asked: is_it_up(&self.local) });
        };
        let outputs = Outputs::read(file)?;
        let mut queues = Vec::new();
        let mut dead = Vec::new();
        for queue in QueueName::ALL {
            queues.push((queue, outputs.get(&format!("{}QueueUrl", resource(queue)))?));
            dead.push((queue, outputs.get(&format!("{}DlqUrl", resource(queue)))?));
        }
        let leads = outputs.get("LeadsTable")?;
        let aws = Aws::from_environment_in(outputs.region()).await?;
        let aside = aws.store(TableNames::new([(Table::Leads, leads)]), DEFAULT_WORKSPACE);
        let queue = aws.queue(QueueUrls::new(queues).with_dead_letters(dead));
        Ok(Place { queue: Some(queue), aside, asked: format!("are the outputs in {file} those of this account's stack?") })
    }
}

impl Place {
    /// The letters, oldest first: those of one queue or of all, and of what was put aside the last `days` days.
    pub(super) async fn letters(&self, only: Option<QueueName>, days: u16) -> Result<Vec<Letter>> {
        let mut letters = match &self.queue {
            Some(queue) => {
                let names = only.map_or(QueueName::ALL.to_vec(), |queue| vec![queue]);
                read_dead(queue, &names).await.with_context(|| self.asked.clone())?
            }
            None => Vec::new(),
        };
        let aside = read_put_aside(&self.aside, SystemClock.now(), days).await.with_context(|| self.asked.clone())?;
        letters.extend(aside.into_iter().filter(|letter| only.is_none() || letter.queue() == only));
        letters.sort_by_key(Letter::since);
        Ok(letters)
    }
}

/// How the names of a queue's outputs begin.
pub(crate) const fn resource(queue: QueueName) -> &'static str {
    match queue {
        QueueName::Lookup(Priority::Critical) => "LookupCritical",
        QueueName::Lookup(Priority::High) => "LookupHigh",
        QueueName::Lookup(Priority::Normal) => "LookupNormal",
        QueueName::Lookup(Priority::Low) => "LookupLow",
        QueueName::Score => "Score",
        QueueName::Writeback => "Writeback",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_output_that_is_asked_for_is_in_the_template() {
        let template = include_str!("../../../template.yaml");
        let outputs = template.split_once("\nOutputs:").unwrap().1;
        for queue in QueueName::ALL {
            for kind in ["QueueUrl", "DlqUrl"] {
                assert!(outputs.contains(&format!("\n  {}{kind}:\n", resource(queue))), "{} {kind}", queue.as_str());
            }
        }
        assert!(outputs.contains("\n  LeadsTable:\n"));
    }
}
