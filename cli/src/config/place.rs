//! Where versions are published, and which one is in force there.

use anyhow::{Result, bail};
use pipeline::ports::{Activated, Active, Clock as _, Settings as _, Version};
use platform::{SystemClock, Table};

use crate::stack::{Stack, Which};

/// The output that names the table.
const SETTINGS_OUTPUT: &str = "SettingsTable";

/// The stack's settings.
pub(super) async fn settings_of(which: &Which) -> Result<Stack> {
    which.connect(Table::Settings, SETTINGS_OUTPUT).await
}

impl Stack {
    pub(super) async fn active(&self) -> Result<Option<Active>> {
        self.asked(self.store.active().await)
    }

    /// The one version whose hash begins so.
    pub(super) async fn version_named(&self, beginning: &str) -> Result<Version> {
        one_of(self.asked(self.store.versions().await)?, beginning)
    }

    /// Puts a version in force instead of the one that was seen to be.
    pub(super) async fn put_in_force(&self, hash: &str, instead_of: Option<&str>) -> Result<()> {
        match self.asked(self.store.activate(hash, instead_of, SystemClock.now()).await)? {
            Activated::Done | Activated::Before => Ok(()),
            Activated::Unknown => bail!("there is no version {hash}; `millrace config versions` lists those that there are"),
            Activated::Other(None) => bail!("nothing is in force any more; look at `millrace config versions` and try again"),
            Activated::Other(Some(other)) => {
                bail!(
                    "somebody else put version {} in force meanwhile, and it stays; look at `millrace config versions` and try again",
                    other.hash
                )
            }
        }
    }
}

fn one_of(versions: Vec<Version>, beginning: &str) -> Result<Version> {
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
    fn the_output_that_is_asked_for_is_in_the_template() {
        assert!(include_str!("../../../template.yaml").contains(&format!("\n  {SETTINGS_OUTPUT}:\n    Description:")));
    }

    #[test]
    fn the_beginning_of_a_hash_is_enough_where_no_other_begins_so() {
        let version = |hash: &str| Version { hash: hash.into(), published_at: Timestamp::from_millis(0), activated_at: None };
        let named = |beginning: &str| one_of(vec![version("ab12"), version("ab34"), version("cd56")], beginning);
        assert_eq!(named("c").unwrap().hash, "cd56");
        assert_eq!(named("AB3").unwrap().hash, "ab34");
        assert!(named("ab").unwrap_err().to_string().contains("2 versions begin with ab: ab12, ab34"));
        assert!(named("ef").unwrap_err().to_string().contains("there is no version ef"));
    }
}
