//! The next call: what has to be asked first, what is left out and why, and which of the rest is worth its price most.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::open::{
    Chance, IsFinal, Open, Standing, applies, eligible, is_settled, may_find_key, open, payment_refused, settled, standing, with_score,
};
use super::{Ask, Call, CallOutcome, Gather, Guard, Next, Operation, Order, Situation, Skip, Step, Until};
use crate::condition::Truth;
use crate::coverage::{Audience, Coverage};
use crate::gate::Verdict;
use crate::identity::LookupKey;
use crate::possible::{Known, Possible};
use crate::schema::Field;
use crate::units::{Millis, Timestamp};

/// Says whom to ask next.
#[must_use]
pub fn next(situation: &Situation<'_>) -> Next {
    let open = open(situation);
    let choice = Choice {
        situation,
        open: &open,
        possible: OnceCell::new(),
        wanted: OnceCell::new(),
        wanted_in_any_case: OnceCell::new(),
        coverage: OnceCell::new(),
    };
    let (mut free, mut paid, mut postponed, mut wait) = (Vec::new(), Vec::new(), None, None);
    for step in &situation.plan.steps {
        let (operation, standing) = match turn(situation, step) {
            Turn::Over => continue,
            Turn::Stopped(operation) if free.is_empty() => return skip(step, operation, Skip::StepStopped),
            Turn::Stopped(_) => continue,
            Turn::Of(operation, standing) => (operation, standing),
        };
        let ready_at = if let Standing::Limited(until) = standing { Some(until) } else { None };
        match choice.key_for(step, operation) {
            // A run that waits for a rate limit is taken up again, with time of its own.
            Err(Refusal::Final(Skip::NoTimeLeft)) if ready_at.is_some() => wait = earliest(wait, ready_at),
            Err(Refusal::Final(why)) if free.is_empty() => return skip(step, operation, why),
            Err(Refusal::Final(_)) => {}
            Err(Refusal::ForNow(why)) => postponed = postponed.or(Some((step, operation, why))),
            Ok(key) if ready_at.is_none() && situation.costs_nothing(operation) => {
                free.push(Candidate { step, operation, key, ready_at });
            }
            Ok(key) => paid.push(Candidate { step, operation, key, ready_at }),
        }
    }
    // Free evidence goes before anything that is paid for: it may close the gate, or a question.
    if !free.is_empty() {
        return Next::Ask(choice.ask_at_once(free.iter()));
    }
    // What is wanted in any case comes first: its answer may make others wanted.
    let (due, optional): (Vec<_>, Vec<_>) = paid.into_iter().partition(|candidate| choice.is_due(candidate));
    if let Some(best) = choice.best(&due) {
        // What is due for an audience's sake may be needless after another answer: such a call goes out alone.
        if !choice.is_due_in_any_case(best) {
            return Next::Ask(vec![choice.ask(best)]);
        }
        let may_join = |other: &&Candidate<'_>| other.ready_at.is_none() && !std::ptr::eq(*other, best) && choice.is_due_in_any_case(other);
        return Next::Ask(choice.ask_at_once(std::iter::once(best).chain(due.iter().filter(may_join))));
    }
    let (optional, vain): (Vec<_>, Vec<_>) = optional.into_iter().partition(|candidate| choice.matters(candidate));
    // While one that is due waits for its rate limit, its answer may still make others wanted.
    if let Some(vain) = vain.iter().find(|candidate| due.is_empty() && !choice.may_be_wanted(candidate)) {
        return choice.skip_as_vain(vain);
    }
    wait = due.iter().chain(&optional).fold(wait, |wait, candidate| earliest(wait, candidate.ready_at));
    match (choice.best(&optional), wait, postponed) {
        // The others wait for its answer, which may make them needless.
        (Some(best), ..) => Next::Ask(vec![choice.ask(best)]),
        (None, Some(until), _) => Next::Wait { until },
        (None, None, Some((step, operation, why))) => skip(step, operation, why),
        // The track that wants it has not come about.
        (None, None, None) => vain.first().map_or(Next::Done, |candidate| choice.skip_as_vain(candidate)),
    }
}

