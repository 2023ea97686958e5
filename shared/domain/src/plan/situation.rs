//! What the plan looks at when it is asked whom to ask next.

use std::collections::BTreeSet;

use super::{Call, Catalogue, Operation, Plan, Step};
use crate::condition::View;
use crate::confidence::Trust;
use crate::config::Config;
use crate::coverage::Audience;
use crate::credits::Trigger;
use crate::eligibility::Eligibility;
use crate::freshness::Freshness;
use crate::identity::LookupKey;
use crate::merge::Facts;
use crate::possible::Rules;
use crate::rules::Action;
use crate::run::Run;
use crate::schema::{Field, Schema};
use crate::signup::RunId;
use crate::steady::Before;
use crate::units::{Millis, Timestamp};

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
    pub(super) fn costs_nothing(&self, operation: &Operation) -> bool {
        operation.price.is_free() || self.kept.contains(&operation.name)
    }

    /// The fields that a call of this step is made for: all that it wants, or those among them that are looked up by name. What costs
    /// nothing is asked in any case, for the gate judges by it.
    pub(super) fn wanted_of<'s>(&'s self, step: &'s Step, operation: &Operation) -> impl Iterator<Item = &'s Field> + use<'s, 'a> {
        let is_free = self.costs_nothing(operation);
        step.wants.iter().filter(move |field| is_free || self.action.means(field))
    }

    /// What conditions see: a weak value is not a known value (S3-45).
    pub(super) fn view(&self) -> View<'a> {
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
