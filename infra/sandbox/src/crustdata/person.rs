//! A person as the vendor writes it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::call::Found;
use crate::universe::{Person, Universe, email_of_profile, profile_url};

pub(crate) const IDENTIFIERS: &[(&str, &str)] = &[
    ("business_emails", "business_email"),
    ("personal_emails", "personal_email"),
    ("professional_network_profile_urls", "professional_network_profile_url"),
];
pub(crate) const SECTIONS: &[&str] = &["basic_profile", "experience", "social_handles", "contact"];

/// The email that a key stands for: the key itself, or the one behind our profile address.
pub(crate) fn email_of(key: &str) -> String {
    email_of_profile(key).unwrap_or_else(|| key.trim().to_lowercase())
}

pub(crate) fn find(universe: &Universe, key: &str) -> Option<Found> {
    let person = universe.person(&email_of(key))?;
    let sections = [
        ("basic_profile", basic_profile(&person)),
        ("experience", json!({"employment_details": {"current": current(&person), "past": []}})),
        ("social_handles", social_handles(&person)),
        ("contact", json!({"business_emails": if person.employer.is_some() { vec![&person.email] } else { vec![] }})),
    ];
    let sections: Map<String, Value> = sections.into_iter().map(|(name, section)| (name.to_owned(), section)).collect();
    Some(Found { sections, match_score: person.match_score, delay: Duration::ZERO })
}

fn basic_profile(person: &Person) -> Value {
    json!({
        "name": person.name,
        "headline": person.title.map(|title| headline(person, title)),
        "current_title": person.title,
        "location": {"country": person.country},
        "languages": ["English"],
    })
}

/// Says that the person is invented: the employer's name carries the mark, a freelancer gets one.
fn headline(person: &Person, title: &str) -> String {
    match &person.employer {
        Some(employer) => format!("{title} at {}", employer.name),
        None => format!("{title} (invented)"),
    }
}

fn current(person: &Person) -> Value {
    let Some(employer) = &person.employer else {
        return json!([]);
    };
    json!([{
        "name": employer.name,
        "title": person.title,
        "seniority_level": person.seniority,
        "start_date": person.started,
        "company_website_domain": employer.domain,
    }])
}

fn social_handles(person: &Person) -> Value {
    match profile_url(person) {
        Some(url) => json!({"professional_network_identifier": {"profile_url": url}}),
        None => json!({}),
    }
}
