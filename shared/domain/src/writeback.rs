//! What goes into the CRM: properties as text, and a digest so that nothing unchanged is written (S3-63, S3-64).

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::config::{Config, CrmPlan, PropertySource};
use crate::decision::Decision;
use crate::derived;
use crate::identity::Email;
use crate::merge::Facts;
use crate::tier::Tier;
use crate::units::BasisPoints;

/// Sources that are the signup's own words, free checks of them or what follows from others; they enrich nothing.
const OWN_SOURCES: &[&str] = &["signup", "email", "dns", "rdap", derived::SOURCE];

/// The properties to write: every value a text, a field that is absent left out, never an empty one.
#[must_use]
pub fn properties(plan: &CrmPlan, config: &Config, facts: &Facts, decision: &Decision) -> BTreeMap<String, String> {
    let value_of = |source: &PropertySource| match source {
        PropertySource::Field(field) => facts.get(field).map(|fact| fact.value.to_string()),
        PropertySource::Score => Some(decision.score.low.to_string()),
        PropertySource::Track => Some(decision.route.track.as_str().to_owned()),
        PropertySource::Destination => decision.route.destination.clone(),
        PropertySource::Owner => decision.owner.clone(),
        PropertySource::Provider => Some(providers(facts)).filter(|names| !names.is_empty()),
        PropertySource::Tier => decision.tier.as_ref().and_then(Tier::known).map(str::to_owned),
        PropertySource::Icp => decision.icp.map(|icp| icp.low.to_string()),
        PropertySource::Set => decision.set.clone(),
        PropertySource::Enhanced(step) => Some((!decision.failed.contains_key(step)).to_string()),
        PropertySource::Error(step) => Some(decision.failed.get(step).cloned().unwrap_or_else(|| "none".to_owned())),
        PropertySource::Confidence => lowest_confidence(config, facts).map(BasisPoints::as_fraction),
    };
    plan.properties.iter().filter_map(|(name, source)| Some((name.clone(), value_of(source)?))).collect()
}

/// A hash of the contact's address and the properties: 32 hex digits. Another address is another contact.
#[must_use]
pub fn digest(email: &Email, properties: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    let address = ("email", email.expose());
    let named = properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in std::iter::once(address).chain(named) {
        for part in [name, value] {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part.as_bytes());
        }
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The providers that the facts came from, joined by commas.
fn providers(facts: &Facts) -> String {
    let mut names: Vec<&str> = Vec::new();
    for source in facts.values().flat_map(|fact| &fact.sources) {
        let name = source.split_once('.').map_or(source.as_str(), |(provider, _)| provider);
        if !names.contains(&name) && !OWN_SOURCES.contains(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    names.join(",")
}

fn lowest_confidence(config: &Config, facts: &Facts) -> Option<BasisPoints> {
    config.decision_fields().iter().filter_map(|field| facts.get(field)).map(|fact| fact.confidence).min()
}
