//! The same three calls in Node and in Python, as `just deep` installs them.

use std::path::PathBuf;

use crate::{Places, interpreter};

/// A language that is compared with.
pub(super) struct Baseline {
    pub(super) name: &'static str,
    pub(super) interpreter: PathBuf,
    pub(super) arguments: Vec<String>,
    /// What it finds its packages by.
    pub(super) variables: Vec<(String, String)>,
    /// Its version, and how it speaks the Runtime API.
    pub(super) words: String,
}

/// Node, or why not.
pub(super) fn node(places: &Places) -> Result<Baseline, String> {
    let bundle = installed(places, "node/bundle.cjs", "Node")?;
    let (interpreter, version) = interpreter::node()?;
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
    let (interpreter, version) = interpreter::python()?;
    let words = format!("Python {version}, boto3 and urllib3, Amazon's awslambdaric, byte code compiled beforehand (in its favour)");
    let arguments = ["-m", "awslambdaric", "handler.handle"].map(str::to_owned).to_vec();
    let variables = vec![("PYTHONPATH".to_owned(), folder.clone()), ("LAMBDA_TASK_ROOT".to_owned(), folder)];
    Ok(Baseline { name: "Python", interpreter, arguments, variables, words })
}

fn installed(places: &Places, file: &str, name: &str) -> Result<String, String> {
    let path = places.target.join("baselines").join(file);
    if path.exists() { Ok(path.display().to_string()) } else { Err(format!("the {name} baseline is not installed; `just deep` does it")) }
}
