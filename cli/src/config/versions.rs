//! `millrace config versions` and `show`.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use pipeline::ports::{Active, InForce, Settings as _, Version};
use serde_json::{Value, json};

use super::place::TABLES;
use crate::say::{note, say};
use crate::stack::Which;
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
        let place = self.which.connect(&TABLES, &[]).await?;
        let active = place.asked(place.store.active().await)?;
        let mut lines: Vec<Line> = place.asked(place.store.versions().await)?.into_iter().map(Line::from).collect();
        lines.push(Line::bundled(active.as_ref()));
        let now = active.map_or(InForce::Bundled, |active| active.what);
        let is_active = |line: &Line| line.name == now.as_str();
        if let Some(hash) = now.hash().filter(|hash| lines.iter().all(|line| line.name != **hash)) {
            note(format_args!("version {hash} is in force and cannot be found; put another one in force"));
        }
        if self.json {
            return say(format_args!("{:#}", lines.iter().map(|line| line.to_json(is_active(line))).collect::<Value>()));
        }
        let mut rows = table(&["version", "published at", "put in force last", ""]);
        for line in &lines {
            let (published, activated) = (line.published_at.as_deref(), line.activated_at.as_deref());
            let now = if is_active(line) { "in force now" } else { "" };
            rows.add_row([&line.name, published.unwrap_or("came with the functions"), activated.unwrap_or_default(), now]);
        }
        say(rows)
    }
}

/// What may be in force, in the list.
struct Line {
    name: String,
    published_at: Option<String>,
    activated_at: Option<String>,
}

impl From<Version> for Line {
    fn from(Version { hash, published_at, activated_at }: Version) -> Self {
        Self { name: hash, published_at: Some(published_at.to_string()), activated_at: activated_at.map(|at| at.to_string()) }
    }
}

impl Line {
    /// What came with the functions. When somebody went back to it is known while it is in force.
    fn bundled(active: Option<&Active>) -> Self {
        let since = active.filter(|active| active.what == InForce::Bundled).map(|active| active.since.to_string());
        Self { name: InForce::BUNDLED.to_owned(), published_at: None, activated_at: since }
    }

    fn to_json(&self, active: bool) -> Value {
        json!({ "hash": self.name, "published_at": self.published_at, "activated_at": self.activated_at, "active": active })
    }
}

impl Show {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = self.which.connect(&TABLES, &[]).await?;
        let what = if self.hash == ACTIVE { place.in_force().await? } else { place.version_named(&self.hash).await? };
        let Some(hash) = what.hash() else {
            bail!("what came with the functions stands in no table: it is the folder `config` with which they were built");
        };
        let sources = place.asked(place.store.version(hash).await)?.with_context(|| format!("version {hash} cannot be found"))?;
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
