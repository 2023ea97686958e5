//! What a decision saw that the run's log does not tell by itself, so that it can be made again (RELIABILITY §1).

use serde::{Deserialize, Serialize};

use crate::decide::join_observations;
use crate::decision::Decision;
use crate::merge::Facts;
use crate::observation::Observation;
use crate::run::Run;
use crate::units::{Millis, Timestamp};

/// How far the log was when a decision was made, and what was known beside it. `Debug` shows no value of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How many of the run's observations there were.
    pub heard: usize,
    /// How many of the run's calls were logged.
    pub logged: usize,
    /// Whether another run had paid for the person by then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paid: bool,
    /// The record's observations that counted beside the run's own; absent while those of the decision before count on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Vec<Observation>>,
    /// When calls had to have begun, where the run got another time since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_by: Option<Timestamp>,
    /// Whether it was made for good, where another one was made since: the lead was decided about again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_good: bool,
    /// Hash of the configuration, where it was another than the run is pinned to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}

impl Run {
    /// Logs a decision for now: the run goes on, and may know more at the next one. `said` is all that the record's sources and the
    /// run's own had said by then, joined within `window` ([`join_observations`]).
    pub fn decide_for_now(&mut self, decision: Decision, said: &[Observation], window: Millis) {
        let seen = Seen { known: self.newly_known(said, window), ..self.seen_so_far() };
        self.push(decision, Some(seen));
    }

    /// Logs the last decision. It saw the whole log, so that only what the record knew beside it has to be kept, if anything.
    pub fn decide_for_good(&mut self, decision: Decision, said: &[Observation], window: Millis) {
        let known = self.newly_known(said, window);
        let seen = known.map(|known| Seen { known: Some(known), ..self.seen_so_far() });
        self.push(decision, seen);
    }

    /// Logs a decision about the lead of a run that was decided for good: made later, under this configuration, on what the record's
    /// sources had `said` by then.
    pub fn decide_again(&mut self, decision: Decision, config: &str, facts: Facts, said: &[Observation], window: Millis) {
        self.fill_seen();
        if let Some(last) = self.seen.last_mut() {
            last.for_good = true;
        }
        // What earlier versions stored names no configuration.
        if !config.is_empty() {
            self.pin(config);
        }
        self.facts = facts;
        self.decide_for_good(decision, said, window);
    }

    /// All that had been said when it was decided last, the record's sources and its own.
    #[must_use]
    pub fn said(&self, window: Millis) -> Vec<Observation> {
        join_observations(self.known_by(self.decisions.len()), &self.observations, window)
    }

    /// Pins the run to a configuration. What was decided under another one keeps that one's hash.
    pub fn pin(&mut self, config: &str) {
        if self.config == config {
            return;
        }
        let before = std::mem::replace(&mut self.config, config.to_owned());
        self.fill_seen();
        for seen in &mut self.seen {
            seen.config.get_or_insert_with(|| before.clone());
        }
    }

    /// Gives the run another time to begin calls in. What was decided before keeps its own.
    pub fn finish_by(&mut self, moment: Timestamp) {
        let before = std::mem::replace(&mut self.finish_by, moment);
        if before == moment || self.decisions.is_empty() {
            return;
        }
        self.fill_seen();
        for seen in &mut self.seen {
            seen.finish_by.get_or_insert(before);
        }
    }

    /// One entry a decision: a log of an earlier version has decisions without, which saw all that there is by now.
    fn fill_seen(&mut self) {
        let so_far = self.seen_so_far();
        self.seen.resize(self.decisions.len(), so_far);
    }

    /// What the decision of this number saw; one without an entry saw the whole log.
    #[must_use]
    pub(crate) fn seen_by(&self, decision: usize) -> Seen {
        self.seen.get(decision).cloned().unwrap_or_else(|| self.seen_so_far())
    }

    /// What the record knew beside the run when the decision of this number was made.
    #[must_use]
    pub(crate) fn known_by(&self, decision: usize) -> &[Observation] {
        self.seen.iter().take(decision + 1).rev().find_map(|seen| seen.known.as_deref()).unwrap_or_default()
    }

    fn seen_so_far(&self) -> Seen {
        Seen { heard: self.observations.len(), logged: self.calls.len(), paid: self.paid_by.is_some(), ..Seen::default() }
    }

    /// What of `said` is not the run's own; `None` where what was known before tells as much.
    fn newly_known(&self, said: &[Observation], window: Millis) -> Option<Vec<Observation>> {
        if join_observations(self.known_by(self.seen.len()), &self.observations, window) == said {
            return None;
        }
        Some(said.iter().filter(|observation| !self.observations.contains(observation)).cloned().collect())
    }

    fn push(&mut self, decision: Decision, seen: Option<Seen>) {
        if let Some(seen) = seen {
            self.fill_seen();
            self.seen.push(seen);
        }
        self.decisions.push(decision);
    }
}
