//! Where the secrets come from that issuers sign with.

use std::fmt;

use async_trait::async_trait;
use domain::units::Timestamp;
use secrecy::SecretString;

/// One secret an issuer signs with, as stored. Two may be active at once, so that a secret can be changed without losing a signup.
#[derive(Clone)]
pub struct WebhookSecret {
    /// The secret as the issuer shows it, such as `whsec_…`.
    pub value: SecretString,
    /// The first moment at which it no longer counts; `None` for the current secret.
    pub until: Option<Timestamp>,
}

impl WebhookSecret {
    /// Whether a signature made with this secret still counts at `now`.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSecret").field("until", &self.until).finish_non_exhaustive()
    }
}

/// The secrets could not be read just now; the sender is asked to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook secrets cannot be read at the moment")]
pub struct KeysUnavailable;

/// A place that keeps webhook secrets.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The secrets of one issuer, in any order; empty when none is set up.
    ///
    /// # Errors
    /// [`KeysUnavailable`] when the place does not answer; the caller answers 503 and the sender retries.
    async fn webhook_secrets(&self, issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable>;
}
