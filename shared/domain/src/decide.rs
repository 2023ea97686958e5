//! A decision as a pure function of what was logged: gate, score, route and outcome in one place.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use crate::condition::View;
use crate::config::{Config, fields_read};
use crate::decision::{Decision, Outcome};
use crate::derived;
use crate::gate::{self, Verdict};
use crate::identity::certificate_in;
use crate::merge::Facts;
use crate::observation::{Absence, Basis, Observation};
use crate::plan::{Call, Plan, last_calls, unmet};
use crate::possible::{Known, Possible, Rules};
use crate::priority::Priority;
use crate::route::{self, Route, Track, Tracks};
use crate::run::absence_of;
use crate::schema::{Field, Resolved, Schema};
use crate::score;
use crate::signup::{Arrival, RunId, Signup};
use crate::steady::{self, Before};
use crate::units::{BasisPoints, Millis, Timestamp};
use crate::value::Value;
use crate::vertical::lacked;

/// The source that a signup's own words name.
pub(crate) const SIGNUP: &str = "signup";

/// The canonical fields that a form may fill besides the declared ones.
const OPEN_TO_FORMS: &[&str] = &["product", "loan_amount", "source.type", "contact.phone", CERTIFICATE];

/// A form names a consent certificate by its URL; what is kept is the id.
const CERTIFICATE: &str = "trustedform.cert_id";

/// The canonical fields that a signup itself may bring, whatever its form.
const SAID_BY_SIGNUPS: &[&str] = &[
    "signup.arrival",
    "signup.issuer",
    "signup.source",
    "contact.full_name",
    "contact.title",
    "contact.linkedin_url",
    "contact.github",
    "contact.twitter",
    "contact.email",
    "company.linkedin_url",
    "company.name",
    "company.domain",
];

/// Whether [`observations_of`] can give this field.
pub(crate) fn may_be_said_by_signup(field: &Field, schema: &Schema) -> bool {
    schema.is_custom(field) || OPEN_TO_FORMS.contains(&field.as_str()) || SAID_BY_SIGNUPS.contains(&field.as_str())
}

/// What a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// The calls made and not made.
    pub calls: &'a [Call],
    /// Fields that a call not yet made could still supply.
    pub open: &'a [Field],
    /// The run that paid for the same person within the hour.
    pub paid_by: Option<&'a RunId>,
    /// What was decided for good about the lead before.
    pub before: Option<&'a Before>,
    /// When the signup was accepted.
    pub accepted_at: Timestamp,
}

/// Decides about a signup. The owner is assigned afterwards, for it depends on whose turn it is.
#[must_use]
pub fn decide(config: &Config, evidence: &Evidence<'_>, seq: u64, now: Timestamp) -> Decision {
    let view = config.view(evidence.facts).with_open(evidence.open.iter().cloned());
    let gate = gate::judge(&config.gate, &view);
    let (rules, routes, set) = config.set_for(&view);
    let score = score::score(rules, &view);
    let lacked = lacked(&config.verticals, &view);
    let scored = view.with_score(score.low, score.high);
    let rules_of = |before| Rules { gate: &config.gate, score: rules, route: routes, before };
    let mut is_unsure = false;
    let mut route = match gate.verdict {
        Verdict::Pass => {
            let free = route::route(routes, &scored, possible(config, rules_of(None), evidence));
            is_unsure = free.provisional;
            match evidence.before {
                None => free,
                Some(before) => {
                    let possible = possible(config, rules_of(Some(before)), evidence);
                    steady::hold(before, routes, &scored, free, possible, !evidence.open.is_empty())
                }
            }
        }
        Verdict::Verify => held(config, rules_of(evidence.before), evidence, "held until verified"),
        Verdict::Reject => held(config, rules_of(evidence.before), evidence, "rejected by the gate"),
    };
    let outcome = outcome(gate.verdict, &route, evidence);
    if is_unsure {
        for trouble in last_calls(evidence.calls).filter_map(Call::trouble) {
            if !route.because.contains(&trouble) {
                route.because.push(trouble);
            }
        }
    }
    // Who tells what a field is derived from could have told it.
    let supplies = |operation: &str, field: &Field| {
        let is_told = |told: &Field| told == field || derived::inputs_of(field).is_some_and(|inputs| inputs.contains(&told.as_str()));
        config.catalogue.get(operation).is_some_and(|op| op.supplies.iter().any(is_told))
    };
    let reason = |field: &Field| {
        let is_weak = evidence.facts.contains_key(field);
        if is_weak { Absence::LowConfidence } else { absence_of(field, evidence.calls, supplies, &lacked) }
    };
    let unread = fields_read(rules, routes).into_iter().filter(|field| scored.value(field).is_none());
    let absent: BTreeMap<Field, Absence> = unread.map(|field| (field.clone(), reason(field))).collect();
    Decision {
        outcome,
        gate,
        icp: score::icp(rules, &scored),
        tier: config.tiers.of(score.low, score.high),
        score,
        route,
        set: set.map(str::to_owned),
        owner: None,
        unmet: unmet(&config.plan, &scored, evidence.calls),
        failed: failed(&config.plan, evidence.calls, &scored),
        absent,
        before: evidence.before.cloned(),
        seq,
        at: now,
        after: now.since(evidence.accepted_at),
    }
}

