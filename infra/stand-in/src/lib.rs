//! What plays AWS around one function's process: the Runtime API that invokes it, and the services that it calls.
//! For tests and benchmarks on loopback; nothing here is deployed.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod aws;
mod event;
mod expect;
mod function;
mod runtime_api;
mod sqs;

pub use aws::AwsEndpoint;
pub use event::{post_event, sample_event};
pub use expect::{failure_of, failures, log_of};
pub use function::{Function, Started};
pub use runtime_api::{Outcome, RuntimeApi};
