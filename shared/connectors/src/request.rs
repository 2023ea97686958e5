//! The request that a key becomes.

use domain::identity::{KeyKind, LookupKey};
use domain::template::{Hole, Template};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json};
use url::Url;

use crate::egress::{Call, Redirects};

/// The name that stands for the key in templates.
pub(crate) const KEY: &str = "key";
/// The name that stands for the secret in `auth.value`.
pub(crate) const SECRET: &str = "secret";

/// A vendor's request with holes for the key and the secret.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) base_url: Url,
    /// The path's segments; a filled one is escaped as a whole.
    pub(crate) path: Vec<Template>,
    pub(crate) redirects: Redirects,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, Template)>,
    pub(crate) body: Option<Body>,
    pub(crate) auth: Option<Auth>,
    /// What each kind of key adds, in the order of preference.
    pub(crate) keys: Vec<(KeyKind, Addition)>,
}

#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) header: HeaderName,
    pub(crate) value: Template,
    /// The secret's name, never the secret.
    pub(crate) secret: String,
}

/// What one kind of key adds to the request.
#[derive(Debug)]
pub(crate) struct Addition {
    pub(crate) query: Vec<(String, Template)>,
    pub(crate) body: Option<Body>,
}

/// JSON with templates for its texts.
#[derive(Debug)]
pub(crate) enum Body {
    Plain(Json),
    Text(Template),
    List(Vec<Body>),
    Object(Vec<(String, Body)>),
}

impl Body {
    fn fill(&self, key: &str) -> Option<Json> {
        Some(match self {
            Self::Plain(json) => json.clone(),
            Self::Text(template) => Json::String(fill(template, KEY, key)?),
            Self::List(items) => Json::Array(items.iter().map(|item| item.fill(key)).collect::<Option<_>>()?),
            Self::Object(entries) => {
                let filled = entries.iter().map(|(name, body)| Some((name.clone(), body.fill(key)?)));
                Json::Object(filled.collect::<Option<Map<_, _>>>()?)
            }
        })
    }
}

impl Request {
    /// The call for a key; `base` replaces the connector's own base URL. `None` when a part cannot be filled in.
    pub(crate) fn call(&self, base: Option<&Url>, key: &LookupKey, secret: Option<&SecretString>) -> Option<Call> {
        let (_, addition) = self.keys.iter().find(|(kind, _)| *kind == key.kind)?;
        let has_body = self.body.is_some() || addition.body.is_some();
        Some(Call {
            method: self.method.clone(),
            url: self.url(base.unwrap_or(&self.base_url), addition, &key.value)?,
            headers: self.headers(secret)?,
            redirects: self.redirects,
            body: if has_body { Some(self.body(addition, &key.value)?) } else { None },
        })
    }

    fn url(&self, base: &Url, addition: &Addition, key: &str) -> Option<Url> {
        let mut url = base.clone();
        {
            let mut segments = url.path_segments_mut().ok()?;
            segments.pop_if_empty();
            for segment in &self.path {
                segments.push(&fill(segment, KEY, key)?);
            }
        }
        for (name, template) in self.query.iter().chain(&addition.query) {
            let value = fill(template, KEY, key)?;
            url.query_pairs_mut().append_pair(name, &value);
        }
        Some(url)
    }

    fn headers(&self, secret: Option<&SecretString>) -> Option<HeaderMap> {
        let mut headers = self.headers.clone();
        if let Some(auth) = &self.auth {
            let text = fill(&auth.value, SECRET, secret?.expose_secret())?;
            let mut value = HeaderValue::from_str(&text).ok()?;
            value.set_sensitive(true);
            headers.insert(auth.header.clone(), value);
        }
        Some(headers)
    }

    /// The request's own body with what the key adds.
    fn body(&self, addition: &Addition, key: &str) -> Option<Json> {
        let mut merged = Map::new();
        for part in self.body.iter().chain(&addition.body) {
            if let Json::Object(entries) = part.fill(key)? {
                merged.extend(entries);
            }
        }
        Some(Json::Object(merged))
    }
}

fn fill(template: &Template, name: &str, value: &str) -> Option<String> {
    template.fill(|hole| matches!(hole, Hole::Name(known) if known == name).then(|| value.to_owned()))
}
