use async_trait::async_trait;
use domain::identity::LookupKey;
use domain::reply::Reply;
use domain::units::{Millis, Timestamp};

/// A question to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupRequest {
    /// The operation, `crustdata.company`.
    pub operation: String,
    /// The key to ask by.
    pub key: LookupKey,
    /// The time, which becomes the observations' time where the provider names none.
    pub now: Timestamp,
    /// The reply must be there by then; later it is [`Reply::TimedOut`].
    pub timeout: Millis,
}

/// Sources of facts.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Asks once. Every failure is a reply: the caller decides what it means.
    async fn look_up(&self, request: &LookupRequest) -> Reply;
}
