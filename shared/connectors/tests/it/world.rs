//! Servers on loopback, secrets in memory, the repository's connector files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use connectors::{Connectors, Egress, Endpoints, HttpProvider, load};
use domain::config::Sources;
use domain::identity::{KeyKind, LookupKey};
use domain::observation::Observation;
use domain::reply::Reply;
use domain::schema::Schema;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{LookupRequest, Provider as _, SecretUnavailable, Secrets};

/// 2026-11-20T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// The files of `config/`.
pub(crate) fn sources() -> Sources {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let mut files = Vec::new();
    for folder in ["connectors", "presets", "."] {
        for entry in std::fs::read_dir(config.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.file_name().unwrap().to_str().unwrap();
                let within = if folder == "." { name.to_owned() } else { format!("{folder}/{name}") };
                files.push((within, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    Sources::new(files)
}

pub(crate) fn connectors() -> Connectors {
    load(&sources(), &Schema::default()).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

/// Serves until the test ends; gives `127.0.0.1:port`.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    place
}

/// The one secret for everything, and after a refresh the next one.
pub(crate) struct Rotating {
    pub(crate) secrets: Vec<&'static str>,
    pub(crate) refreshed: AtomicUsize,
}

impl Rotating {
    pub(crate) fn new(secrets: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { secrets: secrets.to_vec(), refreshed: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Secrets for Rotating {
    async fn secret(&self, name: &str) -> Result<secrecy::SecretString, SecretUnavailable> {
        let at = self.refreshed.load(Ordering::SeqCst).min(self.secrets.len().saturating_sub(1));
        let unavailable = || SecretUnavailable { name: name.to_owned(), why: "there is none".to_owned() };
        self.secrets.get(at).map(|secret| (*secret).into()).ok_or_else(unavailable)
    }

    async fn refresh(&self, _: &str) {
        self.refreshed.fetch_add(1, Ordering::SeqCst);
    }
}

/// A provider whose endpoints all lead to one place on loopback.
pub(crate) fn provider(place: &str, secrets: Arc<dyn Secrets>) -> HttpProvider {
    let endpoints = Endpoints::new([
        ("crustdata".to_owned(), format!("http://{place}/crustdata")),
        ("website".to_owned(), format!("http://{place}/websites/{{{{key}}}}/")),
        ("dns".to_owned(), format!("http://{place}/dns")),
        ("rdap".to_owned(), format!("http://{place}/rdap")),
    ]);
    HttpProvider::new(Arc::new(connectors()), endpoints.unwrap(), Egress::new([place.to_owned()], tls()).unwrap(), secrets)
}

pub(crate) fn request(operation: &str, kind: KeyKind, value: &str) -> LookupRequest {
    LookupRequest {
        operation: operation.to_owned(),
        key: LookupKey { kind, value: value.to_owned() },
        now: NOW,
        timeout: Millis::seconds(5),
    }
}

pub(crate) async fn look_up(provider: &HttpProvider, operation: &str, kind: KeyKind, value: &str) -> Reply {
    provider.look_up(&request(operation, kind, value)).await
}

pub(crate) fn observations(reply: Reply) -> Vec<Observation> {
    let Reply::Hit { observations } = reply else { panic!("no hit: {reply:?}") };
    observations
}

/// A field's value as text.
pub(crate) fn value(observations: &[Observation], field: &str) -> Option<String> {
    observations.iter().find(|observation| observation.field.as_str() == field).map(|observation| observation.value.to_string())
}

/// Trusts nobody: nothing here speaks TLS.
pub(crate) fn tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}
