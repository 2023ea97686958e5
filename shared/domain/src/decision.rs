//! What was decided about a signup, and the reasons in words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::observation::Absence;
use crate::route::Route;
use crate::schema::Field;
use crate::score::{Interval, Score};
use crate::steady::Before;
use crate::tier::Tier;
use crate::units::{Millis, Timestamp};

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Sent on its track.
    Routed,
    /// The same person within the hour: merged, nothing paid.
    Duplicate,
    /// Held by the gate until verified.
    Held,
    /// Rejected by the gate.
    Rejected,
    /// Sent on the honest default for now, because a source that matters failed or a cap was reached.
    Deferred,
}

impl Outcome {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routed => "routed",
            Self::Duplicate => "duplicate",
            Self::Held => "held",
            Self::Rejected => "rejected",
            Self::Deferred => "deferred",
        }
    }
}

/// One decision about a signup, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What it came to.
    pub outcome: Outcome,
    /// The gate.
    pub gate: Gate,
    /// The score.
    pub score: Score,
    /// The route.
    pub route: Route,
    /// The score set that was used; `None` for the default rules (S3-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// How well the company fits: the company's part of the score; `None` where no rule reads the company alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icp: Option<Interval>,
    /// The tier, or those still possible (S2-65); `None` where no tiers are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The owner within the track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The required steps that have not all they want: somebody has to look at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
    /// What failed of the steps that still lack something, by their names. No value that a rule could read (S4-30, X-17).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, String>,
    /// Why fields that scores and routes read are absent.
    #[serde(default)]
    pub absent: BTreeMap<Field, Absence>,
    /// What was decided for good before, which it was held against; `None` for the first decision about a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// The version of the record that it was decided from; the higher wins.
    pub seq: u64,
    /// When it was made.
    pub at: Timestamp,
    /// How long after the signup was accepted.
    pub after: Millis,
}

impl Decision {
    /// The reasons in words: gate, route, then the points.
    #[must_use]
    pub fn because(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self.gate.because.clone();
        reasons.extend(self.route.because.iter().cloned());
        reasons.extend(self.unmet.iter().map(|step| format!("needs a review: the required step {step} has not all it wants")));
        reasons.extend(self.score.points.iter().map(|points| format!("{:+} {}", points.points, points.because)));
        reasons.extend(self.score.unknowns.iter().map(|unknown| {
            let fields: Vec<String> = unknown.fields.iter().map(|field| self.absence_words(field)).collect();
            format!("{:+} possible: {} ({})", unknown.points, unknown.because, fields.join(", "))
        }));
        reasons
    }

    /// A field that is not known, and why.
    #[must_use]
    pub fn absence_words(&self, field: &Field) -> String {
        let why = match self.absent.get(field) {
            None | Some(Absence::NotAttempted) => "nobody was asked",
            Some(Absence::NoMatch) => "no source knows it",
            Some(Absence::Error) => "a source failed",
            Some(Absence::Suppressed) => "suppressed",
            Some(Absence::VerticalNoData) => "not produced in this vertical",
            Some(Absence::LowConfidence) => "not sure enough",
        };
        format!("{field}: {why}")
    }
}
