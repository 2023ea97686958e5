//! Row a": whoever waits is answered in time, whatever the providers do.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::dice::Dice;
use super::scene::Scene;
use super::vendor::Mood;
use super::{SEED, Start, count_of, in_virtual_time, millis, pause, quantile};
use crate::Size;
use crate::limit::{Limit, Unit};
use crate::report::Report;
use crate::row::Row;
use crate::world::{Class, Mix, Person};

pub(crate) const ID: &str = "a\"";

/// The classes of X-13 in which somebody waits: by name, and the seconds that nobody may wait longer.
const CLASSES: [(&str, u32); 2] = [("gate class", 1), ("interactive", 2)];

struct Answered {
    seconds: u32,
    after: Duration,
    /// Whether the answer is a decision, were it a provisional one.
    decided: bool,
}

/// Counts answers that come too late, half of the runs in each class.
pub(crate) async fn measure(size: Size) -> anyhow::Result<Report> {
    let (start, count) = (Start::record().await?, count_of(size));
    let answered = in_virtual_time(async move { runs(start, count).await }).await?;
    let mut report = Report::default();
    for (name, seconds) in CLASSES {
        let of_class: Vec<&Answered> = answered.iter().filter(|answered| answered.seconds == seconds).collect();
        let after: Vec<f64> = of_class.iter().map(|answered| millis(answered.after)).collect();
        let late = of_class.iter().filter(|answered| answered.after >= Duration::from_secs(u64::from(seconds))).count();
        let what =
            format!("{name}: answers not within {seconds} s, {} runs with slow, failing, limiting and hanging providers", of_class.len());
        report.row(Row::exact(ID, what, Unit::Count, f64::from(u32::try_from(late)?)).gate(Limit::Exactly(0.0)));
        report.row(Row::exact(ID, format!("{name}: the slowest answer"), Unit::Milliseconds, quantile(&after, 1.0)));
        let undecided = of_class.iter().filter(|answered| !answered.decided).count();
        report.note(format!("a\" {name}: {undecided} of {} were answered 202, without a decision.", of_class.len()));
    }
    Ok(report)
}

async fn runs(start: Start, count: u32) -> anyhow::Result<Vec<Answered>> {
    let (scene, dice) = (Arc::new(Scene::open(start, Mood::Ill, SEED)?), Dice::new(SEED + 1));
    let mut mix = Mix::of_known(1);
    let mut runs = JoinSet::new();
    for number in 0..count {
        let (_, seconds) = CLASSES[usize::try_from(number)? % CLASSES.len()];
        // New people at new companies: all three providers are asked.
        runs.spawn(wait(Arc::clone(&scene), mix.draw(Class::Three), format!("run-{number}"), seconds));
        tokio::time::sleep(pause(&dice)).await;
    }
    let mut answered = Vec::new();
    while let Some(run) = runs.join_next().await {
        answered.push(run??);
    }
    scene.check()?;
    Ok(answered)
}

async fn wait(scene: Arc<Scene>, person: Person, delivery: String, seconds: u32) -> anyhow::Result<Answered> {
    let start = Instant::now();
    let answer = scene.world(Class::Three).post(&person, &delivery, Some(seconds)).await?;
    ensure!([200, 202].contains(&answer.status_code), "a run was answered {}", answer.status_code);
    Ok(Answered { seconds, after: start.elapsed(), decided: answer.status_code == 200 })
}
