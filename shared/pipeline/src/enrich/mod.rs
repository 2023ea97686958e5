//! A signup becomes a decided lead: claim, look up, merge, decide, store, hand over (RELIABILITY §1).

mod ask;
mod call;
mod desks;
mod earlier;
mod hand_over;
mod kept;
pub(crate) mod save;
pub(crate) mod settle;
mod version;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::config::Config;
use domain::decide::{Evidence, decide, join_observations, observations_of};
use domain::decision::Decision;
use domain::freshness::Freshness;
use domain::identity::{HashKey, LookupKey};
use domain::merge::{Facts, merge};
use domain::observation::Observation;
use domain::plan::{self, Next, Situation};
use domain::record::{Alias, Record, RecordId, aliases_of};
use domain::run::{Asked, Run};
use domain::schema::Field;
use domain::steady::Before;
use domain::units::{Credits, Millis, Timestamp};

use self::ask::Owed;
use self::desks::Desk;
use self::kept::Looked;

use crate::messages::LookupMessage;
use crate::ports::{CacheKey, CachedReply, Claim, ClaimRequest, Clock, Entropy, Lease, Provider, Queue, Store, StoreError, Window};
use crate::versions::Versions;
use crate::work::{Retry, Worked};

pub use desks::Desks;
pub use version::Configured;

/// Clocks of two machines differ by at most this much.
const CLOCK_SKEW: Millis = Millis::seconds(5);
/// A claim holds its run this long, and longer only where a call needs it: what a crash left is taken up soon.
const LEASE: Millis = Millis::seconds(30);
/// With less time left a run is not begun: a call must end before the invocation does.
const LEAST_TIME: Millis = Millis::seconds(3);
/// What is kept back of the lease for storing and handing over after the last call.
const CLOSING_TIME: Millis = Millis::seconds(1);
/// How soon a run looks again whether another run of the same person has ended.
const SAME_PERSON_PAUSE: Millis = Millis::seconds(1);

/// What a run waits for when an attempt from before a crash is still out.
const AN_EARLIER_ATTEMPT: &str = "an earlier attempt may still be answered";

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
    /// Where the others are that runs may be pinned to; `None` where there is only this one.
    pub versions: Option<Arc<Versions<Configured>>>,
    /// The key under which people are hashed.
    pub key: Arc<HashKey>,
    /// Where runs are worked on; each invocation has its own.
    pub desks: Desks,
}

/// Where and until when a run is worked on.
struct Shift {
    desk: Desk,
    /// When the invocation is over.
    ends: Timestamp,
}

