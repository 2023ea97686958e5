use async_trait::async_trait;

use super::{Poison, StoreError};

/// What [`super::Runs::keep_poison`] put aside, for the operator's tool. No function needs it, so it is not part of [`super::Store`].
#[async_trait]
pub trait PutAside: Send + Sync {
    /// What was put aside on a day in UTC, written `2026-11-21`.
    async fn put_aside_on(&self, day: &str) -> Result<Vec<Poison>, StoreError>;
    /// Forgets one; it is no error when it is gone already.
    async fn forget_put_aside(&self, poison: &Poison) -> Result<(), StoreError>;
}
