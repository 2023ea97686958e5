//! A lead is decided about again without a lookup: when facts, signals or the configuration have changed (DESIGN §2, S3-17).
//!
//! It calls no provider and costs nothing: its store has no ledger. The record is written first, under its version; what a crash
//! leaves undone after that, the copy of the message finds by comparing record and log, and does.

use std::sync::Arc;

use domain::config::Config;
use domain::decide::{Evidence, decide};
use domain::decision::Decision;
use domain::merge::merge;
use domain::record::{Decided, Record};
use domain::route::Track;
use domain::run::Run;
use domain::signup::RunId;
use domain::steady::Before;
use domain::units::{Millis, Timestamp};

use crate::enrich::save::SAVE_TRIES;
use crate::messages::{RedecideMessage, to_body};
use crate::owners::Owners;
use crate::ports::{Clock, DecidedLeads, DecidedRun, Queue, QueueName, Saved, Stage, StoreError};
use crate::versions::Versions;
use crate::work::Retry;
use crate::write_back::hand_to_crm;

/// How soon a lead is looked at again whose run is still at work.
const RUN_PAUSE: Millis = Millis::seconds(30);
/// After so many delayed copies something is wrong, and the message is left to the dead-letter queue.
const COPIES_MAX: u32 = 100;

/// Everything the use case needs.
#[derive(Clone)]
pub struct Redecide {
    /// Records and the logs of their runs.
    pub store: Arc<dyn DecidedLeads>,
    /// Where leads that changed go, and copies.
    pub queue: Arc<dyn Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The configuration to decide by.
    pub config: Arc<Config>,
    /// Where the others are: a newer one that was asked for, and the one by which a lead was decided last. `None` where there is only
    /// this one.
    pub versions: Option<Arc<Versions<Config>>>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redecided {
    /// It was decided otherwise: stored, logged, and sent to the CRM unless the gate holds it.
    Changed {
        /// The run whose log has the decision.
        run: RunId,
        /// The track before.
        from: Track,
        /// The track now.
        to: Track,
    },
    /// Track, gate and score are what they were: nothing new was decided.
    Unchanged {
        /// The run whose decision stands.
        run: RunId,
    },
    /// There is nothing to decide about.
    Nothing {
        /// Why.
        why: &'static str,
    },
    /// A copy of the message waits in the queue until then.
    Parked {
        /// When it goes on.
        until: Timestamp,
        /// What it waits for.
        why: &'static str,
    },
}

impl Redecide {
    /// The same by the version that is in force now; for the beginning of an invocation.
    pub async fn in_force(&self) -> Self {
        match &self.versions {
            Some(versions) => Self { config: versions.in_force().await, ..self.clone() },
            None => self.clone(),
        }
    }

    /// Decides about the message's record again; a lost race is read again.
    ///
    /// # Errors
    /// [`Retry`] when the store or the queue failed, or nothing as new as the message asks for is to be had: it has to come again.
    pub async fn work(&self, message: &RedecideMessage) -> Result<Redecided, Retry> {
        self.as_asked(message).await?.decide_again(message).await
    }

    /// The same by what is in force, which is no older than what was when the message was sent.
    async fn as_asked(&self, message: &RedecideMessage) -> Result<Self, Retry> {
        let (Some(versions), Some(seen)) = (&self.versions, &message.config) else { return Ok(self.clone()) };
        let config = versions.in_force_since(seen).await;
        let config = config.map_err(|error| Retry(format!("what it was asked to be decided by is not to be had: {error}")))?;
        Ok(Self { config, ..self.clone() })
    }

