//! Operations that need no vendor and no key, so that the product works on its first day (DESIGN §7).

pub(crate) mod email;
pub(crate) mod website;

use domain::identity::{KeyKind, LookupKey};
use domain::observation::{Basis, Observation};
use domain::plan::Operation;
use domain::reply::Reply;
use domain::schema::Field;
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;

use crate::connector::Builtin;
use crate::egress::Answer;

/// The keys a builtin is asked by, the best first.
pub(crate) fn keys(builtin: Builtin) -> Vec<KeyKind> {
    match builtin {
        // `Email` last: it alone stands for throw-away and role addresses.
        Builtin::Email => vec![KeyKind::BusinessEmail, KeyKind::PersonalEmail, KeyKind::Email],
        Builtin::Website => vec![KeyKind::Domain],
    }
}

/// The fields a builtin may supply.
pub(crate) fn supplies(builtin: Builtin) -> Vec<Field> {
    match builtin {
        Builtin::Email => email::SUPPLIES.to_vec(),
        Builtin::Website => website::SUPPLIES.to_vec(),
    }
}

/// Reads a recorded example; a page is taken to stand where the key says.
pub(crate) fn read_example(builtin: Builtin, operation: &Operation, key: &LookupKey, answer: &Answer, now: Timestamp) -> Reply {
    match builtin {
        Builtin::Email => email::read(operation, key, now),
        Builtin::Website => website::read_example(operation, &key.value, answer, now),
    }
}

fn observation(operation: &Operation, field: &Field, value: Value, basis: Basis, now: Timestamp) -> Observation {
    Observation {
        field: field.clone(),
        value,
        source: operation.name.clone(),
        family: operation.family.clone(),
        observed_at: now,
        stated: BasisPoints::ONE,
        basis,
    }
}
