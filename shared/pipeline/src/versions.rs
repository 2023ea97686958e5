//! The versions of the configuration that a process works with: the one in force, and those that runs are pinned to (DESIGN §9).

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::config::Sources;
use domain::units::{Millis, Timestamp};

use crate::ports::{Clock, InForce, Settings, StoreError};

/// How long what is in force is believed before it is looked up again.
pub const LOOK_EVERY: Millis = Millis::minutes(1);
/// So many versions besides the one in force stay made: runs are parked for minutes, and several versions rarely follow each other
/// within that.
const OTHERS_MOST: usize = 3;

/// Makes what a process works with out of the files of a version, or says what is wrong with them.
type Make<T> = Box<dyn Fn(&Sources) -> Result<T, Box<dyn Error + Send + Sync>> + Send + Sync>;

/// The versions, each made once into a `T`. Version 0, which came with the process, is in force until one is published, and again when
/// somebody goes back to it.
pub struct Versions<T> {
    settings: Arc<dyn Settings>,
    clock: Arc<dyn Clock>,
    bundled: Sources,
    bundled_hash: String,
    make: Make<T>,
    made: Mutex<Made<T>>,
    /// One look at a time: of two, the one that was answered first could else put the older version back.
    looking: tokio::sync::Mutex<()>,
}

/// A version and its hash.
type Named<T> = (String, Arc<T>);

struct Made<T> {
    in_force: Named<T>,
    /// Used last, first.
    others: Vec<Named<T>>,
    looked_at: Timestamp,
    /// Why the last look was in vain, as it was logged.
    complaint: Option<String>,
}

/// Why a version cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// The settings could not be read.
    #[error("the settings table cannot be read: {0}")]
    Unread(#[from] StoreError),
    /// Nothing is stored under this hash.
    #[error("there is no version {0} of the configuration in the settings table; was it published to another stack?")]
    Missing(String),
    /// This process cannot work with it.
    #[error("version {hash} of the configuration cannot be used: {why}; put another one in force with `millrace config activate`")]
    Unusable {
        /// Its hash.
        hash: String,
        /// What is wrong with it, with file and line.
        why: String,
    },
}

impl<T> Versions<T> {
    /// Loads the version in force, or version 0 out of `bundled` where that is.
    ///
    /// # Errors
    /// [`NoVersion`]: nothing is decided by another version than the one in force.
    pub async fn load<M>(settings: Arc<dyn Settings>, clock: Arc<dyn Clock>, bundled: Sources, make: M) -> Result<Self, NoVersion>
    where
        M: Fn(&Sources) -> Result<T, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    {
        let looked_at = clock.now();
        let in_force = settings.in_force().await?;
        let (bundled_hash, make): (_, Make<T>) = (bundled.hash(), Box::new(make));
        let in_force = match in_force.hash() {
            Some(hash) if hash != bundled_hash => made_of(&make, &stored(&*settings, hash).await?, hash)?,
            _ => made_of(&make, &bundled, &bundled_hash)?,
        };
        let made = Mutex::new(Made { in_force, others: Vec::new(), looked_at, complaint: None });
        Ok(Self { settings, clock, bundled, bundled_hash, make, made, looking: tokio::sync::Mutex::new(()) })
    }

    /// What is in force, looked up again where the last look was [`LOOK_EVERY`] ago; to be asked once at the beginning of each
    /// invocation. A look in vain keeps what was loaded, and is logged once.
    pub async fn in_force(&self) -> Arc<T> {
        if self.begins_to_look() {
            let _turn = self.looking.lock().await;
            if let Err(error) = self.look().await {
                self.complain(error.to_string());
            }
        }
        Arc::clone(&self.made().in_force.1)
    }

    /// What is in force, for whoever was asked for something while `seen` was: where something else is loaded it is looked up at
    /// once, and what is in force by then decides, be it newer still.
    ///
    /// # Errors
    /// [`NoVersion`]: what is loaded may be older than what was seen, and nobody is served by it.
    pub async fn in_force_since(&self, seen: &InForce) -> Result<Arc<T>, NoVersion> {
        if !self.has_in_force(seen) {
            let _turn = self.looking.lock().await;
            // Somebody else may have looked meanwhile.
            if !self.has_in_force(seen) {
                self.look().await?;
            }
        }
        Ok(Arc::clone(&self.made().in_force.1))
    }

