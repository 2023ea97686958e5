//! What a claimant that crashed or was cut off left behind: reservations without an end, and replies that nobody logged.

use domain::credits::{Reservation, ReservationId, ReservationState, Settlement};
use domain::plan::{self, Call, CallOutcome, Operation};
use domain::reply::Reply;
use domain::units::{Credits, Timestamp};

use super::ask::{Answer, Asked, LogLine, log};
use super::{Enrich, Work};
use crate::ports::{CacheKey, Priced};
use crate::work::Retry;

/// What an earlier attempt left.
pub(super) enum Left {
    /// It may still be answered until then.
    StillOut(Timestamp),
    /// This counts as its reply.
    Said(Priced),
}

impl Enrich {
    /// Logs the attempt at each operation that an earlier claimant may have reserved and not lived to log. It is a cost of this run (I8), also
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
            let reply = match self.left_by_earlier(&key, &earlier).await? {
                Left::StillOut(until) => return Ok(Some(until)),
                Left::Said(reply) => reply,
            };
            let cost = self.owe(work, earlier, &reply, operation);
            log(work, Asked::Answered(Answer { reply: reply.reply, cost, cached: false }), line.clone(), self.clock.now());
            if let Some(kept) = self.kept(work, operation, &key).await? {
                let gift = Answer { reply: kept.reply, cost: Credits::ZERO, cached: true };
                log(work, Asked::Answered(gift), line, self.clock.now());
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

    /// This attempt was reserved before, by a claimant that crashed or was cut off: never call again, read what it left.
    /// A reply counts as its answer only if it names the reservation.
    pub(super) async fn left_by_earlier(&self, key: &CacheKey, earlier: &Reservation) -> Result<Left, Retry> {
        let kept = self.store.kept_reply(key).await?.filter(|kept| kept.reservation.as_ref() == Some(&earlier.id));
        let lost = || Reply::Failed { why: "an earlier attempt was settled and left no answer".to_owned() };
        let reply = match (&earlier.state, kept) {
            (_, Some(kept)) => return Ok(Left::Said(kept.into_priced())),
            (ReservationState::OutcomeUnknown, None) => Reply::TimedOut,
            (ReservationState::Settled { .. } | ReservationState::Refunded { .. }, None) => lost(),
            (ReservationState::Pending, None) => Reply::Pending { within: earlier.open_until.since(self.clock.now()) },
            (ReservationState::Calling, None) if earlier.open_until > self.clock.now() => return Ok(Left::StillOut(earlier.open_until)),
            (ReservationState::Calling, None) => Reply::TimedOut,
        };
        Ok(Left::Said(reply.into()))
    }
}
