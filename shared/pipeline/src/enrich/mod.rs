//! A signup becomes a decided lead: claim, look up, merge, decide, store, hand over (RELIABILITY §1).

mod ask;
mod settle;

use std::sync::Arc;

use domain::config::Config;
use domain::decide::{Evidence, decide, join_observations, observations_of};
use domain::decision::Decision;
use domain::gate::{self, Verdict};
use domain::identity::{Domain, HashKey, KeyKind, LookupKey};
use domain::merge::{Facts, merge};
use domain::observation::Observation;
use domain::plan::{self, Next, Situation};
use domain::record::{Alias, Decided, Record, RecordId, aliases_of};
use domain::route::owner_of_turn;
use domain::run::Run;
use domain::schema::Field;
use domain::units::{Credits, Millis, Timestamp};

use crate::messages::{LookupMessage, WritebackMessage, to_body};
use crate::ports::{Claim, ClaimRequest, Clock, Entropy, Lease, Poison, Provider, Queue, QueueName, Saved, Store, Window};
use crate::work::{Retry, Worked, put_aside};

/// Clocks of two machines differ by at most this much.
const CLOCK_SKEW: Millis = Millis::seconds(5);
/// With less time left a run is not begun: a call must end before the invocation does.
const LEAST_TIME: Millis = Millis::seconds(3);
/// What is kept back of the lease for storing and handing over after the last call.
const CLOSING_TIME: Millis = Millis::seconds(1);
/// How often a record is read again after somebody else wrote it first.
const SAVE_TRIES: usize = 8;
/// How soon a run looks again whether another run of the same person has ended.
const SAME_PERSON_PAUSE: Millis = Millis::seconds(1);

/// Everything the use case needs.
#[derive(Clone)]
pub struct Enrich {
    /// Runs, records, ledger, cache.
    pub store: Arc<dyn Store>,
    /// Where copies and handed-over leads go.
    pub queue: Arc<dyn Queue>,
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh names.
    pub entropy: Arc<dyn Entropy>,
    /// The configuration that new runs are pinned to.
    pub config: Arc<Config>,
    /// The key under which people are hashed.
    pub key: Arc<HashKey>,
}

/// A run in the hands of its claimant.
struct Work {
    lease: Lease,
    run: Run,
    record: Record,
    aliases: Vec<Alias>,
    identity: Option<String>,
    /// What the record's and the run's observations come to, as of the last reply.
    facts: Facts,
    verdict: Verdict,
}

/// Where the loop over the plan ended.
enum Planned {
    Done,
    Wait { until: Timestamp, why: &'static str },
}

impl Enrich {
    /// Works on one message within `time_left`.
    ///
    /// # Errors
    /// [`Retry`] when the store or the queue failed: the message has to come again.
    pub async fn work(&self, message: &LookupMessage, time_left: Millis) -> Result<Worked, Retry> {
        let now = self.clock.now();
        if time_left < LEAST_TIME {
            return self.park_message(message, now, "too little time was left of the invocation").await;
        }
        let request = ClaimRequest {
            run: self.begin(message, now),
            payload_hash: message.signup.payload_hash(&self.key),
            nonce: self.entropy.name(),
            now,
            lease_until: now.after(time_left).after(CLOCK_SKEW),
        };
        match self.store.claim_run(&request).await? {
            Claim::OtherPayload => self.poison(message, &request.run).await,
            Claim::Terminal(run) => Ok(Worked::Repeated { run: run.id }),
            Claim::Busy { until } => self.park_message(message, until, "another worker holds the run").await,
            Claim::HandOver(lease, run) => self.hand_over(&lease, run).await,
            Claim::Mine(lease, run) => self.enrich(message, lease, *run).await,
        }
    }

    fn begin(&self, message: &LookupMessage, now: Timestamp) -> Run {
        let deadlines = &self.config.deadlines;
        let (id, signup) = (message.signup.run_id(&self.key), message.signup.clone());
        Run {
            answer_by: message.answer_by.unwrap_or(message.accepted_at.after(deadlines.interactive)),
            finish_by: now.after(deadlines.background),
            observations: observations_of(&message.signup, &self.config),
            ..Run::begin(id, signup, message.priority, message.accepted_at, &self.config.hash)
        }
    }

