use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Balance, Charge};
use crate::priority::Priority;
use crate::units::{Credits, Timestamp};

/// What may be spent, and when everybody but Critical has to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The month's hard allocation (S0-67); nobody passes it but by `overdraft`.
    pub allocation: Credits,
    /// How far past the allocation Critical may go; zero unless somebody allowed it.
    pub overdraft: Credits,
    /// What somebody means to spend in a month; an alert goes out at 10 % more (S4-52). The allocation where absent.
    pub budget: Option<Credits>,
    /// The day's cap; only Critical passes it (S0-77).
    pub day: Option<Credits>,
    /// The week's cap; only Critical passes it.
    pub week: Option<Credits>,
    /// Caps a month by provider; only Critical passes them.
    pub provider: BTreeMap<String, Credits>,
    /// Caps a month by rule (S0-98); only Critical passes them.
    pub rule: BTreeMap<String, Credits>,
}

/// Which limit refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapScope {
    /// The month's allocation.
    Allocation,
    /// The day's cap.
    Day,
    /// The week's cap.
    Week,
    /// A provider's monthly cap.
    Provider(String),
    /// A rule's monthly cap.
    Rule(String),
}

impl CapScope {
    /// The words used in reasons: `the day's cap`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Allocation => "the month's allocation".to_owned(),
            Self::Day => "the day's cap".to_owned(),
            Self::Week => "the week's cap".to_owned(),
            Self::Provider(name) => format!("the cap of provider {name}"),
            Self::Rule(name) => format!("the cap of rule {name}"),
        }
    }
}

/// The periods that a reservation counts in, named when it is made: a settlement after midnight still counts there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Periods {
    /// `2026-11`.
    pub month: String,
    /// `2026-W47`; absent where no week's cap is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<String>,
    /// `2026-11-20`.
    pub day: String,
}

impl Periods {
    /// The periods of a moment, in UTC.
    #[must_use]
    pub fn of(now: Timestamp, limits: &Limits) -> Self {
        Self { month: now.month(), week: limits.week.map(|_| now.week()), day: now.day() }
    }
}

/// What must hold before a reservation, computed beforehand: a database compares and cannot add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The month's allocation as configured; a balance with another one is brought up to it first.
    pub allocation: Credits,
    /// The balance must have at least this much available; below zero it draws on the overdraft.
    pub available: Credits,
    /// At most this much may be taken of the day before; `None` only counts. So with the others.
    pub day: Option<Credits>,
    /// Of the week.
    pub week: Option<Credits>,
    /// Of the provider's month.
    pub provider: Option<Credits>,
    /// Of the rule's month.
    pub rule: Option<Credits>,
}

/// The bounds for a reservation of `amount`. Critical passes every cap and never the allocation with its overdraft (S0-77, X-09).
#[must_use]
pub fn bounds(limits: &Limits, amount: Credits, charge: &Charge, priority: Priority) -> Bounds {
    let critical = priority == Priority::Critical;
    let below = |cap: Option<&Credits>| cap.filter(|_| !critical).map(|cap| cap.minus(amount));
    Bounds {
        allocation: limits.allocation,
        available: if critical { amount.minus(limits.overdraft) } else { amount },
        day: below(limits.day.as_ref()),
        week: below(limits.week.as_ref()),
        provider: below(limits.provider.get(&charge.provider)),
        rule: below(limits.rule.get(&charge.rule)),
    }
}

