//! What a call may cost and whether it may be made: prices, caps, reservations.
//!
//! The decision is a bound per counter, computed here; the store compares and adds in one transaction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::priority::Priority;
use crate::signup::RunId;
use crate::units::{Credits, Timestamp, written_credits};

/// What an operation costs. The parts add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Price {
    /// For each call, whatever it returns.
    #[serde(deserialize_with = "written_credits")]
    pub per_call: Credits,
    /// For each call that found something.
    #[serde(deserialize_with = "written_credits")]
    pub per_hit: Credits,
    /// For each channel that was filled.
    #[serde(deserialize_with = "written_credits")]
    pub per_channel: Credits,
}

impl Price {
    /// Whether a call can cost nothing at all.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }

    /// The most a call can cost when it is asked for `channels` channels: what is reserved.
    #[must_use]
    pub fn worst_case(&self, channels: usize) -> Credits {
        self.actual(true, channels)
    }

    /// What a call costs that found something or not, and filled this many channels: what is settled.
    #[must_use]
    pub fn actual(&self, hit: bool, channels: usize) -> Credits {
        let per_hit = if hit { self.per_hit } else { Credits::ZERO };
        let channels = i64::try_from(channels).unwrap_or(i64::MAX);
        let for_channels = Credits::from_micros(self.per_channel.micros().saturating_mul(channels));
        self.per_call.plus(per_hit).plus(for_channels)
    }
}

/// What may be spent, and when everybody but Critical has to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The month's hard allocation (S0-67); nobody passes it but by `overdraft`.
    pub allocation: Credits,
    /// How far past the allocation Critical may go; zero unless somebody allowed it.
    pub overdraft: Credits,
    /// The day's cap; only Critical passes it (S0-77).
    pub day: Option<Credits>,
    /// The week's cap; only Critical passes it.
    pub week: Option<Credits>,
    /// Caps a month by provider; only Critical passes them.
    pub provider: BTreeMap<String, Credits>,
}

/// What a counter counts.
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
        }
    }
}

/// One counter that a reservation adds to, and how much it may hold before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterBound {
    /// What it counts.
    pub scope: CapScope,
    /// The key of the counter, period included; the settle uses it, never the clock.
    pub counter: String,
    /// The reservation is refused when reserved and used credits together exceed this before; `None` only counts.
    pub at_most_before: Option<Credits>,
}

/// The counters that a reservation of `amount` touches, each with its bound.
#[must_use]
pub fn bounds(limits: &Limits, amount: Credits, provider: &str, priority: Priority, now: Timestamp) -> Vec<CounterBound> {
    let critical = priority == Priority::Critical;
    let below = |cap: Credits| Some(cap.minus(amount));
    let soft = |cap: Credits| if critical { None } else { below(cap) };
    let hard = if critical { limits.allocation.plus(limits.overdraft) } else { limits.allocation };
    let mut bounds =
        vec![CounterBound { scope: CapScope::Allocation, counter: format!("BAL#{}", now.month()), at_most_before: below(hard) }];
    if let Some(cap) = limits.day {
        bounds.push(CounterBound { scope: CapScope::Day, counter: format!("CAP#day#{}", now.day()), at_most_before: soft(cap) });
    }
    if let Some(cap) = limits.week {
        bounds.push(CounterBound { scope: CapScope::Week, counter: format!("CAP#week#{}", now.week()), at_most_before: soft(cap) });
    }
    if let Some(cap) = limits.provider.get(provider) {
        let counter = format!("CAP#provider:{provider}#{}", now.month());
        bounds.push(CounterBound { scope: CapScope::Provider(provider.to_owned()), counter, at_most_before: soft(*cap) });
    }
    bounds
}

