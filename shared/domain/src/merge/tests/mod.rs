//! What merging one field holds to, whatever is observed.

mod lead;

use proptest::prelude::*;

use super::*;
use crate::units::Millis;

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

fn seen(source: &str, family: &str, headcount: i64, age_days: i64) -> Observation {
    Observation {
        field: Field::known("company.headcount"),
        value: Value::number(headcount),
        source: source.into(),
        family: family.into(),
        observed_at: NOW.before(Millis::days(age_days)),
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    }
}

fn headcount(observations: &[Observation]) -> Fact {
    let facts = merge(observations, &Schema::default(), &Trust::default(), NOW);
    facts[&Field::known("company.headcount")].clone()
}

#[test]
fn one_bare_source_is_moderate() {
    assert_eq!(headcount(&[seen("a", "a", 200, 0)]).level(), Level::Moderate);
}

#[test]
fn s0_84_two_independent_sources_verify_and_two_of_one_family_do_not() {
    assert_eq!(headcount(&[seen("a", "a", 200, 0), seen("b", "b", 200, 0)]).level(), Level::Verified);
    assert_eq!(headcount(&[seen("a", "x", 200, 0), seen("b", "x", 200, 0)]).level(), Level::Moderate);
}

#[test]
fn a_competing_value_is_listed_and_lowers_the_confidence() {
    let fact = headcount(&[seen("a", "a", 200, 0), seen("b", "b", 9000, 10)]);
    assert_eq!(fact.value, Value::number(200), "the younger of two equals wins");
    assert_eq!(fact.conflicts, [Value::number(9000)]);
    assert!(fact.confidence < headcount(&[seen("a", "a", 200, 0)]).confidence);
}

#[test]
fn s0_87_a_direct_validation_outranks_what_others_state() {
    let checked = Observation { basis: Basis::Validated, ..seen("check", "check", 150, 0) };
    let fact = headcount(&[seen("a", "a", 200, 0), seen("b", "b", 200, 0), checked]);
    assert_eq!((fact.value.clone(), fact.level()), (Value::number(150), Level::Verified));
}

#[test]
fn a_worthless_an_inferring_and_an_outdated_family_confirm_nothing() {
    let alone = headcount(&[seen("a", "a", 200, 0)]).confidence;
    let worthless = Observation { stated: BasisPoints::ZERO, ..seen("b", "b", 200, 0) };
    let inferring = Observation { basis: Basis::Inferred, ..seen("b", "b", 200, 0) };
    let outdated = seen("b", "b", 200, 800);
    assert_eq!(headcount(&[seen("a", "a", 200, 0), worthless]).confidence, alone);
    for more in [inferring, outdated] {
        let fact = headcount(&[seen("a", "a", 200, 0), more]);
        assert_eq!((fact.level(), fact.confirmations), (Level::Moderate, 1));
    }
}

#[test]
fn an_outdated_check_does_not_outrank_fresh_sources() {
    let old_check = Observation { basis: Basis::Validated, ..seen("check", "check", 150, 800) };
    assert_eq!(headcount(&[old_check, seen("a", "a", 200, 0), seen("b", "b", 200, 0)]).value, Value::number(200));
}

#[test]
fn two_checks_that_disagree_verify_nothing() {
    let check = |source: &str, count: i64| Observation { basis: Basis::Validated, ..seen(source, source, count, 0) };
    assert!(headcount(&[check("a", 200), check("b", 150)]).level() < Level::Verified);
}

#[test]
fn an_outdated_value_is_low() {
    assert_eq!(headcount(&[seen("a", "a", 200, 800), seen("b", "b", 200, 900)]).level(), Level::Low);
}

proptest! {
    #[test]
    fn age_never_raises_an_uncontested_fact(ages in prop::collection::vec(0i64..1500, 1..4), older_by in 0i64..900) {
        let names = ["a", "b", "c"];
        let at = |more: i64| {
            let seen: Vec<Observation> = ages.iter().zip(names).map(|(age, name)| seen(name, name, 200, age + more)).collect();
            headcount(&seen).confidence
        };
        prop_assert!(at(older_by) <= at(0));
    }

    #[test]
    fn one_more_agreeing_family_never_lowers_a_fact(ages in prop::collection::vec(0i64..1500, 1..4), others in prop::collection::vec(0i64..900, 0..3), more in 0i64..1500) {
        let names = ["a", "b", "c"];
        let mut all: Vec<Observation> = ages.iter().zip(names).map(|(age, name)| seen(name, name, 200, *age)).collect();
        all.extend(others.iter().zip(["x", "y", "z"]).map(|(age, name)| seen(name, name, 9000, *age)));
        let before = headcount(&all);
        all.push(seen("d", "d", 200, more));
        let after = headcount(&all);
        // Only while the value stays the best one: a supporter of the loser weakens the winner, as it should.
        prop_assume!(before.value == Value::number(200));
        prop_assert!(after.confidence >= before.confidence);
    }

    #[test]
    fn the_order_of_arrival_never_matters(
        rows in prop::collection::vec((0usize..4, 1i64..4, 0i64..900), 1..8),
        turn in 0usize..8,
    ) {
        let observations: Vec<Observation> = rows
            .into_iter()
            .map(|(who, count, age)| seen(["a", "b", "c", "d"][who], ["a", "b", "c", "c"][who], count, age))
            .collect();
        let mut turned = observations.clone();
        turned.rotate_left(turn % observations.len());
        turned.reverse();
        prop_assert_eq!(headcount(&observations), headcount(&turned));
    }
}
