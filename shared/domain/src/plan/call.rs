//! The run's log of calls: those that were made, and those that were not and why.

use serde::{Deserialize, Serialize};

use crate::credits::CapScope;
use crate::eligibility::Ineligible;
use crate::identity::KeyKind;
use crate::route::Track;
use crate::schema::Field;
use crate::signup::RunId;
use crate::units::{Credits, Millis, Timestamp};

/// One line of the run's log: a call that was made, or one that was not and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The step it belongs to.
    pub step: String,
    /// The operation.
    pub operation: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: CallOutcome,
    /// When it was decided or began.
    pub at: Timestamp,
    /// How long it took.
    pub latency: Millis,
    /// What it cost.
    pub cost: Credits,
    /// The kind of key it was asked by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyKind>,
    /// Whether the answer came from the cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CallOutcome {
    /// It told these fields.
    Hit {
        /// The fields, sorted.
        fields: Vec<Field>,
    },
    /// The provider knows nothing.
    NoMatch,
    /// Asked too often; may be asked again at this moment.
    RateLimited {
        /// When to ask again.
        retry_at: Timestamp,
    },
    /// The provider took the order and answers later.
    Pending {
        /// By when.
        until: Timestamp,
    },
    /// No answer in time.
    TimedOut,
    /// An answer that is none.
    Failed {
        /// What was wrong.
        why: String,
    },
    /// The provider refuses our credentials.
    AuthFailed,
    /// The account at the provider is empty.
    OutOfCredits,
    /// It was not made.
    NotMade {
        /// Why not.
        why: Skip,
    },
}

impl CallOutcome {
    /// Whether a later try may fare better, so that the decision waits for correction.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Pending { .. } | Self::TimedOut => true,
            Self::Failed { .. } | Self::AuthFailed | Self::OutOfCredits => true,
            Self::NotMade { why } => matches!(why, Skip::Cap { .. } | Skip::NoTimeLeft | Skip::CachedOnly),
            Self::Hit { .. } | Self::NoMatch => false,
        }
    }
}

impl Call {
    /// What went wrong, for a call that may fare better later; `None` for one that ended well or will never be made.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        if !self.outcome.may_pass() {
            return None;
        }
        let what = match &self.outcome {
            CallOutcome::RateLimited { .. } => "limits the rate".to_owned(),
            CallOutcome::Pending { .. } => "has not answered yet".to_owned(),
            CallOutcome::TimedOut => "did not answer in time".to_owned(),
            CallOutcome::Failed { why } => format!("failed: {why}"),
            CallOutcome::AuthFailed => "refuses our credentials".to_owned(),
            CallOutcome::OutOfCredits => "says that the account is empty".to_owned(),
            CallOutcome::NotMade { why } => format!("was not asked: {}", why.words()),
            CallOutcome::Hit { .. } | CallOutcome::NoMatch => return None,
        };
        Some(format!("{} {what}", self.operation))
    }
}

/// How each provider of each step ended: a rate limit that was waited for, and a try that was repeated, are over.
pub fn last_calls(calls: &[Call]) -> impl Iterator<Item = &Call> {
    let of_the_same = |one: &Call, other: &Call| one.step == other.step && one.operation == other.operation;
    calls
        .iter()
        .enumerate()
        .filter(move |(place, call)| !calls[place + 1..].iter().any(|later| of_the_same(call, later)))
        .map(|(_, call)| call)
}

/// Why a call was not made. It cost nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Skip {
    /// The step's condition does not hold.
    ConditionFalse,
    /// The step's condition depends on something not known.
    ConditionUnknown,
    /// A filter before the step lets only others pass (S4-31).
    Filtered {
        /// The filter.
        filter: String,
    },
    /// A filter before the step depends on something not known.
    FilterUnknown {
        /// The filter.
        filter: String,
    },
    /// What it tells is not worth its price for a lead such as this one (S4-03, S4-04).
    NotWorthIt,
    /// Such signups get by with what is kept; a refresh in the background asks (S3-55).
    CachedOnly,
    /// Only certain fields are looked up, and its step wants none of them (S0-96).
    NotNamed,
    /// The step has spent what it may on one lead.
    StepBudget,
    /// Everything the step wants is known, fresh and sure enough (S0-75).
    AlreadyKnown,
    /// The operation supplies nothing that is still wanted (S0-16).
    SuppliesNothingWanted,
    /// There is no key that the operation accepts.
    NoKey,
    /// Records such as this one are not looked up (S0-23, S0-27, S0-28).
    Ineligible {
        /// Why not.
        ineligible: Ineligible,
    },
    /// Its step ended when a call before it failed (S4-29).
    StepStopped,
    /// No answer of it can change where the lead goes, and nobody wants what it tells for its own sake.
    ChangesNothing {
        /// The track, where only one is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        track: Option<Track>,
    },
    /// The gate holds paid calls.
    HeldByGate,
    /// The same person was paid for within the hour.
    SameIdentity {
        /// The run that paid.
        run: RunId,
    },
    /// The run's time is over.
    NoTimeLeft,
    /// This run has paid for it as often as a run may.
    AttemptsSpent,
    /// A cap refused the credits (S0-77).
    Cap {
        /// Which one.
        scope: CapScope,
    },
}

impl Skip {
    /// The reason in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::ConditionFalse => "its condition does not hold".to_owned(),
            Self::ConditionUnknown => "its condition depends on something unknown".to_owned(),
            Self::Filtered { filter } => format!("the filter `{filter}` lets only others pass"),
            Self::FilterUnknown { filter } => format!("the filter `{filter}` before it depends on something unknown"),
            Self::NotWorthIt => "what it tells is not worth its price for this lead".to_owned(),
            Self::CachedOnly => "such signups get by with what is kept; it is asked in the background".to_owned(),
            Self::NotNamed => "other fields are looked up this time".to_owned(),
            Self::StepBudget => "its step has spent what it may on one lead".to_owned(),
            Self::AlreadyKnown => "everything it wants is known and fresh".to_owned(),
            Self::SuppliesNothingWanted => "it supplies nothing still wanted".to_owned(),
            Self::NoKey => "there is no key to ask by".to_owned(),
            Self::Ineligible { ineligible } => ineligible.to_string(),
            Self::StepStopped => "its step ended with the failure before it".to_owned(),
            Self::ChangesNothing { track: Some(track) } => format!("whatever it says, the lead goes to {}", track.as_str()),
            Self::ChangesNothing { track: None } => "no answer of it can change the track".to_owned(),
            Self::HeldByGate => "the gate holds paid calls".to_owned(),
            Self::SameIdentity { .. } => "the same person was looked up within the hour".to_owned(),
            Self::NoTimeLeft => "no time was left".to_owned(),
            Self::AttemptsSpent => "this run has paid for it often enough".to_owned(),
            Self::Cap { scope } => format!("{} is reached", scope.words()),
        }
    }
}
