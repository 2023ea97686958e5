use std::sync::Arc;

use domain::config::{MAIN_FILE, Sources};
use domain::units::{Millis, Timestamp};

use super::START;
use crate::ports::{Activated, Active, Published, Settings, Version};

/// Versions of the configuration: stored once, never changed, and one of them in force.
pub async fn settings_suite<S: Settings, F: AsyncFn() -> Arc<S>>(fresh: F) {
    a_version_reads_back_as_it_was_published(&*fresh().await).await;
    the_same_files_are_one_version(&*fresh().await).await;
    what_is_published_is_not_in_force_by_that(&*fresh().await).await;
    only_what_was_published_can_be_put_in_force(&*fresh().await).await;
    the_one_before_is_remembered(&*fresh().await).await;
    whoever_did_not_know_what_is_in_force_changes_nothing(&*fresh().await).await;
    putting_in_force_what_is_changes_nothing(&*fresh().await).await;
    of_many_at_once_one_puts_its_version_in_force(fresh().await).await;
}

fn later(minutes: i64) -> Timestamp {
    START.after(Millis::minutes(minutes))
}

/// A version that is unlike every other of another text, and long enough to be stored packed.
fn version(text: &str) -> Sources {
    let long = format!("# {text}\n").repeat(200);
    Sources::new([(MAIN_FILE.to_owned(), long), ("presets/signup.yaml".to_owned(), String::new())])
}

async fn publish<S: Settings>(settings: &S, text: &str, at: Timestamp) -> String {
    assert_eq!(settings.publish_version(&version(text), at).await.unwrap(), Published::Stored);
    version(text).hash()
}

async fn put_in_force<S: Settings>(settings: &S, hash: &str, expecting: Option<&str>, at: Timestamp) {
    assert_eq!(settings.activate(hash, expecting, at).await.unwrap(), Activated::Done);
}

async fn a_version_reads_back_as_it_was_published<S: Settings>(settings: &S) {
    assert_eq!(settings.version(&version("a").hash()).await.unwrap(), None);
    assert_eq!(settings.versions().await.unwrap(), []);
    let (a, b) = (publish(settings, "a", START).await, publish(settings, "b", later(1)).await);
    assert_eq!(settings.version(&a).await.unwrap(), Some(version("a")));
    assert_eq!(settings.version(&b).await.unwrap(), Some(version("b")));
    let listed = |hash: &str, published_at| Version { hash: hash.to_owned(), published_at, activated_at: None };
    assert_eq!(settings.versions().await.unwrap(), [listed(&b, later(1)), listed(&a, START)]);
}

async fn the_same_files_are_one_version<S: Settings>(settings: &S) {
    let a = publish(settings, "a", START).await;
    put_in_force(settings, &a, None, later(1)).await;
    assert_eq!(settings.publish_version(&version("a"), later(2)).await.unwrap(), Published::Before);
    let listed = Version { hash: a, published_at: START, activated_at: Some(later(1)) };
    assert_eq!(settings.versions().await.unwrap(), [listed]);
}

async fn what_is_published_is_not_in_force_by_that<S: Settings>(settings: &S) {
    assert_eq!(settings.active().await.unwrap(), None);
    let a = publish(settings, "a", START).await;
    assert_eq!(settings.active().await.unwrap(), None);
    put_in_force(settings, &a, None, later(1)).await;
    publish(settings, "b", later(2)).await;
    assert_eq!(settings.active().await.unwrap(), Some(Active { hash: a, since: later(1), before: None }));
}

async fn only_what_was_published_can_be_put_in_force<S: Settings>(settings: &S) {
    let a = publish(settings, "a", START).await;
    assert_eq!(settings.activate("0123456789abcdef", None, START).await.unwrap(), Activated::Unknown);
    assert_eq!(settings.active().await.unwrap(), None);
    put_in_force(settings, &a, None, START).await;
    assert_eq!(settings.activate("0123456789abcdef", Some(&a), START).await.unwrap(), Activated::Unknown);
    assert_eq!(settings.versions().await.unwrap().len(), 1, "a refused wish lists nothing");
}

async fn the_one_before_is_remembered<S: Settings>(settings: &S) {
    let (a, b) = (publish(settings, "a", START).await, publish(settings, "b", later(1)).await);
    put_in_force(settings, &a, None, later(2)).await;
    put_in_force(settings, &b, Some(&a), later(3)).await;
    let of_b = Active { hash: b.clone(), since: later(3), before: Some(a.clone()) };
    assert_eq!(settings.active().await.unwrap(), Some(of_b));
    put_in_force(settings, &a, Some(&b), later(4)).await;
    let of_a = Active { hash: a.clone(), since: later(4), before: Some(b.clone()) };
    assert_eq!(settings.active().await.unwrap(), Some(of_a));
    let listed = |hash: String, published_at, at| Version { hash, published_at, activated_at: Some(at) };
    assert_eq!(settings.versions().await.unwrap(), [listed(b, later(1), later(3)), listed(a, START, later(4))]);
}

async fn whoever_did_not_know_what_is_in_force_changes_nothing<S: Settings>(settings: &S) {
    let (a, b, c) = (publish(settings, "a", START).await, publish(settings, "b", START).await, publish(settings, "c", START).await);
    assert_eq!(settings.activate(&b, Some(&a), START).await.unwrap(), Activated::Other(None), "nothing is in force yet");
    put_in_force(settings, &a, None, START).await;
    let of_a = Active { hash: a.clone(), since: START, before: None };
    for expecting in [None, Some(c.as_str())] {
        assert_eq!(settings.activate(&b, expecting, later(1)).await.unwrap(), Activated::Other(Some(of_a.clone())));
    }
    assert_eq!(settings.active().await.unwrap(), Some(of_a));
    let of_b = settings.versions().await.unwrap().into_iter().find(|version| version.hash == b).unwrap();
    assert_eq!(of_b.activated_at, None);
}

async fn putting_in_force_what_is_changes_nothing<S: Settings>(settings: &S) {
    let (a, b) = (publish(settings, "a", START).await, publish(settings, "b", START).await);
    put_in_force(settings, &a, None, START).await;
    put_in_force(settings, &b, Some(&a), later(1)).await;
    for expecting in [None, Some(a.as_str()), Some(b.as_str())] {
        assert_eq!(settings.activate(&b, expecting, later(2)).await.unwrap(), Activated::Before);
    }
    assert_eq!(settings.active().await.unwrap(), Some(Active { hash: b, since: later(1), before: Some(a) }));
}

async fn of_many_at_once_one_puts_its_version_in_force<S: Settings>(settings: Arc<S>) {
    let texts = ["a", "b", "c", "d", "e"];
    for text in texts {
        publish(&*settings, text, START).await;
    }
    let hashes = texts.map(|text| version(text).hash());
    let wishes = hashes.iter().map(|hash| settings.activate(hash, None, START));
    let done: Vec<bool> = futures::future::join_all(wishes).await.into_iter().map(|done| done.unwrap() == Activated::Done).collect();
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    let winner = done.iter().position(|done| *done).unwrap();
    assert_eq!(settings.active().await.unwrap().unwrap().hash, hashes[winner]);
    let activated: Vec<Version> = settings.versions().await.unwrap().into_iter().filter(|version| version.activated_at.is_some()).collect();
    assert_eq!(activated.len(), 1);
}
