//! Our functions as they are deployed: where their release binaries are, and how large.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use platform::Function;

use crate::Places;

/// What a zip adds to one compressed file named `bootstrap`.
const ZIP_FRAME_BYTES: usize = 22 + 46 + 30 + 2 * "bootstrap".len();

/// The package and binary that makes the baselines' three calls out of the product's parts.
pub(super) const THREE_CALLS: &str = "three-calls";

/// The release binaries that are started: all of one build, so that they can be compared.
pub(super) struct Bootstraps {
    folder: PathBuf,
    is_given: bool,
}

impl Bootstraps {
    /// Those in `given`, or built now, which takes no time when nothing has changed.
    pub(super) fn find(places: &Places, given: Option<&Path>) -> anyhow::Result<Self> {
        let folder = match given {
            Some(folder) => folder.to_owned(),
            None => build(places)?,
        };
        Ok(Self { folder, is_given: given.is_some() })
    }

    pub(super) fn path(&self, function: Function) -> PathBuf {
        self.folder.join(function.name())
    }

    pub(super) fn three_calls(&self) -> PathBuf {
        self.folder.join(THREE_CALLS)
    }

    /// Where they come from, for the report.
    pub(super) const fn words(&self) -> &'static str {
        if self.is_given { "the folder that was given" } else { "cargo build --release" }
    }
}

/// Size in millions of bytes: as it lies on disk, and as `zip -9` has it.
pub(super) fn sizes(bootstrap: &Path) -> anyhow::Result<(f64, f64)> {
    let bytes = std::fs::read(bootstrap).with_context(|| bootstrap.display().to_string())?;
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&bytes)?;
    Ok((megabytes(bytes.len()), megabytes(zip.finish()?.len() + ZIP_FRAME_BYTES)))
}

#[expect(clippy::cast_precision_loss, reason = "files, not disks")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn build(places: &Places) -> anyhow::Result<PathBuf> {
    let packages = Function::ALL.map(Function::name).into_iter().chain([THREE_CALLS]).flat_map(|package| ["--package", package]);
    let status = Command::new(env!("CARGO")).args(["build", "--release"]).args(packages).current_dir(&places.root).status()?;
    if !status.success() {
        bail!("the functions could not be built");
    }
    Ok(places.target.join("release"))
}
