use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Bounds, Change, Charge, Threshold};
use crate::units::{Credits, Timestamp};

/// A month's credits: available + reserved + used = allocation + adjusted (I1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What the month began with, or was changed to (S0-67).
    pub allocation: Credits,
    /// The sum of its adjustments.
    pub adjusted: Credits,
    /// What is left (S0-69); below zero only by the overdraft.
    pub available: Credits,
    /// What is set aside for calls that have not ended.
    pub reserved: Credits,
    /// What is used (S0-68).
    pub used: Credits,
    /// Reserved and used together, by `provider:<name>` and `rule:<name>`: what their caps are compared with.
    pub taken: BTreeMap<String, Credits>,
    /// The thresholds that were crossed, and when it was noticed.
    pub crossed: BTreeMap<Threshold, Timestamp>,
}

/// Credits added to a month, or taken away from it, by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// A random name: the same one counts once.
    pub id: String,
    /// The month, `2026-11`.
    pub month: String,
    /// How much more; below zero, how much less.
    pub amount: Credits,
    /// Why, in that person's words.
    pub because: String,
    /// When.
    pub at: Timestamp,
}

/// What has to happen to a month before credits can be reserved in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeReserve {
    /// Nobody has used it: it has to be opened with this allocation.
    Open(Credits),
    /// Its allocation was changed by configuration: it has to be set to this.
    Reallocate(Credits),
    /// Nothing.
    Nothing,
}

impl Balance {
    /// A month that begins.
    #[must_use]
    pub fn opened(allocation: Credits) -> Self {
        Self { allocation, available: allocation, ..Self::default() }
    }

    /// What stands between a month and a reservation under these bounds. A lowered allocation stops at what was already taken:
    /// available never falls below zero by it.
    #[must_use]
    pub fn before_reserve(balance: Option<&Self>, bounds: &Bounds) -> BeforeReserve {
        let Some(balance) = balance else { return BeforeReserve::Open(bounds.allocation) };
        let least = balance.allocation.minus(balance.available.max(Credits::ZERO));
        let wanted = bounds.allocation.max(least);
        if wanted == balance.allocation { BeforeReserve::Nothing } else { BeforeReserve::Reallocate(wanted) }
    }

    /// Sets another allocation.
    pub const fn reallocate(&mut self, allocation: Credits) {
        self.available = self.available.plus(allocation.minus(self.allocation));
        self.allocation = allocation;
    }

    /// Adds an adjustment; false, and nothing changes, when more would be taken away than is available.
    pub fn adjust(&mut self, amount: Credits) -> bool {
        let available = self.available.plus(amount);
        if amount < Credits::ZERO && available < Credits::ZERO {
            return false;
        }
        self.available = available;
        self.adjusted = self.adjusted.plus(amount);
        true
    }

    /// Counts a reservation's step.
    pub fn take(&mut self, charge: &Charge, change: Change) {
        self.available = self.available.minus(change.taken());
        self.reserved = self.reserved.plus(change.reserved);
        self.used = self.used.plus(change.used);
        for part in [charge.provider_part(), charge.rule_part()] {
            let taken = self.taken.entry(part).or_default();
            *taken = taken.plus(change.taken());
        }
    }

    /// Reserved and used together of a provider or rule.
    #[must_use]
    pub fn taken_by(&self, part: &str) -> Credits {
        self.taken.get(part).copied().unwrap_or_default()
    }

    /// All that may be spent without overdraft.
    #[must_use]
    pub const fn total(&self) -> Credits {
        self.allocation.plus(self.adjusted)
    }

    /// What may still be spent without overdraft (S0-69).
    #[must_use]
    pub fn remaining(&self) -> Credits {
        self.available.max(Credits::ZERO)
    }

    /// How far past its credits the month went.
    #[must_use]
    pub fn overdraft_drawn(&self) -> Credits {
        Credits::ZERO.minus(self.available).max(Credits::ZERO)
    }

