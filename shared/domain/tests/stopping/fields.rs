//! What the worlds know and ask: fields, the values they may have and the conditions that read them.

use domain::condition::Condition;
use domain::schema::Schema;
use domain::value::Value;
use proptest::prelude::*;
use proptest::sample::select;

/// The fields of these worlds, each with values it may have and clauses that are asked of it.
pub(crate) const FIELDS: &[(&str, &[&str], &[&str])] = &[
    (
        "company.headcount",
        &["20", "50", "300", "9000"],
        &["company.headcount >= 50", "company.headcount > 5000", "company.headcount < 300", "has(company.headcount)"],
    ),
    (
        "company.funding_stage",
        &["seed", "series_a", "series_b"],
        &["company.funding_stage in (\"series_a\", \"series_b\")", "company.funding_stage == \"seed\""],
    ),
    (
        "company.tech_stack",
        &["aws", "aws,kubernetes", "react"],
        &["\"aws\" in company.tech_stack", "\"kubernetes\" in company.tech_stack or \"aws\" in company.tech_stack"],
    ),
    (
        "contact.seniority",
        &["vp", "entry"],
        &["contact.seniority in (\"vp\", \"director\")", "contact.seniority != \"entry\"", "!has(contact.seniority)"],
    ),
    ("phone.valid", &["true", "false"], &["phone.valid", "phone.valid = false", "has(phone.valid)"]),
    ("company.country", &["US", "DE"], &["company.country == \"US\"", "company.country == company.state"]),
    ("company.state", &["US", "CA"], &["company.state == \"CA\""]),
    // What the fraud gate's evidence is derived from; clauses ask for what follows.
    (
        "email.domain_age_days",
        &["20", "4000"],
        &["fraud.domain_age_plausible", "fraud.domain_age_plausible = false", "has(fraud.domain_age_plausible)"],
    ),
    ("company.name", &["Acme", "Globex"], &["fraud.company_at_domain = false", "!has(fraud.company_at_domain)"]),
    ("email.domain_exists", &["true", "false"], &["fraud.company_at_domain", "email.domain_exists"]),
    // Channels, which audiences require. Whether the number is good is a field of its own, and decides if it is believed.
    ("contact.phone", &["+15125550100", "+15125550101"], &["has(contact.phone)"]),
    ("contact.linkedin_url", &["https://linkedin.com/in/jane", "https://linkedin.com/in/joan"], &["!has(contact.linkedin_url)"]),
];
/// So many of them nothing is derived from, but for the size.
pub(crate) const UNDERIVED: usize = 7;

pub(crate) fn value(path: &str, written: &str) -> Value {
    match path {
        "company.headcount" | "email.domain_age_days" => Value::number(written.parse().unwrap()),
        "company.tech_stack" => Value::list(written.split(',')),
        "phone.valid" | "email.domain_exists" => Value::Bool(written == "true"),
        _ => Value::text(written),
    }
}

pub(crate) fn condition(text: &str) -> Condition {
    Condition::parse(text, &Schema::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A condition of up to four clauses.
pub(crate) fn text(asks_for_presence: bool) -> impl Strategy<Value = String> {
    let clauses = FIELDS.iter().flat_map(|(_, _, clauses)| clauses.iter().map(|clause| (*clause).to_owned()));
    let clauses: Vec<String> = clauses.filter(|clause| asks_for_presence || !clause.contains("has(")).collect();
    select(clauses).prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}
