//! What `cargo dev` does with the same samples: the deployed stack is held to it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use clap::Parser as _;
use local::args::Args;
use local::journal::Journal;
use local::samples::{Samples, play as play_sample};
use local::stack::Stack;
use sandbox::Sandbox;

/// Everything invented, and the order of the sandbox's latencies, comes from it.
pub(crate) const SEED: u64 = 7;

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
    Ok(Reference::of(&stack.sandbox))
}
