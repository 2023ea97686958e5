use serde::{Deserialize, Serialize};

use super::{Charge, Periods};
use crate::signup::RunId;
use crate::units::{Credits, Timestamp};

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

/// Where a reservation stands. It is resolved at most once (I2) and never deleted, for it is the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReservationState {
    /// The mark before the call: the vendor may be billing right now.
    Calling,
    /// The vendor took the order and answers later.
    Pending,
    /// The call ended and cost this much.
    Settled {
        /// What it cost.
        used: Credits,
    },
    /// Nobody knows whether the vendor billed; counted as used in full until a statement refunds it.
    OutcomeUnknown,
    /// The vendor's statement says that it billed only this much.
    Refunded {
        /// What it billed.
        used: Credits,
    },
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
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its name.
    pub id: ReservationId,
    /// The worst case that was set aside.
    pub amount: Credits,
    /// Who is charged.
    pub charge: Charge,
    /// The periods it counts in, whenever it is settled.
    pub periods: Periods,
    /// Hash of the lookup key: under it the reply is kept, from which whoever comes later settles.
    pub answer: String,
    /// Past this moment without a reply the outcome is unknown.
    pub open_until: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub state: ReservationState,
}

/// What a reservation's step adds to the counters it names; available is less by both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// To what is reserved.
    pub reserved: Credits,
    /// To what is used.
    pub used: Credits,
    /// To what is used and may not have been billed.
    pub unknown: Credits,
    /// To the calls that ended: 1 when it is resolved.
    pub calls: u64,
}

impl Change {
    /// What is taken more, or given back where it is below zero.
    #[must_use]
    pub const fn taken(&self) -> Credits {
        self.reserved.plus(self.used)
    }
}

