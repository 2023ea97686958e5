//! `millrace config check`.
#![expect(clippy::print_stdout, reason = "this is the command's output")]

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use domain::config::Finding;
use serde_json::json;

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration's folder.
    #[arg(default_value = "config")]
    folder: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(&self) -> Result<()> {
        let sources = platform::config_folder(&self.folder)?;
        let findings = match connectors::configure(&sources) {
            Ok((config, connectors)) => match connectors.check_examples() {
                Ok(examples) => return self.praise(&config, examples),
                Err(findings) => findings,
            },
            Err(findings) => findings.0,
        };
        self.show(&findings);
        bail!("{} found", if findings.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", findings.len()) });
    }

    fn praise(&self, config: &domain::config::Config, examples: usize) -> Result<()> {
        if self.json {
            println!("{}", json!({"version": config.hash, "findings": []}));
            return Ok(());
        }
        println!(
            "no mistakes: version {}, {} connectors ({examples} examples hold), {} steps, {} scoring rules, {} routing rules",
            config.hash,
            config.catalogue.len(),
            config.plan.steps.len(),
            config.score.len(),
            config.route.rules.len()
        );
        Ok(())
    }

    fn show(&self, findings: &[Finding]) {
        if self.json {
            let list: Vec<_> =
                findings.iter().map(|finding| json!({"file": finding.file, "line": finding.line, "message": finding.message})).collect();
            println!("{}", json!({"findings": list}));
            return;
        }
        for finding in findings {
            println!("{}", finding.to_string().replacen("config/", &format!("{}/", self.folder.display()), 1));
        }
    }
}
