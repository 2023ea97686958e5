//! Calls of several runs that go out as one request, and what each of them pays (S4-33).

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::credits::{Price, Reservation, ReservationState, Tariff};
use domain::identity::KeyKind;
use domain::plan::{Batch, BatchTerms, CallOutcome};
use domain::reply::Reply;
use domain::run::Run;
use domain::signup::Arrival;
use domain::units::{Credits, Millis, Timestamp};
use futures::future::join_all;
use pipeline::gather::Gathering;
use pipeline::messages::LookupMessage;
use pipeline::ports::{BatchRequest, Cache as _, CachedReply, LookupRequest, Provider};
use pipeline::sweep::Sweep;
use pipeline::work::Worked;

use crate::money::crash_between_keep_and_settle;
use crate::world::{FakeProvider, START, TIME_LEFT, World, good_company, signup};

const COMPANY: &str = "crustdata.company";
/// $0.10 a call and $0.06 in bulk, with a credit for a dollar.
const SINGLE: Credits = Credits::from_micros(100_000);
const BULK: Credits = Credits::from_micros(60_000);
/// How long the vendor takes for either.
const ANSWERED_IN: Millis = Millis(300);
const WAIT: Millis = Millis::seconds(2);

/// A vendor that is asked about many in one request, and notes how many they were each time.
struct Vendor {
    others: Arc<FakeProvider>,
    reply: Mutex<Reply>,
    answered_in: Millis,
    requests: Mutex<Vec<usize>>,
}

impl Vendor {
    /// How many keys each request to the company's operation held; those for one key are ones.
    fn requests(&self) -> Vec<usize> {
        self.requests.lock().unwrap().clone()
    }

    async fn answer(&self, keys: usize) -> Reply {
        self.requests.lock().unwrap().push(keys);
        tokio::time::sleep(self.answered_in.to_std()).await;
        self.reply.lock().unwrap().clone()
    }
}

#[async_trait]
impl Provider for Vendor {
    async fn look_up(&self, request: &LookupRequest) -> Reply {
        if request.operation == COMPANY { self.answer(1).await } else { self.others.look_up(request).await }
    }

    async fn look_up_all(&self, request: &BatchRequest) -> Option<Vec<Reply>> {
        assert_eq!((request.operation.as_str(), request.kind), (COMPANY, KeyKind::Domain));
        Some(vec![self.answer(request.keys.len()).await; request.keys.len()])
    }
}

struct Scene {
    world: World,
    vendor: Arc<Vendor>,
}

/// A world in which the company's step gathers a hundred calls for two seconds.
fn scene() -> Scene {
    scene_with(ANSWERED_IN, 1)
}

fn scene_with(answered_in: Millis, at_least: u32) -> Scene {
    let mut world = World::new();
    let mut config = (*world.enrich.config).clone();
    config.plan.steps.retain(|step| step.providers.iter().any(|name| name == COMPANY));
    config.plan.steps[0].batch = Some(Batch { size: 100, wait: WAIT });
    let price = |each| Price { per_call: each, ..Price::default() };
    let operation = config.catalogue.get_mut(COMPANY).unwrap();
    operation.price = price(SINGLE);
    operation.batch = Some(BatchTerms { keys: vec![KeyKind::Domain], most: 100, at_least, price: price(BULK) });
    world.enrich.config = config.into();
    let (others, reply) = (world.provider.clone(), Mutex::new(good_company()));
    let vendor = Arc::new(Vendor { others, reply, answered_in, requests: Mutex::default() });
    world.enrich.provider = Arc::new(Gathering::new(vendor.clone()));
    Scene { world, vendor }
}

/// Somebody of a company of their own.
fn lead(number: usize) -> LookupMessage {
    signup(&format!("lead@company{number}.io"), &format!("d{number}"), Arrival::Signup)
}

fn leads(count: usize) -> Vec<LookupMessage> {
    (0..count).map(lead).collect()
}

impl Scene {
    async fn finish_all(&self, messages: &[LookupMessage]) -> Vec<Run> {
        join_all(messages.iter().map(|message| self.world.finish(message))).await
    }

