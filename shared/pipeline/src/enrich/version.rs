//! The version of the configuration by which a run is decided: the one that it was pinned to when it was first claimed.

use std::sync::Arc;

use domain::config::Config;

use super::Enrich;
use crate::ports::{Provider, StoreError};

/// What is made of a version of the configuration: its rules, and whoever asks by its connectors.
#[derive(Clone)]
pub struct Configured {
    /// The rules.
    pub config: Arc<Config>,
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
}

impl Enrich {
    /// The same by the version that is in force now; for the beginning of an invocation.
    pub async fn in_force(&self) -> Self {
        match &self.versions {
            Some(versions) => self.by(&*versions.in_force().await),
            None => self.clone(),
        }
    }

    /// The same by the version of this hash; `None` where that is this one, or is not to be had. What may be spent is still said by
    /// this one: a lower cap acts at once, and a month has one allocation. So is what is written to the CRM. No decision reads either.
    pub(super) async fn pinned_to(&self, hash: &str) -> Result<Option<Self>, StoreError> {
        let Some(versions) = self.versions.as_ref().filter(|_| hash != self.config.hash) else { return Ok(None) };
        let Some(version) = versions.version(hash).await? else { return Ok(None) };
        let config = Config { limits: self.config.limits.clone(), crm: self.config.crm.clone(), ..Config::clone(&version.config) };
        Ok(Some(Self { config: Arc::new(config), ..self.by(&version) }))
    }

    fn by(&self, version: &Configured) -> Self {
        Self { config: Arc::clone(&version.config), provider: Arc::clone(&version.provider), ..self.clone() }
    }
}
