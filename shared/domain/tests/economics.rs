//! Steps that cost only where they are worth it: filters, layers, progressive steps, economics rules and budgets, as an operator
//! writes them (S4-03, S4-04, S4-25, S4-31, S4-34).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use domain::config::{Config, Draft, Finding, Sources};
use domain::credits::Price;
use domain::decide::{Evidence, decide};
use domain::identity::{HashKey, KeyKind, LookupKey};
use domain::merge::{Fact, Facts};
use domain::plan::{Call, CallOutcome, Catalogue, Next, Operation, Situation, Skip, next};
use domain::priority::Priority;
use domain::run::Run;
use domain::schema::{Field, FieldClass, Schema};
use domain::signup::Signup;
use domain::units::{BasisPoints, Credits, Millis, Timestamp};
use domain::value::Value;
use domain::writeback::properties;

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

fn field(path: &str) -> Field {
    Schema::default().field(path).unwrap()
}

/// What a call costs in thousandths of a credit, and what it tells.
const OPERATIONS: [(&str, i64, &[&str]); 9] = [
    ("mail.first", 1000, &["contact.work_email"]),
    ("mail.second", 1000, &["contact.work_email"]),
    ("dial.first", 2000, &["contact.phone"]),
    ("phone.basic", 10, &["phone.valid"]),
    ("phone.carrier", 50, &["phone.carrier", "phone.type"]),
    ("phone.reputation", 100, &["phone.risk_score"]),
    ("email.check", 5, &["email.deliverable"]),
    ("identity.check", 200, &["identity.name_match"]),
    ("demographics.append", 500, &["demographics.income_range"]),
];

fn catalogue() -> Catalogue {
    let operation = |(name, price, supplies): (&str, i64, &[&str])| Operation {
        name: name.to_owned(),
        provider: name.split('.').next().unwrap().to_owned(),
        family: name.to_owned(),
        keys: vec![KeyKind::Email],
        supplies: supplies.iter().map(|path| field(path)).collect(),
        inferred: vec![],
        price: Price { per_call: Credits::from_micros(price * 1000), ..Price::default() },
        class: FieldClass::Check,
        timeout: Millis::seconds(1),
        batch: None,
    };
    OPERATIONS.into_iter().map(operation).map(|operation| (operation.name.clone(), operation)).collect()
}

fn checked(steps: &str) -> Result<Config, Vec<Finding>> {
    checked_with("", steps)
}

/// What `config check` says of steps, the lint too.
fn linted(steps: &str) -> Vec<String> {
    let sources = sources("", steps);
    let findings = Draft::read(&sources).and_then(|draft| draft.check(catalogue())).err().map(|findings| findings.0).unwrap_or_default();
    findings.into_iter().map(|finding| format!("{}: {}", finding.line, finding.message)).collect()
}

fn checked_with(main: &str, steps: &str) -> Result<Config, Vec<Finding>> {
    let sources = sources(main, steps);
    Draft::read(&sources).and_then(|draft| draft.check_for_use(catalogue())).map_err(|findings| findings.0)
}

fn sources(main: &str, steps: &str) -> Sources {
    let main = format!("version: 1\npreset: small\ncredits: {{allocation: 1000}}\nsegments: {{high_value: loan_amount > 100000}}\n{main}");
    let rest = "score: []\nroute: {rules: [], otherwise: self_serve, undecided: self_serve}\n";
    let preset = format!("freshness: signup\nplan: {{until: everything}}\n{rest}steps:\n{steps}");
    let files = [("millrace.yaml".to_owned(), main), ("presets/small.yaml".to_owned(), preset)];
    Sources::new(files)
}

fn facts(known: &[(&str, Value)]) -> Facts {
    let fact = |value: &Value| Fact {
        value: value.clone(),
        confidence: BasisPoints::new(9500),
        sources: vec!["test".into()],
        confirmations: 2,
        observed_at: NOW,
        conflicts: vec![],
        checks: vec![],
    };
    known.iter().map(|(path, value)| (field(path), fact(value))).collect()
}

