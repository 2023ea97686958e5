//! Signature families: what an issuer signs, with what, and where it puts the result (WIRE-FORMATS §3.1).

pub(crate) mod standard_webhooks;
pub(crate) mod timestamped;

use domain::units::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use crate::request::RawRequest;

/// The headers that carry a signature, names in lower case.
pub type SignedHeaders = Vec<(&'static str, String)>;

/// How far the signed moment may lie from ours, in seconds, in both directions.
const TOLERANCE_SECONDS: u64 = 300;

/// Signatures looked at in one request; more would be work that a stranger orders.
const SIGNATURES_MAX: usize = 16;

/// The longest delivery id that is taken, in bytes; issuers use about 30.
const DELIVERY_MAX_BYTES: usize = 256;

/// A request whose signature held. Only the verifiers in this folder make one, and issuers read bodies from nothing else.
pub(crate) struct Verified<'a> {
    request: &'a RawRequest,
    delivery: Option<&'a str>,
}

impl<'a> Verified<'a> {
    /// The signed bytes.
    pub(crate) fn body(&self) -> &'a [u8] {
        &self.request.body
    }

    /// The delivery id, where the family signs one.
    pub(crate) fn delivery(&self) -> Option<&'a str> {
        self.delivery
    }

    /// The whole request. Its headers are not signed, but for the ones the family names.
    pub(crate) fn request(&self) -> &'a RawRequest {
        self.request
    }
}

/// Why a signature was refused. For our logs; the sender learns only that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header of the family is absent or not ASCII.
    #[error("a signature header is missing or not ASCII")]
    Missing,
    /// A header of the family does not read as documented.
    #[error("a signature header is malformed")]
    Malformed,
    /// Signed more than five minutes ago, or in the future.
    #[error("the signed moment is more than 300 seconds from now")]
    Stale,
    /// No signature is right under any active secret.
    #[error("no signature matches under an active secret")]
    NoMatch,
}

/// A secret that cannot sign anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Nothing in it: anybody could sign with that.
    #[error("the webhook secret is empty; copy it from the issuer's dashboard")]
    Empty,
    /// Not base64 after `whsec_`.
    #[error("the webhook secret is not base64; copy it from the issuer's dashboard, with its whsec_ prefix")]
    NotBase64,
}

/// The key of an HMAC, decoded as its family wants it, and never empty.
pub(crate) struct Secret(SecretSlice<u8>);

impl Secret {
    fn new(bytes: Vec<u8>) -> Result<Self, InvalidSecret> {
        if bytes.is_empty() { Err(InvalidSecret::Empty) } else { Ok(Self(bytes.into())) }
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length, so this cannot fail")]
    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes any key length");
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// Whether one of the signatures is right under one of the secrets. Each comparison takes the same time for any signature
/// of the right length.
fn any_matches(secrets: &[Secret], parts: &[&[u8]], signatures: &[Vec<u8>]) -> Result<(), Refusal> {
    for secret in secrets {
        let mac = secret.mac(parts);
        if signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()) {
            return Ok(());
        }
    }
    Err(Refusal::NoMatch)
}

/// Checks a signed moment, in whole seconds written as digits only.
fn check_moment(text: &str, now: Timestamp) -> Result<(), Refusal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Malformed);
    }
    let signed_at: i64 = text.parse().map_err(|_| Refusal::Malformed)?;
    if signed_at.abs_diff(now.seconds()) > TOLERANCE_SECONDS { Err(Refusal::Stale) } else { Ok(()) }
}
