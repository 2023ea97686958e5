//! Whether an address is one that this person has at this company, by what sources tell of them (S3-73).

use super::{Inputs, Rule, Seen, follows};
use crate::confidence::Trust;
use crate::identity::{Domain, Email, EmailKind};
use crate::merge::{Fact, Facts};
use crate::schema::Field;
use crate::value::Value;

const EMAIL: &str = "contact.email";
const WORK_EMAIL: &str = "contact.work_email";
const FULL_NAME: &str = "contact.full_name";
const FIRST_NAME: &str = "contact.first_name";
const LAST_NAME: &str = "contact.last_name";
const DOMAIN: &str = "company.domain";

/// A source that tells one of these knows the person; others tell of the company alone.
const KNOWN_BY: &[&str] = &[WORK_EMAIL, FULL_NAME, FIRST_NAME, LAST_NAME];

pub(super) const EMAIL_OF: Rule = Rule {
    field: Field::known("fraud.email_of_person"),
    inputs: &[WORK_EMAIL, FULL_NAME, FIRST_NAME, LAST_NAME, DOMAIN],
    derive: email_of,
    can_be: |has| has(WORK_EMAIL) || ((has(FULL_NAME) || has(LAST_NAME)) && has(DOMAIN)),
    matters,
};

/// Only work addresses are made after the person. Where a source finds them it says together with the name. An address that is
/// contested may not be the one that was claimed.
fn matters(facts: &Facts, _: &Trust) -> Inputs {
    let claimed = facts.get(&Field::known(EMAIL)).filter(|fact| fact.conflicts.is_empty());
    let kind = claimed.and_then(text).and_then(|address| Email::parse(address).ok()).map(|email| email.kind());
    if kind.is_none_or(|kind| kind == EmailKind::Work) { KNOWN_BY } else { &[] }
}

/// How first and last name are made into an address; each part whole or by its first letter.
const JOINTS: &[&str] = &["", ".", "_", "-"];

/// True where a source lists this very address for the person, or finds them at this company under a name that makes the address;
/// false where it finds them elsewhere, or under a name that makes no such address. A source that knows nobody is no evidence.
fn email_of(seen: &Seen<'_>) -> Option<Fact> {
    let email = Email::parse(seen.claimed(EMAIL)?).ok()?;
    if email.kind() != EmailKind::Work {
        return None;
    }
    let knows = |source: &str| seen.said.iter().any(|said| said.source == source && KNOWN_BY.contains(&said.field.as_str()));
    let told = seen.told(EMAIL_OF.inputs, knows);
    let listed = told.get(&Field::known(WORK_EMAIL));
    if let Some(listed) = listed.filter(|fact| text(fact).and_then(|text| Email::parse(text).ok()).as_ref() == Some(&email)) {
        return follows(Value::Bool(true), &[listed]);
    }
    let (first, last, names) = name(&told)?;
    let employer = told.get(&Field::known(DOMAIN))?;
    let from: Vec<&Fact> = names.into_iter().chain([employer]).collect();
    if Domain::parse(text(employer)?).ok()? != email.domain() {
        return follows(Value::Bool(false), &from);
    }
    follows(Value::Bool(is_made_of(email.local(), &first, &last)?), &from)
}

/// The person's first and last name, and the facts that tell them.
fn name(told: &Facts) -> Option<(String, String, Vec<&Fact>)> {
    let fact = |path: &'static str| told.get(&Field::known(path));
    if let (Some(first), Some(last)) = (fact(FIRST_NAME), fact(LAST_NAME)) {
        return Some((folded(text(first)?), folded(text(last)?), vec![first, last]));
    }
    let full = fact(FULL_NAME)?;
    let (first, rest) = text(full)?.split_once(' ')?;
    Some((folded(first), folded(rest.rsplit(' ').next()?), vec![full]))
}

fn text(fact: &Fact) -> Option<&str> {
    if let Value::Text(text) = &fact.value { Some(text) } else { None }
}

/// Lower case, without hyphens and apostrophes.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a local part follows one of the usual patterns: `first.last`, `flast`, `first` and so on. A number at the end and a tag
/// after a plus do not count. `None` where letters beyond ASCII leave open how they are spelt in addresses.
fn is_made_of(local: &str, first: &str, last: &str) -> Option<bool> {
    let plain = local.split('+').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit()).to_lowercase();
    let (Some(f), Some(l)) = (first.get(..1), last.get(..1)) else { return None };
    let pairs = [(first, last), (f, last), (first, l), (f, l)];
    let is_made = plain == first || plain == last || pairs.iter().any(|(a, b)| is_joined(&plain, a, b) || is_joined(&plain, b, a));
    (is_made || (first.is_ascii() && last.is_ascii())).then_some(is_made)
}

/// Whether a text is one part, a joint and the other part.
fn is_joined(text: &str, one: &str, other: &str) -> bool {
    let joint = text.strip_prefix(one).and_then(|rest| rest.strip_suffix(other));
    joint.is_some_and(|joint| JOINTS.contains(&joint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_73_usual_patterns_make_an_address_of_a_name() {
        for local in ["jane.doe", "jdoe", "jane", "doe", "janed", "jane_doe", "doe.jane", "jane-doe", "jd", "jane.doe2", "jdoe+news"] {
            assert_eq!(is_made_of(local, "jane", "doe"), Some(true), "{local}");
        }
        for local in ["john.doe", "growth-team", "janet", "x"] {
            assert_eq!(is_made_of(local, "jane", "doe"), Some(false), "{local}");
        }
    }

    #[test]
    fn letters_that_addresses_spell_otherwise_are_no_evidence() {
        assert_eq!(is_made_of("jose.munoz", "josé", "muñoz"), None);
        assert_eq!(is_made_of("josé.muñoz", "josé", "muñoz"), Some(true));
        assert_eq!(is_made_of("munoz", "éa", "doe"), None, "no first letter of one byte");
    }
}
