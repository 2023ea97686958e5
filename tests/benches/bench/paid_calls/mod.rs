//! Row e: how many calls the seed workload pays for, asked in three ways, and whether all three route everybody alike.
//!
//! The real use case runs on the store and the queue in memory; only the providers are played.

mod universe;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use domain::config::{Config, MAIN_FILE, Sources};
use domain::credits::Limits;
use domain::identity::{Email, HashKey, LookupKey};
use domain::plan::{Plan, Until};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::route::Track;
use domain::signup::Signup;
use domain::units::{Credits, Millis};
use pipeline::enrich::{Desks, Enrich};
use pipeline::memory::{CountingEntropy, MemoryQueue, MemoryStore};
use pipeline::messages::LookupMessage;
use pipeline::ports::{LookupRequest, Provider};
use pipeline::work::Worked;

use crate::limit::{Limit, Unit};
use crate::report::Report;
use crate::row::Row;
use crate::world::{HandClock, START};
use universe::{DOMAINS, SIGNUPS, Universe};

pub(crate) const ID: &str = "e";

const RECEIVES_MAX: u32 = 5;
/// Long enough for every call: nobody takes any time here.
const AMPLE: Millis = Millis::seconds(60);

/// What a plan paid for, and where everybody went.
struct Paid {
    company: u32,
    person: u32,
    tracks: Vec<Track>,
}

/// Runs the workload three times.
pub(crate) async fn measure() -> anyhow::Result<Report> {
    let universe = Arc::new(Universe::generate());
    let (seed, ours) = (preset("seed")?, preset("signup")?);
    // The score and the route are the seed's in all three; the plan makes the difference.
    let with = |plan: Plan| Config { plan, gate: Vec::new(), score: seed.score.clone(), route: seed.route.clone(), ..seed.clone() };
    let everything = Box::pin(play(&universe, with(Plan { until: Until::Everything, ..ours.plan.clone() }))).await?;
    let person_first = Box::pin(play(&universe, with(Plan { until: Until::Track, ..seed.plan.clone() }))).await?;
    let ours = Box::pin(play(&universe, with(ours.plan.clone()))).await?;

    let mut report = Report::default();
    report.note(format!("{SIGNUPS} signups of {DOMAINS} companies, seed {}; calls paid for per 1,000 signups", universe::SEED));
    let row = |name: &str, paid: &Paid| {
        let what = format!("{name}: {} company and {} person calls; per 1,000", paid.company, paid.person);
        Row::exact(ID, what, Unit::Count, per_thousand(paid.company + paid.person))
    };
    report.row(row("ask everything", &everything));
    report.row(row("person first", &person_first));
    report.row(row("ours", &ours).gate(Limit::AtMost(450.0)));
    for (name, paid) in [("person first", &person_first), ("ours", &ours)] {
        let others = paid.tracks.iter().zip(&everything.tracks).filter(|(track, reference)| track != reference).count();
        let what = format!("{name}: leads on another track than by asking everything");
        report.row(Row::exact(ID, what, Unit::Count, f64::from(u32::try_from(others)?)).gate(Limit::Exactly(0.0)));
    }
    report.row(Row::skipped(ID, "live company look-ups ÷ oracle", "pending: until refreshes are built"));
    report.row(Row::skipped(ID, "paid twice in a burst of 100 at one company", "pending: until single flight is built"));
    Ok(report)
}

fn per_thousand(calls: u32) -> f64 {
    f64::from(calls) * 1000.0 / f64::from(SIGNUPS)
}

/// The bundled configuration under one of its presets, with credits for everybody and nobody explored.
fn preset(name: &str) -> anyhow::Result<Config> {
    let bundled = platform::bundled_config();
    let chosen = |path: &str, text: &str| {
        if path == MAIN_FILE { text.replace("preset: signup", &format!("preset: {name}")) } else { text.to_owned() }
    };
    let files = bundled.below("").map(|(path, text)| (path.to_owned(), chosen(path, text)));
    let (mut config, _) = connectors::configure_for_use(&Sources::new(files))?;
    config.limits = Limits { allocation: Credits::whole(1_000_000), ..Limits::default() };
    config.plan.explore = None;
    Ok(config)
}

async fn play(universe: &Arc<Universe>, config: Config) -> anyhow::Result<Paid> {
    let clock = Arc::new(HandClock::default());
    let provider = Arc::new(Played { universe: universe.clone(), asked: Mutex::default() });
    let enrich = Enrich {
        store: Arc::new(MemoryStore::default()),
        queue: Arc::new(MemoryQueue::new(clock.clone(), RECEIVES_MAX)),
        provider: provider.clone(),
        clock,
        entropy: Arc::new(CountingEntropy::default()),
        config: Arc::new(config),
        key: Arc::new(HashKey::new(vec![5; 32])?),
        versions: None,
        desks: Desks::default(),
    };
    let mut tracks = Vec::new();
    for (number, person) in universe.people.iter().enumerate() {
        let worked = enrich.work(&signup(number, person.company)?, AMPLE).await.map_err(|retry| anyhow::anyhow!("{retry:?}"))?;
        let Worked::Finished { run } = worked else { bail!("signup {number} did not end") };
        tracks.push(run.decision().context("a finished run has a decision")?.route.track);
    }
    let asked = provider.asked.lock().unwrap_or_else(PoisonError::into_inner);
    let calls = |operation: &str| asked.get(operation).copied().unwrap_or_default();
    Ok(Paid { company: calls("crustdata.company"), person: calls("crustdata.person"), tracks })
}

fn signup(number: usize, company: u32) -> anyhow::Result<LookupMessage> {
    let signup = Signup {
        issuer: "signup".into(),
        delivery: format!("e-{number}"),
        email: Some(Email::parse(&format!("p{number}@c{company}.example"))?),
        occurred_at: START,
        ..Signup::default()
    };
    Ok(LookupMessage::of(signup, Priority::High, START))
}

/// Answers from the generated universe and counts what was asked.
struct Played {
    universe: Arc<Universe>,
    asked: Mutex<BTreeMap<String, u32>>,
}

#[async_trait]
impl Provider for Played {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(request.operation.clone()).or_default() += 1;
        let observations = match request.operation.as_str() {
            "crustdata.company" => company_of(&request.key).map(|company| self.universe.of_company(company, request.now)),
            "crustdata.person" => person_of(&request.key).map(|person| self.universe.of_person(person, request.now)),
            _ => None,
        };
        observations.map_or(Reply::NoMatch, |observations| Reply::Hit { observations })
    }
}

/// `17` of `c17.example`.
fn company_of(key: &LookupKey) -> Option<u32> {
    key.value.strip_prefix('c')?.strip_suffix(".example")?.parse().ok()
}

/// `4` of `p4@c17.example`.
fn person_of(key: &LookupKey) -> Option<usize> {
    key.value.strip_prefix('p')?.split('@').next()?.parse().ok()
}