/// What failed of the steps that lack something they want, in words.
fn failed(plan: &Plan, calls: &[Call], view: &View<'_>) -> BTreeMap<String, String> {
    let lacks = |name: &str| plan.steps.iter().any(|step| step.name == name && step.wants.iter().any(|field| view.value(field).is_none()));
    let troubled = last_calls(calls).filter(|call| lacks(&call.step));
    troubled.filter_map(|call| Some((call.step.clone(), call.trouble()?))).collect()
}

/// The tracks that are possible, whatever the fields that are not known will be.
fn possible(config: &Config, rules: Rules<'_>, evidence: &Evidence<'_>) -> Tracks {
    let open: BTreeSet<Field> = evidence.open.iter().cloned().collect();
    let known = Known { facts: evidence.facts, floor: config.trust.floor, open: &open };
    Possible::new(rules, known, &config.schema).tracks()
}

/// The route of a lead that the gate holds: for now only, while an answer may still overturn what holds it.
fn held(config: &Config, rules: Rules<'_>, evidence: &Evidence<'_>, because: &str) -> Route {
    let open: BTreeSet<Field> = evidence.open.iter().cloned().collect();
    let is_final = gate::judge(&config.gate, &config.view(evidence.facts).hiding(&open)).verdict != Verdict::Pass;
    let tracks = if is_final { Tracks::only(Track::Verification) } else { possible(config, rules, evidence) };
    Route {
        track: Track::Verification,
        destination: None,
        provisional: tracks.single().is_none(),
        possible: tracks.iter().collect(),
        because: vec![because.to_owned()],
    }
}

fn outcome(verdict: Verdict, route: &Route, evidence: &Evidence<'_>) -> Outcome {
    match verdict {
        Verdict::Reject => return Outcome::Rejected,
        Verdict::Verify => return Outcome::Held,
        Verdict::Pass => {}
    }
    if evidence.paid_by.is_some() {
        return Outcome::Duplicate;
    }
    let something_may_come = !evidence.open.is_empty() || last_calls(evidence.calls).any(|call| call.outcome.may_pass());
    if route.provisional && something_may_come { Outcome::Deferred } else { Outcome::Routed }
}

