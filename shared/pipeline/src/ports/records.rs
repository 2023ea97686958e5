use async_trait::async_trait;
use domain::record::{Alias, Record, RecordId};

use super::StoreError;

/// The answer to a write of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is stored, its version one higher.
    Stored,
    /// Somebody else wrote it first, or one of its aliases belongs to another record: read again and merge.
    Conflict,
}

/// Records and whose turn it is in a pool of owners.
#[async_trait]
pub trait Records: Send + Sync {
    /// Finds the record of the first alias that has one.
    async fn find_record(&self, aliases: &[Alias]) -> Result<Option<Record>, StoreError>;
    /// Reads a record.
    async fn read_record(&self, id: &RecordId) -> Result<Option<Record>, StoreError>;
    /// Stores `record`, whose `version` is the new one, over the version before it (0: it is new).
    /// A new record is created in one transaction with its aliases; an old one gains the aliases that nobody has.
    async fn save_record(&self, record: &Record, aliases: &[Alias]) -> Result<Saved, StoreError>;
    /// Counts a pool's turns up and returns the turn taken, from 0.
    async fn next_turn(&self, pool: &str) -> Result<u64, StoreError>;
}
