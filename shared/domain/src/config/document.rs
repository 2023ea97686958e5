//! The documents as they are written, with the line of everything that can be wrong.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::eligibility::EligibilitySection;
use super::enrichment_rules::RuleSection;
use super::freshness::FreshnessSection;
use super::undecided::UndecidedSection;
use crate::confidence::{Trust, UsualAge};
use crate::gate::Verdict;
use crate::plan::{Batch, OnFailure, OnRateLimit, OnTimeout, Order, Until};
use crate::route::Track;
use crate::schema::FieldKind;
use crate::units::{BasisPoints, Credits, Millis, written_credits};

/// `config/millrace.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Main {
    pub(super) version: Spanned<u32>,
    #[serde(default)]
    pub(super) workspace: Option<Spanned<String>>,
    pub(super) preset: Spanned<String>,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Spanned<FieldType>>,
    pub(super) credits: Spanned<CreditsSection>,
    #[serde(default)]
    pub(super) trust: TrustSection,
    #[serde(default)]
    pub(super) freshness: Option<Spanned<FreshnessSection>>,
    #[serde(default)]
    pub(super) deadlines: DeadlinesSection,
    #[serde(default)]
    pub(super) tracks: BTreeMap<Track, TrackSection>,
    #[serde(default)]
    pub(super) crm: Option<CrmSection>,
    #[serde(default)]
    pub(super) segments: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) audiences: BTreeMap<String, AudienceSection>,
    #[serde(default)]
    pub(super) verticals: Option<Vec<VerticalSection>>,
    #[serde(default)]
    pub(super) gate: Option<Vec<GateSection>>,
    #[serde(default)]
    pub(super) plan: Option<PlanSection>,
    #[serde(default)]
    pub(super) steps: Option<Vec<StepSection>>,
    #[serde(default)]
    pub(super) score: Option<Vec<ScoreSection>>,
    #[serde(default)]
    pub(super) route: Option<RouteSection>,
    #[serde(default)]
    pub(super) sets: Option<Vec<SetSection>>,
    #[serde(default)]
    pub(super) tiers: Option<Vec<TierSection>>,
    #[serde(default)]
    pub(super) eligibility: Option<EligibilitySection>,
    #[serde(default)]
    pub(super) rules: Vec<RuleSection>,
}

/// `config/presets/<name>.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Preset {
    pub(super) freshness: Spanned<FreshnessSection>,
    #[serde(default)]
    pub(super) segments: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) audiences: BTreeMap<String, AudienceSection>,
    #[serde(default)]
    pub(super) verticals: Vec<VerticalSection>,
    #[serde(default)]
    pub(super) gate: Vec<GateSection>,
    #[serde(default)]
    pub(super) plan: PlanSection,
    pub(super) steps: Vec<StepSection>,
    pub(super) score: Vec<ScoreSection>,
    pub(super) route: RouteSection,
    #[serde(default)]
    pub(super) sets: Vec<SetSection>,
    #[serde(default)]
    pub(super) tiers: Vec<TierSection>,
    #[serde(default)]
    pub(super) eligibility: Option<EligibilitySection>,
}

/// The type of a custom field, as written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Free text.
    Text,
    /// A word out of a small set.
    Word,
    /// A decimal number.
    Number,
    /// Yes or no.
    Bool,
    /// A set of words.
    List,
    /// A calendar date.
    Date,
}

