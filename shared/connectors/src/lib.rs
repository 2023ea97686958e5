//! Speaks HTTP to the outside: providers as their connector files say, the CRM, company websites; implements
//! pipeline's ports. Everything goes out through one guarded client.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod batch;
mod builtin;
mod check;
mod configure;
mod connector;
mod document;
mod egress;
mod endpoints;
mod example;
mod hubspot;
mod literal;
mod load;
mod normalise;
mod path;
mod provider;
mod reach;
mod request;
mod wait;
mod wanted;

pub use configure::{configure, configure_for_use};
pub use connector::{About, Connector, RateLimit, Resale};
pub use egress::{Egress, EgressError};
pub use endpoints::{Endpoints, InvalidEndpoint, UnknownEndpoint};
pub use hubspot::HubSpot;
pub use load::{Connectors, load};
pub use provider::HttpProvider;
pub use reach::{NotConfigured, Reach};
