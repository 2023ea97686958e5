use super::*;
use crate::confidence::UsualAge;
use crate::observation::Basis;
use crate::units::{BasisPoints, Millis};

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000); // 2026-11-20T12:00:00Z

fn said(source: &str, path: &'static str, value: Value) -> Observation {
    Observation {
        field: Field::known(path),
        value,
        source: source.to_owned(),
        family: source.to_owned(),
        observed_at: NOW.before(Millis::minutes(1)),
        stated: BasisPoints::ONE,
        basis: Basis::Stated,
    }
}

fn text(source: &str, path: &'static str, text: &str) -> Observation {
    said(source, path, Value::text(text))
}

/// Somebody of Acme, by their own words.
fn jane() -> Vec<Observation> {
    vec![
        text("signup", "contact.email", "jane.doe@acme.io"),
        text("signup", "contact.full_name", "Jane Doe"),
        text("signup", "company.domain", "acme.io"),
        text("signup", "company.name", "Acme, Inc."),
    ]
}

fn facts(said: &[Observation]) -> Facts {
    crate::merge::merge(said, &Schema::default(), &Trust::default(), NOW)
}

/// What follows from Jane's own words and these.
fn of_jane(path: &'static str, more: &[Observation]) -> Option<Value> {
    facts(&[jane(), more.to_vec()].concat()).remove(&Field::known(path)).map(|fact| fact.value)
}

const YES: Option<Value> = Some(Value::Bool(true));
const NO: Option<Value> = Some(Value::Bool(false));

#[test]
fn s3_74_a_domains_age_is_derived_from_its_registration_and_never_below_zero() {
    let age = |date: &str| facts(&[text("rdap", "email.domain_registered_at", date)]).remove(&Field::known("email.domain_age_days"));
    assert_eq!(age("2026-11-01").unwrap().value, Value::number(19));
    assert_eq!(age("2027-01-01").unwrap().value, Value::number(0));
    assert_eq!(age("2026-11-01").unwrap().sources, [SOURCE]);
    let told =
        facts(&[text("rdap", "email.domain_registered_at", "2026-11-01"), said("vendor", "email.domain_age_days", Value::number(400))]);
    assert_eq!(told[&Field::known("email.domain_age_days")].value, Value::number(400), "what a source tells outright stands");
}

#[test]
fn s3_74_domain_age_is_held_against_the_companys_size() {
    let plausible = |age: i64, people: Option<i64>| {
        let age = said("rdap", "email.domain_age_days", Value::number(age));
        let people = people.map(|people| said("vendor", "company.headcount", Value::number(people)));
        of_jane("fraud.domain_age_plausible", &[age].into_iter().chain(people).collect::<Vec<_>>())
    };
    assert_eq!(plausible(20, Some(200)), NO);
    assert_eq!(plausible(179, Some(50)), NO);
    assert_eq!(plausible(180, Some(50)), YES);
    assert_eq!(plausible(180, Some(500)), NO);
    assert_eq!(plausible(20, Some(49)), YES, "a young company");
    assert_eq!(plausible(20, None), None, "unknown while the size is");
    assert_eq!(plausible(365, None), YES, "old enough for any size");
}

#[test]
fn what_is_known_of_the_domain_of_the_address_says_nothing_of_a_company_elsewhere() {
    let mut said_by_jane = jane();
    said_by_jane[2] = text("signup", "company.domain", "globex.io");
    let young = said("rdap", "email.domain_age_days", Value::number(20));
    let gone = said("dns", "email.domain_exists", Value::Bool(false));
    let facts = facts(&[said_by_jane, vec![young, gone, said("vendor", "company.headcount", Value::number(200))]].concat());
    assert!(!facts.contains_key(&Field::known("fraud.domain_age_plausible")));
    assert!(!facts.contains_key(&Field::known("fraud.company_at_domain")));
}

