use std::sync::Arc;

use domain::units::{Millis, Timestamp};

use super::START;
use crate::ports::{Poison, PutAside, Runs};

/// What was put aside is found by its day and forgotten one by one.
pub async fn put_aside_suite<S: PutAside + Runs, F: AsyncFn() -> Arc<S>>(fresh: F) {
    what_was_put_aside_is_found_by_its_day(&*fresh().await).await;
    what_is_forgotten_is_gone_and_nothing_else(&*fresh().await).await;
    much_is_found_whole(&*fresh().await).await;
}

fn poison(id: &str, at: Timestamp) -> Poison {
    Poison { id: id.into(), queue: "lookup".into(), why: "not JSON".into(), body: "{".into(), at }
}

/// By their ids: the order is the store's.
async fn on<S: PutAside>(store: &S, at: Timestamp) -> Vec<Poison> {
    let mut found = store.put_aside_on(&at.day()).await.unwrap();
    found.sort_by(|left, right| left.id.cmp(&right.id));
    found
}

async fn what_was_put_aside_is_found_by_its_day<S: PutAside + Runs>(store: &S) {
    let tomorrow = START.after(Millis::days(1));
    assert_eq!(on(store, START).await, []);
    for poison in [poison("a", START), poison("b", START), poison("b", START), poison("c", tomorrow)] {
        store.keep_poison(&poison).await.unwrap();
    }
    assert_eq!(on(store, START).await, [poison("a", START), poison("b", START)]);
    assert_eq!(on(store, tomorrow).await, [poison("c", tomorrow)]);
}

async fn what_is_forgotten_is_gone_and_nothing_else<S: PutAside + Runs>(store: &S) {
    for poison in [poison("a", START), poison("b", START)] {
        store.keep_poison(&poison).await.unwrap();
    }
    for _ in 0..2 {
        store.forget_put_aside(&poison("a", START)).await.unwrap();
        assert_eq!(on(store, START).await, [poison("b", START)]);
    }
}

/// More than the database gives in one answer, which is 1 MB.
async fn much_is_found_whole<S: PutAside + Runs>(store: &S) {
    let body = "x".repeat(200_000);
    for id in ["a", "b", "c", "d", "e", "f", "g"] {
        store.keep_poison(&Poison { body: body.clone(), ..poison(id, START) }).await.unwrap();
    }
    assert_eq!(on(store, START).await.len(), 7);
}
