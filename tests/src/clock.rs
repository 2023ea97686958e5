//! A clock that stands still, so that a test and a count come out the same every time.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::units::{Millis, Timestamp};
use pipeline::ports::Clock;

/// Noon of 20 November 2026.
pub const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// Starts at [`START`] and stands still until it is moved.
#[derive(Debug)]
pub struct HandClock(AtomicI64);

impl HandClock {
    /// Moves it ahead.
    pub fn pass(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Default for HandClock {
    fn default() -> Self {
        Self(AtomicI64::new(START.millis()))
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
