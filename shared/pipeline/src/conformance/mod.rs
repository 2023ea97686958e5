//! One suite for each port: every implementation has to pass it, so that the simulator's memory
//! and the real tables cannot drift apart. Each case takes a fresh, empty store.
#![expect(clippy::unwrap_used, reason = "a suite is a test; it lives here so that platform can run it too")]

mod decided_runs;
mod ledger;
mod outbox;
mod poison;
mod queue;
mod records;
mod run_log;
mod runs;
mod settings;

use domain::priority::Priority;
use domain::run::Run;
use domain::signup::{RunId, Signup};
use domain::units::{Millis, Timestamp};

pub use decided_runs::decided_runs_suite;
pub use ledger::{cache_suite, ledger_suite};
pub use outbox::outbox_suite;
pub use poison::put_aside_suite;
pub use queue::{RECEIVES_MAX, queue_suite};
pub use records::records_suite;
pub use run_log::run_log_suite;
pub use runs::{runs_suite, windows_suite};
pub use settings::settings_suite;

use crate::ports::{Claim, ClaimRequest, Lease, Runs};

/// The moment at which every case begins.
pub const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);
const LEASE: Millis = Millis::seconds(30);

fn run_id(letter: char) -> RunId {
    RunId::parse(&letter.to_string().repeat(43)).unwrap()
}

fn run(letter: char) -> Run {
    let signup = Signup { issuer: "signup".into(), delivery: letter.to_string(), ..Signup::default() };
    Run::begin(run_id(letter), signup, Priority::High, START, "0123456789abcdef")
}

fn claim(letter: char, nonce: &str, now: Timestamp) -> ClaimRequest {
    ClaimRequest { run: run(letter), payload_hash: "p".into(), nonce: nonce.into(), now, lease_until: now.after(LEASE) }
}

async fn take(store: &dyn Runs, letter: char, nonce: &str, now: Timestamp) -> (Lease, Run) {
    match store.claim_run(&claim(letter, nonce, now)).await.unwrap() {
        Claim::Mine(lease, run) => (lease, *run),
        other => unreachable!("expected the run, got {other:?}"),
    }
}
