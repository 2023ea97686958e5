//! Where the counters are: a deployed stack by its outputs, or the tables of `cargo dev`.

use anyhow::{Context as _, Result};
use clap::Args;
use pipeline::ports::StoreError;
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, Table, TableNames};

use crate::local::{LOCAL_TABLES, is_it_up, tables_at};
use crate::outputs::Outputs;

/// The output that names the table.
const CREDITS_OUTPUT: &str = "CreditsTable";

/// Which stack.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// A file with the outputs of a deployed stack, or - for standard input: what `sam list stack-outputs --output json`
    /// prints. Without it, the credits of `cargo dev` are meant.
    #[arg(long, env = "MILLRACE_OUTPUTS", value_name = "FILE")]
    outputs: Option<String>,
    /// Another address of the local tables.
    #[arg(long, default_value = LOCAL_TABLES, value_parser = tables_at, conflicts_with = "outputs")]
    local: String,
}

/// The stack, connected.
pub(super) struct Place {
    pub(super) ledger: DynamoStore,
    question: String,
}

impl Which {
    pub(super) async fn connect(&self) -> Result<Place> {
        let Some(file) = &self.outputs else {
            let ledger = Aws::local(&self.local).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE);
            return Ok(Place { ledger, question: is_it_up(&self.local) });
        };
        let outputs = Outputs::read(file)?;
        let names = TableNames::new([(Table::Credits, outputs.get(CREDITS_OUTPUT)?)]);
        let ledger = Aws::from_environment_in(outputs.region()).await?.store(names, DEFAULT_WORKSPACE);
        Ok(Place { ledger, question: format!("are the outputs in {file} those of this account's stack?") })
    }
}

impl Place {
    /// The answer, or what to look at when there is none.
    pub(super) fn asked<T>(&self, answer: Result<T, StoreError>) -> Result<T> {
        answer.with_context(|| self.question.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_that_is_asked_for_is_in_the_template() {
        assert!(include_str!("../../../template.yaml").contains(&format!("\n  {CREDITS_OUTPUT}:\n    Description:")));
    }
}
