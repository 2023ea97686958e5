//! The values that compete for a field, each with all that speaks for it.

use std::borrow::Cow;
use std::cmp::Ordering;

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
#[derive(Clone, Copy)]
pub(super) struct Scales<'a> {
    pub(super) class: FieldClass,
    pub(super) trust: &'a Trust,
    pub(super) now: Timestamp,
}

impl Scales<'_> {
    fn worth(&self, observation: &Observation, reliability: BasisPoints) -> BasisPoints {
        let age = self.now.since(observation.observed_at);
        confidence::worth(reliability, observation.stated, age, self.class)
    }

    fn is_outdated(&self, observation: &Observation) -> bool {
        self.now.since(observation.observed_at) > Millis(confidence::half_life(self.class).0 * OUTDATED_AFTER_HALF_LIVES)
    }

    /// Whether its family counts as a confirmation by it.
    fn confirms(&self, observation: &Observation, worth: BasisPoints) -> bool {
        worth > BasisPoints::ZERO && observation.basis != Basis::Inferred && !self.is_outdated(observation)
    }
}

/// All observations of one value, and what they are worth together.
pub(super) struct Candidate<'a> {
    pub(super) latest: &'a Observation,
    /// When somebody said so first.
    pub(super) since: Timestamp,
    pub(super) support: BasisPoints,
    /// How many families count as confirmations.
    pub(super) confirmations: usize,
    /// Whether one of these is a reliable source.
    pub(super) is_reliable: bool,
    pub(super) basis: Basis,
    pub(super) is_outdated: bool,
    /// In order of families.
    group: Cow<'a, [&'a Observation]>,
    scales: Scales<'a>,
}

impl<'a> Candidate<'a> {
    /// Of a group in order of families; `None` for an empty one.
    fn weigh(group: Cow<'a, [&'a Observation]>, scales: Scales<'a>) -> Option<Self> {
        let (mut confirmations, mut is_reliable) = (0, false);
        let strongest_of = |family: &[&'a Observation]| {
            let mut strongest = BasisPoints::ZERO;
            let mut confirms = false;
            for observation in family {
                let reliability = scales.trust.of(&observation.source);
                let worth = scales.worth(observation, reliability);
                strongest = worth.max(strongest);
                if scales.confirms(observation, worth) {
                    confirms = true;
                    is_reliable |= reliability >= RELIABLE;
                }
            }
            confirmations += usize::from(confirms);
            strongest
        };
        let support = confidence::support(group.chunk_by(|a, b| a.family == b.family).map(strongest_of));
        let latest = group.iter().copied().max_by(|a, b| a.observed_at.cmp(&b.observed_at).then(b.cmp(a)))?;
        Some(Self {
            latest,
            since: group.iter().map(|observation| observation.observed_at).min()?,
            support,
            confirmations,
            is_reliable,
            basis: group.iter().map(|observation| observation.basis).max()?,
            is_outdated: scales.is_outdated(latest),
            group,
            scales,
        })
    }

    /// The families that count as confirmations; one may come several times.
    pub(super) fn confirming(&self) -> impl Iterator<Item = &'a str> {
        let Scales { trust, .. } = self.scales;
        let worth = |said: &Observation| self.scales.worth(said, trust.of(&said.source));
        self.group.iter().filter(move |said| self.scales.confirms(said, worth(said))).map(|said| said.family.as_str())
    }

    /// Whether a direct check that is not outdated says so.
    pub(super) fn is_validated(&self) -> bool {
        self.basis == Basis::Validated && !self.is_outdated
    }

    /// Who says so, sorted, each once.
    pub(super) fn sources(&self) -> Vec<String> {
        let mut sources: Vec<String> = Vec::with_capacity(self.group.len());
        for observation in self.group.iter() {
            if !sources.contains(&observation.source) {
                sources.push(observation.source.clone());
            }
        }
        sources.sort_unstable();
        sources
    }

    /// A direct check first, then the higher support, then the more recent.
    fn compare(&self, other: &Self) -> Ordering {
        let by_support = self.is_validated().cmp(&other.is_validated()).then(self.support.cmp(&other.support));
        by_support.then(self.latest.observed_at.cmp(&other.latest.observed_at))
    }
}

