//! What came of replaying runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Result, bail};
use domain::replay::{Difference, replay_by};
use domain::run::Run;
use domain::signup::RunId;
use serde_json::{Value, json};

use super::configurations::{Configurations, needed_by};
use crate::table::table;

/// So many differences are shown as a table; all of them with --json.
const SHOWN_MOST: usize = 50;
/// So much of a value is shown in the table.
const VALUE_MOST: usize = 60;

/// Sums, and everything that is not as it should be.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The hashes of the configurations by which runs were replayed.
    configs: BTreeSet<String>,
    /// The hashes of all configurations under which runs were decided.
    pub(super) needed: BTreeSet<String>,
    runs: usize,
    decisions: usize,
    undecided: usize,
    /// Runs and earlier decisions of runs that take another configuration, by its hash.
    elsewhere: BTreeMap<String, usize>,
    differences: Vec<(RunId, Difference)>,
    /// Why some could not be read or replayed.
    pub(super) unreadable: Vec<String>,
}

impl Report {
    /// Replays a run, each decision by the configuration that it takes, where that is at hand, and adds what came of it.
    pub(super) fn add(&mut self, run: &Run, configs: &Configurations) {
        self.needed.extend(needed_by(run).map(str::to_owned));
        if run.decisions.is_empty() {
            self.undecided += 1;
            return;
        }
        if configs.get(&run.config).is_none() {
            return self.takes(run.config.clone());
        }
        let replayed = match replay_by(run, |hash| configs.get(hash)) {
            Ok(replayed) => replayed,
            Err(error) => return self.unreadable.push(format!("run {}: {error}", run.id)),
        };
        self.configs.insert(run.config.clone());
        self.runs += 1;
        self.decisions += replayed.decisions;
        for skipped in replayed.skipped {
            self.takes(skipped.needs);
        }
        self.differences.extend(replayed.differences.into_iter().map(|difference| (run.id.clone(), difference)));
    }

    fn takes(&mut self, config: String) {
        *self.elsewhere.entry(config).or_default() += 1;
    }

    pub(super) fn json(&self) -> Value {
        let differences: Vec<Value> = self
            .differences
            .iter()
            .map(|(run, at)| json!({"run": run, "path": at.path, "logged": at.logged, "replayed": at.replayed}))
            .collect();
        json!({
            "configs": self.configs,
            "replayed": self.runs,
            "decisions": self.decisions,
            "undecided": self.undecided,
            "other_configurations": self.elsewhere,
            "unreadable": self.unreadable,
            "differences": differences,
        })
    }

    pub(super) fn text(&self, configs: &Configurations) -> String {
        let mut text = String::new();
        if !self.differences.is_empty() {
            let mut rows = table(&["run", "where", "logged", "replayed"]);
            for (run, at) in self.differences.iter().take(SHOWN_MOST) {
                rows.add_row([run.to_string(), at.path.clone(), shown(at.logged.as_ref()), shown(at.replayed.as_ref())]);
            }
            let _ = writeln!(text, "{rows}");
            if self.differences.len() > SHOWN_MOST {
                let _ = writeln!(text, "and {} more; --json shows all", self.differences.len() - SHOWN_MOST);
            }
            text.push('\n');
        }
        for why in &self.unreadable {
            let _ = writeln!(text, "{why}");
        }
        for (hash, count) in &self.elsewhere {
            let _ = writeln!(text, "{count} not replayed: decided under configuration {hash}; {}", configs.why_not(hash));
        }
        if self.undecided > 0 {
            let _ = writeln!(text, "{} not decided yet", self.undecided);
        }
        let (runs, decisions, differences) = (self.runs, self.decisions, self.differences.len());
        let configs: Vec<&str> = self.configs.iter().map(String::as_str).collect();
        let by = if configs.is_empty() { String::new() } else { format!(", configuration {}", configs.join(" and ")) };
        let _ = write!(text, "replayed {runs}, differences {differences} (decisions {decisions}{by})");
        text
    }

    /// An error where the log says something else, cannot be read, or was not replayed at all though there is something to replay.
    pub(super) fn verdict(&self) -> Result<()> {
        if !self.differences.is_empty() {
            bail!("what is logged is not what is decided from it");
        }
        if !self.unreadable.is_empty() {
            bail!("{} runs could not be read", self.unreadable.len());
        }
        if self.runs == 0 && !self.elsewhere.is_empty() {
            bail!("nothing was replayed: every run was decided under another configuration");
        }
        Ok(())
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "(absent)".to_owned() };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= VALUE_MOST { text } else { text.chars().take(VALUE_MOST - 1).chain(['…']).collect() }
}
