//! `millrace config check`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use domain::config::{Finding, Findings};
use serde_json::json;

use crate::say::say;

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration's folder.
    #[arg(default_value = "config", conflicts_with = "config")]
    folder: PathBuf,
    /// The same, as the other commands take it.
    #[arg(long, value_name = "FOLDER")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(&self) -> Result<()> {
        let sources = platform::config_folder(self.folder())?;
        let findings = match connectors::configure(&sources) {
            Ok((config, connectors)) => match connectors.check_examples() {
                Ok(examples) => return self.praise(&config, examples),
                Err(findings) => Findings(findings),
            },
            Err(findings) => findings,
        };
        self.show(&findings)?;
        let findings = findings.0;
        bail!("{} found", if findings.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", findings.len()) });
    }

    fn folder(&self) -> &Path {
        self.config.as_deref().unwrap_or(&self.folder)
    }

    fn praise(&self, config: &domain::config::Config, examples: usize) -> Result<()> {
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
            return say(findings.below(self.folder()));
        }
        let to_json = |finding: &Finding| json!({"file": finding.file, "line": finding.line, "message": finding.message});
        let list: Vec<_> = findings.0.iter().map(to_json).collect();
        say(json!({ "findings": list }))
    }
}