/// The name of a reservation: one paid attempt of one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReservationId {
    /// The run that pays.
    pub run: RunId,
    /// The operation asked, such as `crustdata.company`.
    pub operation: String,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// A reservation is resolved at most once; it is never deleted, for it is the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReservationState {
    /// The mark before the call: the vendor may be billing right now.
    Calling,
    /// The call ended and cost this much.
    Settled {
        /// What it cost.
        used: Credits,
    },
    /// Nobody knows whether the vendor billed; counted as used in full until a statement refunds it.
    OutcomeUnknown,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its name.
    pub id: ReservationId,
    /// The worst case that was set aside.
    pub amount: Credits,
    /// The counters it was added to.
    pub counters: Vec<String>,
    /// Past this moment without a reply the outcome is unknown.
    pub open_until: Timestamp,
    /// Where it stands.
    pub state: ReservationState,
}

/// How a call ended for the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// It cost this much; at most what was reserved.
    Used(Credits),
    /// The vendor may have billed: all of it counts as used.
    Unknown,
}

impl Settlement {
    /// The credits that a reservation of `amount` uses in the end.
    #[must_use]
    pub fn used_of(self, amount: Credits) -> Credits {
        match self {
            Self::Used(used) => used.min(amount),
            Self::Unknown => amount,
        }
    }

    /// The state it leaves the reservation in.
    #[must_use]
    pub fn state(self, amount: Credits) -> ReservationState {
        match self {
            Self::Used(_) => ReservationState::Settled { used: self.used_of(amount) },
            Self::Unknown => ReservationState::OutcomeUnknown,
        }
    }
}

/// What a counter holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Reserved and used credits together.
    pub taken: Credits,
    /// Used credits alone.
    pub used: Credits,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_176_000_000);

    fn limits() -> Limits {
        Limits {
            allocation: Credits::whole(100),
            overdraft: Credits::whole(5),
            day: Some(Credits::whole(10)),
            week: Some(Credits::whole(40)),
            provider: BTreeMap::from([("crustdata".to_owned(), Credits::whole(50))]),
        }
    }

    fn bound_of(priority: Priority, scope: &CapScope) -> Option<Credits> {
        let all = bounds(&limits(), Credits::whole(2), "crustdata", priority, NOON);
        all.into_iter().find(|bound| bound.scope == *scope).unwrap().at_most_before
    }

    #[test]
    fn s0_77_at_a_cap_only_critical_goes_on_and_never_past_the_allocation() {
        assert_eq!(bound_of(Priority::High, &CapScope::Day), Some(Credits::whole(8)));
        assert_eq!(bound_of(Priority::Critical, &CapScope::Day), None);
        assert_eq!(bound_of(Priority::High, &CapScope::Allocation), Some(Credits::whole(98)));
        assert_eq!(bound_of(Priority::Critical, &CapScope::Allocation), Some(Credits::whole(103)), "overdraft is for Critical");
    }

    #[test]
    fn x_10_every_cap_is_one_counter_with_its_period_in_the_key() {
        let counters: Vec<String> =
            bounds(&limits(), Credits::whole(2), "crustdata", Priority::Low, NOON).into_iter().map(|bound| bound.counter).collect();
        assert_eq!(counters, ["BAL#2026-11", "CAP#day#2026-11-20", "CAP#week#2026-W47", "CAP#provider:crustdata#2026-11"]);
    }

    #[test]
    fn x_08_a_miss_costs_only_the_call() {
        let price = Price { per_call: Credits::whole(1), per_hit: Credits::whole(2), per_channel: Credits::whole(3) };
        assert_eq!(price.worst_case(2), Credits::whole(9));
        assert_eq!(price.actual(false, 0), Credits::whole(1));
        assert!(Price::default().is_free());
    }

    proptest! {
        #[test]
        fn a_settlement_never_uses_more_than_was_reserved(reserved in 0i64..1_000_000, billed in 0i64..2_000_000) {
            let reserved = Credits::from_micros(reserved);
            prop_assert!(Settlement::Used(Credits::from_micros(billed)).used_of(reserved) <= reserved);
            prop_assert_eq!(Settlement::Unknown.used_of(reserved), reserved);
        }
    }
}
