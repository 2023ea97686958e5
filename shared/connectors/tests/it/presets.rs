//! The bundled presets with the bundled connectors: whom they ask, what that costs at most and where leads go.

use std::collections::{BTreeMap, BTreeSet};

use connectors::{Connectors, configure, configure_for_use};
use domain::config::{Config, Sources};
use domain::decision::Outcome;
use domain::identity::KeyKind;
use domain::plan::Until;
use domain::route::Track;
use domain::schema::is_channel;
use domain::units::{Credits, Millis};
use domain::value::Value;
use rust_decimal::Decimal;

use crate::journey::{Said, travel};
use crate::world::sources;

/// The bundled configuration with another preset.
fn with_preset(name: &str) -> Sources {
    let chosen = format!("preset: {name}\n");
    Sources::new(sources().below("").map(|(file, text)| (file.to_owned(), text.replace("preset: signup\n", &chosen))))
}

fn preset(name: &str) -> (Config, Connectors) {
    configure_for_use(&with_preset(name)).unwrap_or_else(|findings| panic!("{findings}"))
}

fn phone() -> (&'static str, Value) {
    ("contact.phone", Value::text("+15125550100"))
}

fn certificate() -> (&'static str, Value) {
    ("trustedform.cert_id", Value::text("2605ec3a"))
}

fn yes(path: &str) -> (&str, Value) {
    (path, Value::Bool(true))
}

fn no(path: &str) -> (&str, Value) {
    (path, Value::Bool(false))
}

#[test]
fn x_40_every_preset_is_right_by_itself_and_says_what_it_is_best_for() {
    let sources = sources();
    let named: Vec<(&str, &str)> = sources.below("presets/").collect();
    assert!(named.len() >= 11, "{}", named.len());
    for (file, text) in named {
        let name = file.strip_prefix("presets/").unwrap().strip_suffix(".yaml").unwrap();
        let (config, _) = configure(&with_preset(name)).unwrap_or_else(|findings| panic!("{findings}"));
        assert!(config.operations().count() > 0, "{name}");
        let is_new = !["plg", "seed", "signup"].contains(&name);
        assert!(!is_new || text.to_lowercase().contains("best "), "{name} does not say what it is best for");
    }
}

#[test]
fn s3_35_to_s3_38_the_architectures_ask_as_many_providers_as_they_are_named_for() {
    let paid = |name: &str, step: &str| -> Vec<String> {
        let (config, _) = preset(name);
        let step = config.plan.steps.iter().find(|one| one.name == step).unwrap_or_else(|| panic!("{name} has no step {step}"));
        step.providers.clone()
    };
    let providers = |name: &str| -> BTreeSet<String> {
        let (config, _) = preset(name);
        let vendors = config.operations().filter(|operation| !operation.price.is_free());
        vendors.map(|operation| operation.provider.clone()).collect()
    };
    assert_eq!(providers("direct"), ["crustdata".to_owned()].into());
    assert_eq!(providers("aggregator"), ["pdl".to_owned()].into());
    assert_eq!(providers("primary-fallback"), ["crustdata".to_owned()].into());
    assert_eq!(paid("primary-fallback", "fallback"), ["website"]);
    assert!((2..=4).contains(&paid("waterfall", "company").len()), "S3-37");
    assert_eq!(preset("waterfall").0.plan.until, Until::Everything);
}

