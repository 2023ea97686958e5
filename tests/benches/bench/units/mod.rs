//! Row d: what a signup costs, request by request, through the real functions, store and queues on the wire.
//!
//! In it: the tables' write and read units, requests to SQS and Lambda. Not in it: the HTTP front door, logs, Lambda's time.

mod cases;
pub(crate) mod meter;
mod rules;

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use domain::reply::Reply;
use domain::units::Millis;
use pipeline::memory::CountingEntropy;
use pipeline::ports::{LookupRequest, Provider, QueueName, Store};
use pipeline::sweep::Sweep;
use platform::{Aws, DEFAULT_WORKSPACE, QueueUrls, SqsQueue};
use stand_in::AwsEndpoint;

use crate::limit::{Limit, Unit};
use crate::prices::Prices;
use crate::report::Report;
use crate::row::Row;
use crate::world::{BenchKeys, Class, HandClock, Person, Ports, Recorded, START, World};
use cases::{Bill, Cases};
use meter::{Meter, Metered};

pub(crate) const ID: &str = "d";
/// The write and read units of each case. A change of these is a change of what every signup costs: say so in the change log.
/// `-- --only d --verbose` lists the requests that they are made of.
/// One read of each is what the cache says of the domain's registration; a new company is a write of it. `dns` is not kept.
const DUPLICATE: (f64, f64) = (3.0, 7.0);
const CLASSES: [(Class, f64, f64); 3] = [(Class::Hit, 13.0, 9.0), (Class::One, 40.0, 7.0), (Class::Three, 86.0, 9.0)];
/// One page of the index, not consistent, and the month.
const TICK: (f64, f64) = (0.0, 1.5);
/// For a thousand signups of the mix, before the HTTP front door.
const STRETCH_DOLLARS: f64 = 0.012;

/// A paid answer takes so long by the clock of the benches: three of them end before anybody stops waiting.
const ANSWER_TAKES: Millis = Millis(300);

/// Lets time pass with every paid call.
pub(crate) struct Punctual {
    pub(crate) inner: Recorded,
    pub(crate) clock: Arc<HandClock>,
}

#[async_trait]
impl Provider for Punctual {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        let reply = self.inner.look_up(request).await;
        if Recorded::is_paid(&request.operation) {
            self.clock.pass(ANSWER_TAKES);
        }
        reply
    }
}

/// `MemorySize` of provider-lookup in `template.yaml`.
const LOOKUP_GB: f64 = 0.5;
/// Receives are counted by the case, not used up.
const RECEIVES_MAX: u32 = 5;

/// The functions on metered tables and queues.
pub(crate) struct Scene {
    world: World,
    queue: Arc<SqsQueue>,
    sweep: Sweep,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) endpoint: AwsEndpoint,
    meter: Arc<Meter>,
}

impl Scene {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(false, |store, _| store).await
    }

    /// With something around the store, and a meter that tells depths if it `waits`.
    pub(crate) async fn start_with<F>(waits: bool, around: F) -> anyhow::Result<Self>
    where
        F: FnOnce(Arc<dyn Store>, Arc<Meter>) -> Arc<dyn Store>,
    {
        let clock = Arc::new(HandClock::default());
        let (recorded, config) = Recorded::take(Arc::new(BenchKeys), START).await?;
        let (provider, config) = (Arc::new(Punctual { inner: recorded, clock: clock.clone() }), Arc::new(config));
        let endpoint = AwsEndpoint::start(clock.clone(), RECEIVES_MAX, Vec::<(String, String)>::new()).await?;
        let meter = Arc::new(Meter::start(endpoint.url(), waits).await?);
        let aws = Aws::local(meter.url()).await?;
        let store = around(Arc::new(aws.store(endpoint.tables(), DEFAULT_WORKSPACE)), meter.clone());
        let queue = Arc::new(aws.queue(queue_urls(meter.url())));
        let sweep = Sweep { store: store.clone(), clock: clock.clone(), config: config.clone() };
        let entropy = Arc::new(CountingEntropy::default());
        let world = World::new(Ports { store, queue: queue.clone(), provider, clock: clock.clone(), entropy, config })?;
        Ok(Self { world, queue, sweep, clock, endpoint, meter })
    }

    /// Sends one signup and works off whatever comes of it; what it cost.
    pub(crate) async fn play(&self, person: &Person, delivery: &str) -> anyhow::Result<Vec<Metered>> {
        self.meter.take()?;
        let answer = self.world.post(person, delivery, None).await?;
        ensure!(answer.status_code == 202, "the webhook answered {}", answer.status_code);
        self.world.work_off(&*self.queue, self.endpoint.queue()).await?;
        self.meter.take()
    }

    /// Runs a tick of the sweeper; what it cost.
    async fn tick(&self) -> anyhow::Result<Vec<Metered>> {
        self.meter.take()?;
        let swept = self.sweep.tick().await;
        anyhow::ensure!(swept.failed == 0, "the sweep failed");
        self.meter.take()
    }
}

