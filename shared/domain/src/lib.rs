//! The pure core of Millrace: every decision about a signup, and nothing that touches the world.
//!
//! No clock, no randomness, no network, no environment: what a decision needs comes in as an argument,
//! so that the same log always gives the same decision.
#![warn(missing_docs)]

pub mod condition;
pub mod confidence;
pub mod config;
pub mod consistency;
pub mod coverage;
pub mod credits;
pub mod decide;
pub mod decision;
pub mod derived;
pub mod eligibility;
pub mod flip;
pub mod freshness;
pub mod gate;
pub mod identity;
pub mod merge;
pub mod observation;
pub mod plan;
pub mod possible;
pub mod priority;
pub mod record;
pub mod replay;
pub mod reply;
pub mod route;
pub mod rules;
pub mod run;
pub mod schema;
pub mod score;
pub mod seen;
pub mod signup;
pub mod steady;
pub mod template;
pub mod tier;
pub mod units;
pub mod value;
pub mod vertical;
pub mod what_if;
pub mod writeback;
