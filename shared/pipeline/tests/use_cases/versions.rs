//! Published versions of the configuration: when a process sees them, and which one decides about a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::config::{MAIN_FILE, Sources};
use domain::credits::CapScope;
use domain::plan::{CallOutcome, Skip};
use domain::replay::{replay, replay_by};
use domain::reply::Reply;
use domain::route::Track;
use domain::run::Run;
use domain::signup::Arrival;
use domain::units::{Millis, Timestamp};
use pipeline::enrich::Configured;
use pipeline::memory::MemoryStore;
use pipeline::messages::LookupMessage;
use pipeline::ports::{Activated, Active, InForce, Published, Runs as _, Settings, Stage, StoreError, Version};
use pipeline::versions::{LOOK_EVERY, NoVersion, Versions};
use pipeline::work::Worked;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata};

use crate::world::{TIME_LEFT, World, config_of, decision, good_company, jane, signup, sources};

/// Settings that count how often they are read, and fail when they are told to.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) settings: Arc<MemoryStore>,
    actives: AtomicUsize,
    files: AtomicUsize,
    is_down: AtomicBool,
    /// How long the answer to the next question for what is in force is on its way.
    delay: AtomicU64,
}

impl Counted {
    /// How often it was asked what is in force, and for the files of a version.
    pub(crate) fn reads(&self) -> (usize, usize) {
        (self.actives.load(Ordering::Relaxed), self.files.load(Ordering::Relaxed))
    }

    fn count(&self, reads: &AtomicUsize) -> Result<(), StoreError> {
        reads.fetch_add(1, Ordering::Relaxed);
        if self.is_down.load(Ordering::Relaxed) { Err(StoreError::Unavailable("down".into())) } else { Ok(()) }
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// Publishes a version and puts it in force.
    pub(crate) async fn publish(&self, sources: &Sources, at: Timestamp) {
        self.publish_version(sources, at).await.unwrap();
        self.put_in_force(&named(sources), at).await;
    }

    pub(crate) async fn put_in_force(&self, what: &InForce, at: Timestamp) {
        let before = self.settings.in_force().await.unwrap();
        assert_eq!(self.activate(what, &before, at).await.unwrap(), Activated::Done);
    }
}

#[async_trait]
impl Settings for Counted {
    async fn active(&self) -> Result<Option<Active>, StoreError> {
        self.count(&self.actives)?;
        let active = self.settings.active().await;
        tokio::time::sleep(Duration::from_secs(self.delay.swap(0, Ordering::Relaxed))).await;
        active
    }

    async fn version(&self, hash: &str) -> Result<Option<Sources>, StoreError> {
        self.count(&self.files)?;
        self.settings.version(hash).await
    }

    async fn versions(&self) -> Result<Vec<Version>, StoreError> {
        self.settings.versions().await
    }

    async fn publish_version(&self, sources: &Sources, at: Timestamp) -> Result<Published, StoreError> {
        self.settings.publish_version(sources, at).await
    }

