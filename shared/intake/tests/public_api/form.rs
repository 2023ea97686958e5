//! The plain form of S3-46.

use domain::identity::KeyKind;
use domain::signup::{Arrival, Signup};
use domain::units::Timestamp;
use intake::{Event, Problem};
use serde_json::{Value, json};

use crate::{Held, SECRET, current, now, send, signed, signup_in, signup_of, taken};

fn seed() -> Value {
    json!({"email": "jane@acme.io", "company_name": "Acme", "signup_source": "free_trial", "timestamp": "2026-04-18T12:34:56Z"})
}

fn seed_with(name: &str, value: Value) -> Value {
    let mut body = seed();
    body[name] = value;
    body
}

fn problem(body: &Value) -> &'static str {
    send("signup", body.to_string().as_bytes()).unwrap_err().id()
}

/// The signup of a form that reaches us at this moment.
fn received(at: &str, body: &Value) -> Signup {
    let at = Timestamp::parse(at).unwrap();
    signup_in(taken("signup", signed("signup", body.to_string().as_bytes(), None, at), &Held(Some(vec![current(SECRET)])), at))
}

fn with_key(key: &str, body: &Value) -> Result<Event, Problem> {
    let request = signed("signup", body.to_string().as_bytes(), Some(key), now());
    taken("signup", request, &Held(Some(vec![current(SECRET)])), now())
}

#[test]
fn s3_46_the_example_of_the_guide_becomes_a_signup() {
    let signup = received("2026-04-18T12:35:00Z", &seed());
    assert_eq!(signup.issuer, "signup");
    assert_eq!(signup.email.as_ref().map(|email| email.expose()), Some("jane@acme.io"));
    assert_eq!(signup.company_name.as_deref(), Some("Acme"));
    assert_eq!((signup.source.as_deref(), signup.arrival), (Some("free_trial"), Arrival::Signup));
    assert_eq!(Some(signup.occurred_at), Timestamp::parse("2026-04-18T12:34:56Z"));
    assert!(!signup.email_verified && signup.custom.is_empty());
}

#[test]
fn s3_49_x_01_the_delivery_is_the_normalized_email_and_a_short_hash_of_the_timestamp() {
    let delivery = |body: &Value| signup_of("signup", body).delivery;
    let first = delivery(&seed());
    assert!(first.starts_with("jane@acme.io:") && first.len() == "jane@acme.io:".len() + 12, "{first}");
    assert_eq!(delivery(&seed_with("email", json!(" Jane@ACME.io "))), first, "the same person as typed otherwise");
    assert_eq!(delivery(&seed_with("timestamp", json!("2026-04-18T14:34:56+02:00"))), first, "the same moment as written otherwise");
    assert_ne!(delivery(&seed_with("timestamp", json!("2026-04-18T12:34:57Z"))), first, "a second click");
    assert_ne!(delivery(&seed_with("email", json!("joan@acme.io"))), first);
}

#[test]
fn x_01_without_an_email_the_strongest_key_names_the_delivery() {
    let body = json!({"linkedin_url": "linkedin.com/in/jane", "domain": "acme.io", "timestamp": "2026-04-18T12:34:56Z"});
    assert!(signup_of("signup", &body).delivery.starts_with("social_url:https://linkedin.com/in/jane:"));
}

#[test]
fn x_01_an_idempotency_key_names_the_delivery_with_or_without_quotes() {
    assert_eq!(signup_in(with_key("order-7", &seed())).delivery, "order-7");
    assert_eq!(signup_in(with_key("\"order-7\"", &seed())).delivery, "order-7");
    for key in ["", "\"\"", " ", &"k".repeat(256)] {
        assert_eq!(with_key(key, &seed()), Err(Problem::InvalidIdempotencyKey), "{key:?}");
    }
}

#[test]
fn a_signup_happened_neither_after_it_came_nor_more_than_30_days_before() {
    for (received_at, occurred_at) in [
        ("2026-04-18T12:34:50Z", "2026-04-18T12:34:50Z"), // the sender's clock is ahead
        ("2025-04-18T12:34:56Z", "2025-04-18T12:34:56Z"), // a mistyped year
        ("2026-05-18T12:34:56Z", "2026-04-18T12:34:56Z"), // 30 days
        ("2026-05-18T12:34:57Z", "2026-04-18T12:34:57Z"), // a second more
        ("2036-04-18T12:34:56Z", "2036-03-19T12:34:56Z"), // a replay
    ] {
        let signup = received(received_at, &seed());
        assert_eq!(Some(signup.occurred_at), Timestamp::parse(occurred_at), "{received_at}");
    }
}

#[test]
fn x_01_the_moment_as_sent_names_the_delivery_even_when_it_is_not_believed() {
    let delivery = |at| received(at, &seed()).delivery;
    assert_eq!(delivery("2025-04-18T12:34:56Z"), delivery("2026-04-18T12:35:00Z"));
    assert_eq!(delivery("2036-04-18T12:34:56Z"), delivery("2026-04-18T12:35:00Z"));
}

#[test]
fn a_page_of_a_company_is_never_taken_for_the_person_who_typed_it() {
    let mut body = seed_with("linkedin_url", json!("https://www.linkedin.com/company/Acme/"));
    let signup = signup_of("signup", &body);
    assert_eq!((signup.social_url.as_deref(), signup.company_linkedin_url.as_deref()), (None, Some("https://linkedin.com/company/acme")));
    assert!(signup.lookup_keys().iter().any(|key| key.kind == KeyKind::CompanyLinkedinUrl));
    assert!(signup.lookup_keys().iter().all(|key| key.kind != KeyKind::SocialUrl));
    body["social_url"] = json!("github.com/jane");
    let signup = signup_of("signup", &body);
    assert_eq!(signup.social_url.as_deref(), Some("https://github.com/jane"));
    assert_eq!((signup.company_linkedin_url.is_some(), signup.custom.is_empty()), (true, true));
}

