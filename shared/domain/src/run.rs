//! The decision log: all that one signup went through, enough to explain and to replay it (S0-60, S3-43, S3-68).

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::credits::Trigger;
use crate::decision::Decision;
use crate::identity::{Domain, KeyKind, LookupKey, Phone, is_certificate_id};
use crate::merge::Facts;
use crate::observation::{Absence, Observation};
use crate::plan::{Call, CallOutcome, Order};
use crate::priority::Priority;
use crate::record::RecordId;
use crate::rules::Action;
use crate::schema::Field;
use crate::seen::Seen;
use crate::signup::{RunId, Signup};
use crate::units::{BasisPoints, Credits, Timestamp};

/// One run. `Debug` shows no value of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The signup that started it.
    pub signup: Signup,
    /// Its urgency for caps; waiting for the answer raises the queue, never this.
    pub priority: Priority,
    /// What started it: a signup that came in, or the refresh of one that got by with what was kept (S3-55).
    #[serde(default, skip_serializing_if = "Trigger::is_auto")]
    pub trigger: Trigger,
    /// What it looks up: all that is missing, or the fields that a rule names (S0-96).
    #[serde(default, skip_serializing_if = "Action::is_all_missing")]
    pub action: Action,
    /// When the webhook accepted it.
    pub accepted_at: Timestamp,
    /// When somebody waiting gets what is known.
    pub answer_by: Timestamp,
    /// No call begins after this.
    pub finish_by: Timestamp,
    /// Hash of the configuration it is pinned to.
    pub config: String,
    /// What sources said during this run.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// The calls made and not made, in order.
    #[serde(default)]
    pub calls: Vec<Call>,
    /// In which order it asked, and how likely that was: what a learner of orders needs beside the calls (S1-14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// It was looked up in full, whatever the track needed, as one signup in so many is (DESIGN §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explored_one_in: Option<NonZeroU32>,
    /// The run that paid for the same person within the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_by: Option<RunId>,
    /// The run that looks up in the background what this one got by without (S3-55).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed_by: Option<RunId>,
    /// The record it ended in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// The facts as decided.
    #[serde(default)]
    pub facts: Facts,
    /// The decisions, the newest last; an earlier one was provisional, or the lead was decided about again since.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// What each decision saw that the rest of the log does not tell; one without an entry saw the whole log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
}

/// How the order of a run's calls came about; the order itself is that of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// As the steps are written, or by what narrows the tracks most for its price.
    pub order: Order,
    /// How likely this order was among those that might have been taken. No order is drawn yet, so it is certain.
    pub propensity: BasisPoints,
}

impl Asked {
    /// An order that follows from the configuration and from what is known.
    #[must_use]
    pub const fn surely(order: Order) -> Self {
        Self { order, propensity: BasisPoints::ONE }
    }
}

