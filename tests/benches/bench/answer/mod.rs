//! Rows a, a' and a": how long somebody waits, in virtual time. The functions, their use cases and their watching are the real
//! ones; tables, queues and providers take times drawn from a seed. Functions are warm.

pub(crate) mod deadlines;
pub(crate) mod dice;
mod scene;
mod trips;
mod vendor;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use domain::config::Config;
use domain::units::Millis;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Size;
use crate::limit::{Limit, Unit};
use crate::report::Report;
use crate::row::Row;
use crate::units::Scene as OnTheWire;
use crate::world::{BenchKeys, Class, Mix, Person, Recorded, START};
use dice::Dice;
use scene::Scene;
use trips::Surveyor;
use vendor::Mood;

pub(crate) const ID: &str = "a";
pub(crate) const ACCEPT: &str = "a'";
pub(crate) use deadlines::ID as DEADLINES;

/// People who are known before the first signup that counts; they come back in turn.
const KNOWN: u32 = 200;
/// Who has to wait longer gets what is known; nobody of this row does, or hardly anybody.
const WAIT_SECONDS: u32 = 10;
const NEXT_SIGNUP_MS: f64 = 50.0;
const SEED: u64 = 5;

/// Signups of each row.
const fn count_of(size: Size) -> u32 {
    match size {
        Size::Small => 500,
        Size::Full => 10_000,
    }
}

/// What the rows start from.
#[derive(Clone)]
pub(crate) struct Start {
    recorded: Recorded,
    config: Arc<Config>,
}

impl Start {
    pub(crate) async fn record() -> anyhow::Result<Self> {
        let (recorded, config) = Recorded::take(Arc::new(BenchKeys), START).await?;
        Ok(Self { recorded, config: Arc::new(config) })
    }
}

/// How long one signup waited for its answer, and how much of it for providers.
struct Waited {
    class: Class,
    ours: Duration,
}

/// Measures row a.
pub(crate) async fn measure(size: Size) -> anyhow::Result<Report> {
    let count = count_of(size);
    survey().await.context("the table of trips")?;
    let start = Start::record().await?;
    let (waited, late) = in_virtual_time(async move { signups(start, count).await }).await?;
    let mut report = Report::default();
    let all: Vec<f64> = waited.iter().map(|waited| millis(waited.ours)).collect();
    let row = |what: String, value: f64| Row::exact(ID, what, Unit::Milliseconds, value);
    let what = format!("webhook to answer under `Prefer: wait`, less the providers, {count} signups 70/24/6");
    report.row(row(format!("{what}: p50"), quantile(&all, 0.50)).gate(Limit::AtMost(80.0)).stretch(Limit::AtMost(60.0)));
    report.row(row(format!("{what}: p99"), quantile(&all, 0.99)).gate(Limit::AtMost(250.0)).stretch(Limit::AtMost(180.0)));
    for class in Class::ALL {
        let of_class: Vec<f64> = waited.iter().filter(|waited| waited.class == class).map(|waited| millis(waited.ours)).collect();
        let what = format!("{}, {} signups", class.words(), of_class.len());
        report.row(row(format!("{what}: p50"), quantile(&of_class, 0.50)));
        report.row(row(format!("{what}: p99"), quantile(&of_class, 0.99)));
    }
    let share_late = Row::exact(
        ID,
        "of a hundred, waited for providers longer than anybody may wait".to_owned(),
        Unit::Count,
        100.0 * late as f64 / count as f64,
    );
    report.row(share_late.gate(Limit::AtMost(10.0)));
    report.note("a Two reservations at one moment collide at the real store, which then pauses 8 ms or more; here none does.");
    report.note(format!("a {late} of {count} waited for their providers longer than anybody may wait, and do not count."));
    report.note(
        "a Virtual time; a verb of the store takes the time of its sequential requests, which are compared with the real store's first.",
    );
    Ok(report)
}

/// Measures row a'.
pub(crate) async fn measure_accept(size: Size) -> anyhow::Result<Report> {
    let (start, count) = (Start::record().await?, count_of(size));
    let accepted = in_virtual_time(async move { accepts(start, count).await }).await?;
    let mut report = Report::default();
    let row = |what: String, value: f64| Row::exact(ACCEPT, what, Unit::Milliseconds, value);
    let what = format!("webhook to 2xx, {count} signups");
    report.row(row(format!("{what}: p50"), quantile(&accepted, 0.50)));
    report.row(row(format!("{what}: p99"), quantile(&accepted, 0.99)).gate(Limit::AtMost(50.0)).stretch(Limit::AtMost(25.0)));
    Ok(report)
}

