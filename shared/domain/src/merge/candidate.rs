//! The values that compete for a field, each with all that speaks for it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::confidence::{self, OUTDATED_AFTER_HALF_LIVES, RELIABLE, Trust};
use crate::observation::{Basis, Observation};
use crate::schema::{Field, FieldClass, FieldKind};
use crate::units::{BasisPoints, Millis, Timestamp};
use crate::value::Value;

/// Fields in which two sources agree without naming the same number: nobody counts people to the last one.
const BANDED: &[&str] = &["company.headcount"];

/// The upper edges of the usual employee bands, 1-10, 11-50 … 5001-10000, 10001+.
const BAND_EDGES: &[i64] = &[10, 50, 200, 500, 1000, 5000, 10_000];

/// What observations are weighed by.
pub(super) struct Scales<'a> {
    pub(super) class: FieldClass,
    pub(super) trust: &'a Trust,
    pub(super) now: Timestamp,
}

/// All observations of one value, and what they are worth together.
pub(super) struct Candidate<'a> {
    pub(super) latest: &'a Observation,
    /// When somebody said so first.
    pub(super) since: Timestamp,
    pub(super) support: BasisPoints,
    /// Families that count as confirmations.
    pub(super) confirming: BTreeSet<&'a str>,
    /// Whether one of these is a reliable source.
    pub(super) is_reliable: bool,
    pub(super) basis: Basis,
    pub(super) is_outdated: bool,
    group: Vec<&'a Observation>,
}

impl<'a> Candidate<'a> {
    /// `None` for an empty group.
    fn weigh(group: Vec<&'a Observation>, scales: &Scales<'_>) -> Option<Self> {
        let outdated_age = Millis(confidence::half_life(scales.class).0 * OUTDATED_AFTER_HALF_LIVES);
        let mut strongest_by_family: BTreeMap<&str, BasisPoints> = BTreeMap::new();
        let mut confirming: BTreeSet<&'a str> = BTreeSet::new();
        let mut is_reliable = false;
        for observation in &group {
            let age = scales.now.since(observation.observed_at);
            let reliability = scales.trust.of(&observation.source);
            let worth = confidence::worth(reliability, observation.stated, age, scales.class);
            let strongest = strongest_by_family.entry(&observation.family).or_default();
            *strongest = worth.max(*strongest);
            if worth > BasisPoints::ZERO && observation.basis != Basis::Inferred && age <= outdated_age {
                confirming.insert(&observation.family);
                is_reliable |= reliability >= RELIABLE;
            }
        }
        let latest = group.iter().copied().max_by(|a, b| a.observed_at.cmp(&b.observed_at).then(b.cmp(a)))?;
        Some(Self {
            latest,
            since: group.iter().map(|observation| observation.observed_at).min()?,
            support: confidence::support(strongest_by_family.values().copied()),
            confirming,
            is_reliable,
            basis: group.iter().map(|observation| observation.basis).max()?,
            is_outdated: scales.now.since(latest.observed_at) > outdated_age,
            group,
        })
    }

    /// Whether a direct check that is not outdated says so.
    pub(super) fn is_validated(&self) -> bool {
        self.basis == Basis::Validated && !self.is_outdated
    }

    /// Who says so, sorted, each once.
    pub(super) fn sources(&self) -> Vec<String> {
        let mut sources: Vec<&str> = self.group.iter().map(|observation| observation.source.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        sources.into_iter().map(str::to_owned).collect()
    }

    /// A direct check first, then the higher support, then the more recent.
    fn compare(&self, other: &Self) -> Ordering {
        let by_support = self.is_validated().cmp(&other.is_validated()).then(self.support.cmp(&other.support));
        by_support.then(self.latest.observed_at.cmp(&other.latest.observed_at))
    }
}

/// The values of a field, the best first; equals stand in the order of their normal form.
pub(super) fn weigh_all<'a>(seen: &[&'a Observation], field: &Field, kind: FieldKind, scales: &Scales<'_>) -> Vec<Candidate<'a>> {
    // Most fields have one source, or sources that agree to the letter.
    if seen.windows(2).all(|pair| pair[0].value == pair[1].value) {
        return Candidate::weigh(seen.to_vec(), scales).into_iter().collect();
    }
    let mut groups: BTreeMap<Value, Vec<&Observation>> = BTreeMap::new();
    for observation in seen {
        groups.entry(observation.value.normal_form(kind)).or_default().push(observation);
    }
    if groups.len() > 1 && BANDED.contains(&field.as_str()) {
        return weigh_banded(groups.into_iter().collect(), scales);
    }
    let mut candidates: Vec<Candidate<'_>> = groups.into_values().filter_map(|group| Candidate::weigh(group, scales)).collect();
    candidates.sort_by(|a, b| b.compare(a));
    candidates
}

