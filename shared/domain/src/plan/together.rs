//! Calls that are made at once. Nobody declares it: it is read from what each of them tells and depends on (S4-38).

use super::choose::{Candidate, Choice};
use super::open::Chance;
use super::{Ask, Order, Step};

impl<'a> Choice<'a> {
    /// Of these calls, each of which is made in any case, those that may go out together with the first: one after the other they
    /// would have been made just so.
    pub(super) fn ask_at_once<'c>(&self, candidates: impl Iterator<Item = &'c Candidate<'a>>) -> Vec<Ask>
    where
        'a: 'c,
    {
        let mut together: Vec<&Candidate<'a>> = Vec::new();
        for candidate in candidates {
            if together.is_empty() || (self.may_join(candidate, &together) && self.is_due_after(&together, candidate)) {
                together.push(candidate);
            }
        }
        together.into_iter().map(|candidate| self.ask(candidate)).collect()
    }

    /// Whether neither these calls nor those that might be made before it, were they made one by one, and this one change each other.
    fn may_join(&self, candidate: &Candidate<'a>, together: &[&Candidate<'a>]) -> bool {
        let is_together = |chance: &Chance<'a>| together.iter().any(|one| one.chance().is(chance));
        let mut overtaken = self.open.chances.iter().filter(|chance| !is_together(chance) && self.may_go_before(chance, candidate));
        together.iter().all(|earlier| !self.may_change(earlier, candidate)) && !overtaken.any(|chance| self.touch(candidate, chance))
    }

    /// Whether a call that cannot be made now might be before this one. Of its own step it comes later.
    fn may_go_before(&self, chance: &Chance<'a>, candidate: &Candidate<'a>) -> bool {
        let own = candidate.chance();
        let place = |step: &Step| self.situation.plan.steps.iter().position(|other| other.name == step.name);
        let is_written_before = place(chance.step) < place(own.step);
        // What costs nothing is asked first, and as it is written.
        let is_asked_before = match (self.situation.costs_nothing(chance.operation), self.situation.costs_nothing(own.operation)) {
            (true, false) => true,
            (false, true) => false,
            (true, true) => is_written_before,
            (false, false) => is_written_before || self.situation.plan.order == Order::Narrowing,
        };
        chance.step.name != own.step.name && is_asked_before
    }

    /// Whether a call's answer may decide about another call, or make it needless or forbidden by its own or one that it brings about.
    fn touch(&self, candidate: &Candidate<'a>, other: &Chance<'a>) -> bool {
        let own = candidate.chance();
        let mut brought = self.open.led_by(own);
        brought.push(own);
        self.open.leads(other, &own)
            || brought.iter().any(|one| !one.is(other) && self.open.tells_what_is_wanted(one, other))
            || (!other.operation.price.is_free() && self.may_change_gate(candidate))
    }

    /// Whether one call's answer may change how another is made, or whether it is: it may answer for it, decide about it, or close
    /// the gate to it.
    fn may_change(&self, earlier: &Candidate<'a>, later: &Candidate<'a>) -> bool {
        earlier.operation.name == later.operation.name
            || self.open.led_by(earlier.chance()).iter().any(|led| led.is(&later.chance()))
            || (!later.operation.price.is_free() && self.may_change_gate(earlier))
    }

    fn may_change_gate(&self, candidate: &Candidate<'a>) -> bool {
        let moved = self.open.moved_by(candidate.chance());
        self.situation.rules.gate.iter().any(|rule| rule.when.fields().iter().any(|field| moved.contains(field)))
    }
}
