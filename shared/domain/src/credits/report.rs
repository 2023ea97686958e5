use std::collections::BTreeMap;

use super::{Balance, CapScope, Limits, Month, Usage};
use crate::units::{Credits, Millis, Timestamp};

/// What was spent in a month, put together from its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The month.
    pub month: Month,
    /// The moment for which it holds.
    pub at: Timestamp,
    /// The month's credits; none while nobody has used it.
    pub balance: Option<Balance>,
    /// What each day took and used.
    pub days: BTreeMap<String, Usage>,
    /// All days together.
    pub total: Usage,
    /// How fast the credits go; none while nobody has used the month, and before it begins.
    pub pace: Option<Pace>,
}

impl Report {
    /// Puts a month together.
    #[must_use]
    pub fn of(month: Month, at: Timestamp, balance: Option<Balance>, days: BTreeMap<String, Usage>) -> Self {
        let mut total = Usage::default();
        days.values().for_each(|day| total.add(day));
        let pace = balance.as_ref().and_then(|balance| Pace::of(balance.used, &month, at));
        Self { month, at, balance, days, total, pace }
    }

    /// What is taken of each configured cap: of the day's and the week's only in the month that runs. `week` is what the week took.
    #[must_use]
    pub fn caps(&self, limits: &Limits, week: Credits) -> Vec<CapUse> {
        let day = self.days.get(&self.at.day()).map_or(Credits::ZERO, |day| day.taken);
        let runs = self.month.contains(self.at);
        let taken_by = |part: String| self.balance.as_ref().map_or(Credits::ZERO, |balance| balance.taken_by(&part));
        let periods = [(CapScope::Day, limits.day, day), (CapScope::Week, limits.week, week)];
        let periods = periods.into_iter().filter_map(|(scope, cap, taken)| Some(CapUse { scope, cap: cap.filter(|_| runs)?, taken }));
        let providers = limits.provider.iter().map(|(name, cap)| CapUse {
            scope: CapScope::Provider(name.clone()),
            cap: *cap,
            taken: taken_by(format!("provider:{name}")),
        });
        let rules = limits.rule.iter().map(|(name, cap)| CapUse {
            scope: CapScope::Rule(name.clone()),
            cap: *cap,
            taken: taken_by(format!("rule:{name}")),
        });
        periods.chain(providers).chain(rules).collect()
    }
}

/// A configured cap, and what is taken of it: used and reserved together, as a reservation compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapUse {
    /// Which cap.
    pub scope: CapScope,
    /// The most.
    pub cap: Credits,
    /// What is taken.
    pub taken: Credits,
}

/// How fast a month's credits go (S0-70), to the nearest millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The burn rate: used credits by the days that have passed. The current day counts as the part of it that has passed.
    pub per_day: Credits,
    /// What will be used at the month's end: what is used, and the average for the days that are left.
    pub month_end: Credits,
}

impl Pace {
    /// The pace of a month with so many used credits at this moment; none before it begins.
    #[must_use]
    pub fn of(used: Credits, month: &Month, now: Timestamp) -> Option<Self> {
        let (passed, left) = (month.passed(now), month.left(now));
        if passed == Millis(0) {
            return None;
        }
        let for_span = |span: Millis| nearest(used, span, passed);
        Some(Self { per_day: for_span(Millis::days(1)), month_end: used.plus(for_span(left)) })
    }
}

