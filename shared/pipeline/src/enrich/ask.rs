//! One question to one provider: from the cache if it is there, else reserve, call, keep the reply, settle.

use domain::credits::{Reservation, ReservationId, ReservationState, Settlement, bounds};
use domain::identity::LookupKey;
use domain::plan::{Ask, Call, CallOutcome, Operation, Skip};
use domain::reply::Reply;
use domain::schema::FieldClass;
use domain::units::{Credits, Millis, Timestamp};

use super::settle::{answer_life, outcome_of, settlement_of};
use super::{CLOCK_SKEW, Enrich, Work};
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

impl Enrich {
    /// Asks once and logs how it ended; the moment to come back when an earlier attempt is still out.
    pub(super) async fn ask(&self, work: &mut Work, ask: Ask) -> Result<Option<Timestamp>, Retry> {
        let Some(operation) = self.config.catalogue.get(&ask.operation) else { return Ok(None) };
        let at = self.clock.now();
        let asked = self.answer(work, &ask, operation).await?;
        let (outcome, cost, cached) = match asked {
            Asked::Wait(until) => return Ok(Some(until)),
            Asked::NotMade(why) => (CallOutcome::NotMade { why }, Credits::ZERO, false),
            Asked::Answered(answer) => {
                let outcome = outcome_of(&answer.reply, self.clock.now());
                if let Reply::Hit { observations } = answer.reply {
                    work.run.observations.extend(observations);
                }
                (outcome, answer.cost, answer.cached)
            }
        };
        let latency = self.clock.now().since(at);
        work.run.calls.push(Call { step: ask.step, operation: ask.operation, outcome, at, latency, cost, key: Some(ask.key.kind), cached });
        Ok(None)
    }

    async fn answer(&self, work: &mut Work, ask: &Ask, operation: &Operation) -> Result<Asked, Retry> {
        let cache_key = self.cache_key(operation, &ask.key);
        if is_kept(operation) {
            let kept = self.store.kept_reply(&cache_key).await?;
            // A reply that this very run was paying for when it was cut off is no gift of the cache: its reservation says more.
            let is_gift = |kept: &CachedReply| kept.reservation.as_ref().is_none_or(|paid| paid.run != work.run.id);
            if let Some(kept) = kept.filter(|kept| kept.fresh_until > self.clock.now() && is_gift(kept)) {
                return Ok(Asked::Answered(Answer { reply: kept.reply, cost: Credits::ZERO, cached: true }));
            }
        }
        if operation.price.is_free() {
            let (reply, saved) = self.call(work, ask).await;
            self.keep(&cache_key, operation, &reply, None).await?;
            saved?;
            return Ok(Asked::Answered(Answer { reply, cost: Credits::ZERO, cached: false }));
        }
        self.answer_for_credits(work, ask, operation, &cache_key).await
    }

    async fn answer_for_credits(&self, work: &mut Work, ask: &Ask, operation: &Operation, cache_key: &CacheKey) -> Result<Asked, Retry> {
        let now = self.clock.now();
        let amount = operation.price.worst_case(operation.supplies.iter().filter(|field| domain::schema::is_channel(field)).count());
        let bounds = bounds(&self.config.limits, amount, &operation.provider, work.run.priority, now);
        let reservation = Reservation {
            id: ReservationId { run: work.run.id.clone(), operation: operation.name.clone(), attempt: ask.attempt },
            amount,
            counters: bounds.iter().map(|bound| bound.counter.clone()).collect(),
            open_until: now.after(ask.timeout).after(CLOCK_SKEW),
            state: ReservationState::Calling,
        };
        match self.store.reserve(&work.lease, &reservation, &bounds).await? {
            Reserved::Refused(scope) => Ok(Asked::NotMade(Skip::Cap { scope })),
            Reserved::Before(earlier) => self.answer_of_earlier(work, operation, cache_key, &earlier).await,
            Reserved::Reserved => {
                // The reply is kept and settled before anything else may fail: it is paid for.
                let (reply, saved) = self.call(work, ask).await;
                self.keep(cache_key, operation, &reply, Some(&reservation.id)).await?;
                let settlement = settlement_of(&reply, operation);
                self.settle(work, &reservation, settlement).await?;
                saved?;
                Ok(Asked::Answered(Answer { reply, cost: settlement.used_of(amount), cached: false }))
            }
        }
    }

    /// This attempt was reserved before, by a claimant that crashed or was cut off: never call again, read what it left.
    /// A reply counts as its answer only if it names the reservation.
    async fn answer_of_earlier(&self, work: &Work, operation: &Operation, key: &CacheKey, earlier: &Reservation) -> Result<Asked, Retry> {
        let kept = self.store.kept_reply(key).await?.filter(|kept| kept.reservation.as_ref() == Some(&earlier.id));
        let answered = |reply: Reply, cost: Credits| Ok(Asked::Answered(Answer { reply, cost, cached: false }));
        match (&earlier.state, kept) {
            (ReservationState::Calling, Some(kept)) => {
                let settlement = settlement_of(&kept.reply, operation);
                self.settle(work, earlier, settlement).await?;
                answered(kept.reply, settlement.used_of(earlier.amount))
            }
            (ReservationState::Calling, None) if earlier.open_until > self.clock.now() => Ok(Asked::Wait(earlier.open_until)),
            (ReservationState::Calling, None) => {
                self.settle(work, earlier, Settlement::Unknown).await?;
                answered(Reply::TimedOut, earlier.amount)
            }
            (ReservationState::Settled { used }, kept) => {
                self.close_window(work, *used).await?;
                let lost = || Reply::Failed { why: "an earlier attempt was settled and left no answer".to_owned() };
                answered(kept.map_or_else(lost, |kept| kept.reply), *used)
            }
            (ReservationState::OutcomeUnknown, _) => {
                self.close_window(work, earlier.amount).await?;
                answered(Reply::TimedOut, earlier.amount)
            }
        }
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

    async fn settle(&self, work: &Work, reservation: &Reservation, settlement: Settlement) -> Result<(), Retry> {
        self.store.settle(reservation, settlement).await?;
        self.close_window(work, settlement.used_of(reservation.amount)).await
    }

    /// The person counts as paid for only when something was: a call that failed for free leaves the next one its chance.
    async fn close_window(&self, work: &Work, used: Credits) -> Result<(), Retry> {
        if let (Some(identity), true) = (&work.identity, used > Credits::ZERO) {
            let until = self.clock.now().after(self.config.deadlines.identity_window);
            self.store.close_window_paid(identity, &work.run.id, until).await?;
        }
        Ok(())
    }

    async fn keep(&self, key: &CacheKey, operation: &Operation, reply: &Reply, paid: Option<&ReservationId>) -> Result<(), Retry> {
        if !is_kept(operation) || !reply.is_answer() {
            return Ok(());
        }
        let now = self.clock.now();
        let life = answer_life(&self.config.freshness, operation.class, reply);
        let kept = CachedReply { reply: reply.clone(), fetched_at: now, fresh_until: now.after(life), reservation: paid.cloned() };
        self.store.keep_reply(key, &kept).await?;
        Ok(())
    }

    fn cache_key(&self, operation: &Operation, key: &LookupKey) -> CacheKey {
        CacheKey { operation: operation.name.clone(), hash: self.key.hash(&["cache", key.kind.as_str(), &key.value]) }
    }
}

/// Free checks of the moment cost less than a look into the cache.
fn is_kept(operation: &Operation) -> bool {
    !(operation.price.is_free() && operation.class == FieldClass::Check)
}
