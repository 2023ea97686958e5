//! A configuration folder, as commands besides `config check` read it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use domain::config::Config;

/// Which configuration decides.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// A configuration's folder: `explain --what-if` decides by it, and `replay` takes it for what was decided under it. Where none
    /// is named, the published version that the run is pinned to is taken, or the folder `config`.
    #[arg(long, value_name = "FOLDER")]
    config: Option<PathBuf>,
}

impl Folder {
    /// The one that was named.
    pub(crate) fn named(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The configuration that was named, or that in `config`.
    pub(crate) fn read(&self) -> Result<Config> {
        config_in(self.config.as_deref().unwrap_or(Path::new("config")))
    }

    /// The configuration that was named, else that in `config` where there is a sound one.
    pub(crate) fn at_hand(&self) -> Result<Option<Config>> {
        match &self.config {
            Some(folder) => config_in(folder).map(Some),
            None => Ok(config_in(Path::new("config")).ok()),
        }
    }
}

/// The configuration in a folder.
pub(crate) fn config_in(folder: &Path) -> Result<Config> {
    let sources = platform::config_folder(folder)?;
    let configured = connectors::configure_for_use(&sources).map_err(|findings| anyhow!(findings.below(folder)));
    configured.map(|(config, _)| config).with_context(|| format!("the configuration in {} has mistakes", folder.display()))
}
