use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::SecretString;

use super::Values;

/// Where the values come from: Secrets Manager, or a test's script.
#[async_trait]
pub(super) trait Source: Send + Sync {
    /// Reads them all. The error says why without a word of them.
    async fn read(&self) -> Result<Values, String>;
}

/// Secrets Manager.
pub(super) struct Manager {
    pub(super) client: Client,
    pub(super) id: String,
}

#[async_trait]
impl Source for Manager {
    async fn read(&self) -> Result<Values, String> {
        Ok(secret(entries(&self.client, &self.id).await?))
    }
}

/// The names and texts of one secret. The error names it: a function may read two.
pub(super) async fn entries(client: &Client, id: &str) -> Result<BTreeMap<String, String>, String> {
    let answer = client.get_secret_value().secret_id(id).send().await.map_err(|error| failure(id, &error))?;
    let json = answer.secret_string().ok_or_else(|| said_of(id, "it is binary; store a JSON object of names and texts"))?;
    form(json).map_err(|why| said_of(id, &why))
}

/// What went wrong with one secret, without a word of it.
pub(super) fn failure<E: ProvideErrorMetadata, R>(id: &str, error: &SdkError<E, R>) -> String {
    said_of(id, &crate::aws::failure_words(error))
}

fn said_of(id: &str, what: &str) -> String {
    format!("Secrets Manager, secret {id}: {what}")
}

fn secret(entries: BTreeMap<String, String>) -> Values {
    entries.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect()
}

#[cfg(test)]
pub(super) fn parse(json: &str) -> Result<Values, String> {
    form(json).map(secret)
}

fn form(json: &str) -> Result<BTreeMap<String, String>, String> {
    serde_json::from_str(json).map_err(|error| {
        // serde_json's own text would repeat the value.
        format!("it is no JSON object of names and texts: {:?} error at line {} column {}", error.classify(), error.line(), error.column())
    })
}
