use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::credits::{Adjustment, Balance, BeforeReserve, Bounds, Change, Charge, Periods, Reservation, ReservationId, Threshold, Usage};
use domain::units::{Credits, Timestamp};

use super::MemoryStore;
use crate::ports::{Adjusted, Lease, Ledger, Reserved, StoreError};

/// The ledger and its counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Books {
    pub(super) reservations: BTreeMap<ReservationId, Reservation>,
    balances: BTreeMap<String, Balance>,
    days: BTreeMap<String, Usage>,
    weeks: BTreeMap<String, Credits>,
    adjustments: BTreeMap<String, Adjustment>,
}

impl Books {
    fn open(&mut self, month: &str, allocation: Credits) -> &mut Balance {
        self.balances.entry(month.to_owned()).or_insert_with(|| Balance::opened(allocation))
    }

    fn reserve(&mut self, reservation: &Reservation, bounds: &Bounds) -> Reserved {
        let periods = &reservation.periods;
        match Balance::before_reserve(self.balances.get(&periods.month), bounds) {
            BeforeReserve::Open(allocation) => drop(self.open(&periods.month, allocation)),
            BeforeReserve::Reallocate(allocation) => self.open(&periods.month, allocation).reallocate(allocation),
            BeforeReserve::Nothing => {}
        }
        let day = self.days.get(&periods.day).map(|day| day.taken).unwrap_or_default();
        let week = periods.week.as_ref().and_then(|week| self.weeks.get(week)).copied().unwrap_or_default();
        let balance = self.open(&periods.month, bounds.allocation);
        if let Some(scope) = bounds.refusal(&reservation.charge, balance, day, week) {
            return Reserved::Refused(scope);
        }
        self.count(periods, &reservation.charge, reservation.taken());
        self.reservations.insert(reservation.id.clone(), reservation.clone());
        Reserved::Reserved
    }

    fn count(&mut self, periods: &Periods, charge: &Charge, change: Change) {
        if let Some(balance) = self.balances.get_mut(&periods.month) {
            balance.take(charge, change);
        }
        self.days.entry(periods.day.clone()).or_default().take(charge, change);
        if let Some(week) = &periods.week {
            let taken = self.weeks.entry(week.clone()).or_default();
            *taken = taken.plus(change.taken());
        }
    }
}

#[async_trait]
impl Ledger for MemoryStore {
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Reserved, StoreError> {
        let mut state = self.state();
        if let Some(before) = state.books.reservations.get(&reservation.id) {
            return Ok(Reserved::Before(Box::new(before.clone())));
        }
        if !state.holds(lease) {
            return Err(StoreError::FenceLost);
        }
        Ok(state.books.reserve(reservation, bounds))
    }

    async fn move_on(&self, from: &Reservation, to: &Reservation) -> Result<bool, StoreError> {
        let books = &mut self.state().books;
        let Some(stored) = books.reservations.get_mut(&from.id).filter(|stored| stored.state == from.state) else { return Ok(false) };
        let change = stored.change_to(to);
        *stored = to.clone();
        books.count(&from.periods, &from.charge, change);
        Ok(true)
    }

    async fn read_reservation(&self, id: &ReservationId) -> Result<Option<Reservation>, StoreError> {
        Ok(self.state().books.reservations.get(id).cloned())
    }

    async fn overdue(&self, before: Timestamp, most: usize) -> Result<Vec<ReservationId>, StoreError> {
        let state = self.state();
        let mut open: Vec<&Reservation> = state.books.reservations.values().filter(|entry| entry.is_open()).collect();
        open.retain(|entry| entry.open_until < before);
        open.sort_by_key(|entry| entry.open_until);
        Ok(open.into_iter().take(most).map(|entry| entry.id.clone()).collect())
    }

    async fn adjust(&self, adjustment: &Adjustment, allocation: Credits) -> Result<Adjusted, StoreError> {
        let books = &mut self.state().books;
        if let Some(earlier) = books.adjustments.get(&adjustment.id) {
            return Ok(if earlier.amount == adjustment.amount { Adjusted::Before } else { Adjusted::OtherAmount(earlier.amount) });
        }
        if !books.open(&adjustment.month, allocation).adjust(adjustment.amount) {
            return Ok(Adjusted::MoreThanAvailable);
        }
        books.adjustments.insert(adjustment.id.clone(), adjustment.clone());
        Ok(Adjusted::Done)
    }

    async fn balance(&self, month: &str) -> Result<Option<Balance>, StoreError> {
        Ok(self.state().books.balances.get(month).cloned())
    }

    async fn usage(&self, month: &str) -> Result<BTreeMap<String, Usage>, StoreError> {
        let state = self.state();
        let of_month = state.books.days.iter().filter(|(day, _)| day.starts_with(month));
        Ok(of_month.map(|(day, usage)| (day.clone(), usage.clone())).collect())
    }

    async fn taken_of_week(&self, week: &str) -> Result<Credits, StoreError> {
        Ok(self.state().books.weeks.get(week).copied().unwrap_or_default())
    }

    async fn mark_crossed(&self, month: &str, threshold: Threshold, at: Timestamp) -> Result<bool, StoreError> {
        let books = &mut self.state().books;
        let Some(balance) = books.balances.get_mut(month) else { return Ok(false) };
        let is_new = !balance.crossed.contains_key(&threshold);
        balance.crossed.entry(threshold).or_insert(at);
        Ok(is_new)
    }
}