/// Follows the plan on what is known from the beginning; each call tells what `told` says of its fields. The calls in the order in
/// which they went out, those at once joined by `+`, and what was not asked with the reason.
fn followed(steps: &str, known: &[(&str, Value)], told: &[(&str, Value)]) -> (Vec<String>, Vec<(String, Skip)>) {
    let config = checked(steps).unwrap_or_else(|findings| panic!("{findings:?}"));
    let mut run =
        Run::begin(Signup::default().run_id(&HashKey::new(vec![7; 32]).unwrap()), Signup::default(), Priority::High, NOW, &config.hash);
    run.finish_by(NOW.after(Millis::seconds(20)));
    let keys = [LookupKey { kind: KeyKind::Email, value: "jane@acme.io".into() }];
    let (mut facts, mut made, mut left_out) = (facts(known), Vec::new(), Vec::new());
    loop {
        let situation = Situation::of(&config, &run, &facts, &keys, NOW);
        match next(&situation) {
            Next::Done => return (made, left_out),
            Next::Wait { .. } => panic!("nobody limits the rate here"),
            Next::Skip { step, operation, why } => {
                left_out.push((operation.clone(), why.clone()));
                run.calls.push(line(step, operation, CallOutcome::NotMade { why }, Credits::ZERO));
            }
            Next::Ask(asks) => {
                made.push(asks.iter().map(|ask| ask.operation.as_str()).collect::<Vec<_>>().join(" + "));
                for ask in asks {
                    let operation = &config.catalogue[&ask.operation];
                    let says: Vec<_> = told.iter().filter(|(path, _)| operation.supplies.contains(&field(path))).cloned().collect();
                    facts.extend(self::facts(&says));
                    run.calls.push(line(ask.step, ask.operation, CallOutcome::NoMatch, operation.dearest()));
                }
            }
        }
    }
}

#[test]
fn s4_30_what_failed_of_a_step_goes_to_the_crm_beside_the_lead_and_scores_nothing() {
    let main = "crm: {target: hubspot, properties: {enhanced: step.basic.enhanced, error: step.basic.error, tier: decision.tier}}\n\
                tiers: [{name: A, from: 50}, {name: B, from: 0}]\n";
    let config = checked_with(main, PROGRESSIVE).unwrap();
    let written = |calls: &[Call], known: &[(&str, Value)]| {
        let facts = facts(known);
        let evidence = Evidence { facts: &facts, calls, open: &[], paid_by: None, before: None, accepted_at: NOW };
        let properties = properties(config.crm.as_ref().unwrap(), &config, &facts, &decide(&config, &evidence, 1, NOW));
        ["enhanced", "error", "tier"].map(|name| properties[name].clone())
    };
    let call = |outcome| line("basic".into(), "phone.basic".into(), outcome, Credits::ZERO);
    let failed = [call(CallOutcome::TimedOut)];
    assert_eq!(written(&failed, &[]), ["false", "phone.basic did not answer in time", "B"]);
    let answered = [call(CallOutcome::TimedOut), call(CallOutcome::NoMatch)];
    assert_eq!(written(&answered, &[]), ["true", "none", "B"]);
    assert_eq!(written(&failed, &[("phone.valid", Value::Bool(true))]), ["true", "none", "B"], "another source told it");
}

#[test]
fn a_property_of_a_step_that_is_not_there_is_found() {
    let said = |property: &str| {
        let main = format!("crm: {{target: hubspot, properties: {{x: {property}}}}}\n");
        checked_with(&main, PROGRESSIVE).unwrap_err().into_iter().map(|finding| finding.message).collect::<Vec<_>>()
    };
    assert_eq!(said("step.basik.error"), ["there is no step `basik`; did you mean `basic`?"]);
    assert_eq!(said("step.basic.errors"), ["`step.basic.errors` is not said of a step; write step.<name>.enhanced or step.<name>.error"]);
}

fn line(step: String, operation: String, outcome: CallOutcome, cost: Credits) -> Call {
    Call { step, operation, outcome, at: NOW, latency: Millis(0), cost, key: None, cached: false }
}

const PROGRESSIVE: &str = r#"
  - {name: basic, wants: [phone.valid], providers: [phone.basic]}
  - {name: carrier, when: phone.valid = true, wants: [phone.carrier, phone.type], providers: [phone.carrier]}
  - {name: reputation, when: 'phone.type != "voip"', wants: [phone.risk_score], providers: [phone.reputation]}
"#;

