//! Tiers: bands of the score with a name, and those a lead can still be in (S2-65, X-16).

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

/// A band of the score: from `from` points up to the next band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Its name, such as `A`.
    pub name: String,
    /// The fewest points, 0 to 100.
    pub from: i64,
}

/// The bands, the highest first; none where no tiers are configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiers(Vec<Band>);

/// The tiers that are possible for a score, the highest first; one of them when it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tier(Vec<String>);

impl Tier {
    /// The tier, once the score settles it.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        if let [tier] = self.0.as_slice() { Some(tier) } else { None }
    }

    /// Every tier that is still possible, the highest first.
    #[must_use]
    pub fn possible(&self) -> &[String] {
        &self.0
    }
}

impl Tiers {
    /// Takes bands in any order. One of them should begin at 0, so that every score has a tier.
    #[must_use]
    pub fn new(mut bands: Vec<Band>) -> Self {
        bands.sort_by_key(|band| Reverse(band.from));
        Self(bands)
    }

    /// The bands, the highest first.
    #[must_use]
    pub fn bands(&self) -> &[Band] {
        &self.0
    }

    /// The tiers of a score between `low` and `high`; `None` where no tiers are configured.
    #[must_use]
    pub fn of(&self, low: i64, high: i64) -> Option<Tier> {
        let above_all = [None].into_iter().chain(self.0.iter().map(|band| Some(band.from)));
        let reached = self.0.iter().zip(above_all).filter(|(band, next)| band.from <= high && next.is_none_or(|next| low < next));
        let names: Vec<String> = reached.map(|(band, _)| band.name.clone()).collect();
        (!names.is_empty()).then_some(Tier(names))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tiers() -> Tiers {
        Tiers::new([("B", 50), ("A", 80), ("C", 0)].map(|(name, from)| Band { name: name.into(), from }).to_vec())
    }

    #[test]
    fn s2_65_a_tier_is_known_when_both_ends_of_the_score_agree() {
        for ((low, high), known) in [((80, 100), "A"), ((50, 79), "B"), ((0, 49), "C"), ((80, 80), "A")] {
            assert_eq!(tiers().of(low, high).unwrap().known(), Some(known), "{low}…{high}");
        }
    }

    #[test]
    fn x_16_an_open_score_leaves_the_tiers_that_it_can_reach() {
        let possible = |low, high| tiers().of(low, high).unwrap().possible().to_vec();
        assert_eq!(possible(30, 80), ["A", "B", "C"]);
        assert_eq!(possible(50, 80), ["A", "B"]);
        assert_eq!(possible(49, 79), ["B", "C"]);
        assert_eq!(tiers().of(49, 79).unwrap().known(), None);
        assert_eq!(Tiers::default().of(0, 100), None);
    }

    proptest! {
        #[test]
        fn s2_65_the_possible_tiers_are_those_of_the_points_between(low in 0i64..=100, more in 0i64..=100) {
            let high = (low + more).min(100);
            let mut expected: Vec<String> = (low..=high).map(|points| tiers().of(points, points).unwrap().known().unwrap().to_owned()).collect();
            expected.sort();
            expected.dedup();
            prop_assert_eq!(tiers().of(low, high).unwrap().possible().to_vec(), expected);
        }
    }
}
