use std::sync::Arc;

use domain::run::Run;
use domain::signup::RunId;

use super::{START, run, take};
use crate::ports::{Poison, RunLog, Runs, Stage};

/// Every run is shown once, and nothing else.
pub async fn run_log_suite<S: RunLog + Runs, F: AsyncFn() -> Arc<S>>(fresh: F) {
    every_run_is_shown_as_it_stands(&*fresh().await).await;
    many_are_shown_once_each(&*fresh().await).await;
}

async fn shown<S: RunLog>(store: &S) -> Vec<(Run, Stage)> {
    let mut shown = Vec::new();
    store.each_run(&mut |stored| shown.push(stored.map(|stored| (stored.run, stored.stage)).unwrap())).await.unwrap();
    shown.sort_by(|left, right| left.0.id.cmp(&right.0.id));
    shown
}

async fn every_run_is_shown_as_it_stands<S: RunLog + Runs>(store: &S) {
    assert_eq!(shown(store).await, []);
    take(store, 'a', "n1", START).await;
    let (lease, mut parked) = take(store, 'b', "n2", START).await;
    parked.config = "another".into();
    store.park_run(&lease, &parked).await.unwrap();
    let aside = Poison { id: "p".into(), queue: "lookup".into(), why: "not JSON".into(), body: "{".into(), at: START };
    store.keep_poison(&aside).await.unwrap();
    store.open_window("somebody", &run('a').id, START, START).await.unwrap();
    assert_eq!(shown(store).await, [(run('a'), Stage::Working), (parked, Stage::Parked)]);
}

/// More than the database gives in one answer, which is 1 MB.
async fn many_are_shown_once_each<S: RunLog + Runs>(store: &S) {
    let letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (number, letter) in letters.into_iter().enumerate() {
        let (lease, mut long) = take(store, letter, "n", START).await;
        long.config = noise(number);
        store.save_run(&lease, &long).await.unwrap();
    }
    let ids: Vec<RunId> = shown(store).await.into_iter().map(|(run, _)| run.id).collect();
    assert_eq!(ids, letters.map(|letter| run(letter).id));
}

/// 200 KB that do not pack well.
fn noise(seed: usize) -> String {
    let mut state = u32::try_from(seed).unwrap() + 1;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + u8::try_from(state >> 26).unwrap())
    };
    (0..270_000).map(|_| draw()).collect()
}
