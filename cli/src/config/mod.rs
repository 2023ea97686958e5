//! `millrace config`.

mod place;
mod publish;
mod versions;

use anyhow::Result;
use clap::Subcommand;

use crate::check::Check;

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Find mistakes, with file and line and what to write instead.
    Check(Check),
    /// Check the configuration, store it as a version that never changes, and put that in force. Functions see it within a minute.
    Publish(publish::Publish),
    /// List the published versions, and say which one is in force.
    Versions(versions::List),
    /// Put a published version in force.
    Activate(versions::Activate),
    /// Put the version in force again that was in force before. A second time leads back.
    Rollback(versions::Rollback),
    /// Print the files of a published version.
    Show(versions::Show),
}

impl Config {
    pub(crate) async fn run(&self) -> Result<()> {
        match self {
            Self::Check(check) => check.run(),
            Self::Publish(publish) => publish.run().await,
            Self::Versions(list) => list.run().await,
            Self::Activate(activate) => activate.run().await,
            Self::Rollback(rollback) => rollback.run().await,
            Self::Show(show) => show.run().await,
        }
    }
}
