//! The configuration an operator edits, parsed and checked once into rules that cannot be wrong.
//!
//! `config/millrace.yaml` names a preset; a section that it writes itself replaces the preset's.

mod batch;
mod check;
mod document;
mod eligibility;
mod enrichment_rules;
mod form;
mod freshness;
mod lint;
mod rules;
mod segments;
mod sets;
mod settings;
mod steps;
#[cfg(test)]
mod tests;
mod undecided;
mod verticals;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::condition::{Truth, View};
use crate::confidence::Trust;
use crate::coverage::Audience;
use crate::credits::Limits;
use crate::eligibility::Eligibility;
use crate::freshness::{Freshness, FreshnessTable};
use crate::gate::GateRule;
use crate::merge::Facts;
use crate::plan::{Catalogue, Operation, Plan};
use crate::possible::Rules;
use crate::route::{RouteRules, Track};
use crate::rules::Rule;
use crate::schema::{Field, Schema};
use crate::score::{ScoreRule, ScoreSet};
use crate::tier::Tiers;
use crate::units::Millis;
use crate::vertical::Vertical;

pub use check::Draft;
pub use document::FieldType;

/// The name of the file that everything starts from.
pub const MAIN_FILE: &str = "millrace.yaml";
/// The workspace that every key starts with: one deployment serves one, and rights are given by it.
pub const WORKSPACE: &str = "default";

/// The files of a configuration by their path within `config/`, such as `presets/signup.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sources {
    files: BTreeMap<String, String>,
}

impl Sources {
    /// Takes files by path and text.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { files: files.into_iter().collect() }
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The files below a folder, path and text, in order.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files.iter().filter(move |(path, _)| path.starts_with(folder)).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All files, path and text, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The hash that names this configuration: 16 hex digits of SHA-256 over every path and text.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        for (path, text) in &self.files {
            for part in [path, text] {
                digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                digest.update(part.as_bytes());
            }
        }
        digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Something wrong with the configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, within `config/`.
    pub file: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: u64,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Finding {
    /// A finding at a line of a file.
    #[must_use]
    pub fn new(file: &str, line: u64, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }

    /// The finding with its file below the folder that it was read from, rather than below `config`.
    #[must_use]
    pub fn below(&self, folder: &Path) -> String {
        let place = folder.join(&self.file);
        match self.line {
            0 => format!("{}: {}", place.display(), self.message),
            line => format!("{}:{line}: {}", place.display(), self.message),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.below(Path::new("config")))
    }
}

/// Everything wrong with a configuration, in order of file and line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// One line a finding, each with its file below the folder that it was read from.
    #[must_use]
    pub fn below(&self, folder: &Path) -> String {
        self.0.iter().map(|finding| finding.below(folder)).collect::<Vec<_>>().join("\n")
    }
}

/// How long a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Somebody who waits gets what is known by then, after the signup was accepted.
    pub interactive: Millis,
    /// No call begins later than this after a run was claimed.
    pub background: Millis,
    /// Rate limits are waited for this long (S4-27).
    pub patience: Millis,
    /// The same person never pays again within this time (S3-49, X-01).
    pub identity_window: Millis,
}

/// Where a track leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackPlan {
    /// The owners who take turns, as the CRM knows them; may be empty.
    pub owners: Vec<String>,
}

/// What is written into a CRM property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertySource {
    /// A field of the record.
    Field(Field),
    /// The low end of the score.
    Score,
    /// The track.
    Track,
    /// Who takes the lead within the track, where the rule that decided names somebody (S4-35).
    Destination,
    /// The owner, where the track has one.
    Owner,
    /// The providers that the facts came from.
    Provider,
    /// The lowest confidence among the facts that the decision read, `0.74`.
    Confidence,
    /// The tier, once the score settles it (S2-65).
    Tier,
    /// The low end of the ICP score.
    Icp,
    /// The score set that was used (S3-15).
    Set,
    /// Whether nothing failed that a step still lacks, `true` or `false` (S4-30).
    Enhanced(String),
    /// What failed of a step that still lacks something, else `none` (S4-30).
    Error(String),
}

/// How leads are written to the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmPlan {
    /// The CRM, such as `hubspot`.
    pub target: String,
    /// The path of contacts below the CRM's base URL; HubSpot's is dated (WIRE-FORMATS 0.2).
    pub path: String,
    /// Property name to what is written into it.
    pub properties: BTreeMap<String, PropertySource>,
}

