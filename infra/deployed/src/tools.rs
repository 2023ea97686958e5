//! The tools that a deployment takes, each in a virtual environment of its own, in the versions that were tried (LOCAL §2).

use std::env::consts::ARCH;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::command::run;
use crate::ministack::REGION;
use crate::screen::Screen;

/// One command an environment: installed one after the other, a pin of botocore breaks. `infra/template-gates` reads these too.
const STAND_IN: &str = include_str!("../tools/stand-in.txt");
const SAM: &str = include_str!("../tools/sam.txt");
/// Where it is built, from the repository's root: not the folder that a user's own `sam deploy` ships.
pub(crate) const BUILT: &str = ".millrace/deployed";
/// In an environment: the packages that were installed to the end.
const STAMP: &str = "installed.txt";

/// The installed tools.
pub(crate) struct Tools {
    stand_in: PathBuf,
    sam: PathBuf,
}

impl Tools {
    /// Installs what is not there yet, or there in part or in other versions.
    pub(crate) async fn install(folder: &Path, screen: &Screen) -> Result<Self> {
        let tools = Self { stand_in: folder.join("stand-in"), sam: folder.join("sam") };
        for (environment, packages) in [(&tools.stand_in, STAND_IN), (&tools.sam, SAM)] {
            if !is_installed(environment, packages) {
                let packages: Vec<&str> = packages.lines().collect();
                screen.step("tools", &packages.join(", "), install(environment, &packages)).await?;
            }
        }
        Ok(tools)
    }

    pub(crate) fn ministack(&self) -> Command {
        Command::new(self.stand_in.join("bin/ministack"))
    }

    /// A command of the SAM CLI, with cargo-lambda where it finds it, and with nothing of the user's own settings.
    pub(crate) fn sam(&self, root: &Path, command: &[&str]) -> Command {
        let mut sam = Command::new(self.sam.join("bin/sam"));
        sam.current_dir(root).env("PATH", self.path()).env("SAM_CLI_TELEMETRY", "0");
        sam.args(command).args(["--region", REGION]).arg("--config-file").arg(root.join("infra/deployed/samconfig.toml"));
        sam
    }

    /// Builds the functions for this machine's own processor, beside what the user's own `sam deploy` ships.
    pub(crate) async fn build(&self, root: &Path) -> Result<()> {
        let mut sam = self.sam(root, &["build", "--parameter-overrides", &architecture()]);
        run(sam.arg("--build-dir").arg(root.join(BUILT)), "").await.map(drop)
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

fn is_installed(environment: &Path, packages: &str) -> bool {
    std::fs::read_to_string(environment.join(STAMP)).is_ok_and(|installed| installed == packages)
}

async fn install(environment: &Path, packages: &[&str]) -> Result<()> {
    let mut venv = Command::new("python3");
    run(venv.args(["-m", "venv", "--clear"]).arg(environment), "").await.context("Python 3.10 or newer with venv is needed")?;
    run(Command::new(environment.join("bin/pip")).args(["install", "--quiet"]).args(packages), "").await?;
    std::fs::write(environment.join(STAMP), packages.join("\n") + "\n").context("the tools' stamp")
}
