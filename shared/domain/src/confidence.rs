//! How sure we are of a value: fixed-point arithmetic over sorted input, so that every machine gets the same bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::observation::Basis;
use crate::schema::FieldClass;
use crate::units::{BasisPoints, Millis};

/// The level of a confidence (S0-80…83, X-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below 5000: inferred or outdated; a lead, not a fact.
    Low,
    /// From 5000: one source without corroboration.
    Moderate,
    /// From 7500: a reliable source with consistent signals.
    High,
    /// From 9000: several independent sources, or direct validation.
    Verified,
}

impl Level {
    /// The level that a confidence belongs to; 89.99 % is still High.
    #[must_use]
    pub const fn of(confidence: BasisPoints) -> Self {
        match confidence.get() {
            9000.. => Self::Verified,
            7500.. => Self::High,
            5000.. => Self::Moderate,
            _ => Self::Low,
        }
    }

    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Verified => "verified",
        }
    }

    /// The badge it is shown by (S0-88, X-05); the outline for High is ours, the source document names no colour.
    #[must_use]
    pub const fn badge(self) -> &'static str {
        match self {
            Self::Low => "gray",
            Self::Moderate => "yellow",
            Self::High => "green-outline",
            Self::Verified => "green",
        }
    }
}

/// What one bare source can reach at most: the top of Moderate.
pub(crate) const CAP_ONE_SOURCE: BasisPoints = BasisPoints::new(7499);
/// What one reliable source can reach at most with a passed check of consistency: the top of High.
pub(crate) const CAP_ONE_CONSISTENT: BasisPoints = BasisPoints::new(8999);
/// From this reliability on a source counts as reliable: where High begins, for no worth is above its source's reliability.
pub(crate) const RELIABLE: BasisPoints = BasisPoints::new(7500);
/// What inferred or outdated values can reach at most: the top of Low.
pub(crate) const CAP_INFERRED: BasisPoints = BasisPoints::new(4999);
/// Where a direct validation puts a value at least.
pub(crate) const FLOOR_VALIDATED: BasisPoints = BasisPoints::new(9000);
/// What a value can reach at most that a direct validation found invalid.
pub(crate) const CAP_INVALID: BasisPoints = BasisPoints::new(4999);
/// How much a competing value takes away, κ of DESIGN §4.
pub(crate) const CONFLICT_WEIGHT: BasisPoints = BasisPoints::new(5000);
/// After this many half-lives a value counts as outdated.
pub(crate) const OUTDATED_AFTER_HALF_LIVES: i64 = 2;

/// How far each provider is trusted, and how fast each class of field ages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Reliability by source (`crustdata.company`) or provider (`crustdata`), 0 to 10,000.
    #[serde(default)]
    pub reliability: BTreeMap<String, BasisPoints>,
    /// Reliability of a source that is not named.
    #[serde(default = "Trust::default_prior")]
    pub prior: BasisPoints,
    /// Gate, score and route see only facts of at least this confidence: a weak value is not a known value (S3-45).
    #[serde(default = "Trust::default_floor")]
    pub floor: BasisPoints,
    /// Which domains are implausibly young for which companies (S3-74); one row that says so is enough.
    #[serde(default = "Trust::default_domain_age")]
    pub domain_age: Vec<UsualAge>,
}

/// A company of so many people has had its domain for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsualAge {
    /// People, from this number on.
    pub headcount: u32,
    /// Days since the registration, at least.
    pub days: u32,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            reliability: BTreeMap::new(),
            prior: Self::default_prior(),
            floor: Self::default_floor(),
            domain_age: Self::default_domain_age(),
        }
    }
}

impl Trust {
    const fn default_prior() -> BasisPoints {
        BasisPoints::new(7000)
    }

    const fn default_floor() -> BasisPoints {
        BasisPoints::new(5000)
    }

    /// Half a year for 50 people, a year for 500: nobody hires so many sooner, though a company may have changed its domain.
    fn default_domain_age() -> Vec<UsualAge> {
        vec![UsualAge { headcount: 50, days: 180 }, UsualAge { headcount: 500, days: 365 }]
    }

    /// The reliability of a source: its own, its provider's, or the prior.
    #[must_use]
    pub fn of(&self, source: &str) -> BasisPoints {
        let provider = source.split_once('.').map_or(source, |(provider, _)| provider);
        self.reliability.get(source).or_else(|| self.reliability.get(provider)).copied().unwrap_or(self.prior)
    }
}

/// The time after which a value is worth half (S0-85).
#[must_use]
pub const fn half_life(class: FieldClass) -> Millis {
    match class {
        FieldClass::Person => Millis::days(180),
        FieldClass::Company => Millis::days(365),
        FieldClass::Phone => Millis::days(90),
        FieldClass::Check => Millis::days(30),
    }
}

/// What is left of a value's worth after `age`: 10,000 halved once a half-life, linear in between.
#[must_use]
pub fn halving(age: Millis, half_life: Millis) -> BasisPoints {
    let span = half_life.0.max(1);
    let halvings = age.0.max(0) / span;
    if halvings >= 14 {
        return BasisPoints::ZERO;
    }
    let whole = 10_000_i64 >> halvings;
    let into_next = age.0.max(0) % span;
    let points = whole - whole / 2 * (into_next / 1000) / (span / 1000).max(1);
    BasisPoints::new(u16::try_from(points).unwrap_or(0))
}

