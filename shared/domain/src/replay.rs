//! A logged run made again: every decision, from nothing but its log and the configuration it is pinned to (DESIGN §1).

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::config::Config;
use crate::decide::{Evidence, decide, join_observations};
use crate::decision::Decision;
use crate::merge::{Facts, merge};
use crate::observation::Observation;
use crate::plan::{self, Situation};
use crate::run::Run;
use crate::schema::Field;
use crate::seen::Seen;
use crate::steady::Before;

/// What came of making a run's decisions again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many decisions were made again.
    pub decisions: usize,
    /// Earlier decisions that were made under another configuration, and were not made again.
    pub skipped: Vec<Skipped>,
    /// Where the log says something else; empty as it should be.
    pub differences: Vec<Difference>,
}

/// A decision that takes another configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its place among the run's decisions, from 0.
    pub decision: usize,
    /// The hash of the configuration it takes.
    pub needs: String,
}

/// One place where log and replay differ. `Debug` shows no value.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The place as a JSON path, `$.decisions[0].score.low`.
    pub path: String,
    /// What the log says; absent where it says nothing.
    pub logged: Option<Json>,
    /// What the replay says.
    pub replayed: Option<Json>,
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Difference").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a run cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It is pinned to another configuration.
    #[error("it was decided under configuration {needs}, and this one is {given}; give the folder as it was then")]
    OtherConfiguration {
        /// The hash of the one it is pinned to.
        needs: String,
        /// The hash of the one that was given.
        given: String,
    },
    /// Something in it cannot be written as JSON.
    #[error("its log cannot be written as JSON: {0}")]
    Unwritable(String),
}

/// Makes every decision of a run again and compares it with the log, to the byte of its JSON. The owner is compared with the track's
/// pool only: whose turn it was, no log of one run can tell.
///
/// # Errors
/// [`ReplayError`] when the run is pinned to another configuration.
pub fn replay(run: &Run, config: &Config) -> Result<Replayed, ReplayError> {
    if run.config != config.hash {
        return Err(ReplayError::OtherConfiguration { needs: run.config.clone(), given: config.hash.clone() });
    }
    replay_by(run, |hash| Some(config).filter(|config| config.hash == hash))
}

/// As [`replay`], each decision by the configuration of the hash that it was made under; where `configured` has none, it is skipped.
///
/// # Errors
/// [`ReplayError::Unwritable`]
pub fn replay_by<'a>(run: &Run, configured: impl Fn(&str) -> Option<&'a Config>) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    for (index, logged) in run.decisions.iter().enumerate() {
        let hash = run.seen_by(index).config.unwrap_or_else(|| run.config.clone());
        let Some(config) = configured(&hash) else {
            replayed.skipped.push(Skipped { decision: index, needs: hash });
            continue;
        };
        let moment = Moment::of(run, config, index, logged);
        let path = format!("$.decisions[{index}]");
        let again = Decision { owner: logged.owner.clone(), ..moment.decide() };
        compare(&path, logged, &again, &mut replayed.differences)?;
        replayed.differences.extend(owner_difference(&path, logged, config, moment.is_final));
        if moment.is_final && moment.is_last {
            compare("$.facts", &run.facts, &moment.facts, &mut replayed.differences)?;
        }
        replayed.decisions += 1;
    }
    Ok(replayed)
}

/// What was known when one of a run's decisions was made.
pub(crate) struct Moment<'a> {
    run: &'a Run,
    config: &'a Config,
    logged: &'a Decision,
    seen: Seen,
    /// What was said by then.
    pub(crate) said: Vec<Observation>,
    /// The facts of that moment.
    pub(crate) facts: Facts,
    /// What was decided for good before.
    pub(crate) before: Option<Before>,
    /// Whether it was made for good: nothing was open.
    is_final: bool,
    /// Whether no decision came after it.
    is_last: bool,
}

impl<'a> Moment<'a> {
    pub(crate) fn of(run: &'a Run, config: &'a Config, index: usize, logged: &'a Decision) -> Self {
        let seen = run.seen_by(index);
        let heard = run.observations.get(..seen.heard).unwrap_or(&run.observations);
        let said = join_observations(run.known_by(index), heard, config.deadlines.identity_window);
        let facts = merge(&said, &config.schema, &config.trust, logged.at);
        let is_last = index + 1 == run.decisions.len();
        // The record is named by the first decision that is made for good; those before it are followed by it.
        let is_final = seen.for_good || (is_last && run.record.is_some());
        Self { run, config, logged, seen, said, facts, before: logged.before.clone(), is_final, is_last }
    }

