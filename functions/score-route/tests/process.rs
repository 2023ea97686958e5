//! The real binary as Lambda runs it: the Runtime API, `DynamoDB` and SQS on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod leads;

use std::sync::Arc;
use std::time::Duration;

use domain::config::{MAIN_FILE, Sources};
use domain::record::RecordId;
use domain::route::Track;
use pipeline::messages::{Cause, RedecideMessage, to_body};
use pipeline::ports::{Activated, Clock as _, InForce, QueueName, Runs as _, Settings as _, Stage};
use platform::{DEFAULT_WORKSPACE, Function as Name, SystemClock, bundled_config};
use stand_in::{AwsEndpoint, Function, Started, failures, sample_event};

use leads::{PEOPLE, decided, run_of};

const AMPLE: Duration = Duration::from_secs(60);

async fn started(aws: &AwsEndpoint) -> Function {
    let mut variables = aws.variables(Name::ScoreRoute);
    variables.insert("AWS_ENDPOINT_URL".into(), aws.url().into());
    let function = Function::start(env!("CARGO_BIN_EXE_score-route"), &variables).await.unwrap();
    assert_eq!(function.started().await, Started::Ready);
    function
}

#[tokio::test]
async fn a_lead_is_decided_again_at_once_by_the_version_that_was_published_just_before() {
    let aws = AwsEndpoint::start(Arc::new(SystemClock), 5, Vec::<(String, String)>::new()).await.unwrap();
    let store = aws.connect().store(aws.tables(), DEFAULT_WORKSPACE);
    let (record, email) = PEOPLE[0];
    decided(&store, &connectors::configure(&bundled_config()).unwrap().0, record, email).await;
    let function = started(&aws).await;

    let to_reps = "\nroute: {rules: [], otherwise: sdr_queue, undecided: sdr_queue}\n";
    let of = |path: &str, text: &str| (path.to_owned(), if path == MAIN_FILE { format!("{text}{to_reps}") } else { text.to_owned() });
    let changed = Sources::new(bundled_config().iter().map(|(path, text)| of(path, text)));
    store.publish_version(&changed, SystemClock.now()).await.unwrap();
    let in_force = InForce::Version(changed.hash());
    assert_eq!(store.activate(&in_force, &InForce::Bundled, SystemClock.now()).await.unwrap(), Activated::Done);
    let message = RedecideMessage { record: RecordId(record.into()), cause: Cause::Operator, config: Some(in_force), copies: 0 };
    let mut event = sample_event("score-route.one-bad-record", SystemClock.now()).unwrap();
    event["Records"].as_array_mut().unwrap().truncate(1);
    event["Records"][0]["body"] = to_body(&message).unwrap().into();
    assert_eq!(function.invoke(&event, AMPLE).await, failures(&[]));

    let run = store.read_run(&run_of(record)).await.unwrap().unwrap().run;
    let tracks: Vec<Track> = run.decisions.iter().map(|decision| decision.route.track).collect();
    assert_eq!((tracks, run.config), (vec![Track::SelfServe, Track::SdrQueue], changed.hash()));
}

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

    let function = started(&aws).await;
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
