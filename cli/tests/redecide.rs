//! `millrace redecide` as an operator types it, over the protocols of SQS and `DynamoDB`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::process::{Output, Stdio};
use std::sync::Arc;

use domain::priority::Priority;
use domain::record::RecordId;
use domain::run::Run;
use domain::signup::{RunId, Signup};
use domain::units::{Millis, Timestamp};
use pipeline::messages::{Cause, RedecideMessage, from_body};
use pipeline::ports::{Claim, ClaimRequest, InForce, Queue as _, QueueName, Runs as _};
use platform::{DEFAULT_WORKSPACE, Function, SystemClock, Table};
use serde_json::{Value, json};
use stand_in::AwsEndpoint;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const AT: Timestamp = Timestamp::from_millis(1_795_176_000_000);

async fn redecide(endpoint: &AwsEndpoint, run: &RunId) -> Output {
    let variables = endpoint.variables(Function::ScoreRoute);
    let url = &variables["SCORE_QUEUE_URL"];
    let outputs = [
        ("LeadsTable", endpoint.tables().name_of(Table::Leads).to_owned()),
        ("SettingsTable", endpoint.tables().name_of(Table::Settings).to_owned()),
        ("ScoreQueueUrl", url.clone()),
        ("ScoreDlqUrl", format!("{url}-dlq")),
    ];
    let outputs: Value = outputs.iter().map(|(key, value)| json!({ "OutputKey": key, "OutputValue": value })).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.args(["redecide", run.as_str(), "--outputs", "-"]).env_clear().kill_on_drop(true);
    command.envs([("AWS_ENDPOINT_URL", endpoint.url()), ("AWS_REGION", "eu-west-1")]);
    command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(outputs.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_lead_of_a_run_is_sent_to_be_decided_about_again() {
    let endpoint = AwsEndpoint::start(Arc::new(SystemClock), 5, Vec::<(String, String)>::new()).await.unwrap();
    let store = endpoint.connect().store(endpoint.tables(), DEFAULT_WORKSPACE);
    let id = RunId::parse(&format!("-{}", "a".repeat(42))).unwrap();

    let nobody = redecide(&endpoint, &id).await;
    assert!(!nobody.status.success() && said(&nobody.stderr).contains("there is no run"), "{nobody:?}");

    let mut run = Run::begin(id.clone(), Signup::default(), Priority::High, AT, "c");
    let request = ClaimRequest { run: run.clone(), payload_hash: "p".into(), nonce: "n".into(), now: AT, lease_until: AT };
    let Claim::Mine(lease, _) = store.claim_run(&request).await.unwrap() else { panic!("the run is new") };
    let early = redecide(&endpoint, &id).await;
    assert!(!early.status.success() && said(&early.stderr).contains("not decided for good yet"), "{early:?}");

    run.record = Some(RecordId("lead-1".into()));
    store.decide_run(&lease, &run).await.unwrap();
    let sent = redecide(&endpoint, &id).await;
    assert!(sent.status.success() && said(&sent.stdout).contains("decided about again"), "{sent:?}");
    let received = endpoint.queue().receive(QueueName::Score, 10, Millis(0)).await.unwrap();
    let messages: Vec<RedecideMessage> = received.iter().map(|message| from_body(&message.body).unwrap()).collect();
    assert_eq!(
        messages,
        [RedecideMessage { record: RecordId("lead-1".into()), cause: Cause::Operator, config: Some(InForce::Bundled), copies: 0 }]
    );
}
