//! A lead is decided about again without a lookup (S3-17, ADR 0010).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::config::Config;
use domain::decision::Outcome;
use domain::gate::Verdict;
use domain::record::{Alias, Record, RecordId};
use domain::replay::{Replayed, Skipped, replay};
use domain::reply::Reply;
use domain::route::Track;
use domain::run::Run;
use domain::signup::{Arrival, RunId};
use domain::units::{Millis, Timestamp};
use domain::value::Value;
use pipeline::memory::MemoryStore;
use pipeline::messages::{Cause, LookupMessage, RedecideMessage, from_body};
use pipeline::ports::{
    Claim, ClaimRequest, DecidedLeads, DecidedRun, DecidedRuns, Lease, Poison, Queue as _, QueueName, Records, Runs, Saved, StoreError,
    StoredRun, Window,
};
use pipeline::redecide::{Redecide, Redecided};
use pipeline::work::Worked;

use crate::world::{World, decision, good_company, hit, jane, signup};

fn redecide(world: &World, config: &Arc<Config>) -> Redecide {
    Redecide { store: world.store.clone(), queue: world.queue.clone(), clock: world.clock.clone(), config: config.clone(), versions: None }
}

/// A configuration that was deployed since.
fn changed(world: &World, change: impl FnOnce(&mut Config)) -> Arc<Config> {
    let mut config = (*world.enrich.config).clone();
    config.hash = "deployed-since".into();
    change(&mut config);
    Arc::new(config)
}

/// One in which nobody goes to an account executive.
fn without_ae(world: &World) -> Arc<Config> {
    changed(world, |config| config.route.rules.retain(|rule| rule.to != Track::AeQueue))
}

pub(crate) fn asked(record: &RecordId) -> RedecideMessage {
    RedecideMessage { record: record.clone(), cause: Cause::Operator, config: None, copies: 0 }
}

/// A lead that was decided, and written to the CRM.
pub(crate) async fn decided(world: &World) -> (Run, RedecideMessage) {
    let run = world.finish(&jane()).await;
    world.next_writeback().await;
    let message = asked(run.record.as_ref().unwrap());
    (run, message)
}

pub(crate) fn the_record(world: &World) -> Record {
    world.store.records().remove(0)
}

#[tokio::test(start_paused = true)]
async fn another_configuration_moves_a_lead_and_costs_nothing() {
    let world = World::new();
    let (run, message) = decided(&world).await;
    let calls = world.provider.asked("crustdata.company");
    let config = without_ae(&world);
    let ended = redecide(&world, &config).work(&message).await.unwrap();
    assert_eq!(ended, Redecided::Changed { run: run.id.clone(), from: Track::AeQueue, to: Track::SelfServe });
    let record = the_record(&world);
    let last = record.decided.clone().unwrap();
    assert_eq!((record.version, last.decision.seq, last.decision.route.track), (2, 2, Track::SelfServe));
    assert_eq!((last.run, last.config.as_str()), (run.id.clone(), "deployed-since"));
    assert_eq!(last.decision.owner, decision(&run).owner, "who owns a lead keeps it");
    assert_eq!((world.writebacks(), world.next_writeback().await.record), (1, record.id));
    assert_eq!(
        (world.provider.asked("crustdata.company"), world.store.reservations().len()),
        (calls, 2),
        "nothing was asked, nothing paid"
    );
    let log = world.stored(&jane()).await;
    let tracks: Vec<Track> = log.decisions.iter().map(|decision| decision.route.track).collect();
    assert_eq!((tracks, log.config.as_str()), (vec![Track::AeQueue, Track::SelfServe], "deployed-since"));
    assert_eq!((&log.calls, log.cost()), (&run.calls, run.cost()));
}

