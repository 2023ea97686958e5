//! Written documents to a checked configuration; every mistake is collected, none stops the search for the next.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use super::document::Main;
use super::lint::lint;
use super::segments::joined;
use super::{Config, Finding, Findings, MAIN_FILE, Sources, TrackPlan, WORKSPACE};
use crate::condition::Condition;
use crate::plan::{Catalogue, Plan};
use crate::schema::{Field, Schema};
use crate::units::Millis;

/// A configuration whose main file was read: its fields are known, which the connectors need, and the rest waits for the
/// catalogue that they offer.
#[derive(Debug)]
pub struct Draft<'a> {
    sources: &'a Sources,
    main: Main,
    schema: Schema,
}

impl<'a> Draft<'a> {
    /// Reads the main file.
    ///
    /// # Errors
    /// What is wrong with its form or with the fields that it declares, with file and line.
    pub fn read(sources: &'a Sources) -> Result<Self, Findings> {
        let main: Main = parse(sources, MAIN_FILE).map_err(|finding| Findings(vec![finding]))?;
        let mut checker = Checker::new(Schema::default(), Catalogue::new());
        checker.declare(&main);
        if checker.findings.is_empty() { Ok(Self { sources, main, schema: checker.schema }) } else { Err(checker.sorted()) }
    }

    /// The canonical fields and the declared ones.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Checks the documents against each other and against the operations that the connectors offer, and looks for what is well
    /// formed and can still never do what it says.
    ///
    /// # Errors
    /// Every mistake that was found, with file and line.
    pub fn check(self, catalogue: Catalogue) -> Result<Config, Findings> {
        let (sources, fields) = (self.sources, self.schema.clone());
        let config = self.check_with(catalogue, Presets::All)?;
        let findings = lint(sources, fields, &config);
        if findings.is_empty() { Ok(config) } else { Err(Findings(findings)) }
    }

    /// As [`Draft::check`], for a function: it takes a configuration that was published and leaves out the lint, which would refuse what
    /// an earlier version let pass, and the presets that are not in use. Both cost every new process time.
    ///
    /// # Errors
    /// Every mistake that makes the configuration unusable, with file and line.
    pub fn check_for_use(self, catalogue: Catalogue) -> Result<Config, Findings> {
        self.check_with(catalogue, Presets::Chosen)
    }

    fn check_with(self, catalogue: Catalogue, presets: Presets) -> Result<Config, Findings> {
        let mut checker = Checker::new(self.schema, catalogue);
        let config = checker.config(self.sources, self.main, presets);
        match config {
            Some(config) if checker.findings.is_empty() => Ok(config),
            _ => Err(checker.sorted()),
        }
    }
}

/// Which presets are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presets {
    /// All, so that a change of `preset:` brings no surprise.
    All,
    /// The one in use.
    Chosen,
}

pub(super) fn parse<T: DeserializeOwned>(sources: &Sources, file: &str) -> Result<T, Finding> {
    let text = sources.text(file).ok_or_else(|| Finding::new(file, 0, "this file is missing"))?;
    serde_saphyr::from_str(text).map_err(|error| Finding::of_form(file, &error))
}

pub(super) fn line<T>(spanned: &Spanned<T>) -> u64 {
    spanned.referenced.line()
}

/// What the documents are checked against, and what was found wrong so far.
pub(super) struct Checker {
    pub(super) schema: Schema,
    pub(super) catalogue: Catalogue,
    /// How long after its claim a run begins calls.
    pub(super) background: Millis,
    pub(super) findings: Vec<Finding>,
}

impl Checker {
    pub(super) const fn new(schema: Schema, catalogue: Catalogue) -> Self {
        Self { schema, catalogue, background: Millis(0), findings: Vec::new() }
    }

