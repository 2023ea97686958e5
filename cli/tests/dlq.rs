//! `millrace dlq` as an operator types it, over the protocols of SQS and `DynamoDB`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::Arc;

use domain::priority::Priority;
use domain::units::{Millis, Timestamp};
use pipeline::ports::{Clock as _, Poison, PutAside as _, Queue as _, QueueName, Runs as _};
use platform::{DEFAULT_WORKSPACE, DynamoStore, Function, SystemClock, Table};
use serde_json::{Value, json};
use stand_in::AwsEndpoint;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const HIGH: QueueName = QueueName::Lookup(Priority::High);
const SIGNUP: &str = r#"{"signup":{"issuer":"signup","delivery":"jane@acme.io:0a","email":"jane@acme.io","name":"Jane"}}"#;
const RUN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A stack with one dead letter and one message put aside.
struct Stack {
    endpoint: AwsEndpoint,
    store: DynamoStore,
}

impl Stack {
    async fn empty() -> Self {
        let endpoint = AwsEndpoint::start(Arc::new(SystemClock), 1, Vec::<(String, String)>::new()).await.unwrap();
        let store = endpoint.connect().store(endpoint.tables(), DEFAULT_WORKSPACE);
        Self { endpoint, store }
    }

    async fn with_letters() -> Self {
        let stack = Self::empty().await;
        stack.endpoint.queue().send(HIGH, SIGNUP, Millis(0)).await.unwrap();
        while stack.endpoint.queue().waiting(HIGH) > 0 {
            stack.endpoint.queue().receive(HIGH, 10, Millis(0)).await.unwrap();
        }
        stack.store.keep_poison(&poison("p1", SystemClock.now())).await.unwrap();
        stack
    }

    /// The outputs of a stack from `template.yaml`.
    fn outputs(&self) -> String {
        let mut variables = self.endpoint.variables(Function::ProviderLookup);
        variables.extend(self.endpoint.variables(Function::ScoreRoute));
        let mut outputs = BTreeMap::from([("LeadsTable".to_owned(), self.endpoint.tables().name_of(Table::Leads).to_owned())]);
        for name in ["LookupCritical", "LookupHigh", "LookupNormal", "LookupLow", "Score", "Writeback"] {
            let variable = name.replace("Lookup", "LOOKUP_").to_uppercase();
            let url = &variables[&format!("{variable}_QUEUE_URL")];
            outputs.insert(format!("{name}QueueUrl"), url.clone());
            outputs.insert(format!("{name}DlqUrl"), format!("{url}-dlq"));
        }
        let output = |(key, value): (String, String)| json!({ "OutputKey": key, "OutputValue": value, "Description": "" });
        outputs.into_iter().map(output).collect::<Value>().to_string()
    }

    /// `millrace dlq` in an environment of its own, with the outputs on standard input.
    async fn dlq(&self, arguments: &[&str]) -> Output {
        self.millrace(&[arguments, &["--outputs", "-"]].concat()).await
    }

