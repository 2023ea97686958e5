//! The lead's score: points per rule, and an interval while something is unknown.

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};
use crate::route::RouteRules;
use crate::schema::Field;

/// A score never leaves 0…100.
pub(crate) const SCORE_MAX: i64 = 100;

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

/// Scoring and routing rules of their own for a product or a source of signups (S3-15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreSet {
    /// Its name.
    pub name: String,
    /// For whom it is; reads the signup only.
    pub when: Condition,
    /// Its scoring rules; the default ones where absent.
    pub score: Option<Vec<ScoreRule>>,
    /// Its routing rules; the default ones where absent.
    pub route: Option<RouteRules>,
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
    let mut sum = Sum::default();
    rules.iter().for_each(|rule| sum.add(rule, rule.when.evaluate(view)));
    sum.ends()
}

/// What rules give together, at worst and at best.
#[derive(Default)]
struct Sum {
    low: i64,
    high: i64,
}

impl Sum {
    fn add(&mut self, rule: &ScoreRule, holds: Truth) {
        let (least, most) = match holds {
            Truth::False => (0, 0),
            Truth::True => (rule.points, rule.points),
            Truth::Unknown => (rule.points.min(0), rule.points.max(0)),
        };
        (self.low, self.high) = (self.low.saturating_add(least), self.high.saturating_add(most));
    }

    fn ends(&self) -> (i64, i64) {
        (self.low.clamp(0, SCORE_MAX), self.high.clamp(0, SCORE_MAX))
    }
}

/// The points of a score, or of a part of it, at worst and at best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// If every unknown turns out worst, 0 to 100.
    pub low: i64,
    /// If every unknown turns out best, 0 to 100.
    pub high: i64,
}

/// Scores how well the company fits: the rules that read fields of the company and nothing else. `None` where
/// there is no such rule.
#[must_use]
pub fn icp(rules: &[ScoreRule], view: &View<'_>) -> Option<Interval> {
    let mut of_company = rules.iter().filter(|rule| is_of_company(rule)).peekable();
    of_company.peek()?;
    let Score { low, high, .. } = tally(of_company, view);
    Some(Interval { low, high })
}

fn is_of_company(rule: &ScoreRule) -> bool {
    let fields = rule.when.read_fields();
    !fields.is_empty() && fields.iter().all(|field| field.as_str().starts_with("company."))
}

/// Scores what is known. Missing is not zero: a rule that cannot be answered widens the interval.
#[must_use]
pub fn score(rules: &[ScoreRule], view: &View<'_>) -> Score {
    tally(rules.iter(), view)
}

fn tally<'a>(rules: impl Iterator<Item = &'a ScoreRule>, view: &View<'_>) -> Score {
    let mut score = Score::default();
    let mut sum = Sum::default();
    for rule in rules {
        let holds = rule.when.evaluate(view);
        sum.add(rule, holds);
        match holds {
            Truth::False => {}
            Truth::True => score.points.push(Points { points: rule.points, because: rule.because.clone() }),
            Truth::Unknown => {
                let fields = rule.when.missing(view);
                score.unknowns.push(UnknownPoints { points: rule.points, because: rule.because.clone(), fields });
            }
        }
    }
    (score.low, score.high) = sum.ends();
    score
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merge::{Fact, Facts};
    use crate::schema::Schema;
    use crate::units::{BasisPoints, Timestamp};
    use crate::value::Value;

    fn rules(list: &[(&str, i64)]) -> Vec<ScoreRule> {
        let rule = |(when, points): &(&str, i64)| ScoreRule {
            when: Condition::parse(when, &Schema::default()).unwrap(),
            points: *points,
            because: (*when).to_owned(),
        };
        list.iter().map(rule).collect()
    }

    fn headcount(count: i64) -> Facts {
        let fact = Fact {
            value: Value::number(count),
            confidence: BasisPoints::ONE,
            sources: vec!["test".into()],
            confirmations: 1,
            observed_at: Timestamp::from_millis(0),
            conflicts: vec![],
            checks: vec![],
        };
        Facts::from([(Field::known("company.headcount"), fact)])
    }

    #[test]
    fn x_16_the_icp_score_is_the_companys_part_alone() {
        let rules = rules(&[
            ("company.headcount >= 50", 30),
            ("company.hiring", 20),
            ("contact.hiring_authority", 15),
            ("company.headcount >= 50 && contact.hiring_authority", 10),
            ("true", 5),
        ]);
        let known = headcount(200);
        assert_eq!(icp(&rules, &View::of(&known)), Some(Interval { low: 30, high: 50 }));
        assert_eq!(icp(&rules[2..], &View::of(&known)), None, "no rule is of the company alone");
    }

    proptest! {
        #[test]
        fn x_16_of_rules_that_only_add_the_icp_score_is_never_more_than_the_whole(
            points in prop::collection::vec(0i64..60, 3), count in prop::option::of(0i64..200),
        ) {
            let rules =
                rules(&[("company.headcount >= 50", points[0]), ("company.hiring", points[1]), ("phone.valid", points[2])]);
            let known = count.map_or_else(Facts::new, headcount);
            let (whole, part) = (score(&rules, &View::of(&known)), icp(&rules, &View::of(&known)).unwrap());
            prop_assert!(part.low <= part.high && part.low <= whole.low && part.high <= whole.high);
        }
    }
}
