//! What a provider's answer means to a run.

use serde::{Deserialize, Serialize};

use crate::observation::Observation;
use crate::units::Millis;

/// The answer of one look-up. No match is an answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The provider knows something.
    Hit {
        /// What it said, field by field.
        observations: Vec<Observation>,
    },
    /// The provider knows nobody by this key.
    NoMatch,
    /// Too many calls; the same question may be asked after this time (S4-27).
    RateLimited {
        /// How long to wait.
        retry_after: Millis,
    },
    /// The account at the provider is empty; nobody but its owner can help.
    OutOfCredits,
    /// The provider refuses our credentials (S4-29).
    AuthFailed,
    /// The provider could not be reached or answered with an error of its own: by its price nothing was found.
    Failed {
        /// What was wrong, without a word of the body.
        why: String,
    },
    /// Nothing was sent: there is no secret to show, or no way to fill the request in. Nobody can have billed.
    NotSent {
        /// What was wrong.
        why: String,
    },
    /// The provider answered with success and something that cannot be read: it may have billed (S4-28).
    Unreadable {
        /// What was wrong, without a word of the body.
        why: String,
    },
    /// The provider took the order and answers later; nobody asks again until then.
    Pending {
        /// How long it may take.
        within: Millis,
    },
    /// No answer in time; the provider may bill all the same (S4-26).
    TimedOut,
}

impl Reply {
    /// Whether the reply is worth keeping, and so never asked for twice.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Hit { .. } | Self::NoMatch)
    }
}
