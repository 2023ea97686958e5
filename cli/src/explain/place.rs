//! Where the logs of runs are: the leads table of a deployed stack, or that of `cargo dev`.

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use domain::config::{Config, Sources};
use domain::signup::RunId;
use pipeline::ports::{Runs as _, Settings as _, StoreError, StoredRun};
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, Table, TableNames};

use crate::local::{LOCAL_TABLES, is_it_up, tables_at};

/// Which table.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The leads table of a deployed stack (its `LeadsTable` output). Without it, the tables of `cargo dev` are read.
    #[arg(long, env = "LEADS_TABLE")]
    table: Option<String>,
    /// With --table, the stack's settings table (its `SettingsTable` output), where the published versions of the configuration are.
    #[arg(long, env = "SETTINGS_TABLE")]
    settings: Option<String>,
    /// Another address of the local tables.
    #[arg(long, default_value = LOCAL_TABLES, value_parser = tables_at, conflicts_with = "table")]
    local: String,
}

/// The table, connected.
pub(crate) struct Place {
    pub(crate) store: DynamoStore,
    knows_settings: bool,
    question: String,
    local: String,
}

impl Which {
    /// Whether a deployed stack's published versions are named.
    pub(crate) const fn names_settings(&self) -> bool {
        self.table.is_some() && self.settings.is_some()
    }

    pub(crate) async fn connect(&self) -> Result<Place> {
        let store = match &self.table {
            Some(leads) => {
                let settings = self.settings.clone().map(|settings| (Table::Settings, settings));
                let names = TableNames::new([(Table::Leads, leads.clone())].into_iter().chain(settings));
                Aws::from_environment().await?.store(names, DEFAULT_WORKSPACE)
            }
            None => Aws::local(&self.local).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE),
        };
        let question = self.table.as_ref().map_or_else(|| is_it_up(&self.local), |table| format!("is {table} the leads table?"));
        let knows_settings = self.table.is_none() || self.settings.is_some();
        Ok(Place { store, knows_settings, question, local: self.local.clone() })
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

    /// The configuration under which a run was decided: the one at hand, or the version that was published under that hash, or why
    /// this program cannot use that any more.
    pub(crate) async fn configuration(&self, hash: &str, at_hand: Option<&Config>) -> Result<Option<Result<Config>>> {
        if let Some(config) = at_hand.filter(|config| config.hash == hash) {
            return Ok(Some(Ok(config.clone())));
        }
        let Some(sources) = self.version(hash).await? else { return Ok(None) };
        Ok(Some(config_of(&sources).with_context(|| format!("version {hash} cannot be used by this `millrace`"))))
    }

    /// The published version of this hash; `None` also where nobody said where the versions are.
    async fn version(&self, hash: &str) -> Result<Option<Sources>> {
        if self.knows_settings { self.asked(self.store.version(hash).await) } else { Ok(None) }
    }

    /// Whether anybody said where the published versions are.
    pub(crate) const fn knows_settings(&self) -> bool {
        self.knows_settings
    }

    /// The hashes of all published versions.
    pub(crate) async fn published(&self) -> Result<Vec<String>> {
        let versions = if self.knows_settings { self.asked(self.store.versions().await)? } else { Vec::new() };
        Ok(versions.into_iter().map(|version| version.hash).collect())
    }

    /// The answer, or an error that asks whether this is the right place.
    pub(crate) fn asked<T>(&self, answer: Result<T, StoreError>) -> Result<T> {
        answer.with_context(|| self.question.clone())
    }
}

fn config_of(sources: &Sources) -> Result<Config> {
    let configured = connectors::configure_for_use(sources).map_err(|findings| anyhow!("{findings}"));
    configured.map(|(config, _)| config)
}
