//! What a run logs for whoever learns in which order to ask (S1-14): the order, its propensity, and the features as of each call.

use domain::merge::{Facts, merge};
use domain::observation::Observation;
use domain::plan::{CallOutcome, Order};
use domain::run::{Asked, Run};
use domain::schema::{Field, Schema};
use domain::units::BasisPoints;
use domain::value::Value;

use crate::world::{World, hit, jane};

/// Region, function, seniority, company size.
const FEATURES: [&str; 4] = ["contact.country", "contact.department", "contact.seniority", "company.headcount"];

/// What was known when the call of this number was made: all observations but those that it and later calls told. An operation
/// answers once a run.
fn facts_before(run: &Run, world: &World, call: usize) -> Facts {
    let later = &run.calls[call..];
    let is_told_later = |observation: &&Observation| {
        later.iter().any(|call| call.operation == observation.source && matches!(call.outcome, CallOutcome::Hit { .. }))
    };
    let known: Vec<Observation> = run.observations.iter().filter(|observation| !is_told_later(observation)).cloned().collect();
    merge(&known, &Schema::default(), &world.enrich.config.trust, run.calls[call].at)
}

#[tokio::test(start_paused = true)]
async fn s1_14_order_propensity_and_features_can_be_read_from_the_log_of_the_first_run() {
    let world = World::new();
    let company = hit("crustdata.company", &[("company.headcount", Value::number(1200))]);
    let person = hit("crustdata.person", &[("contact.seniority", Value::text("vp"))]);
    world.provider.answers("crustdata.company", vec![(domain::units::Millis(300), company)]);
    world.provider.answers("crustdata.person", vec![(domain::units::Millis(300), person)]);
    world.finish(&jane()).await;
    let run = world.stored(&jane()).await;

    assert_eq!(run.asked, Some(Asked { order: Order::Narrowing, propensity: BasisPoints::ONE }));
    let made: Vec<(usize, &str)> = run.calls.iter().enumerate().map(|(place, call)| (place, call.operation.as_str())).collect();
    let place_of = |name: &str| made.iter().find(|(_, operation)| *operation == name).unwrap().0;
    let features = |call: usize| -> Vec<Option<String>> {
        let facts = facts_before(&run, &world, call);
        FEATURES.iter().map(|path| facts.get(&Field::known(path)).map(|fact| fact.value.to_string())).collect()
    };
    let (first, second) = (place_of("crustdata.company"), place_of("crustdata.person"));
    assert!(first < second, "{made:?}");
    assert_eq!(features(first), [None, None, None, None], "nothing was known of the company before it was asked for");
    assert_eq!(features(second), [None, None, None, Some("1200".to_owned())]);
    let end = merge(&run.observations, &Schema::default(), &world.enrich.config.trust, run.calls[second].at);
    assert_eq!(end.get(&Field::known("contact.seniority")).map(|fact| fact.value.to_string()).as_deref(), Some("vp"));
}

#[test]
fn s1_14_a_log_of_an_earlier_version_has_no_order() {
    let run = Run::begin(
        domain::signup::RunId::parse(&"a".repeat(43)).unwrap(),
        domain::signup::Signup::default(),
        domain::priority::Priority::High,
        crate::world::START,
        "hash",
    );
    let mut json = serde_json::to_value(Run { asked: Some(Asked::surely(Order::Written)), ..run.clone() }).unwrap();
    assert_eq!(json["asked"], serde_json::json!({"order": "written", "propensity": 10_000}));
    json.as_object_mut().unwrap().remove("asked");
    assert_eq!(serde_json::from_value::<Run>(json).unwrap(), run);
}
