//! `millrace config check`, of a folder or of the version in force.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use domain::config::{Config, Finding, Findings, Sources};
use serde_json::json;

use crate::config::TABLES;
use crate::say::say;
use crate::stack::Which;

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    folder: Files,
    /// Check the version that is in force in a stack instead: whether functions of this program's code would start on it. To be
    /// run before a deployment.
    #[arg(long, conflicts_with_all = ["folder", "config"])]
    published: bool,
    #[command(flatten)]
    which: Which,
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
    pub(crate) async fn run(&self) -> Result<()> {
        if self.published {
            return self.check_published().await;
        }
        if self.which.is_named_by_flag() {
            bail!("a folder is checked by itself; --outputs and --local go with --published, which checks the version in force there");
        }
        match self.folder.check()? {
            Ok(sound) => self.praise(&sound),
            Err(findings) => {
                self.show(None, &findings)?;
                bail!("{} found", mistakes(&findings))
            }
        }
    }

    /// As functions do at their start: what `config check` only advises against stops none of them.
    async fn check_published(&self) -> Result<()> {
        let place = self.which.connect(&TABLES, &[]).await?;
        let in_force = place.in_force().await?;
        let Some(hash) = in_force.hash() else {
            let said = "no published version is in force: what comes with the functions decides, so check the folder `config`";
            return if self.json { say(json!({"version": null, "findings": []})) } else { say(said) };
        };
        let sources = match place.files_of(&in_force).await? {
            Ok(sources) => sources,
            Err(why) => bail!("{why}, and it is in force: functions do not start on it. Put another one in force"),
        };
        let Err(findings) = connectors::configure_for_use(&sources) else {
            let said = format_args!("version {hash}, which is in force in {}, can be read by functions of this program's code", place.name);
            return if self.json { say(json!({"version": hash, "findings": []})) } else { say(said) };
        };
        self.show(Some(hash), &findings)?;
        bail!(
            "{} found in version {hash}, which is in force in {}: functions of this program's code do not start on it. Publish one that \
             they can read before you deploy them",
            mistakes(&findings),
            place.name
        )
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

    /// Those of a published version, or of the folder.
    fn show(&self, version: Option<&str>, findings: &Findings) -> Result<()> {
        if !self.json {
            return say(version.map_or_else(|| self.folder.tell(findings), |hash| findings.below(Path::new(hash))));
        }
        let to_json = |finding: &Finding| json!({"file": finding.file, "line": finding.line, "message": finding.message});
        let list: Vec<_> = findings.0.iter().map(to_json).collect();
        say(match version {
            Some(hash) => json!({ "version": hash, "findings": list }),
            None => json!({ "findings": list }),
        })
    }
}

/// How many there are, in words.
pub(crate) fn mistakes(findings: &Findings) -> String {
    if findings.0.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", findings.0.len()) }
}
