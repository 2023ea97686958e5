//! The presets against the source documents: golden tests follow the function, not the example body (S3-65, X-22).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use domain::condition::View;
use domain::config::{Config, Sources};
use domain::decide::{Evidence, decide};
use domain::merge::{Fact, Facts};
use domain::route::{Route, Track};
use domain::schema::Schema;
use domain::score::{Score, score};
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;
use platform::bundled_config;

fn preset(name: &str) -> Config {
    let sources = bundled_config();
    let files = sources.below("").map(|(path, text)| (path.to_owned(), text.replace("preset: signup", &format!("preset: {name}"))));
    connectors::configure(&Sources::new(files)).unwrap().0
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
    known.iter().map(|(path, value)| (Schema::default().field(path).unwrap(), fact(value))).collect()
}

fn routed(config: &Config, known: &Facts) -> Route {
    let at = Timestamp::from_millis(0);
    decide(config, &Evidence { facts: known, calls: &[], open: &[], paid_by: None, before: None, accepted_at: at }, 1, at).route
}

fn decimal(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// The source document's function in its own words, over values that are all known.
fn score_signup(headcount: i64, stage: &str, stack: &[&str], seniority: &str, trend: f64) -> i64 {
    let mut points = 0;
    points += if (50..=5000).contains(&headcount) { 30 } else { 0 };
    points += if ["series_a", "series_b", "series_c"].contains(&stage) { 25 } else { 0 };
    points += if stack.contains(&"kubernetes") || stack.contains(&"aws") { 20 } else { 0 };
    points += if ["director", "vp", "c_level"].contains(&seniority) { 15 } else { 0 };
    points += if trend > 0.15 { 10 } else { 0 };
    points
}

#[test]
fn s3_56_to_s3_61_both_presets_score_as_the_function_does_and_the_seed_routes_as_it_does() {
    let (seed, signup) = (preset("seed"), preset("signup"));
    let mut cases = 0;
    for headcount in [0, 49, 50, 200, 5000, 5001] {
        for stage in ["seed", "series_a", "series_b", "series_c", "series_d"] {
            for stack in [&["php"][..], &["aws"], &["kubernetes", "aws"]] {
                for seniority in ["manager", "director", "vp", "c_level"] {
                    for trend in ["0.15", "0.1500001", "-0.2"] {
                        let known = facts(&[
                            ("company.headcount", Value::number(headcount)),
                            ("company.funding_stage", Value::text(stage)),
                            ("company.tech_stack", Value::list(stack.iter().copied())),
                            ("contact.seniority", Value::text(seniority)),
                            ("company.traffic_trend_90d", decimal(trend)),
                        ]);
                        let expected = score_signup(headcount, stage, stack, seniority, trend.parse().unwrap());
                        for config in [&seed, &signup] {
                            let Score { low, high, .. } = score(&config.score, &View::of(&known));
                            assert_eq!((low, high), (expected, expected));
                        }
                        let routed = routed(&seed, &known);
                        let track = if expected >= 60 { Track::AeQueue } else { Track::SelfServe };
                        assert_eq!((routed.track, routed.provisional), (track, false));
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 6 * 5 * 3 * 4 * 3);
}

#[test]
fn s3_65_the_example_lead_can_score_70_80_90_or_100_and_never_75() {
    let known = facts(&[
        ("company.headcount", Value::number(200)),
        ("company.funding_stage", Value::text("series_b")),
        ("contact.seniority", Value::text("vp")),
    ]);
    let score = score(&preset("seed").score, &View::of(&known));
    assert_eq!((score.low, score.high), (70, 100));
    let mut open: Vec<i64> = score.unknowns.iter().map(|unknown| unknown.points).collect();
    open.sort_unstable();
    assert_eq!(open, [10, 20], "so 70, 80, 90 or 100");
}

#[test]
fn x_26_the_seed_overlooks_a_very_large_company_and_the_default_preset_does_not() {
    let known = facts(&[("company.headcount", Value::number(84_000)), ("company.funding_stage", Value::text("ipo"))]);
    let track = |name: &str| routed(&preset(name), &known).track;
    assert_eq!((track("seed"), track("signup")), (Track::SelfServe, Track::SalesAssist));
}

#[test]
fn s3_50_and_s3_53_the_seed_asks_the_person_first_and_the_default_preset_the_company() {
    let paid = |name: &str| -> Vec<String> {
        let config = preset(name);
        let operations = config.plan.steps.iter().flat_map(|step| &step.providers);
        operations.filter(|operation| !config.catalogue[*operation].price.is_free()).cloned().collect()
    };
    assert_eq!(paid("seed"), ["crustdata.person", "crustdata.company"]);
    assert_eq!(paid("signup"), ["crustdata.company", "crustdata.person"]);
}
