use async_trait::async_trait;
use domain::units::Timestamp;
use intake::{Keys, KeysUnavailable, WebhookSecret};
use secrecy::ExposeSecret as _;

use super::SecretReader;

/// The secrets of webhooks are `webhook_secret_<issuer>`, and while one is being changed `webhook_secret_<issuer>_previous`
/// with its end in `webhook_secret_<issuer>_previous_until` (RFC 3339).
#[async_trait]
impl Keys for SecretReader {
    async fn webhook_secrets(&self, issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        self.secrets_of(issuer).await.map_err(|why| {
            tracing::error!(why, "the webhook secrets cannot be read");
            KeysUnavailable
        })
    }
}

impl SecretReader {
    async fn secrets_of(&self, issuer: &str) -> Result<Vec<WebhookSecret>, String> {
        let name = format!("webhook_secret_{issuer}");
        let current = self.find(&name).await?.map(|value| WebhookSecret { value, until: None });
        let mut secrets: Vec<WebhookSecret> = current.into_iter().collect();
        if let Some(value) = self.find(&format!("{name}_previous")).await? {
            let until_name = format!("{name}_previous_until");
            let until = self.find(&until_name).await?.and_then(|until| Timestamp::parse(until.expose_secret()));
            // A former secret without an end would be a second secret for ever.
            match until {
                Some(until) => secrets.push(WebhookSecret { value, until: Some(until) }),
                None => {
                    tracing::error!(name = until_name, "the former webhook secret is not used: give its end, such as 2026-12-01T00:00:00Z")
                }
            }
        }
        Ok(secrets)
    }
}
