//! Row c: cold start. Whole processes from their start to the first poll and to the first answer, under a stub of the
//! Runtime API, with every service behind TLS; ours, Node and Python take turns. `three-calls` does what Node and Python
//! do and is compared with them; the functions do their real work.

mod baselines;
mod events;
mod ours;
mod process;
mod realtime;
mod table;
mod tls;
mod world;

use std::path::Path;

use anyhow::{Context as _, ensure};
use domain::priority::Priority;
use pipeline::ports::QueueName;
use platform::Function;
use serde_json::{Value, json};

use crate::Places;
use crate::report::Report;
use crate::samples::Samples;
use baselines::Baseline;
use events::{batch_of, webhook_call};
use ours::{Bootstraps, THREE_CALLS};
use process::{Program, Start};
use realtime::RealTime;
use tls::Authority;
use world::{Asked, World};

pub(crate) const ID: &str = "c";

/// The signup that everybody works on, and the domain that is looked up for it.
const SAMPLE: &str = "events/signup-webhook.mid-market.json";
const DOMAIN: &str = "hexa-labs.example";
const LOOKUP_QUEUES: [QueueName; 4] = [
    QueueName::Lookup(Priority::Critical),
    QueueName::Lookup(Priority::High),
    QueueName::Lookup(Priority::Normal),
    QueueName::Lookup(Priority::Low),
];

/// One who starts again and again.
struct Contender {
    name: &'static str,
    starts: Vec<(Start, Asked)>,
}

/// Everybody who takes part.
struct Contenders<'a> {
    three_calls: Contender,
    lookup: Contender,
    webhook: Contender,
    others: Vec<(&'a Baseline, Contender)>,
}

/// What all of them are measured with.
struct Bench<'a> {
    places: &'a Places,
    authority: Authority,
    bootstraps: Bootstraps,
    folder: tempfile::TempDir,
}

/// Starts each process `runs` times, after one start that does not count.
pub(crate) async fn measure(places: &Places, given: Option<&Path>, runs: u32) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir()?;
    let bench = Bench { places, authority: Authority::new(folder.path())?, bootstraps: Bootstraps::find(places, given)?, folder };
    let baselines = [("Node", baselines::node(places)), ("Python", baselines::python(places))];
    let mut contenders = Contenders::new(baselines.iter().filter_map(|(_, baseline)| baseline.as_ref().ok()));
    let real_time = RealTime::begin();
    for run in 0..=runs {
        Box::pin(bench.start_all(&mut contenders)).await?;
        if run == 0 {
            // Brings binaries and libraries into memory.
            contenders.forget();
        }
    }
    let how =
        if real_time.is_some() { "under chrt --fifo 10" } else { "without real-time priority: not root, so other load is measured too" };
    drop(real_time);
    let absent = baselines.iter().filter_map(|(name, baseline)| Some((*name, baseline.as_ref().err()?.as_str())));
    let mut report = Report::default();
    table::rows(&mut report, &contenders, absent, &bench.bootstraps)?;
    table::notes(&mut report, &contenders, &bench, runs, how);
    Ok(report)
}

