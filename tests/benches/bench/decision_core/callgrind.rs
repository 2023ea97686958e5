//! Instructions of a program, counted by valgrind's callgrind.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::contenders::Contender;

/// The tool, and where its counts go.
pub(super) struct Callgrind {
    /// Its name and version.
    pub(super) version: String,
    folder: tempfile::TempDir,
}

/// What was counted.
pub(super) struct Counted {
    /// Instructions of one decision.
    pub(super) each: f64,
    /// The CRM's body and the facts.
    pub(super) decided: String,
}

impl Callgrind {
    /// Valgrind on this machine, or why there is none.
    pub(super) fn find() -> Result<Self, String> {
        let missing = || "valgrind is not installed".to_owned();
        let output = Command::new("valgrind").arg("--version").output().map_err(|_| missing())?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || version.is_empty() {
            return Err(missing());
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Self { version, folder })
    }

    /// Lets it decide so often and twice as often: the difference leaves out the start, the configuration and, where there is a
    /// compiler at work, its warming up.
    pub(super) fn count(&self, contender: &Contender) -> anyhow::Result<Counted> {
        let (once, _) = self.run(contender, contender.times)?;
        let (twice, decided) = self.run(contender, contender.times * 2)?;
        ensure!(twice > once, "callgrind counted {once} instructions for {} runs and {twice} for twice as many", contender.times);
        Ok(Counted { each: ((twice - once) / f64::from(contender.times)).round(), decided })
    }

    /// All instructions of one process, and what it printed.
    fn run(&self, contender: &Contender, times: u32) -> anyhow::Result<(f64, String)> {
        let file = self.folder.path().join("callgrind.out");
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", file.display()));
        command.arg(&contender.program).args(&contender.arguments).arg(times.to_string());
        // The environment lies on the stack: with another one, other instructions may be counted.
        command.env_clear().envs(contender.variables.iter().copied());
        let output = command.output().context("valgrind")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} under valgrind: {said}", contender.program.display());
        Ok((total(&file)?, String::from_utf8(output.stdout)?))
    }
}

/// The line `summary: 4619931785`.
fn total(file: &Path) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(file).context("what callgrind counted")?;
    let summary = text.lines().find_map(|line| line.strip_prefix("summary: ")).context("callgrind wrote no summary")?;
    summary.trim().parse().context("callgrind's summary is no number")
}
