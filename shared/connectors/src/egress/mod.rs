//! The one way out: a shared client that reaches the public internet and nothing else (RELIABILITY §2, SSRF).
//!
//! A URL is checked before each request, redirects included, and the addresses behind a name after it was resolved;
//! the connection is made to the addresses that passed.

mod address;
mod allowed;
mod names;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::dns::Resolve;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use url::{Host, Url};

use address::is_public;
use allowed::Allowed;
use names::{Guard, NotPublic, System};

/// A longer body is refused.
pub(crate) const BODY_MAX_BYTES: usize = 2 * 1024 * 1024;
/// The same for an answer that speaks of many.
pub(crate) const BATCH_BODY_MAX_BYTES: usize = 8 * BODY_MAX_BYTES;
/// A page may send us on this often.
const REDIRECTS_MAX: usize = 3;
/// A page takes at most this long, whatever the caller would wait.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);
/// A host that does not take a connection within this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const USER_AGENT: &str = concat!("millrace/", env!("CARGO_PKG_VERSION"));

/// Why the way out cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// An entry of the allow-list that names no place.
    #[error("`{0}` is no place to allow; write host:port, such as 127.0.0.1:7702")]
    NotAPlace(String),
    /// The client cannot be built with the TLS setup it was given.
    #[error("the HTTP client cannot be built: {0}")]
    Client(reqwest::Error),
}

/// The shared HTTP client behind its guard. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Egress {
    client: reqwest::Client,
    allowed: Arc<Allowed>,
}

/// One request to a vendor.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) redirects: Redirects,
    pub(crate) body: Option<Payload>,
    /// A longer answer is refused.
    pub(crate) most_bytes: usize,
}

/// What a request carries, as it is sent.
pub(crate) struct Payload {
    content_type: &'static str,
    text: String,
}

impl Payload {
    pub(crate) fn json(json: &serde_json::Value) -> Self {
        Self { content_type: "application/json", text: json.to_string() }
    }

    /// Texts as they are, anything else as JSON writes it.
    pub(crate) fn form(entries: &serde_json::Map<String, serde_json::Value>) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in entries {
            form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        Self { content_type: "application/x-www-form-urlencoded", text: form.finish() }
    }
}

/// What becomes of an answer that sends us on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// It is the answer: to follow it would carry our credentials away.
    Refused,
    /// It is followed, at most three times, each of them checked; for a GET that carries nothing of ours.
    Followed,
}

/// What came back, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A page, and where it was found in the end.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) answer: Answer,
}

/// Why nothing came back. Names no URL: it may hold a person's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The guard stopped it.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// There is no such name.
    #[error("the host name does not exist")]
    NoSuchName,
    /// No connection, so no request was made.
    #[error("no connection could be made")]
    NoConnection,
    /// The time is over; the request may have been carried out.
    #[error("no answer in time")]
    TimedOut,
    /// The body is too long.
    #[error("the answer is too long")]
    TooLong,
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke before the answer was complete")]
    Broken,
}

impl Egress {
    /// Opens the way out, with the process's one TLS setup. `allowed` are exact `host:port` places that need not be public,
    /// such as a sandbox at `127.0.0.1:7702`; empty in production.
    ///
    /// # Errors
    /// An entry that is no `host:port`, or a TLS setup that cannot be used.
    pub fn new(allowed: impl IntoIterator<Item = String>, tls: ClientConfig) -> Result<Self, EgressError> {
        Self::with_names(allowed, tls, Arc::new(System))
    }

    fn with_names(allowed: impl IntoIterator<Item = String>, tls: ClientConfig, names: Arc<dyn Resolve>) -> Result<Self, EgressError> {
        let allowed = Arc::new(Allowed::parse(allowed)?);
        let guard = Guard { names, allowed: Arc::clone(&allowed) };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .no_proxy() // a proxy would resolve the name a second time, out of our sight
            .gzip(false) // a small body could grow without end
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(USER_AGENT)
            .dns_resolver(Arc::new(guard))
            .build()
            .map_err(EgressError::Client)?;
        Ok(Self { client, allowed })
    }

    /// Makes one request; `timeout` covers everything up to the last byte of the body.
    pub(crate) async fn send(&self, call: Call, timeout: Duration) -> Result<Answer, Failure> {
        if call.redirects == Redirects::Followed {
            let followed = tokio::time::timeout(timeout, self.follow(call.url, call.headers));
            return followed.await.unwrap_or(Err(Failure::TimedOut)).map(|page| page.answer);
        }
        self.check(&call.url)?;
        let mut request = self.client.request(call.method, call.url).headers(call.headers);
        if let Some(body) = call.body {
            request = request.header(header::CONTENT_TYPE, body.content_type).body(body.text);
        }
        tokio::time::timeout(timeout, exchange(request, call.most_bytes)).await.unwrap_or(Err(Failure::TimedOut))
    }

