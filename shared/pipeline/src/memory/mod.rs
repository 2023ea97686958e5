//! The ports in memory: for tests, the simulator and `cargo dev`.

mod books;
mod clock;
mod decided_runs;
mod faulty;
mod poison;
mod queue;
mod run_log;
mod settings;
mod store;

pub use clock::{CountingEntropy, TokioClock};
pub use faulty::{Fate, Faulty, Hook};
pub use queue::MemoryQueue;
pub use store::MemoryStore;
