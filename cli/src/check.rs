//! `millrace config check`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use domain::config::{Config, Finding, Findings, Sources};
use serde_json::json;

use crate::say::say;

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    folder: Files,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The files of a configuration.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// The configuration's folder.
    #[arg(default_value = "config", conflicts_with = "config")]
    folder: PathBuf,
    /// The same, as the other commands take it.
    #[arg(long, value_name = "FOLDER")]
    config: Option<PathBuf>,
}

/// Files without a mistake.
pub(crate) struct Sound {
    pub(crate) sources: Sources,
    config: Config,
    examples: usize,
}

impl Files {
    /// Reads and checks them, with the lint and the connectors' examples.
    pub(crate) fn check(&self) -> Result<Result<Sound, Findings>> {
        let sources = platform::config_folder(self.folder())?;
        let checked = connectors::configure(&sources).and_then(|(config, connectors)| {
            let examples = connectors.check_examples().map_err(Findings)?;
            Ok((config, examples))
        });
        Ok(checked.map(|(config, examples)| Sound { sources, config, examples }))
    }

    /// One line a mistake, each with its file in this folder.
    pub(crate) fn tell(&self, findings: &Findings) -> String {
        findings.below(self.folder())
    }

    fn folder(&self) -> &Path {
        self.config.as_deref().unwrap_or(&self.folder)
    }
}

impl Check {
    pub(crate) fn run(&self) -> Result<()> {
        match self.folder.check()? {
            Ok(sound) => self.praise(&sound),
            Err(findings) => {
                self.show(&findings)?;
                bail!("{} found", mistakes(&findings))
            }
        }
    }

    fn praise(&self, Sound { config, examples, .. }: &Sound) -> Result<()> {
        if self.json {
            return say(json!({"version": config.hash, "findings": []}));
        }
        say(format_args!(
            "no mistakes: version {}, {} connectors ({examples} examples hold), {} steps, {} scoring rules, {} routing rules",
            config.hash,
            config.catalogue.len(),
            config.plan.steps.len(),
            config.score.len(),
            config.route.rules.len()
        ))
    }

    fn show(&self, findings: &Findings) -> Result<()> {
        if !self.json {
            return say(self.folder.tell(findings));
        }
        let to_json = |finding: &Finding| json!({"file": finding.file, "line": finding.line, "message": finding.message});
        let list: Vec<_> = findings.0.iter().map(to_json).collect();
        say(json!({ "findings": list }))
    }
}

/// How many there are, in words.
pub(crate) fn mistakes(findings: &Findings) -> String {
    if findings.0.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", findings.0.len()) }
}
