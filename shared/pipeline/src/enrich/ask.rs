//! One question to one provider: from the cache if it is there, else reserve, call, keep the reply, settle.

use domain::credits::{Charge, Entity, Periods, Reservation, ReservationId, ReservationState, Trigger, bounds};
use domain::plan::{Ask, Call, CallOutcome, Operation, Skip};
use domain::reply::Reply;
use domain::schema::is_channel;
use domain::units::{Credits, Millis, Timestamp};

use super::settle::{outcome_of, settlement_of};
use super::{CLOCK_SKEW, CLOSING_TIME, Enrich, LEASE, Work};
use crate::ports::{CacheKey, CachedReply, LookupRequest, Reserved, StoreError};
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
        let now = self.clock.now();
        let (outcome, cost, cached) = match asked {
            Asked::Wait(until) => return Ok(Some(until)),
            Asked::NotMade(why) => (CallOutcome::NotMade { why }, Credits::ZERO, false),
            Asked::Answered(answer) => {
                let outcome = outcome_of(&answer.reply, now);
                if let Reply::Hit { observations } = answer.reply {
                    work.run.observations.extend(observations);
                }
                (outcome, answer.cost, answer.cached)
            }
        };
        let (key, latency) = (Some(ask.key.kind), now.since(at));
        work.run.calls.push(Call { step: ask.step, operation: ask.operation, outcome, at, latency, cost, key, cached });
        Ok(None)
    }

    async fn answer(&self, work: &mut Work, ask: &Ask, operation: &Operation) -> Result<Asked, Retry> {
        let cache_key = self.cache_key(operation, &ask.key);
        if let Some(kept) = self.kept(work, operation, &cache_key).await? {
            return Ok(Asked::Answered(Answer { reply: kept.reply, cost: Credits::ZERO, cached: true }));
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
        self.renew(work, ask.timeout).await?;
        let reservation = self.reservation(work, ask, operation, key);
        let bounds = bounds(&self.config.limits, reservation.amount, &reservation.charge, work.run.priority);
        match self.store.reserve(&work.lease, &reservation, &bounds).await? {
            Reserved::Refused(scope) => Ok(Asked::NotMade(Skip::Cap { scope })),
            Reserved::Before(earlier) => self.answer_of_earlier(work, operation, key, *earlier).await,
            Reserved::Reserved => {
                // The reply is kept before anything else may fail: it is paid for.
                let (reply, saved) = self.call(work, ask).await;
                self.keep_paid(key, operation, &reply, &reservation.id).await?;
                let cost = self.owe(work, reservation, &reply, operation);
                saved?;
                Ok(Asked::Answered(Answer { reply, cost, cached: false }))
            }
        }
    }

    fn reservation(&self, work: &Work, ask: &Ask, operation: &Operation, key: &CacheKey) -> Reservation {
        let now = self.clock.now();
        Reservation {
            id: ReservationId { run: work.run.id.clone(), operation: operation.name.clone(), attempt: ask.attempt },
            amount: operation.price.worst_case(operation.supplies.iter().filter(|field| is_channel(field)).count()),
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

    /// The lease outlives the call: nobody takes the run over while a vendor may be billing for it.
    async fn renew(&self, work: &mut Work, timeout: Millis) -> Result<(), Retry> {
        let ends = self.clock.now().after(timeout).after(CLOSING_TIME).after(CLOCK_SKEW);
        if ends > work.lease.until {
            work.lease = self.store.renew_run(&work.lease, ends.after(LEASE)).await?;
        }
        Ok(())
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
        settled?;
        paid?;
        Ok(saved?)
    }

    async fn move_on(&self, owed: &Owed) -> Result<(), StoreError> {
        if owed.from.state == owed.to.state {
            return Ok(());
        }
        self.store.move_on(&owed.from, &owed.to).await.map(drop)
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