    /// I1, but for the overdraft, which a balance does not know.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let is_whole = self.available.plus(self.reserved).plus(self.used) == self.total();
        is_whole && self.reserved >= Credits::ZERO && self.used >= Credits::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, Trigger, bounds};
    use super::*;
    use crate::priority::Priority;
    use crate::schema::Entity;

    fn charge() -> Charge {
        Charge { provider: "crustdata".into(), entity: Entity::Contact, trigger: Trigger::Auto, rule: "signup".into() }
    }

    fn bounds_with(allocation: i64) -> Bounds {
        let limits = Limits { allocation: Credits::whole(allocation), ..Limits::default() };
        bounds(&limits, Credits::whole(2), &charge(), Priority::High)
    }

    #[test]
    fn a_changed_allocation_counts_at_the_next_reservation() {
        let mut balance = Balance::opened(Credits::whole(10));
        balance.take(&charge(), Change { used: Credits::whole(4), ..Change::default() });
        assert_eq!(Balance::before_reserve(None, &bounds_with(10)), BeforeReserve::Open(Credits::whole(10)));
        assert_eq!(Balance::before_reserve(Some(&balance), &bounds_with(10)), BeforeReserve::Nothing);
        assert_eq!(Balance::before_reserve(Some(&balance), &bounds_with(20)), BeforeReserve::Reallocate(Credits::whole(20)));
        assert_eq!(Balance::before_reserve(Some(&balance), &bounds_with(1)), BeforeReserve::Reallocate(Credits::whole(4)));
        balance.reallocate(Credits::whole(4));
        assert_eq!((balance.available, balance.adds_up()), (Credits::ZERO, true));
        assert_eq!(Balance::before_reserve(Some(&balance), &bounds_with(1)), BeforeReserve::Nothing, "it cannot be lowered further");
    }

    #[test]
    fn an_adjustment_takes_away_no_more_than_is_available() {
        let mut balance = Balance::opened(Credits::whole(10));
        assert!(balance.adjust(Credits::whole(5)));
        assert!(!balance.adjust(Credits::whole(-16)));
        assert!(balance.adjust(Credits::whole(-15)));
        assert_eq!((balance.available, balance.adjusted, balance.adds_up()), (Credits::ZERO, Credits::whole(-10), true));
    }

    #[test]
    fn s0_69_what_remains_is_never_below_zero_and_the_overdraft_says_how_far() {
        let mut balance = Balance::opened(Credits::whole(3));
        assert_eq!((balance.remaining(), balance.overdraft_drawn()), (Credits::whole(3), Credits::ZERO));
        balance.take(&charge(), Change { used: Credits::whole(5), ..Change::default() });
        assert_eq!((balance.remaining(), balance.overdraft_drawn()), (Credits::ZERO, Credits::whole(2)));
    }

    #[test]
    fn i1_is_broken_by_a_credit_more_or_less_and_by_anything_below_zero() {
        let sound = Balance {
            reserved: Credits::whole(2),
            used: Credits::whole(3),
            available: Credits::whole(5),
            ..Balance::opened(Credits::whole(10))
        };
        assert!(sound.adds_up());
        let adjusted = Balance { adjusted: Credits::from_micros(1), ..sound.clone() };
        let leaked = Balance { available: Credits::whole(4), ..sound.clone() };
        let below = |reserved: i64, used: i64| Balance { reserved: Credits::whole(reserved), used: Credits::whole(used), ..sound.clone() };
        for broken in [adjusted, leaked, below(-1, 6), below(6, -1)] {
            assert!(!broken.adds_up(), "{broken:?}");
        }
    }

    #[test]
    fn nothing_is_refused_to_be_added_where_the_overdraft_is_drawn_on() {
        let mut drawn = Balance::opened(Credits::ZERO);
        drawn.take(&charge(), Change { used: Credits::whole(2), ..Change::default() });
        assert!(drawn.adjust(Credits::ZERO) && drawn.adjust(Credits::whole(1)));
        assert_eq!((drawn.available, drawn.adds_up()), (Credits::whole(-1), true));
    }
}
