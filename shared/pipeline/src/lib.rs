//! The async shell around the pure core: the ports it needs and the use cases that carry decisions out.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod conformance;
pub mod dead_letters;
pub mod enrich;
pub mod gather;
pub mod hold;
pub mod memory;
pub mod messages;
mod owners;
pub mod ports;
pub mod redecide;
pub mod sweep;
pub mod versions;
pub mod watch;
pub mod work;
pub mod write_back;
