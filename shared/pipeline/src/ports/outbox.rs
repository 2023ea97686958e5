use async_trait::async_trait;
use domain::record::RecordId;
use domain::units::Timestamp;

use super::StoreError;

/// A wish to write a record to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRequest {
    /// The record.
    pub record: RecordId,
    /// The target, `hubspot`.
    pub target: String,
    /// A random name of this attempt.
    pub nonce: String,
    /// The time.
    pub now: Timestamp,
    /// When others may take over.
    pub lease_until: Timestamp,
}

/// The right to write, and what was written before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxLease {
    /// The record.
    pub record: RecordId,
    /// The target.
    pub target: String,
    /// The attempt that holds it.
    pub nonce: String,
    /// The last finished write. None when there was none, or when an attempt ended without a word:
    /// then nobody knows what the target holds, and the newest decision must be asserted again.
    pub last: Option<Written>,
    /// Whether an attempt before this one ended without a word: its request may still reach the target, later than ours.
    pub took_over: bool,
}

/// A finished write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Digest of the properties written; empty when the target is not believed to hold them for long.
    pub digest: String,
    /// The decision's `seq`.
    pub seq: u64,
    /// The target's id of the record.
    pub external_id: String,
}

/// The answer to a wish to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxTurn {
    /// Write.
    Yours(OutboxLease),
    /// Another worker writes until then.
    Busy {
        /// The end of its lease.
        until: Timestamp,
    },
}

/// What was written where: one item for each record and target.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes the lease and leaves the mark "writing" before the request.
    async fn begin_write(&self, request: &WriteRequest) -> Result<OutboxTurn, StoreError>;
    /// Stores what was written and frees the lease; a zombie's is refused with [`StoreError::FenceLost`].
    async fn finish_write(&self, lease: &OutboxLease, written: &Written) -> Result<(), StoreError>;
    /// Frees the lease after nothing was sent: what was written before still stands.
    async fn abandon_write(&self, lease: &OutboxLease) -> Result<(), StoreError>;
    /// The last finished write.
    async fn last_write(&self, record: &RecordId, target: &str) -> Result<Option<Written>, StoreError>;
}
