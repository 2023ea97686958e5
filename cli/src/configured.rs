//! A configuration folder, checked.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use domain::config::Config;

/// Which configuration decides.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The folder of the configuration that decides.
    #[arg(long, value_name = "FOLDER", default_value = "config")]
    config: PathBuf,
}

impl Folder {
    pub(crate) fn read(&self) -> Result<Config> {
        configured(&self.config)
    }
}

/// The configuration in a folder.
pub(crate) fn configured(folder: &Path) -> Result<Config> {
    let sources = platform::config_folder(folder)?;
    let configured = connectors::configure_for_use(&sources).map_err(|findings| anyhow!("{findings}"));
    let (config, _) = configured.with_context(|| format!("the configuration in {} has mistakes", folder.display()))?;
    Ok(config)
}