/// The number of a run's next attempt at an operation, from 1: those not made do not count.
#[must_use]
pub fn next_attempt(calls: &[Call], operation: &str) -> u32 {
    let made = calls.iter().filter(|call| call.operation == operation && !matches!(call.outcome, CallOutcome::NotMade { .. }));
    u32::try_from(made.count()).unwrap_or(u32::MAX).saturating_add(1)
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn skip(step: &Step, operation: &Operation, why: Skip) -> Next {
    Next::Skip { step: step.name.clone(), operation: operation.name.clone(), why }
}

/// Whose turn it is within a step.
enum Turn<'a> {
    Of(&'a Operation, Standing),
    /// The step was stopped before this one was asked.
    Stopped(&'a Operation),
    Over,
}

fn turn<'a>(situation: &Situation<'a>, step: &Step) -> Turn<'a> {
    let mut is_stopped = false;
    for name in &step.providers {
        let Some(operation) = situation.catalogue.get(name) else { continue };
        match standing(situation, step, name) {
            Standing::Ended => {}
            Standing::Stopped => is_stopped = true,
            _ if is_stopped => return Turn::Stopped(operation),
            standing => return Turn::Of(operation, standing),
        }
    }
    Turn::Over
}

/// Why a call is not made.
enum Refusal {
    /// It never will be.
    Final(Skip),
    /// Another answer may still change that.
    ForNow(Skip),
}

/// A paid call that is made only where it matters.
pub(super) struct Candidate<'a> {
    step: &'a Step,
    pub(super) operation: &'a Operation,
    key: &'a LookupKey,
    /// When its provider may be asked, where it limits the rate.
    ready_at: Option<Timestamp>,
}

impl<'a> Candidate<'a> {
    pub(super) fn chance(&self) -> Chance<'a> {
        Chance { step: self.step, operation: self.operation }
    }
}

pub(super) struct Choice<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) open: &'a Open<'a>,
    possible: OnceCell<Possible<'a>>,
    wanted: OnceCell<BTreeSet<Field>>,
    wanted_in_any_case: OnceCell<BTreeSet<Field>>,
    coverage: OnceCell<Coverage>,
}

