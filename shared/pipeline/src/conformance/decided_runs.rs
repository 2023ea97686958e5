use std::sync::Arc;

use super::{START, run_id, take};
use crate::ports::{DecidedRun, DecidedRuns, Runs, Saved, Stage};

/// A log is added to once its run is done, by one at a time.
pub async fn decided_runs_suite<S: DecidedRuns + Runs, F: AsyncFn() -> Arc<S>>(fresh: F) {
    a_run_that_is_not_done_is_not_added_to(&*fresh().await).await;
    of_two_who_add_one_reads_again(&*fresh().await).await;
}

async fn done<S: DecidedRuns + Runs>(store: &S) -> DecidedRun {
    let (lease, run) = take(store, 'a', "n1", START).await;
    store.decide_run(&lease, &run).await.unwrap();
    store.finish_run(&lease).await.unwrap();
    store.decided_run(&run_id('a')).await.unwrap().unwrap()
}

async fn a_run_that_is_not_done_is_not_added_to<S: DecidedRuns + Runs>(store: &S) {
    assert_eq!(store.decided_run(&run_id('a')).await.unwrap(), None);
    let (lease, run) = take(store, 'a', "n1", START).await;
    let working = store.decided_run(&run_id('a')).await.unwrap().unwrap();
    assert_eq!((working.stage, &working.run), (Stage::Working, &run));
    assert_eq!(store.amend_run(&working).await.unwrap(), Saved::Conflict);
    store.decide_run(&lease, &run).await.unwrap();
    let decided = store.decided_run(&run_id('a')).await.unwrap().unwrap();
    assert_eq!((decided.stage, store.amend_run(&decided).await.unwrap()), (Stage::Decided, Saved::Conflict));
    let gone = DecidedRun { run: super::run('b'), ..decided };
    assert_eq!(store.amend_run(&gone).await.unwrap(), Saved::Conflict, "no run comes into being by an addition");
    assert_eq!(store.decided_run(&run_id('b')).await.unwrap(), None);
}

async fn of_two_who_add_one_reads_again<S: DecidedRuns + Runs>(store: &S) {
    let read = done(store).await;
    let with = |word: &str| {
        let mut more = read.clone();
        more.run.config = word.to_owned();
        more
    };
    assert_eq!(store.amend_run(&with("first")).await.unwrap(), Saved::Stored);
    assert_eq!(store.amend_run(&with("second")).await.unwrap(), Saved::Conflict);
    let stored = store.read_run(&run_id('a')).await.unwrap().unwrap();
    assert_eq!((stored.run.config.as_str(), stored.stage), ("first", Stage::Done));
    let mut again = store.decided_run(&run_id('a')).await.unwrap().unwrap();
    again.run.config = "second".to_owned();
    assert_eq!(store.amend_run(&again).await.unwrap(), Saved::Stored);
}
