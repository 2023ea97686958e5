//! The bundled presets `signup` and `plg`: where those go who ask for sales, and the features that `plg` is made of (S3-14, S2-65).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use domain::config::{Config, Draft, Sources};
use domain::credits::Price;
use domain::decide::{Evidence, decide};
use domain::merge::{Fact, Facts};
use domain::plan::{Catalogue, Operation};
use domain::route::Route;
use domain::schema::{Field, FieldClass};
use domain::score::Score;
use domain::units::{BasisPoints, Millis, Timestamp};
use domain::value::Value;

const MAIN: &str = include_str!("../../../config/millrace.yaml");
const PRESETS: [(&str, &str); 3] = [
    ("presets/plg.yaml", include_str!("../../../config/presets/plg.yaml")),
    ("presets/seed.yaml", include_str!("../../../config/presets/seed.yaml")),
    ("presets/signup.yaml", include_str!("../../../config/presets/signup.yaml")),
];

/// Operations of the bundled names that supply whatever the presets want.
fn catalogue() -> Catalogue {
    let wants = "contact.seniority company.domain company.headcount company.funding_stage company.tech_stack company.sso company.soc2 \
                 company.traffic_trend_90d company.description company.website email.kind email.disposable email.role_account \
                 email.mx_found email.domain_exists email.domain_registered_at";
    let supplies: Vec<Field> = wants.split(' ').map(|path| domain::schema::Schema::default().field(path).unwrap()).collect();
    let operation = |name: &str| Operation {
        name: name.to_owned(),
        provider: name.split('.').next().unwrap().to_owned(),
        family: name.to_owned(),
        keys: vec![],
        supplies: supplies.clone(),
        inferred: vec![],
        price: Price::default(),
        class: FieldClass::Company,
        timeout: Millis::seconds(1),
        batch: None,
    };
    ["crustdata.company", "crustdata.person", "dns", "dns.address", "email", "rdap", "website"]
        .map(|name| (name.to_owned(), operation(name)))
        .into()
}

fn plg() -> Config {
    preset("plg")
}

fn preset(name: &str) -> Config {
    let files = PRESETS.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let main = ("millrace.yaml".to_owned(), MAIN.replace("preset: signup", &format!("preset: {name}")));
    let sources = Sources::new(files.chain([main]));
    let draft = Draft::read(&sources).unwrap();
    draft.check(catalogue()).unwrap()
}

fn facts(known: &[(&str, Value)]) -> Facts {
    let fact = |value: &Value| Fact {
        value: value.clone(),
        confidence: BasisPoints::new(7499),
        sources: vec!["test".into()],
        confirmations: 1,
        observed_at: Timestamp::from_millis(0),
        conflicts: vec![],
        checks: vec![],
    };
    known.iter().map(|(path, value)| (domain::schema::Schema::default().field(path).unwrap(), fact(value))).collect()
}

fn decided(config: &Config, known: &[(&str, Value)]) -> (Score, Route) {
    arrived("free_tier", config, known)
}

fn arrived(arrival: &str, config: &Config, known: &[(&str, Value)]) -> (Score, Route) {
    let arrived = [known, &[("signup.arrival", Value::text(arrival))]].concat();
    let known = facts(&arrived);
    let evidence = Evidence { facts: &known, calls: &[], open: &[], paid_by: None, before: None, accepted_at: Timestamp::from_millis(0) };
    let decision = decide(config, &evidence, 1, Timestamp::from_millis(0));
    (decision.score, decision.route)
}

fn decimal(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// Everything that speaks for a lead.
fn best() -> Vec<(&'static str, Value)> {
    vec![
        ("company.headcount", Value::number(200)),
        ("company.funding_stage", Value::text("series_b")),
        ("company.tech_stack", Value::list(["aws"])),
        ("company.traffic_trend_90d", decimal("0.2")),
        ("contact.seniority", Value::text("vp")),
        ("company.sso", Value::Bool(true)),
        ("company.soc2", Value::Bool(true)),
        ("company.founder_pedigree", Value::Bool(true)),
    ]
}

#[test]
fn s3_14_every_feature_counts_and_the_best_lead_has_a_hundred_points() {
    let config = plg();
    let all = best();
    let (whole, _) = decided(&config, &all);
    assert_eq!((whole.low, whole.high), (100, 100));
    assert_eq!(whole.points.iter().map(|points| points.points).sum::<i64>(), 100, "nothing is lost to the limit of 100");
    for left_out in ["headcount", "funding_stage", "tech_stack", "traffic_trend_90d", "seniority", "founder_pedigree"] {
        let known: Vec<_> = all.iter().filter(|(path, _)| !path.ends_with(left_out)).cloned().collect();
        assert!(decided(&config, &known).0.low < 100, "{left_out}");
    }
    let known: Vec<_> = all.iter().filter(|(path, _)| !["company.sso", "company.soc2"].contains(path)).cloned().collect();
    assert_eq!(decided(&config, &known).0.high, 90, "SSO or SOC 2");
}

#[test]
fn s3_14_what_no_connector_supplies_does_not_keep_the_score_open() {
    let (score, route) = decided(&plg(), &best()[..5]);
    assert_eq!((score.low, score.high, route.provisional), (85, 85, false));
}

#[test]
fn s2_65_engagement_brings_a_user_to_sales_at_a_lower_score() {
    let config = plg();
    let mut known = best()[..4].to_vec();
    known[0].1 = Value::number(20);
    known[2].1 = Value::list(["php"]);
    known.push(("contact.seniority", Value::text("manager")));
    let (score, route) = decided(&config, &known);
    assert_eq!((score.low, score.high, route.track.as_str(), route.provisional), (45, 45, "self_serve", false));
    assert_eq!(config.tiers.of(45, 45).unwrap().known(), Some("C"));
    known.push(("engagement.score", Value::number(60)));
    assert_eq!(decided(&config, &known).1.track.as_str(), "sales_assist");
}

#[test]
fn whoever_asks_for_sales_is_sales_own_whatever_is_known() {
    for config in ["signup", "plg"].map(preset) {
        for arrival in ["demo_request", "contact_sales"] {
            let track = |known: &[(&str, Value)]| {
                let (_, route) = arrived(arrival, &config, known);
                (route.track.as_str(), route.provisional, route.because.first().cloned().unwrap())
            };
            assert_eq!(track(&[]), ("sdr_queue", true, "not enough is known, so sdr_queue for now: asked for sales".to_owned()));
            assert_eq!(track(&best()), ("ae_queue", false, "asked for sales and scored 60 or more".to_owned()));
            let small = [
                ("company.headcount", Value::number(3)),
                ("company.funding_stage", Value::text("pre_seed")),
                ("company.tech_stack", Value::list(["php"])),
                ("company.traffic_trend_90d", decimal("0.01")),
                ("contact.seniority", Value::text("manager")),
            ];
            assert_eq!(track(&small), ("sdr_queue", false, "asked for sales".to_owned()));
            let large = ("company.headcount", Value::number(9000));
            assert_eq!(track(&[large]).0, "sales_assist");
        }
        assert_eq!(decided(&config, &[]).1.track.as_str(), "self_serve", "nobody asked for sales");
    }
}
