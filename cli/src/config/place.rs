//! Where versions are published: a deployed stack by its outputs, or the tables of `cargo dev`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use pipeline::ports::{Activated, Active, Clock as _, Settings as _, StoreError, Version};
use platform::{Aws, DEFAULT_WORKSPACE, DynamoStore, SystemClock, Table, TableNames};

use crate::local::{LOCAL_TABLES, is_it_up, tables_at};
use crate::outputs::Outputs;

/// The output that names the table.
const SETTINGS_OUTPUT: &str = "SettingsTable";

/// Which stack.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// A file with the outputs of a deployed stack, or - for standard input: what `sam list stack-outputs --output json`
    /// prints. Without it, the settings of `cargo dev` are meant.
    #[arg(long, env = "MILLRACE_OUTPUTS", value_name = "FILE")]
    outputs: Option<String>,
    /// Another address of the local tables.
    #[arg(long, default_value = LOCAL_TABLES, value_parser = tables_at, conflicts_with = "outputs")]
    local: String,
}

/// The stack, connected.
pub(super) struct Place {
    pub(super) settings: DynamoStore,
    /// Where that is, for people: the same command writes here and there.
    pub(super) name: String,
    question: String,
}

impl Which {
    pub(super) async fn connect(&self) -> Result<Place> {
        let Some(file) = &self.outputs else {
            let settings = Aws::local(&self.local).await?.store(TableNames::prefixed("millrace"), DEFAULT_WORKSPACE);
            return Ok(Place { settings, name: format!("`cargo dev` at {}", self.local), question: is_it_up(&self.local) });
        };
        let outputs = Outputs::read(file)?;
        let table = outputs.get(SETTINGS_OUTPUT)?;
        let name = format!("the deployed stack, table {table}");
        let names = TableNames::new([(Table::Settings, table)]);
        let settings = Aws::from_environment_in(outputs.region()).await?.store(names, DEFAULT_WORKSPACE);
        Ok(Place { settings, name, question: format!("are the outputs in {file} those of this account's stack?") })
    }
}

impl Place {
    /// The answer, or what to look at when there is none.
    pub(super) fn asked<T>(&self, answer: Result<T, StoreError>) -> Result<T> {
        answer.with_context(|| self.question.clone())
    }

    pub(super) async fn active(&self) -> Result<Option<Active>> {
        self.asked(self.settings.active().await)
    }

    /// The one version whose hash begins so.
    pub(super) async fn version_named(&self, beginning: &str) -> Result<Version> {
        one_of(self.asked(self.settings.versions().await)?, beginning)
    }

    /// Puts a version in force instead of the one that was seen to be.
    pub(super) async fn put_in_force(&self, hash: &str, instead_of: Option<&str>) -> Result<()> {
        match self.asked(self.settings.activate(hash, instead_of, SystemClock.now()).await)? {
            Activated::Done | Activated::Before => Ok(()),
            Activated::Unknown => bail!("there is no version {hash}; `millrace config versions` lists those that there are"),
            Activated::Other(None) => bail!("nothing is in force any more; look at `millrace config versions` and try again"),
            Activated::Other(Some(other)) => {
                bail!(
                    "somebody else put version {} in force meanwhile, and it stays; look at `millrace config versions` and try again",
                    other.hash
                )
            }
        }
    }
}

fn one_of(versions: Vec<Version>, beginning: &str) -> Result<Version> {
    let mut found: Vec<Version> = versions.into_iter().filter(|version| version.hash.starts_with(&beginning.to_lowercase())).collect();
    match (found.pop(), found.as_slice()) {
        (None, _) => bail!("there is no version {beginning}; `millrace config versions` lists those that there are"),
        (Some(version), []) => Ok(version),
        (Some(version), others) => {
            let hashes: Vec<&str> = others.iter().map(|other| other.hash.as_str()).chain([version.hash.as_str()]).collect();
            bail!("{} versions begin with {beginning}: {}; write more of the one you mean", hashes.len(), hashes.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::units::Timestamp;

    use super::*;

    #[test]
    fn the_output_that_is_asked_for_is_in_the_template() {
        assert!(include_str!("../../../template.yaml").contains(&format!("\n  {SETTINGS_OUTPUT}:\n    Description:")));
    }

    #[test]
    fn the_beginning_of_a_hash_is_enough_where_no_other_begins_so() {
        let version = |hash: &str| Version { hash: hash.into(), published_at: Timestamp::from_millis(0), activated_at: None };
        let named = |beginning: &str| one_of(vec![version("ab12"), version("ab34"), version("cd56")], beginning);
        assert_eq!(named("c").unwrap().hash, "cd56");
        assert_eq!(named("AB3").unwrap().hash, "ab34");
        assert!(named("ab").unwrap_err().to_string().contains("2 versions begin with ab: ab12, ab34"));
        assert!(named("ef").unwrap_err().to_string().contains("there is no version ef"));
    }
}