    fn entries(&self) -> Vec<Reservation> {
        self.world.store.reservations()
    }

    /// What the logs say was spent, which has to be what the ledger counts (I8).
    fn spent(&self, runs: &[Run]) -> Credits {
        let logged = runs.iter().fold(Credits::ZERO, |sum, run| sum.plus(run.cost()));
        let used = self.entries().iter().fold(Credits::ZERO, |sum, entry| sum.plus(entry.used()));
        assert_eq!(logged, used);
        assert!(self.entries().iter().all(|entry| !entry.is_open() && entry.amount == SINGLE), "the worst case was set aside for each");
        logged
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }
}

fn many(each: Credits, count: i64) -> Credits {
    Credits::from_micros(each.micros() * count)
}

#[tokio::test(start_paused = true)]
async fn s4_33_a_hundred_leads_are_one_request_at_the_bulk_rate() {
    let scene = scene();
    // Ten desks are enough: whoever waits for the others has left theirs.
    let runs = scene.finish_all(&leads(100)).await;
    assert_eq!(scene.vendor.requests(), [100]);
    assert_eq!(scene.now(), START.after(ANSWERED_IN), "a full batch waits for nobody");
    assert!(runs.iter().all(|run| run.cost() == BULK && run.paid_calls() == 1));
    assert_eq!(scene.spent(&runs), many(BULK, 100), "six dollars instead of ten");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_does_not_fill_goes_out_when_its_time_is_over_and_a_later_one_gathers_anew() {
    let scene = scene();
    let late = async {
        tokio::time::sleep(Millis(2_100).to_std()).await;
        scene.world.finish(&lead(99)).await
    };
    let first = leads(3);
    let (mut runs, last) = tokio::join!(scene.finish_all(&first), late);
    runs.push(last);
    assert_eq!(scene.vendor.requests(), [3, 1]);
    assert_eq!(scene.now(), START.after(Millis(4_100)).after(ANSWERED_IN));
    assert_eq!(scene.spent(&runs), many(BULK, 4));
}

#[tokio::test(start_paused = true)]
async fn more_than_a_batch_holds_are_two() {
    let scene = scene();
    let runs = scene.finish_all(&leads(130)).await;
    assert_eq!(scene.vendor.requests(), [100, 30]);
    assert_eq!(scene.spent(&runs), many(BULK, 130));
}

#[tokio::test(start_paused = true)]
async fn fewer_than_the_bulk_price_is_for_are_asked_one_by_one_at_their_own() {
    let scene = scene_with(ANSWERED_IN, 10);
    let runs = scene.finish_all(&leads(9)).await;
    assert_eq!(scene.vendor.requests(), [1; 9]);
    assert_eq!(scene.now(), START.after(WAIT).after(ANSWERED_IN), "all at once");
    assert_eq!(scene.spent(&runs), many(SINGLE, 9));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_somebody_waits_for_and_a_demo_request_never_wait_for_a_batch() {
    for message in [
        LookupMessage { answer_by: Some(START.after(Millis::seconds(5))), ..lead(1) },
        signup("lead@company2.io", "d2", Arrival::DemoRequest),
    ] {
        let scene = scene();
        let run = scene.world.finish(&message).await;
        assert_eq!((scene.now(), scene.vendor.requests()), (START.after(ANSWERED_IN), vec![1]));
        assert_eq!(scene.spent(&[run]), SINGLE);
    }
}

#[tokio::test(start_paused = true)]
async fn two_runs_with_one_key_are_asked_once_and_one_of_them_pays() {
    let scene = scene();
    let messages = [lead(1), signup("other@company1.io", "d9", Arrival::Signup), lead(2)];
    let runs = scene.finish_all(&messages).await;
    assert_eq!(scene.vendor.requests(), [2]);
    assert!(runs.iter().all(|run| run.calls.iter().any(|call| matches!(call.outcome, CallOutcome::Hit { .. }) && !call.cached)));
    assert_eq!(scene.spent(&runs), many(BULK, 2), "the vendor bills two");
}

#[tokio::test(start_paused = true)]
async fn whoever_came_first_and_is_cut_off_takes_no_answer_from_the_others() {
    // While they wait, and while the request is out.
    for (cut_off_after, asked) in [(Millis::seconds(1), 3), (Millis(2_100), 4)] {
        let scene = scene();
        let first = async {
            let message = lead(0);
            let work = scene.world.enrich.work(&message, TIME_LEFT);
            tokio::time::timeout(cut_off_after.to_std(), work).await.expect_err("it was to be cut off");
        };
        let others: Vec<LookupMessage> = (1..4).map(lead).collect();
        let ((), mut runs) = tokio::join!(first, scene.finish_all(&others));
        assert_eq!(scene.vendor.requests(), [asked]);
        assert_eq!(scene.now(), START.after(WAIT).after(ANSWERED_IN));
        assert!(runs.iter().all(|run| run.cost() == BULK));
        tokio::time::advance(Millis::minutes(2).to_std()).await;
        runs.push(scene.world.finish(&lead(0)).await);
        assert_eq!(scene.vendor.requests(), [asked], "nobody calls again under its entry");
        assert_eq!(scene.spent(&runs), many(BULK, 3).plus(SINGLE), "what was cut off counts in full");
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_are_cut_off_nobody_is_asked() {
    let scene = scene();
    let messages = leads(3);
    let works = join_all(messages.iter().map(|message| scene.world.enrich.work(message, TIME_LEFT)));
    tokio::time::timeout(Millis::seconds(1).to_std(), works).await.expect_err("they were to be cut off");
    tokio::time::sleep(Millis::seconds(10).to_std()).await;
    assert_eq!(scene.vendor.requests(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_the_request_happens_to_each_call_with_the_same_meaning_for_money() {
    for (reply, each) in [
        (Reply::NoMatch, BULK),
        (Reply::Failed { why: "answered 503 with an error".into() }, BULK),
        (Reply::AuthFailed, Credits::ZERO),
        (Reply::OutOfCredits, Credits::ZERO),
        (Reply::NotSent { why: "no secret".into() }, Credits::ZERO),
        (Reply::Unreadable { why: "no JSON".into() }, SINGLE),
        (Reply::TimedOut, SINGLE),
    ] {
        let scene = scene();
        *scene.vendor.reply.lock().unwrap() = reply.clone();
        let runs = scene.finish_all(&leads(5)).await;
        assert_eq!(scene.vendor.requests(), [5], "{reply:?}");
        assert_eq!(scene.spent(&runs), many(each, 5), "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_never_answers_is_waited_for_as_long_as_for_one_call() {
    let scene = scene_with(Millis::hours(1), 1);
    let runs = scene.finish_all(&leads(5)).await;
    assert_eq!(scene.now(), START.after(WAIT).after(Millis::seconds(4)), "the step's wait and the operation's timeout");
    assert_eq!(scene.spent(&runs), many(SINGLE, 5), "it may have billed, nobody knows at which price");
}

#[tokio::test(start_paused = true)]
async fn all_are_limited_at_once_and_come_again_as_a_batch() {
    let scene = scene();
    *scene.vendor.reply.lock().unwrap() = Reply::RateLimited { retry_after: Millis::seconds(7) };
    let messages = leads(20);
    let worked = join_all(messages.iter().map(|message| scene.world.work(message))).await;
    assert!(worked.iter().all(|worked| matches!(worked, Worked::Parked { .. })), "{worked:?}");
    *scene.vendor.reply.lock().unwrap() = good_company();
    tokio::time::sleep(Millis::seconds(8).to_std()).await;
    let runs = scene.finish_all(&messages).await;
    assert_eq!(scene.vendor.requests(), [20, 20]);
    assert_eq!(scene.spent(&runs), many(BULK, 20));
}

/// What a claimant left that died after the bulk reply was kept and before it was settled.
async fn left_behind(scene: &Scene) -> Reservation {
    crash_between_keep_and_settle(&scene.world, None).await;
    let entry = scene.entries().remove(0);
    let kept = CachedReply {
        reply: good_company(),
        fetched_at: START.after(Millis(1)),
        fresh_until: START.after(Millis::days(90)),
        reservation: Some(entry.id.clone()),
        tariff: Tariff::Bulk,
    };
    let key = scene.world.cache_key(COMPANY, KeyKind::Domain, "acme.io");
    scene.world.store.keep_reply(&key, &kept).await.unwrap();
    entry
}

#[tokio::test(start_paused = true)]
async fn i8_after_a_crash_the_next_claimant_and_the_sweep_settle_at_the_bulk_price() {
    let scene = scene();
    left_behind(&scene).await;
    let run = scene.world.finish(&crate::world::jane()).await;
    assert_eq!((run.cost(), scene.vendor.requests()), (BULK, vec![]));
    assert_eq!(scene.entries()[0].state, ReservationState::Settled { used: BULK });

    let scene = self::scene();
    left_behind(&scene).await;
    tokio::time::advance(Millis::minutes(5).to_std()).await;
    let World { store, clock, enrich, .. } = &scene.world;
    let swept = Sweep { store: store.clone(), clock: clock.clone(), config: enrich.config.clone() }.tick().await;
    assert_eq!((swept.settled, swept.unknown), (1, 0));
    assert_eq!(scene.entries()[0].state, ReservationState::Settled { used: BULK });
}

#[tokio::test(start_paused = true)]
async fn an_invocation_works_on_ten_runs_at_a_time_and_the_rest_is_left_to_one_with_time() {
    let scene = scene();
    let mut config = (*scene.world.enrich.config).clone();
    config.plan.steps[0].batch = None;
    let most = config.deadlines.background.0;
    let enrich = pipeline::enrich::Enrich { config: config.into(), ..scene.world.enrich.clone() };
    // Time for a run of the longest kind, and a little more than one turn of ten.
    let (messages, time) = (leads(25), Millis(most + 1_000 + 400));
    let worked = join_all(messages.iter().map(|message| enrich.work(message, time))).await;
    assert_eq!(scene.now(), START.after(ANSWERED_IN).after(ANSWERED_IN), "two turns of ten, and for the third there is no time");
    let finished = worked.iter().filter(|worked| matches!(worked, Ok(Worked::Finished { .. }))).count();
    let parked =
        worked.iter().filter(|worked| matches!(worked, Ok(Worked::Parked { until, .. }) if *until <= START.after(Millis(400)))).count();
    assert_eq!((finished, parked, scene.vendor.requests().len()), (20, 5, 20), "whoever finds no place goes as soon as that is sure");
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_back_from_a_batch_waits_for_nobody_who_has_not_begun() {
    let scene = scene_with(Millis::seconds(4), 1);
    let mut config = (*scene.world.enrich.config).clone();
    config.plan.steps[0].batch = Some(Batch { size: 10, wait: WAIT });
    let enrich = pipeline::enrich::Enrich { config: config.into(), ..scene.world.enrich.clone() };
    let messages = leads(40);
    let ends = join_all(messages.iter().map(async |message| {
        enrich.work(message, Millis::seconds(60)).await.unwrap();
        scene.now()
    }))
    .await;
    assert!(ends.iter().all(|end| *end == START.after(Millis::seconds(4))), "four full batches at once: {ends:?}");
}

#[tokio::test(start_paused = true)]
async fn x_08_an_answer_that_is_lost_is_counted_once_for_all_who_share_its_entry() {
    let scene = scene();
    *scene.vendor.reply.lock().unwrap() = Reply::Unreadable { why: "no JSON".into() };
    let colleagues: Vec<LookupMessage> =
        ["ann@acme.io", "bob@acme.io"].iter().map(|email| crate::world::signup(email, email, Arrival::FreeTier)).collect();
    scene.finish_all(&colleagues).await;
    let used: Vec<Credits> = scene.entries().iter().map(Reservation::used).collect();
    assert_eq!(used.iter().fold(Credits::ZERO, |sum, used| sum.plus(*used)), SINGLE, "{used:?}");
}
