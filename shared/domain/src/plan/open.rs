//! Which calls may still be made, and which fields they leave open.

use std::collections::BTreeSet;

use super::{Call, CallOutcome, OnFailure, OnRateLimit, OnTimeout, Operation, Plan, Situation, Skip, Step, Stop};
use crate::condition::{Condition, Truth, View};
use crate::confidence;
use crate::derived;
use crate::eligibility::Ineligible;
use crate::gate::{self, Verdict};
use crate::identity::KeyKind;
use crate::merge::Fact;
use crate::merge::checked_by;
use crate::schema::Field;
use crate::score::{self, Score};
use crate::units::{BasisPoints, Credits, Timestamp};

/// A run pays for the same operation at most this often, over all its receives: once, and once more (S4-39).
const PAID_ATTEMPTS_MAX: usize = 2;

/// Where a provider of a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not asked yet, or may be asked again.
    Due,
    /// It may be asked again at this moment.
    Limited(Timestamp),
    /// It has ended.
    Ended,
    /// It has ended, and the step with it.
    Stopped,
}

/// Patience begins with the first rate limit: what a run waited for before, such as another's lease, spends none of it.
pub(super) fn give_up_at(situation: &Situation<'_>) -> Timestamp {
    let first = situation.calls.iter().find(|call| matches!(call.outcome, CallOutcome::RateLimited { .. }));
    first.map_or(situation.now, |call| call.at).after(situation.patience)
}

/// Where a provider of a step stands by the log.
pub(super) fn standing(situation: &Situation<'_>, step: &Step, operation: &str) -> Standing {
    // What it answered, it answered for every step that names it.
    // A call without an answer is one too: it may have been paid for.
    let is_answer = |call: &Call| {
        matches!(call.outcome, CallOutcome::Hit { .. } | CallOutcome::NoMatch | CallOutcome::Pending { .. } | CallOutcome::TimedOut)
    };
    let of_it = |call: &&Call| call.operation == operation && (call.step == step.name || is_answer(call));
    let Some(last) = situation.calls.iter().rev().find(of_it) else { return Standing::Due };
    let ended = |on| if on == OnFailure::Stop { Standing::Stopped } else { Standing::Ended };
    match &last.outcome {
        CallOutcome::RateLimited { retry_at } => {
            let give_up_at = give_up_at(situation);
            if step.on.rate_limit == OnRateLimit::Continue || situation.now >= give_up_at {
                Standing::Ended
            } else if situation.now < *retry_at {
                Standing::Limited((*retry_at).min(give_up_at))
            } else {
                Standing::Due
            }
        }
        CallOutcome::TimedOut if step.on.timeout == OnTimeout::Retry => {
            let tries = situation.calls.iter().filter(of_it).filter(|call| call.outcome == CallOutcome::TimedOut).count();
            if tries < 2 { Standing::Due } else { Standing::Ended }
        }
        CallOutcome::Failed { .. } => ended(step.on.invalid),
        CallOutcome::AuthFailed | CallOutcome::OutOfCredits => ended(step.on.auth_failure),
        CallOutcome::Hit { .. } | CallOutcome::NoMatch | CallOutcome::Pending { .. } | CallOutcome::TimedOut => Standing::Ended,
        CallOutcome::NotMade { .. } => Standing::Ended,
    }
}

/// The providers of a step that may still be asked: within the time of this run, and those that limit the rate also after it, for
/// then the run is taken up again.
fn remaining<'a>(situation: &Situation<'a>, step: &'a Step) -> Vec<&'a Operation> {
    let mut remaining = Vec::new();
    for name in &step.providers {
        match standing(situation, step, name) {
            Standing::Due if situation.now >= situation.finish_by => {}
            Standing::Due | Standing::Limited(_) => remaining.extend(situation.catalogue.get(name)),
            Standing::Ended => {}
            Standing::Stopped => return Vec::new(),
        }
    }
    remaining
}

/// Why nobody will pay for this operation any more; a free one is never refused.
pub(super) fn payment_refused(situation: &Situation<'_>, verdict: Verdict, step: &Step, operation: &Operation) -> Option<Skip> {
    if operation.price.is_free() {
        return None;
    }
    let paid = situation.calls.iter().filter(|call| call.operation == operation.name && call.cost > Credits::ZERO);
    if paid.count() >= PAID_ATTEMPTS_MAX {
        return Some(Skip::AttemptsSpent);
    }
    if verdict != Verdict::Pass {
        return Some(Skip::HeldByGate);
    }
    if situation.cached_only && !situation.kept.contains(&operation.name) {
        return Some(Skip::CachedOnly);
    }
    if !is_within_budget(situation, step, operation) {
        return Some(Skip::StepBudget);
    }
    situation.paid_by.map(|run| Skip::SameIdentity { run: run.clone() })
}

