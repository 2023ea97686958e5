//! A decided lead reaches the CRM: lease, absolute values, digest, one item for each record and target (RELIABILITY §1).

use std::sync::Arc;

use domain::config::{Config, CrmPlan};
use domain::decision::Decision;
use domain::gate::Verdict;
use domain::identity::Email;
use domain::merge::Facts;
use domain::record::{Decided, Record, RecordId};
use domain::schema::Field;
use domain::signup::RunId;
use domain::units::{Millis, Timestamp};
use domain::writeback::{digest, properties};

use crate::messages::{WritebackMessage, to_body};
use crate::ports::{
    Clock, Crm, CrmReply, CrmWrite, Entropy, OutboxLease, OutboxTurn, Poison, Queue, QueueName, Store, StoreError, WriteRequest, Written,
};
use crate::work::{Retry, Worked, put_aside};

/// A CRM request may take this long.
const REQUEST_TIMEOUT: Millis = Millis::seconds(10);
/// With less time left a write is not begun: its request must end before the invocation does.
const LEAST_TIME: Millis = Millis::seconds(12);
/// The lease outlives the request by this much, for clocks that differ.
const LEASE_MARGIN: Millis = Millis::seconds(5);
/// A request that was cut off has reached the CRM by then, or never will.
const SETTLING_TIME: Millis = Millis::minutes(1);
/// How soon a write looks again whether another worker has finished with the lead; its lease lasts much longer.
const BUSY_PAUSE: Millis = Millis::seconds(1);
/// SQS delays a message by at most this much.
const LONGEST_DELAY: Millis = Millis::minutes(15);
/// After so many failed attempts the message is left to the dead-letter queue: about a day at the longest delay.
const ATTEMPTS_MAX: u32 = 100;

/// Everything the use case needs.
#[derive(Clone)]
pub struct WriteBack {
    /// Records and outbound state.
    pub store: Arc<dyn Store>,
    /// Where copies go.
    pub queue: Arc<dyn Queue>,
    /// Who is written to.
    pub crm: Arc<dyn Crm>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh names.
    pub entropy: Arc<dyn Entropy>,
    /// The configuration.
    pub config: Arc<Config>,
}

/// Sends a decided lead on to be written. What the gate holds goes nowhere, nor does anything where no CRM is configured.
pub(crate) async fn hand_to_crm(
    queue: &dyn Queue,
    config: &Config,
    decision: &Decision,
    record: &RecordId,
    run: &RunId,
) -> Result<(), Retry> {
    if decision.gate.verdict != Verdict::Pass || config.crm.is_none() {
        return Ok(());
    }
    let message = WritebackMessage { record: record.clone(), run: run.clone(), attempt: 0 };
    Ok(queue.send(QueueName::Writeback, &to_body(&message)?, Millis(0)).await?)
}

impl WriteBack {
    /// Writes the newest decision on the message's record within `time_left`.
    ///
    /// # Errors
    /// [`Retry`] when the store or the queue failed: the message has to come again.
    pub async fn work(&self, message: &WritebackMessage, time_left: Millis) -> Result<Worked, Retry> {
        if time_left < LEAST_TIME {
            return self.send_copy(message, self.clock.now(), "too little time was left of the invocation").await;
        }
        let Some(plan) = &self.config.crm else { return Ok(Worked::NothingToWrite { why: "no CRM is configured" }) };
        let lease = match self.begin(message, plan).await? {
            OutboxTurn::Yours(lease) => lease,
            OutboxTurn::Busy { until } => {
                let soon = self.clock.now().after(BUSY_PAUSE).min(until);
                return self.send_copy(message, soon, "another worker writes this lead").await;
            }
        };
        // The record is read under the lease: what was newest before it may not be any more.
        let record = self.store.read_record(&message.record).await?;
        match record.as_ref().map_or(Err("the record is gone"), |record| self.write_of(plan, record)) {
            Err(why) => {
                self.give_back(&lease).await?;
                Ok(Worked::NothingToWrite { why })
            }
            Ok((write, seq)) => self.write(message, &lease, &write, seq).await,
        }
    }

