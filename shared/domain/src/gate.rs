//! The fraud gate: on cheap and free evidence, before any paid call (S3-20, X-18, X-31).

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};
use crate::schema::Field;

/// What the gate lets happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything may go on.
    #[default]
    Pass,
    /// CRM, chat and paid calls are held until a person or a check has verified the signup.
    Verify,
    /// Nothing goes out.
    Reject,
}

impl Verdict {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Verify => "verify",
            Self::Reject => "reject",
        }
    }
}

/// One gate rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRule {
    /// The condition.
    pub when: Condition,
    /// What follows when it holds.
    pub verdict: Verdict,
    /// Why, in the words of whoever configured it.
    pub because: String,
}

/// The gate's answer with its reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The strictest verdict of all rules that hold.
    pub verdict: Verdict,
    /// The reasons of the rules that hold.
    pub because: Vec<String>,
}

/// The mildest and the strictest verdict that may come out: an unknown counts only where a field that `may_come` can settle it.
pub(crate) fn bounds(rules: &[GateRule], view: &View<'_>, may_come: impl Fn(&Field) -> bool) -> (Verdict, Verdict) {
    let (mut least, mut most) = (Verdict::Pass, Verdict::Pass);
    for rule in rules {
        match rule.when.evaluate(view) {
            Truth::True => (least, most) = (least.max(rule.verdict), most.max(rule.verdict)),
            Truth::Unknown if rule.when.read_fields().iter().any(&may_come) => most = most.max(rule.verdict),
            Truth::Unknown | Truth::False => {}
        }
    }
    (least, most)
}

/// Judges what is known. An unknown is no evidence: only a rule that holds can stop a signup.
#[must_use]
pub fn judge(rules: &[GateRule], view: &View<'_>) -> Gate {
    let mut gate = Gate::default();
    for rule in rules.iter().filter(|rule| rule.when.evaluate(view) == Truth::True) {
        gate.verdict = gate.verdict.max(rule.verdict);
        gate.because.push(rule.because.clone());
    }
    gate
}
