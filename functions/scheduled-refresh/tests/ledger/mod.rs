//! What claimants leave behind in the ledger.

use domain::credits::{Bounds, Charge, Periods, Reservation, ReservationId, ReservationState, Settlement, Tariff, Trigger};
use domain::priority::Priority;
use domain::reply::Reply;
use domain::run::Run;
use domain::schema::Entity;
use domain::signup::{RunId, Signup};
use domain::units::{Credits, Millis, Timestamp};
use pipeline::ports::{CacheKey, CachedReply, Claim, ClaimRequest, Reserved, Store};

/// As in `config/millrace.yaml`.
pub(crate) const ALLOCATION: Credits = Credits::whole(10_000);
const OPERATION: &str = "crustdata.company";

pub(crate) fn run_id(nth: usize) -> RunId {
    RunId::parse(&format!("{nth:A>43}")).unwrap()
}

/// A claimant reserves credits, which are open until then, and is never seen again.
pub(crate) async fn leave_open(store: &dyn Store, nth: usize, amount: i64, open_until: Timestamp) -> Reservation {
    let (now, amount) = (open_until.before(Millis::seconds(9)), Credits::whole(amount));
    let signup = Signup { issuer: "signup".into(), delivery: nth.to_string(), ..Signup::default() };
    let run = Run::begin(run_id(nth), signup, Priority::High, now, "");
    let request = ClaimRequest { run, payload_hash: "p".into(), nonce: "crashed".into(), now, lease_until: now.after(Millis::seconds(1)) };
    let Claim::Mine(lease, run) = store.claim_run(&request).await.unwrap() else { panic!("run {nth} is taken") };
    let reservation = Reservation {
        id: ReservationId { run: run.id, operation: OPERATION.into(), attempt: 1 },
        amount,
        charge: Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() },
        periods: Periods { month: now.month(), week: None, day: now.day() },
        answer: format!("answer-{nth}"),
        open_until,
        state: ReservationState::Calling,
    };
    let bounds = Bounds { allocation: ALLOCATION, available: amount, day: None, week: None, provider: None, rule: None };
    assert_eq!(store.reserve(&lease, &reservation, &bounds).await.unwrap(), Reserved::Reserved);
    reservation
}

/// Keeps "no match" as the reply that a reservation paid for.
pub(crate) async fn keep_no_match(store: &dyn Store, reservation: &Reservation) {
    let key = CacheKey { operation: OPERATION.into(), hash: reservation.answer.clone() };
    let at = reservation.open_until;
    let kept = CachedReply {
        reply: Reply::NoMatch,
        fetched_at: at,
        fresh_until: at,
        reservation: Some(reservation.id.clone()),
        tariff: Tariff::Single,
    };
    store.keep_reply(&key, &kept).await.unwrap();
}

/// Uses credits at once.
pub(crate) async fn spend(store: &dyn Store, nth: usize, amount: i64, now: Timestamp) {
    let entry = leave_open(store, nth, amount, now).await;
    let settled = entry.settled(Settlement::Used(entry.amount)).unwrap();
    assert!(store.move_on(&entry, &settled).await.unwrap());
}

/// Reserved and used credits of a month, which has to add up.
pub(crate) async fn counted(store: &dyn Store, month: &str) -> (Credits, Credits) {
    let balance = store.balance(month).await.unwrap().unwrap();
    assert!(balance.adds_up(), "I1: {balance:?}");
    (balance.reserved, balance.used)
}

pub(crate) async fn state_of(store: &dyn Store, reservation: &Reservation) -> ReservationState {
    store.read_reservation(&reservation.id).await.unwrap().unwrap().state
}
