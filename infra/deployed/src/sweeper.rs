//! A claimant that never came back: its reservation is resolved by a tick, and the credits count as used.

use anyhow::{Context as _, Result, bail, ensure};
use domain::credits::{Charge, Periods, Reservation, ReservationId, ReservationState, Trigger, bounds};
use domain::priority::Priority;
use domain::run::Run;
use domain::schema::Entity;
use domain::signup::{RunId, Signup};
use domain::units::{Credits, Millis};
use pipeline::ports::{Claim, ClaimRequest, Clock as _, Ledger as _, Reserved, Runs as _};
use platform::SystemClock;
use serde_json::Value;

use crate::aws::AwsApi;
use crate::stack::{NAME, Stack};

const FUNCTION: &str = "ScheduledRefreshFunction";
/// What the schedule sends.
const TICK: &str = include_str!("../../../events/scheduled-refresh.tick.json");

/// Leaves a reservation open past its time and ticks as the schedule would.
pub(crate) async fn check(root: &std::path::Path, stack: &Stack, aws: &AwsApi) -> Result<()> {
    let left = leave_open(root, stack).await?;
    let tick: Value = serde_json::from_str(&TICK.replace("$NOW", &SystemClock.now().to_string()))?;
    aws.invoke(&aws.physical_name(NAME, FUNCTION).await?, &tick).await?;
    let entry = stack.store.read_reservation(&left.id).await?.context("the reservation is gone")?;
    ensure!(entry.state == ReservationState::OutcomeUnknown, "the tick left the reservation {:?}", entry.state);
    let balance = stack.store.balance(&left.periods.month).await?.context("the month is gone")?;
    ensure!(balance.adds_up() && balance.reserved == Credits::ZERO, "the month does not add up: {balance:?}");
    Ok(())
}

/// What a claimant leaves behind that dies during its call.
async fn leave_open(root: &std::path::Path, stack: &Stack) -> Result<Reservation> {
    let limits = local::stack::config(&root.join("config"))?.limits;
    let (now, amount) = (SystemClock.now().before(Millis::minutes(2)), Credits::whole(2));
    let id = RunId::parse(&"L".repeat(43)).context("a run's name")?;
    let signup = Signup { issuer: "signup".into(), delivery: "lost".into(), ..Signup::default() };
    let run = Run::begin(id, signup, Priority::High, now, "");
    let request = ClaimRequest { run, payload_hash: "lost".into(), nonce: "lost".into(), now, lease_until: now.after(Millis::seconds(1)) };
    let Claim::Mine(lease, run) = stack.store.claim_run(&request).await? else { bail!("the run is taken") };
    let reservation = Reservation {
        id: ReservationId { run: run.id, operation: "crustdata.company".into(), attempt: 1 },
        amount,
        charge: Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() },
        periods: Periods::of(now, &limits),
        answer: "lost".into(),
        open_until: now.after(Millis::seconds(9)),
        state: ReservationState::Calling,
    };
    let bounds = bounds(&limits, amount, &reservation.charge, Priority::Critical);
    let reserved = stack.store.reserve(&lease, &reservation, &bounds).await?;
    ensure!(reserved == Reserved::Reserved, "the reservation was answered with {reserved:?}");
    Ok(reservation)
}
