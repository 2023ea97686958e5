//! Who owns a lead within its track: the owner it has, else whoever's turn it is (DESIGN §6).

use domain::config::Config;
use domain::record::Record;
use domain::route::{Track, owner_of_turn};

use crate::ports::Records;
use crate::work::Retry;

/// The owners of one lead, for as long as it is being decided: a turn is taken once, however often its record has to be read again.
pub(crate) struct Owners<'a> {
    records: &'a dyn Records,
    config: &'a Config,
    turn: Option<Turn>,
}

/// A turn that was taken.
struct Turn {
    track: Track,
    number: u64,
}

impl<'a> Owners<'a> {
    pub(crate) const fn new(records: &'a dyn Records, config: &'a Config) -> Self {
        Self { records, config, turn: None }
    }

    /// The owner the record has keeps it, also on a track without owners; else it is the next one's turn.
    pub(crate) async fn owner(&mut self, record: &Record, track: Track) -> Result<Option<String>, Retry> {
        let Some(wanted) = self.wants_turn(record, track) else { return Ok(self.has_owner(record, track).map(str::to_owned)) };
        if self.turn.as_ref().is_none_or(|turn| turn.track != wanted) {
            self.take(Some(wanted)).await?;
        }
        let turn = self.turn.as_ref();
        Ok(turn.and_then(|turn| owner_of_turn(self.config.owners(track), turn.number)).map(str::to_owned))
    }

    /// The track on which it is the next owner's turn; `None` where the record has one, or nobody owns the track.
    pub(crate) fn wants_turn(&self, record: &Record, track: Track) -> Option<Track> {
        (self.has_owner(record, track).is_none() && !self.config.owners(track).is_empty()).then_some(track)
    }

    /// Takes the turn that is wanted, if one is.
    pub(crate) async fn take(&mut self, wanted: Option<Track>) -> Result<(), Retry> {
        if let Some(track) = wanted {
            self.turn = Some(Turn { track, number: self.records.next_turn(track.as_str()).await? });
        }
        Ok(())
    }

    fn has_owner<'r>(&self, record: &'r Record, track: Track) -> Option<&'r str> {
        let pool = self.config.owners(track);
        record.owner().filter(|owner| pool.is_empty() || pool.iter().any(|member| member == owner))
    }
}
