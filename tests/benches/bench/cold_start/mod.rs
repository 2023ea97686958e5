//! Row c: cold start. Whole processes from their start to the first poll and to the first answer, under a stub of the
//! Runtime API, with every service behind TLS; ours, Node and Python take turns.

mod baselines;
mod events;
mod ours;
mod process;
mod realtime;
mod tls;
mod world;

use std::path::Path;

use anyhow::{Context as _, ensure};
use domain::priority::Priority;
use pipeline::ports::QueueName;
use platform::Function;
use serde_json::{Value, json};

use crate::Places;
use crate::limit::{Limit, Unit};
use crate::report::Report;
use crate::row::Row;
use crate::samples::Samples;
use baselines::Baseline;
use events::{batch_of, webhook_call};
use ours::Bootstraps;
use process::{Memory, Program, Start};
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
#[derive(Default)]
struct Contender {
    starts: Vec<(Start, Asked)>,
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
    let (mut webhook, mut lookup) = (Contender::default(), Contender::default());
    let mut others: Vec<(&Baseline, Contender)> =
        baselines.iter().filter_map(|(_, baseline)| Some((baseline.as_ref().ok()?, Contender::default()))).collect();
    let real_time = RealTime::begin();
    for run in 0..=runs {
        let message = bench.start_webhook(&mut webhook).await.context("signup-webhook")?;
        bench.start_lookup(&mut lookup, &message).await.context("provider-lookup")?;
        for (baseline, contender) in &mut others {
            bench.start_baseline(baseline, contender, &message).await.context(baseline.name)?;
        }
        if run == 0 {
            // Brings binaries and libraries into memory.
            [&mut webhook, &mut lookup].into_iter().chain(others.iter_mut().map(|(_, contender)| contender)).for_each(|c| c.starts.clear());
        }
    }
    let how =
        if real_time.is_some() { "under chrt --fifo 10" } else { "without real-time priority: not root, so other load is measured too" };
    drop(real_time);
    let mut report = Report::default();
    times(&mut report, &lookup, &webhook, &others);
    for (name, baseline) in &baselines {
        if let Err(why) = baseline {
            report.row(Row::skipped(ID, format!("start to first answer: {name} ÷ provider-lookup"), why));
        }
    }
    memory(&mut report, &lookup, &webhook, &others);
    sizes(&mut report, &bench.bootstraps)?;
    notes(&mut report, &bench, runs, how);
    requests(&mut report, "provider-lookup", &lookup);
    requests(&mut report, "signup-webhook", &webhook);
    for (baseline, contender) in &others {
        requests(&mut report, &baseline.words, contender);
    }
    Ok(report)
}

impl Bench<'_> {
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

    async fn start_baseline(&self, baseline: &Baseline, contender: &mut Contender, message: &str) -> anyhow::Result<()> {
        let world = World::start(&self.authority).await?;
        let mut variables = world.variables_of_baseline(DOMAIN);
        variables.extend(baseline.variables.iter().cloned());
        let program = Program { path: baseline.interpreter.clone(), arguments: baseline.arguments.clone(), variables };
        let start = self.start(&program, &batch_of(message)).await?;
        ensure!(start.answer == json!({"batchItemFailures": []}), "the batch was not worked off: {}", start.answer);
        world.message_in(&[QueueName::Writeback]).await?;
        let asked = contender.note(start, &world);
        ensure!((asked.dynamodb, asked.provider, asked.sqs) == (1, 1, 1), "a baseline makes three calls, this one made {asked:?}");
        Ok(())
    }

    fn ours(&self, function: Function, world: &World) -> Program {
        Program { path: self.bootstraps.path(function), arguments: Vec::new(), variables: world.variables_of(function) }
    }

    async fn start(&self, program: &Program, event: &Value) -> anyhow::Result<Start> {
        process::start(program, &self.authority, event, &self.folder.path().join("process.log")).await
    }
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