/// What the signup itself says: observations from the source `signup`.
#[must_use]
pub fn observations_of(signup: &Signup, config: &Config) -> Vec<Observation> {
    let mut said = Vec::with_capacity(SAID_BY_SIGNUPS.len() + signup.custom.len());
    let mut say = |field: Field, value: Value, basis: Basis| {
        said.push(Observation {
            field,
            value,
            source: SIGNUP.to_owned(),
            family: SIGNUP.to_owned(),
            observed_at: signup.occurred_at,
            stated: BasisPoints::ONE,
            basis,
        });
    };
    say(Field::known("signup.arrival"), Value::text(signup.arrival.as_str()), Basis::Validated);
    say(Field::known("signup.issuer"), Value::text(&signup.issuer), Basis::Validated);
    let texts = [
        ("signup.source", &signup.source),
        ("contact.full_name", &signup.name),
        ("contact.title", &signup.job_role),
        (profile_field(signup), &signup.social_url),
        ("company.linkedin_url", &signup.company_linkedin_url),
        ("company.name", &signup.company_name),
    ];
    for (path, text) in texts {
        if let Some(text) = text {
            say(Field::known(path), Value::text(text), Basis::Stated);
        }
    }
    if let Some(email) = &signup.email {
        let basis = if signup.email_verified { Basis::Validated } else { Basis::Stated };
        say(Field::known("contact.email"), Value::text(email.expose()), basis);
    }
    if let Some(domain) = signup.company_domain() {
        say(Field::known("company.domain"), Value::text(domain.as_str()), Basis::Stated);
    }
    for (name, json) in &signup.custom {
        // Not `field`: whoever sends a name that is no field is told nothing, and looking for the nearest one costs more than all else.
        let Some(Resolved::Field(field)) = config.schema.resolve(name) else { continue };
        // A form is the word of a stranger: it must not write what providers are asked for.
        if !config.schema.is_custom(&field) && !OPEN_TO_FORMS.contains(&field.as_str()) {
            continue;
        }
        let value = Value::of_json(json).filter(|value| value.fits(config.schema.kind_of(&field).0));
        let value = if field.as_str() == CERTIFICATE { value.and_then(|url| certificate(&url)) } else { value };
        if let Some(value) = value {
            say(field, value, Basis::Stated);
        }
    }
    said
}

fn certificate(url: &Value) -> Option<Value> {
    if let Value::Text(url) = url { certificate_in(url).map(Value::text) } else { None }
}

/// The field that a profile's host belongs to; an unknown host is taken for the professional one.
fn profile_field(signup: &Signup) -> &'static str {
    let url = signup.social_url.as_deref().unwrap_or_default();
    if url.starts_with("https://github.com/") {
        "contact.github"
    } else if url.starts_with("https://x.com/") {
        "contact.twitter"
    } else {
        "contact.linkedin_url"
    }
}

/// Adds new observations to old ones: of one source and field only the newest stays. Within `window` a weaker arrival
/// does not replace a stronger one: a trial a minute after a demo request changes nothing.
#[must_use]
pub fn join_observations(old: &[Observation], new: &[Observation], window: Millis) -> Vec<Observation> {
    let mut kept: BTreeMap<(Field, String), Observation> = BTreeMap::new();
    for observation in old.iter().chain(new) {
        let key = (observation.field.clone(), observation.source.clone());
        match kept.get(&key) {
            Some(earlier) if !replaces(observation, earlier, window) => {}
            _ => {
                kept.insert(key, observation.clone());
            }
        }
    }
    kept.into_values().collect()
}

fn replaces(later: &Observation, earlier: &Observation, window: Millis) -> bool {
    let is_newer = (earlier.observed_at, &earlier.value) <= (later.observed_at, &later.value);
    let apart = Millis((later.observed_at.millis() - earlier.observed_at.millis()).abs());
    if later.field != Field::known("signup.arrival") || apart > window {
        return is_newer;
    }
    match strength(later).cmp(&strength(earlier)) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => is_newer,
    }
}

