//! Gate, steps, score, route and what goes with them: of every preset, also of those not in use, and of the main file.

use std::num::NonZeroU32;

use serde_saphyr::Spanned;

use super::check::{Checker, line, parse};
use super::document::{GateSection, PlanSection, Preset, RouteSection, ScoreSection, StepSection};
use super::{MAIN_FILE, Sources};
use crate::condition::Condition;
use crate::coverage::Audience;
use crate::eligibility::Eligibility;
use crate::freshness::FreshnessTable;
use crate::gate::GateRule;
use crate::plan::{OnError, Plan, Step, Stop};
use crate::route::{RouteRule, RouteRules};
use crate::schema::{Field, Schema};
use crate::score::{ScoreRule, ScoreSet};
use crate::tier::Tiers;
use crate::vertical::Vertical;

/// The points that a rule may give: a score has 0 to 100, and rules may outweigh each other.
const POINTS: std::ops::RangeInclusive<i64> = -1000..=1000;
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
    /// Checks all presets, so that a change of `preset:` brings no surprise, and gives the chosen one.
    pub(super) fn preset(&mut self, sources: &Sources, chosen: &Spanned<String>) -> Option<Rules> {
        let (mut known, mut rules) = (Vec::new(), None);
        for (file, _) in sources.below(PRESETS) {
            let Some(name) = file.strip_prefix(PRESETS).and_then(|file| file.strip_suffix(".yaml")) else { continue };
            known.push(name);
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
                rules.push(RouteRule { when, to: rule.to, because: rule.because });
            }
        }
        RouteRules { rules, otherwise: section.otherwise, undecided: section.undecided }
    }

    pub(super) fn steps(&mut self, file: &str, sections: Vec<StepSection>) -> Vec<Step> {
        let mut names: Vec<String> = Vec::new();
        let mut steps = Vec::new();
        for section in sections {
            if names.contains(&section.name.value) {
                self.find(file, line(&section.name), format!("there are two steps named `{}`; give each its own name", section.name.value));
            }
            names.push(section.name.value.clone());
            steps.push(self.step(file, section));
        }
        steps
    }

    fn step(&mut self, file: &str, section: StepSection) -> Step {
        let providers = self.providers(file, &section);
        let wants = self.wants(file, &section, &providers);
        let stop = section.stop.map_or(Some(Stop::DEFAULT), |written| {
            let stop = Stop::parse(&written.value);
            if stop.is_none() {
                let message =
                    format!("`{}` is no stop rule; write first_usable, \"confidence >= 5000\" or \"confirmations: 2\"", written.value);
                self.find(file, line(&written), message);
            }
            stop
        });
        let default = OnError::default();
        Step {
            name: section.name.value,
            when: section.when.and_then(|written| self.rule_condition(file, &written)),
            wants,
            providers,
            stop: stop.unwrap_or(Stop::DEFAULT),
            timeout: section.timeout,
            required: section.required,
            on: OnError {
                timeout: section.on_timeout.unwrap_or(default.timeout),
                rate_limit: section.on_rate_limit.unwrap_or(default.rate_limit),
                invalid: section.on_invalid.unwrap_or(default.invalid),
                auth_failure: section.on_auth_failure.unwrap_or(default.auth_failure),
            },
        }
    }

    /// The plan as a section and its steps say; what the section leaves out is that of `other`.
    pub(super) fn plan(&mut self, file: &str, section: PlanSection, steps: Vec<Step>, other: &Plan) -> Plan {
        let wanted = section.wanted.map(|written| written.iter().filter_map(|field| self.field(file, field)).collect());
        Plan {
            steps,
            until: section.until.unwrap_or(other.until),
            order: section.order.unwrap_or(other.order),
            wanted: wanted.unwrap_or_else(|| other.wanted.clone()),
            explore: section.explore.map_or(other.explore, NonZeroU32::new),
        }
    }

    fn providers(&mut self, file: &str, section: &StepSection) -> Vec<String> {
        let known = self.catalogue.keys().cloned().collect::<Vec<_>>().join(", ");
        if section.providers.value.is_empty() {
            let message = format!("step `{}` asks no provider; write one or more of: {known}", section.name.value);
            self.find(file, line(&section.providers), message);
        }
        let mut providers = Vec::new();
        for name in &section.providers.value {
            if self.catalogue.contains_key(&name.value) {
                providers.push(name.value.clone());
            } else {
                self.find(file, line(name), format!("there is no connector `{}`; write one of: {known}", name.value));
            }
        }
        providers
    }

    fn wants(&mut self, file: &str, section: &StepSection, providers: &[String]) -> Vec<Field> {
        if section.wants.value.is_empty() {
            let message = format!("step `{}` wants nothing, so it never asks; write the fields it is for", section.name.value);
            self.find(file, line(&section.wants), message);
        }
        let mut wants = Vec::new();
        for written in &section.wants.value {
            let Some(field) = self.field(file, written) else { continue };
            let is_supplied =
                providers.iter().any(|name| self.catalogue.get(name).is_some_and(|operation| operation.supplies.contains(&field)));
            if !is_supplied && !providers.is_empty() {
                self.find(
                    file,
                    line(written),
                    format!("no provider of step `{}` returns `{field}`; add one that does or drop the field", section.name.value),
                );
            }
            wants.push(field);
        }
        wants
    }

    /// A condition that stands before the score exists.
    pub(super) fn rule_condition(&mut self, file: &str, written: &Spanned<String>) -> Option<Condition> {
        let condition = self.condition(file, written)?;
        if condition.reads_score() {
            self.find(file, line(written), "the score can be read in route rules only: here it does not exist yet".to_owned());
        }
        Some(condition)
    }
}
