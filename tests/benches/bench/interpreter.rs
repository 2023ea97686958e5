//! The interpreters of the languages that are compared with: their own paths, since a version manager's shim would be measured too.

use std::path::{Path, PathBuf};
use std::process::Command;

const NODE_VERSION: &str = "process.stdout.write(process.execPath + '\\n' + process.version)";
const PYTHON_VERSION: &str = "import platform, sys; print(sys.executable); print(platform.python_version())";

/// Node's path and version, or why not.
pub(crate) fn node() -> Result<(PathBuf, String), String> {
    ask("node", ["-e", NODE_VERSION])
}

/// Python's path and version, or why not.
pub(crate) fn python() -> Result<(PathBuf, String), String> {
    ask("python3", ["-c", PYTHON_VERSION])
}

fn ask(program: &str, arguments: [&str; 2]) -> Result<(PathBuf, String), String> {
    let missing = || format!("{program} is missing");
    let output = Command::new(program).args(arguments).output().map_err(|_| missing())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = text.lines();
    let path = lines.next().map(Path::new).filter(|path| path.exists()).ok_or_else(missing)?;
    Ok((path.to_owned(), lines.next().unwrap_or_default().to_owned()))
}
