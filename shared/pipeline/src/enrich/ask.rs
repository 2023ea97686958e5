//! One question to one provider: from the cache if it is there, else reserve, call, keep the reply, settle.

use domain::credits::{Charge, Periods, Reservation, ReservationId, ReservationState, Settlement, Trigger, bounds};
use domain::identity::KeyKind;
use domain::plan::{self, Ask, Call, CallOutcome, Operation, Skip};
use domain::reply::Reply;
use domain::schema::Entity;
use domain::signup::RunId;
use domain::units::{Credits, Millis, Timestamp};

use super::settle::{outcome_of, settlement_of};
use super::{CLOCK_SKEW, CLOSING_TIME, Enrich, LEASE, Work};
use crate::ports::{CacheKey, CachedReply, LookupRequest, Reserved, StoreError, Window};
use crate::work::Retry;

/// An answer and what it cost.
struct Answer {
    reply: Reply,
    cost: Credits,
    cached: bool,
}

/// Where the question ended.
enum Asked {
    Answered(Answer),
    NotMade(Skip),
    /// An earlier attempt is still out; nobody may ask before then.
    Wait(Timestamp),
    /// It was to be taken from the cache, which has it no more: whether it is worth paying for, the plan has to say.
    Gone,
}

/// What the log says of a question beside its end.
#[derive(Clone)]
struct LogLine {
    step: String,
    operation: String,
    key: Option<KeyKind>,
    at: Timestamp,
}

/// What is owed after a paid call: a step of the ledger, and the person counts as paid for.
pub(super) struct Owed {
    from: Reservation,
    to: Reservation,
}

impl Enrich {
    /// Asks once and logs how it ended; the moment to come back when an earlier attempt is still out.
    pub(super) async fn ask(&self, work: &mut Work, ask: Ask) -> Result<Option<Timestamp>, Retry> {
        let Some(operation) = self.config.catalogue.get(&ask.operation) else { return Ok(None) };
        let at = self.clock.now();
        let asked = self.answer(work, &ask, operation).await?;
        Ok(self.log(work, asked, LogLine { step: ask.step, operation: ask.operation, key: Some(ask.key.kind), at }))
    }

    /// Logs how a question ended; the moment to come back when it has not.
    fn log(&self, work: &mut Work, asked: Asked, line: LogLine) -> Option<Timestamp> {
        let now = self.clock.now();
        let (outcome, cost, cached) = match asked {
            Asked::Wait(until) => return Some(until),
            Asked::Gone => return None,
            Asked::NotMade(why) => (CallOutcome::NotMade { why }, Credits::ZERO, false),
            Asked::Answered(answer) => {
                let outcome = outcome_of(&answer.reply, now);
                if let Reply::Hit { observations } = answer.reply {
                    work.run.observations.extend(observations);
                }
                (outcome, answer.cost, answer.cached)
            }
        };
        let LogLine { step, operation, key, at } = line;
        work.run.calls.push(Call { step, operation, outcome, at, latency: now.since(at), cost, key, cached });
        None
    }

    /// Logs the one attempt that an earlier claimant may have reserved and not lived to log. It is a cost of this run (I8), also
    /// when the plan would not ask again because the cache or another run has the answer by now.
    pub(super) async fn look_back(&self, work: &mut Work) -> Result<Option<Timestamp>, Retry> {
        if work.lease.fence == 1 {
            return Ok(None);
        }
        let at = self.clock.now();
        for (step, operation) in self.paid_questions() {
            self.settle_as_logged(work, operation).await?;
            let attempt = plan::next_attempt(&work.run.calls, &operation.name);
            let id = ReservationId { run: work.run.id.clone(), operation: operation.name.clone(), attempt };
            let Some(earlier) = self.store.read_reservation(&id).await? else { continue };
            let key = CacheKey { operation: operation.name.clone(), hash: earlier.answer.clone() };
            let line = LogLine { step: step.to_owned(), operation: operation.name.clone(), key: None, at };
            let asked = self.answer_of_earlier(work, operation, &key, earlier).await?;
            if let Some(until) = self.log(work, asked, line.clone()) {
                return Ok(Some(until));
            }
            if let Some(kept) = self.kept(work, operation, &key).await? {
                let gift = Answer { reply: kept.reply, cost: Credits::ZERO, cached: true };
                self.log(work, Asked::Answered(gift), line);
            }
        }
        Ok(None)
    }

