//! Secrets of Secrets Manager, each a JSON object from name to value, read through one cache (RELIABILITY §3, ADR 0006).

mod editor;
mod rules;
mod source;
mod webhooks;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use domain::identity::HashKey;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{Clock, SecretUnavailable, Secrets};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

pub use editor::{SecretEditor, SecretNotChanged};
use rules::parse_hash_key;
use source::{Manager, Source};

/// How long what was read is believed.
const BELIEVED: Millis = Millis::minutes(5);
/// After a failed reading the old values serve this long before the next try.
const PAUSE_AFTER_FAILURE: Millis = Millis::seconds(10);
/// The name under which the key for hashing people is kept.
const HASH_KEY: &str = "hash_key";

/// The ids or ARNs of the secrets that a function may read; their names are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsIds(Vec<String>);

impl SecretsIds {
    /// The environment variable that holds them.
    pub const VARIABLE: &'static str = "SECRETS_ID";

    /// Takes ids, separated by commas, in the order in which they are read. A name that stands in two has the value of the first.
    #[must_use]
    pub fn new(ids: &str) -> Self {
        Self(ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect())
    }
}

type Values = BTreeMap<String, SecretString>;

/// Secrets by name: each place is read when a name is not in those before it, once for all callers, believed for five minutes,
/// and stale when it cannot be read again. So a function reads at its start what it needs at its start.
pub struct SecretReader {
    places: Vec<Place>,
    clock: Arc<dyn Clock>,
}

/// One of the secrets that a function may read.
struct Place {
    source: Box<dyn Source>,
    // Held while reading, so that many callers wait for one reading.
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    values: Arc<Values>,
    read_again_at: Timestamp,
}

impl fmt::Debug for SecretReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretReader([secret])")
    }
}

impl SecretReader {
    pub(crate) fn of_manager(client: Client, ids: SecretsIds, clock: Arc<dyn Clock>) -> Self {
        Self::of(ids.0.into_iter().map(|id| Box::new(Manager { client: client.clone(), id }) as Box<dyn Source>), clock)
    }

    fn of(sources: impl IntoIterator<Item = Box<dyn Source>>, clock: Arc<dyn Clock>) -> Self {
        let places = sources.into_iter().map(|source| Place { source, cached: Mutex::new(None) });
        Self { places: places.collect(), clock }
    }

    /// The key under which people are hashed: secret `hash_key`, at least 16 bytes in URL-safe base64.
    ///
    /// # Errors
    /// Says whether it cannot be read, or what is wrong with it.
    pub async fn hash_key(&self) -> Result<HashKey, SecretUnavailable> {
        let text = self.secret(HASH_KEY).await?;
        parse_hash_key(text.expose_secret()).map_err(|error| wrong(HASH_KEY, &error.to_string()))
    }

    /// The value of a name in the first place that has one.
    async fn find(&self, name: &str) -> Result<Option<SecretString>, String> {
        for place in &self.places {
            let values = place.values(self.clock.now()).await?;
            if let Some(value) = values.get(name).filter(|value| !value.expose_secret().is_empty()) {
                return Ok(Some(value.clone()));
            }
        }
        Ok(None)
    }
}

impl Place {
    /// The values, read again when their time is over.
    async fn values(&self, now: Timestamp) -> Result<Arc<Values>, String> {
        let mut cached = self.cached.lock().await;
        if let Some(fresh) = cached.as_ref().filter(|cached| now < cached.read_again_at) {
            return Ok(Arc::clone(&fresh.values));
        }
        let (values, believed) = match (self.source.read().await, cached.as_ref()) {
            (Ok(values), _) => (Arc::new(values), BELIEVED),
            (Err(why), Some(stale)) => {
                tracing::warn!(why, "the secrets cannot be read again; those read before serve on");
                (Arc::clone(&stale.values), PAUSE_AFTER_FAILURE)
            }
            (Err(why), None) => return Err(why),
        };
        *cached = Some(Cached { values: Arc::clone(&values), read_again_at: now.after(believed) });
        Ok(values)
    }
}

#[async_trait]
impl Secrets for SecretReader {
    async fn secret(&self, name: &str) -> Result<SecretString, SecretUnavailable> {
        let value = self.find(name).await.map_err(|why| wrong(name, &why))?;
        value.ok_or_else(|| wrong(name, "add it to the secret: `millrace secret set`"))
    }

    async fn refresh(&self, _name: &str) {
        // All names of a place come in one reading, so all are read again; what is cached serves on if that fails.
        for place in &self.places {
            if let Some(cached) = place.cached.lock().await.as_mut() {
                cached.read_again_at = Timestamp::default();
            }
        }
    }
}

fn wrong(name: &str, why: &str) -> SecretUnavailable {
    SecretUnavailable { name: name.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests;
