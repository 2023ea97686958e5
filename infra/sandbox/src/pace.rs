//! How long an answer takes.

use std::f64::consts::TAU;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::Latency;

/// The spread of the logarithm: one answer in twenty takes more than twice the median.
const SIGMA: f64 = 0.45;
/// No answer takes longer than this many medians, so that a demonstration stays quick.
const CAP: u32 = 3;

pub(crate) const CRUSTDATA: Duration = Duration::from_millis(300);
pub(crate) const WEBSITE: Duration = Duration::from_millis(80);
pub(crate) const DNS: Duration = Duration::from_millis(15);
pub(crate) const RDAP: Duration = Duration::from_millis(60);
pub(crate) const HUBSPOT: Duration = Duration::from_millis(60);

pub(crate) struct Pace {
    dice: Option<Mutex<StdRng>>,
}

impl Pace {
    pub(crate) fn new(seed: u64, latency: Latency) -> Self {
        let dice = match latency {
            Latency::Off => None,
            Latency::Seeded => Some(Mutex::new(StdRng::seed_from_u64(seed))),
        };
        Self { dice }
    }

    /// Waits as long as this vendor would take.
    pub(crate) async fn wait(&self, median: Duration) {
        if let Some(delay) = self.draw(median) {
            tokio::time::sleep(delay).await;
        }
    }

    /// A lognormal draw by Box and Muller: vendors are mostly quick and now and then slow, never negative.
    fn draw(&self, median: Duration) -> Option<Duration> {
        let mut dice = self.dice.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let radius = (-2.0 * (1.0 - dice.random::<f64>()).ln()).sqrt();
        let normal = radius * (TAU * dice.random::<f64>()).cos();
        Some(median.mul_f64((SIGMA * normal).exp()).min(median * CAP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_latency_no_time_is_drawn() {
        assert_eq!(Pace::new(7, Latency::Off).draw(CRUSTDATA), None);
    }

    #[test]
    fn seeded_latency_repeats_and_keeps_its_median_and_its_cap() {
        let draws = |seed| {
            let pace = Pace::new(seed, Latency::Seeded);
            (0..1_000).filter_map(|_| pace.draw(CRUSTDATA)).collect::<Vec<_>>()
        };
        let mut drawn = draws(7);
        assert_eq!(drawn, draws(7));
        assert_ne!(drawn, draws(8));
        drawn.sort();
        assert!(drawn[999] <= Duration::from_millis(900));
        assert!((Duration::from_millis(270)..Duration::from_millis(330)).contains(&drawn[500]));
    }
}