/// The values of a field, the best first; equals stand in the order of their normal form. What was `seen` is in order of families.
pub(super) fn weigh_all<'a>(seen: &'a [&'a Observation], field: &Field, kind: FieldKind, scales: Scales<'a>) -> Vec<Candidate<'a>> {
    // Most fields have one source, or sources that agree to the letter.
    if seen.windows(2).all(|pair| pair[0].value == pair[1].value) {
        return Candidate::weigh(Cow::Borrowed(seen), scales).into_iter().collect();
    }
    let mut normal: Vec<Normal<'_>> = seen.iter().map(|observation| (observation.value.normal_form(kind), *observation)).collect();
    normal.sort_by(|(a, _), (b, _)| a.cmp(b));
    let groups = || normal.chunk_by(|(a, _), (b, _)| a == b);
    if BANDED.contains(&field.as_str()) && groups().nth(1).is_some() {
        return weigh_banded(groups().collect(), scales);
    }
    let mut candidates: Vec<Candidate<'_>> = groups().filter_map(|group| Candidate::weigh(observations(group), scales)).collect();
    candidates.sort_by(|a, b| b.compare(a));
    candidates
}

/// An observation behind the normal form of its value.
type Normal<'a> = (Cow<'a, Value>, &'a Observation);

fn observations<'a>(group: &[Normal<'a>]) -> Cow<'a, [&'a Observation]> {
    group.iter().map(|(_, observation)| *observation).collect()
}

/// Numbers that agree without being equal. The one that the most speaks for takes all that agree with it, then the best of
/// the rest does, and so on: the same whatever came first.
fn weigh_banded<'a>(mut rest: Vec<&[Normal<'a>]>, scales: Scales<'a>) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    while !rest.is_empty() {
        let mut best: Option<(&[Normal<'a>], Candidate<'a>)> = None;
        for group in &rest {
            let agreeing = rest.iter().filter(|other| are_near(group, other)).flat_map(|other| other.iter());
            let mut agreeing: Vec<&Observation> = agreeing.map(|(_, observation)| *observation).collect();
            agreeing.sort_by(|a, b| a.family.cmp(&b.family));
            let Some(candidate) = Candidate::weigh(Cow::Owned(agreeing), scales) else { continue };
            if best.as_ref().is_none_or(|(_, best)| candidate.compare(best).is_gt()) {
                best = Some((group, candidate));
            }
        }
        let Some((group, candidate)) = best else { break };
        rest.retain(|other| !are_near(group, other));
        candidates.push(candidate);
    }
    candidates
}

fn are_near(one: &[Normal<'_>], other: &[Normal<'_>]) -> bool {
    one.first().zip(other.first()).is_some_and(|((one, _), (other, _))| is_near(one, other))
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
    use std::collections::{BTreeMap, BTreeSet};

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

    /// What a group is worth, family by family: the plain way.
    fn by_family(group: &[Observation], scales: &Scales<'_>) -> (BasisPoints, BTreeSet<String>) {
        let mut strongest: BTreeMap<&str, BasisPoints> = BTreeMap::new();
        let mut confirming = BTreeSet::new();
        for said in group {
            let age = scales.now.since(said.observed_at);
            let worth = confidence::worth(scales.trust.of(&said.source), said.stated, age, scales.class);
            let entry = strongest.entry(&said.family).or_default();
            *entry = worth.max(*entry);
            let is_outdated = age.0 > confidence::half_life(scales.class).0 * OUTDATED_AFTER_HALF_LIVES;
            if worth > BasisPoints::ZERO && said.basis != Basis::Inferred && !is_outdated {
                confirming.insert(said.family.clone());
            }
        }
        (confidence::support(strongest.into_values()), confirming)
    }

    fn observation() -> impl Strategy<Value = Observation> {
        let bases = prop::sample::select(&[Basis::Inferred, Basis::Stated, Basis::Validated][..]);
        ("[ab]", "[xyz]", 0i64..1000, 0u16..=10_000, bases, 1i64..3).prop_map(|(source, family, days, stated, basis, count)| Observation {
            field: Field::known("company.headcount"),
            value: Value::number(count),
            source,
            family,
            observed_at: Timestamp::from_millis(0).before(Millis::days(days)),
            stated: BasisPoints::new(stated),
            basis,
        })
    }

    proptest! {
        #[test]
        fn each_family_counts_once_by_its_strongest_word(group in prop::collection::vec(observation(), 1..7)) {
            let trust = Trust::default();
            let scales = Scales { class: FieldClass::Company, trust: &trust, now: Timestamp::from_millis(0) };
            let mut sorted: Vec<&Observation> = group.iter().collect();
            sorted.sort_by(|a, b| a.family.cmp(&b.family));
            let candidate = Candidate::weigh(Cow::Owned(sorted), scales).unwrap();
            let (support, confirming) = by_family(&group, &scales);
            prop_assert_eq!((candidate.support, candidate.confirmations), (support, confirming.len()));
            prop_assert_eq!(candidate.confirming().map(str::to_owned).collect::<BTreeSet<_>>(), confirming);
            let sources: BTreeSet<String> = group.iter().map(|said| said.source.clone()).collect();
            prop_assert_eq!(candidate.sources(), Vec::from_iter(sources));
        }

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
