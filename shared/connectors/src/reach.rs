//! A version of the configuration made ready for work: its rules, and its connectors with a way out.

use std::sync::Arc;

use domain::config::{Config, Findings, Sources};
use pipeline::enrich::Configured;
use pipeline::gather::Gathering;
use pipeline::ports::Secrets;

use crate::configure::configure_for_use;
use crate::egress::Egress;
use crate::endpoints::Endpoints;
use crate::hubspot::HubSpot;
use crate::load::Connectors;
use crate::provider::HttpProvider;

/// Where everybody is, how one gets there and what one shows there: the same for every version of the configuration.
#[derive(Clone)]
pub struct Reach {
    endpoints: Endpoints,
    egress: Egress,
    secrets: Arc<dyn Secrets>,
}

/// Why a version cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConfigured {
    /// It has mistakes.
    #[error(transparent)]
    Mistakes(#[from] Findings),
    /// The CRM's path makes no URL.
    #[error("crm.path: {0}")]
    CrmPath(String),
}

impl Reach {
    /// Puts base URLs, the way out and the secrets together.
    #[must_use]
    pub fn new(endpoints: Endpoints, egress: Egress, secrets: Arc<dyn Secrets>) -> Self {
        Self { endpoints, egress, secrets }
    }

    /// An endpoint that nobody is asked at is no reason to stop: another version of the configuration may ask there.
    fn warn_of_unknown(&self, connectors: &Connectors) {
        if let Err(unknown) = self.endpoints.check(connectors) {
            tracing::warn!(error = %unknown, "an endpoint is not used by this version of the configuration");
        }
    }

    /// A version's rules, and whoever its connectors ask.
    ///
    /// # Errors
    /// [`NotConfigured`]
    pub fn providers(&self, sources: &Sources) -> Result<Configured, NotConfigured> {
        let (config, connectors) = configure_for_use(sources)?;
        self.warn_of_unknown(&connectors);
        let provider = HttpProvider::new(Arc::new(connectors), self.endpoints.clone(), self.egress.clone(), Arc::clone(&self.secrets));
        Ok(Configured { config: Arc::new(config), provider: Arc::new(Gathering::new(Arc::new(provider))) })
    }

    /// A version's rules, and the CRM at the path that it names.
    ///
    /// # Errors
    /// [`NotConfigured`]
    pub fn crm(&self, sources: &Sources) -> Result<(Arc<Config>, Arc<HubSpot>), NotConfigured> {
        let (config, connectors) = configure_for_use(sources)?;
        self.warn_of_unknown(&connectors);
        let path = config.crm.as_ref().map_or(HubSpot::CONTACTS_PATH, |crm| &crm.path);
        let crm = HubSpot::new(&self.endpoints, path, self.egress.clone(), Arc::clone(&self.secrets)).map_err(NotConfigured::CrmPath)?;
        Ok((Arc::new(config), Arc::new(crm)))
    }
}