/// Whether a step may spend on one run what a call costs at most. Answers that are kept cost nothing.
fn is_within_budget(situation: &Situation<'_>, step: &Step, operation: &Operation) -> bool {
    let Some(budget) = step.budget else { return true };
    let of_it = situation.calls.iter().filter(|call| call.step == step.name);
    let spent = of_it.fold(Credits::ZERO, |sum, call| sum.plus(may_have_cost(situation, call)));
    situation.kept.contains(&operation.name) || spent.plus(operation.dearest()) <= budget
}

/// What a call cost, or may yet: what a provider is still at work on is billed later.
fn may_have_cost(situation: &Situation<'_>, call: &Call) -> Credits {
    let is_pending = matches!(call.outcome, CallOutcome::Pending { .. });
    let operation = situation.catalogue.get(&call.operation).filter(|_| is_pending);
    operation.map_or(call.cost, Operation::dearest)
}

/// A call that may still be made, whenever its turn comes.
#[derive(Clone, Copy)]
pub(super) struct Chance<'a> {
    pub(super) step: &'a Step,
    pub(super) operation: &'a Operation,
}

/// The calls that may still be made, and the fields that they could tell or overturn.
pub(super) struct Open<'a> {
    /// The gate's, on what is known for good: neither is an answer that may come missing, nor one that may be overturned known.
    pub(super) verdict: Verdict,
    /// The gate's on what is known so far.
    pub(super) verdict_so_far: Verdict,
    pub(super) chances: Vec<Chance<'a>>,
    pub(super) fields: BTreeSet<Field>,
    /// The fields that eligibility reads.
    eligible_by: Vec<Field>,
    /// The fields that the score reads.
    pub(super) scored_by: BTreeSet<Field>,
}

/// The fields that a call not yet made could still tell or overturn; `has` is unknown for them.
#[must_use]
pub fn open_fields(situation: &Situation<'_>) -> Vec<Field> {
    open(situation).fields.into_iter().collect()
}

pub(super) fn open<'a>(situation: &Situation<'a>) -> Open<'a> {
    let open = open_under(situation, Verdict::Pass);
    let view = situation.view().hiding(&open.fields);
    let verdict = gate::judge(situation.rules.gate, &view).verdict;
    if verdict == Verdict::Pass { open } else { open_under(situation, verdict) }
}

/// What is open while the gate says this.
fn open_under<'a>(situation: &Situation<'a>, verdict: Verdict) -> Open<'a> {
    let mut chances: Vec<Chance<'_>> = Vec::new();
    for step in &situation.plan.steps {
        let payable = |operation: &&Operation| payment_refused(situation, verdict, step, operation).is_none();
        chances.extend(remaining(situation, step).into_iter().filter(payable).map(|operation| Chance { step, operation }));
    }
    let mut fields = told_by(situation, &chances);
    // A step whose condition does not hold, and one that has what it wants, ask nobody; with them go the fields that only they
    // could tell, and so on until nothing changes.
    loop {
        let before = chances.len();
        chances.retain(|chance| may_come_to_pass(situation, chance, &fields));
        fields = told_by(situation, &chances);
        if chances.len() == before {
            let view = situation.view().with_open(fields.iter().cloned());
            let verdict_so_far = gate::judge(situation.rules.gate, &view).verdict;
            let scored_by = situation.rules.score.iter().flat_map(|rule| rule.when.fields()).collect();
            return Open { verdict, verdict_so_far, chances, fields, eligible_by: situation.eligibility.fields(), scored_by };
        }
    }
}

impl<'a> Open<'a> {
    /// The fields that calls of other steps leave open.
    pub(super) fn but_by(&self, situation: &Situation<'_>, step: &Step) -> BTreeSet<Field> {
        let others: Vec<Chance<'_>> = self.chances.iter().filter(|chance| chance.step.name != step.name).copied().collect();
        told_by(situation, &others)
    }

    /// The open fields that an operation may tell, or whose worth hangs on what it tells.
    pub(super) fn told_by(&self, operation: &Operation) -> BTreeSet<Field> {
        moved(operation).into_iter().filter(|field| self.fields.contains(field)).collect()
    }

    /// The same without what it only infers: that is known by its word together with another's, if at all.
    pub(super) fn told_alone_by(&self, operation: &Operation) -> BTreeSet<Field> {
        let firm = operation.supplies.iter().filter(|field| !operation.inferred.contains(field)).cloned().collect();
        self.told_by(&Operation { supplies: firm, ..operation.clone() })
    }

    /// The open fields for which it makes a difference whether a call is made: those that it tells, and those told by calls that
    /// its answer brings about or makes needless.
    pub(super) fn moved_by(&self, call: Chance<'_>) -> BTreeSet<Field> {
        let led = self.led_by(call).into_iter().flat_map(|chance| self.told_by(chance.operation));
        self.told_by(call.operation).into_iter().chain(led).collect()
    }

