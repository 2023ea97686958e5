//! What no signup waits for: reservations that nobody came back to, and thresholds of the month that were crossed.

use std::sync::Arc;

use domain::config::Config;
use domain::credits::{Reservation, ReservationId, Settlement, Threshold, crossed};
use domain::units::{Credits, Millis};

use crate::enrich::settle::settlement_of;
use crate::hold::HOLD;
use crate::ports::{CacheKey, Clock, Store, StoreError};

/// Clocks of two machines differ by at most this much; whoever still calls has resolved its reservation by then.
const MARGIN: Millis = Millis::seconds(30);
/// Resolving stops after this long: a store that answers slowly must not take the whole invocation with it.
const RESOLVING_TIME: Millis = Millis::seconds(30);
/// A tick resolves at most this many reservations; the next one goes on.
const MOST_AT_A_TIME: usize = 200;

/// Everything the use case needs.
#[derive(Clone)]
pub struct Sweep {
    /// The ledger, and the replies beside it.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The configuration.
    pub config: Arc<Config>,
}

/// What one tick did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Reservations settled from a reply that was kept.
    pub settled: usize,
    /// Reservations whose outcome nobody knows; all of each counts as used.
    pub unknown: usize,
    /// Reservations that could not be resolved now, and months that could not be read or marked; the next tick tries again.
    pub failed: usize,
    /// Whether there is more to do than one tick does.
    pub more: bool,
    /// Thresholds that were crossed since the last tick, to be told to somebody at once: nobody else will.
    pub crossed: Vec<Crossed>,
}

/// A threshold that a month has crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// The month, `2026-11`.
    pub month: String,
    /// Which one.
    pub threshold: Threshold,
    /// What the month has used.
    pub used: Credits,
    /// What that is compared with: the month's credits, or its budget.
    pub total: Credits,
}

impl Swept {
    /// Reservations that were resolved.
    #[must_use]
    pub const fn resolved(&self) -> usize {
        self.settled + self.unknown
    }

    /// Adds the tick after it, which meets again what failed in this one.
    pub fn add(&mut self, next: Self) {
        self.settled += next.settled;
        self.unknown += next.unknown;
        self.failed = next.failed;
        self.more = next.more;
        self.crossed.extend(next.crossed);
    }
}

impl Sweep {
    /// Notices what was crossed and resolves what is overdue. What cannot be done keeps nothing else from it, is logged and
    /// counted as failed: the next tick tries again.
    pub async fn tick(&self) -> Swept {
        let mut swept = Swept::default();
        // First: in a bad hour, when entries fail one after the other, the month's spending is what somebody has to hear of.
        self.notice_months(&mut swept).await;
        self.resolve_overdue(&mut swept).await;
        if swept.resolved() != 0 {
            self.notice_months(&mut swept).await;
        }
        swept
    }

    async fn resolve_overdue(&self, swept: &mut Swept) {
        let now = self.clock.now();
        let overdue = match self.store.overdue(now.before(MARGIN), MOST_AT_A_TIME).await {
            Ok(overdue) => overdue,
            Err(error) => {
                tracing::warn!(error = %error, "what is overdue could not be looked up");
                swept.failed += 1;
                return;
            }
        };
        swept.more = overdue.len() >= MOST_AT_A_TIME;
        for id in &overdue {
            if self.clock.now() > now.after(RESOLVING_TIME) {
                swept.more = true;
                return;
            }
            match self.resolve(id).await {
                Ok(Some(Settlement::Used(_))) => swept.settled += 1,
                Ok(Some(Settlement::Unknown)) => swept.unknown += 1,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(run = %id.run, operation = id.operation, error = %error, "a reservation could not be resolved");
                    swept.failed += 1;
                }
            }
        }
    }

    /// What yesterday's last minutes crossed may be another month's.
    async fn notice_months(&self, swept: &mut Swept) {
        let now = self.clock.now();
        let mut months = vec![now.before(Millis::days(1)).month(), now.month()];
        months.dedup();
        for month in months {
            if let Err(error) = self.notice_crossed(&month, &mut swept.crossed).await {
                tracing::warn!(month, error = %error, "a month's thresholds could not be looked at");
                swept.failed += 1;
            }
        }
    }

    /// How an entry was settled; `None` when somebody else has resolved it, or the index was behind.
    async fn resolve(&self, id: &ReservationId) -> Result<Option<Settlement>, StoreError> {
        let Some(entry) = self.store.read_reservation(id).await? else { return Ok(None) };
        if !entry.is_open() || entry.open_until > self.clock.now().before(MARGIN) {
            return Ok(None);
        }
        let settlement = self.settlement(&entry).await?;
        let Some(settled) = entry.settled(settlement) else { return Ok(None) };
        Ok(self.store.move_on(&entry, &settled).await?.then_some(settlement))
    }

    /// By the reply that was kept under this reservation; without one the provider may have billed.
    async fn settlement(&self, entry: &Reservation) -> Result<Settlement, StoreError> {
        // A hold calls nobody, so nothing was billed when its holder died.
        if entry.charge.provider == HOLD {
            return Ok(Settlement::Used(Credits::ZERO));
        }
        let key = CacheKey { operation: entry.id.operation.clone(), hash: entry.answer.clone() };
        let kept = self.store.kept_reply(&key).await?.filter(|kept| kept.reservation.as_ref() == Some(&entry.id));
        let operation = self.config.catalogue.get(&entry.id.operation);
        Ok(kept.zip(operation).map_or(Settlement::Unknown, |(kept, operation)| settlement_of(&kept.into_priced(), operation)))
    }

    /// Marks each threshold once a month; whoever marks it tells. A mark of which nobody knows whether it stands is told as well,
    /// and perhaps again by the next tick: better twice than never.
    async fn notice_crossed(&self, month: &str, told: &mut Vec<Crossed>) -> Result<(), StoreError> {
        let Some(balance) = self.store.balance(month).await? else { return Ok(()) };
        for threshold in crossed(&balance, &self.config.limits) {
            let marked = self.store.mark_crossed(month, threshold, self.clock.now()).await;
            if !matches!(marked, Ok(false)) {
                let total = threshold.whole(&balance, &self.config.limits);
                told.push(Crossed { month: month.to_owned(), threshold, used: balance.used, total });
            }
            marked?;
        }
        Ok(())
    }
}
