//! The tools that a deployment takes, each in a virtual environment of its own, in the versions that were tried (LOCAL §2).

use std::env::consts::ARCH;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::command::run;
use crate::screen::Screen;

/// One command an environment: installed one after the other, a pin of botocore breaks.
const STAND_IN: [&str; 2] = ["ministack==1.5.33", "aws-sam-translator==1.115.0"];
const SAM: [&str; 2] = ["aws-sam-cli==1.170.0", "cargo-lambda==1.9.2"];

/// The installed tools.
pub(crate) struct Tools {
    stand_in: PathBuf,
    sam: PathBuf,
}

impl Tools {
    /// Installs what is not there yet.
    pub(crate) async fn install(folder: &Path, screen: &Screen) -> Result<Self> {
        let tools = Self { stand_in: folder.join("stand-in"), sam: folder.join("sam") };
        for (environment, packages, program) in [(&tools.stand_in, STAND_IN, "ministack"), (&tools.sam, SAM, "sam")] {
            if !environment.join("bin").join(program).exists() {
                screen.step("tools", &packages.join(", "), install(environment, &packages)).await?;
            }
        }
        Ok(tools)
    }

    pub(crate) fn ministack(&self) -> Command {
        Command::new(self.stand_in.join("bin/ministack"))
    }

    /// The SAM CLI, with cargo-lambda where it finds it.
    pub(crate) fn sam(&self, root: &Path) -> Command {
        let mut command = Command::new(self.sam.join("bin/sam"));
        command.current_dir(root).env("PATH", self.path()).env("SAM_CLI_TELEMETRY", "0");
        command
    }

    /// Builds the functions for this machine's own processor.
    pub(crate) async fn build(&self, root: &Path) -> Result<()> {
        run(self.sam(root).args(["build", "--parameter-overrides", &architecture()]), "").await.map(drop)
    }

    #[expect(clippy::disallowed_methods, reason = "PATH of the tools that are started, no setting of ours")]
    fn path(&self) -> OsString {
        let mut path = OsString::from(self.sam.join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        path
    }
}

/// The template's parameter for what can run here.
pub(crate) fn architecture() -> String {
    format!("Architecture={}", if ARCH == "aarch64" { "arm64" } else { "x86_64" })
}

async fn install(environment: &Path, packages: &[&str]) -> Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(environment), "").await.context("Python 3.10 or newer with venv is needed")?;
    run(Command::new(environment.join("bin/pip")).args(["install", "--quiet"]).args(packages), "").await.map(drop)
}
