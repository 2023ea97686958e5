//! HubSpot's contacts (WIRE-FORMATS §2.1, S3-63, S3-64): find by email and update, or create.

mod refusal;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, Method, header};
use pipeline::ports::{Crm, CrmReply, CrmWrite, Secrets};
use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json};
use url::Url;

use crate::egress::{Answer, BODY_MAX_BYTES, Call, Egress, Payload, Redirects};
use crate::endpoints::Endpoints;

const HOST: &str = "https://api.hubapi.com";
/// The name of this CRM in configuration and in [`Endpoints`].
pub(crate) const TARGET: &str = "hubspot";
/// The secret that holds the private app's token.
const SECRET: &str = "hubspot_token";

/// Writes contacts to HubSpot.
pub struct HubSpot {
    contacts: Url,
    egress: Egress,
    secrets: Arc<dyn Secrets>,
}

/// How one request ended.
enum Outcome {
    Done(CrmReply),
    /// Nobody has this email, or there is nothing at all at this path.
    NotFound,
    /// Somebody else has this email.
    Exists,
}

impl HubSpot {
    /// The current path of contacts; `/crm/v3/objects/contacts` is the legacy one.
    pub const CONTACTS_PATH: &'static str = "/crm/objects/2026-03/contacts";

    /// Puts the base URL (`hubspot` in `endpoints`), the path of contacts, the way out and the secrets together.
    ///
    /// # Errors
    /// Says so when host and path make no URL.
    pub fn new(endpoints: &Endpoints, path: &str, egress: Egress, secrets: Arc<dyn Secrets>) -> Result<Self, String> {
        let base = endpoints.of(TARGET).map_or_else(|| HOST.to_owned(), |url| url.to_string());
        let address = format!("{}/{}", base.trim_end_matches('/'), path.trim_matches('/'));
        let contacts = Url::parse(&address).ok().filter(|url| !url.cannot_be_a_base() && url.query().is_none());
        let contacts = contacts.ok_or_else(|| format!("`{path}` is no path of contacts; write for example {}", Self::CONTACTS_PATH))?;
        Ok(Self { contacts, egress, secrets })
    }

    /// The body of a request that writes these properties.
    #[must_use]
    pub fn body(properties: BTreeMap<String, String>) -> Json {
        let properties: Map<String, Json> = properties.into_iter().map(|(name, value)| (name, Json::String(value))).collect();
        Json::Object(Map::from_iter([("properties".to_owned(), Json::Object(properties))]))
    }

    async fn write(&self, write: &CrmWrite) -> CrmReply {
        let reply = self.upsert_once(write).await;
        if reply != CrmReply::AuthFailed {
            return reply;
        }
        // The token may have been rotated since it was cached.
        self.secrets.refresh(SECRET).await;
        self.upsert_once(write).await
    }

    /// Updates; creates whom nobody knows; updates once more whom somebody else created in between.
    async fn upsert_once(&self, write: &CrmWrite) -> CrmReply {
        let authorization = match self.authorization().await {
            Ok(authorization) => authorization,
            Err(why) => return CrmReply::Unavailable { why },
        };
        match self.update(write, &authorization).await {
            Outcome::NotFound => {}
            Outcome::Exists => return conflict(),
            Outcome::Done(reply) => return reply,
        }
        match self.create(write, &authorization).await {
            Outcome::Exists => {}
            Outcome::NotFound => {
                return CrmReply::Refused { why: "there is nothing at the path of contacts; check that setting".to_owned() };
            }
            Outcome::Done(reply) => return reply,
        }
        match self.update(write, &authorization).await {
            Outcome::Done(reply) => reply,
            Outcome::Exists => conflict(),
            Outcome::NotFound => CrmReply::Unavailable { why: "the contact exists and cannot be found yet".to_owned() },
        }
    }

    async fn authorization(&self) -> Result<HeaderValue, String> {
        let token = self.secrets.secret(SECRET).await.map_err(|unavailable| unavailable.to_string())?;
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
        let mut value = value.map_err(|_| format!("secret `{SECRET}` is no token: it has blanks or line breaks"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn update(&self, write: &CrmWrite, authorization: &HeaderValue) -> Outcome {
        let mut url = self.contacts.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(write.email.expose());
        }
        url.set_query(Some("idProperty=email"));
        self.request(Method::PATCH, url, write, write.properties.clone(), authorization).await
    }

    async fn create(&self, write: &CrmWrite, authorization: &HeaderValue) -> Outcome {
        let mut properties = write.properties.clone();
        properties.insert("email".to_owned(), write.email.expose().to_owned());
        self.request(Method::POST, self.contacts.clone(), write, properties, authorization).await
    }

    async fn request(
        &self,
        method: Method,
        url: Url,
        write: &CrmWrite,
        properties: BTreeMap<String, String>,
        authorization: &HeaderValue,
    ) -> Outcome {
        let creates = method == Method::POST;
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, authorization.clone())]);
        let body = Some(Payload::json(&Self::body(properties)));
        let call = Call { method, url, headers, redirects: Redirects::Refused, body, most_bytes: BODY_MAX_BYTES };
        match self.egress.send(call, write.timeout.to_std()).await {
            Err(failure) => Outcome::Done(CrmReply::Unavailable { why: failure.to_string() }),
            Ok(answer) => match answer.status {
                200 | 201 => Outcome::Done(written(&answer, creates)),
                404 => Outcome::NotFound,
                409 => Outcome::Exists,
                _ => Outcome::Done(refusal::read(&answer, write)),
            },
        }
    }
}

fn written(answer: &Answer, created: bool) -> CrmReply {
    let body: Option<Json> = serde_json::from_slice(&answer.body).ok();
    let id = body.as_ref().and_then(|body| body.get("id")).and_then(Json::as_str);
    match id {
        Some(id) => CrmReply::Written { external_id: id.to_owned(), created },
        None => CrmReply::Unavailable { why: format!("HubSpot answered {} without the contact's id", answer.status) },
    }
}

fn conflict() -> CrmReply {
    CrmReply::Refused { why: "a property belongs to another contact already (CONFLICT)".to_owned() }
}

#[async_trait]
impl Crm for HubSpot {
    async fn upsert(&self, write: &CrmWrite) -> CrmReply {
        if write.target != TARGET {
            return CrmReply::Refused { why: format!("there is no CRM `{}`; write {TARGET}", write.target) };
        }
        let late = CrmReply::Unavailable { why: "HubSpot did not answer in time".to_owned() };
        tokio::time::timeout(write.timeout.to_std(), self.write(write)).await.unwrap_or(late)
    }
}
