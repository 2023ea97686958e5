use async_trait::async_trait;
use domain::credits::{ReservationId, Tariff};
use domain::reply::Reply;
use domain::units::Timestamp;

use super::{Priced, StoreError};

/// Under what a reply is kept: operation and hashed key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey {
    /// The operation, `crustdata.company`.
    pub operation: String,
    /// HMAC of the lookup key.
    pub hash: String,
}

/// A reply that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedReply {
    /// The reply.
    pub reply: Reply,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// Until when it is believed.
    pub fresh_until: Timestamp,
    /// The attempt that was paid for it; none for a free one.
    pub reservation: Option<ReservationId>,
    /// The price that it came at, by which that attempt is settled.
    pub tariff: Tariff,
}

impl CachedReply {
    /// The reply with its price.
    #[must_use]
    pub fn into_priced(self) -> Priced {
        Priced { reply: self.reply, tariff: self.tariff }
    }
}

/// Replies that were paid for, shared by all who ask the same.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The kept reply, fresh or not.
    async fn kept_reply(&self, key: &CacheKey) -> Result<Option<CachedReply>, StoreError>;
    /// Keeps a reply unless a younger one is there, or it is no answer and a fresh one is. No fence: paid data is never thrown away.
    async fn keep_reply(&self, key: &CacheKey, reply: &CachedReply) -> Result<(), StoreError>;
}
