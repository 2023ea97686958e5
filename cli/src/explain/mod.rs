//! `millrace explain`.
#![expect(clippy::print_stdout, reason = "this is the command's output")]

mod text;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::signup::RunId;
use pipeline::ports::{Runs, StoredRun};
use platform::{Aws, DEFAULT_WORKSPACE, Table, TableNames};

/// The tables of `cargo dev`.
pub(crate) const LOCAL_TABLES: &str = "http://127.0.0.1:7701";

/// Which signup, and where its log is.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The run's id: `run` in the webhook's answer, `signup` in `cargo dev --json`. One in 64 begins with a hyphen.
    #[arg(allow_hyphen_values = true)]
    signup: String,
    /// The leads table of a deployed stack (its `LeadsTable` output). Without it, the tables of `cargo dev` are read.
    #[arg(long, env = "LEADS_TABLE")]
    table: Option<String>,
    /// Another address of the local tables.
    #[arg(long, default_value = LOCAL_TABLES, conflicts_with = "table")]
    local: String,
    /// Print the whole log as JSON.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) async fn run(&self) -> Result<()> {
        let id = RunId::parse(&self.signup)?;
        let Some(stored) = self.read(&id).await? else {
            bail!("there is no run {id}; with `cargo dev` up it is looked for at {}, with --table in a deployed stack", self.local);
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&stored.run)?);
        } else {
            println!("{}", text::explain(&stored));
        }
        Ok(())
    }

    async fn read(&self, id: &RunId) -> Result<Option<StoredRun>> {
        let store = match &self.table {
            Some(leads) => Aws::from_environment().await?.store(TableNames::new([(Table::Leads, leads.clone())]), DEFAULT_WORKSPACE),
            None => Aws::local(&self.local).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE),
        };
        let asked = self
            .table
            .as_ref()
            .map_or_else(|| format!("is `cargo dev` up at {}?", self.local), |table| format!("is {table} the leads table?"));
        store.read_run(id).await.context(asked)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        explain: Explain,
    }

    #[test]
    fn a_run_whose_id_begins_with_a_hyphen_is_no_option() {
        let run = format!("-{}", "a".repeat(42));
        for arguments in [["millrace", &run, "--json"], ["millrace", "--json", &run]] {
            let explain = Command::try_parse_from(arguments).unwrap().explain;
            assert_eq!((explain.signup.as_str(), explain.json), (run.as_str(), true));
        }
    }
}
