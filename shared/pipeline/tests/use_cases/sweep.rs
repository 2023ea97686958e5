use std::sync::Arc;

use async_trait::async_trait;
use domain::config::Config;
use domain::credits::{
    Charge, Limits, Periods, Reservation, ReservationId, ReservationState, Settlement, Tariff, Threshold, Trigger, bounds,
};
use domain::plan::CallOutcome;
use domain::priority::Priority;
use domain::reply::Reply;
use domain::run::Run;
use domain::schema::Entity;
use domain::signup::Arrival;
use domain::units::{Credits, Millis, Timestamp};
use pipeline::memory::{Fate, Hook, MemoryStore};
use pipeline::ports::{Cache, CacheKey, CachedReply, Claim, ClaimRequest, Ledger, Reserved, Runs, Store};
use pipeline::sweep::{Crossed, Sweep, Swept};

use crate::faults::{failing, slow, with};
use crate::world::{START, TIME_LEFT, World, good_company, jane, signup};

/// How long after its deadline an entry is surely nobody's any more.
const MARGIN: Millis = Millis::seconds(30);
const OPEN_FOR: Millis = Millis::seconds(9);
/// When an entry that was just made is due.
const DUE: Millis = Millis(OPEN_FOR.0 + MARGIN.0 + 1);

fn sweep_of(world: &World) -> Sweep {
    sweep_within(world, world.enrich.config.limits.clone())
}

fn sweep_within(world: &World, limits: Limits) -> Sweep {
    let config = Config { limits, ..(*world.enrich.config).clone() };
    Sweep { store: world.store.clone(), clock: world.clock.clone(), config: Arc::new(config) }
}

/// A sweep whose store is in trouble.
fn sweep_on(world: &World, store: Arc<dyn Store>) -> Sweep {
    Sweep { store, ..sweep_of(world) }
}

/// What a claimant leaves behind that dies during its call: an open entry over `amount` credits.
async fn leave_open(world: &World, delivery: &str, amount: i64) -> Reservation {
    let message = signup(&format!("{delivery}@acme.io"), delivery, Arrival::Signup);
    let (run, now) = (message.signup.run_id(&world.key), world.now());
    let request = ClaimRequest {
        run: Run::begin(run.clone(), message.signup.clone(), Priority::High, now, ""),
        payload_hash: message.signup.payload_hash(&world.key),
        nonce: "crashed".into(),
        now,
        lease_until: now.after(Millis::seconds(1)),
    };
    let Claim::Mine(lease, _) = world.store.claim_run(&request).await.unwrap() else { panic!() };
    let (limits, amount) = (&world.enrich.config.limits, Credits::whole(amount));
    let charge = Charge { provider: "crustdata".into(), entity: Entity::Account, trigger: Trigger::Auto, rule: "signup".into() };
    let reservation = Reservation {
        id: ReservationId { run, operation: "crustdata.company".into(), attempt: 1 },
        amount,
        periods: Periods::of(now, limits),
        answer: world.key.hash(&["cache", "domain", delivery]),
        open_until: now.after(OPEN_FOR),
        state: ReservationState::Calling,
        charge,
    };
    let bounds = bounds(limits, amount, &reservation.charge, Priority::Critical);
    assert_eq!(world.store.reserve(&lease, &reservation, &bounds).await.unwrap(), Reserved::Reserved);
    reservation
}

/// Keeps a reply to what `reservation` asked; it names the reservation that paid for it.
async fn keep(world: &World, reservation: &Reservation, reply: Reply, paid: &ReservationId) {
    let key = CacheKey { operation: reservation.id.operation.clone(), hash: reservation.answer.clone() };
    let kept = CachedReply { reply, fetched_at: START, fresh_until: START, reservation: Some(paid.clone()), tariff: Tariff::Single };
    world.store.keep_reply(&key, &kept).await.unwrap();
}

async fn pass(span: Millis) {
    tokio::time::advance(span.to_std()).await;
}

async fn state_of(world: &World, reservation: &Reservation) -> ReservationState {
    world.store.read_reservation(&reservation.id).await.unwrap().unwrap().state
}

/// Reserved and used credits of the month, which has to add up.
async fn month(world: &World) -> (Credits, Credits) {
    let balance = world.store.balance(&START.month()).await.unwrap().unwrap();
    assert!(balance.adds_up(), "I1: {balance:?}");
    (balance.reserved, balance.used)
}