#[test]
fn s3_37_the_waterfall_goes_on_to_whoever_tells_what_is_missing_and_stops_there() {
    let (config, _) = preset("waterfall");
    let headcount = [("company.headcount", Value::number(200))];
    let rest = [("company.funding_stage", Value::text("series_b")), ("company.tech_stack", Value::list(["aws"]))];
    let domain = [("company.domain", Value::text("acme.io"))];
    let made = |told: &[(&str, Said<'_>)]| -> Vec<String> {
        let journey = travel(&config, "jane@acme.io", &domain, told);
        journey.made.into_iter().filter(|operation| operation.ends_with(".company")).collect()
    };
    let all = [&headcount[..], &rest, &[("company.traffic_trend_90d", Value::number(1))]].concat();
    assert_eq!(made(&[("crustdata.company", &all)]), ["crustdata.company"]);
    assert_eq!(made(&[("pdl.company", &headcount)]), ["crustdata.company", "pdl.company", "apollo.company"]);
    // Once the stage is known, PDL has nothing to add to what only Apollo may still tell.
    let first = [&headcount[..], &rest[..1]].concat();
    assert_eq!(made(&[("crustdata.company", &first)]), ["crustdata.company", "apollo.company"]);
}

#[test]
fn s3_38_the_fallback_says_who_an_emerging_startup_is() {
    let (config, _) = preset("primary-fallback");
    let site = [("company.website", Value::text("https://acme.io/")), ("company.description", Value::text("Anvils"))];
    let domain = [("company.domain", Value::text("acme.io"))];
    let startup = travel(&config, "jane@acme.io", &domain, &[("website", &site)]);
    assert!(startup.made.contains(&"website".to_owned()), "{:?}", startup.made);
    assert_eq!((startup.decision.route.track, startup.decision.route.provisional), (Track::SdrQueue, false));
    let known = [("company.headcount", Value::number(6000))];
    let known = travel(&config, "jane@acme.io", &domain, &[("crustdata.company", &known), ("website", &site)]);
    assert!(!known.made.contains(&"website".to_owned()), "{:?}", known.made);
    assert_eq!(known.decision.route.track, Track::SalesAssist);
}

#[test]
fn s4_41_to_s4_44_the_validation_stack_costs_at_most_thirteen_and_a_half_cents_a_lead() {
    let (config, connectors) = preset("validation");
    let operations: BTreeSet<&str> = config.operations().map(|operation| operation.name.as_str()).collect();
    let mut dollars = BTreeMap::new();
    for name in operations {
        let connector = connectors.get(name).unwrap();
        let channels = connector.operation().supplies.iter().filter(|field| is_channel(field)).count();
        let credits = Decimal::new(connector.operation().price.worst_case(channels).micros(), 6);
        if credits > Decimal::ZERO {
            dollars.insert(name, (credits * connector.about().credit_usd.unwrap()).normalize().to_string());
        }
    }
    let expected =
        [("neverbounce.check", "0.005"), ("realvalidation.dnc", "0.02"), ("trustedform.certificate", "0.1"), ("twilio.lookup", "0.01")];
    assert_eq!(dollars, expected.map(|(name, price)| (name, price.to_owned())).into());
    let sum: Decimal = dollars.values().map(|price| price.parse::<Decimal>().unwrap()).sum();
    assert_eq!(sum.to_string(), "0.135");

    let lead = travel(&config, "jane@acme.io", &[phone(), certificate()], &[]);
    assert_eq!(lead.made.len(), 5, "the four and what the address itself says: {:?}", lead.made);
    assert_eq!(lead.cost.to_string(), "0.135");
}

/// What docs/configuration.md says of the stacks, in credits: those of People Data Labs included.
#[test]
fn a_lead_costs_at_most_what_is_documented_of_its_stack() {
    for (name, most) in [("validation", "0.135"), ("value", "1.165"), ("risk", "0.12"), ("act-on-data", "0.16")] {
        let (config, _) = preset(name);
        let operations: BTreeMap<&str, Credits> = config.operations().map(|one| (one.name.as_str(), one.price.worst_case(0))).collect();
        let sum = operations.values().fold(Credits::ZERO, |sum, price| sum.plus(*price));
        assert_eq!(sum.to_string(), most, "{name}");
    }
}

#[test]
fn s4_31_filter_first_nothing_is_paid_for_a_lead_that_is_held() {
    for name in ["validation", "value", "risk", "act-on-data", "direct", "aggregator", "waterfall", "primary-fallback"] {
        let (config, _) = preset(name);
        let held = travel(&config, "jane@mailinator.com", &[phone(), certificate()], &[]);
        assert_eq!((held.cost, held.decision.outcome), (Credits::ZERO, Outcome::Held), "{name}: {:?}", held.made);
    }
}

#[test]
fn s4_41_to_s4_44_what_is_required_and_missing_needs_a_review_by_which_contact_is_primary() {
    let (config, _) = preset("validation");
    let consent = [("trustedform.age_seconds", Value::number(45)), ("trustedform.created_at", Value::text("2026-11-20"))];
    let (valid, free) = ([yes("phone.valid")], [no("dnc.registered"), no("litigation.history")]);
    let unmet = |said: Said<'_>, told: &[(&str, Said<'_>)]| travel(&config, "jane@acme.io", said, told).decision.unmet;
    let told: [(&str, Said<'_>); 3] = [("trustedform.certificate", &consent), ("twilio.lookup", &valid), ("realvalidation.dnc", &free)];
    assert_eq!(unmet(&[phone(), certificate()], &told), [""; 0], "the address is not required beside a number");
    assert_eq!(unmet(&[phone(), certificate()], &told[1..]), ["certificate"]);
    assert_eq!(unmet(&[phone()], &told[1..]), ["certificate"], "no certificate came with the lead");
    assert_eq!(unmet(&[phone(), certificate()], &told[..1]), ["primary_phone", "do_not_call"], "a number that could not be checked");
    assert_eq!(unmet(&[certificate()], &told[..1]), ["primary_address"], "nobody asked for a number");
    let deliverable = [yes("email.deliverable")];
    assert_eq!(unmet(&[certificate()], &[told[0], ("neverbounce.check", &deliverable)]), [""; 0]);
}

#[test]
fn s4_43_a_lead_with_an_address_alone_goes_by_its_address_and_pays_for_no_number() {
    let (config, _) = preset("validation");
    let told = |deliverable: bool| [("email.deliverable", Value::Bool(deliverable))];
    let by_address = |told: &[(&str, Said<'_>)]| travel(&config, "jane@acme.io", &[certificate()], told);
    for (deliverable, track) in [(true, Track::SelfServe), (false, Track::Verification)] {
        let lead = by_address(&[("neverbounce.check", &told(deliverable))]);
        assert_eq!((lead.decision.route.track, lead.decision.route.provisional), (track, false), "{deliverable}");
        assert_eq!(lead.made, ["email", "trustedform.certificate", "neverbounce.check"]);
    }
    let number = travel(&config, "jane@acme.io", &[phone(), certificate()], &[("twilio.lookup", &[no("phone.valid")])]);
    assert_eq!(number.decision.unmet, ["certificate", "primary_address"], "a number that is not valid is no contact");
    assert!(!number.made.contains(&"realvalidation.dnc".to_owned()), "{:?}", number.made);
    assert_eq!(by_address(&[]).decision.route.track, Track::Review, "nobody knows whether the address works");
    let unlisted = travel(&config, "jane@acme.io", &[phone(), certificate()], &[("twilio.lookup", &[yes("phone.valid")])]);
    assert_eq!(unlisted.decision.route.track, Track::Review, "a number that no list was asked about is not called");
}

#[test]
fn s4_41_to_s4_44_a_validated_lead_goes_where_it_may_be_reached() {
    let (config, _) = preset("validation");
    let track = |valid: bool, deliverable: bool, listed: bool, litigator: bool| {
        let (number, address) = ([("phone.valid", Value::Bool(valid))], [("email.deliverable", Value::Bool(deliverable))]);
        let lists = [("dnc.registered", Value::Bool(listed)), ("litigation.history", Value::Bool(litigator))];
        let told: [(&str, Said<'_>); 3] = [("twilio.lookup", &number), ("neverbounce.check", &address), ("realvalidation.dnc", &lists)];
        travel(&config, "jane@acme.io", &[phone(), certificate()], &told).decision.route.track
    };
    assert_eq!(track(true, true, false, false), Track::SdrQueue);
    assert_eq!(track(true, true, true, false), Track::Review);
    assert_eq!(track(true, true, false, true), Track::Review);
    assert_eq!(track(false, true, false, false), Track::SelfServe);
    assert_eq!(track(false, false, false, false), Track::Verification);
}

#[test]
fn s4_32_x_02_a_number_is_asked_by_itself_and_its_answer_is_kept_for_seven_days() {
    let (config, _) = preset("value");
    for name in ["twilio.lookup", "twilio.line_type", "telesign.score"] {
        let operation = &config.catalogue[name];
        assert_eq!(operation.keys, [KeyKind::Phone], "{name}");
        assert_eq!(config.freshness.of(operation.class), Millis::days(7), "{name}");
    }
    // S4-22: anything else that is checked, for a day.
    assert_eq!(config.freshness.of(config.catalogue["neverbounce.check"].class), Millis::hours(24));
}

#[test]
fn s4_25_x_21_the_number_is_looked_into_step_by_step() {
    let (config, _) = preset("value");
    let valid = [yes("phone.valid")];
    let typed = |word| [("phone.type", Value::text(word)), ("phone.carrier", Value::text("verizon"))];
    let (mobile, voip) = (typed("mobile"), typed("voip"));
    let made = |told: &[(&str, Said<'_>)]| -> Vec<String> {
        let all = travel(&config, "jane@acme.io", &[phone()], told).made.into_iter();
        all.filter(|operation| operation.starts_with("twilio") || operation.starts_with("telesign")).collect()
    };
    assert_eq!(made(&[("twilio.lookup", &[no("phone.valid")])]), ["twilio.lookup"]);
    assert_eq!(made(&[("twilio.lookup", &valid), ("twilio.line_type", &voip)]), ["twilio.lookup", "twilio.line_type"]);
    let all = ["twilio.lookup", "twilio.line_type", "telesign.score"];
    assert_eq!(made(&[("twilio.lookup", &valid), ("twilio.line_type", &mobile)]), all);
}

#[test]
fn s4_24_only_a_lead_of_high_value_is_worth_the_dear_look_up() {
    let (config, _) = preset("value");
    let is_asked = |said: &[(&str, Value)], told: &[(&str, Said<'_>)]| {
        let modest = [("loan_amount", Value::number(5_000)), ("source.type", Value::text("shared"))];
        let said: Vec<_> =
            modest.into_iter().filter(|(path, _)| said.iter().all(|(other, _)| other != path)).chain(said.to_vec()).collect();
        travel(&config, "jane@acme.io", &said, told).made.contains(&"pdl.person".to_owned())
    };
    assert!(is_asked(&[("loan_amount", Value::number(100_001))], &[]));
    assert!(!is_asked(&[("loan_amount", Value::number(100_000))], &[]));
    assert!(is_asked(&[("source.type", Value::text("exclusive"))], &[]));
    // lead_score > 80: the number 40, the address 30, an address at work 15; without the address 55.
    let (valid, deliverable) = ([yes("phone.valid")], [yes("email.deliverable")]);
    assert!(is_asked(&[phone()], &[("twilio.lookup", &valid), ("neverbounce.check", &deliverable)]));
    let undeliverable = [no("email.deliverable")];
    let mobile = [("phone.type", Value::text("mobile"))];
    let low: [(&str, Said<'_>); 3] = [("twilio.lookup", &valid), ("neverbounce.check", &undeliverable), ("twilio.line_type", &mobile)];
    assert!(!is_asked(&[phone()], &low), "70 points at most");
}

/// The steps behind `#|`, with connectors of the operator's own.
fn whole_value_stack() -> Config {
    let tells = [
        ("identity", "identity.verified: {path: $.verified, as: bool}"),
        ("demographics", "{demographics.income_range: {path: $.i, as: word}, demographics.home_owner: {path: $.h, as: bool}}"),
        ("property", "demographics.home_value: {path: $.value, as: number}"),
        ("credit", "credit.indicator: {path: $.word, as: word}"),
    ];
    let connectors = tells.map(|(name, fields)| {
        let fields = if fields.starts_with('{') { fields.to_owned() } else { format!("{{{fields}}}") };
        let text = format!(
            "{{provider: yours, operation: {name}, family: yours, class: check, timeout: 1s, price: {{per_call: 0.5}}, \
             about: {{primary_data: x, coverage: x, resale: forbidden}}, \
             request: {{method: POST, base_url: 'https://api.yours.example', path: /x}}, keys: {{email: {{body: {{email: '{{{{key}}}}'}}}}}}, \
             reply: {{hit: $, no_match: $, fields: {fields}}}}}"
        );
        (format!("connectors/yours.{name}.yaml"), text)
    });
    let files = sources();
    let files = files.below("").map(|(file, text)| {
        let text = if file == "presets/value.yaml" { text.replace("  #| ", "  ") } else { text.replace("preset: signup", "preset: value") };
        (file.to_owned(), text)
    });
    configure(&Sources::new(files.chain(connectors))).unwrap_or_else(|findings| panic!("{findings}")).0
}

#[test]
fn s4_45_the_value_stack_goes_from_identity_to_credit_only_where_each_is_worth_it() {
    let config = whole_value_stack();
    let (verified, homes) = ([yes("identity.verified")], [yes("demographics.home_owner")]);
    let made = |loan: i64, product: &str, told: &[(&str, Said<'_>)]| -> Vec<String> {
        let said = [("loan_amount", Value::number(loan)), ("source.type", Value::text("shared")), ("product", Value::text(product))];
        let all = travel(&config, "jane@acme.io", &said, told).made.into_iter();
        all.filter_map(|operation| operation.strip_prefix("yours.").map(str::to_owned)).collect()
    };
    let known: [(&str, Said<'_>); 2] = [("yours.identity", &verified), ("yours.demographics", &homes)];
    assert_eq!(made(5_000, "mortgage", &known), [""; 0], "S4-04: not of high value");
    assert_eq!(made(200_000, "mortgage", &[]), ["identity"], "nobody verified it");
    assert_eq!(made(200_000, "mortgage", &[("yours.identity", &[no("identity.verified")])]), ["identity"]);
    assert_eq!(made(200_000, "mortgage", &known), ["identity", "demographics", "property", "credit"]);
    assert_eq!(made(200_000, "solar", &known), ["identity", "demographics", "property"]);
    assert_eq!(made(200_000, "credit_card", &known), ["identity", "demographics", "credit"]);
    assert_eq!(made(200_000, "anvils", &known), ["identity", "demographics"]);
}

/// Where a lead with this phone data goes: track, destination, provisional.
fn by_phone(config: &Config, valid: bool, kind: &str, carrier: &str, risk: i64) -> (Track, Option<String>, bool) {
    let number = [("phone.valid", Value::Bool(valid))];
    let line = [("phone.type", Value::text(kind)), ("phone.carrier", Value::text(carrier))];
    let score = [("phone.risk_score", Value::number(risk))];
    let told: [(&str, Said<'_>); 3] = [("twilio.lookup", &number), ("twilio.line_type", &line), ("telesign.score", &score)];
    let route = travel(config, "jane@acme.io", &[phone()], &told).decision.route;
    (route.track, route.destination, route.provisional)
}

#[test]
fn s4_35_to_s4_37_leads_go_where_their_phone_data_says() {
    let (config, _) = preset("act-on-data");
    for (valid, kind, carrier, risk, track, destination) in [
        (true, "mobile", "sprint", 10, Track::SdrQueue, Some("sprint_friendly_buyer")), // S4-35
        (true, "landline", "verizon", 10, Track::SdrQueue, Some("daytime_calls")),      // S4-36
        (true, "landline", "sprint", 10, Track::SdrQueue, Some("sprint_friendly_buyer")),
        (true, "mobile", "verizon", 10, Track::SdrQueue, None),
        (true, "mobile", "sprint", 80, Track::SdrQueue, Some("sprint_friendly_buyer")),
        (true, "mobile", "sprint", 81, Track::Review, None), // S4-37
        (true, "voip", "bandwidth", 99, Track::SelfServe, None),
        (false, "mobile", "sprint", 99, Track::SelfServe, None),
    ] {
        let expected = (track, destination.map(str::to_owned), false);
        assert_eq!(by_phone(&config, valid, kind, carrier, risk), expected, "{valid} {kind} {carrier} {risk}");
    }
}

#[test]
fn s4_46_the_risk_stack_rejects_reviews_and_does_not_recycle() {
    let (config, _) = preset("risk");
    let decided = |risk: Option<i64>, litigator: bool, said: Said<'_>| {
        let score = risk.map(|risk| [("phone.risk_score", Value::number(risk))]);
        let lists = [("litigation.history", Value::Bool(litigator)), no("dnc.registered")];
        let mut told: Vec<(&str, Said<'_>)> = vec![("realvalidation.dnc", &lists)];
        told.extend(score.as_ref().map(|score| ("telesign.score", &score[..])));
        let journey = travel(&config, "jane@acme.io", &[&[phone()], said].concat(), &told);
        (journey.decision.outcome, journey.decision.route, journey.made)
    };
    let end = |risk, litigator, said: Said<'_>| {
        let (outcome, route, _) = decided(risk, litigator, said);
        (outcome, route.track, route.destination)
    };
    let nobody = None::<String>;
    assert_eq!(end(Some(20), false, &[]), (Outcome::Routed, Track::SdrQueue, nobody.clone()));
    assert_eq!(end(Some(80), false, &[]), (Outcome::Routed, Track::SdrQueue, nobody.clone()));
    assert_eq!(end(Some(81), false, &[]), (Outcome::Routed, Track::Review, nobody.clone()), "S4-37");
    assert_eq!(end(Some(96), false, &[]), (Outcome::Rejected, Track::Verification, nobody.clone()));
    assert_eq!(decided(Some(96), false, &[]).2, ["email", "telesign.score"], "nothing more is paid for a lead that is rejected");
    assert_eq!(end(Some(20), true, &[]), (Outcome::Routed, Track::Review, nobody.clone()));
    let previous = [yes("customer.previous")];
    assert_eq!(end(Some(20), false, &previous), (Outcome::Routed, Track::SalesAssist, Some("customer_success".to_owned())));
    assert_eq!(end(Some(20), true, &previous).1, Track::Review, "a litigator who was a customer is a litigator");
    assert_eq!(end(Some(20), false, &[("fraud.risk_score", Value::number(81))]).1, Track::Review);
    assert_eq!(end(Some(20), false, &[("fraud.risk_score", Value::number(96))]).0, Outcome::Rejected);
    let (_, route, _) = decided(None, false, &[]);
    assert_eq!((route.track, route.provisional), (Track::Review, true), "who cannot be checked is looked at");
}