    async fn activate(&self, what: &InForce, instead_of: &InForce, at: Timestamp) -> Result<Activated, StoreError> {
        self.settings.activate(what, instead_of, at).await
    }
}

/// Counts the lines that are logged on this thread.
struct Lines(Arc<AtomicUsize>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn of_main(text: &str) -> Sources {
    Sources::new([(MAIN_FILE.to_owned(), text.to_owned())])
}

pub(crate) fn named(sources: &Sources) -> InForce {
    InForce::Version(sources.hash())
}

/// A process that makes the text of the main file out of a version, and nothing out of `broken`.
async fn texts(world: &World, settings: &Arc<Counted>, bundled: &str) -> Result<Versions<String>, NoVersion> {
    let make = |sources: &Sources| match sources.text(MAIN_FILE) {
        Some(text) if text != "broken" => Ok(text.to_owned()),
        _ => Err("it is broken".into()),
    };
    Versions::load(settings.clone(), world.clock.clone(), of_main(bundled), make).await
}

async fn pass(span: Millis) {
    tokio::time::sleep(span.to_std()).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_version_is_seen_a_minute_after_the_last_look_and_not_before() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    settings.publish(&of_main("one"), world.now()).await;
    assert_eq!((versions.in_force().await.as_str(), settings.reads()), ("zero", (1, 0)));
    pass(Millis(LOOK_EVERY.0 - 1)).await;
    assert_eq!((versions.in_force().await.as_str(), settings.reads()), ("zero", (1, 0)));
    pass(Millis(1)).await;
    assert_eq!((versions.in_force().await.as_str(), settings.reads()), ("one", (2, 1)));
    for _ in 0..10 {
        assert_eq!(versions.in_force().await.as_str(), "one");
    }
    assert_eq!(settings.reads(), (2, 1), "one look a minute");
    pass(LOOK_EVERY).await;
    assert_eq!((versions.in_force().await.as_str(), settings.reads()), ("one", (3, 1)), "the same files are not read again");
}

#[tokio::test(start_paused = true)]
async fn many_invocations_at_once_look_once() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    pass(LOOK_EVERY).await;
    futures::future::join_all((0..10).map(|_| versions.in_force())).await;
    assert_eq!(settings.reads(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn version_0_is_in_force_until_one_is_published_and_once_somebody_goes_back_to_it() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    assert_eq!(*texts(&world, &settings, "zero").await.unwrap().in_force().await, "zero");
    settings.publish_version(&of_main("one"), world.now()).await.unwrap();
    assert_eq!(*texts(&world, &settings, "zero").await.unwrap().in_force().await, "zero", "it was published and not put in force");
    settings.publish(&of_main("one"), world.now()).await;
    assert_eq!(*texts(&world, &settings, "zero").await.unwrap().in_force().await, "one");
    let before = settings.reads().1;
    assert_eq!(*texts(&world, &settings, "one").await.unwrap().in_force().await, "one");
    assert_eq!(settings.reads().1, before, "what came with the process is not read");
    settings.put_in_force(&InForce::Bundled, world.now()).await;
    assert_eq!(*texts(&world, &settings, "zero").await.unwrap().in_force().await, "zero", "somebody went back to it");
    assert_eq!(settings.reads().1, before);
}

#[tokio::test(start_paused = true)]
async fn a_look_in_vain_keeps_what_is_loaded_and_is_logged_once() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    let lines = Arc::new(AtomicUsize::new(0));
    let _guard = tracing::subscriber::set_default(Lines(lines.clone()));
    let look = async || {
        pass(LOOK_EVERY).await;
        (versions.in_force().await.to_string(), lines.swap(0, Ordering::Relaxed))
    };
    settings.set_down(true);
    assert_eq!([look().await, look().await], [("zero".to_owned(), 1), ("zero".to_owned(), 0)]);
    settings.set_down(false);
    assert_eq!(look().await, ("zero".to_owned(), 0));
    settings.set_down(true);
    assert_eq!(look().await, ("zero".to_owned(), 1), "it is another outage");
    settings.set_down(false);
    settings.publish(&of_main("broken"), world.now()).await;
    assert_eq!([look().await, look().await], [("zero".to_owned(), 1), ("zero".to_owned(), 0)]);
    settings.publish(&of_main("two"), world.now()).await;
    assert_eq!(look().await, ("two".to_owned(), 1), "the change itself is told");
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_in_force_is_looked_up_at_once_and_what_is_newer_still_is_taken() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    let since = async |seen: InForce| versions.in_force_since(&seen).await.map(|text| text.to_string());
    assert_eq!((since(InForce::Bundled).await.unwrap().as_str(), settings.reads()), ("zero", (1, 0)), "it is loaded");
    settings.publish(&of_main("one"), world.now()).await;
    assert_eq!((since(named(&of_main("one"))).await.unwrap().as_str(), settings.reads()), ("one", (2, 1)));
    assert_eq!(versions.in_force().await.as_str(), "one", "for everybody");
    settings.publish(&of_main("two"), world.now()).await;
    settings.publish(&of_main("three"), world.now()).await;
    assert_eq!(since(named(&of_main("two"))).await.unwrap(), "three");
    settings.put_in_force(&InForce::Bundled, world.now()).await;
    assert_eq!(since(InForce::Bundled).await.unwrap(), "zero");
}

#[tokio::test(start_paused = true)]
async fn where_what_was_seen_is_not_to_be_had_nobody_is_served_and_what_is_loaded_stays() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    settings.publish(&of_main("broken"), world.now()).await;
    let seen = named(&of_main("broken"));
    assert!(matches!(versions.in_force_since(&seen).await, Err(NoVersion::Unusable { .. })));
    settings.set_down(true);
    assert!(matches!(versions.in_force_since(&seen).await, Err(NoVersion::Unread(_))));
    assert_eq!(versions.in_force().await.as_str(), "zero");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_was_answered_late_does_not_put_an_older_version_back() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    settings.publish(&of_main("one"), world.now()).await;
    pass(LOOK_EVERY).await;
    settings.delay.store(10, Ordering::Relaxed);
    let asked_later = async {
        pass(Millis::seconds(1)).await;
        settings.publish(&of_main("two"), world.now()).await;
        versions.in_force_since(&named(&of_main("two"))).await.unwrap()
    };
    let (_, later) = tokio::join!(versions.in_force(), asked_later);
    assert_eq!((later.as_str(), versions.in_force().await.as_str()), ("two", "two"));
}

#[tokio::test(start_paused = true)]
async fn of_many_who_were_asked_under_a_newer_version_one_looks() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    settings.publish(&of_main("one"), world.now()).await;
    settings.delay.store(1, Ordering::Relaxed);
    let seen = named(&of_main("one"));
    let all = futures::future::join_all((0..10).map(|_| versions.in_force_since(&seen))).await;
    assert!(all.into_iter().all(|version| version.unwrap().as_str() == "one"));
    assert_eq!(settings.reads(), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn the_versions_used_last_stay_made_and_no_more_than_three() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    let files_read = async |text: &str| {
        let before = settings.reads().1;
        assert_eq!(versions.version(&of_main(text).hash()).await.unwrap().as_deref().map(String::as_str), Some(text));
        settings.reads().1 - before
    };
    for text in ["one", "two", "three", "four"] {
        settings.publish_version(&of_main(text), world.now()).await.unwrap();
    }
    for (text, reads) in [("one", 1), ("two", 1), ("three", 1), ("one", 0), ("three", 0), ("two", 0), ("one", 0)] {
        assert_eq!(files_read(text).await, reads, "{text}");
    }
    assert_eq!([files_read("four").await, files_read("one").await, files_read("two").await], [1, 0, 0]);
    assert_eq!(files_read("three").await, 1, "it was used longest ago");
    assert_eq!(files_read("zero").await, 0, "what is in force, and came with the process, is none of them");
}

#[tokio::test(start_paused = true)]
async fn the_version_from_before_stays_made() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    settings.publish(&of_main("one"), world.now()).await;
    let versions = texts(&world, &settings, "zero").await.unwrap();
    settings.publish(&of_main("two"), world.now()).await;
    assert_eq!(versions.in_force_since(&named(&of_main("two"))).await.unwrap().as_str(), "two");
    let reads = settings.reads().1;
    assert!(versions.version(&of_main("two").hash()).await.unwrap().is_some());
    settings.put_in_force(&named(&of_main("one")), world.now()).await;
    assert_eq!(versions.in_force_since(&named(&of_main("one"))).await.unwrap().as_str(), "one");
    assert_eq!(settings.reads().1, reads);
}

