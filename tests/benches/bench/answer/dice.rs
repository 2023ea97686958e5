//! How long things take, drawn from a seed (PERFORMANCE, row a).

use std::f64::consts::TAU;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874;

/// A distribution of times, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Time {
    /// By its median and its 99th percentile.
    Lognormal { p50: f64, p99: f64 },
    /// Straight between these quantiles.
    Piecewise(&'static [(f64, f64)]),
}

pub(crate) const DYNAMODB: Time = Time::Lognormal { p50: 4.0, p99: 12.0 };
pub(crate) const SEND: Time = Time::Lognormal { p50: 5.0, p99: 20.0 };
/// From the end of a send to the start of the invocation: 16, 34 and 105 ms were measured; the ends are guessed.
pub(crate) const HOP: Time = Time::Piecewise(&[(0.0, 8.0), (0.5, 16.0), (0.9, 34.0), (0.99, 105.0), (1.0, 180.0)]);
pub(crate) const PROVIDER: Time = Time::Lognormal { p50: 800.0, p99: 3000.0 };
pub(crate) const SLOW_PROVIDER: Time = Time::Lognormal { p50: 2500.0, p99: 12_000.0 };

/// The one source of chance of a bench.
pub(crate) struct Dice(Mutex<StdRng>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// From 0 up to 1.
    pub(crate) fn fraction(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random()
    }

    /// From 0 up to `end`.
    pub(crate) fn below(&self, end: u32) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..end)
    }

    /// A time in whole milliseconds, since tokio's timers know no others: rounded up or down by chance, so that the mean stays.
    pub(crate) fn draw(&self, time: Time) -> Duration {
        let exact = match time {
            Time::Lognormal { p50, p99 } => p50 * ((p99 / p50).ln() / Z99 * self.normal()).exp(),
            Time::Piecewise(quantiles) => between(quantiles, self.fraction()),
        };
        let up = if self.fraction() < exact.fract() { 1.0 } else { 0.0 };
        Duration::from_secs_f64((exact.floor() + up) / 1000.0)
    }

    /// By Box and Muller.
    fn normal(&self) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        radius * (TAU * self.fraction()).cos()
    }
}

fn between(quantiles: &[(f64, f64)], at: f64) -> f64 {
    let pair = quantiles.windows(2).find(|pair| at <= pair[1].0).unwrap_or(&quantiles[quantiles.len() - 2..]);
    let ((from, low), (to, high)) = (pair[0], pair[1]);
    low + (high - low) * (at - from) / (to - from)
}
