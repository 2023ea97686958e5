//! Eligibility: whether a record may be looked up at all, before anybody asks what it costs (S0-23, S0-27, S0-28).
//!
//! It holds for lookups that start by themselves. Somebody who asks by hand passes it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Truth, View};
use crate::credits::Trigger;
use crate::identity::{KeyKind, LookupKey};
use crate::schema::{Entity, Field, FieldClass};

/// Something a record must have to be worth a lookup (S0-24 to S0-27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Minimum {
    /// An email address of any kind.
    Email,
    /// The company's domain.
    CompanyDomain,
    /// The company's name.
    CompanyName,
    /// A profile of the person.
    ProfileUrl,
    /// The company's page on LinkedIn.
    CompanyLinkedinUrl,
}

impl Minimum {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Email, Self::CompanyDomain, Self::CompanyName, Self::ProfileUrl, Self::CompanyLinkedinUrl];

    /// The word used in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::CompanyDomain => "company_domain",
            Self::CompanyName => "company_name",
            Self::ProfileUrl => "profile_url",
            Self::CompanyLinkedinUrl => "company_linkedin_url",
        }
    }

    /// Reads the word used in configuration.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|minimum| minimum.as_str() == word)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Email => "an email address",
            Self::CompanyDomain => "a company domain",
            Self::CompanyName => "a company name",
            Self::ProfileUrl => "a profile URL",
            Self::CompanyLinkedinUrl => "a company page on LinkedIn",
        }
    }

    const fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Email => &["contact.email", "contact.work_email", "contact.personal_email"],
            Self::CompanyDomain => &["company.domain"],
            Self::CompanyName => &["company.name"],
            Self::ProfileUrl => &["contact.linkedin_url", "contact.github", "contact.twitter"],
            Self::CompanyLinkedinUrl => &["company.linkedin_url"],
        }
    }

    const fn kinds(self) -> &'static [KeyKind] {
        match self {
            Self::Email => &[KeyKind::BusinessEmail, KeyKind::PersonalEmail, KeyKind::Email],
            Self::CompanyDomain => &[KeyKind::Domain],
            Self::CompanyName => &[KeyKind::CompanyName, KeyKind::NameAndCompany],
            Self::ProfileUrl => &[KeyKind::SocialUrl],
            Self::CompanyLinkedinUrl => &[KeyKind::CompanyLinkedinUrl],
        }
    }

    /// A key that it can be asked by counts as much as a fact.
    fn is_there(self, view: &View<'_>, keys: &[LookupKey]) -> bool {
        let is_known = |path: &&'static str| view.value(&Field::known(path)).is_some();
        keys.iter().any(|key| self.kinds().contains(&key.kind)) || self.paths().iter().any(is_known)
    }
}

/// A segment that is not looked up (S0-28, S0-106).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The segment's name.
    pub segment: String,
    /// Its condition.
    pub when: Condition,
    /// What is not looked up of it; a personal domain stands for no account, while its person may be known.
    pub entities: Vec<Entity>,
    /// Why, in the words of whoever configured it.
    pub because: Option<String>,
}

/// The conditions of a lookup that starts by itself. The default lets everything pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eligibility {
    /// The kinds of record that are looked up (S0-23).
    pub entities: Vec<Entity>,
    /// A record needs one of these (S0-27); none are needed where it is empty.
    pub needs: Vec<Minimum>,
    /// The segments that are not looked up.
    pub exclude: Vec<Exclusion>,
}

impl Default for Eligibility {
    fn default() -> Self {
        Self { entities: Entity::ALL.to_vec(), needs: Vec::new(), exclude: Vec::new() }
    }
}

/// Why a record is not looked up. It costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Ineligible {
    /// Records of this kind are not looked up.
    Entity {
        /// The kind.
        entity: Entity,
    },
    /// The record has none of what it needs one of.
    TooLittle {
        /// What it needs one of.
        needs: Vec<Minimum>,
    },
    /// The record is in a segment that is not looked up.
    Excluded {
        /// The segment's name.
        segment: String,
        /// Why, in the words of whoever configured it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
}

impl fmt::Display for Ineligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entity { entity } => write!(f, "{}s are not looked up", entity.as_str()),
            Self::TooLittle { needs } => {
                let words: Vec<&str> = needs.iter().map(|minimum| minimum.words()).collect();
                write!(f, "a lookup needs {}", words.join(" or "))
            }
            Self::Excluded { segment, because: None } => write!(f, "the segment `{segment}` is not looked up"),
            Self::Excluded { segment, because: Some(because) } => write!(f, "the segment `{segment}` is not looked up: {because}"),
        }
    }
}

impl Eligibility {
    /// Whether an operation of this class may be asked about a record at all. A segment excludes only who is surely in it.
    ///
    /// # Errors
    /// The first reason against it: the kind of record, or the segment in the order of the configuration.
    pub fn admits(&self, trigger: Trigger, class: FieldClass, view: &View<'_>) -> Result<(), Ineligible> {
        let entity = Entity::of_class(class);
        if trigger == Trigger::Manual {
            return Ok(());
        }
        if !self.entities.contains(&entity) {
            return Err(Ineligible::Entity { entity });
        }
        let excludes = |exclusion: &&Exclusion| exclusion.entities.contains(&entity) && exclusion.when.evaluate(view) == Truth::True;
        match self.exclude.iter().find(excludes) {
            Some(Exclusion { segment, because, .. }) => Err(Ineligible::Excluded { segment: segment.clone(), because: because.clone() }),
            None => Ok(()),
        }
    }

    /// Whether a record has what a lookup needs, so far.
    ///
    /// # Errors
    /// What it needs one of.
    pub fn has_enough(&self, trigger: Trigger, view: &View<'_>, keys: &[LookupKey]) -> Result<(), Ineligible> {
        let is_there = |minimum: &Minimum| minimum.is_there(view, keys);
        if trigger == Trigger::Manual || self.needs.is_empty() || self.needs.iter().any(is_there) {
            return Ok(());
        }
        Err(Ineligible::TooLittle { needs: self.needs.clone() })
    }

    /// The fields that it reads.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let needed = self.needs.iter().flat_map(|minimum| minimum.paths()).map(|path| Field::known(path));
        needed.chain(self.exclude.iter().flat_map(|exclusion| exclusion.when.fields())).collect()
    }
}
