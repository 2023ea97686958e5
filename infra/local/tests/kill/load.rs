//! Senders: they sign, post, and post again until they get their 2xx, or give up.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use domain::units::{Millis, Timestamp};
use intake::sample::Sample;
use local::samples::post;
use pipeline::ports::Clock;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;

use crate::snapshot::Snapshot;
use crate::world::{OutageClock, World};

/// The month's allocation for each kill: most of what the load asks for, so that the last signups meet its end.
pub(crate) const CREDITS_A_KILL: u64 = 60;
const SENDERS: usize = 8;
/// A sender that gives up does so after this many tries without an answer.
const TRIES_OF_THE_IMPATIENT: usize = 2;
/// What vendors and CRM do wrong, by the first word of an address (infra/sandbox).
const TROUBLE: [&str; 8] = ["slow", "timeout", "ratelimited", "nomatch", "broken", "down", "crmlimited", "crmdown"];
const SOURCES: [&str; 5] = ["free_trial", "free_trial", "waitlist", "demo_request", "contact_sales"];

/// What one sender has to send.
struct Delivery {
    sample: Sample,
    /// Rendered when it is first sent; its repetitions are the same bytes.
    body: Arc<OnceLock<Vec<u8>>>,
    /// Its millisecond within the second: two clicks of one person in one millisecond are one delivery, and a person
    /// does not click so.
    clicked: Millis,
    is_impatient: bool,
}

#[derive(Default)]
struct Sent {
    accepted: BTreeSet<String>,
    answers: usize,
    given_up: usize,
}

struct Shared {
    deliveries: Vec<Delivery>,
    next: AtomicUsize,
    allowed: AtomicUsize,
    sent: Mutex<Sent>,
    clock: OutageClock,
    http: reqwest::Client,
    url: String,
}

/// All senders.
pub(crate) struct Load {
    shared: Arc<Shared>,
    senders: tokio::sync::Mutex<JoinSet<()>>,
}

impl Load {
    pub(crate) fn begin(world: &World, posts: usize, seed: u64) -> Self {
        let http = platform::http_client().unwrap().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        let shared = Arc::new(Shared {
            deliveries: deliveries(posts, seed),
            next: AtomicUsize::new(0),
            allowed: AtomicUsize::new(0),
            sent: Mutex::default(),
            clock: world.clock.clone(),
            http,
            url: world.url.clone(),
        });
        let mut senders = JoinSet::new();
        for sender in 0..SENDERS {
            let dice = StdRng::seed_from_u64(seed.wrapping_add(sender as u64));
            senders.spawn(send(Arc::clone(&shared), dice));
        }
        Self { shared, senders: tokio::sync::Mutex::new(senders) }
    }

    /// Lets the senders go on up to this many deliveries in all.
    pub(crate) fn allow(&self, deliveries: usize) {
        self.shared.allowed.store(deliveries, Ordering::SeqCst);
    }

    /// Whether every delivery was accepted or given up.
    pub(crate) async fn is_finished(&self) -> bool {
        let mut senders = self.senders.lock().await;
        while let Some(ended) = senders.try_join_next() {
            ended.unwrap();
        }
        senders.is_empty()
    }

    /// The runs whose senders have their 2xx.
    pub(crate) fn accepted(&self) -> BTreeSet<String> {
        self.shared.sent.lock().unwrap().accepted.clone()
    }

    /// Deliveries begun, 2xx answers, and deliveries that nobody wants any more.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let sent = self.shared.sent.lock().unwrap();
        (self.shared.next.load(Ordering::SeqCst).min(self.shared.deliveries.len()), sent.answers, sent.given_up)
    }

    pub(crate) fn words(&self, snapshot: &Snapshot) -> String {
        let ((posted, answers, _), accepted) = (self.counts(), self.accepted().len());
        let (finished, dead) = (snapshot.finished().count(), snapshot.messages.iter().filter(|message| message.dead).count());
        let waiting = snapshot.living().count();
        format!("posted {posted}, answered {answers}, accepted {accepted}, finished {finished}, waiting {waiting}, dead {dead}")
    }
}

async fn send(shared: Arc<Shared>, mut dice: StdRng) {
    loop {
        let next = shared.next.load(Ordering::SeqCst);
        if next >= shared.deliveries.len() {
            return;
        }
        let is_allowed = next < shared.allowed.load(Ordering::SeqCst);
        if is_allowed && shared.next.compare_exchange(next, next + 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            deliver(&shared, &shared.deliveries[next], &mut dice).await;
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(5..120))).await;
    }
}

/// A second ago at least, so that no click lies ahead.
fn clicked_at(now: Timestamp, millis: Millis) -> Timestamp {
    Timestamp::from_millis(now.seconds() * 1000).before(Millis::seconds(1)).after(millis)
}

async fn deliver(shared: &Shared, delivery: &Delivery, dice: &mut StdRng) {
    for tries in 1.. {
        let now = shared.clock.now();
        let body = delivery.body.get_or_init(|| delivery.sample.render(clicked_at(now, delivery.clicked))).clone();
        if let Ok(sending) = post(&shared.http, &shared.url, &delivery.sample, body, now).await {
            let mut sent = shared.sent.lock().unwrap();
            sent.accepted.insert(sending.run.to_string());
            sent.answers += 1;
            return;
        }
        if delivery.is_impatient && tries >= TRIES_OF_THE_IMPATIENT {
            shared.sent.lock().unwrap().given_up += 1;
            return;
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(30..150))).await;
    }
}

/// New people, colleagues, second clicks and repeated deliveries, the last two soon after what they repeat.
fn deliveries(count: usize, seed: u64) -> Vec<Delivery> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut made: Vec<Delivery> = Vec::new();
    let mut emails: Vec<String> = Vec::new();
    for nth in 0..count {
        let recent = nth.saturating_sub(12)..nth;
        let (again, is_repeated) = match dice.random_range(0..100) {
            0..20 if nth > 0 => (Some(dice.random_range(recent)), true),
            20..40 if nth > 0 => (Some(dice.random_range(recent)), false),
            _ => (None, false),
        };
        let email = again.map_or_else(|| new_person(nth, &mut dice), |again| emails[again].clone());
        let (sample, body) = match again.filter(|_| is_repeated) {
            Some(again) => (made[again].sample.clone(), Arc::clone(&made[again].body)),
            None => (sample(&email, &mut dice), Arc::default()),
        };
        made.push(Delivery {
            sample,
            body,
            clicked: Millis(i64::try_from(nth % 1000).unwrap()),
            is_impatient: dice.random_range(0..10) == 0,
        });
        emails.push(email);
    }
    made
}

/// Somebody of a company of their own, or of one that others came from before; one in six meets trouble.
fn new_person(nth: usize, dice: &mut StdRng) -> String {
    let firm = if dice.random_range(0..3) == 0 { dice.random_range(0..=nth / 8) } else { 1_000 + nth };
    let trouble = if dice.random_range(0..6) == 0 { format!("{}-", TROUBLE.choose(dice).unwrap()) } else { String::new() };
    format!("{trouble}p{nth}@firm{firm}.example")
}

fn sample(email: &str, dice: &mut StdRng) -> Sample {
    let source = SOURCES.choose(dice).unwrap();
    let body = serde_json::json!({"email": email, "signup_source": source, "timestamp": "$NOW"});
    let mut sample = serde_json::json!({"issuer": "signup", "body": body});
    if dice.random_range(0..10) == 0 {
        sample["prefer"] = "wait=1".into();
    }
    Sample::parse(&sample.to_string()).unwrap()
}
