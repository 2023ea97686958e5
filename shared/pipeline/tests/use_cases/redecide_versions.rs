//! By which version of the configuration a lead is decided about again, and by which one its log is completed.

use std::sync::Arc;

use domain::config::{Config, Sources};
use domain::replay::{Replayed, replay_by};
use domain::route::Track;
use domain::units::Millis;
use pipeline::messages::{RedecideMessage, from_body, to_body};
use pipeline::ports::{InForce, Records as _, Saved, Settings as _};
use pipeline::redecide::{Redecide, Redecided};
use pipeline::versions::{LOOK_EVERY, Versions};

use crate::redecide::{Trouble, asked, decided, the_record, troubled};
use crate::versions::{Counted, changed, named, with};
use crate::world::{World, config_of, jane, sources};

/// A process that has loaded what is in force now.
async fn process(world: &World, settings: &Arc<Counted>) -> Redecide {
    let make = |sources: &Sources| Ok(config_of(sources));
    let versions = Arc::new(Versions::load(settings.clone(), world.clock.clone(), sources(), make).await.unwrap());
    let config = versions.in_force().await;
    Redecide { store: world.store.clone(), queue: world.queue.clone(), clock: world.clock.clone(), config, versions: Some(versions) }
}

fn under(message: &RedecideMessage, in_force: InForce) -> RedecideMessage {
    RedecideMessage { config: Some(in_force), ..message.clone() }
}

fn to(ended: &Redecided) -> Track {
    match ended {
        Redecided::Changed { to, .. } => *to,
        other => panic!("expected another decision, got {other:?}"),
    }
}

/// As `changed`, but that they lead to a third.
fn third() -> Sources {
    with(&changed(), "to: sdr_queue,", "to: sales_assist,")
}

/// The decisions of Jane's run, each made again by its own configuration.
async fn replayed(world: &World, versions: &[Sources]) -> Replayed {
    let configs: Vec<Config> = versions.iter().map(config_of).collect();
    replay_by(&world.stored(&jane()).await, |hash| configs.iter().find(|config| config.hash == hash)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn within_a_minute_of_publishing_the_version_decides_under_which_it_was_asked_for() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let (_, message) = decided(&world).await;
    let redecide = process(&world, &settings).await;
    settings.publish(&changed(), world.now()).await;
    assert!(matches!(redecide.in_force().await.work(&message).await.unwrap(), Redecided::Unchanged { .. }), "as it was without");
    let ended = redecide.in_force().await.work(&under(&message, named(&changed()))).await.unwrap();
    assert_eq!(to(&ended), Track::SdrQueue);
    assert_eq!(world.stored(&jane()).await.config, changed().hash());
    let reads = settings.reads();
    redecide.in_force().await.work(&under(&message, named(&changed()))).await.unwrap();
    assert_eq!(settings.reads(), reads, "what is loaded is not looked up");
}

#[tokio::test(start_paused = true)]
async fn a_minute_after_publishing_the_version_decides_whoever_asked() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let (_, message) = decided(&world).await;
    let redecide = process(&world, &settings).await;
    settings.publish(&changed(), world.now()).await;
    tokio::time::advance(LOOK_EVERY.to_std()).await;
    assert_eq!(to(&redecide.in_force().await.work(&message).await.unwrap()), Track::SdrQueue);
}

#[tokio::test(start_paused = true)]
async fn where_somebody_published_since_the_newer_version_decides() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let (_, message) = decided(&world).await;
    let redecide = process(&world, &settings).await;
    settings.publish(&changed(), world.now()).await;
    settings.publish(&third(), world.now()).await;
    let ended = redecide.in_force().await.work(&under(&message, named(&changed()))).await.unwrap();
    assert_eq!((to(&ended), world.stored(&jane()).await.config), (Track::SalesAssist, third().hash()));
    settings.put_in_force(&InForce::Bundled, world.now()).await;
    let ended = redecide.in_force().await.work(&under(&message, InForce::Bundled)).await.unwrap();
    assert_eq!((to(&ended), world.stored(&jane()).await.config), (Track::AeQueue, sources().hash()), "what came with it, too");
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_under_a_version_that_is_not_to_be_had_comes_again_and_changes_nothing() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let (_, message) = decided(&world).await;
    let redecide = process(&world, &settings).await;
    settings.publish(&changed(), world.now()).await;
    settings.set_down(true);
    let before = world.store.fingerprint();
    let why = redecide.in_force().await.work(&under(&message, named(&changed()))).await.unwrap_err().0;
    assert!(why.contains("settings table cannot be read"), "{why}");
    assert_eq!(world.store.fingerprint(), before);
    settings.set_down(false);
    let ended = redecide.in_force().await.work(&under(&message, named(&changed()))).await.unwrap();
    assert_eq!(to(&ended), Track::SdrQueue);
}

