use std::sync::Arc;

use domain::credits::{
    Adjustment, Balance, Bounds, CapScope, Charge, Periods, Reservation, ReservationId, ReservationState, Settlement, Tariff, Threshold,
    Trigger,
};
use domain::observation::{Basis, Observation};
use domain::reply::Reply;
use domain::schema::Entity;
use domain::schema::Field;
use domain::units::{BasisPoints, Credits, Millis, Timestamp};
use domain::value::Value;

use super::{LEASE, START, run_id, take};
use crate::ports::{Adjusted, CacheKey, CachedReply, Lease, Ledger, Reserved, Store, StoreError};

const MONTH: &str = "2026-11";
const DAY: &str = "2026-11-20";
const WEEK: &str = "2026-W47";

/// Reservations, settlements and caps (RELIABILITY §1, I1 to I3, I7).
pub async fn ledger_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    let fresh = &fresh;
    a_reservation_counts_in_all_its_periods(&*fresh().await).await;
    each_cap_refuses_and_leaves_every_counter_as_it_was(&*fresh().await).await;
    a_first_call_above_its_cap_is_refused_and_one_that_just_fits_is_not(fresh).await;
    critical_passes_every_cap_and_never_the_allocation(&*fresh().await).await;
    the_same_attempt_is_reserved_once(&*fresh().await).await;
    a_settlement_releases_the_rest_and_happens_once(&*fresh().await).await;
    an_unknown_outcome_counts_as_used_until_it_is_refunded_once(&*fresh().await).await;
    a_pending_entry_waits_for_its_own_deadline(&*fresh().await).await;
    i7_usage_adds_up_by_provider_entity_trigger_and_rule(&*fresh().await).await;
    a_settlement_counts_in_the_month_of_its_reservation(&*fresh().await).await;
    an_allocation_that_was_changed_counts_at_once(&*fresh().await).await;
    an_overdraft_that_is_drawn_on_does_not_stop_a_higher_allocation(&*fresh().await).await;
    an_adjustment_counts_once(&*fresh().await).await;
    only_open_entries_are_overdue_and_the_oldest_comes_first(&*fresh().await).await;
    x_10_a_threshold_is_marked_once_a_month(&*fresh().await).await;
    a_zombie_reserves_nothing(&*fresh().await).await;
    sixty_four_racers_never_pass_the_cap(fresh().await).await;
}

fn charge() -> Charge {
    Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() }
}

fn reservation(attempt: u32) -> Reservation {
    Reservation {
        id: ReservationId { run: run_id('a'), operation: "crustdata.company".into(), attempt },
        amount: Credits::whole(2),
        charge: charge(),
        periods: Periods { month: MONTH.into(), week: Some(WEEK.into()), day: DAY.into() },
        answer: "h".into(),
        open_until: START.after(Millis::seconds(10)),
        state: ReservationState::Calling,
    }
}

/// An allocation of 1000 and nothing else.
fn free() -> Bounds {
    Bounds { allocation: Credits::whole(1000), available: Credits::whole(2), day: None, week: None, provider: None, rule: None }
}

fn day_at_most(before: i64) -> Bounds {
    Bounds { day: Some(Credits::whole(before)), ..free() }
}

async fn reserve(store: &dyn Ledger, lease: &Lease, attempt: u32, bounds: &Bounds) -> Reserved {
    store.reserve(lease, &reservation(attempt), bounds).await.unwrap()
}

async fn settle(store: &dyn Ledger, from: &Reservation, settlement: Settlement) -> bool {
    store.move_on(from, &from.settled(settlement).unwrap()).await.unwrap()
}

async fn balance(store: &dyn Ledger) -> Balance {
    let balance = store.balance(MONTH).await.unwrap().unwrap();
    assert!(balance.adds_up(), "I1: {balance:?}");
    balance
}

/// Reserved and used credits of the month; day, week, provider and rule have to agree with them.
async fn counted(store: &dyn Ledger) -> (i64, i64) {
    let balance = balance(store).await;
    let taken = balance.reserved.plus(balance.used);
    let day = store.usage(MONTH).await.unwrap().remove(DAY).unwrap_or_default();
    assert!(day.adds_up(), "I7: {day:?}");
    assert_eq!((day.taken, day.used), (taken, balance.used));
    assert_eq!(store.taken_of_week(WEEK).await.unwrap(), taken);
    assert_eq!((balance.taken_by("provider:crustdata"), balance.taken_by("rule:signup")), (taken, taken));
    (balance.reserved.micros() / 1_000_000, balance.used.micros() / 1_000_000)
}

