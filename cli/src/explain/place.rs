//! Where the logs of runs are: the leads table of a deployed stack, or that of `cargo dev`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::signup::RunId;
use pipeline::ports::{Runs as _, StoreError, StoredRun};
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, Table, TableNames};

use crate::local::{LOCAL_TABLES, is_it_up, tables_at};

/// Which table.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The leads table of a deployed stack (its `LeadsTable` output). Without it, the tables of `cargo dev` are read.
    #[arg(long, env = "LEADS_TABLE")]
    table: Option<String>,
    /// Another address of the local tables.
    #[arg(long, default_value = LOCAL_TABLES, value_parser = tables_at, conflicts_with = "table")]
    local: String,
}

/// The table, connected.
pub(crate) struct Place {
    pub(crate) store: DynamoStore,
    question: String,
    local: String,
}

impl Which {
    pub(crate) async fn connect(&self) -> Result<Place> {
        let store = match &self.table {
            Some(leads) => Aws::from_environment().await?.store(TableNames::new([(Table::Leads, leads.clone())]), DEFAULT_WORKSPACE),
            None => Aws::local(&self.local).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE),
        };
        let question = self.table.as_ref().map_or_else(|| is_it_up(&self.local), |table| format!("is {table} the leads table?"));
        Ok(Place { store, question, local: self.local.clone() })
    }
}

impl Place {
    /// A run, or an error that says where it was looked for.
    pub(crate) async fn run(&self, id: &RunId) -> Result<StoredRun> {
        let Some(stored) = self.asked(self.store.read_run(id).await)? else {
            bail!("there is no run {id}; with `cargo dev` up it is looked for at {}, with --table in a deployed stack", self.local);
        };
        Ok(stored)
    }

    /// The answer, or an error that asks whether this is the right place.
    pub(crate) fn asked<T>(&self, answer: Result<T, StoreError>) -> Result<T> {
        answer.with_context(|| self.question.clone())
    }
}
