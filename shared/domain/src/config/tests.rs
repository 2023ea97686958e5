//! A small configuration to write sections into: what it becomes, and what is said to its mistakes.

use super::{Config, Draft, Finding, MAIN_FILE, Sources};
use crate::merge::{Fact, Facts};
use crate::plan::Catalogue;
use crate::units::{BasisPoints, Timestamp};
use crate::value::Value;

const MAIN: &str = "version: 1\npreset: small\ncredits: {allocation: 1000}\n";
const PRESET: &str = "freshness: signup\nsteps: []\nscore:\n  - {when: company.headcount >= 50, points: 30, because: large enough}\n\
                      route:\n  rules:\n    - {when: score >= 20, to: ae_queue, because: scored}\n  otherwise: self_serve\n  \
                      undecided: self_serve\n";

/// The first line of what is written into the main file.
pub(super) const FIRST: u64 = 4;

fn checked(main: &str, preset: &str) -> Result<Config, Vec<Finding>> {
    let files = [(MAIN_FILE.to_owned(), format!("{MAIN}{main}")), ("presets/small.yaml".to_owned(), format!("{PRESET}{preset}"))];
    let sources = Sources::new(files);
    Draft::read(&sources).and_then(|draft| draft.check(Catalogue::new())).map_err(|findings| findings.0)
}

/// The configuration with these texts at the end of its main file and of its preset.
pub(super) fn config(main: &str, preset: &str) -> Config {
    checked(main, preset).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// What is said to these texts.
pub(super) fn findings(main: &str, preset: &str) -> Vec<Finding> {
    checked(main, preset).err().unwrap_or_default()
}

/// Each text in the main file gives exactly one finding, in the given line after the first.
pub(super) fn assert_found(cases: &[(&str, u64, &str)]) {
    for (written, below, said) in cases {
        assert_eq!(findings(written, ""), [Finding::new(MAIN_FILE, FIRST + below, *said)], "{written}");
    }
}

/// Certain facts.
pub(super) fn facts(config: &Config, known: &[(&str, Value)]) -> Facts {
    let fact = |value: &Value| Fact {
        value: value.clone(),
        confidence: BasisPoints::ONE,
        sources: vec!["test".into()],
        confirmations: 1,
        observed_at: Timestamp::from_millis(0),
        conflicts: vec![],
        checks: vec![],
    };
    known.iter().map(|(path, value)| (config.schema.field(path).unwrap(), fact(value))).collect()
}

#[test]
fn the_small_configuration_has_no_mistakes() {
    assert_eq!(findings("", ""), []);
}

#[test]
fn points_beyond_all_scores_are_refused() {
    assert_found(&[(
        "score:\n  - {when: 'company.headcount > 5', points: 9223372036854775807, because: much}\n",
        1,
        "9223372036854775807 points are beyond all scores; write -1000 to 1000",
    )]);
}

#[test]
fn hysteresis_is_five_points_unless_something_else_is_written() {
    let route = |hysteresis: &str| format!("route:\n  rules: []\n  otherwise: self_serve\n  undecided: self_serve\n{hysteresis}");
    for (written, points) in [("", 5), ("  hysteresis: 0\n", 0), ("  hysteresis: 100\n", 100)] {
        assert_eq!(config(&route(written), "").route.hysteresis, points);
    }
    let beyond = |points: &str| format!("a hysteresis of {points} points is beyond all scores; write 0 to 100");
    assert_found(&[(&route("  hysteresis: 101\n"), 4, &beyond("101")), (&route("  hysteresis: -1\n"), 4, &beyond("-1"))]);
}