#[tokio::test(start_paused = true)]
async fn what_comes_into_force_takes_no_place_of_those_that_stay_made() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let versions = texts(&world, &settings, "zero").await.unwrap();
    for text in ["one", "two", "three"] {
        settings.publish_version(&of_main(text), world.now()).await.unwrap();
        versions.version(&of_main(text).hash()).await.unwrap();
    }
    settings.put_in_force(&named(&of_main("one")), world.now()).await;
    versions.in_force_since(&named(&of_main("one"))).await.unwrap();
    let reads = settings.reads().1;
    for text in ["zero", "two", "three"] {
        assert_eq!(versions.version(&of_main(text).hash()).await.unwrap().as_deref().map(String::as_str), Some(text));
    }
    assert_eq!(settings.reads().1, reads);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_version_0_finds_it_while_a_published_one_is_in_force() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    settings.publish(&of_main("one"), world.now()).await;
    let versions = texts(&world, &settings, "zero").await.unwrap();
    let reads = settings.reads();
    let found = versions.version(&of_main("zero").hash()).await.unwrap();
    assert_eq!((found.as_deref().map(String::as_str), settings.reads()), (Some("zero"), reads));
}

#[tokio::test(start_paused = true)]
async fn a_process_does_not_start_on_another_version_than_the_one_in_force() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    settings.publish(&of_main("broken"), world.now()).await;
    let error = texts(&world, &settings, "zero").await.err().unwrap();
    assert_eq!(error, NoVersion::Unusable { hash: of_main("broken").hash(), why: "it is broken".into() });
    settings.set_down(true);
    let error = texts(&world, &settings, "zero").await.err().unwrap();
    assert!(matches!(error, NoVersion::Unread(_)), "{error}");
}

