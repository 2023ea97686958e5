//! How the work on one message ended.

use domain::run::Run;
use domain::signup::RunId;
use domain::units::Timestamp;

use crate::messages::Unreadable;
use crate::ports::{Poison, QueueError, Runs, StoreError};

/// The message may be deleted: its work is finished, or a copy of it is in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worked {
    /// The run is decided and handed over.
    Finished {
        /// The run as decided. Boxed, for it is large.
        run: Box<Run>,
    },
    /// The run was finished before: the same delivery came again, and nothing was done.
    Repeated {
        /// The run.
        run: RunId,
    },
    /// A copy of the message waits in the queue until then.
    Parked {
        /// The run.
        run: RunId,
        /// When it goes on.
        until: Timestamp,
        /// What it waits for.
        why: &'static str,
    },
    /// It can never be worked off and is kept with its reason.
    Poisoned {
        /// The reason, without personal data.
        why: String,
    },
    /// The CRM was written.
    Written {
        /// Whether the contact is new there.
        created: bool,
    },
    /// There was nothing to write.
    NothingToWrite {
        /// Why.
        why: &'static str,
    },
}

/// Keeps a message that can never be worked off, with its reason.
///
/// # Errors
/// [`Retry`] when the store failed: better again than lost.
pub async fn put_aside(runs: &dyn Runs, poison: Poison) -> Result<Worked, Retry> {
    runs.keep_poison(&poison).await?;
    Ok(Worked::Poisoned { why: poison.why })
}

/// The message must come again: the queue shows it once its visibility ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Retry(pub String);

impl From<StoreError> for Retry {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<QueueError> for Retry {
    fn from(error: QueueError) -> Self {
        Self(error.to_string())
    }
}

impl From<Unreadable> for Retry {
    fn from(error: Unreadable) -> Self {
        Self(error.to_string())
    }
}
