use async_trait::async_trait;
use domain::run::Run;
use domain::signup::RunId;
use domain::units::Timestamp;

use super::StoreError;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Somebody works on it, or its lease ended without a word.
    Working,
    /// Put aside until a copy of its message arrives; nobody holds it.
    Parked,
    /// Decided, not yet handed over.
    Decided,
    /// Handed over, or nothing to hand over: terminal.
    Done,
}

/// A run as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    /// The log.
    pub run: Run,
    /// How far it has come.
    pub stage: Stage,
}

/// A wish to work on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The run as it would begin; an earlier claimant's progress replaces it.
    pub run: Run,
    /// HMAC of the signup: another signup under the same id is noticed by it.
    pub payload_hash: String,
    /// A random name of this attempt; a lost reply to a claim that took effect is recognised by it.
    pub nonce: String,
    /// The time.
    pub now: Timestamp,
    /// When others may take over.
    pub lease_until: Timestamp,
}

/// The right to write a run: refused to whoever holds an older fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Grows with every claim.
    pub fence: u64,
    /// When it ends.
    pub until: Timestamp,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is yours; the run is as the last claimant left it, or as you brought it. Boxed, for it is large.
    Mine(Lease, Box<Run>),
    /// It was decided and not handed over: hand over only, never decide again.
    HandOver(Lease, Box<Run>),
    /// It is done: there is nothing to do.
    Terminal(Box<Run>),
    /// Another worker holds it until then.
    Busy {
        /// The end of the other's lease.
        until: Timestamp,
    },
    /// The id belongs to another signup: poison.
    OtherPayload,
}

/// The answer to a wish to be the one who pays for an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// You may pay.
    Mine,
    /// This run paid within the hour.
    PaidBy(RunId),
    /// This run is at it until then.
    HeldBy {
        /// The run.
        run: RunId,
        /// The end of its hold.
        until: Timestamp,
    },
}

/// A message that can never be worked off, kept for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poison {
    /// A name for it: the queue's message id.
    pub id: String,
    /// The queue it came from.
    pub queue: String,
    /// Why it is poison.
    pub why: String,
    /// The body as received.
    pub body: String,
    /// When it was put aside.
    pub at: Timestamp,
}

/// Runs and the identity windows beside them.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Takes a run that is new, parked, or whose lease is over.
    async fn claim_run(&self, request: &ClaimRequest) -> Result<Claim, StoreError>;
    /// Moves the end of a lease, if it is still the newest claim of a run at work; a later end that stands already stays.
    async fn renew_run(&self, lease: &Lease, until: Timestamp) -> Result<Lease, StoreError>;
    /// Stores progress and keeps the lease: a provisional decision becomes visible to whoever waits.
    async fn save_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError>;
    /// Stores progress and frees the lease in one write.
    async fn park_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError>;
    /// Frees the lease after a failure; the progress stored last stands.
    async fn free_run(&self, lease: &Lease) -> Result<(), StoreError>;
    /// Stores the final decision.
    async fn decide_run(&self, lease: &Lease, run: &Run) -> Result<(), StoreError>;
    /// Marks a decided run as handed over.
    async fn finish_run(&self, lease: &Lease) -> Result<(), StoreError>;
    /// Reads a run as it stands.
    async fn read_run(&self, id: &RunId) -> Result<Option<StoredRun>, StoreError>;
    /// Asks to be the run that pays for this identity; an earlier hold past its end is taken over. While the holder works
    /// it is [`Window::HeldBy`], whether it has paid or not; afterwards [`Window::PaidBy`] until the paid time ends.
    async fn open_window(&self, identity: &str, run: &RunId, now: Timestamp, until: Timestamp) -> Result<Window, StoreError>;
    /// Marks the identity as paid for until then; only the holder can.
    async fn close_window_paid(&self, identity: &str, run: &RunId, until: Timestamp) -> Result<(), StoreError>;
    /// Ends the hold: the holder has finished or is parked. What it paid for stays paid; anybody else's hold stays.
    async fn free_window(&self, identity: &str, run: &RunId) -> Result<(), StoreError>;
    /// Keeps a message that can never be worked off.
    async fn keep_poison(&self, poison: &Poison) -> Result<(), StoreError>;
}
