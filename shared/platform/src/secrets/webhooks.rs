use async_trait::async_trait;
use domain::units::Timestamp;
use intake::{Keys, KeysUnavailable, WebhookSecret};
use secrecy::{ExposeSecret as _, SecretString};

use super::{SecretReader, Values};

/// The secrets of webhooks are `webhook_secret_<issuer>`, and while one is being changed `webhook_secret_<issuer>_previous`
/// with its end in `webhook_secret_<issuer>_previous_until` (RFC 3339).
#[async_trait]
impl Keys for SecretReader {
    async fn webhook_secrets(&self, issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        let values = self.values().await.map_err(|why| {
            tracing::error!(why, "the webhook secrets cannot be read");
            KeysUnavailable
        })?;
        Ok(secrets_of(issuer, &values))
    }
}

fn secrets_of(issuer: &str, values: &Values) -> Vec<WebhookSecret> {
    let name = format!("webhook_secret_{issuer}");
    let set = |name: &str| values.get(name).filter(|value| !value.expose_secret().is_empty()).cloned();
    let mut secrets: Vec<WebhookSecret> = set(&name).into_iter().map(|value| WebhookSecret { value, until: None }).collect();
    if let Some(value) = set(&format!("{name}_previous")) {
        let until_name = format!("{name}_previous_until");
        let until = set(&until_name).and_then(|until: SecretString| Timestamp::parse(until.expose_secret()));
        // A former secret without an end would be a second secret for ever.
        match until {
            Some(until) => secrets.push(WebhookSecret { value, until: Some(until) }),
            None => tracing::error!(name = until_name, "the former webhook secret is not used: give its end, such as 2026-12-01T00:00:00Z"),
        }
    }
    secrets
}
