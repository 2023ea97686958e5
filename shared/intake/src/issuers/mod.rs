//! The issuers of signups. To add one: a file here that says which signature family it uses and where its fields are, and a
//! line in [`ISSUERS`].

mod clerk;
mod form;

use domain::units::{Millis, Timestamp};

use crate::accept::Event;
use crate::problem::Problem;
use crate::request::RawRequest;
use crate::signature::{InvalidSecret, Refusal, Secret, SignedHeaders, Verified};

const ISSUERS: [&dyn Issuer; 2] = [&form::Form, &clerk::Clerk];

/// A signup that is said to be older than this is taken to be this old: a replay or a mistyped year must not age its values.
const AGE_MAX: Millis = Millis::days(30);

/// When a signup happened, as far as its issuer can be believed: not after it reached us, and at most 30 days before.
fn believable(said: Timestamp, received_at: Timestamp) -> Timestamp {
    said.clamp(received_at.before(AGE_MAX), received_at)
}

/// The issuer behind `/webhook/{name}`.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn Issuer> {
    ISSUERS.into_iter().find(|issuer| issuer.name() == name)
}

/// Somebody who tells of signups. The order of its verbs is in their types: only `verify` gives what `parse` takes.
pub(crate) trait Issuer: Sync {
    /// The name in the path and in `Signup::issuer`.
    fn name(&self) -> &'static str;

    /// Reads a stored secret as this issuer's signature family wants it.
    fn decode_secret(&self, text: &str) -> Result<Secret, InvalidSecret>;

    /// Checks that the issuer sent this, within five minutes of `now`.
    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret], now: Timestamp) -> Result<Verified<'a>, Refusal>;

    /// Reads what the issuer says.
    fn parse(&self, verified: &Verified<'_>) -> Result<Event, Problem>;

    /// The headers under which the issuer would send `body`.
    fn sign(&self, body: &[u8], secret: &Secret, delivery: Option<&str>, now: Timestamp) -> SignedHeaders;
}
