use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret as _, SecretString};

use super::rules::{check_place, check_value};
use super::source::{self, failure};

/// Fills one of the secrets, for the operator's tool; no function has the right to.
#[derive(Clone, Debug)]
pub struct SecretEditor {
    client: Client,
    id: String,
}

/// A secret that could not be read or changed. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretNotChanged {
    /// It cannot be read or written.
    #[error("the secret cannot be used: {0}")]
    Unusable(String),
    /// The key under which everything is stored.
    #[error("hash_key is there already and never changes: people and companies would no longer be found under the new one")]
    HashKey,
    /// A value for `hash_key` that readers would not take.
    #[error("the value cannot be hash_key: {0}")]
    NotAHashKey(String),
    /// The end of a former webhook secret that is no time.
    #[error("{name} is no time; write it as 2026-12-01T00:00:00Z")]
    NotATime {
        /// The name that was to be set.
        name: String,
    },
    /// A vendor's key for the secret of the webhooks.
    #[error(
        "this is the secret of the webhooks; the function that the world reaches may read it, so {name} has no place in it. \
         Use VendorSecretsArn"
    )]
    OfWebhooks {
        /// The name that was to be set.
        name: String,
    },
    /// A webhook's secret for a secret without `hash_key`, which is not that of the webhooks.
    #[error(
        "this secret has no hash_key, so it is not that of the webhooks, and {name} is not read from it. Use WebhookSecretsArn, \
         or set hash_key first if the secret is your own"
    )]
    NotOfWebhooks {
        /// The name that was to be set.
        name: String,
    },
}

impl SecretEditor {
    pub(crate) fn new(client: Client, id: &str) -> Self {
        Self { client, id: id.to_owned() }
    }

    /// The names that have a value, in order.
    ///
    /// # Errors
    /// [`SecretNotChanged::Unusable`] says why it cannot be read.
    pub async fn names(&self) -> Result<Vec<String>, SecretNotChanged> {
        Ok(self.entries().await?.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name).collect())
    }

    /// Gives a name a value and leaves the others as they are. Functions see it within five minutes.
    ///
    /// # Errors
    /// [`SecretNotChanged::HashKey`] for a valid `hash_key` that is there already; a value that readers would not understand; a
    /// name that belongs into the other secret; else why it cannot be read or written.
    pub async fn set(&self, name: &str, value: &SecretString) -> Result<(), SecretNotChanged> {
        check_value(name, value)?;
        let mut entries = self.entries().await?;
        check_place(name, &entries)?;
        entries.insert(name.to_owned(), value.expose_secret().to_owned());
        let json = serde_json::to_string(&entries).map_err(|error| SecretNotChanged::Unusable(error.to_string()))?;
        let put = self.client.put_secret_value().secret_id(&self.id).secret_string(json).send().await;
        put.map(drop).map_err(|error| SecretNotChanged::Unusable(failure(&self.id, &error)))
    }

    async fn entries(&self) -> Result<BTreeMap<String, String>, SecretNotChanged> {
        source::entries(&self.client, &self.id).await.map_err(SecretNotChanged::Unusable)
    }
}
