//! How long a field counts as fresh, so that nothing is paid for twice (S0-29, S0-103, S3-29, X-02).

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};
use crate::schema::FieldClass;
use crate::units::Millis;

/// The lifetimes by class of field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// Fields of a person.
    pub person: Millis,
    /// Fields of a company.
    pub company: Millis,
    /// Checks of a phone number.
    pub phone: Millis,
    /// Everything else.
    pub check: Millis,
    /// How long "no match" is believed before somebody is asked again.
    pub no_match: Millis,
}

impl Freshness {
    /// The preset `signup`: person 30 days, company 90 days, phone 7 days, the rest 24 hours.
    pub const SIGNUP: Self = Self {
        person: Millis::days(30),
        company: Millis::days(90),
        phone: Millis::days(7),
        check: Millis::hours(24),
        no_match: Millis::days(7),
    };

    /// The preset `crm`: contacts 90 days, accounts 180 days (S0-103).
    pub const CRM: Self = Self { person: Millis::days(90), company: Millis::days(180), ..Self::SIGNUP };

    /// The preset of this name.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "signup" => Some(Self::SIGNUP),
            "crm" => Some(Self::CRM),
            _ => None,
        }
    }

    /// How long a field of this class counts as fresh.
    #[must_use]
    pub const fn of(&self, class: FieldClass) -> Millis {
        match class {
            FieldClass::Person => self.person,
            FieldClass::Company => self.company,
            FieldClass::Phone => self.phone,
            FieldClass::Check => self.check,
        }
    }
}

/// Lifetimes that somebody wrote down; the others are those of the preset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// Fields of a person.
    pub person: Option<Millis>,
    /// Fields of a company.
    pub company: Option<Millis>,
    /// Checks of a phone number.
    pub phone: Option<Millis>,
    /// Everything else.
    pub check: Option<Millis>,
    /// How long "no match" is believed.
    pub no_match: Option<Millis>,
}

/// The lifetimes of a segment, such as shorter ones for strategic accounts (S0-103).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFreshness {
    /// The segment's name.
    pub segment: String,
    /// Its condition.
    pub when: Condition,
    /// Its lifetimes.
    pub lifetimes: Lifetimes,
}

/// A preset, what the configuration says instead, and what it says of segments. The shortest explicit lifetime wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshnessTable {
    /// The preset's name, for logs.
    pub preset: String,
    /// The preset's lifetimes.
    pub of_preset: Freshness,
    /// Lifetimes for everybody that replace the preset's.
    pub own: Lifetimes,
    /// Lifetimes of segments.
    pub segments: Vec<SegmentFreshness>,
}

impl FreshnessTable {
    /// A preset as it is.
    #[must_use]
    pub fn new(preset: &str, of_preset: Freshness) -> Self {
        Self { preset: preset.to_owned(), of_preset, own: Lifetimes::default(), segments: Vec::new() }
    }

    /// The lifetimes for a lead of no particular segment.
    #[must_use]
    pub fn base(&self) -> Freshness {
        self.shortest(&[self.own])
    }

    /// The lifetimes after which something of some lead is no longer fresh, whatever segments it is in.
    #[must_use]
    pub fn shortest_of_any(&self) -> Freshness {
        let base = self.base();
        let of = |class: fn(&Lifetimes) -> Option<Millis>, base: Millis| {
            self.segments.iter().filter_map(|segment| class(&segment.lifetimes)).fold(base, Millis::min)
        };
        Freshness {
            person: of(|lifetimes| lifetimes.person, base.person),
            company: of(|lifetimes| lifetimes.company, base.company),
            phone: of(|lifetimes| lifetimes.phone, base.phone),
            check: of(|lifetimes| lifetimes.check, base.check),
            no_match: of(|lifetimes| lifetimes.no_match, base.no_match),
        }
    }

    /// The lifetimes for this lead: the shortest explicit one of a class, else the preset's. A segment counts once the lead
    /// is surely in it. `max_age` is that of the rule that started the run; it stands over all others.
    #[must_use]
    pub fn in_force(&self, view: &View<'_>, max_age: Option<Millis>) -> Freshness {
        let of_lead = self.segments.iter().filter(|segment| segment.when.evaluate(view) == Truth::True);
        let explicit: Vec<Lifetimes> = [self.own].into_iter().chain(of_lead.map(|segment| segment.lifetimes)).collect();
        let freshness = self.shortest(&explicit);
        match max_age {
            None => freshness,
            Some(age) => Freshness { person: age, company: age, phone: age, check: age, no_match: freshness.no_match.min(age) },
        }
    }

    fn shortest(&self, explicit: &[Lifetimes]) -> Freshness {
        let of = |class: fn(&Lifetimes) -> Option<Millis>, preset: Millis| explicit.iter().filter_map(class).min().unwrap_or(preset);
        Freshness {
            person: of(|lifetimes| lifetimes.person, self.of_preset.person),
            company: of(|lifetimes| lifetimes.company, self.of_preset.company),
            phone: of(|lifetimes| lifetimes.phone, self.of_preset.phone),
            check: of(|lifetimes| lifetimes.check, self.of_preset.check),
            no_match: of(|lifetimes| lifetimes.no_match, self.of_preset.no_match),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::Schema;

    #[test]
    fn x_02_the_presets_keep_their_numbers() {
        assert_eq!((Freshness::SIGNUP.person, Freshness::SIGNUP.company), (Millis::days(30), Millis::days(90)));
        assert_eq!((Freshness::CRM.person, Freshness::CRM.company), (Millis::days(90), Millis::days(180)));
        assert_eq!(Freshness::SIGNUP.phone, Millis::days(7));
        assert_eq!(Freshness::preset("weekly"), None);
    }

    fn segment(when: &str, company: Option<i64>) -> SegmentFreshness {
        SegmentFreshness {
            segment: when.to_owned(),
            when: Condition::parse(when, &Schema::default()).unwrap(),
            lifetimes: Lifetimes { company: company.map(Millis::days), ..Lifetimes::default() },
        }
    }

    #[test]
    fn x_03_a_quarterly_refresh_with_a_max_age_is_not_cancelled_by_180_days_of_freshness() {
        let table = FreshnessTable::new("crm", Freshness::CRM);
        let now = table.in_force(&View::default(), Some(Millis::days(80)));
        assert_eq!((now.company, now.person, now.no_match), (Millis::days(80), Millis::days(80), Millis::days(7)));
        assert_eq!(table.in_force(&View::default(), Some(Millis::days(1))).no_match, Millis::days(1));
        assert_eq!(table.in_force(&View::default(), None), Freshness::CRM);
    }

    proptest! {
        #[test]
        fn x_02_the_shortest_explicit_lifetime_wins_whatever_the_order(
            own in prop::option::of(1i64..400), held in prop::collection::vec(prop::option::of(1i64..400), 0..4), unknown in 1i64..400,
        ) {
            let mut segments: Vec<SegmentFreshness> = held.iter().map(|days| segment("true", *days)).collect();
            segments.extend([segment("false", Some(unknown)), segment("phone.valid", Some(unknown))]);
            let shortest = held.iter().flatten().chain(&own).min().map_or(Freshness::CRM.company, |days| Millis::days(*days));
            let own = Lifetimes { company: own.map(Millis::days), ..Lifetimes::default() };
            let mut table = FreshnessTable { own, segments, ..FreshnessTable::new("crm", Freshness::CRM) };
            prop_assert_eq!(table.in_force(&View::default(), None), Freshness { company: shortest, ..Freshness::CRM });
            table.segments.reverse();
            prop_assert_eq!(table.in_force(&View::default(), None).company, shortest);
        }
    }
}
