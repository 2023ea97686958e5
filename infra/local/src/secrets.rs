//! The secrets of this machine's own stack: known to everybody, worth nothing elsewhere.

use async_trait::async_trait;
use domain::identity::{HashKey, WeakHashKey};
use intake::sample::local_secret;
use intake::{Keys, KeysUnavailable, WebhookSecret};
use pipeline::ports::{SecretUnavailable, Secrets};
use secrecy::SecretString;

/// Secrets for the sandbox.
#[derive(Debug)]
pub(crate) struct LocalSecrets;

#[async_trait]
impl Secrets for LocalSecrets {
    async fn secret(&self, name: &str) -> Result<SecretString, SecretUnavailable> {
        match name {
            "crustdata_api_key" => Ok(sandbox::CRUSTDATA_KEY.into()),
            "hubspot_token" => Ok(sandbox::HUBSPOT_TOKEN.into()),
            _ => Err(SecretUnavailable {
                name: name.to_owned(),
                why: "the local stack has no such secret; add it to infra/local/src/secrets.rs".to_owned(),
            }),
        }
    }

    async fn refresh(&self, _name: &str) {}
}

#[async_trait]
impl Keys for LocalSecrets {
    async fn webhook_secrets(&self, issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        Ok(local_secret(issuer).map(|value| WebhookSecret { value: value.into(), until: None }).into_iter().collect())
    }
}

/// The key under which people are hashed here; fixed, so that `--data` is found again.
///
/// # Errors
/// Never: the key is long enough.
pub fn hash_key() -> Result<HashKey, WeakHashKey> {
    HashKey::new(b"local hash key, for this machine only".to_vec())
}
