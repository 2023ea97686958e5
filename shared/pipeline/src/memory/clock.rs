use std::sync::atomic::{AtomicU64, Ordering};

use domain::units::{Millis, Timestamp};

use crate::ports::{Clock, Entropy};

/// A clock that starts at a chosen moment and runs with tokio's timers: in a paused runtime it is virtual.
#[derive(Debug)]
pub struct TokioClock {
    start: Timestamp,
    since: tokio::time::Instant,
}

impl TokioClock {
    /// Starts at `start`.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, since: tokio::time::Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.start.after(Millis::from_duration(self.since.elapsed()))
    }
}

/// Names in the order they were asked for, so that a test can be repeated.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU64);

impl CountingEntropy {
    /// Names from this number on, for a worker of its own.
    #[must_use]
    pub const fn starting_at(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl Entropy for CountingEntropy {
    fn name(&self) -> String {
        format!("{:022}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}
