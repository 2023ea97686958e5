//! What a reply means for the ledger, the cache and the log.

use domain::credits::{Settlement, Tariff};
use domain::freshness::Freshness;
use domain::plan::{CallOutcome, Operation};
use domain::reply::Reply;
use domain::schema::{FieldClass, is_channel};
use domain::units::{Credits, Millis, Timestamp};

use crate::ports::Priced;

/// What the vendor bills for a reply. Where it may have billed and nobody can tell, all of it counts as used.
pub(crate) fn settlement_of(priced: &Priced, operation: &Operation) -> Settlement {
    // Whoever shares an entry of the vendor's bill owes nothing for it, also when nobody knows what it was.
    if priced.tariff == Tariff::Shared {
        return Settlement::Used(Credits::ZERO);
    }
    let price = operation.price_at(priced.tariff);
    match &priced.reply {
        Reply::Hit { observations } => {
            let channels = observations.iter().filter(|observation| is_channel(&observation.field)).count();
            Settlement::Used(price.actual(true, channels))
        }
        Reply::NoMatch | Reply::Failed { .. } => Settlement::Used(price.actual(false, 0)),
        Reply::NotSent { .. } | Reply::RateLimited { .. } | Reply::OutOfCredits | Reply::AuthFailed => Settlement::Used(Credits::ZERO),
        Reply::Unreadable { .. } | Reply::TimedOut | Reply::Pending { .. } => Settlement::Unknown,
    }
}

/// The line in the run's log.
pub(super) fn outcome_of(reply: &Reply, now: Timestamp) -> CallOutcome {
    match reply {
        Reply::Hit { observations } => {
            let mut fields: Vec<_> = observations.iter().map(|observation| observation.field.clone()).collect();
            fields.sort();
            fields.dedup();
            CallOutcome::Hit { fields }
        }
        Reply::NoMatch => CallOutcome::NoMatch,
        Reply::RateLimited { retry_after } => CallOutcome::RateLimited { retry_at: now.after(*retry_after) },
        Reply::Pending { within } => CallOutcome::Pending { until: now.after(*within) },
        Reply::TimedOut => CallOutcome::TimedOut,
        Reply::Failed { why } | Reply::NotSent { why } | Reply::Unreadable { why } => CallOutcome::Failed { why: why.clone() },
        Reply::AuthFailed => CallOutcome::AuthFailed,
        Reply::OutOfCredits => CallOutcome::OutOfCredits,
    }
}

/// How long an answer is believed.
pub(super) fn answer_life(freshness: &Freshness, class: FieldClass, reply: &Reply) -> Millis {
    if *reply == Reply::NoMatch { freshness.no_match } else { freshness.of(class) }
}
