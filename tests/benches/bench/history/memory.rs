//! More history than a test database takes: in memory, counting the verbs, of which each is as many requests whatever is stored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::ensure;
use async_trait::async_trait;
use domain::record::{Alias, Record, RecordId};
use domain::units::Millis;
use pipeline::memory::{CountingEntropy, Fate, Faulty, Hook, MemoryQueue, MemoryStore};
use pipeline::ports::{Records as _, Saved, Store};

use super::Asked;
use crate::units::Punctual;
use crate::world::{BenchKeys, Class, HandClock, Mix, Person, Ports, Recorded, START, World};

const RECEIVES_MAX: u32 = 5;

/// Counts verbs.
#[derive(Default)]
struct Counter(Mutex<BTreeMap<String, u32>>);

#[async_trait]
impl Hook for Counter {
    async fn before(&self, verb: &'static str) -> Fate {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(verb.to_owned()).or_default() += 1;
        Fate::Go
    }

    async fn after(&self, _verb: &'static str) -> Fate {
        Fate::Go
    }
}

struct Scene {
    world: World,
    store: Arc<MemoryStore>,
    queue: Arc<MemoryQueue>,
    clock: Arc<HandClock>,
    counter: Arc<Counter>,
}

/// What the signups asked for with no history, and with each of these.
pub(super) async fn measure(sizes: &[u32]) -> anyhow::Result<Vec<(u32, Asked, Asked)>> {
    let scene = Scene::open().await?;
    let mut mix = Mix::of_known(1);
    for person in mix.known() {
        scene.play(&person, "known").await?;
    }
    let before = scene.play_all(&mut mix, "none").await?;
    let (mut measured, mut there) = (Vec::new(), 0);
    for &size in sizes {
        scene.write(there..size).await?;
        there = size;
        measured.push((size, before.clone(), scene.play_all(&mut mix, &format!("with-{size}")).await?));
    }
    Ok(measured)
}

impl Scene {
    async fn open() -> anyhow::Result<Self> {
        let clock = Arc::new(HandClock::default());
        let (recorded, config) = Recorded::take(Arc::new(BenchKeys), START).await?;
        let provider = Arc::new(Punctual { inner: recorded, clock: clock.clone() });
        let (store, queue) = (Arc::new(MemoryStore::default()), Arc::new(MemoryQueue::new(clock.clone(), RECEIVES_MAX)));
        let (counter, entropy) = (Arc::new(Counter::default()), Arc::new(CountingEntropy::default()));
        let counted: Arc<dyn Store> = Faulty::new(store.clone(), counter.clone());
        let ports = Ports { store: counted, queue: queue.clone(), provider, clock: clock.clone(), entropy, config: Arc::new(config) };
        Ok(Self { world: World::new(ports)?, store, queue, clock, counter })
    }

    async fn play(&self, person: &Person, delivery: &str) -> anyhow::Result<()> {
        let answer = self.world.post(person, delivery, None).await?;
        ensure!(answer.status_code == 202, "the webhook answered {}", answer.status_code);
        self.world.work_off(&*self.queue, &self.queue).await
    }

    async fn play_all(&self, mix: &mut Mix, name: &str) -> anyhow::Result<Asked> {
        self.clock.pass(Millis::days(1));
        self.taken();
        for class in Class::ALL {
            self.play(&mix.draw(class), &format!("{name}-{}", class.words())).await?;
        }
        Ok(Asked { requests: self.taken(), units: 0.0 })
    }

    fn taken(&self) -> BTreeMap<String, u32> {
        std::mem::take(&mut *self.counter.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes records of which nothing is known but whose they are.
    async fn write(&self, numbers: std::ops::Range<u32>) -> anyhow::Result<()> {
        for number in numbers {
            let record = Record { version: 1, ..Record::new(RecordId(format!("history-{number:014}"))) };
            let alias = Alias { kind: "email".to_owned(), hash: format!("{number:043}") };
            ensure!(self.store.save_record(&record, &[alias]).await? == Saved::Stored, "a record of history is there already");
        }
        Ok(())
    }
}
