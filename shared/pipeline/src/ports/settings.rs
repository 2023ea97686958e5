use async_trait::async_trait;
use domain::config::Sources;
use domain::units::Timestamp;

use super::StoreError;

/// The published version that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Its hash.
    pub hash: String,
    /// When it was put in force.
    pub since: Timestamp,
    /// The hash of the one that was in force before it; `None` for the first that ever was.
    pub before: Option<String>,
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
    /// Another one is in force than the caller knew of, and nothing changed.
    Other(Option<Active>),
}

/// The published versions of the configuration, and which of them is in force (DESIGN §9). A version is named by the hash of its
/// files, never changes and is never deleted: runs name it. Functions only read, so it is not part of [`super::Store`].
#[async_trait]
pub trait Settings: Send + Sync {
    /// The version in force; `None` while nothing was ever put in force.
    async fn active(&self) -> Result<Option<Active>, StoreError>;
    /// The files of a version.
    async fn version(&self, hash: &str) -> Result<Option<Sources>, StoreError>;
    /// All versions, those published last first.
    async fn versions(&self) -> Result<Vec<Version>, StoreError>;
    /// Stores a version under its hash. It is not in force by that.
    async fn publish_version(&self, sources: &Sources, at: Timestamp) -> Result<Published, StoreError>;
    /// Puts a published version in force, if the one that the caller knows of still is.
    async fn activate(&self, hash: &str, expecting: Option<&str>, at: Timestamp) -> Result<Activated, StoreError>;
}
