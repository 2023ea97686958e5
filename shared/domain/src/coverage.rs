//! Coverage: which of the channels that its audiences require a lead has (S1-02 to S1-09).

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};
use crate::schema::Field;
use crate::value::Value;

/// A way to reach a person (S1-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The address at the company.
    WorkEmail,
    /// The private address.
    PersonalEmail,
    /// A phone number of any kind.
    Phone,
    /// The profile on LinkedIn.
    LinkedinUrl,
}

impl Channel {
    /// All four channels.
    pub const ALL: [Self; 4] = [Self::WorkEmail, Self::PersonalEmail, Self::Phone, Self::LinkedinUrl];

    /// The word used in configuration and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkEmail => "work_email",
            Self::PersonalEmail => "personal_email",
            Self::Phone => "phone",
            Self::LinkedinUrl => "linkedin_url",
        }
    }

    /// Reads the word used in configuration.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word)
    }

    /// The fields of which one is enough; the first is the one to look up.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        const WORK: &[Field] = &[Field::known("contact.work_email")];
        const PERSONAL: &[Field] = &[Field::known("contact.personal_email")];
        const PHONES: &[Field] =
            &[Field::known("contact.phone"), Field::known("contact.direct_phone"), Field::known("contact.mobile_phone")];
        const LINKEDIN: &[Field] = &[Field::known("contact.linkedin_url")];
        match self {
            Self::WorkEmail => WORK,
            Self::PersonalEmail => PERSONAL,
            Self::Phone => PHONES,
            Self::LinkedinUrl => LINKEDIN,
        }
    }

    /// The address that somebody signed up with counts as the kind of address that it is.
    fn is_known(self, view: &View<'_>) -> bool {
        let is_signed_up_with = |kind: &str| {
            let said = view.value(&Field::known("email.kind"));
            view.value(&Field::known("contact.email")).is_some() && said == Some(&Value::text(kind))
        };
        let is_there = self.fields().iter().any(|field| view.value(field).is_some());
        match self {
            Self::WorkEmail => is_there || is_signed_up_with("work"),
            Self::PersonalEmail => is_there || is_signed_up_with("personal"),
            Self::Phone | Self::LinkedinUrl => is_there,
        }
    }
}

/// Whom something is meant for, and the channels it needs them by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// Its name; conditions read it as `audience.<name>`.
    pub name: String,
    /// Who is in it.
    pub when: Condition,
    /// The channels it requires, each once, sorted.
    pub requires: Vec<Channel>,
}

/// How much of what is required there is (S1-02 to S1-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every required channel is known.
    Full,
    /// Some are.
    Partial,
    /// None is.
    Empty,
}

/// The coverage of one lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// How much there is; `None` where no audience requires anything.
    pub status: Option<Status>,
    /// What the audiences that the lead is in require together, sorted (S1-05).
    pub required: Vec<Channel>,
    /// Those of them that are not known: what is left to look up (S1-09).
    pub missing: Vec<Channel>,
    /// The audiences of which it is not known whether the lead is in them. They require nothing until it is.
    pub undecided: Vec<String>,
}