    /// Decides again.
    pub(crate) fn decide(&self) -> Decision {
        let calls = self.run.calls.get(..self.seen.logged).unwrap_or(&self.run.calls);
        let open = if self.is_final { Vec::new() } else { self.open(calls) };
        let evidence = Evidence {
            facts: &self.facts,
            calls,
            open: &open,
            paid_by: self.run.paid_by.as_ref().filter(|_| self.seen.paid),
            before: self.before.as_ref(),
            accepted_at: self.run.accepted_at,
        };
        decide(self.config, &evidence, self.logged.seq, self.logged.at)
    }

    fn open(&self, calls: &[plan::Call]) -> Vec<Field> {
        let keys = self.run.lookup_keys(&self.facts);
        plan::open_fields(&Situation {
            calls,
            paid_by: self.run.paid_by.as_ref().filter(|_| self.seen.paid),
            finish_by: self.seen.finish_by.unwrap_or(self.run.finish_by),
            ..Situation::of(self.config, self.run, &self.facts, &keys, self.logged.at).held_to(self.before.as_ref())
        })
    }
}

/// Whoever owns a lead is one of the pool, where the track has one; a decision for now gives it to nobody.
fn owner_difference(path: &str, logged: &Decision, config: &Config, is_final: bool) -> Option<Difference> {
    let pool = config.owners(logged.route.track);
    let is_right = match &logged.owner {
        _ if pool.is_empty() && is_final => true,
        Some(owner) => is_final && pool.contains(owner),
        None => !is_final,
    };
    let difference = || Difference {
        path: format!("{path}.owner"),
        logged: logged.owner.clone().map(Json::String),
        replayed: is_final.then(|| Json::String(format!("one of {}", pool.join(", ")))),
    };
    (!is_right).then(difference)
}

fn compare<T: Serialize>(path: &str, logged: &T, replayed: &T, differences: &mut Vec<Difference>) -> Result<(), ReplayError> {
    let unwritable = |error: serde_json::Error| ReplayError::Unwritable(error.to_string());
    let texts = (serde_json::to_string(logged).map_err(unwritable)?, serde_json::to_string(replayed).map_err(unwritable)?);
    if texts.0 == texts.1 {
        return Ok(());
    }
    let values = (serde_json::to_value(logged).map_err(unwritable)?, serde_json::to_value(replayed).map_err(unwritable)?);
    let before = differences.len();
    collect(path, Some(&values.0), Some(&values.1), differences);
    if differences.len() == before {
        // The same values in other bytes.
        differences.push(Difference { path: path.to_owned(), logged: Some(texts.0.into()), replayed: Some(texts.1.into()) });
    }
    Ok(())
}

fn collect(path: &str, logged: Option<&Json>, replayed: Option<&Json>, differences: &mut Vec<Difference>) {
    match (logged, replayed) {
        (Some(Json::Object(left)), Some(Json::Object(right))) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                collect(&member(path, key), left.get(key), right.get(key), differences);
            }
        }
        (Some(Json::Array(left)), Some(Json::Array(right))) => {
            for index in 0..left.len().max(right.len()) {
                collect(&format!("{path}[{index}]"), left.get(index), right.get(index), differences);
            }
        }
        _ if logged == replayed => {}
        _ => differences.push(Difference { path: path.to_owned(), logged: logged.cloned(), replayed: replayed.cloned() }),
    }
}

/// The path of an object's member: `.score`, or `['company.headcount']` for a name with other signs than a word has.
fn member(path: &str, key: &str) -> String {
    let is_word = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word { format!("{path}.{key}") } else { format!("{path}['{key}']") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn between(logged: &Json, replayed: &Json) -> Vec<(String, Option<Json>, Option<Json>)> {
        let mut differences = Vec::new();
        compare("$", logged, replayed, &mut differences).unwrap();
        differences.into_iter().map(|difference| (difference.path, difference.logged, difference.replayed)).collect()
    }

    #[test]
    fn every_difference_is_named_by_its_path_with_both_values() {
        let logged = json!({"facts": {"company.headcount": {"value": 200}}, "score": {"low": 10}, "possible": ["a"]});
        let replayed = json!({"facts": {"company.headcount": {"value": 300}}, "score": {"low": 10}, "possible": ["a", "b"], "set": "x"});
        assert_eq!(
            between(&logged, &replayed),
            [
                ("$.facts['company.headcount'].value".to_owned(), Some(json!(200)), Some(json!(300))),
                ("$.possible[1]".to_owned(), None, Some(json!("b"))),
                ("$.set".to_owned(), None, Some(json!("x"))),
            ]
        );
        assert_eq!(between(&logged, &logged), []);
    }

    #[test]
    fn debug_of_a_difference_shows_no_value() {
        let difference = Difference { path: "$.facts".into(), logged: Some(json!("canary")), replayed: None };
        assert!(!format!("{difference:?}").contains("canary"));
    }
}