/// Uses credits at once.
async fn spend(world: &World, delivery: &str, amount: i64) {
    let entry = leave_open(world, delivery, amount).await;
    let settled = entry.settled(Settlement::Used(entry.amount)).unwrap();
    assert!(world.store.move_on(&entry, &settled).await.unwrap());
}

fn thresholds(swept: &Swept) -> Vec<Threshold> {
    swept.crossed.iter().map(|crossed| crossed.threshold).collect()
}

#[tokio::test(start_paused = true)]
async fn an_overdue_reservation_is_settled_from_the_reply_that_was_kept_under_it() {
    let world = World::new();
    let (hit, miss) = (leave_open(&world, "hit", 2).await, leave_open(&world, "miss", 2).await);
    keep(&world, &hit, good_company(), &hit.id).await;
    keep(&world, &miss, Reply::NoMatch, &miss.id).await;
    pass(DUE).await;
    assert_eq!(sweep_of(&world).tick().await, Swept { settled: 2, ..Swept::default() });
    assert_eq!(state_of(&world, &hit).await, ReservationState::Settled { used: Credits::whole(2) });
    assert_eq!(state_of(&world, &miss).await, ReservationState::Settled { used: Credits::ZERO }, "no match costs nothing at this price");
    assert_eq!(month(&world).await, (Credits::ZERO, Credits::whole(2)));
}

#[tokio::test(start_paused = true)]
async fn without_a_reply_of_its_own_the_outcome_is_unknown_and_all_of_it_counts_as_used() {
    let world = World::new();
    let (lost, other) = (leave_open(&world, "lost", 2).await, leave_open(&world, "other", 2).await);
    // An answer to the same question that another attempt paid for says nothing about this one.
    keep(&world, &other, Reply::NoMatch, &ReservationId { attempt: 2, ..other.id.clone() }).await;
    pass(DUE).await;
    assert_eq!(sweep_of(&world).tick().await, Swept { unknown: 2, ..Swept::default() });
    assert_eq!(state_of(&world, &lost).await, ReservationState::OutcomeUnknown);
    assert_eq!(month(&world).await, (Credits::ZERO, Credits::whole(4)));
    assert_eq!(world.store.usage(&START.month()).await.unwrap()[&START.day()].unknown, Credits::whole(4));
}

#[tokio::test(start_paused = true)]
async fn a_reservation_that_still_calls_is_left_alone_until_its_deadline_and_the_clocks_margin_are_over() {
    let world = World::new();
    let calling = leave_open(&world, "calling", 2).await;
    for span in [Millis(1), OPEN_FOR, Millis(MARGIN.0 - 1)] {
        pass(span).await;
        assert_eq!(sweep_of(&world).tick().await, Swept::default(), "after {span}");
        assert_eq!(state_of(&world, &calling).await, ReservationState::Calling);
    }
    pass(Millis(1)).await;
    assert_eq!(sweep_of(&world).tick().await.unknown, 1);
}