/// The repository's rules, but that 60 points lead to somebody else.
pub(crate) fn changed() -> Sources {
    with(&sources(), "{when: score >= 60, to: ae_queue,", "{when: score >= 60, to: sdr_queue,")
}

/// The same files with one text in place of another.
pub(crate) fn with(files: &Sources, from: &str, to: &str) -> Sources {
    let changed = Sources::new(files.iter().map(|(path, text)| (path.to_owned(), text.replace(from, to))));
    assert_ne!(changed, *files);
    changed
}

/// A world whose worker takes its configuration from the settings.
async fn published_world(settings: &Arc<Counted>) -> World {
    let mut world = World::new();
    let provider = world.provider.clone();
    let make = move |sources: &Sources| Ok(Configured { config: Arc::new(config_of(sources)), provider: provider.clone() });
    let versions = Versions::load(settings.clone(), world.clock.clone(), sources(), make).await.unwrap();
    world.enrich.versions = Some(Arc::new(versions));
    world
}

/// One invocation with this message.
async fn invoke(world: &World, message: &LookupMessage) -> Worked {
    world.enrich.in_force().await.work(message, TIME_LEFT).await.unwrap()
}

/// Jane's run, parked for half a minute by a rate limit before it knows of her company.
async fn park_jane(world: &World) {
    let limited = Reply::RateLimited { retry_after: Millis::seconds(30) };
    world.provider.answers("crustdata.company", vec![(Millis(0), limited), (Millis(0), good_company())]);
    assert!(matches!(invoke(world, &jane()).await, Worked::Parked { .. }));
}