/// A run in the hands of its claimant.
struct Work {
    /// Where it is worked on; left while it waits for others.
    desk: Desk,
    lease: Lease,
    run: Run,
    record: Record,
    aliases: Vec<Alias>,
    identity: Option<String>,
    /// Whether somebody waits for the answer.
    is_awaited: bool,
    /// What the record's and the run's observations come to, as of the last reply.
    facts: Facts,
    /// What was decided for good about this lead before.
    before: Option<Before>,
    /// The moment that the facts are of; what is decided on them is decided as of then.
    as_of: Timestamp,
    /// What the cache said when the run began.
    looked: Looked,
    /// When it said so.
    looked_at: Timestamp,
    /// The operations to which it had an answer that is fresh for this lead.
    kept: BTreeSet<String>,
    /// How long this lead's fields stay fresh.
    freshness: Freshness,
    /// Free replies to keep with the next write.
    to_keep: Vec<(CacheKey, CachedReply)>,
    /// What the last paid calls owe.
    owed: Vec<Owed>,
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
        let came = self.clock.now();
        // Whoever had to wait begins with all the time that a run may take, or leaves it to an invocation that has it.
        let patience = Millis(time_left.0 - self.config.deadlines.background.0 - CLOSING_TIME.0);
        let Some(desk) = self.desks.take(patience).await else {
            return self.park_message(message, self.clock.now(), "the invocation had no place for it in time").await;
        };
        let now = self.clock.now();
        let time_left = Millis(time_left.0 - now.since(came).0);
        if time_left < LEAST_TIME {
            return self.park_message(message, now, "too little time was left of the invocation").await;
        }
        let request = ClaimRequest {
            run: self.begin(message),
            payload_hash: message.signup.payload_hash(&self.key),
            nonce: self.entropy.name(),
            now,
            lease_until: now.after(time_left.min(LEASE)).after(CLOCK_SKEW),
        };
        let identity = message.signup.identity(&self.key);
        // Reading ahead costs less than waiting; whatever the claim says, nothing is decided by it.
        let (claimed, known) = tokio::join!(self.claim(&request, identity.as_deref()), self.look_ahead(&message.signup));
        match claimed? {
            (Claim::OtherPayload, _) => self.poison(message, &request.run).await,
            (Claim::Terminal(run), _) => {
                self.hand_over_late(&run, known?.0).await?;
                Ok(Worked::Repeated { run: run.id })
            }
            (Claim::Busy { until }, _) => self.park_message(message, until, "another worker holds the run").await,
            (Claim::HandOver(lease, run), _) => self.hand_over(&lease, run).await,
            (Claim::Mine(lease, run), window) => {
                let shift = Shift { desk, ends: now.after(time_left) };
                // Boxed, for it is large and there may be a hundred of them.
                let worked = Box::pin(self.work_by_its_version(message, &lease, *run, window, known, shift)).await;
                if worked.is_err() {
                    self.free(&lease).await;
                }
                worked
            }
        }
    }

    /// Works on a run that was claimed, by the version of the configuration that it is pinned to.
    async fn work_by_its_version(
        &self,
        message: &LookupMessage,
        lease: &Lease,
        run: Run,
        window: Option<Window>,
        known: Result<(Option<Record>, Looked), StoreError>,
        shift: Shift,
    ) -> Result<Worked, Retry> {
        let Some(pinned) = self.pinned_to(&run.config).await? else {
            return self.work_on(message, lease.clone(), run, window, known, shift).await;
        };
        // What was read ahead are the answers to the questions of this version, and the other one may have others.
        let known = pinned.look_ahead(&message.signup).await;
        pinned.work_on(message, lease.clone(), run, window, known, shift).await
    }

    /// Works on a run that was claimed.
    async fn work_on(
        &self,
        message: &LookupMessage,
        lease: Lease,
        run: Run,
        window: Option<Window>,
        known: Result<(Option<Record>, Looked), StoreError>,
        shift: Shift,
    ) -> Result<Worked, Retry> {
        if let Some(Window::HeldBy { .. }) = window {
            self.store.park_run(&lease, &run).await?;
            let soon = self.clock.now().after(SAME_PERSON_PAUSE);
            return self.park_message(message, soon, "another run of the same person is at work").await;
        }
        let (record, looked) = known?;
        let aliases = aliases_of(&run.signup, &self.key);
        let mut work = Work {
            desk: shift.desk,
            lease,
            record: record.unwrap_or_else(|| Record::new(RecordId(self.entropy.name()))),
            aliases,
            identity: run.signup.identity(&self.key),
            is_awaited: message.answer_by.is_some(),
            facts: Facts::new(),
            before: None,
            freshness: self.config.freshness,
            kept: BTreeSet::new(),
            as_of: self.clock.now(),
            looked,
            looked_at: self.clock.now(),
            to_keep: Vec::new(),
            owed: Vec::new(),
            run,
        };
        if let Some(Window::PaidBy(payer)) = window {
            work.run.paid_by = Some(payer);
        }
        self.enrich(message, work, shift.ends).await
    }

    /// Frees the claim of work that failed, so that the message finds it free when it comes again. Whoever cannot free it leaves it
    /// to the end of the lease, and the work's own error stands.
    async fn free(&self, lease: &Lease) {
        if let Err(error) = self.store.free_run(lease).await {
            tracing::debug!(run = %lease.run, error = %error, "the claim could not be freed; its lease ends by itself");
        }
    }

    /// Claims the run, and with it the right to pay for its person.
    async fn claim(&self, request: &ClaimRequest, identity: Option<&str>) -> Result<(Claim, Option<Window>), StoreError> {
        let claim = self.store.claim_run(request).await?;
        let (Claim::Mine(lease, run), Some(identity)) = (&claim, identity) else { return Ok((claim, None)) };
        match self.store.open_window(identity, &run.id, request.now, lease.until).await {
            Ok(window) => Ok((claim, Some(window))),
            Err(error) => {
                self.free(lease).await;
                Err(error)
            }
        }
    }

    fn begin(&self, message: &LookupMessage) -> Run {
        let deadlines = &self.config.deadlines;
        let (id, signup) = (message.signup.run_id(&self.key), message.signup.clone());
        Run {
            answer_by: message.answer_by.unwrap_or(message.accepted_at.after(deadlines.interactive)),
            observations: observations_of(&message.signup, &self.config),
            trigger: message.trigger,
            action: message.action.clone(),
            ..Run::begin(id, signup, message.priority, message.accepted_at, &self.config.hash)
        }
    }

    async fn enrich(&self, message: &LookupMessage, mut work: Work, invocation_ends: Timestamp) -> Result<Worked, Retry> {
        let background = self.clock.now().after(self.config.deadlines.background);
        work.run.finish_by(background.min(invocation_ends.before(CLOSING_TIME)));
        // Another one only where the version that it was pinned to is not to be had.
        work.run.pin(&self.config.hash);
        work.run.asked = Some(Asked::surely(self.config.plan.order));
        let may_explore = work.run.action.is_all_missing() && self.config.plan.explores(&work.run.id);
        work.run.explored_one_in = self.config.plan.explore.filter(|_| may_explore);
        if let Planned::Wait { until, why } = self.follow_plan(&mut work).await? {
            return self.park(message, work, until, why).await;
        }
        self.decide_for_good(&mut work).await?;
        work.run.refreshed_by = self.refresh_of(&work.run);
        self.store.decide_run(&work.lease, &work.run).await?;
        self.free_window(&work).await?;
        self.hand_over(&work.lease, Box::new(work.run)).await
    }

    /// Puts a run aside with what is known of it; a copy of its message takes it up again.
    async fn park(&self, message: &LookupMessage, mut work: Work, until: Timestamp, why: &'static str) -> Result<Worked, Retry> {
        self.pay(&mut work).await?;
        self.decide_for_now(&mut work);
        self.store.park_run(&work.lease, &work.run).await?;
        if why != AN_EARLIER_ATTEMPT {
            // While a call may still be answered, nobody else pays for this person.
            self.free_window(&work).await?;
        }
        self.park_message(message, until, why).await
    }

    /// Asks whom the plan says until nobody is left.
    async fn follow_plan(&self, work: &mut Work) -> Result<Planned, Retry> {
        if let Some(until) = self.look_back(work).await? {
            return Ok(Planned::Wait { until, why: AN_EARLIER_ATTEMPT });
        }
        self.look_at_facts(work);
        loop {
            let keys = work.run.lookup_keys(&work.facts);
            self.look_behind(work, &keys).await?;
            match plan::next(&self.situation(work, &keys, self.clock.now())) {
                Next::Done => return Ok(Planned::Done),
                Next::Wait { until } if self.is_worth_waiting(work, until) => {
                    tokio::time::sleep(until.since(self.clock.now()).to_std()).await;
                }
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
                Next::Ask(asks) => {
                    if let Some(until) = self.ask(work, asks).await? {
                        return Ok(Planned::Wait { until, why: AN_EARLIER_ATTEMPT });
                    }
                    self.look_at_facts(work);
                }
            }
        }
    }

    /// A wait that ends in time for whoever waits for the answer is sat out: the queue's delays are whole seconds.
    fn is_worth_waiting(&self, work: &Work, until: Timestamp) -> bool {
        work.is_awaited && until < work.run.answer_by && until < work.run.finish_by
    }

    /// What the record's sources and this run's said, together.
    fn observations(&self, work: &Work) -> Vec<Observation> {
        join_observations(&work.record.observations, &work.run.observations, self.config.deadlines.identity_window)
    }

    fn look_at_facts(&self, work: &mut Work) {
        work.as_of = self.clock.now();
        let said = self.observations(work);
        work.facts = merge(&said, &self.config.schema, &self.config.trust, work.as_of);
        work.before = self.before(work, &said);
        work.freshness = self.config.freshness_table.in_force(&self.config.view(&work.facts), None);
        work.kept = self.kept_operations(work);
    }

    /// What was decided for good before this run. What an earlier claimant of it decided is decided again, from where it began.
    fn before(&self, work: &Work, said: &[Observation]) -> Option<Before> {
        match &work.record.decided {
            Some(decided) if decided.run == work.run.id => decided.decision.before.clone(),
            decided => Before::of(decided.as_ref(), &work.record.observations, said, &self.config),
        }
    }

    fn situation<'a>(&'a self, work: &'a Work, keys: &'a [LookupKey], now: Timestamp) -> Situation<'a> {
        Situation { kept: &work.kept, ..Situation::of(&self.config, &work.run, &work.facts, keys, now).held_to(work.before.as_ref()) }
    }

    fn decision(&self, work: &Work, open: &[Field], seq: u64) -> Decision {
        let evidence = Evidence {
            facts: &work.facts,
            calls: &work.run.calls,
            open,
            paid_by: work.run.paid_by.as_ref(),
            before: work.before.as_ref(),
            accepted_at: work.run.accepted_at,
        };
        decide(&self.config, &evidence, seq, work.as_of)
    }

    /// Decides on what is known so far, for whoever waits; nothing goes out on it.
    fn decide_for_now(&self, work: &mut Work) {
        self.look_at_facts(work);
        let keys = work.run.lookup_keys(&work.facts);
        // What is kept is not in the log, and this has to follow from the log alone.
        let open = plan::open_fields(&Situation { kept: &BTreeSet::new(), ..self.situation(work, &keys, work.as_of) });
        let decision = self.decision(work, &open, work.record.version);
        work.run.facts = work.facts.clone();
        let says_the_same = |last: &Decision| last.route == decision.route && last.score == decision.score;
        if !work.run.decision().is_some_and(says_the_same) {
            let said = self.observations(work);
            work.run.decide_for_now(decision, &said, self.config.deadlines.identity_window);
        }
    }

    async fn free_window(&self, work: &Work) -> Result<(), Retry> {
        if let (Some(identity), None) = (&work.identity, &work.run.paid_by) {
            self.store.free_window(identity, &work.run.id).await?;
        }
        Ok(())
    }
}
