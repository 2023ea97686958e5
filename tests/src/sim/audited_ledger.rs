use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::credits::{Adjustment, Balance, Bounds, Reservation, ReservationId, ReservationState, Threshold, Usage};
use domain::units::{Credits, Millis, Timestamp};
use pipeline::ports::{Adjusted, Cache as _, CacheKey, Lease, Ledger, Reserved, StoreError};

use super::audited_store::AuditedStore;
use super::weakness::Weakness;

/// Two clocks may differ by so much; what is younger was perhaps not to be seen.
const CLOCKS_DIFFER: Millis = Millis::seconds(10);

impl AuditedStore {
    /// I6: a delivery that came before, a person paid for by another run, and an answer that is there reserve nothing.
    async fn check_need(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let id = &reservation.id;
        if self.ground.is_done(&id.run) {
            self.ground.violated(format!("I6: {} was reserved for a run that has ended", id.operation));
        }
        let Some(claim) = self.ground.claim_of(&id.run) else { return Ok(()) };
        if claim.is_duplicate {
            self.ground.violated(format!("I6: {} was reserved for a person that another run paid for", id.operation));
        }
        let key = CacheKey { operation: id.operation.clone(), hash: reservation.answer.clone() };
        let Some(kept) = self.memory.kept_reply(&key).await? else { return Ok(()) };
        let was_there = kept.fetched_at.after(CLOCKS_DIFFER) < claim.at && kept.fresh_until > claim.at.after(Millis::hours(1));
        if was_there && kept.reservation.is_none_or(|paid| paid.run != id.run) {
            self.ground.violated(format!("I6: {} was reserved though a fresh answer is kept", id.operation));
        }
        Ok(())
    }

    /// Compares first and counts later: what one transaction is there to prevent.
    async fn reserve_apart(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Reserved, StoreError> {
        let balance = self.memory.balance(&reservation.periods.month).await?.unwrap_or_else(|| Balance::opened(bounds.allocation));
        if let Some(scope) = bounds.refusal(&reservation.charge, &balance, Credits::ZERO, Credits::ZERO) {
            return Ok(Reserved::Refused(scope));
        }
        tokio::time::sleep(Millis(500).to_std()).await;
        let open =
            Bounds { available: Credits::from_micros(i64::MIN / 2), day: None, week: None, provider: None, rule: None, ..bounds.clone() };
        self.memory.reserve(lease, reservation, &open).await
    }

    async fn reserve_weakly(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Reserved, StoreError> {
        let shown = self.shown(lease);
        match self.weakness {
            Some(Weakness::CountersApart) => self.reserve_apart(&shown, reservation, bounds).await,
            Some(Weakness::NoMark) => Ok(Reserved::Reserved),
            Some(Weakness::CallAgain) => match self.memory.reserve(&shown, reservation, bounds).await? {
                Reserved::Before(earlier) if earlier.is_open() => Ok(Reserved::Reserved),
                other => Ok(other),
            },
            _ => self.memory.reserve(&shown, reservation, bounds).await,
        }
    }

    async fn move_weakly(&self, from: &Reservation, to: &Reservation) -> Result<bool, StoreError> {
        let is_timeout = to.state == ReservationState::OutcomeUnknown;
        if self.weakness == Some(Weakness::RefundOnTimeout) && is_timeout {
            let refunded = Reservation { state: ReservationState::Settled { used: Credits::ZERO }, ..to.clone() };
            return self.memory.move_on(from, &refunded).await;
        }
        let moved = self.memory.move_on(from, to).await?;
        let stored = self.memory.read_reservation(&from.id).await?;
        match (self.weakness, stored) {
            (Some(Weakness::SettleTwice), Some(stored)) if !moved => self.memory.move_on(&stored, to).await,
            _ => Ok(moved),
        }
    }
}

#[async_trait]
impl Ledger for AuditedStore {
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Reserved, StoreError> {
        let reserved = self.reserve_weakly(lease, reservation, bounds).await?;
        if reserved == Reserved::Reserved {
            self.ground.reserved(reservation);
            self.ground.landed("reserve", &lease.run, lease.fence);
            self.check_need(reservation).await?;
        }
        self.ground.touched(&reservation.periods.month);
        self.ground.check_money("reserve");
        Ok(reserved)
    }

    async fn move_on(&self, from: &Reservation, to: &Reservation) -> Result<bool, StoreError> {
        let moved = self.move_weakly(from, to).await?;
        if moved && !to.is_open() && !matches!(to.state, ReservationState::Refunded { .. }) {
            self.ground.resolved(&from.id);
        }
        self.ground.check_money("move_on");
        Ok(moved)
    }

    async fn read_reservation(&self, id: &ReservationId) -> Result<Option<Reservation>, StoreError> {
        if self.weakness == Some(Weakness::CallAgain) {
            return Ok(None);
        }
        self.memory.read_reservation(id).await
    }

    async fn overdue(&self, before: Timestamp, most: usize) -> Result<Vec<ReservationId>, StoreError> {
        self.memory.overdue(before, most).await
    }

    async fn adjust(&self, adjustment: &Adjustment, allocation: Credits) -> Result<Adjusted, StoreError> {
        let adjusted = self.memory.adjust(adjustment, allocation).await?;
        self.ground.touched(&adjustment.month);
        self.ground.check_money("adjust");
        Ok(adjusted)
    }

    async fn balance(&self, month: &str) -> Result<Option<Balance>, StoreError> {
        self.memory.balance(month).await
    }

    async fn usage(&self, month: &str) -> Result<BTreeMap<String, Usage>, StoreError> {
        self.memory.usage(month).await
    }

    async fn taken_of_week(&self, week: &str) -> Result<Credits, StoreError> {
        self.memory.taken_of_week(week).await
    }

    async fn mark_crossed(&self, month: &str, threshold: Threshold, at: Timestamp) -> Result<bool, StoreError> {
        self.memory.mark_crossed(month, threshold, at).await
    }
}
