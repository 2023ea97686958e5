//! The end of a run: what is owed is paid, the owner's turn taken, record and decision stored.

use domain::record::{Decided, Record};

use super::{Enrich, Work};
use crate::owners::Owners;
use crate::ports::Saved;
use crate::work::Retry;

/// How often a record is read again after somebody else wrote it first.
pub(crate) const SAVE_TRIES: usize = 8;

impl Enrich {
    /// Decides from the record with everything merged in, and stores both; a lost race is read again and merged.
    pub(super) async fn decide_for_good(&self, work: &mut Work) -> Result<(), Retry> {
        self.look_at_facts(work);
        let mut owners = Owners::new(&*self.store, &self.config);
        let wanted = owners.wants_turn(&work.record, self.decision(work, &[], 0).route.track);
        let noted = std::mem::take(&mut work.to_keep);
        let (turn, kept, paid) = tokio::join!(owners.take(wanted), self.keep_noted(&noted), self.pay(work));
        turn?;
        if let Err(error) = kept {
            tracing::warn!(run = %work.run.id, error = %error, "a free reply could not be kept; it is asked for again");
        }
        paid?;
        for _ in 0..SAVE_TRIES {
            self.look_at_facts(work);
            let mut decision = self.decision(work, &[], work.record.version + 1);
            decision.owner = owners.owner(&work.record, decision.route.track).await?;
            let record = Record {
                id: work.record.id.clone(),
                version: work.record.version + 1,
                observations: self.observations(work),
                decided: Some(Decided { run: work.run.id.clone(), decision: decision.clone(), config: self.config.hash.clone() }),
            };
            if self.store.save_record(&record, &work.aliases).await? == Saved::Stored {
                work.run.record = Some(record.id.clone());
                work.run.facts = work.facts.clone();
                work.run.decide_for_good(decision, &record.observations, self.config.deadlines.identity_window);
                work.record = record;
                return Ok(());
            }
            if let Some(newer) = self.store.find_record(&work.aliases).await? {
                work.record = newer;
            }
        }
        Err(Retry(format!("the record was written by others {SAVE_TRIES} times in a row")))
    }
}
