//! Providers that take their time, or worse.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::ports::{LookupRequest, Provider};
use tokio::time::Instant;

use super::dice::{Dice, PROVIDER, SLOW_PROVIDER};
use crate::world::{Person, Recorded};

/// How the paid providers are today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As every day.
    Well,
    /// A fifth each: well, slow, failing at once, limiting the rate, silent for ever.
    Ill,
}

/// Answers what was recorded, and keeps in mind how long each person's calls took.
pub(crate) struct Vendor {
    recorded: Recorded,
    dice: Arc<Dice>,
    mood: Mood,
    took: Mutex<BTreeMap<String, Took>>,
}

/// The calls by one key.
#[derive(Default)]
struct Took {
    ended: Vec<(Instant, Instant)>,
    open: u32,
}

/// Ends the time of a call, also of one that is cut off.
struct Call<'a> {
    vendor: &'a Vendor,
    key: String,
    start: Instant,
}

impl Vendor {
    pub(crate) fn new(recorded: Recorded, dice: Arc<Dice>, mood: Mood) -> Arc<Self> {
        Arc::new(Self { recorded, dice, mood, took: Mutex::default() })
    }

    /// How long calls for a person and their company were out, counted once where several were; `None` while one is open.
    pub(crate) fn took(&self, person: Person) -> Option<Duration> {
        let mut took = self.calls();
        let calls: Vec<Took> = [person.email(), person.domain()].iter().filter_map(|key| took.remove(key)).collect();
        calls.iter().all(|calls| calls.open == 0).then(|| covered(calls.into_iter().flat_map(|calls| calls.ended).collect()))
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<String, Took>> {
        self.took.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, key: &str) -> Call<'_> {
        self.calls().entry(key.to_owned()).or_default().open += 1;
        Call { vendor: self, key: key.to_owned(), start: Instant::now() }
    }

    async fn answer(&self, request: &LookupRequest) -> Reply {
        let kind = if self.mood == Mood::Well { 0 } else { self.dice.below(5) };
        match kind {
            0 => tokio::time::sleep(self.dice.draw(PROVIDER)).await,
            1 => tokio::time::sleep(self.dice.draw(SLOW_PROVIDER)).await,
            2 => return Reply::Failed { why: "the vendor is down".to_owned() },
            3 => return Reply::RateLimited { retry_after: Millis::seconds(3) },
            _ => std::future::pending().await,
        }
        self.recorded.look_up(request).await
    }
}

/// The time that these spans cover together.
fn covered(mut spans: Vec<(Instant, Instant)>) -> Duration {
    spans.sort_unstable();
    let mut until = None;
    let span = |(start, end): (Instant, Instant)| {
        let from = until.map_or(start, |until: Instant| until.max(start));
        until = Some(until.map_or(end, |until: Instant| until.max(end)));
        end.saturating_duration_since(from)
    };
    spans.into_iter().map(span).sum()
}

#[async_trait]
impl Provider for Vendor {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        if !Recorded::is_paid(&request.operation) {
            return self.recorded.look_up(request).await;
        }
        let _call = self.begin(&request.key.value);
        self.answer(request).await
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        // Whoever waited may have been answered meanwhile; then nobody asks any more.
        if let Some(took) = self.vendor.calls().get_mut(&self.key) {
            took.open -= 1;
            took.ended.push((self.start, Instant::now()));
        }
    }
}
