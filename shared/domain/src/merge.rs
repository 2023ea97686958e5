//! Observations become facts: equal values are grouped, weighed and capped (DESIGN §4).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::confidence::{self, Level, OUTDATED_AFTER_HALF_LIVES, Trust};
use crate::observation::{Basis, Observation};
use crate::schema::{Field, FieldClass, Schema};
use crate::units::{BasisPoints, Millis, Timestamp};
use crate::value::Value;

/// What is believed about a field, and on whose word. `Debug` shows no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The best value, as its most recent source wrote it.
    pub value: Value,
    /// How sure we are of it.
    pub confidence: BasisPoints,
    /// The sources that say so, sorted (S1-17).
    pub sources: Vec<String>,
    /// How many independent families say so, neither inferring nor outdated; a direct check counts as one.
    #[serde(default)]
    pub confirmations: usize,
    /// The most recent time one of them said so.
    pub observed_at: Timestamp,
    /// Other values that somebody stated, strongest first (S2-18).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Value>,
}

impl Fact {
    /// The level of its confidence.
    #[must_use]
    pub const fn level(&self) -> Level {
        Level::of(self.confidence)
    }
}

/// Everything believed about a record.
pub type Facts = BTreeMap<Field, Fact>;

/// Merges observations into facts as of `now`. The order of the observations never matters.
#[must_use]
pub fn merge(observations: &[Observation], schema: &Schema, trust: &Trust, now: Timestamp) -> Facts {
    let mut by_field: BTreeMap<&Field, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        by_field.entry(&observation.field).or_default().push(observation);
    }
    by_field.into_iter().filter_map(|(field, seen)| Some((field.clone(), merge_field(&seen, schema, trust, now)?))).collect()
}

/// All observations of one value, and what they are worth together.
struct Candidate<'a> {
    normal: Value,
    latest: &'a Observation,
    support: BasisPoints,
    /// Families that count as confirmations.
    families: usize,
    sources: Vec<String>,
    basis: Basis,
    outdated: bool,
}

impl Candidate<'_> {
    /// Whether a direct check that is not outdated says so.
    fn is_validated(&self) -> bool {
        self.basis == Basis::Validated && !self.outdated
    }
}

fn merge_field(seen: &[&Observation], schema: &Schema, trust: &Trust, now: Timestamp) -> Option<Fact> {
    let (kind, class) = schema.kind_of(&seen.first()?.field);
    let mut groups: BTreeMap<Value, Vec<&Observation>> = BTreeMap::new();
    for observation in seen {
        groups.entry(observation.value.normal_form(kind)).or_default().push(observation);
    }
    let mut candidates: Vec<Candidate<'_>> =
        groups.into_iter().filter_map(|(normal, group)| weigh(normal, &group, class, trust, now)).collect();
    candidates.sort_by(|a, b| {
        let by_support = b.is_validated().cmp(&a.is_validated()).then(b.support.cmp(&a.support));
        by_support.then(b.latest.observed_at.cmp(&a.latest.observed_at)).then(a.normal.cmp(&b.normal))
    });
    let (best, others) = candidates.split_first()?;
    let contested = confidence::contested(best.support, others.iter().map(|other| other.support));
    // Two checks that disagree verify nothing.
    let is_disputed = best.is_validated() && others.iter().any(Candidate::is_validated);
    let basis = if is_disputed { Basis::Stated } else { best.basis };
    Some(Fact {
        value: best.latest.value.clone(),
        confidence: confidence::capped(contested, best.families, basis, best.outdated),
        sources: best.sources.clone(),
        confirmations: best.families,
        observed_at: best.latest.observed_at,
        conflicts: others.iter().map(|other| other.latest.value.clone()).collect(),
    })
}

fn weigh<'a>(normal: Value, group: &[&'a Observation], class: FieldClass, trust: &Trust, now: Timestamp) -> Option<Candidate<'a>> {
    let outdated_age = Millis(confidence::half_life(class).0 * OUTDATED_AFTER_HALF_LIVES);
    let mut strongest_by_family: BTreeMap<&str, BasisPoints> = BTreeMap::new();
    let mut confirming: BTreeSet<&str> = BTreeSet::new();
    for observation in group {
        let age = now.since(observation.observed_at);
        let worth = confidence::worth(trust.of(&observation.source), observation.stated, age, class);
        let strongest = strongest_by_family.entry(&observation.family).or_default();
        *strongest = worth.max(*strongest);
        if worth > BasisPoints::ZERO && observation.basis != Basis::Inferred && age <= outdated_age {
            confirming.insert(&observation.family);
        }
    }
    let latest = group.iter().copied().max_by(|a, b| a.observed_at.cmp(&b.observed_at).then(b.cmp(a)))?;
    let mut sources: Vec<String> = group.iter().map(|observation| observation.source.clone()).collect();
    sources.sort();
    sources.dedup();
    Some(Candidate {
        normal,
        latest,
        support: confidence::support(strongest_by_family.values().copied()),
        families: confirming.len(),
        sources,
        basis: group.iter().map(|observation| observation.basis).max().unwrap_or_default(),
        outdated: now.since(latest.observed_at) > outdated_age,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
}
