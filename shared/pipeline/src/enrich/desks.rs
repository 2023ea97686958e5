//! How many runs an invocation works on at the same time.

use std::sync::Arc;

use domain::units::Millis;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many as the queues give at once whose runs somebody may wait for: those never wait for a desk.
const DESKS: usize = 10;

/// Places to work at. A hundred runs that begin in the same moment would all ask the store at once, and a function's share of a
/// processor would not send all of it in the time that a request has. A run that waits for others to fill a batch leaves its place,
/// and comes back to one that nobody who has not begun can take from it.
#[derive(Clone)]
pub struct Desks {
    begin: Arc<Semaphore>,
    come_back: Arc<Semaphore>,
    write: Arc<Semaphore>,
}

/// A place that is taken until it is dropped.
pub(super) struct Desk(Option<OwnedSemaphorePermit>);

impl Default for Desks {
    fn default() -> Self {
        let places = || Arc::new(Semaphore::new(DESKS));
        Self { begin: places(), come_back: places(), write: places() }
    }
}

impl Desks {
    /// Waits for a place to begin at, so long at most; whoever came first is first. Without any patience a free place is taken still.
    pub(super) async fn take(&self, patience: Millis) -> Option<Desk> {
        tokio::time::timeout(patience.to_std(), place(&self.begin)).await.ok()
    }

    /// Waits for a place to go on at.
    pub(super) async fn come_back(&self) -> Desk {
        place(&self.come_back).await
    }

    /// Waits for the turn to write down what a shared request brought: all who share it would write in the same moment.
    pub(super) async fn turn_to_write(&self) -> Desk {
        place(&self.write).await
    }
}

/// Nobody closes it.
async fn place(places: &Arc<Semaphore>) -> Desk {
    Desk(Arc::clone(places).acquire_owned().await.ok())
}

impl Desk {
    /// Frees the place.
    pub(super) fn leave(&mut self) {
        self.0 = None;
    }
}