    /// The calls about which an answer decides, at first or second hand.
    pub(super) fn led_by(&self, call: Chance<'_>) -> Vec<Chance<'a>> {
        let (mut led, mut place) = (Vec::new(), 0);
        let mut leader = Chance { ..call };
        let mut others: Vec<Chance<'a>> = self.chances.iter().copied().filter(|other| !other.is(&call)).collect();
        loop {
            let (follow, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(|other| self.leads(&leader, other));
            led.extend(follow);
            others = rest;
            let Some(next) = led.get(place) else { return led };
            (leader, place) = (*next, place + 1);
        }
    }

    /// Whether a step's condition reads one of these fields, by itself or by the score.
    fn is_read(&self, when: &Condition, told: &BTreeSet<Field>) -> bool {
        when.fields().iter().any(|field| told.contains(field)) || (when.reads_score() && !self.scored_by.is_disjoint(told))
    }

    /// Whether one call's answer may decide if another one is made: it stands before it in the same step, or tells what the other's
    /// step wants, depends on, is asked by or is excluded by.
    pub(super) fn leads(&self, leader: &Chance<'_>, other: &Chance<'_>) -> bool {
        let told = self.told_by(leader.operation);
        leader.step.name == other.step.name
            || self.tells_what_is_wanted(leader, other)
            || other.step.when.as_ref().is_some_and(|when| self.is_read(when, &told))
            || other.operation.keys.iter().any(|kind| gives(&told, *kind))
            || (!other.operation.price.is_free() && self.eligible_by.iter().any(|field| told.contains(field)))
    }

    /// Whether one call may tell what the step of another one wants.
    pub(super) fn tells_what_is_wanted(&self, one: &Chance<'_>, other: &Chance<'_>) -> bool {
        let told = self.told_by(one.operation);
        other.step.wants.iter().any(|field| told.contains(field))
    }
}

impl Chance<'_> {
    pub(super) fn is(&self, other: &Chance<'_>) -> bool {
        self.step.name == other.step.name && self.operation.name == other.operation.name
    }
}

fn told_by(situation: &Situation<'_>, chances: &[Chance<'_>]) -> BTreeSet<Field> {
    let told = chances.iter().flat_map(|chance| &chance.operation.supplies);
    let open = told.filter(|field| !is_closed(situation, field, chances)).cloned();
    // What is told of one field may fail a check of another, however sure that one is, and one that is not known needs somebody to
    // tell it.
    let checked = chances.iter().flat_map(|chance| &chance.operation.supplies).flat_map(checked_by);
    let mut open = open.chain(checked.filter(|field| situation.facts.contains_key(field))).collect();
    let supplied = chances.iter().flat_map(|chance| &chance.operation.supplies).cloned().collect();
    derived::add_open(situation.facts, situation.trust, &supplied, &mut open);
    open
}

/// What an operation tells, what is checked by it, and what follows from either.
fn moved(operation: &Operation) -> BTreeSet<Field> {
    let told = operation.supplies.iter().cloned();
    let mut moved: BTreeSet<Field> = told.chain(operation.supplies.iter().flat_map(checked_by)).collect();
    moved.extend(derived::following(&moved));
    moved
}

fn may_come_to_pass(situation: &Situation<'_>, chance: &Chance<'_>, open: &BTreeSet<Field>) -> bool {
    let Chance { step, operation } = chance;
    applies(situation, step, open) != Truth::False
        && !matches!(eligible(situation, operation, open), Err((_, IsFinal::Yes)))
        && situation.wanted_of(step, operation).any(|field| operation.supplies.contains(field) && !is_settled(situation, step, field))
        && (operation.key_among(situation.keys).is_some() || may_find_key(operation, open))
}

/// Whether a step's condition holds for good, whatever is told of the `open` fields. It may read the score, of which it sees the points
/// that are settled (S4-24).
pub(super) fn applies(situation: &Situation<'_>, step: &Step, open: &BTreeSet<Field>) -> Truth {
    step.when.as_ref().map_or(Truth::True, |when| settled(situation, when, open))
}

/// The answer of a step's condition for good.
pub(super) fn settled(situation: &Situation<'_>, when: &Condition, open: &BTreeSet<Field>) -> Truth {
    let view = situation.view().hiding(open);
    if when.reads_score() { when.evaluate(&with_score(situation, view)) } else { when.evaluate(&view) }
}

/// The same view with the score as far as it sees it.
pub(super) fn with_score<'a>(situation: &Situation<'_>, view: View<'a>) -> View<'a> {
    let Score { low, high, .. } = score::score(situation.rules.score, &view);
    view.with_score(low, high)
}

/// Whether a refusal stands whatever else is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IsFinal {
    Yes,
    No,
}