async fn a_reservation_counts_in_all_its_periods(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    assert_eq!((store.balance(MONTH).await.unwrap(), store.usage(MONTH).await.unwrap().len()), (None, 0), "nobody has used the month");
    assert_eq!(reserve(store, &lease, 1, &free()).await, Reserved::Reserved);
    assert_eq!(counted(store).await, (2, 0));
    assert_eq!(store.read_reservation(&reservation(1).id).await.unwrap(), Some(reservation(1)));
}

async fn each_cap_refuses_and_leaves_every_counter_as_it_was(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    let one = Some(Credits::whole(1));
    assert_eq!(reserve(store, &lease, 1, &Bounds { day: one, week: one, provider: one, rule: one, ..free() }).await, Reserved::Reserved);
    let refusals = [
        (Bounds { day: one, ..free() }, CapScope::Day),
        (Bounds { week: one, ..free() }, CapScope::Week),
        (Bounds { provider: one, ..free() }, CapScope::Provider("crustdata".into())),
        (Bounds { rule: one, ..free() }, CapScope::Rule("signup".into())),
        (Bounds { available: Credits::whole(999), ..free() }, CapScope::Allocation),
        (day_at_most(-1), CapScope::Day),
    ];
    for (bounds, scope) in refusals {
        assert_eq!(reserve(store, &lease, 2, &bounds).await, Reserved::Refused(scope));
        assert_eq!(counted(store).await, (2, 0));
    }
    assert_eq!(store.read_reservation(&reservation(2).id).await.unwrap(), None, "what is refused leaves no entry");
}

async fn a_first_call_above_its_cap_is_refused_and_one_that_just_fits_is_not(fresh: &impl AsyncFn() -> Arc<dyn Store>) {
    let of = |most: i64| {
        let most = Some(Credits::whole(most));
        [
            (CapScope::Day, Bounds { day: most, ..free() }),
            (CapScope::Week, Bounds { week: most, ..free() }),
            (CapScope::Provider("crustdata".into()), Bounds { provider: most, ..free() }),
            (CapScope::Rule("signup".into()), Bounds { rule: most, ..free() }),
        ]
    };
    for ((scope, too_low), (_, exact)) in of(-1).into_iter().zip(of(0)) {
        let store = fresh().await;
        let (lease, _) = take(&*store, 'a', "n1", START).await;
        assert_eq!(reserve(&*store, &lease, 1, &too_low).await, Reserved::Refused(scope));
        assert_eq!(reserve(&*store, &lease, 1, &exact).await, Reserved::Reserved);
    }
}

async fn critical_passes_every_cap_and_never_the_allocation(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    let critical = Bounds { allocation: Credits::whole(3), available: Credits::whole(1), ..free() };
    assert_eq!(reserve(store, &lease, 1, &critical).await, Reserved::Reserved);
    assert_eq!(reserve(store, &lease, 2, &critical).await, Reserved::Reserved, "one credit of overdraft");
    assert_eq!(balance(store).await.available, Credits::whole(-1));
    assert_eq!(reserve(store, &lease, 3, &critical).await, Reserved::Refused(CapScope::Allocation));
    assert_eq!(counted(store).await, (4, 0));
}

async fn the_same_attempt_is_reserved_once(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, &free()).await;
    let (next, _) = take(store, 'a', "n2", START.after(LEASE).after(Millis(1))).await;
    for bounds in [free(), day_at_most(0), day_at_most(-1)] {
        assert_eq!(reserve(store, &next, 1, &bounds).await, Reserved::Before(Box::new(reservation(1))), "also when a cap is reached");
    }
    assert_eq!(counted(store).await, (2, 0));
}

