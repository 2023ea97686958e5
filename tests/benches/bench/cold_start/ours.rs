//! Our functions as they are deployed: where their release binaries are, and how large.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use platform::Function;

use crate::Places;

/// What a zip adds to one compressed file named `bootstrap`.
const ZIP_FRAME_BYTES: usize = 22 + 46 + 30 + 2 * "bootstrap".len();

/// The folder or folders with the release binaries.
pub(super) enum Bootstraps {
    /// One folder, each binary under its own name.
    Together(PathBuf),
    /// As `sam build` leaves them.
    Sam(PathBuf),
}

impl Bootstraps {
    /// Those in `given`, or of `sam build`, or built now.
    pub(super) fn find(places: &Places, given: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(folder) = given {
            return Ok(Self::Together(folder.to_owned()));
        }
        let sam = Self::Sam(places.root.join(".aws-sam/build"));
        if Function::ALL.into_iter().all(|function| runs_here(&sam.path(function))) {
            return Ok(sam);
        }
        build(places)?;
        Ok(Self::Together(places.target.join("release")))
    }

    pub(super) fn path(&self, function: Function) -> PathBuf {
        match self {
            Self::Together(folder) => folder.join(function.name()),
            Self::Sam(folder) => folder.join(logical_id(function)).join("bootstrap"),
        }
    }

    /// Where they come from, for the report.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Together(_) => "cargo build --release",
            Self::Sam(_) => "sam build",
        }
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

/// `sam build` may have built for another processor: the machine in the ELF header is this program's own, or not.
fn runs_here(bootstrap: &Path) -> bool {
    let ours = std::env::current_exe().ok().and_then(|path| elf_machine(&path));
    ours.is_some() && elf_machine(bootstrap) == ours
}

fn elf_machine(path: &Path) -> Option<[u8; 2]> {
    let mut head = [0; 20];
    std::fs::File::open(path).ok()?.read_exact(&mut head).ok()?;
    head.starts_with(b"\x7fELF").then_some([head[18], head[19]])
}

fn build(places: &Places) -> anyhow::Result<()> {
    let packages = Function::ALL.into_iter().flat_map(|function| ["--package", function.name()]);
    let status = Command::new(env!("CARGO")).args(["build", "--release"]).args(packages).current_dir(&places.root).status()?;
    if !status.success() {
        bail!("the functions could not be built");
    }
    Ok(())
}

/// `ProviderLookupFunction` for `provider-lookup`.
fn logical_id(function: Function) -> String {
    let words = function.name().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect::<String>() + "Function"
}
