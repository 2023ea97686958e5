//! The way in, and its mirror for tools: verify before parsing, sign as the issuer would.

use domain::signup::Signup;
use domain::units::Timestamp;
use http::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};

use crate::issuers::{self, Issuer};
use crate::keys::{Keys, KeysUnavailable, WebhookSecret};
use crate::problem::Problem;
use crate::request::RawRequest;
use crate::signature::{InvalidSecret, Secret, SignedHeaders};

/// What a verified request says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one event a request, moved once")]
pub enum Event {
    /// Somebody signed up.
    Signup(Signup),
    /// Nothing to do: answer 2xx, so that the issuer does not send it again.
    Ignored {
        /// The reason, for our logs.
        why: &'static str,
    },
}

/// Takes a request from an issuer: limits, secrets, signature, and only then the body.
///
/// # Errors
/// The [`Problem`] to answer with. [`Problem::SecretsUnavailable`] is the only one that sending again can mend.
pub async fn accept(issuer_name: &str, request: RawRequest, keys: &dyn Keys, now: Timestamp) -> Result<Event, Problem> {
    let issuer = issuers::by_name(issuer_name).ok_or(Problem::UnknownIssuer)?;
    request.check_limits()?;
    let stored = keys.webhook_secrets(issuer.name()).await.map_err(|KeysUnavailable| Problem::SecretsUnavailable)?;
    let secrets = active_secrets(issuer, &stored, now);
    if secrets.is_empty() {
        return Err(Problem::SecretsUnavailable);
    }
    let verified = issuer.verify(&request, &secrets, now).map_err(Problem::SignatureRefused)?;
    issuer.parse(&verified)
}

/// Passes over a secret that cannot be used, so that a typing error in the new secret does not turn away what the old one signs;
/// [`check_secret`] is how it is noticed.
fn active_secrets(issuer: &dyn Issuer, stored: &[WebhookSecret], now: Timestamp) -> Vec<Secret> {
    let active = stored.iter().filter(|secret| secret.is_active(now));
    active.filter_map(|secret| issuer.decode_secret(secret.value.expose_secret()).ok()).collect()
}

/// Checks a secret when it is loaded or configured, before any signup depends on it.
///
/// # Errors
/// [`SignError`] says whether the issuer or the secret is wrong.
pub fn check_secret(issuer_name: &str, secret: &SecretString) -> Result<(), SignError> {
    load(issuer_name, secret).map(drop)
}

/// The headers under which an issuer would send `body`, content type included. Without a `delivery` id the issuer's own way
/// of naming deliveries is followed.
///
/// # Errors
/// [`SignError`] says whether the issuer or the secret is wrong.
pub fn sign(
    issuer_name: &str,
    body: &[u8],
    secret: &SecretString,
    delivery: Option<&str>,
    now: Timestamp,
) -> Result<SignedHeaders, SignError> {
    let (issuer, secret) = load(issuer_name, secret)?;
    let mut headers = vec![(CONTENT_TYPE.as_str(), "application/json".to_owned())];
    headers.extend(issuer.sign(body, &secret, delivery, now));
    Ok(headers)
}

fn load(issuer_name: &str, secret: &SecretString) -> Result<(&'static dyn Issuer, Secret), SignError> {
    let issuer = issuers::by_name(issuer_name).ok_or(SignError::UnknownIssuer)?;
    Ok((issuer, issuer.decode_secret(secret.expose_secret())?))
}

/// Why nothing can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// No issuer of this name.
    #[error("no issuer of this name; write signup or clerk")]
    UnknownIssuer,
    /// The secret cannot sign.
    #[error(transparent)]
    InvalidSecret(#[from] InvalidSecret),
}
