use async_trait::async_trait;
use secrecy::SecretString;

/// A secret that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret `{name}` cannot be read: {why}")]
pub struct SecretUnavailable {
    /// Its name.
    pub name: String,
    /// Why, and what to do about it.
    pub why: String,
}

/// Secrets by name.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret of this name, such as `crustdata_api_key`.
    async fn secret(&self, name: &str) -> Result<SecretString, SecretUnavailable>;
    /// Forgets what is cached of it: whoever was refused with it asks once more.
    async fn refresh(&self, name: &str);
}
