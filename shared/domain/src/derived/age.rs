//! How old a domain is, and whether a company of that size would have so young a one (S3-74).

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Inputs, Rule, Seen, believed, follows};
use crate::confidence::{Trust, UsualAge};
use crate::merge::{Fact, Facts};
use crate::schema::Field;
use crate::units::{Millis, Timestamp};
use crate::value::Value;

const REGISTERED_AT: &str = "email.domain_registered_at";
const AGE_DAYS: &str = "email.domain_age_days";
const HEADCOUNT: &str = "company.headcount";

pub(super) const DAYS: Rule = Rule {
    field: Field::known(AGE_DAYS),
    inputs: &[REGISTERED_AT],
    derive: days,
    can_be: |has| has(REGISTERED_AT),
    matters: |_, _| &[REGISTERED_AT],
};

pub(super) const PLAUSIBLE: Rule = Rule {
    field: Field::known("fraud.domain_age_plausible"),
    inputs: &[AGE_DAYS, HEADCOUNT],
    derive: plausible,
    can_be: |has| has(AGE_DAYS),
    matters,
};

/// Whole days since the registration. A date to come is one in another time zone, or a wrong clock: the youngest there is.
fn days(seen: &Seen<'_>) -> Option<Fact> {
    let registered = seen.facts.get(&Field::known(REGISTERED_AT))?;
    let Value::Text(text) = &registered.value else { return None };
    let date: Date = text.get(..10)?.parse().ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let age = seen.now.since(Timestamp::from_millis(midnight.as_millisecond()));
    follows(Value::number((age.0 / Millis::days(1).0).max(0)), &[registered])
}

fn plausible(seen: &Seen<'_>) -> Option<Fact> {
    let age = seen.believed(AGE_DAYS)?;
    let days = age.value.as_number()?;
    if is_old_enough_for_all(days, seen.trust) {
        return follows(Value::Bool(true), &[age]);
    }
    let headcount = seen.believed(HEADCOUNT).filter(|_| seen.is_address_at_company())?;
    let people = headcount.value.as_number()?;
    let is_implausible = |row: &UsualAge| people >= Decimal::from(row.headcount) && days < Decimal::from(row.days);
    follows(Value::Bool(!seen.trust.domain_age.iter().any(is_implausible)), &[age, headcount])
}

/// A domain that is older than any company needs makes the size beside the point, so that nobody is asked for it.
fn matters(facts: &Facts, trust: &Trust) -> Inputs {
    let days = believed(facts, trust, AGE_DAYS).and_then(|age| age.value.as_number());
    if days.is_some_and(|days| is_old_enough_for_all(days, trust)) { &[AGE_DAYS] } else { PLAUSIBLE.inputs }
}

fn is_old_enough_for_all(days: Decimal, trust: &Trust) -> bool {
    trust.domain_age.iter().all(|row| days >= Decimal::from(row.days))
}
