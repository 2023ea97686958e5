//! Every sample, posted to the deployed HTTP endpoint and followed to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::config::Config;
use domain::identity::HashKey;
use domain::run::Run;
use domain::signup::RunId;
use intake::sample::{Before, RepeatAs, Sample};
use local::row::Expected;
use local::samples::{Samples, bodies, post};
use pipeline::hold::{hold_the_day, release};
use pipeline::ports::{Clock as _, Runs as _, Stage, StoredRun};
use platform::SystemClock;

use crate::reference::Reference;
use crate::stack::Stack;

/// The stand-in starts processes for its functions; whatever takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What came of all samples.
pub(crate) struct Played {
    runs: Vec<RunId>,
    seen: Reference,
    paid_by_runs: usize,
}

impl Played {
    pub(crate) fn first_run(&self) -> Result<RunId> {
        self.runs.first().cloned().context("there are no samples")
    }

    pub(crate) fn words(&self) -> String {
        let contacts = self.seen.contacts.len();
        format!("     {} signups, {contacts} contacts as under cargo dev, {} calls paid", self.runs.len(), self.seen.paid_calls)
    }
}

/// Posts all samples in the order of `cargo dev`, and waits for the CRM to hold what it held there.
pub(crate) async fn play(root: &Path, stack: &Stack, reference: &Reference) -> Result<Played> {
    let config = local::stack::config(&root.join("config"))?;
    let (mut runs, mut paid_by_runs) = (Vec::new(), 0);
    for (case, sample, expected) in Samples::load(&root.join("events"))?.iter() {
        let ended = play_one(stack, &config, sample).await.with_context(|| format!("sample {case}"))?;
        check(case, &ended, expected)?;
        let distinct: BTreeMap<&RunId, &Run> = ended.iter().map(|run| (&run.id, run)).collect();
        paid_by_runs += distinct.values().map(|run| run.paid_calls()).sum::<usize>();
        runs.extend(ended.into_iter().map(|run| run.id));
    }
    wait_for_crm(stack, reference).await;
    Ok(Played { runs, seen: Reference::of(&stack.sandbox), paid_by_runs })
}

/// The CRM and the providers' bills must be those of `cargo dev`.
pub(crate) fn compare(played: &Played, reference: &Reference) -> Result<()> {
    let (ours, theirs) = (&played.seen.contacts, &reference.contacts);
    let emails: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let different: Vec<&&String> = emails.iter().filter(|email| ours.get(**email) != theirs.get(**email)).collect();
    if let Some(email) = different.first() {
        bail!("{} contacts differ; {email}:\ndeployed  {:?}\ncargo dev {:?}", different.len(), ours.get(**email), theirs.get(**email));
    }
    if played.seen.paid_calls != reference.paid_calls {
        bail!("deployed, the providers billed {} calls; under cargo dev {}", played.seen.paid_calls, reference.paid_calls);
    }
    if u64::try_from(played.paid_by_runs).ok() != Some(played.seen.paid_calls) {
        bail!("the runs say that {} calls were paid, the providers billed {}", played.paid_by_runs, played.seen.paid_calls);
    }
    Ok(())
}

async fn play_one(stack: &Stack, config: &Config, sample: &Sample) -> Result<Vec<Run>> {
    let hold = match sample.before {
        // Any key serves: it only names the run that holds the credits.
        Some(Before::ExhaustDayCap) => {
            hold_the_day(&stack.store, config, &HashKey::new(b"the deployed check's hold".to_vec())?, SystemClock.now()).await?
        }
        None => None,
    };
    let (http, url) = stack.webhooks()?;
    let mut sent = Vec::new();
    for body in bodies(sample, &SystemClock) {
        let run = post(&http, &url, sample, body, SystemClock.now()).await?.run;
        if sample.repeat_as == RepeatAs::Delivery {
            follow(stack, &run).await?;
        }
        sent.push(run);
    }
    let mut ended = Vec::new();
    for run in &sent {
        ended.push(follow(stack, run).await?.run);
    }
    if let Some(hold) = hold {
        release(&stack.store, &hold).await?;
    }
    Ok(ended)
}

/// A run that was met before in the same sample is a duplicate; two clicks race, so the order is free.
fn check(case: &str, ended: &[Run], expected: &[Expected]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut came: Vec<(String, String)> = Vec::new();
    for run in ended {
        let decision = run.decision().with_context(|| format!("sample {case}: the run has no decision"))?;
        let outcome = if seen.insert(&run.id) { decision.outcome.as_str() } else { "duplicate" };
        came.push((outcome.to_owned(), decision.route.track.as_str().to_owned()));
    }
    let mut wanted: Vec<(String, String)> = expected.iter().map(|row| (row.outcome.clone(), row.track.clone())).collect();
    came.sort();
    wanted.sort();
    if came != wanted {
        bail!("sample {case} ended as {came:?}; events/expected.json says {wanted:?}");
    }
    Ok(())
}

/// Waits until a run is finished.
pub(crate) async fn follow(stack: &Stack, id: &RunId) -> Result<StoredRun> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match stack.store.read_run(id).await? {
            Some(stored) if stored.stage == Stage::Done => return Ok(stored),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    bail!("run {id} is not finished after {} s", PATIENCE.as_secs())
}

/// The last writes are under way when the last run is done; `compare` says what is missing when they never come.
async fn wait_for_crm(stack: &Stack, reference: &Reference) {
    let start = Instant::now();
    while Reference::of(&stack.sandbox).contacts != reference.contacts && start.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