    async fn decide_again(&self, message: &RedecideMessage) -> Result<Redecided, Retry> {
        let mut owners = Owners::new(&*self.store, &self.config);
        for _ in 0..SAVE_TRIES {
            let Some(record) = self.store.read_record(&message.record).await? else {
                return Ok(Redecided::Nothing { why: "the record is gone" });
            };
            let Some(decided) = &record.decided else { return Ok(Redecided::Nothing { why: "nothing was decided yet" }) };
            let Some(mut log) = self.store.decided_run(&decided.run).await? else {
                return Ok(Redecided::Nothing { why: "the log of its run is gone" });
            };
            if log.stage != Stage::Done {
                return self.park(message, "the run that decided last is not done").await;
            }
            let mut is_logged = has(&log, &decided.decision);
            if !is_logged && let Some(made_by) = self.version(&decided.config).await? {
                if self.add(&mut log, &record, decided, &made_by).await? == Saved::Conflict {
                    continue;
                }
                is_logged = true;
            }
            let mut decision = self.decide(&record, decided, &log.run);
            // A decision whose facts nobody can tell any more is followed by one that is logged, whatever it says.
            if is_logged && says_the_same(&decided.decision, &decision) {
                return Ok(Redecided::Unchanged { run: log.run.id });
            }
            decision.owner = owners.owner(&record, decision.route.track).await?;
            let (from, to) = (decided.decision.route.track, decision.route.track);
            let next = Decided { run: log.run.id.clone(), decision, config: self.config.hash.clone() };
            let changed = Record { version: record.version + 1, decided: Some(next.clone()), ..record.clone() };
            if self.store.save_record(&changed, &[]).await? == Saved::Stored
                && self.add(&mut log, &changed, &next, &self.config).await? == Saved::Stored
            {
                return Ok(Redecided::Changed { run: log.run.id, from, to });
            }
        }
        Err(Retry(format!("the record was written by others {SAVE_TRIES} times in a row")))
    }

    /// The decision by the configuration of now, on what is known as of now.
    fn decide(&self, record: &Record, decided: &Decided, run: &Run) -> Decision {
        let now = self.clock.now();
        let said = &record.observations;
        let knew = run.said(self.config.deadlines.identity_window);
        let before = Before::of(Some(decided), &knew, said, &self.config);
        let evidence = Evidence {
            facts: &merge(said, &self.config.schema, &self.config.trust, now),
            calls: &run.calls,
            open: &[],
            paid_by: run.paid_by.as_ref(),
            before: before.as_ref(),
            accepted_at: run.accepted_at,
        };
        decide(&self.config, &evidence, record.version + 1, now)
    }

    /// The configuration under which something was decided; `None` where that is not to be had any more.
    async fn version(&self, hash: &str) -> Result<Option<Arc<Config>>, StoreError> {
        // What earlier programs stored names none.
        if hash.is_empty() || hash == self.config.hash {
            return Ok(Some(Arc::clone(&self.config)));
        }
        match &self.versions {
            Some(versions) => versions.version(hash).await,
            None => Ok(None),
        }
    }

    /// Brings the CRM and the log to what the record says. The CRM first: the log is the mark that both are done. What the log says
    /// was known is merged as it was for the decision, by the configuration that it was `made_by`; what is written to the CRM is said
    /// by the one in force.
    async fn add(&self, log: &mut DecidedRun, record: &Record, decided: &Decided, made_by: &Config) -> Result<Saved, Retry> {
        let Decided { decision, config, .. } = decided;
        hand_to_crm(&*self.queue, &self.config, decision, &record.id, &log.run.id).await?;
        let facts = merge(&record.observations, &made_by.schema, &made_by.trust, decision.at);
        log.run.decide_again(decision.clone(), config, facts, &record.observations, made_by.deadlines.identity_window);
        let saved = self.store.amend_run(log).await?;
        log.fence += 1;
        Ok(saved)
    }

    async fn park(&self, message: &RedecideMessage, why: &'static str) -> Result<Redecided, Retry> {
        if message.copies >= COPIES_MAX {
            return Err(Retry(format!("{why}, and {COPIES_MAX} delayed copies came to no end")));
        }
        let copy = RedecideMessage { copies: message.copies + 1, ..message.clone() };
        self.queue.send(QueueName::Score, &to_body(&copy)?, RUN_PAUSE).await?;
        Ok(Redecided::Parked { until: self.clock.now().after(RUN_PAUSE), why })
    }
}

/// Whether a log has this decision, or one that came after it.
fn has(log: &DecidedRun, decision: &Decision) -> bool {
    log.run.decision().is_some_and(|last| last.seq >= decision.seq)
}

/// Whether nobody who acts on a decision would act otherwise on the other one.
fn says_the_same(last: &Decision, next: &Decision) -> bool {
    let of = |decision: &Decision| {
        let (route, score) = (&decision.route, &decision.score);
        let routed = (route.track, route.destination.clone(), route.provisional);
        let told = (decision.tier.clone(), decision.icp, decision.set.clone(), decision.outcome);
        (routed, decision.gate.verdict, score.low, score.high, told)
    };
    of(last) == of(next)
}
