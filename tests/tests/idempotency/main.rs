//! The cases of RELIABILITY §2 (IDP, BAT) that the whole use case answers for, on the store in memory and on `DynamoDB`'s protocol.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod bat;
mod idp;
mod world;
