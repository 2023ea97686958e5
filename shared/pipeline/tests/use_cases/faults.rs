//! A store that fails inside, or takes its time, as a case says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::units::Millis;
use pipeline::memory::{Fate, Faulty, Hook};
use pipeline::ports::Store;

use crate::world::World;

/// What is wrong with one verb of the store.
#[derive(Default)]
struct Trouble {
    verb: &'static str,
    fails: AtomicUsize,
    loses: AtomicUsize,
    takes: Millis,
}

/// The world's store, of which the first `times` calls of `verb` fail and do nothing.
pub(crate) fn failing(world: &World, verb: &'static str, times: usize) -> Arc<dyn Store> {
    with(world, Trouble { verb, fails: times.into(), ..Trouble::default() })
}

/// The world's store, of which the first call of `verb` takes effect and is not answered.
pub(crate) fn silent_once(world: &World, verb: &'static str) -> Arc<dyn Store> {
    with(world, Trouble { verb, loses: 1.into(), ..Trouble::default() })
}

/// The world's store, of which every call of `verb` takes so long.
pub(crate) fn slow(world: &World, verb: &'static str, takes: Millis) -> Arc<dyn Store> {
    with(world, Trouble { verb, takes, ..Trouble::default() })
}

/// The world's store behind a hook.
pub(crate) fn with(world: &World, hook: impl Hook + 'static) -> Arc<dyn Store> {
    Faulty::<dyn Store>::new(world.store.clone(), Arc::new(hook))
}

/// Fails as long as anything is left of `times`, of which each failure is one.
fn spend(times: &AtomicUsize) -> Fate {
    let taken = times.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if taken.is_ok() { Fate::Fail } else { Fate::Go }
}

#[async_trait]
impl Hook for Trouble {
    async fn before(&self, verb: &'static str) -> Fate {
        if verb != self.verb {
            return Fate::Go;
        }
        tokio::time::sleep(self.takes.to_std()).await;
        spend(&self.fails)
    }

    async fn after(&self, verb: &'static str) -> Fate {
        if verb == self.verb { spend(&self.loses) } else { Fate::Go }
    }
}
