use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret as _, SecretString};

use super::HASH_KEY;
use super::source::{form, read};

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
    /// [`SecretNotChanged::HashKey`] for a `hash_key` that is there already; else why it cannot be read or written.
    pub async fn set(&self, name: &str, value: &SecretString) -> Result<(), SecretNotChanged> {
        let mut entries = self.entries().await?;
        if name == HASH_KEY && entries.contains_key(HASH_KEY) {
            return Err(SecretNotChanged::HashKey);
        }
        entries.insert(name.to_owned(), value.expose_secret().to_owned());
        let json = serde_json::to_string(&entries).map_err(|error| SecretNotChanged::Unusable(error.to_string()))?;
        let put = self.client.put_secret_value().secret_id(&self.id).secret_string(json).send().await;
        put.map(drop).map_err(|error| SecretNotChanged::Unusable(crate::aws::failure_words(&error)))
    }

    async fn entries(&self) -> Result<BTreeMap<String, String>, SecretNotChanged> {
        let json = read(&self.client, &self.id).await.map_err(SecretNotChanged::Unusable)?;
        form(&json).map_err(SecretNotChanged::Unusable)
    }
}
