//! End-to-end tests; see `tests/`. What several of them need stands here.

pub mod clock;
pub mod sim;
pub mod template;
