//! `millrace config publish`.

use anyhow::{Result, bail};
use clap::Args;
use domain::config::Sources;
use pipeline::ports::{Clock as _, InForce, Published, Settings as _};
use platform::SystemClock;

use super::changes::told;
use super::place::{TABLES, called};
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

impl Publish {
    pub(crate) async fn run(&self) -> Result<()> {
        let Sound { sources, .. } = match self.files.check()? {
            Ok(sound) => sound,
            Err(findings) => bail!("{}\n{} found, so nothing was published", self.files.tell(&findings), mistakes(&findings)),
        };
        let place = self.which.connect_to_change(&TABLES, &[]).await?;
        let (what, before) = (InForce::Version(sources.hash()), place.in_force().await?);
        let changes = if what == before {
            "  these are the files of the version in force".to_owned()
        } else {
            let told = told(&place.files_of(&before).await?, &Ok(sources.clone()));
            format!("  {} files, against {}, which is in force:\n{told}", sources.iter().count(), called(&before))
        };
        store(&place, &sources, &changes).await?;
        if what == before {
            return say("it was in force already, and nothing changed");
        }
        if self.no_activate {
            return say(format_args!("what was in force stays; `millrace config activate {}` puts this one in force", what.as_str()));
        }
        place.put_in_force(&what, &before).await?;
        say(format_args!(
            "it is in force; functions see it within a minute, and runs that have begun keep the version they began with; \
             `millrace config rollback` leads back to {}",
            called(&before)
        ))
    }
}

/// Stores a version, and says against what it changes which files.
async fn store(place: &Stack, sources: &Sources, changes: &str) -> Result<()> {
    let done = match place.asked(place.store.publish_version(sources, SystemClock.now()).await)? {
        Published::Stored => "is published",
        Published::Before => "was published before",
        Published::TooLarge { bytes, most } => {
            bail!("the files come to {bytes} bytes where {most} can be stored, so nothing was published; shorten them")
        }
    };
    say(format_args!("version {} {done} in {}\n{changes}", sources.hash(), place.name))
}
