//! The sample signups: sent as their issuers would send them, and followed to their end.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use domain::run::Run;
use domain::signup::RunId;
use domain::units::Timestamp;
use intake::sample::{Before, RepeatAs, Sample, local_secret};
use pipeline::hold::{hold_the_day, release};
use pipeline::ports::{Clock, Stage};
use serde::Deserialize;

use crate::journal::is_end;
use crate::row::{Expected, Row};
use crate::screen::Screen;
use crate::stack::Stack;

/// A sample that has no end after this long is shown as it stands.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The entries of a JSON object in the order they are written: the order in which the samples are sent.
struct InOrder(Vec<(String, Vec<Expected>)>);

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> serde::de::Visitor<'de> for Entries {
            type Value = InOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from sample to what is expected of each sending")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// All samples with what is expected of each sending.
pub struct Samples {
    cases: Vec<(String, Sample, Vec<Expected>)>,
}

impl Samples {
    /// Reads `signup-webhook.*.json` and `expected.json` of a folder. The samples come in the order of expected.json.
    ///
    /// # Errors
    /// Names the file that is wrong, or the sample of which nothing is expected.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let expected = read(&folder.join("expected.json"))?;
        let InOrder(expected) = serde_json::from_str(&expected).context("expected.json")?;
        let mut cases = Vec::new();
        for (case, wanted) in expected {
            let file = folder.join(format!("signup-webhook.{case}.json"));
            let sample = Sample::parse(&read(&file)?).with_context(|| file.display().to_string())?;
            cases.push((case, sample, wanted));
        }
        let known: BTreeSet<&str> = cases.iter().map(|(case, ..)| case.as_str()).collect();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if let Some(case) = Sample::case_of(&name).filter(|case| !known.contains(case)) {
                bail!("events/expected.json says nothing of `{case}`; add its outcome and track");
            }
        }
        Ok(Self { cases })
    }

    /// How many signups are sent in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.cases.iter().map(|(_, sample, _)| u64::from(sample.repeat)).sum()
    }

    /// The samples in order.
    pub fn iter(&self) -> impl Iterator<Item = &(String, Sample, Vec<Expected>)> {
        self.cases.iter()
    }
}

/// What is sent of a sample, rendered when it is taken: a delivery that comes again has the same body, a second click another.
pub fn bodies<'a>(sample: &'a Sample, clock: &'a dyn Clock) -> impl Iterator<Item = Vec<u8>> {
    let first = sample.render(clock.now());
    (0..sample.repeat).map(move |nth| {
        let is_click = nth > 0 && sample.repeat_as == RepeatAs::Click;
        if is_click { sample.render(clock.now()) } else { first.clone() }
    })
}

/// Sends one sample as often as it says and follows each sending to its end.
///
/// # Errors
/// When the stack does not answer, or a run never begins.
pub async fn play(stack: &Stack, case: &str, sample: &Sample, expected: &[Expected]) -> anyhow::Result<Vec<Row>> {
    let hold = match sample.before {
        Some(Before::ExhaustDayCap) => hold_the_day(&*stack.store, &stack.config, &stack.hash_key, stack.clock.now()).await?,
        None => None,
    };
    let mut sent = Vec::new();
    for body in bodies(sample, &*stack.clock) {
        sent.push(post(&stack.http, &stack.url, sample, body, stack.clock.now()).await?);
        if sample.repeat_as == RepeatAs::Delivery {
            // The retry of a delivery comes after the first was answered, so that the table shows it as repeated.
            follow(stack, &sent[sent.len() - 1].run, sent.len()).await?;
        }
    }
    let mut rows = Vec::new();
    for (nth, sending) in sent.into_iter().enumerate() {
        let run = follow(stack, &sending.run, 1).await?;
        rows.push(Row::new(case, &run, sending.answered_in, &stack.journal, nth));
    }
    compare(&mut rows, expected);
    if let Some(hold) = hold {
        release(&*stack.store, &hold).await?;
    }
    Ok(rows)
}

