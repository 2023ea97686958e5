use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
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
        parse(&read(&self.client, &self.id).await?)
    }
}

/// The text of one secret.
pub(super) async fn read(client: &Client, id: &str) -> Result<String, String> {
    let answer = client.get_secret_value().secret_id(id).send().await;
    let answer = answer.map_err(|error| format!("Secrets Manager: {}", crate::aws::failure_words(&error)))?;
    answer.secret_string().map(str::to_owned).ok_or_else(|| "the secret is binary; store a JSON object of names and texts".to_owned())
}

pub(super) fn parse(json: &str) -> Result<Values, String> {
    Ok(form(json)?.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect())
}

/// The names and texts of a secret.
pub(super) fn form(json: &str) -> Result<BTreeMap<String, String>, String> {
    serde_json::from_str(json).map_err(|error| {
        // serde_json's own text would repeat the value.
        format!(
            "the secret is no JSON object of names and texts: {:?} error at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        )
    })
}
