//! What an address itself says, without asking anybody (S3-70, S4-08, X-15): the gate's first evidence.

use domain::identity::{Email, EmailKind, LookupKey};
use domain::observation::Basis;
use domain::plan::Operation;
use domain::reply::Reply;
use domain::schema::Field;
use domain::units::Timestamp;
use domain::value::Value;

use super::observation;
use crate::answer::failed;

const KIND: Field = Field::known("email.kind");
const DISPOSABLE: Field = Field::known("email.disposable");
const ROLE_ACCOUNT: Field = Field::known("email.role_account");

pub(super) const SUPPLIES: &[Field] = &[KIND, DISPOSABLE, ROLE_ACCOUNT];

/// Checks the address; validated, for the rules are the definition of what is asked.
pub(crate) fn read(operation: &Operation, key: &LookupKey, now: Timestamp) -> Reply {
    let Ok(email) = Email::parse(&key.value) else {
        return failed("the key is no email address");
    };
    let kind = email.kind();
    let facts = [
        (KIND, Value::text(kind.as_str())),
        (DISPOSABLE, Value::Bool(kind == EmailKind::Disposable)),
        (ROLE_ACCOUNT, Value::Bool(kind == EmailKind::Role)),
    ];
    let observations = facts.into_iter().map(|(field, value)| observation(operation, &field, value, Basis::Validated, now)).collect();
    Reply::Hit { observations }
}
