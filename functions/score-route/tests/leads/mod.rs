//! Leads as provider-lookup leaves them: decided on the signup's own words, their runs done.

use domain::config::Config;
use domain::decide::{Evidence, decide, observations_of};
use domain::identity::Email;
use domain::merge::merge;
use domain::priority::Priority;
use domain::record::{Decided, Record, RecordId};
use domain::run::Run;
use domain::signup::{RunId, Signup};
use domain::units::Timestamp;
use pipeline::ports::{Claim, ClaimRequest, Records, Runs, Saved};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);
/// The records that the sample event names, and who they are about.
pub(crate) const PEOPLE: [(&str, &str); 2] =
    [("sample-dana-cho", "dana.cho@northwind-grid.example"), ("sample-sam-ito", "sam@tinyforge.example")];

/// The run that decided about a record.
pub(crate) fn run_of(record: &str) -> RunId {
    RunId::parse(&record.repeat(4)[..43]).unwrap()
}

pub(crate) async fn decided(store: &(impl Runs + Records), config: &Config, record: &str, email: &str) {
    let signup = Signup {
        issuer: "signup".into(),
        delivery: record.into(),
        email: Some(Email::parse(email).unwrap()),
        occurred_at: START,
        ..Signup::default()
    };
    let mut run = Run::begin(run_of(record), signup, Priority::High, START, &config.hash);
    run.observations = observations_of(&run.signup, config);
    run.facts = merge(&run.observations, &config.schema, &config.trust, START);
    let evidence = Evidence { facts: &run.facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: START };
    let decision = decide(config, &evidence, 1, START);
    run.record = Some(RecordId(record.into()));
    run.decisions.push(decision.clone());
    let decided = Some(Decided { run: run.id.clone(), decision, config: config.hash.clone() });
    let stored = Record { version: 1, observations: run.observations.clone(), decided, ..Record::new(RecordId(record.into())) };
    assert_eq!(store.save_record(&stored, &[]).await.unwrap(), Saved::Stored);
    let request = ClaimRequest { run: run.clone(), payload_hash: "p".into(), nonce: "n".into(), now: START, lease_until: START };
    let Claim::Mine(lease, _) = store.claim_run(&request).await.unwrap() else { panic!("the run is new") };
    store.decide_run(&lease, &run).await.unwrap();
    store.finish_run(&lease).await.unwrap();
}
