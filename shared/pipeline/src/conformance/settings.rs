use std::sync::Arc;

use domain::config::{MAIN_FILE, Sources};
use domain::units::{Millis, Timestamp};

use super::START;
use crate::ports::{Activated, Active, InForce, Published, Settings, Version};

/// Versions of the configuration: stored once, never changed, and one of them in force.
pub async fn settings_suite<S: Settings, F: AsyncFn() -> Arc<S>>(fresh: F) {
    a_version_reads_back_as_it_was_published(&*fresh().await).await;
    the_same_files_are_one_version(&*fresh().await).await;
    what_is_published_is_not_in_force_by_that(&*fresh().await).await;
    only_what_was_published_can_be_put_in_force(&*fresh().await).await;
    the_one_before_is_remembered(&*fresh().await).await;
    whoever_did_not_know_what_is_in_force_changes_nothing(&*fresh().await).await;
    putting_in_force_what_is_changes_nothing(&*fresh().await).await;
    what_came_with_the_functions_can_be_gone_back_to(&*fresh().await).await;
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

async fn publish<S: Settings>(settings: &S, text: &str, at: Timestamp) -> InForce {
    assert_eq!(settings.publish_version(&version(text), at).await.unwrap(), Published::Stored);
    InForce::Version(version(text).hash())
}

async fn put_in_force<S: Settings>(settings: &S, what: &InForce, instead_of: &InForce, at: Timestamp) {
    assert_eq!(settings.activate(what, instead_of, at).await.unwrap(), Activated::Done);
}

fn listed(version: &InForce, published_at: Timestamp, activated_at: Option<Timestamp>) -> Version {
    Version { hash: version.as_str().to_owned(), published_at, activated_at }
}

async fn a_version_reads_back_as_it_was_published<S: Settings>(settings: &S) {
    assert_eq!(settings.version(&version("a").hash()).await.unwrap(), None);
    assert_eq!(settings.versions().await.unwrap(), []);
    let (a, b) = (publish(settings, "a", START).await, publish(settings, "b", later(1)).await);
    assert_eq!(settings.version(a.as_str()).await.unwrap(), Some(version("a")));
    assert_eq!(settings.version(b.as_str()).await.unwrap(), Some(version("b")));
    assert_eq!(settings.versions().await.unwrap(), [listed(&b, later(1), None), listed(&a, START, None)]);
}

async fn the_same_files_are_one_version<S: Settings>(settings: &S) {
    let a = publish(settings, "a", START).await;
    put_in_force(settings, &a, &InForce::Bundled, later(1)).await;
    assert_eq!(settings.publish_version(&version("a"), later(2)).await.unwrap(), Published::Before);
    assert_eq!(settings.versions().await.unwrap(), [listed(&a, START, Some(later(1)))]);
}

async fn what_is_published_is_not_in_force_by_that<S: Settings>(settings: &S) {
    assert_eq!(settings.active().await.unwrap(), None);
    let a = publish(settings, "a", START).await;
    assert_eq!((settings.active().await.unwrap(), settings.in_force().await.unwrap()), (None, InForce::Bundled));
    put_in_force(settings, &a, &InForce::Bundled, later(1)).await;
    publish(settings, "b", later(2)).await;
    assert_eq!(settings.in_force().await.unwrap(), a);
    assert_eq!(settings.active().await.unwrap(), Some(Active { what: a, since: later(1), before: InForce::Bundled }));
}

async fn only_what_was_published_can_be_put_in_force<S: Settings>(settings: &S) {
    let a = publish(settings, "a", START).await;
    let nobody = InForce::Version("0123456789abcdef".to_owned());
    assert_eq!(settings.activate(&nobody, &InForce::Bundled, START).await.unwrap(), Activated::Unknown);
    assert_eq!(settings.active().await.unwrap(), None);
    put_in_force(settings, &a, &InForce::Bundled, START).await;
    for instead_of in [&a, &InForce::Bundled] {
        assert_eq!(settings.activate(&nobody, instead_of, START).await.unwrap(), Activated::Unknown);
    }
    assert_eq!(settings.versions().await.unwrap().len(), 1, "a refused wish lists nothing");
}

async fn the_one_before_is_remembered<S: Settings>(settings: &S) {
    let (a, b) = (publish(settings, "a", START).await, publish(settings, "b", later(1)).await);
    put_in_force(settings, &a, &InForce::Bundled, later(2)).await;
    put_in_force(settings, &b, &a, later(3)).await;
    let of_b = Active { what: b.clone(), since: later(3), before: a.clone() };
    assert_eq!(settings.active().await.unwrap(), Some(of_b));
    put_in_force(settings, &a, &b, later(4)).await;
    let of_a = Active { what: a.clone(), since: later(4), before: b.clone() };
    assert_eq!(settings.active().await.unwrap(), Some(of_a));
    let both = [listed(&b, later(1), Some(later(3))), listed(&a, START, Some(later(4)))];
    assert_eq!(settings.versions().await.unwrap(), both);
}

async fn whoever_did_not_know_what_is_in_force_changes_nothing<S: Settings>(settings: &S) {
    let (a, b, c) = (publish(settings, "a", START).await, publish(settings, "b", START).await, publish(settings, "c", START).await);
    assert_eq!(settings.activate(&b, &a, START).await.unwrap(), Activated::Other(InForce::Bundled), "nothing is in force yet");
    put_in_force(settings, &a, &InForce::Bundled, START).await;
    for instead_of in [&InForce::Bundled, &c] {
        assert_eq!(settings.activate(&b, instead_of, later(1)).await.unwrap(), Activated::Other(a.clone()));
    }
    assert_eq!(settings.activate(&InForce::Bundled, &c, later(1)).await.unwrap(), Activated::Other(a.clone()));
    assert_eq!(settings.active().await.unwrap(), Some(Active { what: a, since: START, before: InForce::Bundled }));
    let of_b = settings.versions().await.unwrap().into_iter().find(|version| version.hash == b.as_str()).unwrap();
    assert_eq!(of_b.activated_at, None);
}

async fn putting_in_force_what_is_changes_nothing<S: Settings>(settings: &S) {
    let (a, b) = (publish(settings, "a", START).await, publish(settings, "b", START).await);
    for instead_of in [&InForce::Bundled, &a] {
        assert_eq!(settings.activate(&InForce::Bundled, instead_of, START).await.unwrap(), Activated::Before);
    }
    assert_eq!(settings.active().await.unwrap(), None, "nothing was put in force");
    put_in_force(settings, &a, &InForce::Bundled, START).await;
    put_in_force(settings, &b, &a, later(1)).await;
    for instead_of in [&InForce::Bundled, &a, &b] {
        assert_eq!(settings.activate(&b, instead_of, later(2)).await.unwrap(), Activated::Before);
    }
    assert_eq!(settings.active().await.unwrap(), Some(Active { what: b, since: later(1), before: a }));
}

async fn what_came_with_the_functions_can_be_gone_back_to<S: Settings>(settings: &S) {
    let a = publish(settings, "a", START).await;
    put_in_force(settings, &a, &InForce::Bundled, later(1)).await;
    put_in_force(settings, &InForce::Bundled, &a, later(2)).await;
    assert_eq!(settings.active().await.unwrap(), Some(Active { what: InForce::Bundled, since: later(2), before: a.clone() }));
    assert_eq!(settings.in_force().await.unwrap(), InForce::Bundled);
    assert_eq!(settings.activate(&InForce::Bundled, &a, later(3)).await.unwrap(), Activated::Before);
    assert_eq!(settings.activate(&a, &a, later(3)).await.unwrap(), Activated::Other(InForce::Bundled));
    assert_eq!(settings.versions().await.unwrap(), [listed(&a, START, Some(later(1)))], "it is no published version");
    put_in_force(settings, &a, &InForce::Bundled, later(4)).await;
    assert_eq!(settings.active().await.unwrap(), Some(Active { what: a, since: later(4), before: InForce::Bundled }));
}

async fn of_many_at_once_one_puts_its_version_in_force<S: Settings>(settings: Arc<S>) {
    let mut versions = Vec::new();
    for text in ["a", "b", "c", "d", "e"] {
        versions.push(publish(&*settings, text, START).await);
    }
    let wishes = versions.iter().map(|version| settings.activate(version, &InForce::Bundled, START));
    let done: Vec<bool> = futures::future::join_all(wishes).await.into_iter().map(|done| done.unwrap() == Activated::Done).collect();
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    let winner = done.iter().position(|done| *done).unwrap();
    assert_eq!(settings.in_force().await.unwrap(), versions[winner]);
    let activated: Vec<Version> = settings.versions().await.unwrap().into_iter().filter(|version| version.activated_at.is_some()).collect();
    assert_eq!(activated.len(), 1);
}
