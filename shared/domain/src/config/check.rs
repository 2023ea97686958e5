//! Written documents to a checked configuration; every mistake is collected, none stops the search for the next.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use super::document::{CapsSection, CrmSection, GateSection, Main, Preset, RouteSection, ScoreSection, StepSection};
use super::{Config, CrmPlan, Deadlines, Finding, Findings, MAIN_FILE, PropertySource, Sources, TrackPlan};
use crate::condition::Condition;
use crate::credits::Limits;
use crate::freshness::Freshness;
use crate::gate::GateRule;
use crate::plan::{Catalogue, Step, Stop};
use crate::route::{RouteRule, RouteRules};
use crate::schema::{Field, Schema};
use crate::score::ScoreRule;
use crate::units::Credits;

pub(super) fn check(sources: &Sources, catalogue: Catalogue) -> Result<Config, Findings> {
    let main: Main = parse(sources, MAIN_FILE).map_err(|finding| Findings(vec![finding]))?;
    let preset_file = format!("presets/{}.yaml", main.preset.value);
    if sources.text(&preset_file).is_none() {
        let known: Vec<&str> =
            sources.below("presets/").filter_map(|(path, _)| path.strip_prefix("presets/")?.strip_suffix(".yaml")).collect();
        let message = format!("there is no preset `{}`; write one of: {}", main.preset.value, known.join(", "));
        return Err(Findings(vec![Finding::new(MAIN_FILE, line(&main.preset), message)]));
    }
    let preset: Preset = parse(sources, &preset_file).map_err(|finding| Findings(vec![finding]))?;
    let mut checker = Checker { schema: Schema::default(), catalogue, findings: Vec::new() };
    let config = checker.config(sources, main, preset, &preset_file);
    if checker.findings.is_empty() {
        return Ok(config);
    }
    checker.findings.sort();
    Err(Findings(checker.findings))
}

pub(super) fn schema(sources: &Sources) -> Result<Schema, Findings> {
    let main: Main = parse(sources, MAIN_FILE).map_err(|finding| Findings(vec![finding]))?;
    let mut checker = Checker { schema: Schema::default(), catalogue: Catalogue::new(), findings: Vec::new() };
    checker.declare(&main);
    if checker.findings.is_empty() { Ok(checker.schema) } else { Err(Findings(checker.findings)) }
}

fn parse<T: DeserializeOwned>(sources: &Sources, file: &str) -> Result<T, Finding> {
    let text = sources.text(file).ok_or_else(|| Finding::new(file, 0, "this file is missing"))?;
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        Finding::new(file, line, error.without_snippet().to_string())
    })
}

fn line<T>(spanned: &Spanned<T>) -> u64 {
    spanned.referenced.line()
}

struct Checker {
    schema: Schema,
    catalogue: Catalogue,
    findings: Vec<Finding>,
}

impl Checker {
    fn config(&mut self, sources: &Sources, main: Main, preset: Preset, preset_file: &str) -> Config {
        if main.version != 1 {
            self.find(MAIN_FILE, 1, format!("version {} is not known; write `version: 1`", main.version));
        }
        self.declare(&main);
        let (gate, gate_file) = pick(main.gate, preset.gate, preset_file);
        let (steps, steps_file) = pick(main.steps, preset.steps, preset_file);
        let (score, score_file) = pick(main.score, preset.score, preset_file);
        let (route, route_file) = pick(main.route, preset.route, preset_file);
        let (freshness, freshness_file) = pick(main.freshness, preset.freshness, preset_file);
        let deadlines = Deadlines {
            interactive: main.deadlines.interactive,
            background: main.deadlines.background,
            patience: main.deadlines.patience,
            identity_window: main.deadlines.identity_window,
        };
        Config {
            hash: sources.hash(),
            workspace: main.workspace,
            freshness: self.freshness(freshness_file, &freshness),
            trust: main.trust,
            limits: self.limits(main.credits.allocation, main.credits.overdraft, main.credits.caps),
            deadlines,
            gate: self.gate(gate_file, gate),
            steps: self.steps(steps_file, steps),
            score: self.score(score_file, score),
            route: self.route(route_file, route),
            tracks: main.tracks.into_iter().map(|(track, section)| (track, TrackPlan { owners: section.owners })).collect(),
            crm: main.crm.map(|section| self.crm(section)),
            schema: self.schema.clone(),
            catalogue: self.catalogue.clone(),
        }
    }

    fn declare(&mut self, main: &Main) {
        for (name, kind) in &main.fields {
            if let Err(message) = self.schema.declare(name, kind.value.into()) {
                self.find(MAIN_FILE, line(kind), format!("fields: {message}"));
            }
        }
    }

    fn freshness(&mut self, file: &str, name: &Spanned<String>) -> Freshness {
        Freshness::preset(&name.value).unwrap_or_else(|| {
            self.find(file, line(name), format!("there is no freshness preset `{}`; write signup or crm", name.value));
            Freshness::SIGNUP
        })
    }

