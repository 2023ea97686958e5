//! Canary values through the whole pipeline: none of them may turn up in a log line or in an answer to a stranger (RELIABILITY §3).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::Parser;
use domain::units::Timestamp;
use intake::sample::local_secret;
use local::args::Args;
use local::journal::Journal;
use local::stack::Stack;
use pipeline::ports::{Clock, QueueName};
use platform::SystemClock;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What must not be seen: the mailbox, the name, the phone, the free text of a person.
const CANARIES: [&str; 5] = ["quokka.canary", "Quokka Canaryson", "+15125550199", "canary-external-id", "Head of Canaries"];

fn http() -> reqwest::Client {
    platform::http_client().unwrap().no_proxy().build().unwrap()
}

/// Every form in which a canary could hide.
fn disguises(canary: &str) -> Vec<String> {
    let percent: String = canary.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let url: String = canary.replace('+', "%2B").replace(' ', "%20");
    vec![canary.to_owned(), canary.to_lowercase(), percent, url, STANDARD.encode(canary), URL_SAFE_NO_PAD.encode(canary)]
}

fn assert_unseen(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for canary in CANARIES {
        for disguise in disguises(canary) {
            assert!(!lower.contains(&disguise.to_lowercase()), "{what} shows {canary} as {disguise}:\n{text}");
        }
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

async fn post(stack: &Stack, body: &[u8], now: Timestamp, wait: bool) -> (u16, String) {
    let secret = local_secret("signup").unwrap();
    let headers = intake::sign("signup", body, &secret.into(), None, now).unwrap();
    let mut request = http().post(format!("{}/webhook/signup", stack.url)).body(body.to_vec());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if wait {
        request = request.header("prefer", "wait=5");
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn body(mailbox_host: &str, now: Timestamp) -> Vec<u8> {
    let body = json!({
        "email": format!("quokka.canary@{mailbox_host}"),
        "name": "Quokka Canaryson",
        "job_role": "Head of Canaries",
        "external_id": "canary-external-id",
        "phone": "+15125550199",
        "signup_source": "free_trial",
        "timestamp": now.to_string(),
    });
    body.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_line_and_no_answer_to_a_stranger_shows_a_person() {
    let captured = Captured::default();
    let journal = Journal::default();
    // The most talkative our own packages can be set to; libraries stay at warnings, as platform sets them.
    let ours = "warn,domain=trace,pipeline=trace,intake=trace,connectors=trace,platform=trace,signup_webhook=trace,provider_lookup=trace,crm_writeback=trace";
    let lines = tracing_subscriber::fmt::layer().json().with_writer(captured.clone());
    tracing_subscriber::registry().with(tracing_subscriber::EnvFilter::new(ours)).with(journal.clone()).with(lines).init();

    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let args = Args::parse_from(["cargo dev", "--port", "0", "--config", &format!("{root}/config"), "--no-samples"]);
    let stack = Stack::start(&args, journal).await.unwrap();

    // Good, unknown, failing and refusing providers, a CRM that limits the rate, and a gate that holds.
    for host in ["hexa-labs.example", "ghost.example", "down-acme.example", "broken-acme.example", "denied-acme.example", "mailinator.com"]
    {
        let now = SystemClock.now();
        let (status, answer) = post(&stack, &body(host, now), now, true).await;
        assert!(status == 200 || status == 202, "{status} {answer}");
        let run = serde_json::from_str::<serde_json::Value>(&answer).unwrap()["run"].as_str().unwrap().to_owned();
        let seen = http().get(format!("{}/webhook/runs/{run}", stack.url)).send().await.unwrap().text().await.unwrap();
        assert_unseen("the page of a run", &seen);
    }

    // Refusals: a wrong signature, a stale one, a body that is no signup, another page.
    let now = SystemClock.now();
    let stale = post(&stack, &body("acme.io", now), Timestamp::from_millis(now.millis() - 3_600_000), false).await;
    let broken = post(&stack, &body("not a domain", now), now, false).await;
    let page = http().get(format!("{}/webhook/runs/quokka.canary", stack.url)).send().await.unwrap();
    for (status, answer) in [stale, broken, (page.status().as_u16(), page.text().await.unwrap())] {
        assert!(status >= 400, "{status}");
        assert_unseen("a refusal", &answer);
    }

    // A message that cannot be read, with a person in it.
    stack.queue.send(QueueName::Writeback, "{\"record\": \"quokka.canary@acme.io\"", domain::units::Millis(0)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;

    let logs = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(
        logs.lines().count() >= 20 && logs.contains("run decided") && logs.contains("CRM written") && logs.contains("put aside"),
        "{logs}"
    );
    assert_unseen("a log line", &logs);
}

#[test]
fn a_canary_is_found_in_every_disguise() {
    for disguise in disguises("quokka.canary") {
        let caught = std::panic::catch_unwind(|| assert_unseen("a test", &format!("x {disguise} y")));
        assert!(caught.is_err(), "{disguise} was not noticed");
    }
}