#[test]
fn a_company_that_was_named_in_an_earlier_signup_is_not_claimed_for_todays_domain() {
    let mut said_by_jane = jane();
    said_by_jane[3].observed_at = NOW.before(Millis::days(300));
    said_by_jane[2] = text("signup", "company.domain", "globex.io");
    let facts = facts(&[said_by_jane, vec![text("vendor", "company.name", "Globex")]].concat());
    assert!(!facts.contains_key(&Field::known("fraud.company_at_domain")));
}

#[test]
fn s3_72_a_company_is_at_its_domain_when_whoever_tells_of_the_domain_calls_it_so() {
    let at_domain = |more: &[Observation]| of_jane("fraud.company_at_domain", more);
    assert_eq!(at_domain(&[]), None, "the claim alone is no evidence");
    assert_eq!(at_domain(&[text("vendor", "company.name", "ACME Robotics")]), YES);
    assert_eq!(at_domain(&[said("dns", "email.domain_exists", Value::Bool(false))]), NO);
    assert_eq!(at_domain(&[said("dns", "email.domain_exists", Value::Bool(true))]), None);
    let own_name = [text("vendor", "company.name", "Anvils Holding")];
    assert_eq!(at_domain(&own_name), None, "the domain bears the name that is claimed");
}

#[test]
fn s3_72_another_companys_name_at_the_domain_refutes_the_claim_and_another_domain_says_nothing() {
    let claim = vec![text("signup", "company.domain", "acme.io"), text("signup", "company.name", "Globex")];
    let at_domain = |more: &[Observation]| {
        facts(&[claim.clone(), more.to_vec()].concat()).remove(&Field::known("fraud.company_at_domain")).map(|fact| fact.value)
    };
    let other = text("vendor", "company.name", "Acme");
    assert_eq!(at_domain(std::slice::from_ref(&other)), NO);
    assert_eq!(at_domain(&[other.clone(), text("vendor", "company.legal_name", "Globex Ltd")]), YES);
    assert_eq!(at_domain(&[other, text("vendor", "company.domain", "elsewhere.io")]), None);
}

#[test]
fn s3_72_what_a_page_suggests_stays_below_the_floor() {
    let mut page = text("website", "company.name", "Acme");
    page.basis = Basis::Inferred;
    let facts = facts(&[jane(), vec![page]].concat());
    assert!(facts[&Field::known("fraud.company_at_domain")].confidence < Trust::default().floor);
}

#[test]
fn s3_73_an_address_is_held_against_the_person_that_sources_find_at_the_company() {
    let of_person = |more: &[Observation]| of_jane("fraud.email_of_person", more);
    let found = |name: &str, domain: &str| [text("vendor", "contact.full_name", name), text("vendor", "company.domain", domain)];
    assert_eq!(of_person(&[]), None, "the signup's own name is no evidence");
    assert_eq!(of_person(&found("Jane B. Doe", "acme.io")), YES);
    assert_eq!(of_person(&found("John Smith", "acme.io")), NO);
    assert_eq!(of_person(&found("Jane Doe", "elsewhere.io")), NO, "not at this company");
    assert_eq!(of_person(&[text("vendor", "contact.work_email", "jane.doe@acme.io")]), YES);
    let company_alone = [text("vendor", "contact.full_name", "Jane Doe"), text("register", "company.domain", "acme.io")];
    assert_eq!(of_person(&company_alone), None, "nobody says that she works there");
}

#[test]
fn a_derived_fact_is_as_sure_as_the_least_sure_of_its_inputs() {
    let more = [
        said("rdap", "email.domain_age_days", Value::number(20)),
        said("vendor", "company.headcount", Value::number(200)),
        said("other", "company.headcount", Value::number(9)),
    ];
    let facts = facts(&[jane(), more.to_vec()].concat());
    let least = facts[&Field::known("company.headcount")].confidence;
    assert!(least < facts[&Field::known("email.domain_age_days")].confidence);
    assert!(!facts.contains_key(&Field::known("fraud.domain_age_plausible")), "a contested size is below the floor");
    let trust = Trust { floor: BasisPoints::ZERO, ..Trust::default() };
    let mut told = facts.clone();
    add(&mut told, &jane(), &Schema::default(), &trust, NOW);
    assert_eq!(told[&Field::known("fraud.domain_age_plausible")].confidence, least);
}

