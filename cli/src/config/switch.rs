//! `millrace config activate` and `rollback`: something that was in force before decides again.

use anyhow::{Result, bail};
use clap::Args;
use domain::config::Sources;
use pipeline::ports::{InForce, Settings as _};

use super::changes::told;
use super::place::{TABLES, called};
use crate::say::{note, say};
use crate::stack::{Stack, Which};

/// Which version.
#[derive(Debug, Args)]
pub(crate) struct Activate {
    /// The version's hash, or its beginning where no other begins so; `bundled` for what came with the functions.
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

impl Activate {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = self.which.connect_to_change(&TABLES, &[]).await?;
        let what = place.version_named(&self.hash).await?;
        let before = place.in_force().await?;
        if before == what {
            return say(format_args!("{} is in force already, and nothing changed", called(&what)));
        }
        switch(&place, &what, &before).await?;
        say(format_args!("`millrace config rollback` leads back to {}", called(&before)))
    }
}

impl Rollback {
    pub(crate) async fn run(&self) -> Result<()> {
        let place = self.which.connect_to_change(&TABLES, &[]).await?;
        let Some(active) = place.asked(place.store.active().await)? else {
            bail!("nothing was ever put in force, so there is nothing to go back to; `millrace config publish` publishes a version");
        };
        switch(&place, &active.before, &active.what).await?;
        say(format_args!(
            "a second `millrace config rollback` leads to {} again and not further back; `millrace config versions` lists them all, and \
             `millrace config activate HASH` takes any",
            called(&active.what)
        ))
    }
}

/// Puts one in force instead of the other, and says before what that changes.
async fn switch(place: &Stack, to: &InForce, from: &InForce) -> Result<()> {
    let (before, after) = (place.files_of(from).await?, place.files_of(to).await?);
    say(format_args!("from {} to {}:\n{}", called(from), called(to), told(&before, &after)))?;
    match &after {
        Ok(files) => warn_if_unusable(to, files),
        Err(why) if to.hash().is_some() => bail!("{why}, so nothing changed; `millrace config versions` lists the others"),
        Err(_) => {}
    }
    place.put_in_force(to, from).await?;
    say(format_args!(
        "{} is in force instead of {} in {}; functions see it within a minute, and runs that have begun keep the version they began with",
        called(to),
        called(from),
        place.name
    ))?;
    if *to == InForce::Bundled {
        say("until a version is put in force, a deployment changes what decides")?;
    }
    Ok(())
}

/// It is put in force all the same: the functions may be of the code that it was published for.
fn warn_if_unusable(what: &InForce, files: &Sources) {
    if let Err(findings) = connectors::configure_for_use(files) {
        let told = findings.below(what.as_str().as_ref());
        note(format_args!("{told}\n{} has mistakes to this program's code: functions of the same code do not start on it", called(what)));
    }
}
