//! The places that may be reached although they are not public: a sandbox on this machine, nothing in production.

use std::collections::BTreeSet;

use url::{Host, Url};

use super::EgressError;

/// Exact hosts and ports, in the URL crate's normal form.
#[derive(Debug, Default)]
pub(super) struct Allowed(BTreeSet<(String, u16)>);

impl Allowed {
    /// Reads entries such as `127.0.0.1:7702`.
    pub(super) fn parse(entries: impl IntoIterator<Item = String>) -> Result<Self, EgressError> {
        let mut places = BTreeSet::new();
        for entry in entries {
            let place = place(&entry).ok_or(EgressError::NotAPlace(entry))?;
            places.insert(place);
        }
        Ok(Self(places))
    }

    pub(super) fn has(&self, host: &Host<&str>, port: u16) -> bool {
        self.0.contains(&(host.to_string(), port))
    }

    /// Whether the host is allowed at some port. Whoever asks the resolver does not know the port,
    /// so a host that is listed is reached at its listed ports only.
    pub(super) fn has_host(&self, host: &str) -> bool {
        self.0.iter().any(|(listed, _)| listed == host)
    }
}

fn place(entry: &str) -> Option<(String, u16)> {
    let (_, port) = entry.rsplit_once(':').filter(|(host, _)| !host.contains('*'))?; // exact places only
    let port = port.parse().ok()?;
    let url = Url::parse(&format!("http://{entry}/")).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    is_bare.then(|| Some((url.host()?.to_string(), port)))?
}