/// `used × span ÷ passed`, rounded to the nearest millionth; never more than an amount can be.
fn nearest(used: Credits, span: Millis, passed: Millis) -> Credits {
    let (product, passed) = (i128::from(used.micros()) * i128::from(span.0), i128::from(passed.0));
    let micros = (2 * product + passed).div_euclid(2 * passed);
    Credits::from_micros(i64::try_from(micros.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or_default())
}

/// The share of `part` in `whole` in thousandths, rounded down; none of nothing.
#[must_use]
pub fn permille(part: Credits, whole: Credits) -> Option<u64> {
    if whole <= Credits::ZERO {
        return None;
    }
    let share = i128::from(part.micros().max(0)) * 1000 / i128::from(whole.micros());
    u64::try_from(share).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Change, Charge, Trigger};
    use super::*;
    use crate::schema::Entity;

    const DAY: i64 = Millis::days(1).0;

    fn november() -> Month {
        Month::parse("2026-11").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn after(passed: i64) -> Timestamp {
        at("2026-11-01T00:00:00Z").after(Millis(passed))
    }

    fn pace(used: i64, passed: i64) -> Pace {
        Pace::of(Credits::from_micros(used), &november(), after(passed)).unwrap()
    }

    #[test]
    fn s0_70_the_burn_rate_is_the_daily_average_and_the_month_ends_at_it() {
        let noon_of_the_third = Pace::of(Credits::whole(25), &november(), at("2026-11-03T12:00:00Z")).unwrap();
        assert_eq!(noon_of_the_third, Pace { per_day: Credits::whole(10), month_end: Credits::whole(300) });
        assert_eq!(pace(1_000_000, 3 * DAY).per_day, Credits::from_micros(333_333));
        assert_eq!(pace(2_000_000, 3 * DAY).per_day, Credits::from_micros(666_667));
    }

    #[test]
    fn before_its_month_there_is_no_pace_and_afterwards_nothing_is_left_to_project() {
        assert_eq!(Pace::of(Credits::whole(25), &november(), at("2026-11-01T00:00:00Z")), None);
        assert_eq!(pace(60_000_000, 90 * DAY), Pace { per_day: Credits::whole(2), month_end: Credits::whole(60) });
    }

    #[test]
    fn an_amount_too_large_for_a_projection_stays_the_largest_there_is() {
        assert_eq!(pace(i64::MAX, 1).month_end, Credits::from_micros(i64::MAX));
    }

    #[test]
    fn caps_of_the_day_and_the_week_are_those_of_now() {
        let limits = Limits {
            day: Some(Credits::whole(10)),
            week: Some(Credits::whole(40)),
            provider: BTreeMap::from([("crustdata".to_owned(), Credits::whole(50))]),
            rule: BTreeMap::from([("signup".to_owned(), Credits::whole(20))]),
            ..Limits::default()
        };
        let mut balance = Balance::opened(Credits::whole(100));
        balance.take(&charge("crustdata", "signup"), Change { reserved: Credits::whole(3), ..Change::default() });
        let days = BTreeMap::from([("2026-11-03".to_owned(), Usage { taken: Credits::whole(2), ..Usage::default() })]);
        let report = |now| Report::of(november(), at(now), Some(balance.clone()), days.clone());
        let taken = |report: &Report| -> Vec<(CapScope, Credits)> {
            report.caps(&limits, Credits::whole(5)).into_iter().map(|cap| (cap.scope, cap.taken)).collect()
        };
        let of_month = [(CapScope::Provider("crustdata".into()), Credits::whole(3)), (CapScope::Rule("signup".into()), Credits::whole(3))];
        let now = [(CapScope::Day, Credits::whole(2)), (CapScope::Week, Credits::whole(5))];
        assert_eq!(taken(&report("2026-11-03T12:00:00Z")), [&now[..], &of_month].concat());
        assert_eq!(taken(&report("2026-11-04T12:00:00Z"))[0], (CapScope::Day, Credits::ZERO));
        assert_eq!(taken(&report("2026-12-03T12:00:00Z")), of_month, "a month that is over has no day of today");
    }

    #[test]
    fn a_share_is_rounded_down_so_that_all_is_all() {
        assert_eq!(permille(Credits::from_micros(999_999), Credits::whole(1)), Some(999));
        assert_eq!(permille(Credits::whole(3), Credits::whole(2)), Some(1500));
        assert_eq!(permille(Credits::whole(-1), Credits::whole(2)), Some(0));
        assert_eq!(permille(Credits::whole(1), Credits::ZERO), None);
    }

    fn charge(provider: &str, rule: &str) -> Charge {
        Charge { provider: provider.into(), entity: Entity::Account, trigger: Trigger::Auto, rule: rule.into() }
    }

    proptest! {
        #[test]
        fn s0_70_an_even_consumption_projects_exactly(per_day in 0i64..1_000_000_000, hours in 1i64..=720) {
            // 24 credits a day for each: whole millionths an hour.
            let pace = pace(per_day * hours, hours * DAY / 24);
            prop_assert_eq!(pace.per_day, Credits::from_micros(per_day * 24));
            prop_assert_eq!(pace.month_end, Credits::from_micros(per_day * 720));
        }

        #[test]
        fn s0_70_the_projection_is_what_is_used_and_the_average_for_the_days_left(
            used in 0i64..1_000_000_000_000, passed in 1i64..=30 * DAY,
        ) {
            let (pace, left) = (pace(used, passed), 30 * DAY - passed);
            prop_assert!(pace.month_end >= Credits::from_micros(used));
            let by_average = i128::from(used) * i128::from(DAY) + i128::from(pace.per_day.micros()) * i128::from(left);
            let off = (i128::from(pace.month_end.micros()) * i128::from(DAY) - by_average).abs();
            prop_assert!(off <= i128::from(left) / 2 + i128::from(DAY), "only the average's rounding lies between: {off}");
        }

        #[test]
        fn s0_70_who_uses_more_burns_no_less(used in 0i64..1_000_000_000_000, more in 0i64..1_000_000, passed in 1i64..40 * DAY) {
            let (less, more) = (pace(used, passed), pace(used + more, passed));
            prop_assert!(less.per_day <= more.per_day && less.month_end <= more.month_end);
        }

        #[test]
        fn s0_71_to_s0_73_the_total_adds_up_whichever_way_it_is_counted(
            calls in proptest::collection::vec((1u8..=28, 0usize..3, 0usize..3, 0i64..5_000_000), 0..40),
        ) {
            let mut balance = Balance::opened(Credits::whole(1000));
            let mut days = BTreeMap::<String, Usage>::new();
            for (day, provider, rule, used) in calls {
                let charge = charge(["a", "b", "c"][provider], ["x", "y", "z"][rule]);
                let change = Change { used: Credits::from_micros(used), calls: 1, ..Change::default() };
                balance.take(&charge, change);
                days.entry(format!("2026-11-{day:02}")).or_default().take(&charge, change);
            }
            let report = Report::of(november(), after(20 * DAY), Some(balance.clone()), days);
            prop_assert!(report.total.adds_up());
            prop_assert_eq!(report.total.used, balance.used);
            prop_assert_eq!(report.total.calls, report.days.values().map(|day| day.calls).sum::<u64>());
        }
    }
}