    async fn enrich(&self, message: &LookupMessage, lease: Lease, mut run: Run) -> Result<Worked, Retry> {
        let now = self.clock.now();
        let lease_ends = lease.until.before(CLOCK_SKEW).before(CLOSING_TIME);
        run.finish_by = now.after(self.config.deadlines.background).min(lease_ends);
        // Until versions of the configuration are stored, a run that was parked over a deploy is decided by the new one.
        run.config.clone_from(&self.config.hash);
        let identity = run.signup.identity(&self.key);
        if let Some(identity) = &identity {
            match self.store.open_window(identity, &run.id, now, lease.until).await? {
                Window::Mine => {}
                Window::PaidBy(payer) => run.paid_by = Some(payer),
                Window::HeldBy { .. } => {
                    self.store.park_run(&lease, &run).await?;
                    return self.park_message(message, now.after(SAME_PERSON_PAUSE), "another run of the same person is at work").await;
                }
            }
        }
        let aliases = aliases_of(&run.signup, &self.key);
        let record = self.store.find_record(&aliases).await?.unwrap_or_else(|| Record::new(RecordId(self.entropy.name())));
        let mut work = Work { lease, run, record, aliases, identity, facts: Facts::new(), verdict: Verdict::Pass };
        match self.follow_plan(&mut work).await? {
            Planned::Done => {}
            Planned::Wait { until, why } => {
                self.decide_for_now(&mut work);
                self.store.park_run(&work.lease, &work.run).await?;
                self.free_window(&work).await?;
                return self.park_message(message, until, why).await;
            }
        }
        if work.run.cost() > Credits::ZERO {
            // What was paid for stands in the log before the record makes the same calls unnecessary for a later claimant.
            self.store.save_run(&work.lease, &work.run).await?;
        }
        self.decide_for_good(&mut work).await?;
        self.store.decide_run(&work.lease, &work.run).await?;
        self.free_window(&work).await?;
        self.hand_over(&work.lease, Box::new(work.run)).await
    }

    /// Asks whom the plan says until nobody is left.
    async fn follow_plan(&self, work: &mut Work) -> Result<Planned, Retry> {
        self.look_at_facts(work);
        loop {
            let keys = keys_of(work);
            match plan::next(&self.situation(work, &keys)) {
                Next::Done => return Ok(Planned::Done),
                Next::Wait { until } => return Ok(Planned::Wait { until, why: "a provider limits the rate" }),
                Next::Skip { step, operation, why } => {
                    let outcome = plan::CallOutcome::NotMade { why };
                    work.run.calls.push(plan::Call {
                        step,
                        operation,
                        outcome,
                        at: self.clock.now(),
                        latency: Millis(0),
                        cost: Credits::ZERO,
                        key: None,
                        cached: false,
                    });
                }
                Next::Ask(ask) => {
                    if let Some(until) = self.ask(work, ask).await? {
                        return Ok(Planned::Wait { until, why: "an earlier attempt may still be answered" });
                    }
                    self.look_at_facts(work);
                }
            }
        }
    }

    /// What the record's sources and this run's said, together.
    fn observations(&self, work: &Work) -> Vec<Observation> {
        join_observations(&work.record.observations, &work.run.observations, self.config.deadlines.identity_window)
    }

    fn look_at_facts(&self, work: &mut Work) {
        work.facts = merge(&self.observations(work), &self.config.schema, &self.config.trust, self.clock.now());
        work.verdict = gate::judge(&self.config.gate, &self.config.view(&work.facts)).verdict;
    }

