//! Questions to providers: from the cache where they are there, else reserve, call, keep the reply, settle.

use domain::credits::{Charge, Periods, Reservation, ReservationId, ReservationState, bounds};
use domain::identity::KeyKind;
use domain::plan::{Ask, Call, CallOutcome, Operation, Skip};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::schema::Entity;
use domain::signup::RunId;
use domain::units::{Credits, Millis, Timestamp};
use futures::future::try_join_all;

use super::earlier::Left;
use super::settle::{outcome_of, settlement_of};
use super::{CLOCK_SKEW, CLOSING_TIME, Enrich, LEASE, Work};
use crate::ports::{CacheKey, Priced, Reserved, StoreError, Window};
use crate::work::Retry;

/// Of calls that go out together the first waits so long for each reservation behind its own; the call keeps all of its time.
const RESERVING: Millis = Millis::seconds(1);

/// An answer and what it cost.
pub(super) struct Answer {
    pub(super) reply: Reply,
    pub(super) cost: Credits,
    pub(super) cached: bool,
}

/// Where a question ended.
pub(super) enum Asked {
    Answered(Answer),
    NotMade(Skip),
    /// An earlier attempt is still out; nobody may ask before then.
    Wait(Timestamp),
    /// It was to be taken from the cache, which has it no more: whether it is worth paying for, the plan has to say.
    Gone,
}

/// How far a question came without a call.
pub(super) enum Prepared {
    /// It needs none.
    Ended(Asked),
    /// An earlier attempt left this.
    Told { reply: Priced, reservation: Box<Reservation> },
    /// It goes out; a paid one under its reservation.
    Out { key: CacheKey, reservation: Option<Box<Reservation>> },
}

/// A question on its way.
pub(super) struct Question<'a> {
    pub(super) ask: Ask,
    pub(super) operation: &'a Operation,
    pub(super) at: Timestamp,
    pub(super) prepared: Prepared,
}

/// A question that came back.
pub(super) struct Told<'a> {
    pub(super) operation: &'a Operation,
    pub(super) line: LogLine,
    pub(super) at: Timestamp,
    pub(super) end: Result<End, StoreError>,
}

/// How a question came back.
pub(super) enum End {
    Known(Asked),
    Heard { reply: Priced, key: Option<CacheKey>, reservation: Option<Box<Reservation>> },
}

/// What the log says of a question beside its end.
#[derive(Clone)]
pub(super) struct LogLine {
    pub(super) step: String,
    pub(super) operation: String,
    pub(super) key: Option<KeyKind>,
    pub(super) at: Timestamp,
}

/// What is owed after a paid call: a step of the ledger, and the person counts as paid for.
pub(super) struct Owed {
    from: Reservation,
    to: Reservation,
}