/// Numbers that agree without being equal. The one that the most speaks for takes all that agree with it, then the best of
/// the rest does, and so on: the same whatever came first.
fn weigh_banded<'a>(mut rest: Vec<(Value, Vec<&'a Observation>)>, scales: &Scales<'_>) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    while !rest.is_empty() {
        let mut best: Option<(Value, Candidate<'a>)> = None;
        for (number, _) in &rest {
            let agreeing = rest.iter().filter(|(other, _)| is_near(number, other)).flat_map(|(_, group)| group.iter().copied());
            let Some(candidate) = Candidate::weigh(agreeing.collect(), scales) else { continue };
            if best.as_ref().is_none_or(|(_, best)| candidate.compare(best).is_gt()) {
                best = Some((number.clone(), candidate));
            }
        }
        let Some((number, candidate)) = best else { break };
        rest.retain(|(other, _)| !is_near(&number, other));
        candidates.push(candidate);
    }
    candidates
}

/// Two headcounts agree within one band when the larger is at most a quarter above the smaller. A number on an edge, such
/// as 50, agrees only with itself: so a rule that compares with an edge answers alike for all that agree.
fn is_near(one: &Value, other: &Value) -> bool {
    let (Some(a), Some(b)) = (one.as_number(), other.as_number()) else { return one == other };
    if a == b {
        return true;
    }
    let (small, large) = (a.min(b), a.max(b));
    let is_within_a_quarter =
        large.checked_mul(Decimal::from(4)).zip(small.checked_mul(Decimal::from(5))).is_some_and(|(large, small)| large <= small);
    is_within_a_quarter && place(a) == place(b)
}

/// How many edges lie below a number, and how many at or below it: two numbers of one place are on the same side of each.
fn place(number: Decimal) -> (usize, usize) {
    let below = BAND_EDGES.partition_point(|edge| Decimal::from(*edge) < number);
    (below, BAND_EDGES.partition_point(|edge| Decimal::from(*edge) <= number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(a: i64, b: i64) -> bool {
        is_near(&Value::number(a), &Value::number(b))
    }

    #[test]
    fn headcounts_agree_within_a_band_and_a_quarter() {
        for (a, b) in [(100, 125), (127, 128), (160, 199), (4, 5), (12_000, 14_000), (0, 0)] {
            assert!(near(a, b), "{a} and {b}");
        }
        for (a, b) in [(100, 126), (49, 51), (40, 50), (50, 51), (199, 201), (5000, 5001), (0, 1), (51, 199)] {
            assert!(!near(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn numbers_beyond_all_companies_agree_with_themselves() {
        let most = Value::Number(Decimal::MAX);
        assert!(is_near(&most, &most));
        assert!(!is_near(&most, &Value::number(10)));
    }

    proptest! {
        #[test]
        fn agreement_is_mutual(a in -10i64..20_000, b in -10i64..20_000) {
            prop_assert_eq!(near(a, b), near(b, a));
            prop_assert!(near(a, a));
        }

        #[test]
        fn headcounts_that_agree_are_on_one_side_of_every_edge(a in 1i64..20_000, more in 0i64..26, edge in prop::sample::select(BAND_EDGES)) {
            let b = a + a * more / 100;
            prop_assume!(near(a, b));
            prop_assert_eq!((a >= edge, a > edge), (b >= edge, b > edge));
        }
    }
}