/// The worth of one observation: reliability × stated confidence × halving.
#[must_use]
pub fn worth(reliability: BasisPoints, stated: BasisPoints, age: Millis, class: FieldClass) -> BasisPoints {
    reliability.times(stated).times(halving(age, half_life(class)))
}

/// The support of a value from independent families: `1 − Π(1 − pᵢ)`.
#[must_use]
pub fn support(worths: impl IntoIterator<Item = BasisPoints>) -> BasisPoints {
    worths.into_iter().fold(BasisPoints::ONE, |doubt, worth| doubt.times(worth.complement())).complement()
}

/// The best value's confidence: its support, less what every competing value takes away.
#[must_use]
pub fn contested(best: BasisPoints, others: impl IntoIterator<Item = BasisPoints>) -> BasisPoints {
    others.into_iter().fold(best, |left, other| left.times(CONFLICT_WEIGHT.times(other).complement()))
}

/// What a value stands on; it says how far its confidence may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many independent families say so, neither inferring nor outdated.
    pub families: usize,
    /// The best basis among those who say so.
    pub basis: Basis,
    /// Whether nobody said so for two half-lives.
    pub is_outdated: bool,
    /// Whether a reliable source says so and a check of consistency passed, while none failed (S0-86).
    pub is_consistent: bool,
}

/// Keeps the levels honest: how far `confidence` may go on what it stands on.
#[must_use]
pub fn capped(confidence: BasisPoints, standing: Standing) -> BasisPoints {
    if standing.basis == Basis::Validated && !standing.is_outdated {
        return confidence.max(FLOOR_VALIDATED);
    }
    if standing.basis == Basis::Inferred || standing.is_outdated {
        return confidence.min(CAP_INFERRED);
    }
    match standing.families {
        2.. => confidence,
        _ if standing.is_consistent => confidence.min(CAP_ONE_CONSISTENT),
        _ => confidence.min(CAP_ONE_SOURCE),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s0_80_to_83_levels_start_where_the_table_says() {
        for (points, level) in [
            (9000, Level::Verified),
            (8999, Level::High),
            (7500, Level::High),
            (7499, Level::Moderate),
            (5000, Level::Moderate),
            (4999, Level::Low),
        ] {
            assert_eq!(Level::of(BasisPoints::new(points)), level);
        }
    }

    #[test]
    fn a_value_is_worth_half_after_its_half_life() {
        let span = Millis::days(30);
        assert_eq!(halving(Millis(0), span).get(), 10_000);
        assert_eq!(halving(Millis::days(15), span).get(), 7_500);
        assert_eq!(halving(Millis::days(30), span).get(), 5_000);
        assert_eq!(halving(Millis::days(30 * 20), span).get(), 0);
    }

    #[test]
    fn s0_85_a_title_of_last_week_beats_one_of_six_months_ago() {
        let at = |age| worth(BasisPoints::new(8000), BasisPoints::ONE, age, FieldClass::Person);
        assert!(at(Millis::days(7)) > at(Millis::days(180)));
    }

    #[test]
    fn x_04_each_level_has_to_be_earned() {
        let level = |families, basis, is_consistent| {
            Level::of(capped(BasisPoints::ONE, Standing { families, basis, is_outdated: false, is_consistent }))
        };
        assert_eq!(level(1, Basis::Stated, false), Level::Moderate);
        assert_eq!(level(1, Basis::Stated, true), Level::High);
        assert_eq!(level(2, Basis::Stated, false), Level::Verified);
        assert_eq!(level(2, Basis::Inferred, true), Level::Low);
        let validated = Standing { families: 1, basis: Basis::Validated, is_outdated: false, is_consistent: false };
        assert_eq!(Level::of(capped(BasisPoints::ZERO, validated)), Level::Verified);
        assert_eq!(Level::of(capped(BasisPoints::ONE, Standing { is_outdated: true, ..validated })), Level::Low);
    }

    #[test]
    fn x_05_every_level_has_a_badge_of_its_own() {
        let badges = [Level::Verified, Level::High, Level::Moderate, Level::Low].map(Level::badge);
        assert_eq!(badges, ["green", "green-outline", "yellow", "gray"]);
    }

    #[test]
    fn x_04_a_fraction_never_looks_like_the_next_level() {
        assert_eq!(BasisPoints::new(8999).as_fraction(), "0.89");
        assert_eq!(BasisPoints::new(9000).as_fraction(), "0.90");
    }

    proptest! {
        #[test]
        fn one_more_agreeing_family_never_lowers(worths in prop::collection::vec(0u16..=10_000, 0..6), more in 0u16..=10_000) {
            let worths: Vec<BasisPoints> = worths.into_iter().map(BasisPoints::new).collect();
            let with_more: Vec<BasisPoints> = worths.iter().copied().chain([BasisPoints::new(more)]).collect();
            prop_assert!(support(with_more) >= support(worths));
        }

        #[test]
        fn age_never_raises(a in 0i64..100_000_000_000, b in 0i64..100_000_000_000) {
            let (younger, older) = (Millis(a.min(b)), Millis(a.max(b)));
            prop_assert!(halving(older, Millis::days(30)) <= halving(younger, Millis::days(30)));
        }
    }
}