/// Whether records such as this one are asked about; what costs nothing is asked about everybody, for the gate judges by it. A
/// segment excludes whoever is in it for good; what a record lacks may still come.
pub(super) fn eligible(situation: &Situation<'_>, operation: &Operation, open: &BTreeSet<Field>) -> Result<(), (Ineligible, IsFinal)> {
    if operation.price.is_free() {
        return Ok(());
    }
    let Situation { eligibility, trigger, keys, .. } = situation;
    let view = situation.view();
    eligibility.has_enough(*trigger, &view, keys).map_err(|lacks| {
        let may_come = eligibility.fields().iter().any(|field| open.contains(field));
        (lacks, if may_come { IsFinal::No } else { IsFinal::Yes })
    })?;
    eligibility.admits(*trigger, operation.class, &view.hiding(open)).map_err(|why| (why, IsFinal::Yes))
}

/// Whether another answer may bring a key that the operation accepts (S3-50).
pub(super) fn may_find_key(operation: &Operation, open: &BTreeSet<Field>) -> bool {
    operation.keys.iter().any(|kind| gives(open, *kind))
}

/// Whether one of these fields gives a key of this kind.
fn gives(fields: &BTreeSet<Field>, kind: KeyKind) -> bool {
    kind.given_by().iter().any(|path| fields.contains(&Field::known(path)))
}

/// Whether no answer can tell or overturn a field any more: what is known of it is enough, or too sure to be overturned.
fn is_closed(situation: &Situation<'_>, field: &Field, chances: &[Chance<'_>]) -> bool {
    let Some(fact) = believed(situation, field) else { return false };
    let steps = situation.plan.steps.iter().filter(|step| step.wants.contains(field));
    let stops: Vec<Stop> = steps.map(|step| step.stop_for(field)).collect();
    let is_enough = if stops.is_empty() { holds(Stop::of(field), fact) } else { stops.into_iter().all(|stop| holds(stop, fact)) };
    is_enough || !may_be_overturned(situation, field, fact, chances)
}

/// Whether everybody who is left could together outweigh a fact, or contest it until it is no longer believed. Of a value that one
/// family tells, or that is contested already, nobody knows how little it takes.
fn may_be_overturned(situation: &Situation<'_>, field: &Field, fact: &Fact, chances: &[Chance<'_>]) -> bool {
    let left = chances.iter().filter(|chance| chance.operation.supplies.contains(field));
    let worths: Vec<BasisPoints> = left.map(|chance| situation.trust.of(&chance.operation.name)).collect();
    let contested = confidence::contested(fact.confidence, worths.iter().copied());
    let is_firm = fact.confirmations >= 2 && fact.conflicts.is_empty();
    !is_firm || confidence::support(worths) >= fact.confidence || contested < situation.trust.floor
}

/// A field is settled for a step when its value is fresh, believed, and enough for the step's stop predicate.
pub(super) fn is_settled(situation: &Situation<'_>, step: &Step, field: &Field) -> bool {
    believed(situation, field).is_some_and(|fact| holds(step.stop_for(field), fact))
}

/// What is known of a field, where it is fresh and sure enough for the rules: a weak value is not a known value (S3-45).
fn believed<'a>(situation: &Situation<'a>, field: &Field) -> Option<&'a Fact> {
    situation.facts.get(field).filter(|fact| fact.confidence >= situation.trust.floor && is_fresh(situation, field, fact))
}

fn is_fresh(situation: &Situation<'_>, field: &Field, fact: &Fact) -> bool {
    let (_, class) = situation.schema.kind_of(field);
    situation.now.since(fact.observed_at) <= situation.freshness.of(class)
}

fn holds(stop: Stop, fact: &Fact) -> bool {
    match stop {
        Stop::FirstUsable => true,
        Stop::Confidence(least) => fact.confidence >= least,
        Stop::Confirmations(count) => fact.confirmations >= count,
    }
}

/// The required steps that have not all they want, though their condition holds or may hold: what a person has to look at.
/// A step that was left out because other fields are looked up this time lacks nothing by that.
#[must_use]
pub fn unmet(plan: &Plan, view: &View<'_>, calls: &[Call]) -> Vec<String> {
    let is_left_out = |step: &Step| {
        let mut of_it = calls.iter().filter(|call| call.step == step.name).peekable();
        of_it.peek().is_some() && of_it.all(|call| call.outcome == CallOutcome::NotMade { why: Skip::NotNamed })
    };
    let applies = |step: &&Step| step.when.as_ref().is_none_or(|when| when.evaluate(view) != Truth::False);
    let lacks = |step: &&Step| step.wants.iter().any(|field| view.value(field).is_none());
    let unmet = plan.steps.iter().filter(|step| step.required && !is_left_out(step)).filter(applies).filter(lacks);
    unmet.map(|step| step.name.clone()).collect()
}
