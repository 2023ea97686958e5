//! Clerk's user events.

use domain::signup::Arrival;
use domain::units::{Millis, Timestamp};
use intake::{Event, Problem};
use serde_json::{Value, json};

use crate::{Held, SECRET, current, now, send, signed, signup_in, signup_of, taken};

fn created() -> Value {
    json!({
        "type": "user.created", "object": "event", "timestamp": 1_795_176_000_123_i64, "instance_id": "ins_1",
        "data": {
            "id": "user_1", "first_name": "Jane", "last_name": "Doe", "created_at": 1_795_176_000_000_i64,
            "primary_email_address_id": "idn_2",
            "email_addresses": [
                {"id": "idn_1", "email_address": "old@acme.io", "verification": null},
                {"id": "idn_2", "email_address": "jane@acme.io", "verification": {"status": "verified", "strategy": "email_code"}},
            ],
            "external_accounts": [],
        },
    })
}

fn created_with(name: &str, value: Value) -> Value {
    let mut event = created();
    event["data"][name] = value;
    event
}

#[test]
fn s3_48_a_created_user_becomes_a_signup() {
    let signup = signup_of("clerk", &created());
    assert_eq!(signup.email.as_ref().map(|email| email.expose()), Some("jane@acme.io"), "the primary address, not the first");
    assert!(signup.email_verified);
    assert_eq!(
        (signup.issuer.as_str(), signup.name.as_deref(), signup.external_id.as_deref()),
        ("clerk", Some("Jane Doe"), Some("user_1"))
    );
    assert_eq!((signup.sso_identity, signup.arrival), (None, Arrival::Signup));
    assert_eq!(signup.occurred_at, Timestamp::from_millis(1_795_176_000_000));
}

#[test]
fn x_01_the_svix_id_is_the_delivery_dots_and_all() {
    let request = signed("clerk", created().to_string().as_bytes(), Some("msg_1.2.3"), now());
    assert_eq!(signup_in(taken("clerk", request, &Held(Some(vec![current(SECRET)])), now())).delivery, "msg_1.2.3");
}

#[test]
fn without_a_primary_address_the_first_counts() {
    let signup = signup_of("clerk", &created_with("primary_email_address_id", Value::Null));
    assert_eq!(signup.email.map(|email| email.expose().to_owned()).as_deref(), Some("old@acme.io"));
    assert!(!signup.email_verified);
}

#[test]
fn x_20_an_external_account_gives_the_sso_identity_unless_it_is_unverified() {
    let account =
        |status: &str| json!({"id": "idn_9", "provider": "oauth_google", "provider_user_id": "1042", "verification": {"status": status}});
    let identity = |accounts: Value| signup_of("clerk", &created_with("external_accounts", accounts)).sso_identity;
    assert_eq!(identity(json!([account("unverified"), account("verified")])).as_deref(), Some("oauth_google:1042"));
    assert_eq!(identity(json!([{"id": "idn_9", "provider": "oauth_github"}])).as_deref(), Some("oauth_github:idn_9"));
    assert_eq!(identity(json!([account("unverified"), {"provider": "oauth_google"}, 5])), None);
}

#[test]
fn company_and_source_come_from_the_metadata_that_the_sign_up_page_fills() {
    let signup = signup_of("clerk", &created_with("unsafe_metadata", json!({"company_name": "Acme", "signup_source": "demo"})));
    assert_eq!((signup.company_name.as_deref(), signup.arrival), (Some("Acme"), Arrival::DemoRequest));
}

#[test]
fn the_moment_is_the_users_then_the_events_then_ours() {
    let mut event = created_with("created_at", json!("soon"));
    event["timestamp"] = json!(1_795_175_999_123_i64);
    assert_eq!(signup_of("clerk", &event).occurred_at, Timestamp::from_millis(1_795_175_999_123));
    event["timestamp"] = json!(-1);
    assert_eq!(signup_of("clerk", &event).occurred_at, now());
}

#[test]
fn a_user_was_created_neither_after_the_event_came_nor_more_than_30_days_before() {
    let occurred_at = |millis: i64| signup_of("clerk", &created_with("created_at", json!(millis))).occurred_at;
    assert_eq!(occurred_at(now().millis() + 1), now());
    assert_eq!(occurred_at(now().millis() - 1), now().before(Millis(1)));
    assert_eq!(occurred_at(0), now().before(Millis::days(30)));
}

#[test]
fn other_events_are_ignored_and_need_not_be_sent_again() {
    for kind in ["user.updated", "user.deleted", "session.created", ""] {
        let mut event = created();
        event["type"] = json!(kind);
        event["data"] = json!(7);
        assert!(matches!(send("clerk", event.to_string().as_bytes()), Ok(Event::Ignored { .. })), "{kind}");
    }
}

#[test]
fn an_event_without_type_or_data_is_told_what_is_missing() {
    assert_eq!(send("clerk", b"{}"), Err(Problem::MissingField("type")));
    assert_eq!(send("clerk", br#"{"type":"user.created","data":[]}"#), Err(Problem::MissingField("data")));
}

#[test]
fn x_28_a_user_without_any_address_or_account_names_nobody() {
    let refused = send("clerk", created_with("email_addresses", json!([])).to_string().as_bytes()).unwrap_err();
    assert_eq!(refused.id(), "nobody-named");
}
