//! Facts that no source tells and a rule derives from others: the fraud gate's evidence (S3-72, S3-73, S3-74) and a domain's age.
//!
//! A derived fact is as sure as the least sure of what it was derived from, for the rule itself adds no doubt. It is unknown while
//! its inputs are, and it stays open while one of them is. What a source told of the same field outright stands.

mod age;
mod company;
mod person;

use std::collections::BTreeSet;

use crate::confidence::Trust;
use crate::identity::{Domain, Email};
use crate::merge::{Fact, Facts};
use crate::observation::Observation;
use crate::schema::{Field, Schema};
use crate::units::Timestamp;
use crate::value::Value;

/// What derived facts name as their source.
pub const SOURCE: &str = "derived";
/// What the signup's own words name as theirs.
const SIGNUP: &str = "signup";

/// A field that is derived, and how.
struct Rule {
    field: Field,
    inputs: Inputs,
    derive: fn(&Seen<'_>) -> Option<Fact>,
    /// Whether it can come to a result once these fields are there.
    can_be: fn(Has<'_>) -> bool,
    /// The inputs that can still change the result.
    matters: fn(&Facts, &Trust) -> Inputs,
}

type Inputs = &'static [&'static str];
/// Whether a field is there.
type Has<'a> = &'a dyn Fn(&str) -> bool;

/// In this order: a later one may read what an earlier one gave.
const RULES: &[Rule] = &[age::DAYS, age::PLAUSIBLE, company::AT_DOMAIN, person::EMAIL_OF];

/// What a rule reads.
struct Seen<'a> {
    facts: &'a Facts,
    said: &'a [Observation],
    schema: &'a Schema,
    trust: &'a Trust,
    now: Timestamp,
}

impl<'a> Seen<'a> {
    /// A fact that gate, score and route may see.
    fn believed(&self, path: &'static str) -> Option<&'a Fact> {
        believed(self.facts, self.trust, path)
    }

    /// What the signup itself says of a field.
    fn claimed(&self, path: &str) -> Option<&'a str> {
        let claim = self.said.iter().find(|observation| observation.source == SIGNUP && observation.field.as_str() == path)?;
        if let Value::Text(text) = &claim.value { Some(text) } else { None }
    }

    /// What the signup says of a field, if it said so together with another: an earlier signup may have been somebody's at another
    /// company.
    fn claimed_with(&self, path: &str, other: &str) -> Option<&'a str> {
        let at =
            |path: &str| self.said.iter().find(|said| said.source == SIGNUP && said.field.as_str() == path).map(|said| said.observed_at);
        self.claimed(path).filter(|_| at(path) == at(other))
    }

    /// Whether the address is at the domain of the company that the signup speaks of: only then does what is known of the address's
    /// domain say something of the company.
    fn is_address_at_company(&self) -> bool {
        let company = self.claimed("company.domain").and_then(|text| Domain::parse(text).ok());
        let address = self.claimed("contact.email").and_then(|text| Email::parse(text).ok()).map(|email| email.domain());
        company.is_some() && company == address
    }

    /// What the sources that pass come to about these fields, without the signup's own word.
    fn told(&self, fields: &[&str], passes: impl Fn(&str) -> bool) -> Facts {
        let is_told = |said: &&Observation| said.source != SIGNUP && fields.contains(&said.field.as_str()) && passes(&said.source);
        crate::merge::weigh(self.said.iter().filter(is_told), self.schema, self.trust, self.now)
    }
}

fn believed<'a>(facts: &'a Facts, trust: &Trust, path: &'static str) -> Option<&'a Fact> {
    facts.get(&Field::known(path)).filter(|fact| fact.confidence >= trust.floor)
}

/// Whether a fact may rest on the signup's own word: facts show it beside others, or as the one that lost to them.
fn may_be_claimed(facts: &Facts, path: &'static str) -> bool {
    let fact = facts.get(&Field::known(path));
    fact.is_some_and(|fact| fact.sources.iter().any(|source| source == SIGNUP) || !fact.conflicts.is_empty())
}

/// A fact that follows from these.
fn follows(value: Value, from: &[&Fact]) -> Option<Fact> {
    Some(Fact {
        value,
        confidence: from.iter().map(|fact| fact.confidence).min()?,
        sources: vec![SOURCE.to_owned()],
        confirmations: from.iter().map(|fact| fact.confirmations).min()?,
        observed_at: from.iter().map(|fact| fact.observed_at).min()?,
        conflicts: Vec::new(),
        checks: Vec::new(),
    })
}

/// Adds what follows from the facts and from what was said, where nobody told it outright.
pub(crate) fn add(facts: &mut Facts, said: &[Observation], schema: &Schema, trust: &Trust, now: Timestamp) {
    for rule in RULES {
        if facts.contains_key(&rule.field) {
            continue;
        }
        let derived = (rule.derive)(&Seen { facts, said, schema, trust, now });
        facts.extend(derived.map(|fact| (rule.field.clone(), fact)));
    }
}

/// Takes out what [`add`] put in, so that it can be derived anew.
pub(crate) fn take_out(facts: &mut Facts) {
    facts.retain(|field, fact| inputs_of(field).is_none() || fact.sources != [SOURCE]);
}

/// What a field is derived from; `None` for one that is not.
#[must_use]
pub fn inputs_of(field: &Field) -> Option<&'static [&'static str]> {
    RULES.iter().find(|rule| rule.field == *field).map(|rule| rule.inputs)
}

/// The fields that follow from these, at first or second hand.
pub(crate) fn following(fields: &BTreeSet<Field>) -> BTreeSet<Field> {
    let mut following: BTreeSet<Field> = BTreeSet::new();
    for rule in RULES {
        let is_input = |field: &Field| rule.inputs.contains(&field.as_str());
        if fields.iter().chain(&following).any(is_input) {
            following.insert(rule.field.clone());
        }
    }
    following
}

/// The fields that can be derived from what sources tell.
pub(crate) fn derivable(told: &BTreeSet<Field>) -> BTreeSet<Field> {
    let mut derivable: BTreeSet<Field> = BTreeSet::new();
    for rule in RULES {
        let has = |path: &str| told.iter().chain(&derivable).any(|field| field.as_str() == path);
        if (rule.can_be)(&has) {
            derivable.insert(rule.field.clone());
        }
    }
    derivable
}

/// Adds the derived fields that may still be told or overturned: `supplied` may still be told, and `open` of it is not settled.
pub(crate) fn add_open(facts: &Facts, trust: &Trust, supplied: &BTreeSet<Field>, open: &mut BTreeSet<Field>) {
    let mut may_come = supplied.clone();
    for rule in RULES {
        let is_believed = facts.get(&rule.field).is_some_and(|fact| fact.confidence >= trust.floor);
        let mut matters = (rule.matters)(facts, trust).iter();
        let is_open = if is_believed {
            matters.any(|path| open.contains(&Field::known(path)))
        } else {
            let has = |path: &str| facts.keys().chain(&may_come).any(|field| field.as_str() == path);
            (rule.can_be)(&has) && matters.any(|path| may_come.contains(&Field::known(path)))
        };
        if is_open {
            open.insert(rule.field.clone());
            may_come.insert(rule.field.clone());
        }
    }
}

#[cfg(test)]
mod tests;
