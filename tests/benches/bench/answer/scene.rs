//! The functions on ports in memory that take their time. Each class of signup has its own, since its verbs take other times; all
//! share the store.

use std::sync::Arc;

use pipeline::memory::{CountingEntropy, Faulty, MemoryStore, TokioClock};
use pipeline::ports::{Clock, Entropy, Store};

use super::Start;
use super::dice::Dice;
use super::trips::Travel;
use super::vendor::{Mood, Vendor};
use super::wire::{Failures, wire};
use crate::world::{Class, Ports, START, World};

pub(super) struct Scene {
    worlds: [(Class, Arc<World>); 3],
    /// Sends messages that nobody receives.
    pub(super) deaf: World,
    pub(super) vendor: Arc<Vendor>,
    failures: Arc<Failures>,
}

impl Scene {
    /// Opens it in the runtime whose time it is to be.
    pub(super) fn open(start: Start, mood: Mood, seed: u64) -> anyhow::Result<Self> {
        let (dice, failures) = (Arc::new(Dice::new(seed)), Arc::new(Failures::default()));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(START));
        let entropy: Arc<dyn Entropy> = Arc::new(CountingEntropy::default());
        let vendor = Vendor::new(start.recorded.clone(), Arc::clone(&dice), mood);
        let make = |class: Class| {
            let (queue, arrivals) = wire(Arc::clone(&dice));
            let store = Faulty::new(Arc::clone(&store), Arc::new(Travel { class, dice: Arc::clone(&dice) }));
            let (provider, clock, config) = (vendor.clone(), Arc::clone(&clock), Arc::clone(&start.config));
            World::new(Ports { store, queue, provider, clock, entropy: Arc::clone(&entropy), config }).map(|world| (world, arrivals))
        };
        let heard = |class: Class| {
            let (world, arrivals) = make(class)?;
            let world = Arc::new(world);
            tokio::spawn(arrivals.deliver(Arc::clone(&world), Arc::clone(&failures)));
            anyhow::Ok((class, world))
        };
        let worlds = [heard(Class::Hit)?, heard(Class::One)?, heard(Class::Three)?];
        let (deaf, _) = make(Class::Hit)?;
        Ok(Self { worlds, deaf, vendor, failures })
    }

    pub(super) fn world(&self, class: Class) -> &World {
        let found = self.worlds.iter().find(|(of, _)| *of == class);
        found.map_or(&self.deaf, |(_, world)| world)
    }

    /// No invocation may have failed on its message.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.failures.check()
    }
}