/// A configuration that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The hash that names it.
    pub hash: String,
    /// The workspace that every key starts with.
    pub workspace: String,
    /// The schema: canonical and custom fields.
    pub schema: Schema,
    /// The operations there are.
    pub catalogue: Catalogue,
    /// How long fields stay fresh for a lead of no particular segment.
    pub freshness: Freshness,
    /// How long they stay fresh by segment, and the name of the preset behind it.
    pub freshness_table: FreshnessTable,
    /// How far sources are trusted.
    pub trust: Trust,
    /// What may be spent.
    pub limits: Limits,
    /// How long runs may take.
    pub deadlines: Deadlines,
    /// The audiences, in order of their name; conditions read them and the segments through the schema.
    pub audiences: Vec<Audience>,
    /// The kinds of company that do not produce some fields.
    pub verticals: Vec<Vertical>,
    /// Which records are looked up at all.
    pub eligibility: Eligibility,
    /// The gate's rules.
    pub gate: Vec<GateRule>,
    /// The steps of the plan, and what ends them.
    pub plan: Plan,
    /// The scoring rules.
    pub score: Vec<ScoreRule>,
    /// The routing rules.
    pub route: RouteRules,
    /// Other scoring and routing rules by product or source; the first that holds is used (S3-15).
    pub sets: Vec<ScoreSet>,
    /// The bands of the score that have a name (S2-65); may be empty.
    pub tiers: Tiers,
    /// The rules by which records are to be looked up again; nothing fires them yet.
    pub rules: Vec<Rule>,
    /// What each track leads to.
    pub tracks: BTreeMap<Track, TrackPlan>,
    /// How leads are written to the CRM; `None` writes nowhere.
    pub crm: Option<CrmPlan>,
}

impl Config {
    /// The fields that the score or the route of any set read, sorted, each once.
    #[must_use]
    pub fn decision_fields(&self) -> Vec<Field> {
        let mut fields = fields_read(&self.score, &self.route);
        for set in &self.sets {
            fields.extend(set.when.read_fields());
            let (score, route) = self.rules_of(set);
            fields.extend(fields_read(score, route));
        }
        fields.sort();
        fields.dedup();
        fields.into_iter().cloned().collect()
    }

    /// The rules that make a track out of what is known of this signup.
    #[must_use]
    pub fn rules(&self, view: &View<'_>) -> Rules<'_> {
        let (score, route, _) = self.set_for(view);
        Rules { gate: &self.gate, score, route, before: None }
    }

    /// The scoring and routing rules for this signup, and the name of the set they are from; `None` for the default.
    /// A set's condition reads the signup only, so that it never changes while a run goes on.
    #[must_use]
    pub fn set_for(&self, view: &View<'_>) -> (&[ScoreRule], &RouteRules, Option<&str>) {
        let holds = |set: &&ScoreSet| set.when.evaluate(view) == Truth::True;
        match self.sets.iter().find(holds) {
            Some(set) => {
                let (score, route) = self.rules_of(set);
                (score, route, Some(&set.name))
            }
            None => (&self.score, &self.route, None),
        }
    }

    fn rules_of<'a>(&'a self, set: &'a ScoreSet) -> (&'a [ScoreRule], &'a RouteRules) {
        (set.score.as_deref().unwrap_or(&self.score), set.route.as_ref().unwrap_or(&self.route))
    }

    /// What conditions see of these facts: those of at least the floor's confidence.
    #[must_use]
    pub fn view<'a>(&self, facts: &'a Facts) -> View<'a> {
        View::of(facts).with_floor(self.trust.floor)
    }

    /// The operations that the steps name, in their order; one that several name stands as often.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.plan.steps.iter().flat_map(|step| &step.providers).filter_map(|name| self.catalogue.get(name))
    }

    /// The owners who take turns on a track.
    #[must_use]
    pub fn owners(&self, track: Track) -> &[String] {
        self.tracks.get(&track).map_or(&[], |plan| &plan.owners)
    }
}

/// The fields that these rules read, sorted, each once.
pub(crate) fn fields_read<'a>(score: &'a [ScoreRule], route: &'a RouteRules) -> Vec<&'a Field> {
    let scored = score.iter().flat_map(|rule| rule.when.read_fields());
    let routed = route.rules.iter().flat_map(|rule| rule.when.read_fields());
    let mut fields: Vec<&Field> = scored.chain(routed).collect();
    fields.sort();
    fields.dedup();
    fields
}
