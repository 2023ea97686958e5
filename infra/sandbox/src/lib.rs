//! A stand-in for the vendors and the CRM: Crustdata, company websites, DNS, RDAP and HubSpot, spoken exactly as
//! WIRE-FORMATS says, over people and companies that are all **invented**.
//!
//! `cargo dev` serves it in-process; tests read its books to see what was asked, billed and written.
//! The same seed gives the same bodies. Every company name ends in `(invented)`.
//!
//! # Addresses that misbehave
//! The local part of an email in a person call, or the first label of a domain in a company call, alone or
//! before a dash (`broken-acme.example`):
//!
//! | word | answer |
//! |---|---|
//! | `timeout` | hangs for 30 s, then 504; bills nothing |
//! | `slow` | a good answer after 3 s; billed when the work is done, even if nobody waits for it |
//! | `ratelimited` | 429 for the first two calls, then a good answer |
//! | `alwayslimited` | 429 for ever |
//! | `nomatch` | 200 without a match |
//! | `broken` | 200 with truncated JSON; billed |
//! | `down` | 503 |
//! | `denied` | 401 |
//! | `crmlimited` | HubSpot: the first write gets 429 `TEN_SECONDLY_ROLLING` |
//! | `nomail` | the domain has neither a mail server nor an address |
//! | `nullmx` | the domain says that it takes no mail (RFC 7505) |
//! | `ownmail` | the domain names no mail server: mail goes to its own address |
//! | `unregistered` | the domain does not exist: neither a name nor an entry in its registry |
//! | `newborn` | the domain was registered today |
//! | `crmdown` | HubSpot: the first two writes get 502 |
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod books;
mod crustdata;
mod handle;
mod html;
mod hubspot;
mod inspect;
mod magic;
mod pace;
mod registry;
mod universe;
mod website;

pub use books::{Billing, RequestCount, email_key};
pub use crustdata::{EMPTY_KEY, KEY as CRUSTDATA_KEY};
pub use handle::{Latency, Options, Sandbox, serve};
pub use hubspot::{Contact, TOKEN as HUBSPOT_TOKEN};