    /// The write of the newest decision, and its `seq`; or why there is none.
    fn write_of(&self, plan: &CrmPlan, record: &Record) -> Result<(CrmWrite, u64), &'static str> {
        let Some(Decided { decision, .. }) = &record.decided else { return Err("nothing was decided") };
        if decision.gate.verdict != Verdict::Pass {
            return Err("the gate holds this lead");
        }
        let facts = record.facts_as_decided(&self.config.schema, &self.config.trust);
        let email = address(&facts).ok_or("the CRM finds contacts by email, and there is none")?;
        let properties = properties(plan, &self.config, &facts, decision);
        Ok((CrmWrite { target: plan.target.clone(), email, properties, timeout: REQUEST_TIMEOUT }, decision.seq))
    }

    async fn write(&self, message: &WritebackMessage, lease: &OutboxLease, write: &CrmWrite, seq: u64) -> Result<Worked, Retry> {
        let digest = digest(&write.email, &write.properties);
        if lease.last.as_ref().is_some_and(|last| last.digest == digest) {
            self.give_back(lease).await?;
            return Ok(Worked::NothingToWrite { why: "nothing has changed" });
        }
        let reply = self.crm.upsert(write).await;
        self.after(message, lease, reply, digest, seq).await
    }

    async fn begin(&self, message: &WritebackMessage, plan: &CrmPlan) -> Result<OutboxTurn, StoreError> {
        let now = self.clock.now();
        let request = WriteRequest {
            record: message.record.clone(),
            target: plan.target.clone(),
            nonce: self.entropy.name(),
            now,
            lease_until: now.after(REQUEST_TIMEOUT).after(LEASE_MARGIN),
        };
        self.store.begin_write(&request).await
    }

    async fn after(
        &self,
        message: &WritebackMessage,
        lease: &OutboxLease,
        reply: CrmReply,
        digest: String,
        seq: u64,
    ) -> Result<Worked, Retry> {
        match reply {
            CrmReply::Written { external_id, created } => {
                // An attempt that ended without a word may still reach the CRM after us, so nobody believes what it holds
                // until the newest decision was asserted once more.
                if lease.took_over {
                    self.send_copy(message, self.clock.now().after(SETTLING_TIME), "asserted again").await?;
                }
                let digest = if lease.took_over { String::new() } else { digest };
                match self.store.finish_write(lease, &Written { digest, seq, external_id }).await {
                    Ok(()) => Ok(Worked::Written { created }),
                    // Somebody took over while we wrote: our values may stand over newer ones, so the newest are asserted again.
                    Err(StoreError::FenceLost) => self.send_copy(message, self.clock.now(), "the lease was lost while writing").await,
                    Err(error) => Err(error.into()),
                }
            }
            CrmReply::RateLimited { retry_after } => {
                self.give_back(lease).await?;
                self.try_again(message, retry_after, "the CRM limits the rate").await
            }
            // The mark stays: whoever comes after the lease knows that the CRM may hold anything and asserts it again.
            CrmReply::Unavailable { why } => {
                tracing::warn!(run = %message.run, why, "the CRM did not answer");
                self.try_again(message, backoff(message.attempt), "the CRM does not answer").await
            }
            CrmReply::AuthFailed => {
                self.give_back(lease).await?;
                tracing::error!(run = %message.run, "the CRM refuses our credentials; set the secret anew");
                self.try_again(message, Millis::minutes(1), "the CRM refuses our credentials").await
            }
            CrmReply::Refused { why } => {
                self.give_back(lease).await?;
                self.poison(message, why).await
            }
        }
    }

    /// Frees the lease after nothing was sent. An attempt before us that ended without a word stays marked, for whoever writes next.
    async fn give_back(&self, lease: &OutboxLease) -> Result<(), StoreError> {
        if lease.took_over { Ok(()) } else { self.store.abandon_write(lease).await }
    }

    async fn try_again(&self, message: &WritebackMessage, delay: Millis, why: &'static str) -> Result<Worked, Retry> {
        if message.attempt >= ATTEMPTS_MAX {
            return Err(Retry(format!("{why}, {ATTEMPTS_MAX} times in a row")));
        }
        let next = WritebackMessage { attempt: message.attempt + 1, ..message.clone() };
        self.send_copy(&next, self.clock.now().after(delay.min(LONGEST_DELAY)), why).await
    }

    async fn send_copy(&self, message: &WritebackMessage, until: Timestamp, why: &'static str) -> Result<Worked, Retry> {
        let delay = until.since(self.clock.now());
        self.queue.send(QueueName::Writeback, &to_body(message)?, delay).await?;
        Ok(Worked::Parked { run: message.run.clone(), until, why })
    }

    async fn poison(&self, message: &WritebackMessage, why: String) -> Result<Worked, Retry> {
        let poison = Poison {
            id: self.entropy.name(),
            queue: QueueName::Writeback.as_str().to_owned(),
            why,
            body: to_body(message)?,
            at: self.clock.now(),
        };
        put_aside(&*self.store, poison).await
    }
}

fn address(facts: &Facts) -> Option<Email> {
    let fact = facts.get(&Field::known("contact.email"))?;
    Email::parse(&fact.value.to_string()).ok()
}

/// 15 s, so that the lease is over, then doubling.
fn backoff(attempt: u32) -> Millis {
    Millis(Millis::seconds(15).0 << attempt.min(6))
}
