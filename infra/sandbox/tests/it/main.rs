//! The sandbox seen from outside: every rule of the wire formats that it speaks.
#![expect(clippy::unwrap_used, reason = "a test helper that fails should stop its test")]

mod billing;
mod client;
mod crustdata;
mod hubspot;
mod inspect;
mod magic;
mod universe;
mod website;
