//! The secrets of the sandbox and of the samples, known to everybody.

use async_trait::async_trait;
use intake::sample::local_secret;
use intake::{Keys, KeysUnavailable, WebhookSecret};
use pipeline::ports::{SecretUnavailable, Secrets};
use secrecy::SecretString;

#[derive(Debug)]
pub(crate) struct BenchKeys;

#[async_trait]
impl Secrets for BenchKeys {
    async fn secret(&self, name: &str) -> Result<SecretString, SecretUnavailable> {
        match name {
            "crustdata_api_key" => Ok(sandbox::CRUSTDATA_KEY.into()),
            _ => Err(SecretUnavailable { name: name.to_owned(), why: "the benches ask Crustdata only".to_owned() }),
        }
    }

    async fn refresh(&self, _name: &str) {}
}

#[async_trait]
impl Keys for BenchKeys {
    async fn webhook_secrets(&self, issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        Ok(local_secret(issuer).map(|value| WebhookSecret { value: value.into(), until: None }).into_iter().collect())
    }
}