impl Reservation {
    /// Whether it waits to be resolved.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ReservationState::Calling | ReservationState::Pending)
    }

    /// What counts as used.
    #[must_use]
    pub const fn used(&self) -> Credits {
        match self.state {
            ReservationState::Calling | ReservationState::Pending => Credits::ZERO,
            ReservationState::Settled { used } | ReservationState::Refunded { used } => used,
            ReservationState::OutcomeUnknown => self.amount,
        }
    }

    /// The entry after its call has ended; `None` when it was resolved before (I2).
    #[must_use]
    pub fn settled(&self, settlement: Settlement) -> Option<Self> {
        let state = match settlement {
            Settlement::Used(_) => ReservationState::Settled { used: settlement.used_of(self.amount) },
            Settlement::Unknown => ReservationState::OutcomeUnknown,
        };
        self.is_open().then(|| Self { state, ..self.clone() })
    }

    /// The entry after the vendor took the order and promised an answer by `until`; `None` when it no longer calls.
    #[must_use]
    pub fn pending(&self, until: Timestamp) -> Option<Self> {
        let calls = self.state == ReservationState::Calling;
        calls.then(|| Self { state: ReservationState::Pending, open_until: until, ..self.clone() })
    }

    /// The entry after the vendor's statement says that it billed only `billed`; `None` while it is open, when it was
    /// refunded before, and when the statement says as much as was counted or more.
    #[must_use]
    pub fn refunded(&self, billed: Credits) -> Option<Self> {
        let may = matches!(self.state, ReservationState::Settled { .. } | ReservationState::OutcomeUnknown);
        (may && billed >= Credits::ZERO && billed < self.used())
            .then(|| Self { state: ReservationState::Refunded { used: billed }, ..self.clone() })
    }

    /// What making it adds to its counters.
    #[must_use]
    pub const fn taken(&self) -> Change {
        Change { reserved: self.reserved(), used: self.used(), unknown: self.unknown(), calls: 0 }
    }

    /// What becoming `next` adds to its counters.
    #[must_use]
    pub fn change_to(&self, next: &Self) -> Change {
        Change {
            reserved: next.reserved().minus(self.reserved()),
            used: next.used().minus(self.used()),
            unknown: next.unknown().minus(self.unknown()),
            calls: u64::from(self.is_open() && !next.is_open()),
        }
    }

    const fn reserved(&self) -> Credits {
        if self.is_open() { self.amount } else { Credits::ZERO }
    }

    const fn unknown(&self) -> Credits {
        if matches!(self.state, ReservationState::OutcomeUnknown) { self.amount } else { Credits::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Balance, Trigger};
    use super::*;
    use crate::schema::Entity;

    fn reservation(amount: Credits) -> Reservation {
        Reservation {
            id: ReservationId { run: RunId::parse(&"a".repeat(43)).unwrap(), operation: "crustdata.company".into(), attempt: 1 },
            amount,
            charge: Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() },
            periods: Periods { month: "2026-11".into(), week: None, day: "2026-11-20".into() },
            answer: "h".into(),
            open_until: Timestamp::from_millis(10),
            state: ReservationState::Calling,
        }
    }

    /// What may happen to a reservation, in any order.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Settle(i64),
        Unknown,
        Pending,
        Refund(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![(0i64..2000).prop_map(Step::Settle), Just(Step::Unknown), Just(Step::Pending), (0i64..2000).prop_map(Step::Refund)]
    }

    fn after(reservation: &Reservation, step: Step) -> Option<Reservation> {
        match step {
            Step::Settle(used) => reservation.settled(Settlement::Used(Credits::from_micros(used))),
            Step::Unknown => reservation.settled(Settlement::Unknown),
            Step::Pending => reservation.pending(Timestamp::from_millis(99)),
            Step::Refund(billed) => reservation.refunded(Credits::from_micros(billed)),
        }
    }

    proptest! {
        #[test]
        fn i1_and_i2_hold_whatever_happens_to_a_reservation(amount in 1i64..1000, steps in proptest::collection::vec(step(), 0..8)) {
            let mut now = reservation(Credits::from_micros(amount));
            let mut balance = Balance::opened(Credits::from_micros(1000));
            balance.take(&now.charge, now.taken());
            let mut resolved = 0;
            for step in steps {
                let Some(next) = after(&now, step) else { continue };
                let change = now.change_to(&next);
                resolved += change.calls;
                balance.take(&now.charge, change);
                now = next;
                prop_assert!(balance.adds_up(), "{balance:?}");
                prop_assert!(now.used() <= now.amount, "a settlement never uses more than was reserved");
            }
            prop_assert!(resolved <= 1);
            prop_assert_eq!(balance.used, now.used());
            prop_assert_eq!(balance.reserved, if now.is_open() { now.amount } else { Credits::ZERO });
        }
    }

    #[test]
    fn a_refund_happens_once_and_never_gives_more_than_was_counted() {
        let unknown = reservation(Credits::whole(2)).settled(Settlement::Unknown).unwrap();
        assert_eq!((unknown.refunded(Credits::whole(3)), unknown.refunded(Credits::whole(2))), (None, None));
        let settled = reservation(Credits::whole(2)).settled(Settlement::Used(Credits::whole(1))).unwrap();
        assert_eq!((settled.used(), settled.refunded(Credits::whole(1))), (Credits::whole(1), None));
        assert_eq!(settled.refunded(Credits::from_micros(999_999)).unwrap().used(), Credits::from_micros(999_999));
        let refunded = unknown.refunded(Credits::ZERO).unwrap();
        assert_eq!(unknown.change_to(&refunded).taken(), Credits::whole(-2));
        assert_eq!(refunded.refunded(Credits::ZERO), None);
        assert_eq!(refunded.settled(Settlement::Unknown), None);
    }

    #[test]
    fn a_pending_reservation_keeps_its_credits_until_its_own_deadline() {
        let calling = reservation(Credits::whole(2));
        let pending = calling.pending(Timestamp::from_millis(99)).unwrap();
        assert_eq!((pending.open_until, calling.change_to(&pending)), (Timestamp::from_millis(99), Change::default()));
        assert_eq!(pending.pending(Timestamp::from_millis(100)), None);
        assert_eq!(pending.settled(Settlement::Unknown).unwrap().used(), Credits::whole(2));
    }
}
