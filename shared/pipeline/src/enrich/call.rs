//! Calls on their way, all of a turn at once.

use domain::credits::{Reservation, Settlement};
use domain::plan::{Ask, Operation, Skip};
use domain::reply::Reply;
use domain::signup::RunId;
use domain::units::{Credits, Millis};
use futures::future::join_all;

use super::ask::{Asked, End, LogLine, Prepared, Question, Told};
use super::{CLOCK_SKEW, Enrich, Work};
use crate::ports::{CacheKey, LookupRequest, Priced, StoreError};

impl Enrich {
    /// Makes the calls. When the time of whoever waits runs out meanwhile, a provisional decision is stored for them and the calls go
    /// on: their answers are paid for and correct the decision (S3-30).
    /// Whether the provisional decision could be stored comes beside the replies, which must not be lost over it.
    pub(super) async fn call_all<'a>(&self, work: &mut Work, questions: Vec<Question<'a>>) -> (Vec<Told<'a>>, Result<(), StoreError>) {
        let run = work.run.id.clone();
        let calls = join_all(questions.into_iter().map(|question| self.call(&run, question)));
        tokio::pin!(calls);
        let patience = Millis(work.run.answer_by.millis() - self.clock.now().millis());
        let answered_already = work.run.decision().is_some();
        tokio::select! {
            biased;
            told = &mut calls => return (told, Ok(())),
            () = tokio::time::sleep(patience.to_std()), if !answered_already => {}
        }
        self.decide_for_now(work);
        let (saved, told) = tokio::join!(self.store.save_run(&work.lease, &work.run), calls);
        (told, saved)
    }

    async fn call<'a>(&self, run: &RunId, question: Question<'a>) -> Told<'a> {
        let Question { ask, operation, at, prepared } = question;
        let line = LogLine { step: ask.step.clone(), operation: ask.operation.clone(), key: Some(ask.key.kind), at };
        let end = match prepared {
            Prepared::Ended(asked) => Ok(End::Known(asked)),
            Prepared::Told { reply, reservation } => Ok(End::Heard { reply, key: None, reservation: Some(reservation) }),
            Prepared::Out { key, reservation: None } => {
                Ok(End::Heard { reply: self.look_up(&ask).await, key: Some(key), reservation: None })
            }
            Prepared::Out { key, reservation: Some(reservation) } => self.call_for_credits(run, ask, operation, key, reservation).await,
        };
        Told { operation, line, at: self.clock.now(), end }
    }

    /// The reply is kept before anything else may fail: it is paid for.
    async fn call_for_credits(
        &self,
        run: &RunId,
        ask: Ask,
        operation: &Operation,
        key: CacheKey,
        reservation: Box<Reservation>,
    ) -> Result<End, StoreError> {
        let Some(ask) = self.while_it_is_open(ask, &reservation) else { return self.give_back(reservation).await };
        let reply = self.look_up(&ask).await;
        let turn = if ask.gather.is_some() { Some(self.desks.turn_to_write().await) } else { None };
        if let Err(error) = self.keep_paid(&key, operation, &reply, &reservation.id).await {
            tracing::warn!(run = %run, error = %error, "a paid reply could not be kept; this run goes on with it");
        }
        drop(turn);
        Ok(End::Heard { reply, key: None, reservation: Some(reservation) })
    }

    async fn look_up(&self, ask: &Ask) -> Priced {
        let now = self.clock.now();
        let request = LookupRequest { operation: ask.operation.clone(), key: ask.key.clone(), now, timeout: ask.timeout };
        let asking = async {
            match ask.gather {
                Some(gather) => self.provider.look_up_together(&request, gather).await,
                None => self.provider.look_up(&request).await.into(),
            }
        };
        tokio::time::timeout(ask.longest().to_std(), asking).await.unwrap_or(Reply::TimedOut.into())
    }

    /// The question with the time that is left of its reservation: the reserving itself may have taken long, and a call must not
    /// outlive the entry and the lease it was made under. `None` when nothing is left.
    fn while_it_is_open(&self, ask: Ask, reservation: &Reservation) -> Option<Ask> {
        let left = reservation.open_until.before(CLOCK_SKEW).since(self.clock.now());
        let timeout = ask.timeout.min(left);
        let gather = ask.gather.and_then(|gather| gather.within(Millis(left.0 - timeout.0)));
        (left > Millis(0)).then_some(Ask { timeout, gather, ..ask })
    }

    /// Nobody was called, so the entry gives everything back. Where the sweep was first, it counts, and so it stands in the log (I8).
    async fn give_back(&self, reservation: Box<Reservation>) -> Result<End, StoreError> {
        if let Some(nothing) = reservation.settled(Settlement::Used(Credits::ZERO))
            && self.store.move_on(&reservation, &nothing).await?
        {
            return Ok(End::Known(Asked::NotMade(Skip::NoTimeLeft)));
        }
        let counted = self.store.read_reservation(&reservation.id).await?.map_or(reservation, Box::new);
        Ok(End::Heard { reply: Reply::TimedOut.into(), key: None, reservation: Some(counted) })
    }
}
