use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::credits::{Adjustment, Balance, Bounds, CapScope, Reservation, ReservationId, Threshold, Usage};
use domain::units::{Credits, Timestamp};

use super::{Lease, StoreError};

/// The answer to a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The credits are set aside: call.
    Reserved,
    /// This limit does not allow it.
    Refused(CapScope),
    /// This very attempt was reserved before, by you or an earlier claimant: look at its state, never call blindly.
    Before(Box<Reservation>),
}

/// The answer to an adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjusted {
    /// It counts.
    Done,
    /// It counted before.
    Before,
    /// Another adjustment counted under its id, with this amount; nothing changed.
    OtherAmount(Credits),
    /// It would take away more than is available.
    MoreThanAvailable,
}

/// The ledger of credits.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Sets credits aside in one transaction: every counter within its bound, the reservation if it is absent, the run's fence.
    /// A month that nobody has used is opened, a changed allocation brought up to date, before it.
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &Bounds) -> Result<Reserved, StoreError>;
    /// Replaces an entry by what became of it and counts the difference, in one transaction on the counters that it names; false
    /// when the entry has left the state of `from` before, and nothing changed. Never fenced: what was paid counts whoever says so.
    async fn move_on(&self, from: &Reservation, to: &Reservation) -> Result<bool, StoreError>;
    /// An entry of the ledger.
    async fn read_reservation(&self, id: &ReservationId) -> Result<Option<Reservation>, StoreError>;
    /// Up to `most` entries that are open past this moment, the oldest first. It may name some that were just resolved.
    async fn overdue(&self, before: Timestamp, most: usize) -> Result<Vec<ReservationId>, StoreError>;
    /// Adds to a month's credits, once; a month that nobody has used is opened with `allocation` before.
    async fn adjust(&self, adjustment: &Adjustment, allocation: Credits) -> Result<Adjusted, StoreError>;
    /// A month's credits; none while nobody has used it.
    async fn balance(&self, month: &str) -> Result<Option<Balance>, StoreError>;
    /// What the days of a month took and used, by day.
    async fn usage(&self, month: &str) -> Result<BTreeMap<String, Usage>, StoreError>;
    /// What is taken of a week's cap; counted only while one is configured.
    async fn taken_of_week(&self, week: &str) -> Result<Credits, StoreError>;
    /// Marks a threshold as told; false when it was marked before.
    async fn mark_crossed(&self, month: &str, threshold: Threshold, at: Timestamp) -> Result<bool, StoreError>;
}
