//! How many runs an invocation works on at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many as the queues give at once whose runs somebody may wait for: those never wait for a desk.
const DESKS: usize = 10;

/// Places to work at. A hundred runs that begin in the same moment would all ask the store at once, and a function's share of a
/// processor would not send all of it in the time that a request has. A run that waits for others to fill a batch leaves its place.
#[derive(Clone)]
pub struct Desks(Arc<Semaphore>);

/// A place that is taken until it is dropped.
pub(super) struct Desk(Option<OwnedSemaphorePermit>);

impl Default for Desks {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(DESKS)))
    }
}

impl Desks {
    /// Waits for a place; whoever came first is first.
    pub(super) async fn take(&self) -> Desk {
        // Nobody closes it.
        Desk(Arc::clone(&self.0).acquire_owned().await.ok())
    }
}

impl Desk {
    /// Frees the place.
    pub(super) fn leave(&mut self) {
        self.0 = None;
    }
}
