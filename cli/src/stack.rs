//! One table of a stack: of a deployed one by its outputs, or of `cargo dev`.

use anyhow::{Context as _, Result};
use clap::Args;
use pipeline::ports::StoreError;
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, Table, TableNames};

use crate::local::{LOCAL_TABLES, is_it_up, tables_at};
use crate::outputs::Outputs;

/// Which stack.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A file with the outputs of a deployed stack, or - for standard input: what `sam list stack-outputs --output json`
    /// prints. Without it, the tables of `cargo dev` are meant.
    #[arg(long, env = "MILLRACE_OUTPUTS", value_name = "FILE")]
    outputs: Option<String>,
    /// Another address of the local tables.
    #[arg(long, default_value = LOCAL_TABLES, value_parser = tables_at, conflicts_with = "outputs")]
    local: String,
}

/// The stack, connected.
pub(crate) struct Stack {
    pub(crate) store: DynamoStore,
    /// Where that is, for people: the same command writes here and there.
    pub(crate) name: String,
    question: String,
}

impl Which {
    /// Connects to a table, which a deployed stack names by this output.
    pub(crate) async fn connect(&self, table: Table, output: &str) -> Result<Stack> {
        let Some(file) = &self.outputs else {
            let store = Aws::local(&self.local).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE);
            return Ok(Stack { store, name: format!("`cargo dev` at {}", self.local), question: is_it_up(&self.local) });
        };
        let outputs = Outputs::read(file)?;
        let physical = outputs.get(output)?;
        let name = format!("the deployed stack, table {physical}");
        let store = Aws::from_environment_in(outputs.region()).await?.store(TableNames::new([(table, physical)]), DEFAULT_WORKSPACE);
        Ok(Stack { store, name, question: format!("are the outputs in {file} those of this account's stack?") })
    }
}

impl Stack {
    /// The answer, or what to look at when there is none.
    pub(crate) fn asked<T>(&self, answer: Result<T, StoreError>) -> Result<T> {
        answer.with_context(|| self.question.clone())
    }
}
