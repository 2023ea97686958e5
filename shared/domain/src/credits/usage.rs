use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Change, Charge};
use crate::units::Credits;

/// What one day took and used. The four ways of counting each add up to `used` (I7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Reserved and used together: what the day's cap is compared with.
    pub taken: Credits,
    /// Used credits.
    pub used: Credits,
    /// The part of them of which nobody knows whether it was billed.
    pub unknown: Credits,
    /// Paid calls that ended, those that cost nothing in the end among them.
    pub calls: u64,
    /// Used credits by `provider:<name>`, `entity:<name>`, `trigger:<name>` and `rule:<name>` (S0-71…73).
    pub by: BTreeMap<String, Credits>,
}

impl Usage {
    /// Counts a reservation's step.
    pub fn take(&mut self, charge: &Charge, change: Change) {
        let mut step = Self { taken: change.taken(), used: change.used, unknown: change.unknown, calls: change.calls, ..Self::default() };
        if change.used != Credits::ZERO {
            step.by = charge.parts().into_iter().map(|part| (part, change.used)).collect();
        }
        self.add(&step);
    }

    /// Adds another day.
    pub fn add(&mut self, other: &Self) {
        self.taken = self.taken.plus(other.taken);
        self.used = self.used.plus(other.used);
        self.unknown = self.unknown.plus(other.unknown);
        self.calls += other.calls;
        for (part, credits) in &other.by {
            let sum = self.by.entry(part.clone()).or_default();
            *sum = sum.plus(*credits);
        }
    }

    /// Used credits by one way of counting, `provider`, without its prefix; names in byte order.
    pub fn by<'a>(&'a self, way: &'a str) -> impl Iterator<Item = (&'a str, Credits)> {
        self.by.iter().filter_map(move |(part, credits)| Some((part.strip_prefix(way)?.strip_prefix(':')?, *credits)))
    }

    /// I7: by provider = by entity = by trigger = by rule = total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let sum = |way: &str| self.by(way).fold(Credits::ZERO, |sum, (_, credits)| sum.plus(credits));
        ["provider", "entity", "trigger", "rule"].into_iter().all(|way| sum(way) == self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Trigger;
    use super::*;
    use crate::schema::Entity;

    fn charge(provider: &str) -> Charge {
        Charge { provider: provider.into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() }
    }

    /// A call of two credits of which nobody knows whether it was billed.
    fn lost() -> Change {
        Change { reserved: Credits::ZERO, used: Credits::whole(2), unknown: Credits::whole(2), calls: 1 }
    }

    #[test]
    fn s0_66_each_call_counts_in_every_sum() {
        let mut day = Usage::default();
        day.take(&charge("a"), lost());
        day.take(&charge("b"), lost());
        let sums = (day.taken, day.used, day.unknown, day.calls);
        assert_eq!(sums, (Credits::whole(4), Credits::whole(4), Credits::whole(4), 2));
        assert_eq!(day.by("provider").collect::<Vec<_>>(), [("a", Credits::whole(2)), ("b", Credits::whole(2))]);
    }

    #[test]
    fn i7_is_broken_by_a_credit_that_one_way_of_counting_does_not_know() {
        let mut day = Usage::default();
        day.take(&charge("a"), lost());
        assert!(day.adds_up());
        for part in charge("a").parts() {
            let mut broken = day.clone();
            broken.by.remove(&part);
            assert!(!broken.adds_up(), "{part}");
        }
    }
}
