//! The edge: a raw webhook request becomes a verified one, and only a verified one becomes a [`domain::signup::Signup`].
//!
//! Pure but for the look-up of secrets behind [`Keys`]. The way in is [`accept`]; [`sign`] is its mirror, for tools that
//! send samples as the issuer would. A new issuer is one file in `issuers/` and one line in its list; most reuse a
//! signature family of `signature/`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod accept;
mod document;
mod issuers;
mod keys;
mod problem;
mod profile;
mod request;
pub mod sample;
mod signature;
mod text;

pub use accept::{Event, SignError, accept, check_secret, sign};
pub use keys::{Keys, KeysUnavailable, WebhookSecret};
pub use problem::Problem;
pub use request::{BODY_MAX_BYTES, RawRequest};
pub use signature::{InvalidSecret, Refusal, SignedHeaders};
