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
        let answer = self.client.get_secret_value().secret_id(&self.id).send().await;
        let answer = answer.map_err(|error| format!("Secrets Manager: {}", crate::aws::failure_words(&error)))?;
        parse(answer.secret_string().ok_or("the secret is binary; store a JSON object of names and texts")?)
    }
}

pub(super) fn parse(json: &str) -> Result<Values, String> {
    let texts: std::collections::BTreeMap<String, String> = serde_json::from_str(json).map_err(|error| {
        // serde_json's own text would repeat the value.
        format!(
            "the secret is no JSON object of names and texts: {:?} error at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        )
    })?;
    Ok(texts.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect())
}