impl<'a> Choice<'a> {
    fn key_for(&self, step: &Step, operation: &Operation) -> Result<&'a LookupKey, Refusal> {
        let situation = self.situation;
        let applies = match applies(situation, step, &self.open.fields) {
            // What only the step's own calls could overturn is not waited for.
            Truth::Unknown => applies(situation, step, &self.open.but_by(situation, step)),
            known => known,
        };
        if applies == Truth::False {
            let guard = step.guards.iter().find(|guard| settled(situation, &guard.when, &self.open.fields) == Truth::False);
            return Err(Refusal::Final(guard.map_or(Skip::ConditionFalse, |guard| guard.why.clone())));
        }
        if let Err((ineligible, is_final)) = eligible(situation, operation, &self.open.fields) {
            let why = Skip::Ineligible { ineligible };
            return Err(if is_final == IsFinal::Yes { Refusal::Final(why) } else { Refusal::ForNow(why) });
        }
        if situation.wanted_of(step, operation).next().is_none() {
            return Err(Refusal::Final(Skip::NotNamed));
        }
        let mut wanted = situation.wanted_of(step, operation).filter(|field| !is_settled(situation, step, field)).peekable();
        if wanted.peek().is_none() {
            return Err(Refusal::Final(Skip::AlreadyKnown));
        }
        if !wanted.any(|field| operation.supplies.contains(field)) {
            return Err(Refusal::Final(Skip::SuppliesNothingWanted));
        }
        // Whether there is anything to refresh later is not said before it is known whether it is asked at all.
        let has_key = || operation.key_among(situation.keys).is_some() || may_find_key(operation, &self.open.fields);
        let is_said = |why: &Skip| *why != Skip::CachedOnly || (applies == Truth::True && has_key());
        if let Some(why) = payment_refused(situation, self.open.verdict, step, operation).filter(is_said) {
            return Err(Refusal::Final(why));
        }
        if self.is_held(operation) {
            return Err(Refusal::ForNow(Skip::HeldByGate));
        }
        if situation.now >= situation.finish_by {
            return Err(Refusal::Final(Skip::NoTimeLeft));
        }
        if applies == Truth::Unknown {
            let is_unknown = |guard: &&Guard| settled(situation, &guard.when, &self.open.fields) == Truth::Unknown;
            return Err(Refusal::ForNow(match step.guards.iter().find(is_unknown).map(|guard| &guard.why) {
                Some(Skip::Filtered { filter }) => Skip::FilterUnknown { filter: filter.clone() },
                _ => Skip::ConditionUnknown,
            }));
        }
        match operation.key_among(situation.keys) {
            Some(key) => Ok(key),
            None if may_find_key(operation, &self.open.fields) => Err(Refusal::ForNow(Skip::NoKey)),
            None => Err(Refusal::Final(Skip::NoKey)),
        }
    }

    /// While the gate would hold the lead by what is known so far, only what may change that is paid for.
    fn is_held(&self, operation: &Operation) -> bool {
        let mut judged = self.situation.rules.gate.iter().flat_map(|rule| rule.when.fields());
        let told = self.open.told_by(operation);
        !operation.price.is_free() && self.open.verdict_so_far != Verdict::Pass && !judged.any(|field| told.contains(&field))
    }

    /// Whether a call is made whatever the track: the step is required, or somebody wants what it tells.
    fn is_due(&self, candidate: &Candidate<'_>) -> bool {
        let Situation { plan, explored, .. } = self.situation;
        let is_free = candidate.operation.price.is_free();
        is_free || *explored || plan.until == Until::Everything || self.leads_to_wanted(candidate.chance())
    }

    /// The same, whatever other answers say of the lead's audiences.
    fn is_due_in_any_case(&self, candidate: &Candidate<'_>) -> bool {
        let Situation { plan, explored, .. } = self.situation;
        *explored || plan.until == Until::Everything || self.leads_to(candidate.chance(), self.wanted_in_any_case(), &[])
    }

    /// The same once these calls were made, whatever they say: they may tell what it is wanted for, or be what it leads to.
    pub(super) fn is_due_after(&self, earlier: &[&Candidate<'a>], candidate: &Candidate<'a>) -> bool {
        let Situation { plan, explored, .. } = self.situation;
        if self.situation.costs_nothing(candidate.operation) || *explored || plan.until == Until::Everything {
            return true;
        }
        let made = earlier.iter().flat_map(|call| std::iter::once(call.chance()).chain(self.open.led_by(call.chance())));
        let made: Vec<Chance<'a>> = made.collect();
        let told: BTreeSet<Field> = made.iter().flat_map(|chance| self.open.told_by(chance.operation)).collect();
        let wanted: BTreeSet<Field> = self.wanted_in_any_case().difference(&told).cloned().collect();
        self.leads_to(candidate.chance(), &wanted, &made)
    }

    /// Whether it is a required step's, tells what is wanted, or decides about a call that is one or does the other.
    fn leads_to_wanted(&self, chance: Chance<'_>) -> bool {
        self.leads_to(chance, self.wanted.get_or_init(|| self.wanted()), &[])
    }

    fn leads_to(&self, chance: Chance<'_>, wanted: &BTreeSet<Field>, but: &[Chance<'_>]) -> bool {
        let is_wanted =
            |chance: &Chance<'_>| chance.step.required || self.open.told_by(chance.operation).iter().any(|field| wanted.contains(field));
        let is_left = |led: &&Chance<'_>| !but.iter().any(|other| other.is(led));
        is_wanted(&chance) || self.open.led_by(chance).iter().filter(is_left).any(is_wanted)
    }

    /// What is paid for though the track is settled: fields that configuration names, for all or for this track, and the score's fields
    /// where the score is to be known.
    fn wanted_in_any_case(&self) -> &BTreeSet<Field> {
        self.wanted_in_any_case.get_or_init(|| self.wanted_by_the_plan())
    }

    fn wanted_by_the_plan(&self) -> BTreeSet<Field> {
        let Situation { plan, rules, action, .. } = self.situation;
        let mut wanted: BTreeSet<Field> = plan.wanted.iter().chain(action.named()).cloned().collect();
        if !plan.wanted_by_track.is_empty() {
            let track = self.possible().tracks().single();
            wanted.extend(track.and_then(|track| plan.wanted_by_track.get(&track)).into_iter().flatten().cloned());
        }
        if plan.until == Until::Score {
            wanted.extend(rules.score.iter().flat_map(|rule| rule.when.fields()));
        }
        wanted
    }

    /// The same with channels that the lead's audiences require, and what tells whether it is in one that requires more.
    fn wanted(&self) -> BTreeSet<Field> {
        let mut wanted = self.wanted_in_any_case().clone();
        wanted.extend(self.coverage().missing.iter().flat_map(|channel| channel.fields()).cloned());
        for audience in self.undecided_audiences() {
            wanted.extend(audience.when.fields());
            if audience.when.reads_score() {
                wanted.extend(self.open.scored_by.iter().cloned());
            }
        }
        wanted
    }

    /// What the lead's audiences require, as far as it is known for good which they are.
    fn coverage(&self) -> &Coverage {
        self.coverage.get_or_init(|| {
            let audiences = self.situation.audiences;
            let mut view = self.situation.view().hiding(&self.open.fields);
            if audiences.iter().any(|audience| audience.when.reads_score()) {
                view = with_score(self.situation, view);
            }
            Coverage::of(audiences, &view)
        })
    }

    fn undecided_audiences(&self) -> impl Iterator<Item = &'a Audience> {
        self.situation.audiences.iter().filter(|audience| self.coverage().undecided.contains(&audience.name))
    }

    fn skip_as_vain(&self, candidate: &Candidate<'_>) -> Next {
        let track = self.possible().tracks().single();
        skip(candidate.step, candidate.operation, Skip::ChangesNothing { track })
    }

    /// Whether a call that cannot change the track is wanted on one that the lead may still take, or in an audience that it may still
    /// be in: it waits for the others.
    fn may_be_wanted(&self, candidate: &Candidate<'a>) -> bool {
        let wants = &self.situation.plan.wanted_by_track;
        if wants.is_empty() && self.situation.audiences.is_empty() {
            return false;
        }
        let moved = self.open.moved_by(candidate.chance());
        let mut of_audiences = self.undecided_audiences().flat_map(|audience| &audience.requires).flat_map(|channel| channel.fields());
        of_audiences.any(|field| moved.contains(field))
            || (!wants.is_empty()
                && self.possible().tracks().iter().filter_map(|track| wants.get(&track)).flatten().any(|field| moved.contains(field)))
    }

    /// Whether it can change the track that the lead takes in the end if the call is made.
    fn matters(&self, candidate: &Candidate<'a>) -> bool {
        self.possible().depends_on(&self.open.moved_by(candidate.chance()))
    }

    fn possible(&self) -> &Possible<'a> {
        self.possible.get_or_init(|| {
            let Situation { rules, facts, trust, schema, .. } = *self.situation;
            Possible::new(rules, Known { facts, floor: trust.floor, open: &self.open.fields }, schema)
        })
    }

    /// The best of those that may be asked now.
    fn best<'c>(&self, candidates: &'c [Candidate<'a>]) -> Option<&'c Candidate<'a>> {
        let mut ready = candidates.iter().filter(|candidate| candidate.ready_at.is_none());
        if self.situation.plan.order == Order::Written || candidates.len() < 2 {
            return ready.next();
        }
        let weighed = ready.map(|candidate| (self.worth(candidate), candidate));
        // The first of equals: steps keep their order where nothing speaks against it.
        weighed.reduce(|best, other| if compare(other.0, best.0) == Ordering::Greater { other } else { best }).map(|(_, best)| best)
    }

    /// How many possible tracks fall away by one answer on average, per credit: a fraction.
    fn worth(&self, candidate: &Candidate<'_>) -> (u128, u128) {
        let operation = candidate.operation;
        let (fallen, answers) = self.possible().narrowed_by(&self.open.told_alone_by(operation));
        let price = u128::try_from(operation.dearest().micros()).unwrap_or(u128::MAX);
        (u128::from(fallen), u128::from(answers.max(1)).saturating_mul(price.max(1)))
    }

    pub(super) fn ask(&self, candidate: &Candidate<'_>) -> Ask {
        let (situation, Candidate { step, operation, key, .. }) = (self.situation, candidate);
        let time_left = Millis(situation.finish_by.millis() - situation.now.millis());
        let timeout = step.timeout.unwrap_or(operation.timeout).min(time_left);
        Ask {
            step: step.name.clone(),
            operation: operation.name.clone(),
            key: (*key).clone(),
            timeout,
            gather: Gather::of(step.batch, operation.batch_by(key.kind), Millis(time_left.0 - timeout.0)),
            attempt: next_attempt(situation.calls, &operation.name),
        }
    }
}

/// Compares two fractions without dividing.
fn compare(a: (u128, u128), b: (u128, u128)) -> Ordering {
    a.0.saturating_mul(b.1).cmp(&b.0.saturating_mul(a.1))
}
