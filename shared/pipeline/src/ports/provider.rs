use async_trait::async_trait;
use domain::credits::Tariff;
use domain::identity::{KeyKind, LookupKey};
use domain::plan::Gather;
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

/// Several questions of one kind to a provider, in one request (S4-33). `Debug` shows no key.
#[derive(Clone, PartialEq, Eq)]
pub struct BatchRequest {
    /// The operation, `crustdata.company`.
    pub operation: String,
    /// The kind of all keys.
    pub kind: KeyKind,
    /// The keys, each once.
    pub keys: Vec<String>,
    /// As in [`LookupRequest`].
    pub now: Timestamp,
    /// The replies must be there by then; later all are [`Reply::TimedOut`].
    pub timeout: Millis,
}

impl std::fmt::Debug for BatchRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchRequest({} by {} of {})", self.operation, self.keys.len(), self.kind.as_str())
    }
}

/// A reply, and at which price it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The reply.
    pub reply: Reply,
    /// The price.
    pub tariff: Tariff,
}

impl From<Reply> for Priced {
    /// The reply to a call of its own.
    fn from(reply: Reply) -> Self {
        Self { reply, tariff: Tariff::Single }
    }
}

/// Sources of facts.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Asks once. Every failure is a reply: the caller decides what it means.
    async fn look_up(&self, request: &LookupRequest) -> Reply;

    /// Asks several things in one request: a reply to each key, in their order. `None`, and nobody was asked, where the operation has no
    /// such form for this kind of key.
    async fn look_up_all(&self, _: &BatchRequest) -> Option<Vec<Reply>> {
        None
    }

    /// Asks once, together with other runs that ask the same operation within the time that `gather` gives; the reply is there after
    /// that time and the request's own. Whoever gathers nobody asks at once.
    async fn look_up_together(&self, request: &LookupRequest, _: Gather) -> Priced {
        self.look_up(request).await.into()
    }
}
