//! `cargo dev --data` keeps queue and tables: what was accepted before the end is there after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use clap::Parser;
use domain::units::Millis;
use local::args::Args;
use local::journal::Journal;
use local::stack::Stack;
use pipeline::messages::{LookupMessage, to_body};
use pipeline::ports::{Clock, QueueName, Stage};
use platform::SystemClock;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signup_accepted_before_the_end_is_finished_after_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let (config, data) = (format!("{root}/config"), folder.path().to_str().unwrap().to_owned());
    let args = Args::parse_from(["cargo dev", "--port", "0", "--no-samples", "--config", &config, "--data", &data]);

    let now = SystemClock.now();
    let signup = domain::signup::Signup {
        issuer: "signup".into(),
        delivery: "durable".into(),
        email: Some(domain::identity::Email::parse("sam@tinyforge.example").unwrap()),
        occurred_at: now,
        ..domain::signup::Signup::default()
    };
    let message = LookupMessage::of(signup, domain::priority::Priority::High, now);
    {
        let first = Stack::start(&args, Journal::default()).await.unwrap();
        first.queue.send(QueueName::Lookup(message.priority), &to_body(&message).unwrap(), Millis::seconds(2)).await.unwrap();
    }
    let second = Stack::start(&args, Journal::default()).await.unwrap();
    let run = message.signup.run_id(second.hash_key());
    for _ in 0..500 {
        let stored = second.store.read_run(&run).await.unwrap();
        if stored.is_some_and(|stored| stored.stage == Stage::Done) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the run was lost");
}
