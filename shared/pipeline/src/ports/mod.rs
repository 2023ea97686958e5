//! What the use cases need of the world, in the domain's verbs. Every port has an in-memory implementation in
//! [`crate::memory`] and a real one in `platform` or `connectors`; one conformance suite runs against both.

mod cache;
mod clock;
mod crm;
mod decided_runs;
mod ledger;
mod outbox;
mod poison;
mod provider;
mod queue;
mod records;
mod run_log;
mod runs;
mod secrets;
mod settings;

pub use cache::{Cache, CacheKey, CachedReply};
pub use clock::{Clock, Entropy};
pub use crm::{Crm, CrmReply, CrmWrite};
pub use decided_runs::{DecidedLeads, DecidedRun, DecidedRuns};
pub use ledger::{Adjusted, Ledger, Reserved};
pub use outbox::{Outbox, OutboxLease, OutboxTurn, WriteRequest, Written};
pub use poison::PutAside;
pub use provider::{BatchRequest, LookupRequest, Priced, Provider};
pub use queue::{DEAD_LETTERS_MOST, DeadLetter, Queue, QueueError, QueueName, Received};
pub use records::{Records, Saved};
pub use run_log::RunLog;
pub use runs::{Claim, ClaimRequest, Lease, Poison, Runs, Stage, StoredRun, Window};
pub use secrets::{SecretUnavailable, Secrets};
pub use settings::{Activated, Active, InForce, Published, Settings, Version};

/// Everything that is kept, as one port.
pub trait Store: Runs + Records + Ledger + Cache + Outbox {}
impl<T: Runs + Records + Ledger + Cache + Outbox> Store for T {}

/// Why the store did not do as told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It did not answer, was throttled or a transaction kept colliding: try again later. Whether it took effect is unknown.
    #[error("the store did not answer: {0}")]
    Unavailable(String),
    /// Another worker holds the lease now: stop, and write nothing more.
    #[error("another worker holds the lease")]
    FenceLost,
    /// A stored item cannot be read: a person has to look.
    #[error("the stored item {key} cannot be read: {why}")]
    Corrupt {
        /// The item's key; holds hashes, no person.
        key: String,
        /// What is wrong with it.
        why: String,
    },
}
