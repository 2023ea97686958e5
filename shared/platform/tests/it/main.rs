//! The platform against a real `DynamoDB` protocol (dynoxide in process) and against `stand-in`, which speaks SQS and
//! Secrets Manager on the wire.
#![expect(clippy::unwrap_used, reason = "clippy.toml exempts test functions, not the helpers they share")]

mod batch;
mod claims;
mod credits;
mod database;
mod faults;
mod ports;
mod proxy;
mod records;
mod secret_editor;
mod settings;
mod tables;
mod wire;
