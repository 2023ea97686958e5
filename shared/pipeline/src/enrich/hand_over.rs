//! What goes out of a run: the decided lead to the CRM's queue, copies of messages, refreshes, and what can never be worked on.

use domain::credits::Trigger;
use domain::gate::Verdict;
use domain::plan;
use domain::priority::Priority;
use domain::record::Record;
use domain::run::Run;
use domain::signup::RunId;
use domain::units::{Millis, Timestamp};

use super::Enrich;
use crate::dead_letters::OTHER_SIGNUP;
use crate::messages::{LookupMessage, to_body};
use crate::ports::{Lease, Poison};
use crate::work::{Retry, Worked, put_aside};
use crate::write_back::hand_to_crm;

/// After so many delayed copies without an end something is wrong, and the message is left to the dead-letter queue.
const COPIES_MAX: u32 = 1000;
impl Enrich {
    /// Sends the decided lead on; what the gate holds goes nowhere.
    pub(super) async fn hand_over(&self, lease: &Lease, run: Box<Run>) -> Result<Worked, Retry> {
        let Some(decision) = run.decision() else { return Err(Retry("a decided run without a decision".to_owned())) };
        if self.refresh_of(&run).is_some() {
            self.refresh_in_background(&run).await?;
        }
        if let Some(record) = &run.record {
            hand_to_crm(&*self.queue, &self.config, decision, record, &run.id).await?;
        }
        self.store.finish_run(lease).await?;
        Ok(Worked::Finished { run })
    }

    /// The run that is to ask in the background what this one got by without; what the gate holds is not looked up (S3-55).
    pub(super) fn refresh_of(&self, run: &Run) -> Option<RunId> {
        let was_left_out = |call: &plan::Call| call.outcome == (plan::CallOutcome::NotMade { why: plan::Skip::CachedOnly });
        let passes = run.decision().is_some_and(|decision| decision.gate.verdict == Verdict::Pass);
        let is_due = passes && run.paid_by.is_none() && run.calls.iter().any(was_left_out);
        is_due.then(|| run.signup.for_refresh().run_id(&self.key))
    }

    /// What a signup that got by with what is kept was not asked, is asked when nobody is in a hurry (S3-55). The refresh is a
    /// delivery of its own, so that sending it twice starts one run.
    async fn refresh_in_background(&self, run: &Run) -> Result<(), Retry> {
        let message = LookupMessage {
            signup: run.signup.for_refresh(),
            priority: Priority::Low,
            trigger: Trigger::Scheduled,
            action: run.action.clone(),
            accepted_at: self.clock.now(),
            answer_by: None,
            copies: 0,
        };
        Ok(self.queue.send(message.queue(), &to_body(&message)?, Millis(0)).await?)
    }

    /// A claimant that lost its lease may have stored its decision on the record after another one had handed the run over.
    /// The message that it left comes again, and what it decided last is handed over as well: the CRM gets the newest decision.
    pub(super) async fn hand_over_late(&self, run: &Run, record: Option<Record>) -> Result<(), Retry> {
        let Some(Record { id, decided: Some(decided), .. }) = record else { return Ok(()) };
        let is_late = decided.run == run.id && run.decision().is_some_and(|handed_over| handed_over.seq < decided.decision.seq);
        if is_late {
            hand_to_crm(&*self.queue, &self.config, &decided.decision, &id, &run.id).await?;
        }
        Ok(())
    }

    /// A live copy goes into the queue first; only then the message may be deleted.
    pub(super) async fn park_message(&self, message: &LookupMessage, until: Timestamp, why: &'static str) -> Result<Worked, Retry> {
        if message.copies >= COPIES_MAX {
            return Err(Retry(format!("{why}, and {COPIES_MAX} delayed copies came to no end")));
        }
        let copy = LookupMessage { copies: message.copies + 1, ..message.clone() };
        let delay = until.since(self.clock.now());
        self.queue.send(copy.queue(), &to_body(&copy)?, delay).await?;
        Ok(Worked::Parked { run: message.signup.run_id(&self.key), until, why })
    }

    pub(super) async fn poison(&self, message: &LookupMessage, run: &Run) -> Result<Worked, Retry> {
        let poison = Poison {
            id: self.entropy.name(),
            queue: message.queue().as_str().to_owned(),
            why: format!("{OTHER_SIGNUP}{}; the first one stands", run.id),
            body: to_body(message)?,
            at: self.clock.now(),
        };
        put_aside(&*self.store, poison).await
    }
}
