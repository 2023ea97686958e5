//! A lead that was decided for good stays put: what its new route is held against (S3-17, ADR 0010).

use serde::{Deserialize, Serialize};

use crate::condition::View;
use crate::config::Config;
use crate::decide::SIGNUP;
use crate::decision::Decision;
use crate::gate::Verdict;
use crate::observation::Observation;
use crate::record::Decided;
use crate::route::{self, Route, RouteRules, Track, Tracks};
use crate::score::SCORE_MAX;

/// What was decided for good about a lead before, as it stands when it is decided about again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The track that the lead is on.
    pub track: Track,
    /// Who takes it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The tracks that it was on and has left: sources that contradict each other do not lead it back and forth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Track>,
    /// Whether there is anything new since: a value that this source had not said, or another configuration.
    pub news: bool,
}

impl Before {
    /// What was `decided`, when `knew` was known, for a decision on `said` under this configuration. `None` while nothing was decided
    /// for good. What the person says anew, and another configuration, may lead back to any track.
    #[must_use]
    pub fn of(decided: Option<&Decided>, knew: &[Observation], said: &[Observation], config: &Config) -> Option<Self> {
        let decided = decided?;
        let (track, destination, left) = stood(&decided.decision)?;
        let is_new = |said: &&Observation| {
            !knew.iter().any(|known| known.field == said.field && known.source == said.source && known.value == said.value)
        };
        let mut new = said.iter().filter(is_new).peekable();
        let (has_other_rules, is_told) = (decided.config != config.hash, new.peek().is_some());
        let begins_anew = has_other_rules || {
            let read = config.decision_fields();
            new.any(|observation| observation.source == SIGNUP && read.contains(&observation.field))
        };
        Some(Self { track, destination, left: if begins_anew { Vec::new() } else { left }, news: has_other_rules || is_told })
    }

    /// Whether the rules' word for this track is not followed, whatever the score.
    fn bars(&self, track: Track) -> bool {
        track == self.track || self.left.contains(&track)
    }
}

/// The track that a lead was on after a decision, and those that it had left by then. What the gate holds is off its track for as
/// long as it is held, and no longer.
fn stood(decision: &Decision) -> Option<(Track, Option<String>, Vec<Track>)> {
    let before = decision.before.as_ref();
    if decision.gate.verdict != Verdict::Pass || decision.route.provisional {
        return before.map(|before| (before.track, before.destination.clone(), before.left.clone()));
    }
    let track = decision.route.track;
    let earlier = before.into_iter().flat_map(|before| before.left.iter().copied().chain([before.track]));
    let mut left: Vec<Track> = earlier.filter(|earlier| *earlier != track).collect();
    left.sort_unstable();
    left.dedup();
    Some((track, decision.route.destination.clone(), left))
}

/// The tracks that rules and hysteresis together leave open, for a score of `low` to `high`: never too few, and exactly one where
/// the rules leave one for every score of the range.
///
/// A lead stays where it is if the rules lead it to a track that it has left, or if with up to [`RouteRules::hysteresis`] points more
/// or fewer they would lead it to where it is.
pub(crate) fn reachable(rules: &RouteRules, before: Option<&Before>, view: View<'_>, (low, high): (i64, i64)) -> Tracks {
    let Some(before) = before else { return route::reachable(rules, &view.with_score(low, high)) };
    let at = |less: i64, more: i64| {
        let (low, high) = ((low - less).clamp(0, SCORE_MAX), (high + more).clamp(0, SCORE_MAX));
        route::reachable(rules, &view.clone().with_score(low, high))
    };
    let free = at(0, 0);
    let stays = Tracks::only(before.track);
    let onward = free.iter().filter(|track| !before.bars(*track)).fold(Tracks::default(), |all, track| all.union(Tracks::only(track)));
    if onward.is_empty() {
        return stays;
    }
    let mut may_stay = onward != free;
    // One question for the whole range first: mostly no score leads back.
    if rules.hysteresis > 0 && stays.is_within(at(rules.hysteresis, rules.hysteresis)) {
        for by in (-rules.hysteresis..=rules.hysteresis).filter(|by| *by != 0) {
            let shifted = at(-by, by);
            if shifted == stays {
                return stays;
            }
            may_stay |= stays.is_within(shifted);
        }
    }
    if may_stay { onward.union(stays) } else { onward }
}

/// Routes a lead that was decided about before: as the rules alone say where that is where it is, else by the tracks that are
/// `possible` with hysteresis. While an answer may still come (`is_open`), what is not known yet may be told.
pub(crate) fn hold(before: &Before, rules: &RouteRules, view: &View<'_>, free: Route, possible: Tracks, is_open: bool) -> Route {
    if !free.provisional && free.track == before.track {
        return free;
    }
    let stays = before.track.as_str();
    let mut because = Vec::new();
    match possible.single() {
        _ if !before.news => because.push(format!("stays {stays}: nobody has said anything new since it was decided")),
        None => {
            because.push(format!("stays {stays}: not enough is known to leave what was decided for good"));
            because.extend(free.because.into_iter().filter(|_| free.provisional).skip(1));
        }
        Some(track) if track != before.track => return route::route(rules, view, possible),
        Some(_) if free.provisional => because.push(format!("stays {stays}: nothing that is not known leads clearly away from it")),
        Some(_) if before.left.contains(&free.track) => {
            because.push(format!("stays {stays}: it has left {} before, and sources that disagree lead nobody back", free.track.as_str()));
        }
        Some(_) => {
            let points = rules.hysteresis;
            because.push(format!("stays {stays}: {points} points more or fewer would lead back from {}", free.track.as_str()));
        }
    }
    let provisional = is_open && (!before.news || possible.len() > 1);
    let possible = if provisional { possible.union(Tracks::only(before.track)).iter().collect() } else { vec![before.track] };
    Route { track: before.track, destination: before.destination.clone(), provisional, possible, because }
}