    fn limits(&mut self, allocation: Credits, overdraft: Credits, caps: CapsSection) -> Limits {
        let amounts = caps.day.iter().chain(&caps.week).chain(caps.provider.values());
        let above: Vec<u64> = amounts.filter(|cap| cap.value.0 > allocation).map(line).collect();
        for at in above {
            self.find(
                MAIN_FILE,
                at,
                format!("this cap is above the month's allocation of {allocation} credits and can never be reached; lower it"),
            );
        }
        for name in caps.provider.keys() {
            if !self.catalogue.values().any(|operation| operation.provider == *name) {
                self.find(MAIN_FILE, 0, format!("credits.caps.provider: there is no provider `{name}` among the connectors"));
            }
        }
        Limits {
            allocation,
            overdraft,
            day: caps.day.map(|cap| cap.value.0),
            week: caps.week.map(|cap| cap.value.0),
            provider: caps.provider.into_iter().map(|(name, cap)| (name, cap.value.0)).collect(),
        }
    }

    fn gate(&mut self, file: &str, sections: Vec<GateSection>) -> Vec<GateRule> {
        let rule = |section: GateSection| {
            let when = self.rule_condition(file, &section.when)?;
            Some(GateRule { when, verdict: section.verdict, because: section.because })
        };
        sections.into_iter().filter_map(rule).collect()
    }

    fn score(&mut self, file: &str, sections: Vec<ScoreSection>) -> Vec<ScoreRule> {
        let rule = |section: ScoreSection| {
            let when = self.rule_condition(file, &section.when)?;
            Some(ScoreRule { when, points: section.points, because: section.because })
        };
        sections.into_iter().filter_map(rule).collect()
    }

    fn route(&mut self, file: &str, section: RouteSection) -> RouteRules {
        let mut rules = Vec::new();
        for rule in section.rules {
            if let Some(when) = self.condition(file, &rule.when) {
                rules.push(RouteRule { when, to: rule.to, because: rule.because });
            }
        }
        RouteRules { rules, otherwise: section.otherwise, undecided: section.undecided }
    }

    fn steps(&mut self, file: &str, sections: Vec<StepSection>) -> Vec<Step> {
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
        let mut providers = Vec::new();
        for name in &section.providers {
            if self.catalogue.contains_key(&name.value) {
                providers.push(name.value.clone());
            } else {
                let known: Vec<&str> = self.catalogue.keys().map(String::as_str).collect();
                let message = format!("there is no connector `{}`; write one of: {}", name.value, known.join(", "));
                self.find(file, line(name), message);
            }
        }
        let mut wants = Vec::new();
        for written in &section.wants {
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
        let stop = section.stop.map_or(Some(Stop::DEFAULT), |written| {
            let stop = Stop::parse(&written.value);
            if stop.is_none() {
                let message =
                    format!("`{}` is no stop rule; write first_usable, \"confidence >= 5000\" or \"confirmations: 2\"", written.value);
                self.find(file, line(&written), message);
            }
            stop
        });
        Step {
            name: section.name.value,
            when: section.when.and_then(|written| self.rule_condition(file, &written)),
            wants,
            providers,
            stop: stop.unwrap_or(Stop::DEFAULT),
            timeout: section.timeout,
        }
    }

    fn crm(&mut self, section: CrmSection) -> CrmPlan {
        if section.target.value != "hubspot" {
            self.find(MAIN_FILE, line(&section.target), format!("there is no CRM `{}`; write hubspot", section.target.value));
        }
        let mut properties = BTreeMap::new();
        for (name, written) in section.properties {
            let source = match written.value.as_str() {
                "decision.score" => Some(PropertySource::Score),
                "decision.track" => Some(PropertySource::Track),
                "decision.owner" => Some(PropertySource::Owner),
                "decision.provider" => Some(PropertySource::Provider),
                "decision.confidence" => Some(PropertySource::Confidence),
                _ => self.field(MAIN_FILE, &written).map(PropertySource::Field),
            };
            properties.extend(source.map(|source| (name, source)));
        }
        CrmPlan { target: section.target.value, path: section.path, properties }
    }

    /// A condition that stands before the score exists.
    fn rule_condition(&mut self, file: &str, written: &Spanned<String>) -> Option<Condition> {
        let condition = self.condition(file, written)?;
        if condition.reads_score() {
            self.find(file, line(written), "the score can be read in route rules only: here it does not exist yet".to_owned());
        }
        Some(condition)
    }

    fn condition(&mut self, file: &str, written: &Spanned<String>) -> Option<Condition> {
        Condition::parse(&written.value, &self.schema).map_err(|error| self.find(file, line(written), error.to_string())).ok()
    }

    fn field(&mut self, file: &str, written: &Spanned<String>) -> Option<Field> {
        self.schema.field(&written.value).map_err(|message| self.find(file, line(written), message)).ok()
    }

    fn find(&mut self, file: &str, line: u64, message: String) {
        self.findings.push(Finding::new(file, line, message));
    }
}

/// The section that `millrace.yaml` writes itself, else the preset's; with the file it stands in.
fn pick<T>(own: Option<T>, preset: T, preset_file: &str) -> (T, &str) {
    match own {
        Some(own) => (own, MAIN_FILE),
        None => (preset, preset_file),
    }
}
