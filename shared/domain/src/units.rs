//! The exact quantities decisions are made of: time, money and certainty, all integers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Reads an RFC 3339 date-time such as `2026-04-18T12:34:56Z`; `None` when `text` is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        Some(Self(moment.as_millisecond()))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as DynamoDB's TTL wants them.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `span` later.
    #[must_use]
    pub const fn after(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier.
    #[must_use]
    pub const fn before(self, span: Millis) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        let span = self.0.saturating_sub(earlier.0);
        Millis(if span < 0 { 0 } else { span })
    }

    /// The calendar day in UTC, `2026-11-20`.
    #[must_use]
    pub fn day(self) -> String {
        self.format("%Y-%m-%d")
    }

    /// The calendar month in UTC, `2026-11`: the period of a credit balance.
    #[must_use]
    pub fn month(self) -> String {
        self.format("%Y-%m")
    }

    /// The ISO week in UTC, `2026-W47`.
    #[must_use]
    pub fn week(self) -> String {
        self.format("%G-W%V")
    }

    fn format(self, pattern: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |moment| moment.strftime(pattern).to_string())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

/// A span of time in milliseconds. Configuration writes it as `1500ms`, `2s`, `5m`, `24h` or `90d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(n: i64) -> Self {
        Self(n * 1000)
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n * 60)
    }

    /// A span of whole hours.
    #[must_use]
    pub const fn hours(n: i64) -> Self {
        Self::minutes(n * 60)
    }

    /// A span of whole days of 24 hours.
    #[must_use]
    pub const fn days(n: i64) -> Self {
        Self::hours(n * 24)
    }

    /// A span of the clock, to the whole millisecond; one beyond all clocks is as long as there is.
    #[must_use]
    pub fn from_duration(span: std::time::Duration) -> Self {
        Self(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
    }

    /// Reads `1500ms`, `2s`, `5m`, `24h` or `90d`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
        let (digits, unit) = text.split_at(unit_at);
        let count: i64 = digits.parse().ok()?;
        let unit_millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        count.checked_mul(unit_millis).map(Self)
    }

    /// The same span for timers; a negative one is zero.
    #[must_use]
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(if self.0 < 0 { 0 } else { self.0.unsigned_abs() })
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
            if self.0 != 0 && self.0 % millis == 0 {
                return write!(f, "{}{unit}", self.0 / millis);
            }
        }
        write!(f, "{}ms", self.0)
    }
}

impl Serialize for Millis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a duration; write for example 1500ms, 2s, 5m, 24h or 90d")))
    }
}

/// Certainty in hundredths of a percent, 0 to 10,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// Impossible.
    pub const ZERO: Self = Self(0);
    /// Certain.
    pub const ONE: Self = Self(10_000);

    /// `points` hundredths of a percent; more than 10,000 is taken as 10,000.
    #[must_use]
    pub const fn new(points: u16) -> Self {
        Self(if points > 10_000 { 10_000 } else { points })
    }

    /// Nearest whole point to `fraction` of one, for the 0.0…1.0 that vendors speak; out of range is clamped.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10000 in the line before")]
    pub fn from_fraction(fraction: f64) -> Self {
        let points = (fraction * 10_000.0).round().clamp(0.0, 10_000.0);
        Self(points as u16)
    }

    /// Hundredths of a percent.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The product of two probabilities, rounded down.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = u32::from(self.0) * u32::from(other.0) / 10_000;
        Self(u16::try_from(product).unwrap_or(10_000))
    }

    /// The probability that this does not hold.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(10_000 - self.0)
    }

    /// `0.92`, as S3-64 writes it into a CRM; rounded down to two places.
    #[must_use]
    pub fn as_fraction(self) -> String {
        format!("{}.{:02}", self.0 / 10_000, self.0 % 10_000 / 100)
    }
}

impl<'de> Deserialize<'de> for BasisPoints {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "the cast saturates, and only an exact match passes"
    )]
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = f64::deserialize(deserializer)?;
        let points = written as u16;
        if points <= 10_000 && f64::from(points) == written {
            return Ok(Self(points));
        }
        Err(serde::de::Error::custom(format!("{written} is not in basis points; write a whole number from 0 to 10000 (8500 is 85 %)")))
    }
}

/// An amount of credits in millionths of a credit. Configuration writes whole or decimal credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credits(i64);

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `micros` millionths of a credit.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// `n` whole credits.
    #[must_use]
    pub const fn whole(n: i64) -> Self {
        Self(n * 1_000_000)
    }

    /// Reads decimal credits such as `2`, `0.5` or `0.000001`; `None` below one millionth, negative or not a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let amount: rust_decimal::Decimal = text.parse().ok()?;
        let micros = amount.checked_mul(rust_decimal::Decimal::from(1_000_000))?;
        if micros.is_sign_negative() || !micros.is_integer() {
            return None;
        }
        i64::try_from(micros).ok().map(Self)
    }

    /// Millionths of a credit.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The sum; saturates far beyond any allocation.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, which may be negative.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Reads credits as configuration writes them: `2`, `0.5` or `"0.135"`. For `#[serde(deserialize_with)]`.
///
/// # Errors
/// Refuses what is negative, no number, or finer than a millionth.
pub fn written_credits<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Credits, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Whole(i64),
        Decimal(f64),
        Text(String),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Whole(whole) => whole.to_string(),
        Written::Decimal(number) => number.to_string(),
        Written::Text(text) => text,
    };
    Credits::parse(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an amount of credits; write for example 2 or 0.005")))
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", rust_decimal::Decimal::new(self.0, 6).normalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_as_it_was_written() {
        for text in ["1500ms", "2s", "5m", "24h", "90d", "0ms"] {
            let span = Millis::parse(text).unwrap();
            assert_eq!(Millis::parse(&span.to_string()), Some(span));
        }
        assert_eq!(Millis::parse("90"), None);
        assert_eq!(Millis::parse("soon"), None);
    }

    #[test]
    fn decimal_credits_are_exact_to_the_millionth() {
        assert_eq!(Credits::parse("0.135"), Some(Credits::from_micros(135_000)));
        assert_eq!(Credits::parse("0.0000001"), None);
        assert_eq!(Credits::parse("-1"), None);
        assert_eq!(Credits::whole(2).to_string(), "2");
    }

    #[test]
    fn a_fraction_keeps_two_places_like_the_crm_example_of_s3_64() {
        assert_eq!(BasisPoints::new(9200).as_fraction(), "0.92");
        assert_eq!(BasisPoints::ONE.as_fraction(), "1.00");
    }

    #[test]
    fn periods_are_those_of_the_utc_calendar() {
        let moment = Timestamp::parse("2026-11-20T23:59:59.999Z").unwrap();
        assert_eq!((moment.day(), moment.week(), moment.month()), ("2026-11-20".into(), "2026-W47".into(), "2026-11".into()));
        assert_eq!(moment.to_string(), "2026-11-20T23:59:59.999Z");
    }
}
