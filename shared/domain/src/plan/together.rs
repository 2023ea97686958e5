//! Calls that are made at once. Nobody declares it: it is read from what each of them tells and depends on (S4-38).

use super::Ask;
use super::choose::{Candidate, Choice};

impl<'a> Choice<'a> {
    /// Of these calls, each of which is made in any case, those that may go out together with the first: one after the other they
    /// would have been made just so.
    pub(super) fn ask_at_once<'c>(&self, candidates: impl Iterator<Item = &'c Candidate<'a>>) -> Vec<Ask>
    where
        'a: 'c,
    {
        let mut together: Vec<&Candidate<'a>> = Vec::new();
        for candidate in candidates {
            if together.iter().all(|earlier| !self.may_change(earlier, candidate)) {
                together.push(candidate);
            }
        }
        together.into_iter().map(|candidate| self.ask(candidate)).collect()
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