async fn a_settlement_releases_the_rest_and_happens_once(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, &free()).await;
    assert!(settle(store, &reservation(1), Settlement::Used(Credits::whole(1))).await);
    assert!(!settle(store, &reservation(1), Settlement::Unknown).await, "I2");
    assert!(!settle(store, &reservation(1), Settlement::Used(Credits::whole(1))).await, "nor the same again");
    assert!(!settle(store, &reservation(2), Settlement::Unknown).await, "what was never reserved is not settled");
    assert_eq!(counted(store).await, (0, 1));
    let Reserved::Before(stored) = reserve(store, &lease, 1, &free()).await else { unreachable!("the ledger forgets nothing") };
    assert_eq!(stored.state, ReservationState::Settled { used: Credits::whole(1) });
}

async fn an_unknown_outcome_counts_as_used_until_it_is_refunded_once(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, &free()).await;
    assert!(settle(store, &reservation(1), Settlement::Unknown).await);
    assert_eq!(counted(store).await, (0, 2));
    assert_eq!(store.usage(MONTH).await.unwrap()[DAY].unknown, Credits::whole(2));
    let unknown = store.read_reservation(&reservation(1).id).await.unwrap().unwrap();
    let refunded = unknown.refunded(Credits::ZERO).unwrap();
    assert!(store.move_on(&unknown, &refunded).await.unwrap());
    assert!(!store.move_on(&unknown, &refunded).await.unwrap(), "a refund happens once");
    assert_eq!(counted(store).await, (0, 0));
    assert_eq!(store.usage(MONTH).await.unwrap()[DAY].unknown, Credits::ZERO);
}

async fn a_pending_entry_waits_for_its_own_deadline(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, &free()).await;
    let pending = reservation(1).pending(START.after(Millis::hours(1))).unwrap();
    assert!(store.move_on(&reservation(1), &pending).await.unwrap());
    assert_eq!(counted(store).await, (2, 0));
    assert_eq!(store.overdue(START.after(Millis::minutes(30)), 10).await.unwrap(), []);
    assert_eq!(store.overdue(START.after(Millis::minutes(61)), 10).await.unwrap(), [reservation(1).id]);
    assert!(settle(store, &pending, Settlement::Used(Credits::whole(2))).await);
    assert_eq!(counted(store).await, (0, 2));
}

async fn i7_usage_adds_up_by_provider_entity_trigger_and_rule(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    let other = Charge { provider: "apollo".into(), entity: Entity::Contact, trigger: Trigger::Manual, rule: "demo_request".into() };
    for (attempt, charge, used) in [(1, charge(), 2), (2, other, 1), (3, charge(), 0)] {
        let entry = Reservation { charge, ..reservation(attempt) };
        assert_eq!(store.reserve(&lease, &entry, &free()).await.unwrap(), Reserved::Reserved);
        assert!(settle(store, &entry, Settlement::Used(Credits::whole(used))).await);
    }
    let day = store.usage(MONTH).await.unwrap().remove(DAY).unwrap();
    assert!(day.adds_up(), "{day:?}");
    assert_eq!((day.used, day.calls), (Credits::whole(3), 3));
    let by = |way| day.by(way).filter(|(_, credits)| *credits > Credits::ZERO).collect::<Vec<_>>();
    assert_eq!(by("provider"), [("apollo", Credits::whole(1)), ("crustdata", Credits::whole(2))]);
    assert_eq!(by("entity"), [("account", Credits::whole(2)), ("contact", Credits::whole(1))]);
    assert_eq!(by("trigger"), [("auto", Credits::whole(2)), ("manual", Credits::whole(1))]);
    assert_eq!(by("rule"), [("demo_request", Credits::whole(1)), ("signup", Credits::whole(2))]);
}

async fn a_settlement_counts_in_the_month_of_its_reservation(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    let last_second = Reservation {
        periods: Periods { month: "2026-10".into(), week: Some("2026-W44".into()), day: "2026-10-31".into() },
        ..reservation(1)
    };
    store.reserve(&lease, &last_second, &free()).await.unwrap();
    reserve(store, &lease, 2, &free()).await;
    assert!(settle(store, &last_second, Settlement::Unknown).await);
    let october = store.balance("2026-10").await.unwrap().unwrap();
    assert_eq!((october.used, october.reserved, october.adds_up()), (Credits::whole(2), Credits::ZERO, true));
    assert_eq!(counted(store).await, (2, 0));
    assert_eq!(store.usage("2026-10").await.unwrap()["2026-10-31"].used, Credits::whole(2));
}

