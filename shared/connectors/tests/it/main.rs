//! The connectors against servers on loopback: what is sent, and what each kind of answer means.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test helper that fails should stop its test")]

mod batch;
mod files;
mod hubspot;
mod journey;
mod presets;
mod requests;
mod sandbox_world;
mod vendor;
mod website;
mod world;
