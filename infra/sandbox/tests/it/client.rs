//! Asks a sandbox without a network.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use sandbox::{CRUSTDATA_KEY, HUBSPOT_TOKEN, Latency, Options, Sandbox};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const CONTACTS: &str = "/hubspot/crm/objects/2026-03/contacts";
pub(crate) const COMPANY_SECTIONS: &[&str] =
    &["basic_info", "headcount", "funding", "locations", "taxonomy", "revenue", "hiring", "web_traffic", "technographics"];

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) struct Client {
    pub(crate) sandbox: Sandbox,
    router: Router,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::seeded(7)
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        let sandbox = Sandbox::new(Options { seed, latency: Latency::Off });
        let router = sandbox.router();
        Self { sandbox, router }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// A well-formed call to Crustdata; `operation` is `person` or `company`.
    pub(crate) async fn crustdata(&self, operation: &str, body: &Value) -> Answer {
        self.crustdata_as(CRUSTDATA_KEY, operation, body).await
    }

    pub(crate) async fn crustdata_as(&self, key: &str, operation: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {key}");
        let headers = [("authorization", authorization.as_str()), ("x-api-version", "2025-11-01"), ("content-type", "application/json")];
        self.send(Method::POST, &format!("/crustdata/{operation}/enrich"), &headers, &body.to_string()).await
    }

    /// A company with all its sections.
    pub(crate) async fn company(&self, domain: &str) -> Answer {
        self.crustdata("company", &serde_json::json!({"domains": [domain], "fields": COMPANY_SECTIONS})).await
    }

    /// A person by business email with all sections.
    pub(crate) async fn person(&self, email: &str) -> Answer {
        let fields = ["basic_profile", "experience", "social_handles", "contact"];
        self.crustdata("person", &serde_json::json!({"business_emails": [email], "fields": fields})).await
    }

    /// A call to HubSpot's contacts with the right token; `rest` follows the base path.
    pub(crate) async fn hubspot(&self, method: Method, rest: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {HUBSPOT_TOKEN}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        self.send(method, &format!("{CONTACTS}{rest}"), &headers, &body.to_string()).await
    }
}