fn fields<const N: usize>(paths: [&'static str; N]) -> BTreeSet<Field> {
    paths.into_iter().map(Field::known).collect()
}

fn open_after(facts: &Facts, supplied: BTreeSet<Field>) -> BTreeSet<Field> {
    let mut open: BTreeSet<Field> = supplied.iter().filter(|field| !facts.contains_key(*field)).cloned().collect();
    add_open(facts, &Trust::default(), &supplied, &mut open);
    open
}

#[test]
fn a_derived_field_is_open_while_an_input_that_matters_is() {
    let plausible = Field::known("fraud.domain_age_plausible");
    let registered = |date: &str| facts(&[text("rdap", "email.domain_registered_at", date)]);
    let size = || fields(["company.headcount"]);
    assert!(open_after(&registered("2026-11-01"), size()).contains(&plausible));
    assert!(!open_after(&registered("2016-11-01"), size()).contains(&plausible), "old enough whatever the size");
    assert!(!open_after(&Facts::new(), size()).contains(&plausible), "nobody will tell the age");
    assert!(open_after(&Facts::new(), fields(["email.domain_registered_at"])).contains(&plausible));
}

#[test]
fn s3_72_nobody_is_asked_for_a_company_that_was_not_claimed() {
    let at_domain = Field::known("fraud.company_at_domain");
    let name = || fields(["company.name"]);
    assert!(open_after(&facts(&jane()), name()).contains(&at_domain));
    assert!(!open_after(&facts(&[text("signup", "company.domain", "acme.io")]), name()).contains(&at_domain));
    assert!(!open_after(&facts(&[text("signup", "company.name", "Acme")]), name()).contains(&at_domain), "at no domain");
}

#[test]
fn s3_73_nobody_is_asked_whose_a_personal_mailbox_is() {
    let of_person = Field::known("fraud.email_of_person");
    let name = || fields(["contact.work_email"]);
    let is_open = |said: &[Observation]| open_after(&facts(said), name()).contains(&of_person);
    let claimed = |address: &str| text("signup", "contact.email", address);
    assert!(is_open(&[]) && is_open(&[claimed("jane@acme.io")]));
    assert!(!is_open(&[claimed("jane@gmail.com")]));
    let stale = text("email", "email.kind", "personal");
    assert!(is_open(&[claimed("jane@acme.io"), stale]), "what was said of an earlier address says nothing of this one");
    assert!(is_open(&[claimed("jane@acme.io"), claimed("jane@gmail.com")]), "either may be the one that counts");
}

#[test]
fn what_follows_at_second_hand_is_named_too() {
    let following = following(&fields(["email.domain_registered_at"]));
    assert_eq!(following, fields(["email.domain_age_days", "fraud.domain_age_plausible"]));
    assert!(derivable(&fields(["email.domain_registered_at"])).contains(&Field::known("fraud.domain_age_plausible")));
    assert!(!derivable(&fields(["company.headcount"])).contains(&Field::known("fraud.domain_age_plausible")));
}

#[test]
fn every_rule_derives_a_field_of_the_schema_from_fields_of_the_schema() {
    let schema = Schema::default();
    for rule in RULES {
        assert!(schema.field(rule.field.as_str()).is_ok());
        assert!(rule.inputs.iter().all(|input| schema.field(input).is_ok()), "{}", rule.field);
        assert!((rule.matters)(&Facts::new(), &Trust::default()).iter().all(|input| rule.inputs.contains(input)), "{}", rule.field);
    }
}

#[test]
fn s3_74_a_table_without_rows_finds_every_age_plausible() {
    let trust = Trust { domain_age: Vec::<UsualAge>::new(), ..Trust::default() };
    let said = [said("rdap", "email.domain_age_days", Value::number(0)), said("vendor", "company.headcount", Value::number(9000))];
    let facts = crate::merge::merge(&said, &Schema::default(), &trust, NOW);
    assert_eq!(facts[&Field::known("fraud.domain_age_plausible")].value, Value::Bool(true));
}