impl Run {
    /// A run that has only begun; its deadlines are over at once unless they are set.
    #[must_use]
    pub fn begin(id: RunId, signup: Signup, priority: Priority, accepted_at: Timestamp, config: &str) -> Self {
        Self {
            id,
            signup,
            priority,
            trigger: Trigger::Auto,
            action: Action::AllMissing,
            accepted_at,
            answer_by: accepted_at,
            finish_by: accepted_at,
            config: config.to_owned(),
            observations: Vec::new(),
            calls: Vec::new(),
            asked: None,
            explored_one_in: None,
            paid_by: None,
            refreshed_by: None,
            record: None,
            facts: Facts::new(),
            decisions: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// The newest decision.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        self.decisions.last()
    }

    /// The signup's keys, and those that facts give: the company's domain where a source named it (S3-50), the phone number, the
    /// consent certificate.
    #[must_use]
    pub fn lookup_keys(&self, facts: &Facts) -> Vec<LookupKey> {
        let mut keys = self.signup.lookup_keys();
        let has_domain = keys.iter().any(|key| key.kind == KeyKind::Domain);
        if let (false, Some(domain)) = (has_domain, given(KeyKind::Domain, facts).and_then(|text| Domain::parse(&text).ok())) {
            keys.push(LookupKey { kind: KeyKind::Domain, value: domain.as_str().to_owned() });
        }
        if let Some(phone) = given(KeyKind::Phone, facts).and_then(|text| Phone::parse(&text).ok()) {
            keys.push(LookupKey { kind: KeyKind::Phone, value: phone.expose().to_owned() });
            let digits = phone.north_american().map(str::to_owned);
            keys.extend(digits.map(|value| LookupKey { kind: KeyKind::NorthAmericanPhone, value }));
        }
        let certificate = given(KeyKind::Certificate, facts).filter(|text| is_certificate_id(text));
        keys.extend(certificate.map(|value| LookupKey { kind: KeyKind::Certificate, value }));
        keys
    }

    /// How many calls were paid for, cached ones not counted.
    #[must_use]
    pub fn paid_calls(&self) -> usize {
        self.calls.iter().filter(|call| call.cost > Credits::ZERO).count()
    }

    /// What all calls together cost.
    #[must_use]
    pub fn cost(&self) -> Credits {
        self.calls.iter().fold(Credits::ZERO, |sum, call| sum.plus(call.cost))
    }
}

/// The first of the fields that give a key of this kind and are known.
fn given(kind: KeyKind, facts: &Facts) -> Option<String> {
    kind.given_by().iter().find_map(|path| facts.get(&Field::known(path))).map(|fact| fact.value.to_string())
}

/// Why a field is absent that nobody supplied, read from the log of the calls that could have supplied it. A failed
/// source might have known it all the same, unless it answered when it was asked again; otherwise that its vertical lacks the field is the better reason (S3-75).
#[must_use]
pub fn absence_of(field: &Field, calls: &[Call], supplies: impl Fn(&str, &Field) -> bool, lacked: &BTreeSet<&Field>) -> Absence {
    let mut absence = Absence::NotAttempted;
    let is_answer = |call: &Call| matches!(call.outcome, CallOutcome::Hit { .. } | CallOutcome::NoMatch);
    let is_answered_since =
        |place: usize, call: &Call| calls[place + 1..].iter().any(|later| later.operation == call.operation && is_answer(later));
    for (place, call) in calls.iter().enumerate().filter(|(_, call)| supplies(&call.operation, field)) {
        if is_answered_since(place, call) {
            continue;
        }
        match &call.outcome {
            CallOutcome::Hit { .. } | CallOutcome::NoMatch => absence = Absence::NoMatch,
            CallOutcome::NotMade { .. } | CallOutcome::Pending { .. } => {}
            CallOutcome::RateLimited { .. } | CallOutcome::TimedOut | CallOutcome::Failed { .. } => return Absence::Error,
            CallOutcome::AuthFailed | CallOutcome::OutOfCredits => return Absence::Error,
        }
    }
    if lacked.contains(field) { Absence::VerticalNoData } else { absence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Fact;
    use crate::units::Millis;
    use crate::value::Value;

    const STAGE: Field = Field::known("company.funding_stage");

    fn call(outcome: CallOutcome) -> Call {
        let (step, operation) = ("company".to_owned(), "vendor.company".to_owned());
        let at = Timestamp::from_millis(0);
        Call { step, operation, outcome, at, latency: Millis(0), cost: Credits::ZERO, key: None, cached: false }
    }

    fn absence(outcomes: impl IntoIterator<Item = CallOutcome>, lacked: &[&Field]) -> Absence {
        let calls: Vec<Call> = outcomes.into_iter().map(call).collect();
        absence_of(&STAGE, &calls, |_, field| *field == STAGE, &lacked.iter().copied().collect())
    }

    #[test]
    fn s4_06_s4_14_a_phone_and_a_certificate_are_keys_once_they_are_known() {
        let fact = |value: &str| Fact {
            value: Value::text(value),
            confidence: BasisPoints::new(6000),
            sources: vec!["signup".into()],
            confirmations: 1,
            observed_at: Timestamp::from_millis(0),
            conflicts: vec![],
            checks: vec![],
        };
        let keys = |known: &[(&'static str, &str)]| -> Vec<(KeyKind, String)> {
            let facts = known.iter().map(|(path, value)| (Field::known(path), fact(value))).collect();
            let run = Run::begin(RunId::parse(&"a".repeat(43)).unwrap(), Signup::default(), Priority::High, Timestamp::from_millis(0), "c");
            run.lookup_keys(&facts).into_iter().map(|key| (key.kind, key.value)).collect()
        };
        assert_eq!(keys(&[]), []);
        let american = [(KeyKind::Phone, "+15125550100".to_owned()), (KeyKind::NorthAmericanPhone, "5125550100".to_owned())];
        assert_eq!(keys(&[("contact.phone", "+15125550100"), ("contact.mobile_phone", "+4930123456")]), american);
        assert_eq!(keys(&[("contact.mobile_phone", "+4930123456")]), [(KeyKind::Phone, "+4930123456".to_owned())]);
        assert_eq!(keys(&[("trustedform.cert_id", "2605ec3a")]), [(KeyKind::Certificate, "2605ec3a".to_owned())]);
        assert_eq!(keys(&[("trustedform.cert_id", "../v1/other")]), []);
    }

    #[test]
    fn s3_75_a_vertical_without_the_data_is_told_from_nobody_knowing_it() {
        assert_eq!(absence([], &[]), Absence::NotAttempted);
        assert_eq!(absence([CallOutcome::NoMatch], &[]), Absence::NoMatch);
        assert_eq!(absence([], &[&STAGE]), Absence::VerticalNoData);
        assert_eq!(absence([CallOutcome::NoMatch], &[&STAGE]), Absence::VerticalNoData);
        assert_eq!(absence([CallOutcome::NoMatch], &[&Field::known("company.crm")]), Absence::NoMatch);
    }

    #[test]
    fn x_17_a_source_that_answers_when_it_is_asked_again_has_not_failed() {
        let retry_at = Timestamp::from_millis(0);
        let limited = CallOutcome::RateLimited { retry_at };
        assert_eq!(absence([limited.clone(), CallOutcome::Hit { fields: vec![] }], &[]), Absence::NoMatch);
        assert_eq!(absence([CallOutcome::TimedOut, CallOutcome::NoMatch], &[&STAGE]), Absence::VerticalNoData);
        assert_eq!(absence([CallOutcome::NoMatch, limited], &[]), Absence::Error);
    }

    #[test]
    fn x_17_a_failed_source_is_the_reason_whatever_the_vertical_lacks() {
        for lacked in [&[][..], &[&STAGE]] {
            assert_eq!(absence([CallOutcome::NoMatch, CallOutcome::TimedOut], lacked), Absence::Error);
        }
    }
}