    fn situation<'a>(&'a self, work: &'a Work, keys: &'a [LookupKey]) -> Situation<'a> {
        Situation {
            steps: &self.config.steps,
            catalogue: &self.config.catalogue,
            schema: &self.config.schema,
            freshness: &self.config.freshness,
            keys,
            facts: &work.facts,
            calls: &work.run.calls,
            verdict: work.verdict,
            paid_by: work.run.paid_by.as_ref(),
            now: self.clock.now(),
            finish_by: work.run.finish_by,
            give_up_at: work.run.accepted_at.after(self.config.deadlines.patience),
        }
    }

    fn decision(&self, work: &Work, open: &[Field], seq: u64) -> Decision {
        let evidence = Evidence {
            facts: &work.facts,
            calls: &work.run.calls,
            open,
            paid_by: work.run.paid_by.as_ref(),
            accepted_at: work.run.accepted_at,
        };
        decide(&self.config, &evidence, seq, self.clock.now())
    }

    /// Decides on what is known so far, for whoever waits; nothing goes out on it.
    fn decide_for_now(&self, work: &mut Work) {
        self.look_at_facts(work);
        let keys = keys_of(work);
        let open = plan::open_fields(&self.situation(work, &keys));
        let decision = self.decision(work, &open, work.record.version);
        work.run.facts = work.facts.clone();
        let says_the_same = |last: &Decision| last.route == decision.route && last.score == decision.score;
        if !work.run.decision().is_some_and(says_the_same) {
            work.run.decisions.push(decision);
        }
    }

    /// Decides from the record with everything merged in, and stores both; a lost race is read again and merged.
    async fn decide_for_good(&self, work: &mut Work) -> Result<(), Retry> {
        let mut turn = None;
        for _ in 0..SAVE_TRIES {
            self.look_at_facts(work);
            let mut decision = self.decision(work, &[], work.record.version + 1);
            decision.owner = self.owner(work, &decision, &mut turn).await?;
            let record = Record {
                id: work.record.id.clone(),
                version: work.record.version + 1,
                observations: self.observations(work),
                decided: Some(Decided { run: work.run.id.clone(), decision: decision.clone() }),
            };
            if self.store.save_record(&record, &work.aliases).await? == Saved::Stored {
                work.run.record = Some(record.id.clone());
                work.run.facts = work.facts.clone();
                work.run.decisions.push(decision);
                work.record = record;
                return Ok(());
            }
            if let Some(newer) = self.store.find_record(&work.aliases).await? {
                work.record = newer;
            }
        }
        Err(Retry(format!("the record was written by others {SAVE_TRIES} times in a row")))
    }

    /// The owner the record has keeps it, also on a track without owners; else it is the next one's turn (DESIGN §6).
    /// A turn is taken once, however often the record has to be read again.
    async fn owner(&self, work: &Work, decision: &Decision, turn: &mut Option<String>) -> Result<Option<String>, Retry> {
        let pool = self.config.owners(decision.route.track);
        let has = work.record.owner().filter(|owner| pool.is_empty() || pool.iter().any(|member| member == owner));
        if has.is_some() || pool.is_empty() {
            return Ok(has.map(str::to_owned));
        }
        if turn.is_none() {
            let next = self.store.next_turn(decision.route.track.as_str()).await?;
            *turn = owner_of_turn(pool, next).map(str::to_owned);
        }
        Ok(turn.clone())
    }

    /// Sends the decided lead on; what the gate holds goes nowhere.
    async fn hand_over(&self, lease: &Lease, run: Box<Run>) -> Result<Worked, Retry> {
        let Some(decision) = run.decision() else { return Err(Retry("a decided run without a decision".to_owned())) };
        if let (Verdict::Pass, Some(record), true) = (decision.gate.verdict, &run.record, self.config.crm.is_some()) {
            let message = WritebackMessage { record: record.clone(), run: run.id.clone(), attempt: 0 };
            self.queue.send(QueueName::Writeback, &to_body(&message)?, Millis(0)).await?;
        }
        self.store.finish_run(lease).await?;
        Ok(Worked::Finished { run })
    }

    async fn free_window(&self, work: &Work) -> Result<(), Retry> {
        if let (Some(identity), None) = (&work.identity, &work.run.paid_by) {
            self.store.free_window(identity, &work.run.id).await?;
        }
        Ok(())
    }

    /// A live copy goes into the queue first; only then the message may be deleted.
    async fn park_message(&self, message: &LookupMessage, until: Timestamp, why: &'static str) -> Result<Worked, Retry> {
        let delay = until.since(self.clock.now());
        self.queue.send(message.queue(), &to_body(message)?, delay).await?;
        Ok(Worked::Parked { run: message.signup.run_id(&self.key), until, why })
    }

    async fn poison(&self, message: &LookupMessage, run: &Run) -> Result<Worked, Retry> {
        let poison = Poison {
            id: self.entropy.name(),
            queue: message.queue().as_str().to_owned(),
            why: format!("another signup came under the id of delivery {}; the first one stands", run.id),
            body: to_body(message)?,
            at: self.clock.now(),
        };
        put_aside(&*self.store, poison).await
    }
}

/// The signup's keys, and the company's domain where a source named it (S3-50).
fn keys_of(work: &Work) -> Vec<LookupKey> {
    let mut keys = work.run.signup.lookup_keys();
    let has_domain = keys.iter().any(|key| key.kind == KeyKind::Domain);
    let named = work.facts.get(&Field::known("company.domain")).map(|fact| fact.value.to_string());
    if let (false, Some(domain)) = (has_domain, named.and_then(|text| Domain::parse(&text).ok())) {
        keys.push(LookupKey { kind: KeyKind::Domain, value: domain.as_str().to_owned() });
    }
    keys
}
