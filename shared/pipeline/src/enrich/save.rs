//! The end of a run: what is owed is paid, the owner's turn taken, record and decision stored.

use domain::decision::Decision;
use domain::record::{Decided, Record};
use domain::route::{Track, owner_of_turn};

use super::{Enrich, Work};
use crate::ports::Saved;
use crate::work::Retry;

/// How often a record is read again after somebody else wrote it first.
const SAVE_TRIES: usize = 8;

impl Enrich {
    /// Decides from the record with everything merged in, and stores both; a lost race is read again and merged.
    pub(super) async fn decide_for_good(&self, work: &mut Work) -> Result<(), Retry> {
        self.look_at_facts(work);
        let wanted = self.wants_turn(work, self.decision(work, &[], 0).route.track);
        let noted = std::mem::take(&mut work.to_keep);
        let (turn, kept, paid) = tokio::join!(self.turn(wanted), self.keep_noted(&noted), self.pay(work));
        let mut turn = turn?;
        if let Err(error) = kept {
            tracing::warn!(run = %work.run.id, error = %error, "a free reply could not be kept; it is asked for again");
        }
        paid?;
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

    /// The owner the record has keeps it, also on a track without owners; else it is the next one's turn (DESIGN §6).
    /// A turn is taken once, however often the record has to be read again.
    async fn owner(&self, work: &Work, decision: &Decision, turn: &mut Option<Turn>) -> Result<Option<String>, Retry> {
        let track = decision.route.track;
        let Some(wanted) = self.wants_turn(work, track) else { return Ok(self.has_owner(work, track).map(str::to_owned)) };
        if turn.as_ref().is_none_or(|turn| turn.track != wanted) {
            *turn = self.turn(Some(wanted)).await?;
        }
        Ok(turn.as_ref().and_then(|turn| owner_of_turn(self.config.owners(track), turn.number)).map(str::to_owned))
    }

    /// The track on which it is the next owner's turn; `None` where the record has one, or nobody owns the track.
    fn wants_turn(&self, work: &Work, track: Track) -> Option<Track> {
        (self.has_owner(work, track).is_none() && !self.config.owners(track).is_empty()).then_some(track)
    }

    fn has_owner<'a>(&self, work: &'a Work, track: Track) -> Option<&'a str> {
        let pool = self.config.owners(track);
        work.record.owner().filter(|owner| pool.is_empty() || pool.iter().any(|member| member == owner))
    }

    async fn turn(&self, wanted: Option<Track>) -> Result<Option<Turn>, Retry> {
        let Some(track) = wanted else { return Ok(None) };
        let number = self.store.next_turn(track.as_str()).await?;
        Ok(Some(Turn { track, number }))
    }
}

/// A turn that was taken.
struct Turn {
    track: Track,
    number: u64,
}
