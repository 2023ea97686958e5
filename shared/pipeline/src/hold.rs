//! Credits set aside outside any signup: an entry of the ledger like every other, released the same way.

use domain::config::Config;
use domain::credits::{Charge, Periods, Reservation, ReservationId, ReservationState, Settlement, Trigger, bounds};
use domain::identity::HashKey;
use domain::priority::Priority;
use domain::run::Run;
use domain::schema::Entity;
use domain::signup::Signup;
use domain::units::{Credits, Millis, Timestamp};

use crate::ports::{Claim, ClaimRequest, Ledger, Reserved, Store, StoreError};

/// How long a hold stands when nobody releases it.
const HOLD_FOR: Millis = Millis::minutes(10);
/// The name under which a hold stands where others name provider, operation and rule.
pub(crate) const HOLD: &str = "hold";

/// Sets aside everything that is left of the day's cap, so that only Critical goes on (S0-77).
///
/// # Errors
/// Passes on what the store says. `None` when there is no day's cap, or nothing is left of it.
pub async fn hold_the_day(store: &dyn Store, config: &Config, key: &HashKey, now: Timestamp) -> Result<Option<Reservation>, StoreError> {
    let Some(cap) = config.limits.day else { return Ok(None) };
    let periods = Periods::of(now, &config.limits);
    let taken = store.usage(&periods.month).await?.get(&periods.day).map(|day| day.taken).unwrap_or_default();
    let left = cap.minus(taken);
    if left <= Credits::ZERO {
        return Ok(None);
    }
    let run = run_of_hold(config, key, now);
    let until = now.after(HOLD_FOR);
    let request = ClaimRequest { payload_hash: String::new(), nonce: run.id.to_string(), now, lease_until: until, run };
    let Claim::Mine(lease, run) = store.claim_run(&request).await? else { return Ok(None) };
    let charge = Charge { provider: HOLD.to_owned(), entity: Entity::Lead, trigger: Trigger::Manual, rule: HOLD.to_owned() };
    let bounds = bounds(&config.limits, left, &charge, Priority::Critical);
    let reservation = Reservation {
        id: ReservationId { run: run.id, operation: HOLD.to_owned(), attempt: 1 },
        amount: left,
        charge,
        periods,
        answer: String::new(),
        open_until: until,
        state: ReservationState::Calling,
    };
    let reserved = store.reserve(&lease, &reservation, &bounds).await?;
    Ok((reserved == Reserved::Reserved).then_some(reservation))
}

/// Gives a hold back.
///
/// # Errors
/// Passes on what the store says.
pub async fn release(ledger: &dyn Ledger, hold: &Reservation) -> Result<(), StoreError> {
    let Some(released) = hold.settled(Settlement::Used(Credits::ZERO)) else { return Ok(()) };
    ledger.move_on(hold, &released).await.map(drop)
}

fn run_of_hold(config: &Config, key: &HashKey, now: Timestamp) -> Run {
    let signup = Signup { issuer: HOLD.to_owned(), delivery: now.to_string(), occurred_at: now, ..Signup::default() };
    Run::begin(signup.run_id(key), signup, Priority::Critical, now, &config.hash)
}