#[tokio::test(start_paused = true)]
async fn a_pending_reservation_waits_for_the_deadline_that_its_vendor_named() {
    let world = World::new();
    let calling = leave_open(&world, "pending", 2).await;
    let pending = calling.pending(START.after(Millis::hours(2))).unwrap();
    assert!(world.store.move_on(&calling, &pending).await.unwrap());
    pass(Millis::hours(1)).await;
    assert_eq!(sweep_of(&world).tick().await, Swept::default());
    pass(Millis(Millis::hours(1).0 + MARGIN.0 + 1)).await;
    assert_eq!(sweep_of(&world).tick().await.unknown, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_swept_is_not_asked_for_again_by_a_run_that_comes_back() {
    let world = World::new();
    let message = jane();
    let call = tokio::time::timeout(Millis(100).to_std(), world.enrich.work(&message, TIME_LEFT));
    call.await.expect_err("the worker was to die while it called");
    pass(Millis::minutes(2)).await;
    assert_eq!(sweep_of(&world).tick().await.unknown, 2, "company and person were asked together");
    let run = world.finish(&message).await;
    assert_eq!(world.provider.asked("crustdata.company"), 1, "never again under the same attempt");
    assert!(run.calls.iter().any(|call| call.operation == "crustdata.company" && call.outcome == CallOutcome::TimedOut));
    assert_eq!(month(&world).await, (Credits::ZERO, Credits::whole(4)), "both lost calls");
    pass(Millis::minutes(2)).await;
    assert_eq!(sweep_of(&world).tick().await, Swept::default());
}

#[tokio::test(start_paused = true)]
async fn a_tick_takes_the_oldest_two_hundred_and_says_that_there_are_more() {
    let world = World::new();
    for nth in 0..201 {
        leave_open(&world, &format!("n{nth}"), 1).await;
        pass(Millis(1)).await;
    }
    pass(DUE).await;
    let first = sweep_of(&world).tick().await;
    assert_eq!((first.unknown, first.more), (200, true));
    let second = sweep_of(&world).tick().await;
    assert_eq!((second.unknown, second.more), (1, false));
}

#[tokio::test(start_paused = true)]
async fn s0_78_half_three_quarters_and_nine_tenths_of_the_months_credits_are_told_once_each() {
    let world = World::new();
    let limits = Limits { allocation: Credits::whole(10_000), budget: Some(Credits::whole(10_000)), ..Limits::default() };
    let sweep = sweep_within(&world, limits);
    for (delivery, amount, told) in [
        ("a", 4_999, vec![]),
        ("b", 1, vec![Threshold::Half]),
        ("c", 2_499, vec![]),
        ("d", 1_600, vec![Threshold::ThreeQuarters, Threshold::NineTenths]),
        ("e", 900, vec![]),
    ] {
        spend(&world, delivery, amount).await;
        let swept = sweep.tick().await;
        assert_eq!(thresholds(&swept), told, "after {delivery}");
        assert!(swept.crossed.iter().all(|crossed| crossed.total == Credits::whole(10_000) && crossed.month == START.month()));
        assert_eq!(sweep.tick().await, Swept::default(), "the second tick is silent");
    }
}

#[tokio::test(start_paused = true)]
async fn s4_52_the_budget_and_a_tenth_are_told_once_with_what_was_spent() {
    let world = World::new();
    let limits = Limits { allocation: Credits::whole(10_000), budget: Some(Credits::whole(100)), ..Limits::default() };
    let sweep = sweep_within(&world, limits);
    spend(&world, "a", 110).await;
    assert_eq!(sweep.tick().await, Swept::default(), "ten percent more are within it");
    spend(&world, "b", 1).await;
    let (used, total) = (Credits::whole(111), Credits::whole(100));
    let over = Crossed { month: START.month(), threshold: Threshold::OverBudget, used, total };
    assert_eq!(sweep.tick().await.crossed, [over]);
    assert_eq!(sweep.tick().await, Swept::default(), "the second tick is silent");
}

#[tokio::test(start_paused = true)]
async fn what_a_sweep_settles_counts_for_the_thresholds_of_the_same_tick() {
    let world = World::new();
    leave_open(&world, "lost", 50).await;
    pass(DUE).await;
    let limits = Limits { allocation: Credits::whole(10_000), budget: Some(Credits::whole(45)), ..Limits::default() };
    assert_eq!(thresholds(&sweep_within(&world, limits).tick().await), [Threshold::OverBudget]);
}

#[tokio::test(start_paused = true)]
async fn what_the_last_minutes_of_a_month_crossed_is_told_on_the_first_day_of_the_next() {
    let world = World::new();
    let limits = Limits { allocation: Credits::whole(10_000), budget: Some(Credits::whole(10)), ..Limits::default() };
    let sweep = sweep_within(&world, limits);
    let midnight = Timestamp::parse("2026-12-01T00:00:00Z").unwrap();
    pass(midnight.before(Millis::minutes(1)).since(world.now())).await;
    spend(&world, "late", 12).await;
    pass(Millis::minutes(2)).await;
    let told: Vec<(String, Threshold)> = sweep.tick().await.crossed.into_iter().map(|crossed| (crossed.month, crossed.threshold)).collect();
    assert_eq!((world.now().month().as_str(), told), ("2026-12", vec![("2026-11".to_owned(), Threshold::OverBudget)]));
}

#[test]
fn two_ticks_add_up_and_what_failed_is_that_of_the_last() {
    let mut both = Swept { settled: 2, unknown: 3, failed: 7, more: true, ..Swept::default() };
    assert_eq!(both.resolved(), 5);
    both.add(Swept { settled: 5, unknown: 4, failed: 1, ..Swept::default() });
    assert_eq!(both, Swept { settled: 7, unknown: 7, failed: 1, ..Swept::default() });
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_now_is_counted_as_failed_and_done_by_the_next_tick() {
    for (verb, first) in [
        ("overdue", Swept { failed: 1, ..Swept::default() }),
        ("read_reservation", Swept { unknown: 1, failed: 1, ..Swept::default() }),
        ("move_on", Swept { unknown: 1, failed: 1, ..Swept::default() }),
        ("balance", Swept { unknown: 2, failed: 1, ..Swept::default() }),
    ] {
        let world = World::new();
        leave_open(&world, "a", 2).await;
        leave_open(&world, "b", 2).await;
        pass(DUE).await;
        let sweep = sweep_on(&world, failing(&world, verb, 1));
        assert_eq!(sweep.tick().await, first, "{verb}");
        assert_eq!(sweep.tick().await.resolved(), 2 - first.resolved(), "{verb}");
        assert_eq!(month(&world).await, (Credits::ZERO, Credits::whole(4)), "{verb}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_failure_of_a_tick_is_counted() {
    let world = World::new();
    leave_open(&world, "a", 2).await;
    leave_open(&world, "b", 2).await;
    pass(DUE).await;
    let of = async |verb| sweep_on(&world, failing(&world, verb, 9)).tick().await;
    assert_eq!(of("read_reservation").await, Swept { failed: 2, ..Swept::default() });
    assert_eq!(of("balance").await, Swept { unknown: 2, failed: 2, ..Swept::default() }, "before the resolving and after it");
}

#[tokio::test(start_paused = true)]
async fn resolving_stops_after_thirty_seconds_and_says_that_there_is_more() {
    let world = World::new();
    for nth in 0..5 {
        leave_open(&world, &format!("n{nth}"), 1).await;
    }
    pass(DUE).await;
    // The fourth begins at thirty seconds, not after them.
    let sweep = sweep_on(&world, slow(&world, "read_reservation", Millis::seconds(10)));
    assert_eq!(sweep.tick().await, Swept { unknown: 4, more: true, ..Swept::default() });
    assert_eq!(sweep.tick().await, Swept { unknown: 1, ..Swept::default() });
}

/// Moves an entry on after the sweep has heard that it is overdue, and before it reads it.
struct Meanwhile {
    store: Arc<MemoryStore>,
    from: Reservation,
    to: Reservation,
}

#[async_trait]
impl Hook for Meanwhile {
    async fn before(&self, verb: &'static str) -> Fate {
        if verb == "read_reservation" {
            assert!(self.store.move_on(&self.from, &self.to).await.unwrap());
        }
        Fate::Go
    }

    async fn after(&self, _: &'static str) -> Fate {
        Fate::Go
    }
}

/// What a tick does with an overdue entry that meanwhile becomes another one.
async fn swept_when_it_becomes(change: impl Fn(&World, &Reservation) -> Reservation) -> (Swept, ReservationState) {
    let world = World::new();
    let from = leave_open(&world, "a", 2).await;
    pass(DUE).await;
    let to = change(&world, &from);
    let hook = Meanwhile { store: world.store.clone(), from: from.clone(), to };
    let swept = sweep_on(&world, with(&world, hook)).tick().await;
    (swept, state_of(&world, &from).await)
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_somebody_moves_on_before_it_is_read_is_taken_as_it_stands() {
    let settled = swept_when_it_becomes(|_, entry| entry.settled(Settlement::Used(Credits::whole(1))).unwrap()).await;
    assert_eq!(settled, (Swept::default(), ReservationState::Settled { used: Credits::whole(1) }));
    let within = |margin: Millis| move |world: &World, entry: &Reservation| entry.pending(world.now().before(margin)).unwrap();
    let pending = (Swept::default(), ReservationState::Pending);
    assert_eq!(swept_when_it_becomes(within(Millis(MARGIN.0 - 1))).await, pending, "its vendor has time left, and the clocks' margin");
    assert_eq!(swept_when_it_becomes(within(Millis(0))).await, pending);
    assert_eq!(swept_when_it_becomes(within(MARGIN)).await.1, ReservationState::OutcomeUnknown, "its vendor has none");
}
