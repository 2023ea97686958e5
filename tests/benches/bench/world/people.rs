//! Who signs up. A company's number and a person's make the address; the same numbers are the same person.

use domain::units::Timestamp;
use serde_json::{Value, json};

/// What a signup needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// The person comes back; everything is known and fresh.
    Hit,
    /// A new person at a company of which everything is cached: one paid call.
    One,
    /// A new person at a new company: three paid calls.
    Three,
}

impl Class {
    pub(crate) const ALL: [Self; 3] = [Self::Hit, Self::One, Self::Three];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Hit => "cache hit",
            Self::One => "one paid call",
            Self::Three => "three paid calls",
        }
    }

    /// Of a hundred signups so many are of this class.
    pub(crate) const fn percent(self) -> u32 {
        match self {
            Self::Hit => 70,
            Self::One => 24,
            Self::Three => 6,
        }
    }

    pub(crate) fn share(self) -> f64 {
        f64::from(self.percent()) / 100.0
    }
}

/// Somebody at a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) company: u32,
    pub(crate) number: u32,
}

impl Person {
    /// Numbers have six digits, so that everybody's items are of one size.
    pub(crate) fn email(self) -> String {
        format!("dana.cho{:06}@{}", self.number, self.domain())
    }

    pub(crate) fn domain(self) -> String {
        format!("northwind{:06}.example", self.company)
    }

    /// What the form sends.
    pub(crate) fn form(self, now: Timestamp) -> Value {
        json!({
            "email": self.email(),
            "name": "Dana Cho",
            "company_name": format!("Northwind Grid {:06}", self.company),
            "job_role": "VP Platform",
            "signup_source": "free_trial",
            "timestamp": now.to_string(),
        })
    }
}

/// Draws signups from people who are known, one after the other, and from new ones.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    known: u32,
    next_known: u32,
    next_new: u32,
}

impl Mix {
    /// The people numbered below `known`, each at a company of its own, are known and their companies too.
    pub(crate) const fn of_known(known: u32) -> Self {
        Self { known, next_known: 0, next_new: known }
    }

    /// Everybody who has to be known before the first draw.
    pub(crate) fn known(&self) -> impl Iterator<Item = Person> + use<> {
        (0..self.known).map(|number| Person { company: number, number })
    }

    /// Somebody for a signup of this class.
    pub(crate) fn draw(&mut self, class: Class) -> Person {
        let (known, new) = (self.next_known, self.next_new);
        if class != Class::Three {
            self.next_known = (known + 1) % self.known;
        }
        if class != Class::Hit {
            self.next_new += 1;
        }
        match class {
            Class::Hit => Person { company: known, number: known },
            Class::One => Person { company: known, number: new },
            Class::Three => Person { company: new, number: new },
        }
    }
}
