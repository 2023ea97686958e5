use async_trait::async_trait;
use domain::credits::{CapScope, Counter, CounterBound, Reservation, Settlement};

use super::{Lease, StoreError};

/// The answer to a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The credits are set aside: call.
    Reserved,
    /// This cap does not allow it.
    Refused(CapScope),
    /// This very attempt was reserved before, by you or an earlier claimant: look at its state, never call blindly.
    Before(Reservation),
}

/// The ledger of credits.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Sets credits aside in one transaction: every counter under its bound, the reservation if it is absent, the run's fence.
    async fn reserve(&self, lease: &Lease, reservation: &Reservation, bounds: &[CounterBound]) -> Result<Reserved, StoreError>;
    /// Resolves a reservation once, on the counters that it names; false when it was resolved before.
    async fn settle(&self, reservation: &Reservation, settlement: Settlement) -> Result<bool, StoreError>;
    /// What a counter holds.
    async fn counter(&self, counter: &str) -> Result<Counter, StoreError>;
}