impl From<FieldType> for FieldKind {
    fn from(written: FieldType) -> Self {
        match written {
            FieldType::Text => Self::Text,
            FieldType::Word => Self::Word,
            FieldType::Number => Self::Number,
            FieldType::Bool => Self::Bool,
            FieldType::List => Self::List,
            FieldType::Date => Self::Date,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditsSection {
    #[serde(deserialize_with = "written_credits")]
    pub(super) allocation: Credits,
    #[serde(default, deserialize_with = "written_credits")]
    pub(super) overdraft: Credits,
    #[serde(default)]
    pub(super) budget: Option<Spanned<Amount>>,
    #[serde(default)]
    pub(super) caps: CapsSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CapsSection {
    #[serde(default)]
    pub(super) day: Option<Spanned<Amount>>,
    #[serde(default)]
    pub(super) week: Option<Spanned<Amount>>,
    #[serde(default)]
    pub(super) provider: BTreeMap<String, Spanned<Amount>>,
    #[serde(default)]
    pub(super) rule: BTreeMap<String, Spanned<Amount>>,
}

/// Credits as configuration writes them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Amount(#[serde(deserialize_with = "written_credits")] pub(super) Credits);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TrustSection {
    pub(super) reliability: BTreeMap<String, Spanned<BasisPoints>>,
    pub(super) prior: BasisPoints,
    pub(super) floor: BasisPoints,
    pub(super) domain_age: Vec<UsualAge>,
}

impl Default for TrustSection {
    fn default() -> Self {
        let Trust { prior, floor, domain_age, .. } = Trust::default();
        Self { reliability: BTreeMap::new(), prior, floor, domain_age }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DeadlinesSection {
    pub(super) interactive: Option<Spanned<Millis>>,
    pub(super) background: Option<Spanned<Millis>>,
    pub(super) patience: Option<Spanned<Millis>>,
    pub(super) identity_window: Option<Spanned<Millis>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrackSection {
    #[serde(default)]
    pub(super) owners: Vec<String>,
    #[serde(default)]
    pub(super) wants: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CrmSection {
    pub(super) target: Spanned<String>,
    #[serde(default)]
    pub(super) path: Option<Spanned<String>>,
    pub(super) properties: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AudienceSection {
    pub(super) when: Spanned<String>,
    pub(super) requires: Spanned<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerticalSection {
    pub(super) when: Spanned<String>,
    pub(super) lacks: Spanned<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateSection {
    pub(super) when: Spanned<String>,
    pub(super) verdict: Verdict,
    pub(super) because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepSection {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) when: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) wants: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) providers: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) stop: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) budget: Option<Spanned<Amount>>,
    #[serde(default)]
    pub(super) worth: Option<Spanned<Worth>>,
    #[serde(default)]
    pub(super) timeout: Option<Millis>,
    #[serde(default)]
    pub(super) batch: Option<Spanned<Batch>>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) on_timeout: Option<OnTimeout>,
    #[serde(default)]
    pub(super) on_rate_limit: Option<OnRateLimit>,
    #[serde(default)]
    pub(super) on_invalid: Option<OnFailure>,
    #[serde(default)]
    pub(super) on_auth_failure: Option<OnFailure>,
}

/// What an answer is worth, in credits (S4-03, S4-04).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Worth {
    pub(super) value: Amount,
    #[serde(default)]
    pub(super) times: Option<u32>,
    #[serde(default)]
    pub(super) otherwise: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PlanSection {
    pub(super) until: Option<Until>,
    pub(super) order: Option<Order>,
    pub(super) wanted: Option<Vec<Spanned<String>>>,
    pub(super) explore: Option<u32>,
    pub(super) cached_only: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScoreSection {
    pub(super) when: Spanned<String>,
    pub(super) points: i64,
    pub(super) because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteSection {
    pub(super) rules: Vec<RouteRuleSection>,
    pub(super) otherwise: Track,
    pub(super) undecided: UndecidedSection,
    #[serde(default)]
    pub(super) hysteresis: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteRuleSection {
    pub(super) when: Spanned<String>,
    pub(super) to: Track,
    #[serde(default)]
    pub(super) destination: Option<Spanned<String>>,
    pub(super) because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetSection {
    pub(super) name: Spanned<String>,
    pub(super) when: Spanned<String>,
    #[serde(default)]
    pub(super) score: Option<Vec<ScoreSection>>,
    #[serde(default)]
    pub(super) route: Option<RouteSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TierSection {
    pub(super) name: Spanned<String>,
    pub(super) from: Spanned<i64>,
}
