//! The use cases on the ports in memory, in virtual time, with a provider and a CRM that do as each case says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod batch;
mod cache;
mod dead_letters;
mod earlier;
mod enrich;
mod faults;
mod gather;
mod learning;
mod money;
mod redecide;
mod redecide_versions;
mod replay;
mod sweep;
mod together;
mod versions;
mod waiting;
mod world;
mod write_back;