fn ended(worked: Worked) -> (String, Track) {
    let Worked::Finished { run } = worked else { panic!("expected the end of the run, got {worked:?}") };
    (run.config.clone(), decision(&run).route.track)
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_parked_over_a_switch_is_decided_by_the_version_it_is_pinned_to() {
    let settings = Arc::new(Counted::default());
    let world = published_world(&settings).await;
    settings.publish(&sources(), world.now()).await;
    park_jane(&world).await;
    settings.publish(&changed(), world.now()).await;
    pass(LOOK_EVERY).await;
    let new = ended(invoke(&world, &signup("john@acme.io", "d2", Arrival::Signup)).await);
    assert_eq!(new, (changed().hash(), Track::SdrQueue));
    let parked = ended(invoke(&world, &jane()).await);
    assert_eq!(parked, (sources().hash(), Track::AeQueue));
    let run = world.stored(&jane()).await;
    assert!(run.seen.iter().all(|seen| seen.config.is_none()), "no decision of it was made by another version");
}

#[tokio::test(start_paused = true)]
async fn a_lower_cap_acts_at_once_on_runs_of_earlier_versions_too() {
    let settings = Arc::new(Counted::default());
    let world = published_world(&settings).await;
    settings.publish(&sources(), world.now()).await;
    park_jane(&world).await;
    let capped = Sources::new(sources().iter().map(|(path, text)| (path.to_owned(), text.replace("    day: 500", "    day: 0"))));
    settings.publish(&capped, world.now()).await;
    pass(LOOK_EVERY).await;
    assert_eq!(ended(invoke(&world, &jane()).await).0, sources().hash());
    let run = world.stored(&jane()).await;
    let of_company = run.calls.iter().rfind(|call| call.operation == "crustdata.company").unwrap();
    assert_eq!(of_company.outcome, CallOutcome::NotMade { why: Skip::Cap { scope: CapScope::Day } });
}

#[tokio::test(start_paused = true)]
async fn another_process_finds_the_version_that_a_run_is_pinned_to_in_the_settings() {
    let settings = Arc::new(Counted::default());
    let mut world = published_world(&settings).await;
    settings.publish(&changed(), world.now()).await;
    world.enrich.versions = published_again(&world, &settings).await;
    park_jane(&world).await;
    let third = Sources::new(sources().iter().map(|(path, text)| (path.to_owned(), format!("{text}\n# third\n"))));
    settings.publish(&third, world.now()).await;
    world.enrich.versions = published_again(&world, &settings).await;
    pass(Millis::seconds(31)).await;
    let reads = settings.reads();
    assert_eq!(ended(invoke(&world, &jane()).await), (changed().hash(), Track::SdrQueue));
    assert_eq!(settings.reads(), (reads.0, reads.1 + 1), "its files were read, and nothing else");
}

/// The versions of a process that has just begun.
async fn published_again(world: &World, settings: &Arc<Counted>) -> Option<Arc<Versions<Configured>>> {
    let provider = world.provider.clone();
    let make = move |sources: &Sources| Ok(Configured { config: Arc::new(config_of(sources)), provider: provider.clone() });
    Some(Arc::new(Versions::load(settings.clone(), world.clock.clone(), sources(), make).await.unwrap()))
}

#[tokio::test(start_paused = true)]
async fn after_a_rollback_new_runs_take_the_version_from_before_and_nothing_is_read_for_it() {
    let settings = Arc::new(Counted::default());
    let world = published_world(&settings).await;
    let mut tracks = Vec::new();
    settings.publish(&sources(), world.now()).await;
    for (nth, hash) in [None, Some(changed().hash()), Some(sources().hash())].into_iter().enumerate() {
        match hash {
            Some(hash) if hash == changed().hash() => settings.publish(&changed(), world.now()).await,
            Some(hash) => settings.put_in_force(&InForce::Version(hash), world.now()).await,
            None => {}
        }
        pass(LOOK_EVERY).await;
        tracks.push(ended(invoke(&world, &signup(&format!("p{nth}@acme.io"), &format!("d{nth}"), Arrival::Signup)).await).1);
    }
    assert_eq!(tracks, [Track::AeQueue, Track::SdrQueue, Track::AeQueue]);
    assert_eq!(settings.reads().1, 1, "the version from before is still made");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_version_was_never_stored_is_decided_by_the_one_in_force_and_says_so_once() {
    let settings = Arc::new(Counted::default());
    let mut world = published_world(&settings).await;
    // A deploy with other bundled files, before anything was published.
    world.enrich.versions = None;
    world.enrich.config = Arc::new(config_of(&changed()));
    park_jane(&world).await;
    world.enrich.versions = published_again(&world, &settings).await;
    pass(Millis::seconds(31)).await;
    let lines = Arc::new(AtomicUsize::new(0));
    let worked = {
        let _guard = tracing::subscriber::set_default(Lines(lines.clone()));
        invoke(&world, &jane()).await
    };
    assert_eq!(ended(worked), (sources().hash(), Track::AeQueue));
    assert_eq!(lines.load(Ordering::Relaxed), 1);
    let run: Run = world.stored(&jane()).await;
    assert_eq!(run.seen[0].config, Some(changed().hash()), "the first decision keeps its own");
    let configs = [config_of(&changed()), config_of(&sources())];
    let replayed = replay_by(&run, |hash| configs.iter().find(|config| config.hash == hash)).unwrap();
    assert_eq!((replayed.decisions, replayed.skipped, replayed.differences), (run.decisions.len(), vec![], vec![]), "each by its own");
    let by_one = replay(&run, &configs[1]).unwrap();
    assert_eq!((by_one.decisions, by_one.skipped.len()), (run.decisions.len() - 1, 1));
}

#[tokio::test(start_paused = true)]
async fn while_nobody_knows_whether_there_is_the_version_the_message_comes_again_and_finds_the_run_free() {
    let settings = Arc::new(Counted::default());
    let mut world = published_world(&settings).await;
    settings.publish(&changed(), world.now()).await;
    world.enrich.versions = published_again(&world, &settings).await;
    park_jane(&world).await;
    settings.publish(&sources(), world.now()).await;
    world.enrich.versions = published_again(&world, &settings).await;
    pass(Millis::seconds(31)).await;
    settings.set_down(true);
    assert!(world.enrich.in_force().await.work(&jane(), TIME_LEFT).await.is_err());
    let id = jane().signup.run_id(&world.key);
    assert_eq!(world.store.read_run(&id).await.unwrap().unwrap().stage, Stage::Parked, "the claim is free");
    settings.set_down(false);
    assert_eq!(ended(invoke(&world, &jane()).await), (changed().hash(), Track::SdrQueue));
}