fn times(report: &mut Report, lookup: &Contender, webhook: &Contender, others: &[(&Baseline, Contender)]) {
    let at_most = |most| Limit::AtMost(most);
    let row = |what: &str, samples| Row::repeated(ID, what, Unit::Milliseconds, samples);
    report.row(row("provider-lookup: start to first poll", lookup.first_poll()).gate(at_most(8.0)).stretch(at_most(5.0)));
    report.row(row("provider-lookup: start to first answer", lookup.answer()).gate(at_most(20.0)).stretch(at_most(10.0)));
    report.row(row("signup-webhook: start to first poll", webhook.first_poll()));
    report.row(row("signup-webhook: start to first answer", webhook.answer()));
    for (baseline, contender) in others {
        report.row(row(&format!("{}: start to first poll", baseline.name), contender.first_poll()));
        report.row(row(&format!("{}: start to first answer", baseline.name), contender.answer()));
        let least = if baseline.name == "Node" { 20.0 } else { 30.0 };
        let (poll, answer) = (
            format!("start to first poll: {} ÷ provider-lookup", baseline.name),
            format!("start to first answer: {} ÷ provider-lookup", baseline.name),
        );
        report.row(Row::ratio(ID, poll, &contender.first_poll(), &lookup.first_poll()));
        report.row(Row::ratio(ID, answer, &contender.answer(), &lookup.answer()).stretch(Limit::AtLeast(least)));
    }
}

fn memory(report: &mut Report, lookup: &Contender, webhook: &Contender, others: &[(&Baseline, Contender)]) {
    let median = |contender: &Contender, of: fn(&Start) -> f64| contender.samples(of).median();
    let row = |what: String, value| Row::exact(ID, what, Unit::Megabytes, value);
    let at_poll = median(lookup, |start| start.at_poll.now);
    report.row(row("provider-lookup: resident at the first poll".to_owned(), at_poll).stretch(Limit::AtMost(12.0)));
    let named = [("provider-lookup", lookup), ("signup-webhook", webhook)];
    for (name, contender) in named.into_iter().chain(others.iter().map(|(baseline, contender)| (baseline.name, contender))) {
        let peak = |of: fn(&Start) -> Memory| contender.samples(|start| of(start).most).median();
        report.row(row(format!("{name}: resident after the answer"), median(contender, |start| start.after_answer.now)));
        let (before, after) = (peak(|start| start.at_poll), peak(|start| start.after_answer));
        report.note(format!("c {name}: resident at most {before:.1} MB up to the first poll, {after:.1} MB up to the answer."));
    }
}

fn sizes(report: &mut Report, bootstraps: &Bootstraps) -> anyhow::Result<()> {
    for function in Function::ALL {
        let (binary, zip) = ours::sizes(&bootstraps.path(function))?;
        let what = format!("{}: zip -9 of a binary of {binary:.1} MB", function.name());
        report.row(Row::exact(ID, what, Unit::Megabytes, zip).stretch(Limit::AtMost(5.0)));
    }
    Ok(())
}

fn notes(report: &mut Report, bench: &Bench<'_>, runs: u32, how: &str) {
    report.note(format!(
        "c {runs} starts each, taking turns, after one that does not count; medians; {how}; binaries of {}.",
        bench.bootstraps.words()
    ));
    report.note(format!(
        "c The answer's time leaves out what this program does between poll and event. Each service is at a TLS place of its own, behind a bundle of {} roots; \
         answers come from stand-ins on loopback, and their time counts.",
        bench.authority.roots
    ));
}

fn requests(report: &mut Report, name: &str, contender: &Contender) {
    let (Some((_, asked)), Some(answered)) =
        (contender.starts.last(), Samples::of(contender.starts.iter().map(|(_, asked)| asked.answered_in_ms)))
    else {
        return;
    };
    let Asked { dynamodb, sqs, secrets, provider, .. } = asked;
    report.note(format!(
        "c {name}: {} requests over TLS a start: Secrets Manager {secrets}, DynamoDB {dynamodb}, provider {provider}, SQS {sqs}; \
         the stand-ins took {:.1} ms of the time for them (median).",
        dynamodb + sqs + secrets + provider,
        answered.median()
    ));
}
