//! `millrace config publish`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use clap::Args;
use domain::config::Sources;
use pipeline::ports::{Clock as _, Published, Settings as _};
use platform::SystemClock;

use super::place::settings_of;
use crate::check::{Files, Sound, mistakes};
use crate::say::say;
use crate::stack::{Stack, Which};

/// What to publish, and where.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    which: Which,
    /// Store the version only; `config activate` puts it in force.
    #[arg(long)]
    no_activate: bool,
}

/// A file that is not as in the version in force.
#[derive(Debug, PartialEq, Eq)]
enum Change<'a> {
    Added(&'a str),
    Changed(&'a str),
    Removed(&'a str),
}

impl Publish {
    pub(crate) async fn run(&self) -> Result<()> {
        let Sound { sources, .. } = match self.files.check()? {
            Ok(sound) => sound,
            Err(findings) => bail!("{}\n{} found, so nothing was published", self.files.tell(&findings), mistakes(&findings)),
        };
        let place = settings_of(&self.which).await?;
        let active = place.active().await?.map(|active| active.hash);
        let hash = sources.hash();
        let told = match &active {
            None => format!("  {} files; nothing was in force before but what came with the functions", sources.iter().count()),
            Some(active) if *active == hash => "  these are the files of the version in force".to_owned(),
            Some(active) => against(&place, active, &sources).await?,
        };
        match place.asked(place.store.publish_version(&sources, SystemClock.now()).await)? {
            Published::Stored => say(format_args!("version {hash} is published in {}\n{told}", place.name))?,
            Published::Before => say(format_args!("version {hash} was published before in {}\n{told}", place.name))?,
            Published::TooLarge { bytes, most } => {
                bail!("the files come to {bytes} bytes where {most} can be stored, so nothing was published; shorten them")
            }
        }
        if self.no_activate {
            return say(format_args!("what was in force stays; `millrace config activate {hash}` puts this one in force"));
        }
        if active.as_deref() == Some(hash.as_str()) {
            return say("it was in force already, and nothing changed");
        }
        place.put_in_force(&hash, active.as_deref()).await?;
        say("it is in force; functions see it within a minute, and runs that have begun keep the version they began with")
    }
}

/// What changes against a stored version, file by file.
async fn against(place: &Stack, active: &str, sources: &Sources) -> Result<String> {
    let Some(before) = place.asked(place.store.version(active).await)? else {
        bail!("version {active} is in force and cannot be found; put another one in force with `millrace config activate`");
    };
    let lines: Vec<String> = changes(&before, sources).iter().map(Change::line).collect();
    Ok(format!("  against version {active}, which is in force:\n{}", lines.join("\n")))
}

fn changes<'a>(before: &'a Sources, after: &'a Sources) -> Vec<Change<'a>> {
    let paths: BTreeSet<&str> = before.iter().chain(after.iter()).map(|(path, _)| path).collect();
    let change = |path| match (before.text(path), after.text(path)) {
        (None, _) => Some(Change::Added(path)),
        (_, None) => Some(Change::Removed(path)),
        (before, after) => (before != after).then_some(Change::Changed(path)),
    };
    paths.into_iter().filter_map(change).collect()
}

impl Change<'_> {
    fn line(&self) -> String {
        match self {
            Self::Added(path) => format!("  added    {path}"),
            Self::Changed(path) => format!("  changed  {path}"),
            Self::Removed(path) => format!("  removed  {path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_came_went_or_changed_are_named_and_no_others() {
        let of = |files: &[(&str, &str)]| Sources::new(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
        let before = of(&[("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1")]);
        let after = of(&[("a.yaml", "1"), ("b.yaml", "2"), ("d.yaml", "1")]);
        assert_eq!(changes(&before, &after), [Change::Changed("b.yaml"), Change::Removed("c.yaml"), Change::Added("d.yaml")]);
        assert_eq!(changes(&before, &before), []);
    }
}