impl Coverage {
    /// The coverage as far as `view` sees. Only an audience that the lead is surely in requires something.
    #[must_use]
    pub fn of(audiences: &[Audience], view: &View<'_>) -> Self {
        let (mut required, mut undecided) = (Vec::<Channel>::new(), Vec::new());
        for audience in audiences {
            match audience.when.evaluate(view) {
                Truth::True => required.extend(&audience.requires),
                Truth::Unknown => undecided.push(audience.name.clone()),
                Truth::False => {}
            }
        }
        required.sort_unstable();
        required.dedup();
        let missing: Vec<Channel> = required.iter().copied().filter(|channel| !channel.is_known(view)).collect();
        let status = match (required.len(), missing.len()) {
            (0, _) => None,
            (_, 0) => Some(Status::Full),
            (all, none) if all == none => Some(Status::Empty),
            _ => Some(Status::Partial),
        };
        Self { status, required, missing, undecided }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merge::{Fact, Facts};
    use crate::schema::Schema;
    use crate::units::{BasisPoints, Timestamp};

    fn facts(known: &[(&str, &str)]) -> Facts {
        let fact = |text: &str| Fact {
            value: Value::text(text),
            confidence: BasisPoints::ONE,
            sources: vec!["test".into()],
            confirmations: 1,
            observed_at: Timestamp::from_millis(0),
            conflicts: vec![],
            checks: vec![],
        };
        known.iter().map(|(path, text)| (Schema::default().field(path).unwrap(), fact(text))).collect()
    }

    fn audience(name: &str, when: &str, requires: &[Channel]) -> Audience {
        Audience { name: name.into(), when: Condition::parse(when, &Schema::default()).unwrap(), requires: requires.to_vec() }
    }

    fn coverage(audiences: &[Audience], known: &[(&str, &str)]) -> Coverage {
        Coverage::of(audiences, &View::of(&facts(known)))
    }

    #[test]
    fn s1_06_an_audience_that_requires_the_work_email_is_full_with_it() {
        let audiences = [audience("mail", "true", &[Channel::WorkEmail])];
        assert_eq!(coverage(&audiences, &[]).status, Some(Status::Empty));
        assert_eq!(coverage(&audiences, &[("contact.work_email", "jane@acme.io")]).status, Some(Status::Full));
        let signed_up = [("contact.email", "jane@acme.io"), ("email.kind", "work")];
        assert_eq!(coverage(&audiences, &signed_up).status, Some(Status::Full), "she signed up with it");
        let private = [("contact.email", "jane@gmail.com"), ("email.kind", "personal")];
        assert_eq!(coverage(&audiences, &private).status, Some(Status::Empty));
    }

    #[test]
    fn s1_07_s1_03_and_s1_09_one_of_two_channels_is_partial_and_the_other_is_missing() {
        let audiences = [audience("outbound", "true", &[Channel::WorkEmail, Channel::LinkedinUrl])];
        let half = coverage(&audiences, &[("contact.work_email", "jane@acme.io")]);
        assert_eq!((half.status, half.missing), (Some(Status::Partial), vec![Channel::LinkedinUrl]));
        let both = [("contact.work_email", "jane@acme.io"), ("contact.linkedin_url", "https://linkedin.com/in/jane")];
        assert_eq!(coverage(&audiences, &both).status, Some(Status::Full));
    }

    #[test]
    fn s1_05_the_audiences_a_lead_is_in_require_together_and_the_others_nothing() {
        let audiences = [
            audience("calls", "company.country == \"DE\"", &[Channel::Phone]),
            audience("mail", "company.country == \"DE\"", &[Channel::WorkEmail, Channel::Phone]),
            audience("us", "company.country == \"US\"", &[Channel::PersonalEmail]),
            audience("unclear", "company.headcount > 5", &[Channel::LinkedinUrl]),
        ];
        let found = coverage(&audiences, &[("company.country", "DE"), ("contact.mobile_phone", "+4930123456")]);
        assert_eq!(found.required, [Channel::WorkEmail, Channel::Phone]);
        assert_eq!((found.missing, found.undecided), (vec![Channel::WorkEmail], vec!["unclear".to_owned()]));
    }

    #[test]
    fn a_lead_in_no_audience_has_no_status() {
        let none = coverage(&[audience("us", "company.country == \"US\"", &[Channel::Phone])], &[("company.country", "DE")]);
        assert_eq!(none, Coverage { status: None, required: vec![], missing: vec![], undecided: vec![] });
    }

    proptest! {
        #[test]
        fn s1_02_to_s1_04_the_status_says_how_much_is_missing(
            required in prop::sample::subsequence(Channel::ALL.to_vec(), 0..=4),
            known in prop::sample::subsequence(Channel::ALL.to_vec(), 0..=4),
        ) {
            let known: Vec<(&str, &str)> = known.iter().map(|channel| (channel.fields()[0].as_str(), "x")).collect();
            let found = coverage(&[audience("any", "true", &required)], &known);
            let expected = if required.is_empty() {
                None
            } else if found.missing.is_empty() {
                Some(Status::Full)
            } else if found.missing == required {
                Some(Status::Empty)
            } else {
                Some(Status::Partial)
            };
            prop_assert_eq!(found.status, expected);
            let lacks = |channel: &Channel| !known.iter().any(|(path, _)| *path == channel.fields()[0].as_str());
            prop_assert_eq!(found.missing, required.into_iter().filter(lacks).collect::<Vec<_>>());
        }
    }
}
