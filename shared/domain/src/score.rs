//! The lead's score: points per rule, and an interval while something is unknown.

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};
use crate::schema::Field;

/// A score never leaves 0…100.
const SCORE_MAX: i64 = 100;

/// One scoring rule: `points` when `when` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreRule {
    /// The condition.
    pub when: Condition,
    /// Points it adds; may be negative.
    pub points: i64,
    /// Why it counts, in the words of whoever configured it.
    pub because: String,
}

/// The score of a lead: `low` to `high` points, and where they come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The points the lead has if every unknown turns out worst, 0 to 100.
    pub low: i64,
    /// The points the lead has if every unknown turns out best, 0 to 100.
    pub high: i64,
    /// The rules that hold.
    pub points: Vec<Points>,
    /// The rules that could still hold.
    pub unknowns: Vec<UnknownPoints>,
}

/// The points of a rule that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// Points added.
    pub points: i64,
    /// The rule's reason.
    pub because: String,
}

/// The points of a rule that could still hold, and the fields it waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownPoints {
    /// Points at stake.
    pub points: i64,
    /// The rule's reason.
    pub because: String,
    /// The fields that are not known.
    pub fields: Vec<Field>,
}

/// The ends of the score alone, for whoever asks often.
pub(crate) fn bounds(rules: &[ScoreRule], view: &View<'_>) -> (i64, i64) {
    let (mut low, mut high) = (0_i64, 0_i64);
    for rule in rules {
        let (least, most) = match rule.when.evaluate(view) {
            Truth::False => (0, 0),
            Truth::True => (rule.points, rule.points),
            Truth::Unknown => (rule.points.min(0), rule.points.max(0)),
        };
        (low, high) = (low + least, high + most);
    }
    (low.clamp(0, SCORE_MAX), high.clamp(0, SCORE_MAX))
}

/// Scores what is known. Missing is not zero: a rule that cannot be answered widens the interval.
#[must_use]
pub fn score(rules: &[ScoreRule], view: &View<'_>) -> Score {
    let mut score = Score::default();
    let (mut low, mut high) = (0_i64, 0_i64);
    for rule in rules {
        match rule.when.evaluate(view) {
            Truth::False => {}
            Truth::True => {
                low += rule.points;
                high += rule.points;
                score.points.push(Points { points: rule.points, because: rule.because.clone() });
            }
            Truth::Unknown => {
                low += rule.points.min(0);
                high += rule.points.max(0);
                let fields = rule.when.missing(view);
                score.unknowns.push(UnknownPoints { points: rule.points, because: rule.because.clone(), fields });
            }
        }
    }
    score.low = low.clamp(0, SCORE_MAX);
    score.high = high.clamp(0, SCORE_MAX);
    score
}