#[test]
fn s4_25_each_progressive_step_is_paid_for_only_where_the_one_before_it_says_so() {
    let mobile = [("phone.valid", Value::Bool(true)), ("phone.type", Value::text("mobile")), ("phone.carrier", Value::text("verizon"))];
    assert_eq!(followed(PROGRESSIVE, &[], &mobile).0, ["phone.basic", "phone.carrier", "phone.reputation"]);
    let voip = [("phone.valid", Value::Bool(true)), ("phone.type", Value::text("voip"))];
    assert_eq!(followed(PROGRESSIVE, &[], &voip).0, ["phone.basic", "phone.carrier"]);
    let (made, left_out) = followed(PROGRESSIVE, &[], &[("phone.valid", Value::Bool(false))]);
    assert_eq!(made, ["phone.basic"]);
    assert_eq!(left_out[0], ("phone.carrier".to_owned(), Skip::ConditionFalse));
}

const FILTERED: &str = r#"
  - {name: basic, wants: [phone.valid], providers: [phone.basic]}
  - {name: contactable, when: phone.valid = true}
  - {name: carrier, wants: [phone.carrier], providers: [phone.carrier]}
  - {name: reputation, when: 'phone.carrier != "voip"', wants: [phone.risk_score], providers: [phone.reputation]}
"#;

#[test]
fn s4_31_what_a_filter_does_not_let_pass_costs_nothing_and_the_filter_is_named() {
    let (made, left_out) = followed(FILTERED, &[], &[("phone.valid", Value::Bool(false))]);
    let filtered = Skip::Filtered { filter: "contactable".into() };
    assert_eq!(made, ["phone.basic"]);
    assert_eq!(left_out, [("phone.carrier".to_owned(), filtered.clone()), ("phone.reputation".to_owned(), filtered)]);
    let passed = [("phone.valid", Value::Bool(true)), ("phone.carrier", Value::text("verizon"))];
    assert_eq!(followed(FILTERED, &[], &passed).0, ["phone.basic", "phone.carrier", "phone.reputation"]);
}

const LAYERS: &str = r#"
  - {name: phone, wants: [phone.valid], providers: [phone.basic]}
  - {name: email, wants: [email.deliverable], providers: [email.check]}
  - {name: layer_1, when: phone.valid && email.deliverable}
  - {name: identity, wants: [identity.name_match], providers: [identity.check]}
  - {name: layer_2, when: identity.name_match}
  - {name: demographics, wants: [demographics.income_range], providers: [demographics.append]}
"#;

#[test]
fn s4_34_x_39_a_layer_is_paid_for_only_where_the_one_below_it_passed_and_s4_38_its_checks_go_out_together() {
    let all = [("phone.valid", Value::Bool(true)), ("email.deliverable", Value::Bool(true)), ("identity.name_match", Value::Bool(true))];
    let (made, _) = followed(LAYERS, &[], &all);
    assert_eq!(made, ["phone.basic + email.check", "identity.check", "demographics.append"]);
    let (made, left_out) = followed(LAYERS, &[], &[("phone.valid", Value::Bool(true)), ("email.deliverable", Value::Bool(false))]);
    assert_eq!(made, ["phone.basic + email.check"]);
    assert!(left_out.iter().all(|(_, why)| *why == Skip::Filtered { filter: "layer_1".into() }), "{left_out:?}");
    assert_eq!(followed(LAYERS, &[], &all[..2]).0, ["phone.basic + email.check", "identity.check"], "the name does not match");
}

const CHANNELS: &str = r#"
  - {name: email, wants: [contact.work_email], providers: [mail.first, mail.second]}
  - {name: phone, wants: [contact.phone], providers: [dial.first]}
"#;

#[test]
fn s1_09_s1_10_only_missing_channels_are_asked_for_and_each_until_its_first_usable_contact() {
    let email = ("contact.work_email", Value::text("jane@acme.io"));
    assert_eq!(followed(CHANNELS, &[], &[]).0, ["mail.first + dial.first", "mail.second"]);
    assert_eq!(followed(CHANNELS, &[], std::slice::from_ref(&email)).0, ["mail.first + dial.first"]);
    assert_eq!(followed(CHANNELS, &[email], &[]).0, ["dial.first"]);
}

#[test]
fn s1_13_nobody_is_paid_for_a_lead_that_has_all_its_channels() {
    let known = [("contact.work_email", Value::text("jane@acme.io")), ("contact.phone", Value::text("+15125550100"))];
    let (made, left_out) = followed(CHANNELS, &known, &[]);
    assert_eq!(made, Vec::<String>::new());
    assert!(left_out.iter().all(|(_, why)| *why == Skip::AlreadyKnown), "{left_out:?}");
}

const ECONOMICS: &str = r#"
  - {name: phone, wants: [phone.valid], providers: [phone.basic], worth: {value: 3}}
  - {name: demographics, wants: [demographics.income_range], providers: [demographics.append], worth: {value: 0.75, otherwise: segment.high_value}}
