//! A small world around the real use cases: a store, queues, a provider that bills and a CRM that keeps, all in memory and in
//! virtual time, with every invariant of RELIABILITY §1 watched as it runs. The crash matrix and the simulator share it.
#![allow(clippy::expect_used, clippy::panic, reason = "a world for tests may fail loudly")]

mod audited_ledger;
mod audited_queue;
mod audited_store;
mod contacts;
mod ground;
mod lambda;
mod truth;
mod vendor;
mod weakness;
mod world;

pub use contacts::{Contact, Contacts, CrmConduct};
pub use ground::Ground;
pub use lambda::{Crash, Worker};
pub use truth::Person;
pub use vendor::{Behaves, Conduct, Vendor};
pub use weakness::Weakness;
pub use world::{Plan, START, World};
