use async_trait::async_trait;

use super::MemoryStore;
use crate::ports::{Poison, PutAside, StoreError};

impl MemoryStore {
    /// Keeps it once, however often it is put aside under its id on one day.
    pub(super) fn keep(&self, poison: &Poison) {
        let mut state = self.state();
        state.poison.retain(|kept| !is_same(kept, poison));
        state.poison.push(poison.clone());
    }
}

#[async_trait]
impl PutAside for MemoryStore {
    async fn put_aside_on(&self, day: &str) -> Result<Vec<Poison>, StoreError> {
        Ok(self.state().poison.iter().filter(|poison| poison.at.day() == day).cloned().collect())
    }

    async fn forget_put_aside(&self, poison: &Poison) -> Result<(), StoreError> {
        self.state().poison.retain(|kept| !is_same(kept, poison));
        Ok(())
    }
}

/// What the tables have as the key.
fn is_same(left: &Poison, right: &Poison) -> bool {
    left.id == right.id && left.at.day() == right.at.day()
}
