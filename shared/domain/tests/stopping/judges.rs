//! Gate, score and route of a generated world, and where its lead was before.

use domain::gate::{GateRule, Verdict};
use domain::possible::Rules;
use domain::route::{RouteRule, RouteRules, Track};
use domain::score::ScoreRule;
use domain::steady::Before;
use proptest::prelude::*;
use proptest::sample::select;

use crate::fields::{condition, text};

pub(crate) fn track() -> impl Strategy<Value = Track> {
    select(vec![Track::AeQueue, Track::SdrQueue, Track::SalesAssist, Track::SelfServe, Track::Review])
}

#[derive(Clone, Debug)]
pub(crate) struct Judges {
    pub(crate) gate: Vec<GateRule>,
    pub(crate) score: Vec<ScoreRule>,
    pub(crate) route: RouteRules,
    pub(crate) before: Option<Before>,
}

impl Judges {
    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules { gate: &self.gate, score: &self.score, route: &self.route, before: self.before.as_ref() }
    }
}

pub(crate) fn judges() -> impl Strategy<Value = Judges> {
    judges_with(prop::collection::vec(text(true), 0..2), true)
}

pub(crate) fn judges_with(gate: impl Strategy<Value = Vec<String>>, has: bool) -> impl Strategy<Value = Judges> {
    let score = prop::collection::vec((text(has), -30i64..60), 0..5);
    let route = prop::collection::vec((prop_oneof![text(has), (0i64..100).prop_map(|least| format!("score >= {least}"))], track()), 1..4);
    let left = prop::collection::vec(track(), 0..2);
    let before = prop::option::of((track(), left).prop_map(|(track, left)| Before { track, destination: None, left, news: true }));
    (gate, score, route, (track(), track(), 0i64..30), before).prop_map(
        |(gate, score, route, (otherwise, undecided, hysteresis), before)| Judges {
            gate: gate
                .into_iter()
                .map(|when| GateRule { when: condition(&when), verdict: Verdict::Verify, because: "gate".into() })
                .collect(),
            score: score.into_iter().map(|(when, points)| ScoreRule { when: condition(&when), points, because: "score".into() }).collect(),
            route: RouteRules {
                rules: route
                    .into_iter()
                    .map(|(when, to)| RouteRule { when: condition(&when), to, destination: None, because: when })
                    .collect(),
                otherwise,
                undecided: undecided.into(),
                hysteresis,
            },
            before,
        },
    )
}
