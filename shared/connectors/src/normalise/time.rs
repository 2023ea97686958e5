//! Years, dates and spans out of vendors' texts.

use domain::units::Timestamp;
use jiff::civil::Date;

/// Companies and people of other years do not sign up.
const YEARS: std::ops::RangeInclusive<i64> = 1500..=2200;
/// Nobody holds a job for longer.
const MONTHS_MAX: i64 = 12 * 80;

/// The year that a text begins with: `2017`, `2017-01-01`.
pub(super) fn year(text: &str) -> Option<i64> {
    let digits = text.split('-').next()?;
    let year: i64 = digits.parse().ok()?;
    (digits.len() == 4 && YEARS.contains(&year)).then_some(year)
}

/// The calendar date that a text begins with.
pub(super) fn date(text: &str) -> Option<String> {
    civil(text).map(|date| date.to_string())
}

/// Whole months from a date, or from a month without a day, to now; `None` for one to come.
pub(super) fn months_since(text: &str, now: Timestamp) -> Option<i64> {
    let start = civil(text).or_else(|| civil(&format!("{text}-01")))?;
    let today = jiff::Timestamp::from_millisecond(now.millis()).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
    let months = (i64::from(today.year()) - i64::from(start.year())) * 12 + i64::from(today.month()) - i64::from(start.month());
    let whole = if today.day() < start.day() { months - 1 } else { months };
    (0..=MONTHS_MAX).contains(&whole).then_some(whole)
}

fn civil(text: &str) -> Option<Date> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let ends = rest.is_empty() || rest.starts_with(['T', ' ']);
    let is_plain = day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if ends && is_plain { day.parse().ok() } else { None }
}
