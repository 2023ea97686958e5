//! `millrace config versions`, `activate`, `rollback` and `show`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use pipeline::ports::{Settings as _, Version};
use serde_json::{Value, json};

use super::place::settings_of;
use crate::say::say;
use crate::stack::{Stack, Which};
use crate::table::table;

/// The word for the version in force.
const ACTIVE: &str = "active";

/// Where the versions are.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// Print a JSON list.
    #[arg(long)]
    json: bool,
}

/// Which version.
#[derive(Debug, Args)]
pub(crate) struct Activate {
    /// The version's hash, or its beginning where no other begins so.
    hash: String,
    #[command(flatten)]
    which: Which,
}

/// Where.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    which: Which,
}

/// Which version, and what of it.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The version's hash, or its beginning where no other begins so; `active` for the one in force.
    hash: String,
    /// One file only, as it is, such as presets/signup.yaml.
    file: Option<String>,
    #[command(flatten)]
    which: Which,
}

impl List {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = settings_of(&self.which).await?;
        let active = place.active().await?.map(|active| active.hash);
        let versions = place.asked(place.store.versions().await)?;
        let is_active = |version: &Version| active.as_deref() == Some(version.hash.as_str());
        if self.json {
            return say(format_args!("{:#}", versions.iter().map(|version| to_json(version, is_active(version))).collect::<Value>()));
        }
        if active.is_none() {
            say("no version is in force: the configuration decides that came with the functions")?;
        }
        if versions.is_empty() {
            return Ok(());
        }
        let mut rows = table(&["version", "published at", "put in force last", ""]);
        for version in &versions {
            let activated = version.activated_at.map(|at| at.to_string()).unwrap_or_default();
            let now = if is_active(version) { "in force now" } else { "" };
            rows.add_row([version.hash.clone(), version.published_at.to_string(), activated, now.to_owned()]);
        }
        say(rows)
    }
}

fn to_json(version: &Version, active: bool) -> Value {
    json!({
        "hash": version.hash,
        "published_at": version.published_at.to_string(),
        "activated_at": version.activated_at.map(|at| at.to_string()),
        "active": active,
    })
}

impl Activate {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = settings_of(&self.which).await?;
        let hash = place.version_named(&self.hash).await?.hash;
        let active = place.active().await?.map(|active| active.hash);
        if active.as_deref() == Some(hash.as_str()) {
            return say(format_args!("version {hash} is in force already, and nothing changed"));
        }
        place.put_in_force(&hash, active.as_deref()).await?;
        say(in_force(&place, &hash, active.as_deref()))
    }
}

impl Rollback {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = settings_of(&self.which).await?;
        let Some(active) = place.active().await? else {
            bail!("nothing was ever put in force, so there is nothing to go back to; `millrace config publish` publishes a version");
        };
        let Some(before) = active.before else {
            bail!("version {} is the first that was ever in force; publish the files as they should be", active.hash);
        };
        place.put_in_force(&before, Some(&active.hash)).await?;
        say(in_force(&place, &before, Some(&active.hash)))
    }
}

fn in_force(place: &Stack, hash: &str, before: Option<&str>) -> String {
    let before = before.map_or_else(String::new, |before| format!(" instead of {before}"));
    format!(
        "version {hash} is in force{before} in {}; functions see it within a minute, and runs that have begun keep the version they began with",
        place.name
    )
}

impl Show {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = settings_of(&self.which).await?;
        let hash = if self.hash == ACTIVE {
            let active = place.active().await?;
            active.context("no version is in force: the configuration decides that came with the functions")?.hash
        } else {
            place.version_named(&self.hash).await?.hash
        };
        let sources = place.asked(place.store.version(&hash).await)?.with_context(|| format!("version {hash} cannot be found"))?;
        let Some(file) = &self.file else {
            return sources.iter().try_for_each(|(path, text)| say(format_args!("# ---- {path} of version {hash}\n{}", text.trim_end())));
        };
        match sources.text(file) {
            Some(text) => say(text.trim_end()),
            None => {
                let paths: Vec<&str> = sources.iter().map(|(path, _)| path).collect();
                bail!("version {hash} has no file {file}; it has {}", paths.join(", "))
            }
        }
    }
}