#[tokio::test(start_paused = true)]
async fn both_decisions_replay_each_under_its_configuration() {
    let world = World::new();
    let (run, message) = decided(&world).await;
    tokio::time::advance(Millis::days(3).to_std()).await;
    let config = without_ae(&world);
    redecide(&world, &config).work(&message).await.unwrap();
    let log = world.stored(&jane()).await;
    let first = Skipped { decision: 0, needs: run.config.clone() };
    assert_eq!(replay(&log, &config).unwrap(), Replayed { decisions: 1, skipped: vec![first], ..Replayed::default() });
    // Back to the first configuration, and both of its decisions are made again.
    redecide(&world, &world.enrich.config.clone()).work(&message).await.unwrap();
    let log = world.stored(&jane()).await;
    let replayed = replay(&log, &world.enrich.config).unwrap();
    assert_eq!((replayed.decisions, replayed.skipped.len(), replayed.differences), (2, 1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn the_same_message_twice_writes_once_and_nothing_new_writes_nothing() {
    let world = World::new();
    let (run, message) = decided(&world).await;
    let before = world.store.fingerprint();
    let same = redecide(&world, &world.enrich.config.clone());
    assert_eq!(same.work(&message).await.unwrap(), Redecided::Unchanged { run: run.id.clone() });
    assert_eq!((world.store.fingerprint(), world.writebacks()), (before, 0), "nothing at no cost");
    let other = redecide(&world, &without_ae(&world));
    other.work(&message).await.unwrap();
    let after = world.store.fingerprint();
    assert_eq!(other.work(&message).await.unwrap(), Redecided::Unchanged { run: run.id });
    assert_eq!((world.store.fingerprint(), world.writebacks()), (after, 1));
}

#[tokio::test(start_paused = true)]
async fn what_failed_and_who_had_paid_count_as_they_did() {
    let world = World::new();
    world.provider.answers("crustdata.company", vec![(Millis(1), Reply::Failed { why: "down".into() })]);
    for (message, outcome) in [(jane(), Outcome::Deferred), (signup("jane@acme.io", "d2", Arrival::Signup), Outcome::Duplicate)] {
        let run = world.finish(&message).await;
        assert_eq!(decision(&run).outcome, outcome);
        let before = world.store.fingerprint();
        let ended = redecide(&world, &world.enrich.config.clone()).work(&asked(run.record.as_ref().unwrap())).await.unwrap();
        assert_eq!((ended, world.store.fingerprint()), (Redecided::Unchanged { run: run.id }, before), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_destination_within_the_track_is_a_change() {
    let world = World::new();
    let (run, message) = decided(&world).await;
    let config = changed(&world, |config| config.route.rules.iter_mut().for_each(|rule| rule.destination = Some("partners".into())));
    let ended = redecide(&world, &config).work(&message).await.unwrap();
    assert_eq!(ended, Redecided::Changed { run: run.id, from: Track::AeQueue, to: Track::AeQueue });
    let route = the_record(&world).decided.unwrap().decision.route;
    assert_eq!((route.destination.as_deref(), world.writebacks()), (Some("partners"), 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_gate_holds_is_not_handed_over_and_goes_back_to_its_track_afterwards() {
    let world = World::new();
    let (run, message) = decided(&world).await;
    let all_held = changed(&world, |config| {
        for rule in &mut config.gate {
            rule.when = domain::condition::Condition::parse("has(contact.email)", &config.schema).unwrap();
        }
    });
    let ended = redecide(&world, &all_held).work(&message).await.unwrap();
    assert_eq!(ended, Redecided::Changed { run: run.id.clone(), from: Track::AeQueue, to: Track::Verification });
    assert_eq!(the_record(&world).decided.unwrap().decision.gate.verdict, Verdict::Verify);
    assert_eq!(world.writebacks(), 0);
    redecide(&world, &world.enrich.config.clone()).work(&message).await.unwrap();
    assert_eq!((the_record(&world).decided.unwrap().decision.route.track, world.writebacks()), (Track::AeQueue, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lead_whose_run_is_not_done_waits_for_it() {
    let world = World::new();
    let (_, message) = decided(&world).await;
    let again = signup("jane@acme.io", "d2", Arrival::DemoRequest);
    let lease = working_on(&world, &again).await;
    // As a claimant leaves it that died between the record and the hand-over.
    let mut record = the_record(&world);
    record.version += 1;
    let mut last = record.decided.clone().unwrap();
    last.run = lease.run.clone();
    record.decided = Some(last);
    assert_eq!(world.store.save_record(&record, &[]).await.unwrap(), Saved::Stored);
    let use_case = redecide(&world, &without_ae(&world));
    let before = world.store.fingerprint();
    assert!(matches!(use_case.work(&message).await.unwrap(), Redecided::Parked { .. }));
    assert_eq!(world.store.fingerprint(), before);
    tokio::time::advance(Millis::minutes(1).to_std()).await;
    let copy = world.queue.receive(QueueName::Score, 1, Millis::minutes(6)).await.unwrap().remove(0);
    assert_eq!(from_body::<RedecideMessage>(&copy.body).unwrap(), RedecideMessage { copies: 1, ..message.clone() });
    let tired = RedecideMessage { copies: 100, ..message };
    assert!(use_case.work(&tired).await.unwrap_err().0.contains("100 delayed copies"));
}

async fn working_on(world: &World, message: &LookupMessage) -> Lease {
    let run = Run::begin(message.signup.run_id(&world.key), message.signup.clone(), message.priority, world.now(), "c");
    let now = world.now();
    let request = ClaimRequest { run, payload_hash: "p".into(), nonce: "n".into(), now, lease_until: now.after(Millis::minutes(1)) };
    match world.store.claim_run(&request).await.unwrap() {
        Claim::Mine(lease, _) => lease,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn there_may_be_nothing_to_decide_about() {
    let world = World::new();
    let (_, message) = decided(&world).await;
    let use_case = redecide(&world, &world.enrich.config.clone());
    let nobody = asked(&RecordId("nobody".into()));
    assert_eq!(use_case.work(&nobody).await.unwrap(), Redecided::Nothing { why: "the record is gone" });
    let mut record = the_record(&world);
    record.version += 1;
    let mut last = record.decided.clone().unwrap();
    last.run = RunId::parse(&"z".repeat(43)).unwrap();
    record.decided = Some(last);
    world.store.save_record(&record, &[]).await.unwrap();
    assert_eq!(use_case.work(&message).await.unwrap(), Redecided::Nothing { why: "the log of its run is gone" });
}

#[tokio::test(start_paused = true)]
async fn s3_17_somebody_known_who_comes_back_on_a_bad_day_stays_where_they_are() {
    let world = World::new();
    world.finish(&jane()).await;
    tokio::time::advance(Millis::days(800).to_std()).await;
    for operation in ["crustdata.company", "crustdata.person"] {
        world.provider.answers(operation, vec![(Millis(1), Reply::Failed { why: "down".into() })]);
    }
    let mut again = signup("jane@acme.io", "d2", Arrival::Signup);
    (again.accepted_at, again.signup.occurred_at) = (world.now(), world.now());
    let run = world.finish(&again).await;
    let route = &decision(&run).route;
    assert_eq!((route.track, route.provisional), (Track::AeQueue, false), "{route:?}");
    assert!(route.because[0].starts_with("stays ae_queue: "), "{:?}", route.because);
    // The sources are back and say something else: that is new.
    tokio::time::advance(Millis::days(1).to_std()).await;
    let small = hit("crustdata.company", &[("company.headcount", Value::number(3)), ("company.funding_stage", Value::text("seed"))]);
    let small = at(small, world.now());
    world.provider.answers("crustdata.company", vec![(Millis(1), small)]);
    world.provider.answers("crustdata.person", vec![(Millis(1), Reply::NoMatch)]);
    let mut third = signup("jane@acme.io", "d3", Arrival::Signup);
    (third.accepted_at, third.signup.occurred_at) = (world.now(), world.now());
    let run = world.finish(&third).await;
    assert_eq!(decision(&run).before.as_ref().map(|before| (before.track, before.news)), Some((Track::AeQueue, true)));
    assert_eq!(replay(&run, &world.enrich.config).unwrap().differences, vec![]);
}

fn at(reply: Reply, now: Timestamp) -> Reply {
    let Reply::Hit { mut observations } = reply else { return reply };
    observations.iter_mut().for_each(|observation| observation.observed_at = now);
    Reply::Hit { observations }
}

/// A store that dies or is beaten at the write of this number, from 0.
pub(crate) fn troubled(inner: &Arc<MemoryStore>, at: usize, how: Trouble) -> Arc<dyn DecidedLeads> {
    Arc::new(Troubled { inner: inner.clone(), at, how, writes: AtomicUsize::new(0) })
}

/// A store that dies at one write, before or after it took effect, or is beaten at it by somebody else.
struct Troubled {
    inner: Arc<MemoryStore>,
    at: usize,
    how: Trouble,
    writes: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Before,
    After,
    Beaten,
}

impl Troubled {
    async fn write(&self, effect: impl Future<Output = Result<Saved, StoreError>>) -> Result<Saved, StoreError> {
        let is_now = self.writes.fetch_add(1, Ordering::Relaxed) == self.at;
        match self.how {
            Trouble::Before if is_now => Err(StoreError::Unavailable("before".into())),
            Trouble::After if is_now => effect.await.and(Err(StoreError::Unavailable("after".into()))),
            Trouble::Beaten if is_now => Ok(Saved::Conflict),
            _ => effect.await,
        }
    }
}

#[async_trait]
impl DecidedRuns for Troubled {
    async fn decided_run(&self, id: &RunId) -> Result<Option<DecidedRun>, StoreError> {
        self.inner.decided_run(id).await
    }
    async fn amend_run(&self, run: &DecidedRun) -> Result<Saved, StoreError> {
        self.write(self.inner.amend_run(run)).await
    }
}

#[async_trait]
impl Records for Troubled {
    async fn find_record(&self, aliases: &[Alias]) -> Result<Option<Record>, StoreError> {
        self.inner.find_record(aliases).await
    }
    async fn read_record(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        self.inner.read_record(id).await
    }
    async fn save_record(&self, record: &Record, aliases: &[Alias]) -> Result<Saved, StoreError> {
        self.write(self.inner.save_record(record, aliases)).await
    }
    async fn next_turn(&self, pool: &str) -> Result<u64, StoreError> {
        self.inner.next_turn(pool).await
    }
}

/// Deciding again uses none of these.
#[async_trait]
impl Runs for Troubled {
    async fn claim_run(&self, _: &ClaimRequest) -> Result<Claim, StoreError> {
        panic!("no run is claimed")
    }
    async fn renew_run(&self, _: &Lease, _: Timestamp) -> Result<Lease, StoreError> {
        panic!("no run is claimed")
    }
    async fn save_run(&self, _: &Lease, _: &Run) -> Result<(), StoreError> {
        panic!("no run is claimed")
    }
    async fn park_run(&self, _: &Lease, _: &Run) -> Result<(), StoreError> {
        panic!("no run is claimed")
    }
    async fn free_run(&self, _: &Lease) -> Result<(), StoreError> {
        panic!("no run is claimed")
    }
    async fn decide_run(&self, _: &Lease, _: &Run) -> Result<(), StoreError> {
        panic!("no run is claimed")
    }
    async fn finish_run(&self, _: &Lease) -> Result<(), StoreError> {
        panic!("no run is claimed")
    }
    async fn read_run(&self, _: &RunId) -> Result<Option<StoredRun>, StoreError> {
        panic!("the log is read to be added to")
    }
    async fn open_window(&self, _: &str, _: &RunId, _: Timestamp, _: Timestamp) -> Result<Window, StoreError> {
        panic!("nothing is paid")
    }
    async fn close_window_paid(&self, _: &str, _: &RunId, _: Timestamp) -> Result<(), StoreError> {
        panic!("nothing is paid")
    }
    async fn free_window(&self, _: &str, _: &RunId) -> Result<(), StoreError> {
        panic!("nothing is paid")
    }
    async fn keep_poison(&self, _: &Poison) -> Result<(), StoreError> {
        panic!("the message can be read")
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_the_message_that_comes_again_ends_with_record_log_and_crm_alike() {
    for how in [Trouble::Before, Trouble::After, Trouble::Beaten] {
        for at in 0..2 {
            let world = World::new();
            let (_, message) = decided(&world).await;
            let config = without_ae(&world);
            let troubled = Arc::new(Troubled { inner: world.store.clone(), at, how, writes: AtomicUsize::new(0) });
            let first = Redecide { store: troubled.clone(), ..redecide(&world, &config) }.work(&message).await;
            assert_eq!(first.is_err(), how != Trouble::Beaten, "{how:?} at {at}: {first:?}");
            assert!(troubled.writes.load(Ordering::Relaxed) > at, "{how:?} at {at}: that write was never made");
            redecide(&world, &config).work(&message).await.unwrap();
            let (log, record) = (world.stored(&jane()).await, the_record(&world));
            let last = record.decided.unwrap().decision;
            assert_eq!((last.route.track, record.version), (Track::SelfServe, 2), "{how:?} at {at}");
            assert_eq!((log.decision(), log.decisions.len()), (Some(&last), 2), "{how:?} at {at}");
            assert!(world.writebacks() >= 1, "{how:?} at {at}");
            assert_eq!(replay(&log, &config).unwrap().differences, vec![], "{how:?} at {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_who_decide_again_at_once_leave_one_decision_more() {
    let world = World::new();
    let (_, message) = decided(&world).await;
    let use_case = redecide(&world, &without_ae(&world));
    let (left, right) = tokio::join!(use_case.work(&message), use_case.work(&message));
    assert!(left.is_ok() && right.is_ok(), "{left:?} {right:?}");
    let (log, record) = (world.stored(&jane()).await, the_record(&world));
    assert_eq!((log.decisions.len(), record.version), (2, 2));
    // A run of the same person that ends meanwhile decides last.
    world.provider.answers("crustdata.company", vec![(Millis(300), good_company())]);
    assert!(matches!(world.work(&signup("jane@acme.io", "d2", Arrival::DemoRequest)).await, Worked::Finished { .. }));
    assert_eq!(the_record(&world).version, 3);
}
