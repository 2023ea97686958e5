//! The time of this stack.

use domain::units::{Millis, Timestamp};
use pipeline::ports::Clock;
use platform::SystemClock;

/// The machine's clock, ahead by a constant: it still runs at its own speed, so that a call, its timeout and the lease around
/// them keep their proportions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockAhead(pub(crate) Millis);

impl Clock for ClockAhead {
    fn now(&self) -> Timestamp {
        SystemClock.now().after(self.0)
    }
}