async fn an_allocation_that_was_changed_counts_at_once(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    let of = |allocation| Bounds { allocation: Credits::whole(allocation), ..free() };
    assert_eq!(reserve(store, &lease, 1, &of(3)).await, Reserved::Reserved);
    assert_eq!(reserve(store, &lease, 2, &of(3)).await, Reserved::Refused(CapScope::Allocation));
    assert_eq!(reserve(store, &lease, 2, &of(4)).await, Reserved::Reserved, "raised");
    assert_eq!(reserve(store, &lease, 3, &of(1)).await, Reserved::Refused(CapScope::Allocation), "lowered below what is taken");
    let lowered = balance(store).await;
    assert_eq!((lowered.allocation, lowered.available), (Credits::whole(4), Credits::ZERO));
    assert!(settle(store, &reservation(1), Settlement::Used(Credits::ZERO)).await);
    assert_eq!(reserve(store, &lease, 3, &of(1)).await, Reserved::Refused(CapScope::Allocation), "what is released is not spent again");
    assert_eq!(counted(store).await, (2, 0));
}

async fn an_overdraft_that_is_drawn_on_does_not_stop_a_higher_allocation(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    let of = |allocation| Bounds { allocation: Credits::whole(allocation), available: Credits::whole(-5), ..free() };
    assert_eq!(reserve(store, &lease, 1, &of(1)).await, Reserved::Reserved);
    assert_eq!(reserve(store, &lease, 2, &of(1)).await, Reserved::Reserved, "Critical, on the overdraft");
    assert_eq!(reserve(store, &lease, 3, &of(2)).await, Reserved::Reserved, "raised by less than is drawn");
    let raised = balance(store).await;
    assert_eq!((raised.allocation, raised.available), (Credits::whole(2), Credits::whole(-4)));
}

async fn an_adjustment_counts_once(store: &dyn Store) {
    let adjustment = |id: &str, amount: i64| Adjustment {
        id: id.into(),
        month: MONTH.into(),
        amount: Credits::whole(amount),
        because: "bought more".into(),
        at: START,
    };
    let adjust = async |id: &str, amount| store.adjust(&adjustment(id, amount), Credits::whole(10)).await.unwrap();
    assert_eq!(adjust("x", 5).await, Adjusted::Done);
    assert_eq!(adjust("x", 5).await, Adjusted::Before);
    assert_eq!(adjust("x", 6).await, Adjusted::OtherAmount(Credits::whole(5)), "one name, one adjustment");
    assert_eq!(adjust("x", -99).await, Adjusted::OtherAmount(Credits::whole(5)), "also where it could not be taken away");
    assert_eq!(adjust("y", -16).await, Adjusted::MoreThanAvailable);
    assert_eq!(adjust("y", -15).await, Adjusted::Done, "what was refused was not remembered");
    let balance = balance(store).await;
    assert_eq!((balance.available, balance.adjusted), (Credits::ZERO, Credits::whole(-10)));
    let (lease, _) = take(store, 'a', "n1", START).await;
    let ten = Bounds { allocation: Credits::whole(10), ..free() };
    assert_eq!(reserve(store, &lease, 1, &ten).await, Reserved::Refused(CapScope::Allocation));
}

async fn only_open_entries_are_overdue_and_the_oldest_comes_first(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    for (attempt, seconds) in [(1, 30), (2, 10), (3, 20), (4, 99)] {
        let entry = Reservation { open_until: START.after(Millis::seconds(seconds)), ..reservation(attempt) };
        store.reserve(&lease, &entry, &free()).await.unwrap();
    }
    let third = Reservation { open_until: START.after(Millis::seconds(20)), ..reservation(3) };
    assert!(settle(store, &third, Settlement::Unknown).await);
    let overdue = async |at: Timestamp, most| {
        let ids = store.overdue(at, most).await.unwrap();
        ids.into_iter().map(|id| id.attempt).collect::<Vec<u32>>()
    };
    assert_eq!(overdue(START.after(Millis::seconds(40)), 10).await, [2, 1]);
    assert_eq!(overdue(START.after(Millis::seconds(40)), 1).await, [2]);
    assert!(overdue(START, 10).await.is_empty());
}