#[test]
fn x_25_the_source_says_how_somebody_arrived() {
    for (source, arrival) in
        [("demo_request", Arrival::DemoRequest), ("Contact Sales", Arrival::ContactSales), ("podcast", Arrival::Signup)]
    {
        let signup = signup_of("signup", &seed_with("signup_source", json!(source)));
        assert_eq!((signup.arrival, signup.source.as_deref()), (arrival, Some(source)));
    }
}

#[test]
fn optional_fields_are_read_and_other_scalars_are_custom() {
    let body = json!({
        "email": "jane@acme.io", "timestamp": "2026-04-18T12:34:56Z", "first_name": " Jane ", "last_name": "Doe", "job_role": "CTO",
        "domain": "https://www.acme.io/", "social_url": "https://x.com/jane", "external_id": 42,
        "product": "edge", "seats": 3, "newsletter": true, "nothing": null, "list": [1], "object": {"a": 1}, "blank": "  ",
    });
    let signup = signup_of("signup", &body);
    assert_eq!(signup.name.as_deref(), Some("Jane Doe"));
    assert_eq!(signup.job_role.as_deref(), Some("CTO"));
    assert_eq!(signup.domain.as_ref().map(|domain| domain.as_str()), Some("acme.io"));
    assert_eq!(signup.social_url.as_deref(), Some("https://x.com/jane"));
    assert_eq!(signup.external_id.as_deref(), Some("42"));
    assert_eq!(json!(signup.custom), json!({"product": "edge", "seats": 3, "newsletter": true}));
}

#[test]
fn a_domain_or_url_that_cannot_be_used_stays_visible_as_a_custom_value() {
    let mut body = seed_with("domain", json!("Acme Inc"));
    body["linkedin_url"] = json!("n/a");
    body["social_url"] = json!("x.com/jane");
    let signup = signup_of("signup", &body);
    assert_eq!((signup.domain, signup.social_url.as_deref()), (None, Some("https://x.com/jane")));
    assert_eq!(json!(signup.custom), json!({"domain": "Acme Inc", "linkedin_url": "n/a"}));
    let personal = signup_of("signup", &seed_with("domain", json!("gmail.com")));
    assert_eq!((personal.domain, json!(personal.custom)), (None, json!({"domain": "gmail.com"})), "X-15");
}

#[test]
fn s3_47_x_28_any_of_email_domain_profile_or_name_with_company_is_enough() {
    for mut body in [
        json!({"email": "mira@gmail.com"}),
        json!({"domain": "acme.io"}),
        json!({"social_url": "linkedin.com/in/jane"}),
        json!({"linkedin_url": "linkedin.com/company/acme"}),
        json!({"name": "Jane", "company_name": "Acme"}),
    ] {
        body["timestamp"] = json!("2026-04-18T12:34:56Z");
        assert!(!signup_of("signup", &body).delivery.is_empty());
    }
}

#[test]
fn x_28_a_form_that_names_nobody_is_422_with_the_reason() {
    for mut body in [
        json!({}),
        json!({"email": "  ", "name": "Jane"}),
        json!({"company_name": "Acme", "job_role": "CTO"}),
        json!({"domain": "gmail.com"}),
        json!({"social_url": "n/a"}),
        json!({"social_url": "https://acme.io/about/team"}),
    ] {
        body["timestamp"] = json!("2026-04-18T12:34:56Z");
        let refused = send("signup", body.to_string().as_bytes()).unwrap_err();
        assert_eq!((refused.id(), refused.status().as_u16()), ("nobody-named", 422));
        assert!(refused.to_json().contains("email"), "says what would do");
    }
}

#[test]
fn a_malformed_email_is_422_and_is_not_repeated() {
    let long = format!("canary@{}.com", "a".repeat(300));
    for email in [json!("canary"), json!("canary@localhost"), json!("ca\u{0}nary@acme.io"), json!("\"ca\u{0}nary\"@acme.io"), json!(long)] {
        let refused = send("signup", seed_with("email", email).to_string().as_bytes()).unwrap_err();
        assert_eq!((refused.id(), refused.status().as_u16()), ("invalid-email", 422));
        assert!(!format!("{refused} {refused:?} {}", refused.to_json()).contains("nary"));
    }
    for email in [json!(5), json!(true), json!(["jane@acme.io"]), json!({"email": "jane@acme.io"})] {
        assert_eq!(problem(&seed_with("email", email)), "invalid-email");
    }
}

#[test]
fn the_timestamp_is_required_and_must_be_rfc_3339() {
    assert_eq!(problem(&json!({"email": "jane@acme.io"})), "missing-field");
    assert_eq!(problem(&seed_with("timestamp", json!(""))), "missing-field");
    for timestamp in [json!("yesterday"), json!("2026-04-18"), json!(1_776_515_696), json!("2026-13-18T12:34:56Z")] {
        assert_eq!(problem(&seed_with("timestamp", timestamp.clone())), "invalid-timestamp", "{timestamp}");
    }
}

#[test]
fn unusual_but_valid_addresses_are_taken() {
    for (typed, normal) in
        [("jane+trial@acme.io", "jane+trial@acme.io"), ("Jane@MÜLLER.de", "jane@xn--mller-kva.de"), ("\"j d\"@acme.io", "\"j d\"@acme.io")]
    {
        let signup = signup_of("signup", &seed_with("email", json!(typed)));
        assert_eq!(signup.email.map(|email| email.expose().to_owned()).as_deref(), Some(normal));
    }
}