/// How much an arrival asks of sales; more is stronger.
fn strength(arrival: &Observation) -> Reverse<Priority> {
    let of_word = |word: &str| Arrival::ALL.into_iter().find(|arrival| arrival.as_str() == word);
    let arrival = if let Value::Text(word) = &arrival.value { of_word(word) } else { None };
    Reverse(Priority::of_arrival(arrival.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Draft, Sources};
    use crate::plan::Catalogue;

    fn arrival(word: &str, minute: i64) -> Observation {
        Observation {
            field: Field::known("signup.arrival"),
            value: Value::text(word),
            source: "signup".into(),
            family: "signup".into(),
            observed_at: Timestamp::from_millis(0).after(Millis::minutes(minute)),
            stated: BasisPoints::ONE,
            basis: Basis::Validated,
        }
    }

    fn joined(old: &Observation, new: &Observation) -> Observation {
        join_observations(std::slice::from_ref(old), std::slice::from_ref(new), Millis::hours(1)).remove(0)
    }

    #[test]
    fn a_lead_that_the_gate_holds_is_held_for_now_while_an_answer_may_overturn_that() {
        let files = [
            ("millrace.yaml", "version: 1\npreset: none\ncredits: {allocation: 1}\n"),
            (
                "presets/none.yaml",
                "{freshness: signup, gate: [{when: not email.mx_found, verdict: verify, because: no mail}], steps: [], score: [], \
                 route: {rules: [], otherwise: self_serve, undecided: review}}",
            ),
        ];
        let sources = Sources::new(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
        let config = Draft::read(&sources).unwrap().check(Catalogue::new()).unwrap();
        let mail = Field::known("email.mx_found");
        let said = Observation { field: mail.clone(), value: Value::Bool(false), source: "dns".into(), ..arrival("signup", 0) };
        let facts = crate::merge::merge(&[said], &config.schema, &config.trust, Timestamp::from_millis(0));
        let decided = |open: &[Field]| {
            let evidence =
                Evidence { facts: &facts, calls: &[], open, paid_by: None, before: None, accepted_at: Timestamp::from_millis(0) };
            decide(&config, &evidence, 1, Timestamp::from_millis(0))
        };
        let (for_now, for_good) = (decided(&[mail]), decided(&[]));
        assert_eq!((for_now.outcome, for_good.outcome), (Outcome::Held, Outcome::Held));
        assert_eq!((for_now.route.track, for_now.route.provisional), (Track::Verification, true));
        assert_eq!(for_now.route.possible, [Track::SelfServe, Track::Verification]);
        assert!(!for_good.route.provisional);
        assert_eq!(for_good.route.possible, [Track::Verification]);
    }

    #[test]
    fn what_a_signup_says_are_the_fields_that_a_rule_may_read_without_a_step() {
        let files = [
            ("millrace.yaml", "version: 1\npreset: none\ncredits: {allocation: 1}\nfields: {loan_tier: word}\n"),
            ("presets/none.yaml", "{freshness: signup, steps: [], score: [], route: {rules: [], otherwise: review, undecided: review}}"),
        ];
        let sources = Sources::new(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
        let config = Draft::read(&sources).unwrap().check(Catalogue::new()).unwrap();
        let mut said = BTreeSet::new();
        for profile in ["https://github.com/jane", "https://x.com/jane", "https://linkedin.com/in/jane"] {
            let signup = serde_json::json!({
                "issuer": "signup", "delivery": "1", "occurred_at": 0, "email": "jane@acme.io", "name": "Jane", "company_name": "Acme",
                "job_role": "VP", "social_url": profile, "company_linkedin_url": "https://linkedin.com/company/acme", "source": "trial",
                "custom": {"loan_tier": "a", "product": "x", "loan_amount": 5, "source.type": "exclusive", "contact.phone": "+15125550100",
                           "xxTrustedFormCertUrl": "https://cert.trustedform.com/2605ec3a", "company.headcount": 5},
            });
            let signup: Signup = serde_json::from_value(signup).unwrap();
            said.extend(observations_of(&signup, &config).into_iter().map(|observation| observation.field.to_string()));
        }
        let may_be: BTreeSet<String> = config
            .schema
            .fields()
            .map(|spec| config.schema.field(&spec.path).unwrap())
            .filter(|field| may_be_said_by_signup(field, &config.schema))
            .map(|field| field.to_string())
            .collect();
        assert_eq!(said, may_be);
    }

    #[test]
    fn x_01_within_the_hour_a_stronger_arrival_counts_and_a_weaker_one_does_not() {
        let (demo, trial) = (arrival("demo_request", 0), arrival("free_tier", 5));
        assert_eq!(joined(&demo, &trial), demo);
        assert_eq!(joined(&arrival("signup", 0), &arrival("contact_sales", 5)), arrival("contact_sales", 5));
        assert_eq!(joined(&demo, &arrival("signup", 61)), arrival("signup", 61), "after the hour the newest counts");
    }
}
