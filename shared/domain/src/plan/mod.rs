//! Whom to ask next: a machine without I/O. The shell carries out what [`next`] says and logs it as a [`Call`].
//!
//! The providers of a step are asked in their order. Steps are asked in theirs, or, where configuration says so, those first that
//! narrow the possible tracks most for their price. A paid call that can change nothing is not made (DESIGN §5).

mod batch;
mod call;
mod choose;
mod open;
mod situation;
mod step;
#[cfg(test)]
mod tests;
mod together;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

pub use batch::{Batch, BatchTerms, Gather};
pub use call::{Call, CallOutcome, Skip, last_calls};
pub use choose::{next, next_attempt};
pub use open::{open_fields, unmet};
pub use situation::Situation;
pub use step::{Guard, OnError, OnFailure, OnRateLimit, OnTimeout, Step, Stop};

use crate::condition::{Condition, Truth, View};
use crate::credits::{Price, Tariff};
use crate::identity::{KeyKind, LookupKey};
use crate::route::Track;
use crate::run::Run;
use crate::schema::{Field, FieldClass, is_channel};
use crate::signup::RunId;
use crate::units::{Credits, Millis, Timestamp};

/// What the plan knows about one operation of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, `crustdata.company`.
    pub name: String,
    /// The provider, `crustdata`.
    pub provider: String,
    /// The family of sources that copy each other.
    pub family: String,
    /// The keys it can be asked by, the best first.
    pub keys: Vec<KeyKind>,
    /// The fields it may supply.
    pub supplies: Vec<Field>,
    /// Those among them that it only infers: its word alone makes none of them known.
    pub inferred: Vec<Field>,
    /// What a call costs.
    pub price: Price,
    /// How its answers age.
    pub class: FieldClass,
    /// How long one call may take.
    pub timeout: Millis,
    /// How several keys are asked in one request, where the vendor takes that.
    pub batch: Option<BatchTerms>,
}

impl Operation {
    /// The best key there is that it accepts.
    #[must_use]
    pub fn key_among<'a>(&self, keys: &'a [LookupKey]) -> Option<&'a LookupKey> {
        self.keys.iter().find_map(|kind| keys.iter().find(|key| key.kind == *kind))
    }

    /// The most that one call can cost: what is reserved for it.
    #[must_use]
    pub fn dearest(&self) -> Credits {
        self.price.worst_case(self.channels())
    }

    /// How several keys of this kind are asked in one request.
    #[must_use]
    pub fn batch_by(&self, kind: KeyKind) -> Option<&BatchTerms> {
        self.batch.as_ref().filter(|terms| terms.keys.contains(&kind))
    }

    /// What a reply costs that came at this tariff.
    #[must_use]
    pub fn price_at(&self, tariff: Tariff) -> Price {
        match tariff {
            Tariff::Single => self.price,
            Tariff::Bulk => self.batch.as_ref().map_or(self.price, |terms| terms.price),
            Tariff::Shared => Price::default(),
        }
    }

    /// How many channels it may fill.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.supplies.iter().filter(|field| is_channel(field)).count()
    }
}

/// All operations by name.
pub type Catalogue = BTreeMap<String, Operation>;

/// When the paid calls of a run may end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// As soon as no answer can change the track.
    #[default]
    Track,
    /// As soon as no answer can change the score either.
    Score,
    /// When every step has what it wants, or nobody is left to ask.
    Everything,
}

/// In which order the steps are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As they are written.
    #[default]
    Written,
    /// Of the paid calls, those first that narrow the possible tracks most for their price.
    Narrowing,
}

/// The steps, and what ends them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are written.
    pub steps: Vec<Step>,
    /// What is paid for.
    pub until: Until,
    /// In which order.
    pub order: Order,
    /// Signups that get by with what is kept: nobody is paid for them at once, and what is missing is looked up in the background
    /// (S3-55).
    pub cached_only: Option<Condition>,
    /// Fields that are paid for whether or not the track needs them.
    pub wanted: Vec<Field>,
    /// The same for leads whose track is settled: a lead that goes to sales may need a phone number that others do not.
    pub wanted_by_track: BTreeMap<Track, Vec<Field>>,
    /// One signup in so many is looked up in full, so that learning and backtests see what the others were not asked (DESIGN §5).
    pub explore: Option<NonZeroU32>,
}

impl Plan {
    /// Whether this run gets by with what is kept. It reads what the signup itself says, so it never changes on the way.
    #[must_use]
    pub fn is_cached_only(&self, run: &Run, view: &View<'_>) -> bool {
        run.trigger.is_auto() && self.cached_only.as_ref().is_some_and(|when| when.evaluate(view) == Truth::True)
    }

    /// Whether this run is one of those that are looked up in full: a draw that the run's id makes, the same whenever it is asked.
    #[must_use]
    pub fn explores(&self, run: &RunId) -> bool {
        self.explore.is_some_and(|one_in| run.draw().is_multiple_of(u64::from(one_in.get())))
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make these calls, all at once, and log the end of each: none's answer decides whether another is made (S4-38).
    Ask(Vec<Ask>),
    /// Do not make this call; log why.
    Skip {
        /// The step.
        step: String,
        /// The operation.
        operation: String,
        /// Why not.
        why: Skip,
    },
    /// Nothing can be done before this moment.
    Wait {
        /// The moment.
        until: Timestamp,
    },
    /// Nobody is left to ask.
    Done,
}

/// A call to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The step.
    pub step: String,
    /// The operation.
    pub operation: String,
    /// The key to ask by.
    pub key: LookupKey,
    /// It may take this long.
    pub timeout: Millis,
    /// Before that it may wait for the calls of other runs.
    pub gather: Option<Gather>,
    /// 1 for the first call of this run to this operation.
    pub attempt: u32,
}

impl Ask {
    /// How long it may be until the reply is there: what has to outlive it counts with this.
    #[must_use]
    pub fn longest(&self) -> Millis {
        Millis(self.timeout.0 + self.gather.map_or(0, |gather| gather.wait.0))
    }

    /// The same, to go out at once.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { gather: None, ..self }
    }
}