/// The queues behind the meter.
fn queue_urls(meter: &str) -> QueueUrls {
    QueueUrls::new(QueueName::ALL.map(|queue| (queue, format!("{meter}/000000000000/{}", queue.as_str()))))
}

/// Counts every case.
pub(crate) async fn measure(verbose: bool) -> anyhow::Result<Report> {
    let prices = Prices::load()?;
    let Cases { duplicate, classes, tick } = cases::play(&Scene::start().await?).await?;
    let mut report = Report::default();
    case(&mut report, &prices, "duplicate delivery", &duplicate, DUPLICATE);
    for (class, write, read) in CLASSES {
        let bill = &classes.iter().find(|(of, _)| *of == class).context("a class that was not played")?.1;
        case(&mut report, &prices, class.words(), bill, (write, read));
    }
    blended(&mut report, &prices, &classes);
    report.row(
        Row::exact(ID, "a tick of the sweeper with nothing to do: read units", Unit::Count, tick.read_units()).gate(Limit::Exactly(TICK.1)),
    );
    ensure!(tick.write_units() == 0, "a tick with nothing to do writes");
    notes(&mut report, &prices);
    if verbose {
        let named = [("duplicate delivery", &duplicate), ("tick", &tick)];
        for (name, bill) in classes.iter().map(|(class, bill)| (class.words(), bill)).chain(named) {
            bill.lines().for_each(|line| report.note(format!("d {name}: {line}")));
        }
    }
    Ok(report)
}

fn case(report: &mut Report, prices: &Prices, name: &str, bill: &Bill, (write, read): (f64, f64)) {
    let what = format!("{name}: write units");
    report.row(Row::exact(ID, what, Unit::Count, bill.write_units_exact()).gate(Limit::Exactly(write)));
    report.row(Row::exact(ID, format!("{name}: read units"), Unit::Count, bill.read_units()).gate(Limit::Exactly(read)));
    let what = format!("{name}: 1,000 signups, {} SQS requests and {} invocations each", bill.sqs_requests(), bill.invocations());
    report.row(Row::exact(ID, what, Unit::SmallDollars, bill.dollars_a_thousand(prices)));
}

fn blended(report: &mut Report, prices: &Prices, classes: &[(Class, Bill); 3]) {
    let mixed = |of: &dyn Fn(&Bill) -> f64| classes.iter().map(|(class, bill)| class.share() * of(bill)).sum::<f64>();
    report.row(Row::exact(ID, "blended 70/24/6: write units", Unit::Count, mixed(&Bill::write_units_exact)));
    report.row(Row::exact(ID, "blended 70/24/6: read units", Unit::Count, mixed(&Bill::read_units)));
    let dollars = Row::exact(ID, "blended 70/24/6: 1,000 signups", Unit::SmallDollars, mixed(&|bill| bill.dollars_a_thousand(prices)));
    report.row(dollars.stretch(Limit::AtMost(STRETCH_DOLLARS)));
}

fn notes(report: &mut Report, prices: &Prices) {
    let second = prices.lambda_gb_second.each * LOOKUP_GB * 1000.0;
    report.note("d In the dollars: the tables' units, requests to SQS (one message a batch, the dearest way) and Lambda, at list price.");
    report.note(format!(
        "d Not in the dollars: the HTTP front door; logs; Lambda's time, {} for each second that 1,000 signups wait alone for a provider; \
         the sweeper's ticks, which no signup makes; the reads of whoever waits for an answer, one every 15 ms.",
        Unit::SmallDollars.words(second)
    ));
    report.note("d Counted from the items before and after each write; dynoxide says the same for every request that is not refused, and nothing of those that are.");
    report.note("d The third paid operation is the bench's own (world/config.rs); a hit is a person who comes back after two days.");
    report.note(format!("d Prices of {}, {}.", prices.dated, prices.region));
}
