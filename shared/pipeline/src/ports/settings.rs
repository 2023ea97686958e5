use async_trait::async_trait;
use domain::config::Sources;
use domain::units::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// What decides: a published version, or the files that came with the functions. Written as the version's hash, or as `bundled`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum InForce {
    /// The files that came with the functions, version 0: from the start, and again once somebody went back to them (ADR 0011).
    #[default]
    Bundled,
    /// The published version of this hash.
    Version(String),
}

impl InForce {
    /// How [`Self::Bundled`] is written. No hash reads so.
    pub const BUNDLED: &str = "bundled";

    /// The hash of the version; `None` for what came with the functions, which each of them may have others of.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        match self {
            Self::Bundled => None,
            Self::Version(hash) => Some(hash),
        }
    }

    /// The hash, or `bundled`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.hash().unwrap_or(Self::BUNDLED)
    }
}

impl From<String> for InForce {
    fn from(written: String) -> Self {
        if written == Self::BUNDLED { Self::Bundled } else { Self::Version(written) }
    }
}

impl From<InForce> for String {
    fn from(in_force: InForce) -> Self {
        in_force.as_str().to_owned()
    }
}

/// What was put in force last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// What decides.
    pub what: InForce,
    /// When it was put in force.
    pub since: Timestamp,
    /// What decided before it.
    pub before: InForce,
}

/// A published version, as the list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its hash.
    pub hash: String,
    /// When it was published first.
    pub published_at: Timestamp,
    /// When it was put in force last; `None` when it never was.
    pub activated_at: Option<Timestamp>,
}

/// The answer to a wish to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is stored now.
    Stored,
    /// The same files were published before, and that stands.
    Before,
    /// The store takes no version of this size.
    TooLarge {
        /// What it comes to as it would be stored, in bytes.
        bytes: usize,
        /// What the store takes at most.
        most: usize,
    },
}

/// The answer to a wish to put a version in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activated {
    /// It is in force now.
    Done,
    /// It was in force already, and nothing changed.
    Before,
    /// No version of this hash was published.
    Unknown,
    /// Something else is in force than the caller knew of, and nothing changed.
    Other(InForce),
}

/// The published versions of the configuration, and which of them is in force (DESIGN §9). A version is named by the hash of its
/// files, never changes and is never deleted: runs name it. Functions only read, so it is not part of [`super::Store`].
#[async_trait]
pub trait Settings: Send + Sync {
    /// What was put in force last; `None` while nothing ever was.
    async fn active(&self) -> Result<Option<Active>, StoreError>;
    /// What decides now.
    async fn in_force(&self) -> Result<InForce, StoreError> {
        Ok(self.active().await?.map_or(InForce::Bundled, |active| active.what))
    }
    /// The files of a version.
    async fn version(&self, hash: &str) -> Result<Option<Sources>, StoreError>;
    /// All versions, those published last first.
    async fn versions(&self) -> Result<Vec<Version>, StoreError>;
    /// Stores a version under its hash. It is not in force by that.
    async fn publish_version(&self, sources: &Sources, at: Timestamp) -> Result<Published, StoreError>;
    /// Puts a published version in force, or what came with the functions, if what the caller knows of still is.
    async fn activate(&self, what: &InForce, instead_of: &InForce, at: Timestamp) -> Result<Activated, StoreError>;
}