    /// Log and entry are written side by side. Where only the log was, the entry follows it, before a later attempt's reply takes
    /// the place of the one that the sweep would settle by; where the sweep was first, the log follows the entry.
    async fn settle_as_logged(&self, work: &mut Work, operation: &Operation) -> Result<(), Retry> {
        let attempt = plan::next_attempt(&work.run.calls, &operation.name) - 1;
        let is_made = |call: &&mut Call| call.operation == operation.name && !matches!(call.outcome, CallOutcome::NotMade { .. });
        let Some(call) = work.run.calls.iter_mut().rev().find(is_made) else { return Ok(()) };
        let id = ReservationId { run: work.run.id.clone(), operation: operation.name.clone(), attempt };
        let Some(entry) = self.store.read_reservation(&id).await? else { return Ok(()) };
        let next = match call.outcome {
            CallOutcome::Pending { until } => entry.pending(until),
            CallOutcome::TimedOut | CallOutcome::Failed { .. } if call.cost == entry.amount => entry.settled(Settlement::Unknown),
            _ => entry.settled(Settlement::Used(call.cost)),
        };
        let counted = match next {
            None => entry,
            Some(next) if self.store.move_on(&entry, &next).await? => next,
            Some(_) => self.store.read_reservation(&id).await?.unwrap_or(entry),
        };
        call.cost = counted.used();
        // The crash may have come before the person counted as paid for.
        Ok(self.close_window(work, counted.used()).await?)
    }

    fn paid_questions(&self) -> impl Iterator<Item = (&str, &Operation)> {
        let named = self.config.plan.steps.iter().flat_map(|step| step.providers.iter().map(move |name| (step.name.as_str(), name)));
        let known = named.filter_map(|(step, name)| Some((step, self.config.catalogue.get(name)?)));
        known.filter(|(_, operation)| !operation.price.is_free())
    }

    async fn answer(&self, work: &mut Work, ask: &Ask, operation: &Operation) -> Result<Asked, Retry> {
        let cache_key = self.cache_key(operation, &ask.key);
        if let Some(kept) = self.kept(work, operation, &cache_key).await? {
            return Ok(Asked::Answered(Answer { reply: kept.reply, cost: Credits::ZERO, cached: true }));
        }
        if work.kept.contains(&operation.name) {
            return Ok(Asked::Gone);
        }
        // What the last call owes is paid before the next one: a crash in between leaves one open entry, never two.
        self.pay(work).await?;
        if operation.price.is_free() {
            let (reply, saved) = self.call(work, ask).await;
            self.keep_free(work, &cache_key, operation, &reply);
            saved?;
            return Ok(Asked::Answered(Answer { reply, cost: Credits::ZERO, cached: false }));
        }
        self.answer_for_credits(work, ask, operation, &cache_key).await
    }

    async fn answer_for_credits(&self, work: &mut Work, ask: &Ask, operation: &Operation, key: &CacheKey) -> Result<Asked, Retry> {
        if let Some(other) = self.renew(work, ask.timeout).await? {
            work.run.paid_by = Some(other.clone());
            return Ok(Asked::NotMade(Skip::SameIdentity { run: other }));
        }
        let reservation = self.reservation(work, ask, operation, key);
        let bounds = bounds(&self.config.limits, reservation.amount, &reservation.charge, work.run.priority);
        match self.store.reserve(&work.lease, &reservation, &bounds).await? {
            Reserved::Refused(scope) => Ok(Asked::NotMade(Skip::Cap { scope })),
            Reserved::Before(earlier) => self.answer_of_earlier(work, operation, key, *earlier).await,
            Reserved::Reserved => {
                let Some(ask) = self.while_it_is_open(ask, &reservation) else { return self.give_back(work, reservation).await };
                // The reply is kept before anything else may fail: it is paid for.
                let (reply, saved) = self.call(work, &ask).await;
                let kept = self.keep_paid(key, operation, &reply, &reservation.id).await;
                let cost = self.owe(work, reservation, &reply, operation);
                if let Err(error) = kept {
                    tracing::warn!(run = %work.run.id, error = %error, "a paid reply could not be kept; this run goes on with it");
                }
                saved?;
                Ok(Asked::Answered(Answer { reply, cost, cached: false }))
            }
        }
    }