    /// Fetches a page, following at most three redirects, each of them checked; 5 seconds at most.
    pub(crate) async fn page(&self, url: Url, timeout: Duration) -> Result<Page, Failure> {
        let accept = HeaderValue::from_static("text/html,application/xhtml+xml");
        let followed = self.follow(url, HeaderMap::from_iter([(header::ACCEPT, accept)]));
        tokio::time::timeout(timeout.min(PAGE_TIMEOUT), followed).await.unwrap_or(Err(Failure::TimedOut))
    }

    async fn follow(&self, mut url: Url, headers: HeaderMap) -> Result<Page, Failure> {
        for _ in 0..=REDIRECTS_MAX {
            self.check(&url)?;
            let answer = exchange(self.client.get(url.clone()).headers(headers.clone()), BODY_MAX_BYTES).await?;
            let Some(next) = redirect(&url, &answer)? else {
                return Ok(Page { url, answer });
            };
            url = next;
        }
        Err(Failure::Refused("more than 3 redirects"))
    }

    /// What can be known of a URL before its name is resolved.
    fn check(&self, url: &Url) -> Result<(), Failure> {
        let (host, port) = place(url)?;
        if self.allowed.has(&host, port) {
            return Ok(());
        }
        if self.allowed.has_host(&host.to_string()) {
            return Err(ODD_PORT);
        }
        check_public(&host, port)
    }
}

/// Why the way out is closed to this base URL of a vendor, whatever its name will lead to; `None` when it may be open.
pub(crate) fn closed_to(url: &Url) -> Option<Failure> {
    let checked = place(url).and_then(|(host, port)| {
        check_public(&host, port)?;
        match host {
            Host::Domain(name) if !is_inside(name) => Ok(()),
            // No vendor's certificate names an address.
            Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => Err(NOT_PUBLIC),
        }
    });
    checked.err()
}

/// Names that never lead outside (RFC 6761, RFC 6762 and what resolvers inside a network answer).
fn is_inside(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    !name.contains('.') || [".localhost", ".local", ".internal"].iter().any(|suffix| name.ends_with(suffix))
}

fn place(url: &Url) -> Result<(Host<&str>, u16), Failure> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Failure::Refused("neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::Refused("a user name in the URL"));
    }
    url.host().zip(url.port_or_known_default()).ok_or(Failure::Refused("a URL without a host"))
}

fn check_public(host: &Host<&str>, port: u16) -> Result<(), Failure> {
    if !matches!(port, 80 | 443) {
        return Err(ODD_PORT);
    }
    let is_open = match host {
        Host::Domain(_) => true, // the resolver's guard decides
        Host::Ipv4(address) => is_public((*address).into()),
        Host::Ipv6(address) => is_public((*address).into()),
    };
    if is_open { Ok(()) } else { Err(NOT_PUBLIC) }
}

const ODD_PORT: Failure = Failure::Refused("a port other than 80 and 443");
const NOT_PUBLIC: Failure = Failure::Refused("an address that is not public");

async fn exchange(request: reqwest::RequestBuilder, most_bytes: usize) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(|error| failure(&error))?;
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |length| length > most_bytes) {
        return Err(Failure::TooLong);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > most_bytes {
            return Err(Failure::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status: response.status().as_u16(), headers: std::mem::take(response.headers_mut()), body })
}

fn redirect(from: &Url, answer: &Answer) -> Result<Option<Url>, Failure> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| from.join(location).ok());
    target.map(Some).ok_or(Failure::Refused("a redirect without a target"))
}

fn failure(error: &reqwest::Error) -> Failure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<NotPublic>() {
            return NOT_PUBLIC;
        }
        cause = inner.source();
    }
    if error.is_dns() {
        return if is_temporary(error) { Failure::NoConnection } else { Failure::NoSuchName };
    }
    if error.is_connect() {
        return Failure::NoConnection;
    }
    if error.is_timeout() { Failure::TimedOut } else { Failure::Broken }
}

/// Whether the resolver itself could not answer, as glibc or musl words it: the name may well exist.
fn is_temporary(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if text.contains("Temporary failure in name resolution") || text.contains("Try again") {
            return true;
        }
        cause = inner.source();
    }
    false
}
