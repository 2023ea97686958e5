//! How long a field counts as fresh, so that nothing is paid for twice (S0-29, S0-103, S3-29, X-02).

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_02_the_presets_keep_their_numbers() {
        assert_eq!((Freshness::SIGNUP.person, Freshness::SIGNUP.company), (Millis::days(30), Millis::days(90)));
        assert_eq!((Freshness::CRM.person, Freshness::CRM.company), (Millis::days(90), Millis::days(180)));
        assert_eq!(Freshness::SIGNUP.phone, Millis::days(7));
        assert_eq!(Freshness::preset("weekly"), None);
    }
}