"#;

#[test]
fn s4_03_what_is_worth_many_times_its_price_is_always_asked_and_s4_04_what_is_hardly_worth_it_for_high_value_leads_only() {
    let (made, left_out) = followed(ECONOMICS, &[("loan_amount", Value::number(5_000))], &[]);
    assert_eq!(made, ["phone.basic"]);
    assert_eq!(left_out, [("demographics.append".to_owned(), Skip::NotWorthIt)]);
    let (made, _) = followed(ECONOMICS, &[("loan_amount", Value::number(250_000))], &[]);
    assert_eq!(made, ["phone.basic + demographics.append"]);
}

#[test]
fn a_step_spends_on_one_lead_no_more_than_its_budget() {
    let steps = "  - {name: all, wants: [phone.valid, phone.carrier, phone.risk_score], budget: 0.1,\n     \
                 providers: [phone.basic, phone.carrier, phone.reputation]}\n";
    let (made, left_out) = followed(steps, &[], &[]);
    assert_eq!(made, ["phone.basic", "phone.carrier"]);
    assert_eq!(left_out, [("phone.reputation".to_owned(), Skip::StepBudget)]);
}

#[test]
fn a_filter_that_waits_for_those_behind_it_is_found() {
    let waits = "waits for `phone.valid`, which only those tell who are asked once it holds: nobody ever is; ask for it in a step before, \
                 without this condition";
    let before = "  - {name: contactable, when: phone.valid}\n  - {name: basic, wants: [phone.valid], providers: [phone.basic]}\n";
    assert!(linted(before).contains(&format!("6: step `contactable` {waits}")), "{:?}", linted(before));
    let itself = "  - {name: basic, when: phone.valid, wants: [phone.valid], providers: [phone.basic]}\n";
    assert!(linted(itself).contains(&format!("6: step `basic` {waits}")), "{:?}", linted(itself));
    for harmless in [PROGRESSIVE, FILTERED, LAYERS, CHANNELS, ECONOMICS] {
        assert!(linted(harmless).iter().all(|said| !said.contains("waits for")), "{:?}", linted(harmless));
    }
    let if_absent = "  - {name: basic, when: '!has(phone.valid)', wants: [phone.valid], providers: [phone.basic]}\n";
    assert!(linted(if_absent).iter().all(|said| !said.contains("waits for")), "{:?}", linted(if_absent));
}

#[test]
fn a_filter_whose_condition_is_unknown_is_named() {
    let steps = "  - {name: basic, wants: [phone.valid], providers: [phone.basic]}\n  - {name: contactable, when: phone.valid}\n  \
                 - {name: carrier, wants: [phone.carrier], providers: [phone.carrier]}\n";
    let (made, left_out) = followed(steps, &[], &[]);
    assert_eq!(made, ["phone.basic"]);
    assert_eq!(left_out, [("phone.carrier".to_owned(), Skip::FilterUnknown { filter: "contactable".into() })]);
}

#[test]
fn filters_and_worth_that_can_do_nothing_are_found_where_they_stand() {
    let said = |steps: &str| checked(steps).unwrap_err().into_iter().map(|finding| (finding.line, finding.message)).collect::<Vec<_>>();
    let cases = [
        (
            "  - {name: x, when: phone.valid, budget: 3}\n",
            "step `x` asks nobody, so that it has nothing to stop, to spend or to require; a filter has `when` alone",
        ),
        ("  - {name: x}\n", "step `x` has neither `providers` nor `when`; a filter needs the condition that it lets pass"),
        (
            "  - {name: x, when: phone.valid, wants: [phone.valid]}\n",
            "step `x` wants fields and asks nobody for them; add `providers`, or drop `wants` to make it a filter",
        ),
        (
            "  - {name: x, wants: [demographics.income_range], providers: [demographics.append], worth: {value: 0.75}}\n",
            "what step `x` tells is worth 0.75, and a call may cost 0.5: it is never asked; write under `otherwise` for which leads it is, \
             or drop the step",
        ),
        (
            "  - {name: x, wants: [phone.valid], providers: [phone.basic], budget: 0.001}\n",
            "one call of step `x` costs 0.01, and its budget is 0.001: raise it to that or more, or drop the step",
        ),
    ];
    for (steps, words) in cases {
        assert_eq!(said(steps), [(6, words.to_owned())], "{steps}");
    }
}