    async fn millrace(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command.arg("dlq").args(arguments).env_clear().kill_on_drop(true);
        command.envs([("AWS_ENDPOINT_URL", self.endpoint.url()), ("AWS_REGION", "eu-west-1")]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever does not read it has ended by then.
        let _ = stdin.write_all(self.outputs().as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.unwrap()
    }

    async fn dead(&self) -> usize {
        self.endpoint.queue().dead_letters(HIGH).await.unwrap().len()
    }

    async fn aside(&self) -> usize {
        self.store.put_aside_on(&SystemClock.now().day()).await.unwrap().len()
    }

    fn waiting(&self, queue: QueueName) -> usize {
        self.endpoint.queue().waiting(queue)
    }
}

fn poison(id: &str, at: Timestamp) -> Poison {
    let body = json!({ "record": "r", "run": RUN, "attempt": 0 }).to_string();
    Poison { id: id.into(), queue: "writeback".into(), why: "HubSpot answered 400 about company".into(), body, at }
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it printed as JSON, when it ended well.
fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&said(output)).unwrap()
}

#[tokio::test]
async fn the_list_says_where_each_letter_is_and_nothing_about_a_person() {
    let stack = Stack::with_letters().await;
    let listed = json_of(&stack.dlq(&["list", "--json"]).await);
    let row = |letter: &Value| ["where", "queue", "run", "reason"].map(|field| letter[field].as_str().unwrap_or_default().to_owned());
    let rows: Vec<[String; 4]> = listed.as_array().unwrap().iter().map(row).collect();
    let expected = [["dead letters", "lookup-high", "", ""], ["put aside", "writeback", RUN, "HubSpot answered 400 about company"]];
    assert_eq!(rows, expected);
    assert_eq!(listed[0]["receives"], 1);

    let table = said(&stack.dlq(&["list"]).await);
    assert!(table.contains("received once") && table.contains(RUN), "{table}");
    for canary in ["jane", "Jane", "acme"] {
        assert!(!table.contains(canary) && !listed.to_string().contains(canary), "{canary}: {table}");
    }
}

#[tokio::test]
async fn a_list_has_no_effect_and_is_narrowed_by_queue_and_days() {
    let stack = Stack::with_letters().await;
    stack.store.keep_poison(&poison("old", SystemClock.now().before(Millis::days(20)))).await.unwrap();
    for (arguments, letters) in [
        (vec!["list", "--json"], 2),
        (vec!["list", "--json"], 2),
        (vec!["list", "--json", "--days", "30"], 3),
        (vec!["list", "--json", "--queue", "lookup-high"], 1),
        (vec!["list", "--json", "--queue", "lookup-low"], 0),
    ] {
        assert_eq!(json_of(&stack.dlq(&arguments).await).as_array().unwrap().len(), letters, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_letter_is_shown_masked_unless_it_is_to_be_revealed() {
    let stack = Stack::with_letters().await;
    let id = json_of(&stack.dlq(&["list", "--json", "--queue", "lookup-high"]).await)[0]["id"].as_str().unwrap().to_owned();
    let masked = said(&stack.dlq(&["show", &id]).await);
    assert!(masked.contains("[email]") && masked.contains("\"issuer\": \"signup\""), "{masked}");
    assert!(!masked.contains("jane") && !masked.contains("Jane"), "{masked}");
    assert!(said(&stack.dlq(&["show", &id, "--reveal"]).await).contains(SIGNUP));
    assert_eq!(json_of(&stack.dlq(&["show", &id, "--reveal", "--json"]).await)[0]["body"], SIGNUP);
    assert!(!stack.dlq(&["show", "nobody"]).await.status.success());
}

#[tokio::test]
async fn everything_is_sent_to_its_queue_and_the_second_time_there_is_nothing() {
    let stack = Stack::with_letters().await;
    let sent = stack.dlq(&["redrive", "--all"]).await;
    assert!(sent.status.success() && said(&sent).contains("p1 was sent to writeback"), "{}", said(&sent));
    assert_eq!((stack.waiting(HIGH), stack.waiting(QueueName::Writeback)), (1, 1));
    assert_eq!((stack.dead().await, stack.aside().await), (0, 0));
    assert_eq!(json_of(&stack.dlq(&["redrive", "--all", "--json"]).await), json!([]));
    assert_eq!((stack.waiting(HIGH), stack.waiting(QueueName::Writeback)), (1, 1));
}

#[tokio::test]
async fn an_unknown_id_is_a_failure_and_the_others_are_sent() {
    let stack = Stack::with_letters().await;
    let sent = stack.dlq(&["redrive", "p1", "nobody", "--json"]).await;
    assert!(!sent.status.success());
    let said: Value = serde_json::from_str(&said(&sent)).unwrap();
    let expected = json!([
        { "id": "nobody", "queue": null, "error": "there is no such letter" },
        { "id": "p1", "queue": "writeback", "error": null },
    ]);
    assert_eq!(said, expected);
    assert_eq!((stack.waiting(QueueName::Writeback), stack.aside().await), (1, 0));
    assert_eq!((stack.waiting(HIGH), stack.dead().await), (0, 1), "only what was asked for");
}

#[tokio::test]
async fn what_cannot_be_sent_stays_where_it_is() {
    let stack = Stack::with_letters().await;
    stack.endpoint.fail_requests_with("jane@acme.io");
    let sent = stack.dlq(&["redrive", "--all"]).await;
    assert!(!sent.status.success());
    assert!(said(&sent).contains("it stays where it is") && !said(&sent).contains("jane"), "{}", said(&sent));
    assert_eq!((stack.waiting(HIGH), stack.dead().await), (0, 1));
    assert_eq!((stack.waiting(QueueName::Writeback), stack.aside().await), (1, 0), "the others are sent");
}

#[tokio::test]
async fn what_would_be_refused_for_ever_is_not_sent_and_names_its_run() {
    let stack = Stack::with_letters().await;
    let why = format!("another signup came under the delivery of run {RUN}; the first one stands");
    let at = SystemClock.now();
    let reused = Poison { id: "p2".into(), queue: "lookup-high".into(), why, body: SIGNUP.into(), at };
    stack.store.keep_poison(&reused).await.unwrap();
    let listed = json_of(&stack.dlq(&["list", "--json", "--queue", "lookup-high"]).await);
    let row = listed.as_array().unwrap().iter().find(|letter| letter["id"] == "p2").unwrap();
    assert_eq!(row["run"], RUN);
    let one = stack.dlq(&["redrive", "p2"]).await;
    assert!(!one.status.success() && said(&one).contains("refused for ever"), "{}", said(&one));
    let all = stack.dlq(&["redrive", "--all"]).await;
    assert!(all.status.success() && said(&all).contains("1 left where they are"), "{}", said(&all));
    assert_eq!((stack.waiting(HIGH), stack.aside().await), (1, 1));
}

#[tokio::test]
async fn ids_or_all_is_to_be_said() {
    let stack = Stack::empty().await;
    let nothing = stack.dlq(&["redrive"]).await;
    assert!(!nothing.status.success() && String::from_utf8_lossy(&nothing.stderr).contains("or --all"));
    for arguments in [&["redrive", "a", "--all"][..], &["list", "--queue", "lookup"], &["list", "--days", "0"]] {
        assert_eq!(stack.dlq(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn locally_what_was_put_aside_is_seen_and_not_sent() {
    let stack = Stack::empty().await;
    let names = stack.endpoint.connect().create_tables("millrace").await.unwrap();
    let store = stack.endpoint.connect().store(names, DEFAULT_WORKSPACE);
    store.keep_poison(&poison("p1", SystemClock.now())).await.unwrap();
    let listed = said(&stack.millrace(&["list", "--local", stack.endpoint.url()]).await);
    assert!(listed.contains("p1") && listed.contains("only what was put aside"), "{listed}");
    let sent = stack.millrace(&["redrive", "p1", "--local", stack.endpoint.url()]).await;
    assert!(!sent.status.success() && String::from_utf8_lossy(&sent.stderr).contains("millrace send"));
    assert_eq!(store.put_aside_on(&SystemClock.now().day()).await.unwrap().len(), 1);
}
