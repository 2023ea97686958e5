use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Balance, Limits};
use crate::units::Credits;

/// A mark in a month's consumption at which somebody is told, once a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// Half of the month's credits are used (S0-78).
    Half,
    /// Three quarters.
    ThreeQuarters,
    /// Nine tenths.
    NineTenths,
    /// 10 % more than the budget (S4-52).
    OverBudget,
}

impl Threshold {
    /// All thresholds.
    pub const ALL: [Self; 4] = [Self::Half, Self::ThreeQuarters, Self::NineTenths, Self::OverBudget];

    /// The word under which it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::ThreeQuarters => "three_quarters",
            Self::NineTenths => "nine_tenths",
            Self::OverBudget => "over_budget",
        }
    }

    fn is_crossed(self, balance: &Balance, limits: &Limits) -> bool {
        if balance.used <= Credits::ZERO {
            return false;
        }
        let hundredfold = i128::from(balance.used.micros()) * 100;
        let whole = i128::from(self.whole(balance, limits).micros());
        match self {
            Self::Half => hundredfold >= whole * 50,
            Self::ThreeQuarters => hundredfold >= whole * 75,
            Self::NineTenths => hundredfold >= whole * 90,
            Self::OverBudget => hundredfold > whole * 110,
        }
    }

    /// What used credits are compared with: the month's credits, or its budget.
    #[must_use]
    pub fn whole(self, balance: &Balance, limits: &Limits) -> Credits {
        match self {
            Self::Half | Self::ThreeQuarters | Self::NineTenths => balance.total(),
            Self::OverBudget => limits.budget.unwrap_or(limits.allocation),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Half => "50 % of the month's credits are used",
            Self::ThreeQuarters => "75 % of the month's credits are used",
            Self::NineTenths => "90 % of the month's credits are used",
            Self::OverBudget => "the month has cost 10 % more than its budget",
        })
    }
}

/// The thresholds that a month has crossed and that nobody was told of (X-10: each exactly once a period).
#[must_use]
pub fn crossed(balance: &Balance, limits: &Limits) -> Vec<Threshold> {
    let is_new = |threshold: &Threshold| threshold.is_crossed(balance, limits) && !balance.crossed.contains_key(threshold);
    Threshold::ALL.into_iter().filter(is_new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Timestamp;

    fn used(whole: i64) -> Balance {
        Balance { used: Credits::whole(whole), ..Balance::opened(Credits::whole(100)) }
    }

    #[test]
    fn s0_78_each_share_is_crossed_at_itself_and_told_once() {
        let limits = Limits { allocation: Credits::whole(100), ..Limits::default() };
        assert_eq!(crossed(&used(49), &limits), []);
        assert_eq!(crossed(&used(50), &limits), [Threshold::Half]);
        assert_eq!(crossed(&used(90), &limits), [Threshold::Half, Threshold::ThreeQuarters, Threshold::NineTenths]);
        let mut told = used(80);
        told.crossed.insert(Threshold::Half, Timestamp::from_millis(1));
        assert_eq!(crossed(&told, &limits), [Threshold::ThreeQuarters]);
    }

    #[test]
    fn s4_52_the_budget_is_passed_at_more_than_ten_percent_above_it() {
        let limits = Limits { allocation: Credits::whole(100), budget: Some(Credits::whole(20)), ..Limits::default() };
        assert_eq!(crossed(&used(22), &limits), []);
        assert_eq!(crossed(&used(23), &limits), [Threshold::OverBudget]);
    }

    #[test]
    fn every_threshold_is_stored_under_a_word_of_its_own() {
        assert_eq!(Threshold::ALL.map(Threshold::as_str), ["half", "three_quarters", "nine_tenths", "over_budget"]);
        let words: std::collections::BTreeSet<String> = Threshold::ALL.iter().map(ToString::to_string).collect();
        assert!(words.len() == 4 && words.iter().all(|words| words.contains('%')), "{words:?}");
    }

    #[test]
    fn an_allocation_of_zero_crosses_nothing() {
        assert_eq!(crossed(&Balance::default(), &Limits::default()), []);
    }
}
