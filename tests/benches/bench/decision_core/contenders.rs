//! Who decides: `infra/decision-core`, and the same work in Node and in Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::Places;
use crate::interpreter;

/// The package and binary that decides out of the product's parts.
pub(super) const DECISION_CORE: &str = "decision-core";
pub(super) const NODE: &str = "Node";
pub(super) const PYTHON: &str = "Python";

/// How to see where the instructions go.
pub(super) const PROFILE: &str = "`cargo build --release --workspace --bin decision-core --config \
     profile.release.package.decision-core.strip=false`, then `valgrind --tool=callgrind target/release/decision-core config \
     tests/benches/decision_core 100` and `callgrind_annotate` show where they go.";

/// Input, and the programs of Node and Python, below the root.
const FOLDER: &str = "tests/benches/decision_core";
/// Every decision of ours takes the same number of instructions but for the allocator, which settles after a few.
const OUR_TIMES: u32 = 100;
/// A JIT has compiled nearly all that is hot by then: from 2,000 to 8,000 decisions the time of each falls by a tenth.
const NODE_TIMES: u32 = 2000;
const PYTHON_TIMES: u32 = 50;

/// A program that decides about the input as often as its last argument says.
pub(super) struct Contender {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<PathBuf>,
    pub(super) variables: &'static [(&'static str, &'static str)],
    pub(super) times: u32,
    /// Name and version.
    pub(super) words: String,
}

impl Contender {
    /// What was counted.
    pub(super) fn how(&self) -> String {
        format!("{} decisions less {}, so that neither the start nor reading the configuration is in it.", self.times * 2, self.times)
    }
}

/// Ours: in the folder that was `given` if it is there, else built now, which takes no time when nothing has changed.
pub(super) fn ours(places: &Places, given: Option<&Path>) -> anyhow::Result<Contender> {
    let folder = match given.filter(|folder| folder.join(DECISION_CORE).exists()) {
        Some(folder) => folder.to_owned(),
        None => build(places)?,
    };
    let arguments = vec![places.root.join("config"), places.root.join(FOLDER)];
    Ok(Contender { program: folder.join(DECISION_CORE), arguments, variables: &[], times: OUR_TIMES, words: DECISION_CORE.to_owned() })
}

/// The others, or why not.
pub(super) fn others(places: &Places) -> [(&'static str, Result<Contender, String>); 2] {
    let folder = places.root.join(FOLDER);
    let contender = |name, found: Result<(PathBuf, String), String>, file, variables, times| {
        let arguments = vec![folder.join(file), folder.clone()];
        let contender =
            found.map(|(program, version)| Contender { program, arguments, variables, times, words: format!("{name} {version}") });
        (name, contender)
    };
    // Python's hashes are other ones in every process unless it is told otherwise.
    const FIXED: &[(&str, &str)] = &[("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1")];
    [
        contender(NODE, interpreter::node(), "decision_core.mjs", &[], NODE_TIMES),
        contender(PYTHON, interpreter::python(), "decision_core.py", FIXED, PYTHON_TIMES),
    ]
}

fn build(places: &Places) -> anyhow::Result<PathBuf> {
    // With the whole workspace's features, so that nothing is built twice.
    let arguments = ["build", "--release", "--workspace", "--bin", DECISION_CORE];
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(&places.root).status()?;
    ensure!(status.success(), "{DECISION_CORE} could not be built");
    Ok(places.target.join("release"))
}
