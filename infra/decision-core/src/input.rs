//! The fixed input: a signed signup, what the providers answer, and the configuration.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use async_trait::async_trait;
use domain::config::Sources;
use domain::units::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use intake::{Keys, KeysUnavailable, RawRequest, WebhookSecret};
use serde::Deserialize;

/// As they are shipped.
const SHIPPED: [&str; 3] = ["connectors/crustdata.company.yaml", "connectors/crustdata.person.yaml", "connectors/email.yaml"];
/// The bench's own.
const OWN: [&str; 3] = ["connectors/firmgraph.company.yaml", "millrace.yaml", "presets/fixed.yaml"];
/// What answers over the wire; the check of the address, which comes first, has no answer to read.
const PROVIDERS: [&str; 3] = ["crustdata.company", "firmgraph.company", "crustdata.person"];

/// Everything that is there before the work begins.
pub(crate) struct Input {
    pub(crate) now: Timestamp,
    pub(crate) request: RawRequest,
    pub(crate) keys: OneSecret,
    /// Operations with what they answer, in the order in which they are asked.
    pub(crate) answers: Vec<(&'static str, Vec<u8>)>,
    pub(crate) sources: Sources,
}

/// The secret of the one issuer.
pub(crate) struct OneSecret(String);

#[async_trait]
impl Keys for OneSecret {
    async fn webhook_secrets(&self, _issuer: &str) -> Result<Vec<WebhookSecret>, KeysUnavailable> {
        Ok(vec![WebhookSecret { value: self.0.clone().into(), until: None }])
    }
}

/// `request.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    now_ms: i64,
    secret: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Input {
    pub(crate) fn read(shipped: &Path, own: &Path) -> anyhow::Result<Self> {
        let Request { now_ms, secret, headers, body } = serde_json::from_str(&text_of(&own.join("request.json"))?)?;
        let now = Timestamp::from_millis(now_ms);
        let headers = headers.iter().map(|(name, value)| Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?)));
        let request = RawRequest { headers: headers.collect::<anyhow::Result<HeaderMap>>()?, body: body.into_bytes(), received_at: now };
        let mut answers = vec![("email", Vec::new())];
        for operation in PROVIDERS {
            answers.push((operation, text_of(&own.join(format!("answers/{operation}.json")))?.into_bytes()));
        }
        let mut files = Vec::new();
        for file in SHIPPED {
            files.push((file.to_owned(), text_of(&shipped.join(file))?));
        }
        for file in OWN {
            files.push((file.to_owned(), text_of(&own.join("config").join(file))?));
        }
        Ok(Self { now, request, keys: OneSecret(secret), answers, sources: Sources::new(files) })
    }
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}
