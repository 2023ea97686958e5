use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::units::Millis;
use pipeline::memory::{Fate, Hook};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tests::sim::{Conduct, Crash, CrmConduct};

/// All the luck of a seed, good and bad.
pub(crate) struct Dice {
    rng: Mutex<StdRng>,
    calm: AtomicBool,
    faults: AtomicU64,
}

impl Dice {
    pub(crate) fn of_seed(seed: u64) -> Arc<Self> {
        Arc::new(Self { rng: Mutex::new(StdRng::seed_from_u64(seed)), calm: AtomicBool::default(), faults: AtomicU64::default() })
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// A number from `least` up to and without `end`.
    pub(crate) fn roll(&self, least: u32, end: u32) -> u32 {
        self.rng.lock().unwrap().random_range(least..end)
    }

    pub(crate) fn span(&self, least: u32, end: u32) -> Millis {
        Millis(i64::from(self.roll(least, end)))
    }

    pub(crate) fn one_of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.roll(0, u32::try_from(choices.len()).unwrap()) as usize]
    }

    /// Whether something goes wrong that goes wrong so often in ten thousand times.
    pub(crate) fn is_bad(&self, often: u32) -> bool {
        let is_bad = self.roll(0, 10_000) < often && !self.calm.load(Ordering::Relaxed);
        self.faults.fetch_add(u64::from(is_bad), Ordering::Relaxed);
        is_bad
    }

    pub(crate) fn conduct(&self) -> Conduct {
        if self.is_bad(2200) {
            return match self.roll(0, 100) {
                0..25 => Conduct::BillsLate(self.span(100, 9000)),
                25..45 => Conduct::Hangs,
                45..70 => Conduct::RateLimits(self.span(1000, 60_000)),
                70..85 => Conduct::ServerError,
                85..95 => Conduct::Garbage,
                _ => Conduct::AuthFailed,
            };
        }
        Conduct::Answer(self.span(50, 2500))
    }

    pub(crate) fn crm(&self) -> CrmConduct {
        if self.is_bad(2000) {
            return match self.roll(0, 100) {
                0..35 => CrmConduct::RateLimits(self.span(1000, 30_000)),
                35..65 => CrmConduct::Down,
                _ => CrmConduct::WritesInSilence(self.span(100, 9900)),
            };
        }
        CrmConduct::Writes(self.span(30, 600))
    }
}

/// Delays, faults, lost replies, stand-stills and crashes at the verbs of one worker.
pub(crate) struct Chaos {
    pub(crate) dice: Arc<Dice>,
    pub(crate) crash: Crash,
}

impl Chaos {
    async fn edge(&self) -> Fate {
        let dice = &self.dice;
        let pause = match dice.roll(0, 1000) {
            _ if dice.is_bad(10) => dice.span(36_000, 58_000),
            0..10 => dice.span(300, 3000),
            _ => dice.span(0, 25),
        };
        tokio::time::sleep(pause.to_std()).await;
        if dice.is_bad(20) {
            self.crash.now::<()>().await;
        }
        if dice.is_bad(100) { Fate::Fail } else { Fate::Go }
    }
}

#[async_trait]
impl Hook for Chaos {
    async fn before(&self, _: &'static str) -> Fate {
        self.edge().await
    }

    async fn after(&self, _: &'static str) -> Fate {
        self.edge().await
    }
}