/// Plays each class through the real store on the wire and compares its trips with the table.
async fn survey() -> anyhow::Result<()> {
    let mut surveyor = None;
    let scene = OnTheWire::start_with(true, |store, meter| surveyor.insert(Surveyor::new(meter)).around(store)).await?;
    let surveyor = surveyor.context("nobody surveys")?;
    let mut mix = Mix::of_known(1);
    for (number, person) in mix.known().enumerate() {
        scene.play(&person, &format!("known-{number}")).await?;
    }
    scene.clock.pass(Millis::days(2));
    // The month has begun; what its first reservation needs is not what every signup needs.
    surveyor.forget();
    for class in Class::ALL {
        scene.play(&mix.draw(class), class.words()).await?;
        surveyor.check(class)?;
    }
    Ok(())
}

/// Runs something in a runtime of its own, whose clock jumps to the next timer.
async fn in_virtual_time<T, F>(work: F) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    tokio::task::spawn_blocking(move || runtime.block_on(work)).await?
}

async fn signups(start: Start, count: u32) -> anyhow::Result<(Vec<Waited>, usize)> {
    let (scene, dice) = (Arc::new(Scene::open(start, Mood::Well, SEED)?), Dice::new(SEED + 1));
    let mut mix = Mix::of_known(KNOWN);
    let mut known = JoinSet::new();
    for person in mix.known() {
        known.spawn(wait(Arc::clone(&scene), Class::Three, person, format!("known-{}", person.number)));
    }
    while let Some(answered) = known.join_next().await {
        answered??;
    }
    // The hour in which the same person is not paid for again.
    tokio::time::sleep(Millis::hours(2).to_std()).await;
    let mut signups = JoinSet::new();
    for number in 0..count {
        let class = class_of(dice.below(100));
        signups.spawn(wait(Arc::clone(&scene), class, mix.draw(class), format!("signup-{number}")));
        tokio::time::sleep(pause(&dice)).await;
    }
    let mut waited = Vec::new();
    let mut late = 0;
    while let Some(answered) = signups.join_next().await {
        match answered?? {
            Some(answered) => waited.push(answered),
            None => late += 1,
        }
    }
    scene.check()?;
    Ok((waited, late))
}

/// Posts a signup and waits for the decision; `None` when the time of whoever waits was over before.
async fn wait(scene: Arc<Scene>, class: Class, person: Person, delivery: String) -> anyhow::Result<Option<Waited>> {
    let start = Instant::now();
    let answer = scene.world(class).post(&person, &delivery, Some(WAIT_SECONDS)).await?;
    let (waited, providers) = (start.elapsed(), scene.vendor.took(person));
    let Some(providers) = providers else { return Ok(None) };
    scene.check()?;
    anyhow::ensure!(answer.status_code == 200, "{} was answered {}", class.words(), answer.status_code);
    Ok(Some(Waited { class, ours: waited.saturating_sub(providers) }))
}

async fn accepts(start: Start, count: u32) -> anyhow::Result<Vec<f64>> {
    let (scene, dice) = (Scene::open(start, Mood::Well, SEED)?, Dice::new(SEED + 1));
    let mut mix = Mix::of_known(KNOWN);
    let mut accepted = Vec::new();
    for number in 0..count {
        let class = class_of(dice.below(100));
        let start = Instant::now();
        let answer = scene.deaf.post(&mix.draw(class), &format!("signup-{number}"), None).await?;
        anyhow::ensure!(answer.status_code == 202, "a signup was answered {}", answer.status_code);
        accepted.push(millis(start.elapsed()));
    }
    Ok(accepted)
}

fn class_of(percent: u32) -> Class {
    match percent {
        percent if percent < Class::Hit.percent() => Class::Hit,
        percent if percent < Class::Hit.percent() + Class::One.percent() => Class::One,
        _ => Class::Three,
    }
}

/// Signups come by chance, so that several are at work at any time.
fn pause(dice: &Dice) -> Duration {
    Duration::from_secs_f64((-(1.0 - dice.fraction()).ln() * NEXT_SIGNUP_MS).round() / 1000.0)
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// The smallest value that this part of all does not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place among some thousands")]
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (part * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}
