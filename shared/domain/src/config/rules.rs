//! Gate, score, route and what goes with them: of every preset, also of those not in use, and of the main file.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde_saphyr::Spanned;

use super::check::{Checker, Presets, line, parse};
use super::document::{GateSection, PlanSection, Preset, RouteSection, ScoreSection};
use super::{MAIN_FILE, Sources};
use crate::condition::Condition;
use crate::coverage::Audience;
use crate::eligibility::Eligibility;
use crate::freshness::FreshnessTable;
use crate::gate::GateRule;
use crate::plan::{Plan, Step};
use crate::route::{RouteRule, RouteRules};
use crate::schema::Schema;
use crate::score::{SCORE_MAX, ScoreRule, ScoreSet};
use crate::tier::Tiers;
use crate::vertical::Vertical;

/// The points that a rule may give: a score has 0 to 100, and rules may outweigh each other.
const POINTS: std::ops::RangeInclusive<i64> = -1000..=1000;
/// The points within which a decided lead stays, unless configuration says otherwise.
const HYSTERESIS: i64 = 5;
/// The folder of the presets.
pub(super) const PRESETS: &str = "presets/";

/// A preset that was checked.
pub(super) struct Rules {
    /// The schema with the segments and audiences of the main file and of this preset.
    pub(super) schema: Schema,
    pub(super) audiences: Vec<Audience>,
    pub(super) freshness: FreshnessTable,
    pub(super) verticals: Vec<Vertical>,
    pub(super) gate: Vec<GateRule>,
    pub(super) plan: Plan,
    pub(super) score: Vec<ScoreRule>,
    pub(super) route: RouteRules,
    pub(super) sets: Vec<ScoreSet>,
    pub(super) tiers: Tiers,
    pub(super) eligibility: Eligibility,
}

impl Checker {
    /// Checks presets and gives the chosen one.
    pub(super) fn preset(&mut self, sources: &Sources, chosen: &Spanned<String>, presets: Presets) -> Option<Rules> {
        let (mut known, mut rules) = (Vec::new(), None);
        for (file, _) in sources.below(PRESETS) {
            let Some(name) = file.strip_prefix(PRESETS).and_then(|file| file.strip_suffix(".yaml")) else { continue };
            known.push(name);
            if presets == Presets::Chosen && name != chosen.value {
                continue;
            }
            let checked = match parse::<Preset>(sources, file) {
                Ok(preset) => self.rules(file, preset),
                Err(finding) => {
                    self.findings.push(finding);
                    continue;
                }
            };
            if name == chosen.value {
                rules = Some(checked);
            }
        }
        if !known.contains(&chosen.value.as_str()) {
            let message = format!("there is no preset `{}`; write one of: {}", chosen.value, known.join(", "));
            self.find(MAIN_FILE, line(chosen), message);
        }
        rules
    }

    fn rules(&mut self, file: &str, preset: Preset) -> Rules {
        let of_main = self.schema.clone();
        let audiences = self.names(file, preset.segments, preset.audiences);
        let mut rules = Rules {
            schema: of_main,
            audiences,
            freshness: self.freshness(file, preset.freshness),
            verticals: self.verticals(file, preset.verticals),
            gate: self.gate(file, preset.gate),
            plan: {
                let steps = self.steps(file, preset.steps);
                self.plan(file, preset.plan, steps, &Plan::default())
            },
            score: self.score(file, preset.score),
            route: self.route(file, preset.route),
            sets: self.sets(file, preset.sets),
            tiers: self.tiers(file, preset.tiers),
            eligibility: preset.eligibility.map(|section| self.eligibility(file, section)).unwrap_or_default(),
        };
        std::mem::swap(&mut rules.schema, &mut self.schema);
        rules
    }

    pub(super) fn gate(&mut self, file: &str, sections: Vec<GateSection>) -> Vec<GateRule> {
        let rule = |section: GateSection| {
            let when = self.rule_condition(file, &section.when)?;
            Some(GateRule { when, verdict: section.verdict, because: section.because })
        };
        sections.into_iter().filter_map(rule).collect()
    }

    pub(super) fn score(&mut self, file: &str, sections: Vec<ScoreSection>) -> Vec<ScoreRule> {
        let rule = |section: ScoreSection| {
            let when = self.rule_condition(file, &section.when)?;
            if !POINTS.contains(&section.points) {
                let message = format!("{} points are beyond all scores; write {} to {}", section.points, POINTS.start(), POINTS.end());
                self.find(file, line(&section.when), message);
            }
            Some(ScoreRule { when, points: section.points, because: section.because })
        };
        sections.into_iter().filter_map(rule).collect()
    }

    pub(super) fn route(&mut self, file: &str, section: RouteSection) -> RouteRules {
        let mut rules = Vec::new();
        for rule in section.rules {
            if let Some(when) = self.condition(file, &rule.when) {
                let destination = rule.destination.and_then(|written| self.destination(file, written));
                rules.push(RouteRule { when, to: rule.to, destination, because: rule.because });
            }
        }
        let hysteresis = section.hysteresis.map_or(HYSTERESIS, |points| {
            if !(0..=SCORE_MAX).contains(&points.value) {
                let message = format!("a hysteresis of {} points is beyond all scores; write 0 to {SCORE_MAX}", points.value);
                self.find(file, line(&points), message);
            }
            points.value
        });
        let undecided = self.undecided(file, section.undecided);
        RouteRules { rules, otherwise: section.otherwise, undecided, hysteresis }
    }

    fn destination(&mut self, file: &str, written: Spanned<String>) -> Option<String> {
        if written.value.trim().is_empty() {
            self.find(file, line(&written), "the destination is empty; name whom the CRM hands the lead to, or leave it out".to_owned());
            return None;
        }
        Some(written.value)
    }

    /// The plan as a section and its steps say; what the section leaves out is that of `other`.
    pub(super) fn plan(&mut self, file: &str, section: PlanSection, steps: Vec<Step>, other: &Plan) -> Plan {
        let wanted = section.wanted.map(|written| written.iter().filter_map(|field| self.field(file, field)).collect());
        Plan {
            steps,
            until: section.until.unwrap_or(other.until),
            order: section.order.unwrap_or(other.order),
            wanted: wanted.unwrap_or_else(|| other.wanted.clone()),
            wanted_by_track: BTreeMap::new(),
            explore: section.explore.map_or(other.explore, NonZeroU32::new),
            cached_only: match section.cached_only {
                Some(written) => self.condition_on_signup(file, &written, "who gets by with what is kept"),
                None => other.cached_only.clone(),
            },
        }
    }

    /// A condition that stands before the score exists.
    pub(super) fn rule_condition(&mut self, file: &str, written: &Spanned<String>) -> Option<Condition> {
        let condition = self.condition(file, written)?;
        if condition.reads_score() {
            self.find(file, line(written), "the score can be read by routes and steps only: here it does not exist yet".to_owned());
        }
        Some(condition)
    }
}