    /// `None` where the preset could not be read; a finding says why.
    fn config(&mut self, sources: &Sources, main: Main, presets: Presets) -> Option<Config> {
        if main.version.value != 1 {
            self.find(MAIN_FILE, line(&main.version), format!("version {} is not known; write `version: 1`", main.version.value));
        }
        if let Some(other) = main.workspace.as_ref().filter(|workspace| workspace.value != WORKSPACE) {
            self.find(MAIN_FILE, line(other), format!("one deployment serves one workspace today; write `workspace: {WORKSPACE}`"));
        }
        let trust = self.trust(main.trust);
        let limits = self.limits(main.credits.value);
        let deadlines = self.deadlines(main.deadlines);
        self.background = deadlines.background;
        let audiences = self.names(MAIN_FILE, main.segments, main.audiences);
        let preset = self.preset(sources, &main.preset, presets);
        if let Some(preset) = &preset {
            self.schema = preset.schema.clone();
        }
        let verticals = main.verticals.map(|sections| self.verticals(MAIN_FILE, sections));
        let gate = main.gate.map(|sections| self.gate(MAIN_FILE, sections));
        let steps = main.steps.map(|sections| self.steps(MAIN_FILE, sections));
        let score = main.score.map(|sections| self.score(MAIN_FILE, sections));
        let route = main.route.map(|section| self.route(MAIN_FILE, section));
        let sets = main.sets.map(|sections| self.sets(MAIN_FILE, sections));
        let tiers = main.tiers.map(|sections| self.tiers(MAIN_FILE, sections));
        let eligibility = main.eligibility.map(|section| self.eligibility(MAIN_FILE, section));
        let known_steps = steps.as_ref().or(preset.as_ref().map(|preset| &preset.plan.steps));
        let crm = main.crm.map(|section| self.crm(section, known_steps));
        let (mut tracks, mut wanted_by_track) = (BTreeMap::new(), BTreeMap::new());
        for (track, section) in main.tracks {
            let wants: Vec<Field> = section.wants.iter().filter_map(|field| self.field(MAIN_FILE, field)).collect();
            wanted_by_track.extend((!wants.is_empty()).then_some((track, wants)));
            tracks.insert(track, TrackPlan { owners: section.owners });
        }
        let preset = preset?;
        let freshness = main.freshness.map(|section| self.freshness(MAIN_FILE, section)).unwrap_or(preset.freshness);
        let rules = self.enrichment_rules(main.rules, limits.allocation, &freshness.shortest_of_any());
        Some(Config {
            hash: sources.hash(),
            workspace: WORKSPACE.to_owned(),
            freshness: freshness.base(),
            freshness_table: freshness,
            trust,
            limits,
            deadlines,
            eligibility: eligibility.unwrap_or(preset.eligibility),
            audiences: joined(audiences, preset.audiences),
            verticals: verticals.unwrap_or(preset.verticals),
            gate: gate.unwrap_or(preset.gate),
            plan: Plan {
                wanted_by_track,
                ..self.plan(MAIN_FILE, main.plan.unwrap_or_default(), steps.unwrap_or(preset.plan.steps.clone()), &preset.plan)
            },
            score: score.unwrap_or(preset.score),
            route: route.unwrap_or(preset.route),
            rules,
            sets: sets.unwrap_or(preset.sets),
            tiers: tiers.unwrap_or(preset.tiers),
            tracks,
            crm,
            schema: self.schema.clone(),
            catalogue: self.catalogue.clone(),
        })
    }

    fn declare(&mut self, main: &Main) {
        for (name, kind) in &main.fields {
            if let Err(message) = self.schema.declare(name, kind.value.into()) {
                self.find(MAIN_FILE, line(kind), format!("fields: {message}"));
            }
        }
    }

    pub(super) fn condition(&mut self, file: &str, written: &Spanned<String>) -> Option<Condition> {
        Condition::parse(&written.value, &self.schema).map_err(|error| self.find(file, line(written), error.to_string())).ok()
    }

    pub(super) fn field(&mut self, file: &str, written: &Spanned<String>) -> Option<Field> {
        self.schema.field(&written.value).map_err(|message| self.find(file, line(written), message)).ok()
    }

    pub(super) fn find(&mut self, file: &str, line: u64, message: String) {
        self.findings.push(Finding::new(file, line, message));
    }

    fn sorted(mut self) -> Findings {
        self.findings.sort();
        Findings(self.findings)
    }
}
