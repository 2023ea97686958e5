//! How many requests to `DynamoDB` a verb of the store makes one after the other. Those that it makes side by side count once.
//! The numbers are checked against the real store on the wire whenever the row is measured.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::ensure;
use async_trait::async_trait;
use pipeline::memory::{Fate, Faulty, Hook};
use pipeline::ports::Store;
use tokio::sync::{Mutex as TurnMutex, OwnedMutexGuard};

use super::dice::{DYNAMODB, Dice};
use crate::units::meter::Meter;
use crate::world::Class;

/// The one place for what is more than one trip: whoever is known is found by alias, then read; their record is put, then its
/// aliases are looked at.
pub(crate) const fn trips(class: Class, verb: &str) -> u32 {
    match (class, verb.as_bytes()) {
        (Class::Hit, b"find_record" | b"save_record") => 2,
        _ => 1,
    }
}

/// Lets every verb take the time of its trips.
pub(crate) struct Travel {
    pub(crate) class: Class,
    pub(crate) dice: Arc<Dice>,
}

#[async_trait]
impl Hook for Travel {
    async fn before(&self, verb: &'static str) -> Fate {
        for _ in 0..trips(self.class, verb) {
            tokio::time::sleep(self.dice.draw(DYNAMODB)).await;
        }
        Fate::Go
    }

    async fn after(&self, _verb: &'static str) -> Fate {
        Fate::Go
    }
}

/// One verb after the other, with the trips that the meter saw in between.
pub(crate) struct Surveyor {
    meter: Arc<Meter>,
    turn: Arc<TurnMutex<()>>,
    held: Mutex<Option<OwnedMutexGuard<()>>>,
    seen: Mutex<BTreeMap<&'static str, u32>>,
}

impl Surveyor {
    pub(crate) fn new(meter: Arc<Meter>) -> Arc<Self> {
        Arc::new(Self { meter, turn: Arc::default(), held: Mutex::default(), seen: Mutex::default() })
    }

    pub(crate) fn around(self: &Arc<Self>, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Faulty::new(store, Arc::clone(self) as Arc<dyn Hook>)
    }

    /// Forgets what was seen.
    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Compares what was seen of a class with the table, and forgets it.
    pub(crate) fn check(&self, class: Class) -> anyhow::Result<()> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        ensure!(!seen.is_empty(), "{}: no verb was seen", class.words());
        for (verb, made) in seen {
            let said = trips(class, verb);
            ensure!(made == said, "{}: {verb} makes {made} trips, and answer/trips.rs says {said}", class.words());
        }
        Ok(())
    }
}

#[async_trait]
impl Hook for Surveyor {
    async fn before(&self, _verb: &'static str) -> Fate {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
        if self.meter.take().is_err() { Fate::Fail } else { Fate::Go }
    }

    async fn after(&self, verb: &'static str) -> Fate {
        let requests = self.meter.take();
        let depth = requests.iter().flatten().map(|request| request.depth).max().unwrap_or_default();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let most = seen.entry(verb).or_default();
        *most = depth.max(*most);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if requests.is_err() { Fate::Fail } else { Fate::Go }
    }
}
