//! The configurations by which runs can be replayed, and why others are not among them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use domain::config::Config;
use domain::run::Run;

use crate::configured::Folder;
use crate::explain::Place;
use crate::say::note;

/// A folder's configuration and published versions, by hash.
pub(super) struct Configurations {
    by_hash: BTreeMap<String, Config>,
    /// Published, and why this program cannot use them.
    unusable: BTreeMap<String, String>,
    /// The folder that was named, and the hash of what is in it.
    named: Option<(PathBuf, String)>,
    /// Whether anybody said where the published versions are.
    knows_published: bool,
}

impl Configurations {
    /// That of the folder: the one that was named, else `config` where there is a sound one.
    pub(super) fn of_folder(folder: &Folder) -> Result<Self> {
        let at_hand = folder.at_hand()?;
        let named = folder.named().zip(at_hand.as_ref()).map(|(folder, config)| (folder.to_owned(), config.hash.clone()));
        let by_hash = at_hand.into_iter().map(|config| (config.hash.clone(), config)).collect();
        Ok(Self { by_hash, unusable: BTreeMap::new(), named, knows_published: false })
    }

    /// Adds all published versions: they are few, while runs are many.
    pub(super) async fn add_published(&mut self, place: &Place) -> Result<()> {
        let hashes = place.published().await?;
        self.add(place, hashes.iter().map(String::as_str)).await
    }

    /// Adds those of these hashes that were published.
    pub(super) async fn add(&mut self, place: &Place, hashes: impl Iterator<Item = &str>) -> Result<()> {
        self.knows_published = place.knows_settings();
        for hash in hashes {
            if self.by_hash.contains_key(hash) {
                continue;
            }
            match place.configuration(hash, None).await? {
                Some(Ok(config)) => drop(self.by_hash.insert(hash.to_owned(), config)),
                Some(Err(why)) => drop(self.unusable.insert(hash.to_owned(), format!("{why:#}"))),
                None => {}
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_hash.is_empty() && self.unusable.is_empty()
    }

    pub(super) fn get(&self, hash: &str) -> Option<&Config> {
        self.by_hash.get(hash)
    }

    /// Why the one of this hash is not among them, and what to do.
    pub(super) fn why_not(&self, hash: &str) -> String {
        if let Some(why) = self.unusable.get(hash) {
            return format!("{why}\nuse a `millrace` of the time when it was published");
        }
        let folder = match &self.named {
            Some((folder, given)) => format!("{} is {given}, and ", folder.display()),
            None => String::new(),
        };
        let then = "give --config with the folder as it was then, from the commit that was deployed";
        if self.knows_published {
            format!("{folder}no such version was published there. If it came with the functions, {then}")
        } else {
            format!(
                "{folder}nobody said where the published versions are: give --table and --settings. If it came with the functions, {then}"
            )
        }
    }

    /// Whoever named a folder is told, once, when no run takes it.
    pub(super) fn note_unused(&self, needed: &BTreeSet<String>) {
        let Some((folder, hash)) = self.named.as_ref().filter(|(_, hash)| !needed.contains(hash)) else { return };
        note(format_args!(
            "{folder} is configuration {hash} and was not used: each decision is replayed by the configuration that it was made under. \
             `millrace explain <run> --what-if FIELD=VALUE --config {folder}` says what it would decide",
            folder = folder.display()
        ));
    }
}

/// The hashes of the configurations under which a run was decided.
pub(super) fn needed_by(run: &Run) -> impl Iterator<Item = &str> {
    run.seen.iter().filter_map(|seen| seen.config.as_deref()).chain([run.config.as_str()])
}
