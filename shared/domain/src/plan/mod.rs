//! Whom to ask next: a machine without I/O. The shell carries out what [`next`] says and logs it as a [`Call`].
//!
//! The providers of a step are asked in their order. Steps are asked in theirs, or, where configuration says so, those first that
//! narrow the possible tracks most for their price. A paid call that can change nothing is not made (DESIGN §5).

mod batch;
mod call;
mod choose;
mod open;
#[cfg(test)]
mod tests;
mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

pub use batch::{Batch, BatchTerms, Gather};
pub use call::{Call, CallOutcome, Skip, last_calls};
pub use choose::{next, next_attempt};
pub use open::{open_fields, unmet};

use crate::condition::{Condition, Truth, View};
use crate::confidence::Trust;
use crate::config::Config;
use crate::coverage::Audience;
use crate::credits::{Price, Tariff, Trigger};
use crate::eligibility::Eligibility;
use crate::freshness::Freshness;
use crate::identity::{KeyKind, LookupKey};
use crate::merge::Facts;
use crate::possible::Rules;
use crate::route::Track;
use crate::rules::Action;
use crate::run::Run;
use crate::schema::{Field, FieldClass, Schema, is_channel};
use crate::signup::RunId;
use crate::steady::Before;
use crate::units::{BasisPoints, Credits, Millis, Timestamp};

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

/// Everything the plan looks at.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The steps, and what ends them.
    pub plan: &'a Plan,
    /// The rules that make a track out of what is known.
    pub rules: Rules<'a>,
    /// How far sources are trusted.
    pub trust: &'a Trust,
    /// Whether the run is looked up in full, whatever the track needs.
    pub explored: bool,
    /// The operations the steps name.
    pub catalogue: &'a Catalogue,
    /// The schema in force.
    pub schema: &'a Schema,
    /// How long this lead's fields stay fresh.
    pub freshness: Freshness,
    /// Which records are looked up at all, unless somebody asks for it by hand.
    pub eligibility: &'a Eligibility,
    /// What started the run.
    pub trigger: Trigger,
    /// What the run looks up (S0-96).
    pub action: &'a Action,
    /// Whether only what is kept is asked of paid providers (S3-55).
    pub cached_only: bool,
    /// The audiences, whose channels are wanted of their members (S1-05).
    pub audiences: &'a [Audience],
    /// The operations whose answer is kept and fresh: asking them costs nothing.
    pub kept: &'a BTreeSet<String>,
    /// The keys there are, strongest first.
    pub keys: &'a [LookupKey],
    /// What is known.
    pub facts: &'a Facts,
    /// The log so far.
    pub calls: &'a [Call],
    /// The run that paid for this person within the hour, if one did.
    pub paid_by: Option<&'a RunId>,
    /// The time.
    pub now: Timestamp,
    /// No call begins after this.
    pub finish_by: Timestamp,
    /// Rate limits are waited for this long, from the first one on (S4-27).
    pub patience: Millis,
}

impl<'a> Situation<'a> {
    /// Whether asking costs nothing: by its price, or because the answer is kept.
    fn costs_nothing(&self, operation: &Operation) -> bool {
        operation.price.is_free() || self.kept.contains(&operation.name)
    }

    /// The fields that a call of this step is made for: all that it wants, or those among them that are looked up by name. What costs
    /// nothing is asked in any case, for the gate judges by it.
    fn wanted_of<'s>(&'s self, step: &'s Step, operation: &Operation) -> impl Iterator<Item = &'s Field> + use<'s, 'a> {
        let is_free = self.costs_nothing(operation);
        step.wants.iter().filter(move |field| is_free || self.action.means(field))
    }

    /// What conditions see: a weak value is not a known value (S3-45).
    fn view(&self) -> View<'a> {
        View::of(self.facts).with_floor(self.trust.floor)
    }

    /// The same for a lead that was decided about before.
    #[must_use]
    pub const fn held_to(mut self, before: Option<&'a Before>) -> Self {
        self.rules.before = before;
        self
    }

    /// The situation of a run by its configuration, its log and what is known; nothing is kept for it.
    #[must_use]
    pub fn of(config: &'a Config, run: &'a Run, facts: &'a Facts, keys: &'a [LookupKey], now: Timestamp) -> Self {
        static NOTHING: BTreeSet<String> = BTreeSet::new();
        let view = config.view(facts);
        Self {
            plan: &config.plan,
            rules: config.rules(&view),
            trust: &config.trust,
            explored: run.explored_one_in.is_some(),
            catalogue: &config.catalogue,
            schema: &config.schema,
            freshness: config.freshness_table.in_force(&view, None),
            eligibility: &config.eligibility,
            trigger: run.trigger,
            action: &run.action,
            cached_only: config.plan.is_cached_only(run, &view),
            audiences: &config.audiences,
            kept: &NOTHING,
            keys,
            facts,
            calls: &run.calls,
            paid_by: run.paid_by.as_ref(),
            now,
            finish_by: run.finish_by,
            patience: config.deadlines.patience,
        }
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
