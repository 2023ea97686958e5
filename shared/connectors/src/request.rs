//! The request that a key becomes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::identity::{KeyKind, LookupKey};
use domain::template::{Hole, Template};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use url::Url;

use crate::egress::{BODY_MAX_BYTES, Call, Payload, Redirects};

/// The name that stands for the key in templates.
pub(crate) const KEY: &str = "key";
/// The name that stands for the digits of the key, such as those of a phone number without its plus.
pub(crate) const KEY_DIGITS: &str = "key_digits";
/// The name that stands for the secret in `auth`.
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
    pub(crate) encoding: Encoding,
    pub(crate) auth: Option<Auth>,
    /// What each kind of key adds, in the order of preference.
    pub(crate) keys: Vec<(KeyKind, Addition)>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    #[default]
    Json,
    /// As a browser sends a form: texts side by side.
    Form,
}

#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) place: Place,
    pub(crate) value: Template,
    /// The secret's name, never the secret.
    pub(crate) secret: String,
}

/// Where the vendor looks for the secret.
#[derive(Debug)]
pub(crate) enum Place {
    Header(HeaderName),
    /// User and password in base64 (RFC 7617).
    Basic,
    Query(String),
    Body(String),
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
    pub(crate) fn fill(&self, key: &str) -> Option<Json> {
        Some(match self {
            Self::Plain(json) => json.clone(),
            Self::Text(template) => Json::String(fill_key(template, key)?),
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
        let url = self.url(base.unwrap_or(&self.base_url), addition, &key.value)?;
        let has_body = self.body.is_some() || addition.body.is_some();
        let body = if has_body { Some(self.body(addition, &key.value)?) } else { None };
        self.sign(self.method.clone(), url, body, secret)
    }

    /// The call with the secret where the vendor looks for it.
    pub(crate) fn sign(
        &self,
        method: Method,
        mut url: Url,
        mut body: Option<Map<String, Json>>,
        secret: Option<&SecretString>,
    ) -> Option<Call> {
        let mut headers = self.headers.clone();
        if let Some(auth) = &self.auth {
            let secret = fill(&auth.value, SECRET, secret?.expose_secret())?;
            match &auth.place {
                Place::Header(name) => set_secret(&mut headers, name, &secret)?,
                Place::Basic => set_secret(&mut headers, &AUTHORIZATION, &format!("Basic {}", STANDARD.encode(secret)))?,
                Place::Query(name) => drop(url.query_pairs_mut().append_pair(name, &secret)),
                Place::Body(name) => drop(body.get_or_insert_default().insert(name.clone(), Json::String(secret))),
            }
        }
        let body = body.map(|entries| match self.encoding {
            Encoding::Json => Payload::json(&Json::Object(entries)),
            Encoding::Form => Payload::form(&entries),
        });
        Some(Call { method, url, headers, redirects: self.redirects, body, most_bytes: BODY_MAX_BYTES })
    }

    fn url(&self, base: &Url, addition: &Addition, key: &str) -> Option<Url> {
        let path: Option<Vec<String>> = self.path.iter().map(|segment| fill_key(segment, key)).collect();
        let pairs = self.query.iter().chain(&addition.query).map(|(name, template)| Some((name.clone(), fill_key(template, key)?)));
        address(base, &path?, &pairs.collect::<Option<Vec<_>>>()?)
    }

    /// The request's own body with what the key adds.
    fn body(&self, addition: &Addition, key: &str) -> Option<Map<String, Json>> {
        let mut merged = Map::new();
        for part in self.body.iter().chain(&addition.body) {
            if let Json::Object(entries) = part.fill(key)? {
                merged.extend(entries);
            }
        }
        Some(merged)
    }
}

/// A URL below a base; each segment and each value is escaped as a whole. `None` for a base that nothing can stand below.
pub(crate) fn address(base: &Url, path: &[String], query: &[(String, String)]) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    for (name, value) in query {
        url.query_pairs_mut().append_pair(name, value);
    }
    Some(url)
}

fn set_secret(headers: &mut HeaderMap, name: &HeaderName, text: &str) -> Option<()> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    headers.insert(name.clone(), value);
    Some(())
}

fn fill_key(template: &Template, key: &str) -> Option<String> {
    template.fill(|hole| match hole {
        Hole::Name(name) if name == KEY => Some(key.to_owned()),
        Hole::Name(name) if name == KEY_DIGITS => Some(key.chars().filter(char::is_ascii_digit).collect()),
        Hole::Name(_) | Hole::Field(_) => None,
    })
}

fn fill(template: &Template, name: &str, value: &str) -> Option<String> {
    template.fill(|hole| matches!(hole, Hole::Name(known) if known == name).then(|| value.to_owned()))
}
