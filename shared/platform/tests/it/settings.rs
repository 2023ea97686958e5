//! Published versions of the configuration in the table of settings.

use domain::config::{MAIN_FILE, Sources};
use domain::units::Millis;
use pipeline::ports::{Activated, InForce, Published, Settings as _};
use platform::Table;
use rand::Rng as _;
use serde_json::json;

use crate::database::{START, fresh};
use crate::proxy::{Fault, fresh_with_faults};

fn of_main(text: String) -> Sources {
    Sources::new([(MAIN_FILE.to_owned(), text)])
}

/// So many letters that do not pack well.
fn noise(letters: usize) -> String {
    let mut random = rand::rng();
    (0..letters).map(|_| char::from(random.random_range(b'!'..=b'~'))).collect()
}

#[tokio::test]
async fn the_configuration_of_the_repository_is_stored_in_a_fraction_of_what_an_item_holds() {
    let fresh = fresh().await;
    let bundled = platform::bundled_config();
    assert_eq!(fresh.store.publish_version(&bundled, START).await.unwrap(), Published::Stored);
    assert_eq!(fresh.store.version(&bundled.hash()).await.unwrap(), Some(bundled));
    let longest = fresh.items(Table::Settings).iter().map(|item| json!(item).to_string().len()).max().unwrap();
    assert!(longest < 40_000, "{longest}");
}

#[tokio::test]
async fn a_version_that_no_item_holds_is_refused_with_its_size_and_nothing_is_stored() {
    let fresh = fresh().await;
    let fits = of_main(noise(430_000));
    assert_eq!(fresh.store.publish_version(&fits, START).await.unwrap(), Published::Stored);
    for too_large in [of_main(noise(550_000)), of_main(" ".repeat(3_000_000))] {
        let refused = fresh.store.publish_version(&too_large, START).await.unwrap();
        assert!(matches!(refused, Published::TooLarge { bytes, most } if bytes > most), "{refused:?}");
        assert_eq!(fresh.store.version(&too_large.hash()).await.unwrap(), None);
    }
    assert_eq!(fresh.store.versions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_version_whose_files_were_changed_from_outside_is_read_by_nobody() {
    let fresh = fresh().await;
    let (published, other) = (of_main("a".repeat(600)), of_main("b".repeat(600)));
    for sources in [&published, &other] {
        fresh.store.publish_version(sources, START).await.unwrap();
    }
    let items = fresh.items(Table::Settings);
    let of = |hash: &str| items.iter().find(|item| item["pk"]["S"] == format!("default#CFG#{hash}")).unwrap().clone();
    let mut changed = of(&published.hash());
    changed.insert("doc".to_owned(), of(&other.hash())["doc"].clone());
    fresh.overwrite(Table::Settings, &changed);
    let error = fresh.store.version(&published.hash()).await.unwrap_err().to_string();
    assert!(error.contains(&published.hash()) && error.contains("not those that its hash names"), "{error}");
    assert_eq!(fresh.store.version(&other.hash()).await.unwrap(), Some(other));
}

#[tokio::test]
async fn a_version_whose_replies_are_lost_is_published_and_put_in_force_once() {
    for fault in [Fault::LostReply, Fault::Collision] {
        let (fresh, faults) = fresh_with_faults().await;
        let (one, two) = (of_main("a".into()), of_main("b".into()));
        let of = |sources: &Sources| InForce::Version(sources.hash());
        faults.next(&[fault]);
        assert_eq!(fresh.store.publish_version(&one, START).await.unwrap(), Published::Stored);
        fresh.store.publish_version(&two, START).await.unwrap();
        faults.next(&[fault]);
        assert_eq!(fresh.store.activate(&of(&one), &InForce::Bundled, START).await.unwrap(), Activated::Done);
        faults.next(&[fault]);
        let later = START.after(Millis(1));
        assert_eq!(fresh.store.activate(&of(&two), &of(&one), later).await.unwrap(), Activated::Done);
        assert_eq!(fresh.store.active().await.unwrap().unwrap().before, of(&one));
        assert_eq!(faults.left(), 0);
    }
}
