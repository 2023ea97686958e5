//! What `cargo dev` does with the same samples: the deployed stack is held to it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use local::args::Args;
use local::journal::Journal;
use local::samples::{Samples, play as play_sample};
use local::stack::Stack;
use sandbox::Sandbox;

/// Everything invented, and the order of the sandbox's latencies, comes from it.
pub(crate) const SEED: u64 = 7;

/// The sample `hot`, and what the CRM holds of it in the end, as far as it does not depend on the day.
const HOT_EMAIL: &str = "dana.cho@northwind-grid.example";
const HOT: [(&str, &str); 6] = [
    ("email", HOT_EMAIL),
    ("company", "Northwind Grid (invented)"),
    ("company_headcount", "1200"),
    ("company_funding_stage", "series_c"),
    ("plg_lead_score", "85"),
    ("routing_track", "ae_queue"),
];

/// What the world saw in the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The CRM's properties by email.
    pub(crate) contacts: BTreeMap<String, BTreeMap<String, String>>,
    /// Calls that the providers billed.
    pub(crate) paid_calls: u64,
}

impl Reference {
    /// Reads a sandbox's books.
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        let contacts = sandbox.contacts().into_iter().map(|contact| {
            let mut properties = contact.properties;
            // HubSpot's own, and the owner: two of a pool take turns, and which lead comes first is a race.
            properties.retain(|name, _| !matches!(name.as_str(), "createdate" | "lastmodifieddate" | "hs_object_id" | "crm_owner_id"));
            (properties.get("email").cloned().unwrap_or_default(), properties)
        });
        Self { contacts: contacts.collect(), paid_calls: sandbox.paid_calls() }
    }

    /// Two CRMs that hold nothing, or nonsense, are alike too: one contact is compared with what a person reads below.
    fn holds_the_hot_lead(&self) -> Result<()> {
        let contact = self.contacts.get(HOT_EMAIL).with_context(|| format!("the CRM holds no {HOT_EMAIL}"))?;
        for (name, wanted) in HOT {
            let is = contact.get(name);
            ensure!(is.is_some_and(|is| is == wanted), "{HOT_EMAIL} in the CRM: {name} is {is:?}, not {wanted}");
        }
        Ok(())
    }
}

/// Plays all samples in the embedded stack.
pub(crate) async fn play(root: &Path, journal: Journal) -> Result<Reference> {
    let folder = |name: &str| root.join(name).to_string_lossy().into_owned();
    let (config, events, seed) = (folder("config"), folder("events"), SEED.to_string());
    let args = ["cargo dev", "--once", "--port", "0", "--seed", &seed, "--config", &config, "--events", &events];
    let stack = Stack::start(&Args::parse_from(args), journal).await?;
    for (case, sample, expected) in Samples::load(&root.join("events"))?.iter() {
        play_sample(&stack, case, sample, expected).await?;
    }
    let seen = Reference::of(&stack.sandbox);
    seen.holds_the_hot_lead()?;
    Ok(seen)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn cargo_dev_leaves_the_hot_lead_that_a_person_expects() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let journal = Journal::default();
        tracing_subscriber::registry().with(journal.clone()).init();
        let reference = Box::pin(play(&root, journal)).await.unwrap();
        for name in ["email", "routing_track", "company_headcount"] {
            let mut broken = reference.contacts.clone();
            broken.get_mut(HOT_EMAIL).unwrap().insert(name.to_owned(), "another".to_owned());
            assert!(Reference { contacts: broken, paid_calls: 0 }.holds_the_hot_lead().is_err());
        }
        assert!(Reference { contacts: BTreeMap::new(), paid_calls: 0 }.holds_the_hot_lead().is_err());
    }
}
