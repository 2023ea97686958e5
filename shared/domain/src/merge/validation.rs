//! A check in one field that is about the value of another: deliverability of an address, a phone check (S0-87).
//!
//! Only fields are known, not which address a vendor was asked about. So a check speaks for a value where no other can be
//! meant: the first field of its list that is filled, with one value only, which was known when the check was made.

use std::borrow::Cow;

use super::candidate::Candidate;
use super::{Lead, Weighed};
use crate::consistency::{Check, CheckName, CheckOutcome};
use crate::schema::Field;
use crate::units::Millis;
use crate::value::Value;

/// The field of a check, its name, and the fields that it may be about: the first that is filled, and those that hold the same.
const VALIDATIONS: &[(&str, CheckName, &[&str])] = &[
    ("email.deliverable", CheckName::Deliverability, &["contact.email", "contact.work_email", "contact.personal_email"]),
    ("phone.valid", CheckName::PhoneCheck, &["contact.phone", "contact.direct_phone", "contact.mobile_phone"]),
];

/// The fields whose worth hangs on what is told of this one.
pub(super) fn validated_by(field: &Field) -> &'static [&'static str] {
    VALIDATIONS.iter().find(|(by, ..)| *by == field.as_str()).map_or(&[], |(.., targets)| targets)
}

/// So far the clocks of a form and of a vendor may be apart.
const CLOCKS_APART: Millis = Millis::minutes(5);

/// What a direct check says about a value, and who made it.
pub(super) struct Validation<'l, 'a> {
    pub(super) check: Check,
    by: &'l Candidate<'a>,
}

impl Validation<'_, '_> {
    /// A passed check confirms the value, unless its family says so already.
    pub(super) fn confirms(&self, best: &Candidate<'_>) -> usize {
        let is_new = self.by.confirming().any(|family| best.confirming().all(|other| other != family));
        usize::from(self.check.outcome == CheckOutcome::Passed && is_new)
    }
}

/// What the direct check of a field says about its best value; `None` where there is none, or it may be about another value.
pub(super) fn of<'l, 'a>(field: &Field, weighed: &Weighed<'_>, lead: &'l Lead<'a>) -> Option<Validation<'l, 'a>> {
    let (by, name, targets) = VALIDATIONS.iter().find(|(.., targets)| targets.contains(&field.as_str()))?;
    let by = &lead.known(by)?.best;
    let Value::Bool(is_valid) = by.latest.value else { return None };
    let checked = targets.iter().find_map(|target| lead.weighed(target))?;
    let is_meant = weighed.others.is_empty() && checked.others.is_empty() && normal(weighed) == normal(checked);
    let was_known = weighed.best.since <= by.latest.observed_at.after(CLOCKS_APART);
    let check = Check { name: *name, outcome: CheckOutcome::of(is_valid) };
    (is_meant && was_known).then_some(Validation { check, by })
}

fn normal<'w>(weighed: &'w Weighed<'_>) -> Cow<'w, Value> {
    weighed.best.latest.value.normal_form(weighed.kind)
}
