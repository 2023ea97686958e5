//! A step of the plan: what it wants, whom it asks, when it has enough, and what follows a call that ends badly.

use serde::Deserialize;

use super::Batch;
use super::call::Skip;
use crate::condition::Condition;
use crate::schema::{Field, is_channel};
use crate::units::{BasisPoints, Credits, Millis};

/// When a wanted field counts as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Any value will do.
    FirstUsable,
    /// At this confidence.
    Confidence(BasisPoints),
    /// When so many independent families agree (S0-84).
    Confirmations(usize),
}

impl Stop {
    /// The default for scoring fields: one bare source may stop.
    pub const DEFAULT: Self = Self::Confidence(BasisPoints::new(5000));

    /// The default of a field: the first usable value of a channel will do (S1-10), of others one that is sure enough.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        if is_channel(field) { Self::FirstUsable } else { Self::DEFAULT }
    }

    /// Reads `first_usable`, `confidence >= 5000` or `confirmations: 2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "first_usable" {
            return Some(Self::FirstUsable);
        }
        if let Some(points) = text.strip_prefix("confidence >=") {
            let points: u16 = points.trim().parse().ok()?;
            return (points <= 10_000).then(|| Self::Confidence(BasisPoints::new(points)));
        }
        let count: usize = text.strip_prefix("confirmations:")?.trim().parse().ok()?;
        (count > 0).then_some(Self::Confirmations(count))
    }
}

/// One step: fields that are wanted and providers that may know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// It runs only while this holds; absent means always.
    pub when: Option<Condition>,
    /// Parts of `when` that stand elsewhere in configuration: whichever does not hold is named as the reason.
    pub guards: Vec<Guard>,
    /// The fields wanted.
    pub wants: Vec<Field>,
    /// The operations to ask, in order.
    pub providers: Vec<String>,
    /// When a wanted field counts as known; absent means [`Stop::of`] each.
    pub stop: Option<Stop>,
    /// The credits that one run may spend on its calls.
    pub budget: Option<Credits>,
    /// A call takes at most this long; the operation's own timeout where absent.
    pub timeout: Option<Millis>,
    /// Its calls wait for those of other runs, to go out as one request.
    pub batch: Option<Batch>,
    /// Its calls are made even where they cannot change the track, and a lead for which nothing came of them needs a review.
    pub required: bool,
    /// What follows when a call ends badly.
    pub on: OnError,
}

impl Step {
    /// When a field counts as known for this step.
    #[must_use]
    pub fn stop_for(&self, field: &Field) -> Stop {
        self.stop.unwrap_or_else(|| Stop::of(field))
    }
}

/// A condition of a step with the reason that its failing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The condition.
    pub when: Condition,
    /// Why a call is not made where it does not hold.
    pub why: Skip,
}

/// What a step does when a call ends badly (S4-26…29, S4-39, S4-40, X-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnError {
    /// No answer in time.
    pub timeout: OnTimeout,
    /// Asked too often.
    pub rate_limit: OnRateLimit,
    /// An answer that is none.
    pub invalid: OnFailure,
    /// The provider refuses our credentials, or its account is empty.
    pub auth_failure: OnFailure,
}

impl Default for OnError {
    /// The source document's table: continue, wait, continue, stop.
    fn default() -> Self {
        Self { timeout: OnTimeout::Continue, rate_limit: OnRateLimit::Wait, invalid: OnFailure::Continue, auth_failure: OnFailure::Stop }
    }
}

/// After no answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// The next provider is asked (S4-26, S4-40).
    Continue,
    /// The same one is asked once more; a call that was paid for may be paid for again (S4-39).
    Retry,
}

/// After "too many requests".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRateLimit {
    /// It is waited for, up to the patience of a run (S4-27).
    Wait,
    /// The next provider is asked.
    Continue,
}

/// After a failure that a later try would not mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The next provider is asked (S4-28).
    Continue,
    /// The step ends; the signup goes on to score and route (S4-29, X-32).
    Stop,
}
