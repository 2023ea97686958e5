//! `template.yaml` against the code: what the binaries read, own, answer and call, and what an operator relies on.
//!
//! Each check lists what it finds. It is held to two things: the template as it is has no finding, and each of a table of
//! broken templates has one that names the broken resource.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod alarms;
mod api;
mod audit;
mod dashboard;
mod drift;
mod iam;
mod observed;
mod outputs;
mod queues;
mod sample_events;
mod schedule;
mod secrets;
mod state;
mod world;

use std::path::PathBuf;

use serde_json::Value;
use tests::template::Template;

/// A pointer, what is put there (null takes away what stands there), and what the finding must name.
type Breakage<'a> = (&'a str, Value, &'a str);

/// Holds a check to the template and to its broken copies.
fn hold(check: impl Fn(&Template) -> Vec<String>, breakages: &[Breakage<'_>]) {
    let template = Template::of_repository().unwrap();
    assert_eq!(check(&template), Vec::<String>::new());
    for (pointer, value, named) in breakages {
        let findings = check(&template.with(pointer, value.clone()));
        assert!(findings.iter().any(|finding| finding.contains(named)), "{value} at {pointer} is not noticed: {findings:?}");
    }
}

/// A finding unless it holds.
fn unless(holds: bool, finding: impl FnOnce() -> String) -> Option<String> {
    (!holds).then(finding)
}

/// `lookup-critical` or `LOOKUP_CRITICAL` as a part of a logical id: `LookupCritical`.
fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_uppercase() + &rest.to_lowercase()
    };
    name.split(['-', '_', '/']).map(capital).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text_of(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
