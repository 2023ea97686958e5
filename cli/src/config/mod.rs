//! `millrace config`.

mod changes;
mod place;
mod publish;
mod switch;
mod versions;

use anyhow::Result;
use clap::Subcommand;

use crate::check::Check;

pub(crate) use place::{TABLES, called};

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Find mistakes, with file and line and what to write instead; with --published, in the version that is in force.
    Check(Check),
    /// Check the configuration, store it as a version that never changes, and put that in force. Functions see it within a minute.
    Publish(publish::Publish),
    /// List the published versions and what came with the functions, and say which one is in force.
    Versions(versions::List),
    /// Put a published version in force, or what came with the functions.
    Activate(switch::Activate),
    /// Put in force again what was in force before, and say which files that changes. A second time leads to where it began.
    Rollback(switch::Rollback),
    /// Print the files of a published version.
    Show(versions::Show),
}

impl Config {
    pub(crate) async fn run(&self) -> Result<()> {
        match self {
            Self::Check(check) => check.run().await,
            Self::Publish(publish) => publish.run().await,
            Self::Versions(list) => list.run().await,
            Self::Activate(activate) => activate.run().await,
            Self::Rollback(rollback) => rollback.run().await,
            Self::Show(show) => show.run().await,
        }
    }
}
