//! One signup as the table and `--json` show it.

use std::time::Duration;

use domain::plan::{CallOutcome, Skip};
use domain::run::Run;
use serde::{Deserialize, Serialize};

use crate::journal::Journal;

/// What events/expected.json says of one sending of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The outcome, as a word.
    pub outcome: String,
    /// The track, as a word.
    pub track: String,
}

impl Expected {
    pub(crate) fn words(&self) -> String {
        format!("expected {} on {}", self.outcome, self.track)
    }
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The sample's name.
    pub sample: String,
    /// The run's id.
    pub signup: String,
    /// What it came to.
    pub outcome: String,
    /// The gate's verdict.
    pub gate: &'static str,
    /// The score's low and high end.
    pub score: [i64; 2],
    /// The track.
    pub track: &'static str,
    /// The owner, where the track has one.
    pub owner: Option<String>,
    /// Calls that were paid for.
    pub paid_calls: usize,
    /// What they cost, in millionths of a credit.
    pub credits: i64,
    /// Until the answer to whoever waited, else until the decision.
    pub ms: u128,
    /// Whether somebody waited for the answer.
    pub waited: bool,
    /// What happened in the CRM.
    pub crm: String,
    /// The reasons.
    pub because: Vec<String>,
    /// Which cap refused which call, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What was expected and did not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unexpected: Option<String>,
}

impl Row {
    pub(crate) fn new(sample: &str, run: &Run, answered_in: Option<Duration>, journal: &Journal, nth: usize) -> Self {
        let id = run.id.as_str();
        let repeated = journal.of(id, "lookup").iter().any(|line| line.get("outcome").is_some_and(|outcome| outcome == "duplicate"));
        let Some(decision) = run.decision() else { return Self::undecided(sample, id) };
        let is_repeat = repeated && nth > 0;
        Self {
            sample: sample.to_owned(),
            signup: id.to_owned(),
            outcome: if is_repeat { "duplicate" } else { decision.outcome.as_str() }.to_owned(),
            gate: decision.gate.verdict.as_str(),
            score: [decision.score.low, decision.score.high],
            track: decision.route.track.as_str(),
            owner: decision.owner.clone(),
            paid_calls: if is_repeat { 0 } else { run.paid_calls() },
            credits: if is_repeat { 0 } else { run.cost().micros() },
            ms: answered_in.map_or_else(|| u128::from(decision.after.0.unsigned_abs()), |span| span.as_millis()),
            waited: answered_in.is_some(),
            crm: crm_of(journal, id, is_repeat),
            because: because(run),
            refused: refused(run).filter(|_| !is_repeat),
            unexpected: None,
        }
    }

    fn undecided(sample: &str, id: &str) -> Self {
        Self {
            sample: sample.to_owned(),
            signup: id.to_owned(),
            outcome: "unfinished".to_owned(),
            gate: "",
            score: [0, 100],
            track: "",
            owner: None,
            paid_calls: 0,
            credits: 0,
            ms: 0,
            waited: false,
            crm: String::new(),
            because: Vec::new(),
            refused: None,
            unexpected: None,
        }
    }

    pub(crate) fn is(&self, expected: &Expected) -> bool {
        self.outcome == expected.outcome && self.track == expected.track
    }
}

fn because(run: &Run) -> Vec<String> {
    let Some(decision) = run.decision() else { return Vec::new() };
    let mut reasons = Vec::new();
    if let [provisional, .., last] = run.decisions.as_slice() {
        let (first, then) = (provisional.route.track.as_str(), last.route.track.as_str());
        reasons.push(format!("{first} for now after {}, {then} after {}", provisional.after, last.after));
    }
    if let Some(payer) = &run.paid_by {
        reasons.push(format!("the same person was looked up by run {payer}"));
    }
    reasons.extend(decision.because());
    reasons
}

fn refused(run: &Run) -> Option<String> {
    run.calls.iter().find_map(|call| match &call.outcome {
        CallOutcome::NotMade { why: Skip::Cap { scope } } => Some(format!("{} refused {}", scope.words(), call.operation)),
        _ => None,
    })
}

fn crm_of(journal: &Journal, id: &str, is_repeat: bool) -> String {
    if is_repeat {
        return "unchanged".to_owned();
    }
    let lines = journal.of(id, "writeback");
    let Some(last) = lines.last() else { return "nothing".to_owned() };
    match (last.get("message").map(String::as_str), last.get("created").map(String::as_str)) {
        (Some("CRM written"), Some("true")) => "created",
        (Some("CRM written"), _) => "updated",
        (Some("nothing written"), _) => "unchanged",
        _ => "postponed",
    }
    .to_owned()
}