async fn x_10_a_threshold_is_marked_once_a_month(store: &dyn Store) {
    let (lease, _) = take(store, 'a', "n1", START).await;
    reserve(store, &lease, 1, &free()).await;
    assert!(store.mark_crossed(MONTH, Threshold::Half, START).await.unwrap());
    assert!(!store.mark_crossed(MONTH, Threshold::Half, START.after(Millis(5))).await.unwrap());
    assert_eq!(balance(store).await.crossed, [(Threshold::Half, START)].into());
    assert!(store.mark_crossed(MONTH, Threshold::OverBudget, START).await.unwrap());
    assert_eq!(balance(store).await.crossed.get(&Threshold::Half), Some(&START));
    assert_eq!(counted(store).await, (2, 0));
}

async fn a_zombie_reserves_nothing(store: &dyn Store) {
    let (zombie, _) = take(store, 'a', "n1", START).await;
    take(store, 'a', "n2", START.after(LEASE).after(Millis(1))).await;
    assert_eq!(store.reserve(&zombie, &reservation(1), &free()).await, Err(StoreError::FenceLost));
    assert_eq!(store.read_reservation(&reservation(1).id).await.unwrap(), None);
    assert_eq!(store.usage(MONTH).await.unwrap().len(), 0);
}

async fn sixty_four_racers_never_pass_the_cap(store: Arc<dyn Store>) {
    let (lease, _) = take(&*store, 'a', "n1", START).await;
    let racers = (1..=64).map(|attempt| {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        async move { reserve(&*store, &lease, attempt, &day_at_most(18)).await }
    });
    let answers = futures::future::join_all(racers).await;
    let won = answers.iter().filter(|answer| **answer == Reserved::Reserved).count();
    assert_eq!(won, 10, "twenty credits are ten calls of two");
    assert_eq!(counted(&*store).await, (20, 0));
}

/// Replies that are kept.
pub async fn cache_suite<F: AsyncFn() -> Arc<dyn Store>>(fresh: F) {
    let store = fresh().await;
    let key = CacheKey { operation: "crustdata.company".into(), hash: "h".into() };
    assert_eq!(store.kept_reply(&key).await.unwrap(), None);
    let observation = Observation {
        field: Field::known("company.headcount"),
        value: Value::number(200),
        source: "crustdata.company".into(),
        family: "crustdata".into(),
        observed_at: START,
        stated: BasisPoints::new(9700),
        basis: Basis::Stated,
    };
    let kept = |after: i64, reply: Reply| CachedReply {
        reply,
        fetched_at: START.after(Millis(after)),
        fresh_until: START.after(Millis::days(90)),
        reservation: (after == 10).then(|| reservation(1).id),
        tariff: if after == 10 { Tariff::Bulk } else { Tariff::Single },
    };
    let younger = kept(10, Reply::Hit { observations: vec![observation] });
    store.keep_reply(&key, &younger).await.unwrap();
    store.keep_reply(&key, &kept(5, Reply::NoMatch)).await.unwrap();
    assert_eq!(store.kept_reply(&key).await.unwrap(), Some(younger.clone()), "an older reply never replaces a younger one");
    store.keep_reply(&key, &kept(15, Reply::RateLimited { retry_after: Millis(1) })).await.unwrap();
    assert_eq!(store.kept_reply(&key).await.unwrap(), Some(younger.clone()), "what is no answer never replaces a fresh one");
    let over = Reply::Failed { why: "status 500".into() };
    let late = CachedReply { fetched_at: START.after(Millis::days(91)), ..kept(15, over) };
    let other = CacheKey { hash: "other".into(), ..key.clone() };
    for reply in [&younger, &late] {
        store.keep_reply(&other, reply).await.unwrap();
    }
    assert_eq!(store.kept_reply(&other).await.unwrap(), Some(late), "once the answer is over, it may");
    store.keep_reply(&key, &kept(20, Reply::NoMatch)).await.unwrap();
    assert_eq!(store.kept_reply(&key).await.unwrap().unwrap().reply, Reply::NoMatch);
}