impl Bounds {
    /// The limit that refuses, if one does: the one check in which all caps stand.
    #[must_use]
    pub fn refusal(&self, charge: &Charge, balance: &Balance, day: Credits, week: Credits) -> Option<CapScope> {
        let is_past = |most: Option<Credits>, taken: Credits| most.is_some_and(|most| taken > most);
        // An allocation lowered below what is taken stays where it is, and nothing more is spent on it.
        if balance.available < self.available || balance.allocation != self.allocation {
            return Some(CapScope::Allocation);
        }
        if is_past(self.rule, balance.taken_by(&charge.rule_part())) {
            return Some(CapScope::Rule(charge.rule.clone()));
        }
        if is_past(self.provider, balance.taken_by(&charge.provider_part())) {
            return Some(CapScope::Provider(charge.provider.clone()));
        }
        if is_past(self.day, day) {
            return Some(CapScope::Day);
        }
        is_past(self.week, week).then_some(CapScope::Week)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Trigger;
    use super::*;
    use crate::schema::Entity;

    fn limits() -> Limits {
        Limits {
            allocation: Credits::whole(100),
            overdraft: Credits::whole(5),
            budget: None,
            day: Some(Credits::whole(10)),
            week: Some(Credits::whole(40)),
            provider: BTreeMap::from([("crustdata".to_owned(), Credits::whole(50))]),
            rule: BTreeMap::from([("free_tier".to_owned(), Credits::whole(20))]),
        }
    }

    fn charge() -> Charge {
        Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "free_tier".into() }
    }

    fn bounds_of(priority: Priority) -> Bounds {
        bounds(&limits(), Credits::whole(2), &charge(), priority)
    }

    #[test]
    fn s0_77_and_x_09_at_a_cap_only_critical_goes_on_and_never_past_the_allocation() {
        let (high, critical) = (bounds_of(Priority::High), bounds_of(Priority::Critical));
        assert_eq!((high.day, high.week), (Some(Credits::whole(8)), Some(Credits::whole(38))));
        assert_eq!((high.provider, high.rule), (Some(Credits::whole(48)), Some(Credits::whole(18))));
        assert_eq!((critical.day, critical.week, critical.provider, critical.rule), (None, None, None, None));
        assert_eq!(high.available, Credits::whole(2));
        assert_eq!(critical.available, Credits::whole(-3), "the overdraft is for Critical");
    }

    #[test]
    fn x_10_one_check_names_the_limit_that_refuses() {
        let bounds = bounds_of(Priority::High);
        let mut balance = Balance::opened(Credits::whole(100));
        let refusal =
            |balance: &Balance, day: i64, week: i64| bounds.refusal(&charge(), balance, Credits::whole(day), Credits::whole(week));
        assert_eq!(refusal(&balance, 8, 38), None, "up to the cap itself");
        assert_eq!(refusal(&balance, 9, 0), Some(CapScope::Day));
        assert_eq!(refusal(&balance, 0, 39), Some(CapScope::Week));
        balance.taken.insert("provider:crustdata".into(), Credits::whole(49));
        assert_eq!(refusal(&balance, 0, 0), Some(CapScope::Provider("crustdata".into())));
        balance.taken.insert("rule:free_tier".into(), Credits::whole(19));
        assert_eq!(refusal(&balance, 0, 0), Some(CapScope::Rule("free_tier".into())));
        let exact = Balance { available: Credits::whole(2), ..Balance::opened(Credits::whole(100)) };
        assert_eq!(refusal(&exact, 0, 0), None, "the last credits may be spent");
        balance.available = Credits::whole(1);
        assert_eq!(refusal(&balance, 0, 0), Some(CapScope::Allocation));
        let changed = Balance::opened(Credits::whole(101));
        assert_eq!(refusal(&changed, 0, 0), Some(CapScope::Allocation), "X-09: what was lowered below what is taken stays shut");
    }

    #[test]
    fn the_periods_are_those_of_the_utc_calendar() {
        let new_year = Timestamp::parse("2027-01-01T00:30:00Z").unwrap();
        let periods = Periods::of(new_year, &limits());
        assert_eq!((periods.month.as_str(), periods.week.as_deref(), periods.day.as_str()), ("2027-01", Some("2026-W53"), "2027-01-01"));
        assert_eq!(Periods::of(new_year, &Limits::default()).week, None, "no week is counted without a week's cap");
    }

    #[test]
    fn every_limit_is_named_in_the_words_of_a_reason() {
        let scopes = [CapScope::Allocation, CapScope::Day, CapScope::Week, CapScope::Provider("a".into()), CapScope::Rule("b".into())];
        let words = ["the month's allocation", "the day's cap", "the week's cap", "the cap of provider a", "the cap of rule b"];
        assert_eq!(scopes.map(|scope| scope.words()), words);
    }
}
