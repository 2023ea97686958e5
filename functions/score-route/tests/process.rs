//! The real binary as Lambda runs it: the Runtime API, `DynamoDB` and SQS on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod leads;

use std::sync::Arc;
use std::time::Duration;

use domain::route::Track;
use pipeline::ports::{Clock as _, QueueName, Runs as _, Stage};
use platform::{DEFAULT_WORKSPACE, Function as Name, SystemClock, bundled_config};
use stand_in::{AwsEndpoint, Function, Started, failures, sample_event};

use leads::{PEOPLE, decided, run_of};

const AMPLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_batch_is_decided_again_by_the_bundled_configuration_and_the_unreadable_one_is_put_aside() {
    let aws = AwsEndpoint::start(Arc::new(SystemClock), 5, Vec::<(String, String)>::new()).await.unwrap();
    let store = aws.connect().store(aws.tables(), DEFAULT_WORKSPACE);
    let (mut before, _) = connectors::configure(&bundled_config()).unwrap();
    before.hash = "deployed-before".into();
    before.route.rules.clear();
    before.score.clear();
    (before.route.otherwise, before.route.undecided) = (Track::SdrQueue, Track::SdrQueue.into());
    for (record, email) in PEOPLE {
        decided(&store, &before, record, email).await;
    }

    let mut variables = aws.variables(Name::ScoreRoute);
    variables.insert("AWS_ENDPOINT_URL".into(), aws.url().into());
    let function = Function::start(env!("CARGO_BIN_EXE_score-route"), &variables).await.unwrap();
    assert_eq!(function.started().await, Started::Ready);
    let event = sample_event("score-route.one-bad-record", SystemClock.now()).unwrap();
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));

    // Everybody was decided for good, and the bundled rules know too little to move them.
    assert_eq!(aws.queue().waiting(QueueName::Writeback), 2, "their scores are open now");
    for (record, _) in PEOPLE {
        let stored = store.read_run(&run_of(record)).await.unwrap().unwrap();
        let tracks: Vec<Track> = stored.run.decisions.iter().map(|decision| decision.route.track).collect();
        assert_eq!((stored.stage, tracks), (Stage::Done, vec![Track::SdrQueue, Track::SdrQueue]));
    }
    let poison = aws.poison().unwrap();
    assert_eq!((poison.len(), poison[0].0.as_str()), (1, event["Records"][1]["messageId"].as_str().unwrap()));
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));
    assert_eq!(aws.queue().waiting(QueueName::Writeback), 2, "the same message again writes nothing");
    let log = stand_in::log_of(function, &PEOPLE.map(|(_, email)| email)).await.unwrap();
    assert_eq!(log.matches("nothing changed").count(), 2, "{log}");
}
