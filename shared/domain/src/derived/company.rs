//! Whether the company that somebody claims is the one at the domain that they claim (S3-72).

use std::collections::BTreeSet;

use super::{Inputs, Rule, Seen, believed, follows, may_be_claimed};
use crate::confidence::Trust;
use crate::identity::Domain;
use crate::merge::{Fact, Facts};
use crate::observation::Observation;
use crate::schema::{Field, FieldKind};
use crate::value::{Value, of_text};

const NAME: &str = "company.name";
const LEGAL_NAME: &str = "company.legal_name";
const DOMAIN: &str = "company.domain";
const WEBSITE: &str = "company.website";
const DOMAIN_EXISTS: &str = "email.domain_exists";

pub(super) const AT_DOMAIN: Rule = Rule {
    field: Field::known("fraud.company_at_domain"),
    inputs: &[NAME, LEGAL_NAME, DOMAIN, DOMAIN_EXISTS],
    derive: at_domain,
    can_be: |has| has(DOMAIN_EXISTS) || has(NAME) || has(LEGAL_NAME),
    matters,
};

/// What people write who have no company to name.
const NO_COMPANY: &[&str] =
    &["", "-", "freelance", "freelancer", "n/a", "na", "none", "personal", "private", "self", "self employed", "student"];

/// False where the domain does not exist, or where whoever tells about the company at it calls it otherwise. The domain's own
/// name speaks for a claim that it holds: companies trade under names that no register has.
fn at_domain(seen: &Seen<'_>) -> Option<Fact> {
    let claimed_domain = Domain::parse(seen.claimed(DOMAIN)?).ok()?;
    let existence = seen.believed(DOMAIN_EXISTS).filter(|_| seen.is_address_at_company());
    if let Some(exists) = existence.filter(|exists| exists.value == Value::Bool(false)) {
        return follows(Value::Bool(false), &[exists]);
    }
    let claim = words(seen.claimed_with(NAME, DOMAIN).filter(|name| is_claim(name))?);
    let elsewhere = told_of_others(seen.said, &claimed_domain);
    let told = seen.told(&[NAME, LEGAL_NAME], |source| !elsewhere.contains(source));
    let names: Vec<&Fact> = [NAME, LEGAL_NAME].iter().filter_map(|path| told.get(&Field::known(path))).collect();
    let is_named = |fact: &&Fact| matches!(&fact.value, Value::Text(name) if is_one_name(&claim, &words(name)));
    if let Some(name) = names.iter().copied().filter(is_named).max_by_key(|fact| fact.confidence) {
        return follows(Value::Bool(true), &[&[name][..], existence.as_slice()].concat());
    }
    let label = claimed_domain.as_str().split('.').next().unwrap_or_default().to_owned();
    if is_one_name(&claim, &words(&label)) {
        return None;
    }
    let name = names.iter().copied().max_by_key(|fact| fact.confidence)?;
    follows(Value::Bool(false), &[name])
}

/// Nothing counts where no domain was claimed, as by somebody with a personal mailbox, and names only where a name was. Which
/// domain a source speaks of it says together with the name.
fn matters(facts: &Facts, trust: &Trust) -> Inputs {
    if !may_be_claimed(facts, DOMAIN) {
        return &[];
    }
    let is_found = believed(facts, trust, "fraud.company_at_domain").is_some_and(|fact| fact.value == Value::Bool(true));
    match (may_be_claimed(facts, NAME), is_found) {
        (false, _) => &[DOMAIN_EXISTS],
        (true, true) => &[NAME, DOMAIN_EXISTS],
        (true, false) => &[NAME, LEGAL_NAME, DOMAIN_EXISTS],
    }
}

/// The sources that speak of a company at another domain, such as a former employer.
fn told_of_others<'a>(said: &'a [Observation], claimed: &Domain) -> BTreeSet<&'a str> {
    let named = said.iter().filter(|observation| matches!(observation.field.as_str(), DOMAIN | WEBSITE));
    let elsewhere = named.filter(|observation| is_of_another(&observation.value, claimed));
    elsewhere.map(|observation| observation.source.as_str()).collect()
}

fn is_of_another(value: &Value, claimed: &Domain) -> bool {
    let Value::Text(text) = value else { return false };
    text != claimed.as_str() && Domain::parse(text).is_ok_and(|domain| domain != *claimed)
}

fn is_claim(name: &str) -> bool {
    !NO_COMPANY.contains(&name.trim().to_lowercase().as_str())
}

/// The words of a company's name without its legal form.
fn words(name: &str) -> Vec<String> {
    let normal = of_text(name, FieldKind::CompanyName);
    normal.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether two names are one, or one stands within the other, by whole words: `Acme` and `Acme Robotics`, `Quiet River` and
/// `Quietriver`.
fn is_one_name(one: &[String], other: &[String]) -> bool {
    let stands_in = |short: &[String], long: &[String]| {
        let short = short.concat();
        let mut runs = (0..long.len()).flat_map(|from| (from + 1..=long.len()).map(move |to| from..to));
        !short.is_empty() && runs.any(|run| long[run].concat() == short)
    };
    stands_in(one, other) || stands_in(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_72_names_are_compared_by_whole_words_without_legal_forms() {
        let one = |a: &str, b: &str| is_one_name(&words(a), &words(b));
        for (a, b) in
            [("Acme", "ACME, Inc."), ("Acme", "Acme Robotics GmbH"), ("Quiet River", "Quietriver (invented)"), ("acme-labs", "Acme Labs")]
        {
            assert!(one(a, b) && one(b, a), "{a} and {b}");
        }
        for (a, b) in [("Acme", "Acmeology"), ("Acme", "Other"), ("", "Acme"), ("Acme Bank", "Acme Robotics")] {
            assert!(!one(a, b) && !one(b, a), "{a} and {b}");
        }
    }

    #[test]
    fn a_name_that_names_nobody_is_no_claim() {
        assert!(!is_claim(" N/A ") && !is_claim("Self employed"));
        assert!(is_claim("Acme"));
    }
}
