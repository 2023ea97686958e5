//! The conditions of the source documents parse as they are written there, and hold exactly where they should.

use domain::condition::{Truth, View};
use domain::value::Value;

use crate::{facts, parse};

fn answer(text: &str, known: &[(&str, Value)]) -> Truth {
    parse(text).evaluate(&View::of(&facts(known.iter().cloned())).with_score(60, 60))
}

#[test]
fn s3_56_headcount_is_compared_on_both_sides_at_once() {
    for text in ["50 <= headcount <= 5000", "50 <= company.headcount <= 5000"] {
        for (headcount, holds) in [(49, Truth::False), (50, Truth::True), (5000, Truth::True), (5001, Truth::False)] {
            assert_eq!(answer(text, &[("headcount", Value::number(headcount))]), holds, "{text} with {headcount}");
        }
        assert_eq!(answer(text, &[]), Truth::Unknown);
    }
}

#[test]
fn s3_57_the_stages_of_funding_need_no_quotes() {
    for text in ["funding_stage in (series_a, series_b, series_c)", r#"company.funding_stage in ("series_a", "series_b", "series_c")"#] {
        assert_eq!(answer(text, &[("company.funding_stage", Value::text("series_b"))]), Truth::True);
        assert_eq!(answer(text, &[("company.funding_stage", Value::text("seed"))]), Truth::False);
        assert_eq!(answer(text, &[]), Truth::Unknown);
    }
}

#[test]
fn s3_58_one_of_two_technologies_is_enough() {
    let text = r#""kubernetes" in tech_stack or "aws" in tech_stack"#;
    assert_eq!(answer(text, &[("company.tech_stack", Value::list(["aws", "react"]))]), Truth::True);
    assert_eq!(answer(text, &[("company.tech_stack", Value::list(["react"]))]), Truth::False);
    assert_eq!(answer(text, &[]), Truth::Unknown);
}

#[test]
fn s3_59_who_decides_is_named_by_rung() {
    for text in ["seniority in (director, vp, c_level)", r#"person.seniority in ("director", "vp", "c_level")"#] {
        assert_eq!(answer(text, &[("contact.seniority", Value::text("VP"))]), Truth::True);
        assert_eq!(answer(text, &[("contact.seniority", Value::text("manager"))]), Truth::False);
        assert_eq!(answer(text, &[]), Truth::Unknown);
    }
}

#[test]
fn s3_60_growth_of_exactly_the_bound_is_not_enough() {
    let grown = |trend: &str| [("company.traffic_trend_90d", Value::Number(trend.parse().unwrap()))];
    assert_eq!(answer("traffic_trend_90d > 0.15", &grown("0.15")), Truth::False);
    assert_eq!(answer("traffic_trend_90d > 0.15", &grown("0.1500000000000000000000000001")), Truth::True);
    assert_eq!(answer("traffic_trend_90d > 0.15", &[]), Truth::Unknown);
}

#[test]
fn s3_61_sixty_points_are_enough() {
    let at = |low, high| parse("score >= 60").evaluate(&View::default().with_score(low, high));
    assert_eq!((at(60, 60), at(59, 59), at(59, 60)), (Truth::True, Truth::False, Truth::Unknown));
}

#[test]
fn s4_24_any_of_three_signs_of_value_is_enough() {
    let text = r#"loan_amount > 100000 OR lead_score > 80 OR source.type = "exclusive""#;
    assert_eq!(answer(text, &[("loan_amount", Value::number(100_001))]), Truth::True);
    assert_eq!(answer(text, &[("source.type", Value::text("Exclusive"))]), Truth::True);
    assert_eq!(answer(text, &[("loan_amount", Value::number(100_000)), ("source.type", Value::text("shared"))]), Truth::False);
    assert_eq!(answer(text, &[("source.type", Value::text("shared"))]), Truth::Unknown);
    assert_eq!(parse(text).evaluate(&View::default().with_score(81, 90)), Truth::True);
}

#[test]
fn s4_25_a_dearer_phone_check_waits_for_a_valid_number() {
    assert_eq!(answer("phone.valid = true", &[("phone.valid", Value::Bool(true))]), Truth::True);
    assert_eq!(answer("phone.valid = true", &[("phone.valid", Value::Bool(false))]), Truth::False);
    assert_eq!(answer("phone.valid = true", &[]), Truth::Unknown);
}

#[test]
fn x_21_a_carrier_is_taken_at_its_word() {
    let text = r#"phone.carrier != "voip""#;
    assert_eq!(answer(text, &[("phone.carrier", Value::text("Verizon"))]), Truth::True);
    assert_eq!(answer(text, &[("phone.carrier", Value::text("VoIP"))]), Truth::False);
    assert_eq!(answer(text, &[("phone.type", Value::text("voip"))]), Truth::Unknown, "the type says nothing of the carrier");
}

#[test]
fn x_33_the_longer_paths_read_the_same_field() {
    for text in [r#"lead.phone.carrier = "Sprint""#, r#"appended.phone.carrier = "Sprint""#] {
        assert_eq!(answer(text, &[("phone.carrier", Value::text("sprint"))]), Truth::True, "{text}");
    }
}