impl Enrich {
    /// Asks all at once and logs how each ended; the moment to come back when an earlier attempt is still out. The calls are reserved
    /// one after the other, for transactions on one balance cancel each other; then they go out together (S4-38).
    pub(super) async fn ask(&self, work: &mut Work, asks: Vec<Ask>) -> Result<Option<Timestamp>, Retry> {
        let (mut questions, mut failed) = (Vec::new(), None);
        let count = asks.len();
        for (place, ask) in asks.into_iter().enumerate() {
            let Some(operation) = self.config.catalogue.get(&ask.operation) else { continue };
            let at = self.clock.now();
            let ask = if Self::is_in_a_hurry(work) { ask.at_once() } else { ask };
            let behind = i64::try_from(count - place - 1).unwrap_or(i64::MAX);
            let lasts = Millis(ask.longest().0.saturating_add(RESERVING.0.saturating_mul(behind)));
            match self.prepare(work, &ask, operation, lasts).await {
                Ok(prepared) => questions.push(Question { ask, operation, at, prepared }),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        // Whoever waits for others to fill a batch lets them begin.
        let gathers = questions.iter().any(|question| question.ask.gather.is_some());
        if gathers {
            work.desk.leave();
        }
        // What is reserved is called also when a later reservation failed: nobody else may call under it.
        let (told, saved) = self.call_all(work, questions).await;
        let mut wait = None;
        for told in told {
            match self.note(work, told) {
                Ok(until) => wait = wait.into_iter().chain(until).min(),
                Err(error) => failed = failed.or(Some(error.into())),
            }
        }
        if gathers {
            let paid = self.come_back(work).await;
            failed = failed.or(paid.err());
        }
        saved?;
        failed.map_or(Ok(wait), Err)
    }

    /// Pays before it waits for a place: the person counts as paid for at once, however long that takes.
    async fn come_back(&self, work: &mut Work) -> Result<(), Retry> {
        let turn = self.desks.turn_to_write().await;
        let paid = self.pay(work).await;
        drop(turn);
        work.desk = self.desks.come_back().await;
        paid
    }

    /// Whether somebody waits, or the queue is for those who do: then no call waits for others to fill a batch.
    fn is_in_a_hurry(work: &Work) -> bool {
        work.is_awaited || work.run.priority == Priority::Critical
    }

    /// Takes in what came back; the moment to come back for it when nothing has.
    fn note(&self, work: &mut Work, told: Told<'_>) -> Result<Option<Timestamp>, StoreError> {
        let Told { operation, line, at, end } = told;
        let asked = match end? {
            End::Known(asked) => asked,
            End::Heard { reply, key, reservation } => {
                if let (Some(key), None) = (&key, &reservation) {
                    self.keep_free(work, key, operation, &reply.reply);
                }
                let cost = reservation.map_or(Credits::ZERO, |reservation| self.owe(work, *reservation, &reply, operation));
                Asked::Answered(Answer { reply: reply.reply, cost, cached: false })
            }
        };
        Ok(log(work, asked, line, at))
    }

    /// `lasts` is how long it may be until the call has ended.
    async fn prepare(&self, work: &mut Work, ask: &Ask, operation: &Operation, lasts: Millis) -> Result<Prepared, Retry> {
        let key = self.cache_key(operation, &ask.key);
        if let Some(kept) = self.kept(work, operation, &key).await? {
            return Ok(Prepared::Ended(Asked::Answered(Answer { reply: kept.reply, cost: Credits::ZERO, cached: true })));
        }
        if work.kept.contains(&operation.name) {
            return Ok(Prepared::Ended(Asked::Gone));
        }
        // What the last calls owe is paid before the next ones: a crash in between leaves open what went out together, never more.
        self.pay(work).await?;
        if operation.price.is_free() && ask.gather.is_none() {
            return Ok(Prepared::Out { key, reservation: None });
        }
        if work.run.paid_by.is_none() {
            work.run.paid_by = self.renew(work, lasts).await?;
        }
        if operation.price.is_free() {
            return Ok(Prepared::Out { key, reservation: None });
        }
        // Found out now, or by a question that goes out together with this one.
        if let Some(other) = work.run.paid_by.clone() {
            return Ok(Prepared::Ended(Asked::NotMade(Skip::SameIdentity { run: other })));
        }
        let reservation = self.reservation(work, ask, operation, &key, lasts);
        let bounds = bounds(&self.config.limits, reservation.amount, &reservation.charge, work.run.priority);
        match self.store.reserve(&work.lease, &reservation, &bounds).await? {
            Reserved::Refused(scope) => Ok(Prepared::Ended(Asked::NotMade(Skip::Cap { scope }))),
            Reserved::Before(earlier) => Ok(match self.left_by_earlier(&key, &earlier).await? {
                Left::StillOut(until) => Prepared::Ended(Asked::Wait(until)),
                Left::Said(reply) => Prepared::Told { reply, reservation: earlier },
            }),
            Reserved::Reserved => Ok(Prepared::Out { key, reservation: Some(Box::new(reservation)) }),
        }
    }

    fn reservation(&self, work: &Work, ask: &Ask, operation: &Operation, key: &CacheKey, lasts: Millis) -> Reservation {
        let now = self.clock.now();
        Reservation {
            id: ReservationId { run: work.run.id.clone(), operation: operation.name.clone(), attempt: ask.attempt },
            amount: operation.dearest(),
            charge: Charge {
                provider: operation.provider.clone(),
                entity: Entity::of_class(operation.class),
                trigger: work.run.trigger,
                rule: work.run.signup.arrival.as_str().to_owned(),
            },
            periods: Periods::of(now, &self.config.limits),
            answer: key.hash.clone(),
            open_until: now.after(lasts).after(CLOCK_SKEW),
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

    /// Notes what a reply means for its reservation, to be paid with the next write; what the call costs.
    pub(super) fn owe(&self, work: &mut Work, reservation: Reservation, reply: &Priced, operation: &Operation) -> Credits {
        let next = match &reply.reply {
            Reply::Pending { within } => reservation.pending(self.clock.now().after(*within)),
            _ => reservation.settled(settlement_of(reply, operation)),
        };
        // An entry that somebody else resolved costs what it says; the person still has to count as paid for.
        let to = next.unwrap_or_else(|| reservation.clone());
        let cost = to.used();
        work.owed.push(Owed { from: reservation, to });
        cost
    }

    /// Settles what is owed and stores the log beside it, all at once: each can be done again.
    pub(super) async fn pay(&self, work: &mut Work) -> Result<(), Retry> {
        let owed = std::mem::take(&mut work.owed);
        if owed.is_empty() {
            return Ok(());
        }
        let used = owed.iter().fold(Credits::ZERO, |sum, owed| sum.plus(owed.to.used()));
        let (settled, paid, saved) = tokio::join!(
            try_join_all(owed.iter().map(|owed| self.move_on(owed))),
            self.close_window(work, used),
            // What was paid for stands in the log before the record makes the same call unnecessary for a later claimant.
            self.store.save_run(&work.lease, &work.run),
        );
        paid?;
        saved?;
        for (owed, is_settled) in owed.iter().zip(settled?) {
            if !is_settled {
                self.log_what_was_counted(work, &owed.from.id).await?;
            }
        }
        Ok(())
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
    pub(super) async fn close_window(&self, work: &Work, used: Credits) -> Result<(), StoreError> {
        // Who was looked up for certain fields alone may still be looked up.
        if let (Some(identity), true) = (&work.identity, used > Credits::ZERO && work.run.action.is_all_missing()) {
            let until = self.clock.now().after(self.config.deadlines.identity_window);
            self.store.close_window_paid(identity, &work.run.id, until).await?;
        }
        Ok(())
    }
}

/// Logs how a question ended at a moment; the moment to come back when it has not.
pub(super) fn log(work: &mut Work, asked: Asked, line: LogLine, ended: Timestamp) -> Option<Timestamp> {
    let (outcome, cost, cached) = match asked {
        Asked::Wait(until) => return Some(until),
        Asked::Gone => return None,
        Asked::NotMade(why) => (CallOutcome::NotMade { why }, Credits::ZERO, false),
        Asked::Answered(answer) => {
            let outcome = outcome_of(&answer.reply, ended);
            if let Reply::Hit { observations } = answer.reply {
                work.run.observations.extend(observations);
            }
            (outcome, answer.cost, answer.cached)
        }
    };
    let LogLine { step, operation, key, at } = line;
    work.run.calls.push(Call { step, operation, outcome, at, latency: ended.since(at), cost, key, cached });
    None
}
