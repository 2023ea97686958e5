//! Where vendors and CRMs are: every base URL is a setting.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use crate::hubspot;
use crate::load::Connectors;

/// Base URLs that replace the connectors' own, by provider: `crustdata` → `http://127.0.0.1:7702/crustdata`.
/// For `website`, `{{key}}` stands for the domain: `http://127.0.0.1:7702/websites/{{key}}/`.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(BTreeMap<String, String>);

/// A base URL that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint of `{provider}` is no base URL; write http:// or https:// with a host and no query")]
pub struct InvalidEndpoint {
    /// Whose.
    pub provider: String,
}

/// A base URL for somebody whom nobody asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is an endpoint for `{provider}`, which nothing here calls; write one of {}", .known.join(", "))]
pub struct UnknownEndpoint {
    /// Whose.
    pub provider: String,
    /// Those who are called, in order.
    pub known: Vec<String>,
}

impl Endpoints {
    /// Takes base URLs by provider.
    ///
    /// # Errors
    /// The first that is no http or https URL, or that has a user name, a query or a fragment.
    pub fn new(urls: impl IntoIterator<Item = (String, String)>) -> Result<Self, InvalidEndpoint> {
        let mut checked = BTreeMap::new();
        for (provider, url) in urls {
            if base(&url.replace(PLACE, "example.com")).is_none() {
                return Err(InvalidEndpoint { provider });
            }
            checked.insert(provider, url);
        }
        Ok(Self(checked))
    }

    /// Checks that whoever has an endpoint is called: the provider of a connector, or a CRM.
    ///
    /// # Errors
    /// The first who is not, with those who are.
    pub fn check(&self, connectors: &Connectors) -> Result<(), UnknownEndpoint> {
        let providers = connectors.iter().filter(|connector| connector.calls_out()).map(|connector| connector.operation.provider.as_str());
        let known: BTreeSet<&str> = providers.chain([hubspot::TARGET]).collect();
        match self.0.keys().find(|provider| !known.contains(provider.as_str())) {
            Some(provider) => Err(UnknownEndpoint { provider: provider.clone(), known: known.into_iter().map(str::to_owned).collect() }),
            None => Ok(()),
        }
    }

    /// The base URL of a provider, where it was set.
    pub(crate) fn of(&self, provider: &str) -> Option<Url> {
        self.0.get(provider).and_then(|url| base(url))
    }

    /// The address of a company's home page.
    pub(crate) fn home_page(&self, domain: &str) -> Option<Url> {
        let pattern = self.0.get("website").map_or(HOME_PAGE, String::as_str);
        base(&pattern.replace(PLACE, domain))
    }
}

/// Where the domain stands in the pattern of home pages.
const PLACE: &str = "{{key}}";
const HOME_PAGE: &str = "https://{{key}}/";

fn base(url: &str) -> Option<Url> {
    let is_base = |url: &Url| {
        let is_web = matches!(url.scheme(), "http" | "https");
        is_web && url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
    };
    Url::parse(url).ok().filter(is_base)
}
