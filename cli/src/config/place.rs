//! Where versions are published, and which one is in force there.

use anyhow::{Result, bail};
use pipeline::ports::{Activated, Clock as _, InForce, Settings as _, Version};
use platform::{SystemClock, Table};

use crate::stack::Stack;

/// The table that a command about versions reaches.
pub(crate) const TABLES: [Table; 1] = [Table::Settings];

impl Stack {
    pub(crate) async fn in_force(&self) -> Result<InForce> {
        self.asked(self.store.in_force().await)
    }

    /// The one version whose hash begins so, or what came with the functions.
    pub(super) async fn version_named(&self, beginning: &str) -> Result<InForce> {
        if beginning == InForce::BUNDLED {
            return Ok(InForce::Bundled);
        }
        one_of(self.asked(self.store.versions().await)?, beginning).map(|version| InForce::Version(version.hash))
    }

    /// Puts something in force instead of what was seen to be.
    pub(super) async fn put_in_force(&self, what: &InForce, instead_of: &InForce) -> Result<()> {
        match self.asked(self.store.activate(what, instead_of, SystemClock.now()).await)? {
            Activated::Done | Activated::Before => Ok(()),
            Activated::Unknown => bail!("there is no {}; `millrace config versions` lists those that there are", called(what)),
            Activated::Other(other) => {
                bail!(
                    "somebody else put {} in force meanwhile, and it stays; look at `millrace config versions` and try again",
                    called(&other)
                )
            }
        }
    }
}

/// What is in force, in words.
pub(crate) fn called(in_force: &InForce) -> String {
    in_force.hash().map_or_else(|| "what came with the functions".to_owned(), |hash| format!("version {hash}"))
}

fn one_of(versions: Vec<Version>, beginning: &str) -> Result<Version> {
    if beginning.is_empty() {
        bail!("no version is named; write its hash or the beginning of it, as `millrace config versions` lists it");
    }
    let mut found: Vec<Version> = versions.into_iter().filter(|version| version.hash.starts_with(&beginning.to_lowercase())).collect();
    match (found.pop(), found.as_slice()) {
        (None, _) => bail!("there is no version {beginning}; `millrace config versions` lists those that there are"),
        (Some(version), []) => Ok(version),
        (Some(version), others) => {
            let hashes: Vec<&str> = others.iter().map(|other| other.hash.as_str()).chain([version.hash.as_str()]).collect();
            bail!("{} versions begin with {beginning}: {}; write more of the one you mean", hashes.len(), hashes.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::units::Timestamp;

    use super::*;

    #[test]
    fn the_beginning_of_a_hash_is_enough_where_no_other_begins_so() {
        let version = |hash: &str| Version { hash: hash.into(), published_at: Timestamp::from_millis(0), activated_at: None };
        let named = |beginning: &str| one_of(vec![version("ab12"), version("ab34"), version("cd56")], beginning);
        assert_eq!(named("c").unwrap().hash, "cd56");
        assert_eq!(named("AB3").unwrap().hash, "ab34");
        assert!(named("").unwrap_err().to_string().contains("no version is named"), "an empty variable names nothing");
        assert!(named("ab").unwrap_err().to_string().contains("2 versions begin with ab: ab12, ab34"));
        assert!(named("ef").unwrap_err().to_string().contains("there is no version ef"));
    }
}