#[test]
fn a_message_of_an_earlier_program_names_no_version_and_is_read() {
    let old: RedecideMessage = from_body(r#"{"record":"r","cause":"operator"}"#).unwrap();
    assert_eq!((&old.config, to_body(&old).unwrap()), (&None, r#"{"record":"r","cause":"operator"}"#.to_owned()));
    for (in_force, written) in [(InForce::Bundled, "bundled"), (InForce::Version("0123456789abcdef".into()), "0123456789abcdef")] {
        let body = to_body(&under(&old, in_force.clone())).unwrap();
        assert!(body.contains(&format!(r#""config":"{written}""#)), "{body}");
        assert_eq!(from_body::<RedecideMessage>(&body).unwrap().config, Some(in_force));
    }
}

/// The same decisions on facts that are less sure.
fn less_sure() -> Sources {
    with(&changed(), "crustdata: 8500", "crustdata: 6500")
}

/// A worker that decided by `changed` has died before it wrote the log.
async fn unlogged(world: &World, settings: &Arc<Counted>) -> RedecideMessage {
    let (_, message) = decided(world).await;
    settings.publish(&changed(), world.now()).await;
    let redecide = process(world, settings).await;
    let died = Redecide { store: troubled(&world.store, 1, Trouble::Before), ..redecide }.work(&message).await;
    assert!(died.is_err(), "{died:?}");
    assert_eq!((the_record(world).version, world.stored(&jane()).await.decisions.len()), (2, 1));
    settings.publish(&less_sure(), world.now()).await;
    message
}

#[tokio::test(start_paused = true)]
async fn a_decision_is_logged_with_the_facts_of_the_version_that_made_it() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let message = unlogged(&world, &settings).await;
    let ended = process(&world, &settings).await.work(&message).await.unwrap();
    assert!(matches!(ended, Redecided::Unchanged { .. }), "{ended:?}");
    let log = world.stored(&jane()).await;
    assert_eq!((log.decisions.len(), &log.config), (2, &changed().hash()));
    let expected = Replayed { decisions: 2, ..Replayed::default() };
    assert_eq!(replayed(&world, &[sources(), changed(), less_sure()]).await, expected);
}

#[tokio::test(start_paused = true)]
async fn what_was_left_out_of_the_log_comes_before_what_is_decided_now() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let message = unlogged(&world, &settings).await;
    settings.publish(&third(), world.now()).await;
    let ended = process(&world, &settings).await.work(&message).await.unwrap();
    assert_eq!(to(&ended), Track::SalesAssist, "in one go");
    let tracks: Vec<Track> = world.stored(&jane()).await.decisions.iter().map(|decision| decision.route.track).collect();
    assert_eq!(tracks, [Track::AeQueue, Track::SdrQueue, Track::SalesAssist]);
    let expected = Replayed { decisions: 3, ..Replayed::default() };
    assert_eq!(replayed(&world, &[sources(), changed(), third()]).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_decision_whose_version_is_not_to_be_had_is_followed_by_one_whose_facts_are_known() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let message = unlogged(&world, &settings).await;
    // A deployment changed what comes with the functions, and nothing was published.
    let config = Arc::new(config_of(&less_sure()));
    let redecide = Redecide { config, versions: None, ..process(&world, &settings).await };
    let ended = redecide.work(&message).await.unwrap();
    assert_eq!(to(&ended), Track::SdrQueue, "as it was decided before, and logged");
    let (log, record) = (world.stored(&jane()).await, the_record(&world));
    assert_eq!((log.decisions.len(), &log.config, record.version), (2, &less_sure().hash(), 3));
    assert_eq!(log.decision(), record.decided.as_ref().map(|decided| &decided.decision));
    assert_eq!(replayed(&world, &[sources(), less_sure()]).await, Replayed { decisions: 2, ..Replayed::default() });
    let before = world.store.fingerprint();
    assert!(matches!(redecide.work(&message).await.unwrap(), Redecided::Unchanged { .. }));
    assert_eq!(world.store.fingerprint(), before, "and that was it");
}

#[tokio::test(start_paused = true)]
async fn a_decision_of_an_earlier_program_names_no_configuration_and_is_logged_all_the_same() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let message = unlogged(&world, &settings).await;
    let mut record = the_record(&world);
    let decided = record.decided.as_mut().unwrap();
    decided.config = String::new();
    let decision = decided.decision.clone();
    record.version += 1;
    assert_eq!(world.store.save_record(&record, &[]).await.unwrap(), Saved::Stored);
    process(&world, &settings).await.work(&message).await.unwrap();
    assert_eq!(world.stored(&jane()).await.decisions.get(1), Some(&decision));
}

#[tokio::test(start_paused = true)]
async fn a_version_whose_reading_fails_leaves_the_log_to_the_message_that_comes_again() {
    let (world, settings) = (World::new(), Arc::new(Counted::default()));
    let message = unlogged(&world, &settings).await;
    let redecide = process(&world, &settings).await;
    settings.set_down(true);
    let before = world.store.fingerprint();
    assert!(redecide.work(&asked(&message.record)).await.is_err());
    assert_eq!(world.store.fingerprint(), before);
    settings.set_down(false);
    tokio::time::advance(Millis(1).to_std()).await;
    assert!(redecide.work(&message).await.is_ok());
    assert_eq!(settings.settings.in_force().await.unwrap(), named(&less_sure()));
}