    /// The version of this hash, for a run that is pinned to it. `None` when there is none, or this process cannot use it; that is
    /// logged.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: nobody knows whether there is one.
    pub async fn version(&self, hash: &str) -> Result<Option<Arc<T>>, StoreError> {
        match self.obtain(hash).await {
            Ok(version) => Ok(Some(version)),
            Err(NoVersion::Unread(error @ StoreError::Unavailable(_))) => Err(error),
            Err(error) => {
                tracing::warn!(config = hash, error = %error, "a run's version of the configuration is not to be had; the one in force decides");
                Ok(None)
            }
        }
    }

    /// Whether it is time; whoever comes meanwhile goes on with what is loaded.
    fn begins_to_look(&self) -> bool {
        let now = self.clock.now();
        let mut made = self.made();
        let is_time = now >= made.looked_at.after(LOOK_EVERY);
        if is_time {
            made.looked_at = now;
        }
        is_time
    }

    async fn look(&self) -> Result<(), NoVersion> {
        let in_force = self.settings.in_force().await?;
        let hash = self.hash_of(&in_force);
        if self.made().in_force.0 != hash {
            let version = self.obtain(hash).await?;
            tracing::info!(config = hash, "another version of the configuration is in force");
            let mut made = self.made();
            let before = std::mem::replace(&mut made.in_force, (hash.to_owned(), version));
            made.keep(before);
        }
        self.made().complaint = None;
        Ok(())
    }

    fn has_in_force(&self, seen: &InForce) -> bool {
        self.made().in_force.0 == self.hash_of(seen)
    }

    fn hash_of<'a>(&'a self, in_force: &'a InForce) -> &'a str {
        in_force.hash().unwrap_or(&self.bundled_hash)
    }

    async fn obtain(&self, hash: &str) -> Result<Arc<T>, NoVersion> {
        if let Some(version) = self.made().find(hash) {
            return Ok(version);
        }
        let named = if hash == self.bundled_hash {
            made_of(&self.make, &self.bundled, hash)?
        } else {
            made_of(&self.make, &stored(&*self.settings, hash).await?, hash)?
        };
        let version = Arc::clone(&named.1);
        self.made().keep(named);
        Ok(version)
    }

    fn complain(&self, complaint: String) {
        let mut made = self.made();
        if made.complaint.as_ref() != Some(&complaint) {
            tracing::error!(config = made.in_force.0, error = complaint, "the configuration was looked up in vain; what was loaded stays");
            made.complaint = Some(complaint);
        }
    }

    fn made(&self) -> MutexGuard<'_, Made<T>> {
        // A panic elsewhere leaves whole versions behind.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Made<T> {
    fn find(&mut self, hash: &str) -> Option<Arc<T>> {
        if self.in_force.0 == hash {
            return Some(Arc::clone(&self.in_force.1));
        }
        let found = self.others.iter().position(|(other, _)| other == hash)?;
        let named = self.others.remove(found);
        let version = Arc::clone(&named.1);
        self.others.insert(0, named);
        Some(version)
    }

    fn keep(&mut self, (hash, version): Named<T>) {
        self.others.retain(|(other, _)| *other != hash && *other != self.in_force.0);
        if hash != self.in_force.0 {
            self.others.insert(0, (hash, version));
        }
        self.others.truncate(OTHERS_MOST);
    }
}

async fn stored(settings: &dyn Settings, hash: &str) -> Result<Sources, NoVersion> {
    settings.version(hash).await?.ok_or_else(|| NoVersion::Missing(hash.to_owned()))
}

fn made_of<T>(make: &Make<T>, sources: &Sources, hash: &str) -> Result<Named<T>, NoVersion> {
    match make(sources) {
        Ok(version) => Ok((hash.to_owned(), Arc::new(version))),
        Err(why) => Err(NoVersion::Unusable { hash: hash.to_owned(), why: why.to_string() }),
    }
}