/// Shows whatever else is sent, and what the sweeper does, until the task is dropped. The first `shown` ends were the samples'.
pub(crate) async fn show_others(stack: &Stack, screen: &mut Screen, mut shown: usize) -> anyhow::Result<()> {
    let mut refreshed = 0;
    loop {
        for line in stack.journal.refreshed_after(refreshed) {
            screen.notice(&line);
            refreshed += 1;
        }
        for (id, earlier) in stack.journal.ended_after(shown) {
            // A row that cannot be shown is no reason to end what serves.
            match follow(stack, &RunId::parse(&id)?, 1).await {
                Ok(run) => screen.show(Row::new("yours", &run, None, &stack.journal, earlier)),
                Err(error) => tracing::warn!(stage = "local", run = id, error = %error, "a run cannot be shown"),
            }
            shown += 1;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Two clicks race, and either may win: what is expected of a sample holds in any order.
fn compare(rows: &mut [Row], expected: &[Expected]) {
    let mut open: Vec<&Expected> = expected.iter().collect();
    for row in rows.iter_mut() {
        match open.iter().position(|expected| row.is(expected)) {
            Some(found) => drop(open.remove(found)),
            None => row.unexpected = Some(open.first().map_or_else(|| "nothing more was expected".to_owned(), |wanted| wanted.words())),
        }
    }
    if let (Some(missing), Some(last)) = (open.first(), rows.last_mut()) {
        last.unexpected.get_or_insert_with(|| missing.words());
    }
}

/// A signup that got its 2xx.
pub struct Sending {
    /// The run that it started.
    pub run: RunId,
    /// How long the sender waited for the decision, where it did.
    pub answered_in: Option<Duration>,
}

/// Posts a sample's body to the webhooks at `url`, signed at `now` as its issuer would with the samples' own secret.
///
/// # Errors
/// Repeats what the webhook answered when it was no 2xx.
pub async fn post(http: &reqwest::Client, url: &str, sample: &Sample, body: Vec<u8>, now: Timestamp) -> anyhow::Result<Sending> {
    let secret = local_secret(&sample.issuer).context("the samples have no secret for this issuer")?;
    let headers = intake::sign(&sample.issuer, &body, &secret.into(), sample.delivery.as_deref(), now)?;
    let mut request = http.post(format!("{url}/webhook/{}", sample.issuer)).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(prefer) = &sample.prefer {
        request = request.header("prefer", prefer);
    }
    let start = Instant::now();
    let response = request.send().await?;
    let answered_in = (response.status() == 200).then(|| start.elapsed());
    let status = response.status();
    let answer = response.text().await?;
    let id = serde_json::from_str::<serde_json::Value>(&answer).ok().and_then(|answer| Some(answer.get("run")?.as_str()?.to_owned()));
    let Some(id) = id else { bail!("the webhook answered {status}: {answer}") };
    Ok(Sending { run: RunId::parse(&id)?, answered_in })
}

/// Waits until a run is finished, all `deliveries` of it were worked off, and its write to the CRM has ended one way or the other.
async fn follow(stack: &Stack, id: &RunId, deliveries: usize) -> anyhow::Result<Run> {
    let start = Instant::now();
    loop {
        let stored = stack.store.read_run(id).await?;
        if let Some(stored) = stored {
            let is_worked_off = stored.stage == Stage::Done && ends(stack, id) >= deliveries;
            let is_done = is_worked_off && (!is_written(&stored.run) || has_ended(stack, id));
            if is_done || start.elapsed() > PATIENCE {
                return Ok(stored.run);
            }
        } else if start.elapsed() > PATIENCE {
            bail!("run {id} never began; look at the logs with --logs");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How many messages of a run have come to an end.
fn ends(stack: &Stack, id: &RunId) -> usize {
    stack.journal.of(id.as_str(), "lookup").iter().filter(|line| is_end(line)).count()
}

fn is_written(run: &Run) -> bool {
    run.decision().is_some_and(|decision| decision.gate.verdict == domain::gate::Verdict::Pass)
}

fn has_ended(stack: &Stack, id: &RunId) -> bool {
    let lines = stack.journal.of(id.as_str(), "writeback");
    lines.last().is_some_and(|line| line.get("message").is_some_and(|message| message != "write postponed"))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read; run from the root of the repository", path.display()))
}
