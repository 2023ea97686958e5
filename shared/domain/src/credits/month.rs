use std::fmt;

use crate::units::{Millis, Timestamp};

/// A calendar month in UTC: the period of a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    name: String,
    start: Timestamp,
    end: Timestamp,
}

impl Month {
    /// Reads `2026-11`; `None` when `text` is no month.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 7 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            return None;
        }
        let (year, month) = text.split_once('-')?;
        let (year, month): (u16, u16) = (year.parse().ok()?, month.parse().ok()?);
        let start = first_moment(year, month)?;
        let end = if month == 12 { first_moment(year + 1, 1)? } else { first_moment(year, month + 1)? };
        Some(Self { name: text.to_owned(), start, end })
    }

    /// `2026-11`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.start <= moment && moment < self.end
    }

    /// Whether it is over at a moment.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.end <= now
    }

    /// Whether a moment lies before the month that goes before it.
    #[must_use]
    pub fn is_far_ahead(&self, now: Timestamp) -> bool {
        now.month() < self.start.before(Millis(1)).month()
    }

    /// Its whole length: 28 to 31 days.
    #[must_use]
    pub const fn length(&self) -> Millis {
        self.end.since(self.start)
    }

    /// How much of it has passed at a moment: nothing before it, all of it afterwards.
    #[must_use]
    pub fn passed(&self, now: Timestamp) -> Millis {
        now.min(self.end).since(self.start)
    }

    /// How much of it is left at a moment.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Millis {
        self.end.since(now.max(self.start))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn first_moment(year: u16, month: u16) -> Option<Timestamp> {
    Timestamp::parse(&format!("{year:04}-{month:02}-01T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_as_long_as_the_calendar_says() {
        for (name, days) in [("2026-11", 30), ("2026-12", 31), ("2026-02", 28), ("2028-02", 29)] {
            assert_eq!(Month::parse(name).unwrap().length(), Millis::days(days), "{name}");
        }
    }

    #[test]
    fn this_month_and_the_next_are_neither_over_nor_far_ahead() {
        let now = Timestamp::parse("2026-12-31T23:59:59.999Z").unwrap();
        let of = |name: &str| Month::parse(name).map(|month| (month.is_over(now), month.is_far_ahead(now))).unwrap();
        assert_eq!(["2025-12", "2026-11"].map(of), [(true, false); 2]);
        assert_eq!(["2026-12", "2027-01"].map(of), [(false, false); 2]);
        assert_eq!(["2027-02", "2030-01"].map(of), [(false, true); 2]);
        assert_eq!(Month::parse("2026-12").map(|month| month.is_over(now.after(Millis(1)))), Some(true));
    }

    #[test]
    fn a_month_is_shown_by_its_name() {
        let month = Month::parse("2026-11").unwrap();
        assert_eq!((month.name(), month.to_string().as_str()), ("2026-11", "2026-11"));
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-20", "+026-11", "2026-+1", "november", "9999-12"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn before_it_nothing_has_passed_and_afterwards_all_of_it() {
        let month = Month::parse("2026-11").unwrap();
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (now, passed) in [
            ("2026-10-31T23:59:59.999Z", Millis(0)),
            ("2026-11-01T00:00:00Z", Millis(0)),
            ("2026-11-02T12:00:00Z", Millis::hours(36)),
            ("2026-12-01T00:00:00Z", Millis::days(30)),
            ("2027-06-01T00:00:00Z", Millis::days(30)),
        ] {
            assert_eq!(month.passed(at(now)), passed, "{now}");
            assert_eq!(month.left(at(now)).0, Millis::days(30).0 - passed.0, "{now}");
        }
        assert!(month.contains(at("2026-11-30T23:59:59.999Z")) && !month.contains(at("2026-12-01T00:00:00Z")));
    }
}
