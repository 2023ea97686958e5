//! A model of the chain accept → claim → window → reserve → call → keep → settle → record → decide → hand over → write back, with
//! the sweep beside it, checked exhaustively. It drives the real step functions: a worker of the model is a replay of
//! `signup_webhook::handle`, `Enrich::work`, `WriteBack::work` or `Sweep::tick` up to its next request, which then takes effect as one step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may fail loudly, and say what they counted"
)]

mod breakage;
mod chain;
mod job;
mod outside;
mod ports;
mod properties;
mod scenarios;
mod setup;
mod shared;
mod stored;
mod wire;
mod world;
