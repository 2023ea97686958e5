//! The nearest change that leads elsewhere, in a configuration small enough to see it by eye.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use domain::config::{Config, Draft, Sources};
use domain::decide::{Evidence, decide};
use domain::flip::{Flip, nearest_flip};
use domain::merge::merge;
use domain::observation::{Basis, Observation};
use domain::plan::Catalogue;
use domain::priority::Priority;
use domain::route::Track;
use domain::run::Run;
use domain::schema::Schema;
use domain::signup::{RunId, Signup};
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;
use domain::what_if::what_if;
use proptest::prelude::*;

const MAIN: &str = "version: 1\npreset: small\ncredits: {allocation: 100}\n";
const PRESET: &str = "
freshness: signup
steps: []
score:
  - {when: company.headcount >= 50 && company.headcount <= 5000, points: 30, because: size}
  - {when: '\"aws\" in company.tech_stack', points: 20, because: stack}
  - {when: 'contact.seniority in (\"vp\", \"director\")', points: 15, because: seniority}
route:
  rules:
    - {when: score >= 50, to: ae_queue, because: fifty}
  otherwise: self_serve
  undecided: self_serve
";
const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

fn config() -> Config {
    let files = [("millrace.yaml", MAIN), ("presets/small.yaml", PRESET)].map(|(path, text)| (path.to_owned(), text.to_owned()));
    let sources = Sources::new(files);
    Draft::read(&sources).and_then(|draft| draft.check(Catalogue::new())).unwrap_or_else(|findings| panic!("{findings}"))
}

fn run(config: &Config, known: &[(&str, Value)]) -> Run {
    let said = |(path, value): &(&str, Value)| Observation {
        field: Schema::default().field(path).unwrap(),
        value: value.clone(),
        source: "crm".into(),
        family: "crm".into(),
        observed_at: NOW,
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    };
    let id = RunId::parse(&"r".repeat(43)).unwrap();
    let mut run = Run::begin(id, Signup::default(), Priority::High, NOW, &config.hash);
    run.observations = known.iter().map(said).collect();
    run.facts = merge(&run.observations, &config.schema, &config.trust, NOW);
    let evidence = Evidence { facts: &run.facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: NOW };
    run.decisions = vec![decide(config, &evidence, 1, NOW)];
    run
}

fn written(flip: Option<Flip>) -> (Vec<String>, Track) {
    let flip = flip.expect("there is a change that leads elsewhere");
    (flip.supposed.iter().map(|one| format!("{}={}", one.field, one.value)).collect(), flip.track)
}

#[test]
fn a_number_just_past_a_bound_is_the_nearest_change() {
    let config = config();
    let known = [
        ("company.headcount", Value::number(5200)),
        ("company.tech_stack", Value::list(["aws"])),
        ("contact.seniority", Value::text("manager")),
    ];
    let run = run(&config, &known);
    assert_eq!(run.decision().unwrap().route.track, Track::SelfServe);
    assert_eq!(written(nearest_flip(&run, &config)), (vec!["company.headcount=5000".to_owned()], Track::AeQueue));
}

#[test]
fn what_nobody_told_is_nearer_than_a_word_that_would_have_to_change() {
    let config = config();
    let run = run(&config, &[("company.headcount", Value::number(400)), ("contact.seniority", Value::text("manager"))]);
    assert_eq!(written(nearest_flip(&run, &config)), (vec!["company.tech_stack=aws".to_owned()], Track::AeQueue));
}

#[test]
fn two_changes_are_named_where_one_is_not_enough() {
    let config = config();
    let known = [
        ("company.headcount", Value::number(4)),
        ("company.tech_stack", Value::list(["react"])),
        ("contact.seniority", Value::text("manager")),
    ];
    let (supposed, track) = written(nearest_flip(&run(&config, &known), &config));
    assert_eq!((supposed, track), (vec!["company.headcount=50".to_owned(), "company.tech_stack=aws, react".to_owned()], Track::AeQueue));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flip_is_verified_by_applying_it(
        headcount in prop::option::of(0i64..8000), stack in prop::option::of(prop::sample::select(vec!["aws", "react"])),
        seniority in prop::option::of(prop::sample::select(vec!["vp", "manager"])),
    ) {
        let config = config();
        let mut known = Vec::new();
        known.extend(headcount.map(|count| ("company.headcount", Value::number(count))));
        known.extend(stack.map(|word| ("company.tech_stack", Value::list([word]))));
        known.extend(seniority.map(|word| ("contact.seniority", Value::text(word))));
        let run = run(&config, &known);
        let flip = nearest_flip(&run, &config).expect("two changes are always enough here");
        let after = what_if(&run, &config, &flip.supposed).unwrap().after;
        prop_assert_eq!(after.route.track, flip.track);
        prop_assert_ne!(flip.track, run.decision().unwrap().route.track);
    }
}