    /// The question with the time that is left of its reservation: the reserving itself may have taken long, and a call must not
    /// outlive the entry and the lease it was made under. `None` when nothing is left.
    fn while_it_is_open(&self, ask: &Ask, reservation: &Reservation) -> Option<Ask> {
        let left = reservation.open_until.before(CLOCK_SKEW).since(self.clock.now());
        (left > Millis(0)).then(|| Ask { timeout: ask.timeout.min(left), ..ask.clone() })
    }

    /// Nobody was called, so the entry gives everything back. Where the sweep was first, it counts, and so it stands in the log (I8).
    async fn give_back(&self, work: &mut Work, reservation: Reservation) -> Result<Asked, Retry> {
        if let Some(nothing) = reservation.settled(Settlement::Used(Credits::ZERO))
            && self.store.move_on(&reservation, &nothing).await?
        {
            return Ok(Asked::NotMade(Skip::NoTimeLeft));
        }
        let counted = self.store.read_reservation(&reservation.id).await?.unwrap_or(reservation);
        let cost = counted.used();
        work.owed = Some(Owed { from: counted.clone(), to: counted });
        Ok(Asked::Answered(Answer { reply: Reply::TimedOut, cost, cached: false }))
    }

    fn reservation(&self, work: &Work, ask: &Ask, operation: &Operation, key: &CacheKey) -> Reservation {
        let now = self.clock.now();
        Reservation {
            id: ReservationId { run: work.run.id.clone(), operation: operation.name.clone(), attempt: ask.attempt },
            amount: operation.dearest(),
            charge: Charge {
                provider: operation.provider.clone(),
                entity: Entity::of_class(operation.class),
                trigger: Trigger::Auto,
                rule: work.run.signup.arrival.as_str().to_owned(),
            },
            periods: Periods::of(now, &self.config.limits),
            answer: key.hash.clone(),
            open_until: now.after(ask.timeout).after(CLOCK_SKEW),
            state: ReservationState::Calling,
        }
    }

    /// Lease and hold outlive the call: nobody takes run or person over while a vendor may be billing for it. The run that took
    /// the person over when our own hold had ended before.
    async fn renew(&self, work: &mut Work, timeout: Millis) -> Result<Option<RunId>, Retry> {
        let ends = self.clock.now().after(timeout).after(CLOSING_TIME).after(CLOCK_SKEW);
        if ends <= work.lease.until {
            return Ok(None);
        }
        work.lease = self.store.renew_run(&work.lease, ends.after(LEASE)).await?;
        let Some(identity) = &work.identity else { return Ok(None) };
        Ok(match self.store.open_window(identity, &work.run.id, self.clock.now(), work.lease.until).await? {
            Window::Mine => None,
            Window::PaidBy(other) | Window::HeldBy { run: other, .. } => Some(other),
        })
    }

    /// This attempt was reserved before, by a claimant that crashed or was cut off: never call again, read what it left.
    /// A reply counts as its answer only if it names the reservation.
    async fn answer_of_earlier(
        &self,
        work: &mut Work,
        operation: &Operation,
        key: &CacheKey,
        earlier: Reservation,
    ) -> Result<Asked, Retry> {
        let kept = self.store.kept_reply(key).await?.filter(|kept| kept.reservation.as_ref() == Some(&earlier.id));
        let lost = || Reply::Failed { why: "an earlier attempt was settled and left no answer".to_owned() };
        let reply = match (&earlier.state, kept) {
            (ReservationState::OutcomeUnknown, None) => Reply::TimedOut,
            (_, Some(CachedReply { reply, .. })) => reply,
            (ReservationState::Settled { .. } | ReservationState::Refunded { .. }, None) => lost(),
            (ReservationState::Pending, None) => Reply::Pending { within: earlier.open_until.since(self.clock.now()) },
            (ReservationState::Calling, None) if earlier.open_until > self.clock.now() => return Ok(Asked::Wait(earlier.open_until)),
            (ReservationState::Calling, None) => Reply::TimedOut,
        };
        let cost = self.owe(work, earlier, &reply, operation);
        Ok(Asked::Answered(Answer { reply, cost, cached: false }))
    }