impl<'a> Contenders<'a> {
    fn new(baselines: impl Iterator<Item = &'a Baseline>) -> Self {
        let contender = |name| Contender { name, starts: Vec::new() };
        Self {
            three_calls: contender(THREE_CALLS),
            lookup: contender(Function::ProviderLookup.name()),
            webhook: contender(Function::SignupWebhook.name()),
            others: baselines.map(|baseline| (baseline, contender(baseline.name))).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Contender> {
        [&self.three_calls, &self.lookup, &self.webhook].into_iter().chain(self.others.iter().map(|(_, contender)| contender))
    }

    fn forget(&mut self) {
        let ours = [&mut self.three_calls, &mut self.lookup, &mut self.webhook];
        ours.into_iter().chain(self.others.iter_mut().map(|(_, contender)| contender)).for_each(|contender| contender.starts.clear());
    }
}

impl Bench<'_> {
    /// One start each, one after the other.
    async fn start_all(&self, contenders: &mut Contenders<'_>) -> anyhow::Result<()> {
        let message = self.start_webhook(&mut contenders.webhook).await.context("signup-webhook")?;
        self.start_lookup(&mut contenders.lookup, &message).await.context("provider-lookup")?;
        let three_calls = |world: &World| self.three_calls(world);
        self.start_three(three_calls, &mut contenders.three_calls, &message).await.context(THREE_CALLS)?;
        for (baseline, contender) in &mut contenders.others {
            self.start_three(|world: &World| of_baseline(baseline, world), contender, &message).await.context(baseline.name)?;
        }
        Ok(())
    }

    /// Accepts the sample; gives back the message that was sent.
    async fn start_webhook(&self, contender: &mut Contender) -> anyhow::Result<String> {
        let world = World::start(&self.authority).await?;
        let event = webhook_call(&self.places.root.join(SAMPLE))?;
        let start = self.start(&self.ours(Function::SignupWebhook, &world), &event).await?;
        ensure!(start.answer.get("statusCode") == Some(&json!(202)), "the signup was not accepted: {}", start.answer);
        contender.note(start, &world);
        world.message_in(&LOOKUP_QUEUES).await
    }

    /// Works on that message, up to the write-back's.
    async fn start_lookup(&self, contender: &mut Contender, message: &str) -> anyhow::Result<()> {
        let world = World::start(&self.authority).await?;
        let start = self.start(&self.ours(Function::ProviderLookup, &world), &batch_of(message)).await?;
        ensure!(start.answer == json!({"batchItemFailures": []}), "the batch was not worked off: {}", start.answer);
        world.message_in(&[QueueName::Writeback]).await?;
        contender.note(start, &world);
        Ok(())
    }

    /// Makes the provider call, the put and the send that are compared, and nothing else.
    async fn start_three(&self, program: impl Fn(&World) -> Program, contender: &mut Contender, message: &str) -> anyhow::Result<()> {
        let world = World::start(&self.authority).await?;
        let start = self.start(&program(&world), &batch_of(message)).await?;
        ensure!(start.answer == json!({"batchItemFailures": []}), "the batch was not worked off: {}", start.answer);
        world.message_in(&[QueueName::Writeback]).await?;
        let asked = contender.note(start, &world);
        let made = (asked.dynamodb, asked.provider, asked.sqs, asked.secrets);
        ensure!(made == (1, 1, 1, 0), "one DynamoDB, one provider and one SQS request are compared, this one made {asked:?}");
        Ok(())
    }

    fn ours(&self, function: Function, world: &World) -> Program {
        Program { path: self.bootstraps.path(function), arguments: Vec::new(), variables: world.variables_of(function) }
    }

    fn three_calls(&self, world: &World) -> Program {
        Program { path: self.bootstraps.three_calls(), arguments: Vec::new(), variables: world.variables_of_three_calls(DOMAIN) }
    }

    async fn start(&self, program: &Program, event: &Value) -> anyhow::Result<Start> {
        process::start(program, &self.authority, event, &self.folder.path().join("process.log")).await
    }
}

fn of_baseline(baseline: &Baseline, world: &World) -> Program {
    let mut variables = world.variables_of_baseline(DOMAIN);
    variables.extend(baseline.variables.iter().cloned());
    Program { path: baseline.interpreter.clone(), arguments: baseline.arguments.clone(), variables }
}

impl Contender {
    fn note(&mut self, start: Start, world: &World) -> Asked {
        let asked = world.asked();
        self.starts.push((start, asked));
        asked
    }

    fn samples(&self, of: impl Fn(&Start) -> f64) -> Samples {
        // There are at least twenty.
        Samples::of(self.starts.iter().map(|(start, _)| of(start))).unwrap_or_else(|| unreachable!("nothing was started"))
    }

    fn first_poll(&self) -> Samples {
        self.samples(|start| start.first_poll_ms)
    }

    fn answer(&self) -> Samples {
        self.samples(|start| start.answer_ms)
    }
}
