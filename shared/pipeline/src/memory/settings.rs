use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::config::Sources;
use domain::units::Timestamp;

use super::MemoryStore;
use crate::ports::{Activated, Active, InForce, Published, Settings, StoreError, Version};

/// The published versions by hash, and what was put in force last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Versions {
    published: BTreeMap<String, (Version, Sources)>,
    active: Option<Active>,
}

#[async_trait]
impl Settings for MemoryStore {
    async fn active(&self) -> Result<Option<Active>, StoreError> {
        Ok(self.state().versions.active.clone())
    }

    async fn version(&self, hash: &str) -> Result<Option<Sources>, StoreError> {
        Ok(self.state().versions.published.get(hash).map(|(_, sources)| sources.clone()))
    }

    async fn versions(&self) -> Result<Vec<Version>, StoreError> {
        let mut versions: Vec<Version> = self.state().versions.published.values().map(|(version, _)| version.clone()).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.published_at));
        Ok(versions)
    }

    async fn publish_version(&self, sources: &Sources, at: Timestamp) -> Result<Published, StoreError> {
        let published = &mut self.state().versions.published;
        let hash = sources.hash();
        if published.contains_key(&hash) {
            return Ok(Published::Before);
        }
        let version = Version { hash: hash.clone(), published_at: at, activated_at: None };
        published.insert(hash, (version, sources.clone()));
        Ok(Published::Stored)
    }

    async fn activate(&self, what: &InForce, instead_of: &InForce, at: Timestamp) -> Result<Activated, StoreError> {
        let Versions { published, active } = &mut self.state().versions;
        let version = what.hash().map(|hash| published.get_mut(hash));
        if let Some(None) = version {
            return Ok(Activated::Unknown);
        }
        let now = active.as_ref().map_or(InForce::Bundled, |active| active.what.clone());
        if now == *what {
            return Ok(Activated::Before);
        }
        if now != *instead_of {
            return Ok(Activated::Other(now));
        }
        if let Some((version, _)) = version.flatten() {
            version.activated_at = Some(at);
        }
        *active = Some(Active { what: what.clone(), since: at, before: now });
        Ok(Activated::Done)
    }
}