    /// Notes what a reply means for its reservation, to be paid with the next write; what the call costs.
    fn owe(&self, work: &mut Work, reservation: Reservation, reply: &Reply, operation: &Operation) -> Credits {
        let next = match reply {
            Reply::Pending { within } => reservation.pending(self.clock.now().after(*within)),
            _ => reservation.settled(settlement_of(reply, operation)),
        };
        // An entry that somebody else resolved costs what it says; the person still has to count as paid for.
        let to = next.unwrap_or_else(|| reservation.clone());
        let cost = to.used();
        work.owed = Some(Owed { from: reservation, to });
        cost
    }

    /// Settles what is owed and stores the log beside it, all at once: each can be done again.
    pub(super) async fn pay(&self, work: &mut Work) -> Result<(), Retry> {
        let Some(owed) = work.owed.take() else { return Ok(()) };
        let (settled, paid, saved) = tokio::join!(
            self.move_on(&owed),
            self.close_window(work, owed.to.used()),
            // What was paid for stands in the log before the record makes the same call unnecessary for a later claimant.
            self.store.save_run(&work.lease, &work.run),
        );
        paid?;
        saved?;
        if settled? {
            return Ok(());
        }
        self.log_what_was_counted(work, &owed.from.id).await
    }

    /// Somebody else, the sweep as a rule, has resolved the entry meanwhile: what it says counts, so the log says the same (I8).
    async fn log_what_was_counted(&self, work: &mut Work, id: &ReservationId) -> Result<(), Retry> {
        let Some(entry) = self.store.read_reservation(id).await? else { return Ok(()) };
        let is_made =
            |call: &&mut Call| call.operation == id.operation && !call.cached && !matches!(call.outcome, CallOutcome::NotMade { .. });
        let call = work.run.calls.iter_mut().rev().find(is_made);
        let Some(call) = call.filter(|call| call.cost != entry.used()) else { return Ok(()) };
        call.cost = entry.used();
        Ok(self.store.save_run(&work.lease, &work.run).await?)
    }

    /// False when somebody else has resolved the entry.
    async fn move_on(&self, owed: &Owed) -> Result<bool, StoreError> {
        if owed.from.state == owed.to.state {
            return Ok(true);
        }
        self.store.move_on(&owed.from, &owed.to).await
    }

    /// The person counts as paid for only when something was: a call that failed for free leaves the next one its chance.
    async fn close_window(&self, work: &Work, used: Credits) -> Result<(), StoreError> {
        if let (Some(identity), true) = (&work.identity, used > Credits::ZERO) {
            let until = self.clock.now().after(self.config.deadlines.identity_window);
            self.store.close_window_paid(identity, &work.run.id, until).await?;
        }
        Ok(())
    }

    /// Calls the provider. When the time of whoever waits runs out meanwhile, a provisional decision is stored
    /// for them and the call goes on: its answer is paid for and corrects the decision (S3-30).
    /// Whether the provisional decision could be stored comes beside the reply, which must not be lost over it.
    async fn call(&self, work: &mut Work, ask: &Ask) -> (Reply, Result<(), StoreError>) {
        let now = self.clock.now();
        let request = LookupRequest { operation: ask.operation.clone(), key: ask.key.clone(), now, timeout: ask.timeout };
        let call = tokio::time::timeout(ask.timeout.to_std(), self.provider.look_up(&request));
        tokio::pin!(call);
        let patience = Millis(work.run.answer_by.millis() - now.millis());
        let answered_already = work.run.decision().is_some();
        tokio::select! {
            biased;
            reply = &mut call => return (reply.unwrap_or(Reply::TimedOut), Ok(())),
            () = tokio::time::sleep(patience.to_std()), if !answered_already => {}
        }
        self.decide_for_now(work);
        let (saved, reply) = tokio::join!(self.store.save_run(&work.lease, &work.run), call);
        (reply.unwrap_or(Reply::TimedOut), saved)
    }
}
