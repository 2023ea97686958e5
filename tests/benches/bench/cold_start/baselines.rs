//! The same three calls in Node and in Python, as `just deep` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Places;

/// A language that is compared with.
pub(super) struct Baseline {
    pub(super) name: &'static str,
    /// The interpreter itself: a version manager's shim would be measured with it.
    pub(super) interpreter: PathBuf,
    pub(super) arguments: Vec<String>,
    /// What it finds its packages by.
    pub(super) variables: Vec<(String, String)>,
    /// Its version, and how it speaks the Runtime API.
    pub(super) words: String,
}

const NODE_VERSION: &str = "process.stdout.write(process.execPath + '\\n' + process.version)";
const PYTHON_VERSION: &str = "import platform, sys; print(sys.executable); print(platform.python_version())";

/// Node, or why not.
pub(super) fn node(places: &Places) -> Result<Baseline, String> {
    let bundle = installed(places, "node/bundle.cjs", "Node")?;
    let (interpreter, version) = interpreter("node", ["-e", NODE_VERSION])?;
    let words = format!(
        "Node {version}, AWS SDK v3 bundled by esbuild, a minimal client of the Runtime API instead of aws-lambda-ric (in its favour)"
    );
    Ok(Baseline { name: "Node", interpreter, arguments: vec![bundle], variables: Vec::new(), words })
}

/// Python, or why not.
pub(super) fn python(places: &Places) -> Result<Baseline, String> {
    let handler = installed(places, "python/handler.py", "Python")?;
    let folder = handler.trim_end_matches("/handler.py").to_owned();
    installed(places, "python/awslambdaric/__main__.py", "Python")?;
    let (interpreter, version) = interpreter("python3", ["-c", PYTHON_VERSION])?;
    let words = format!("Python {version}, boto3 and urllib3, Amazon's awslambdaric, byte code compiled beforehand (in its favour)");
    let arguments = ["-m", "awslambdaric", "handler.handle"].map(str::to_owned).to_vec();
    let variables = vec![("PYTHONPATH".to_owned(), folder.clone()), ("LAMBDA_TASK_ROOT".to_owned(), folder)];
    Ok(Baseline { name: "Python", interpreter, arguments, variables, words })
}

fn installed(places: &Places, file: &str, name: &str) -> Result<String, String> {
    let path = places.target.join("baselines").join(file);
    if path.exists() { Ok(path.display().to_string()) } else { Err(format!("the {name} baseline is not installed; `just deep` does it")) }
}

/// Asks an interpreter for its own path and version.
fn interpreter(program: &str, arguments: [&str; 2]) -> Result<(PathBuf, String), String> {
    let missing = || format!("{program} is missing");
    let output = Command::new(program).args(arguments).output().map_err(|_| missing())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = text.lines();
    let path = lines.next().map(Path::new).filter(|path| path.exists()).ok_or_else(missing)?;
    Ok((path.to_owned(), lines.next().unwrap_or_default().to_owned()))
}
