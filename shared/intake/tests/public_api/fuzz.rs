//! Whatever is sent, the answer is an event or a problem.

use domain::units::{Millis, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use intake::{Event, RawRequest, sample::Sample};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::{Held, SECRET, current, now, send, taken};

const ISSUERS: [&str; 2] = ["signup", "clerk"];

/// JSON with the names the parsers look for, and anything as their values.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(&["user.created", "jane@acme.io", "idn_1", "2026-04-18T12:34:56Z", "verified", "linkedin.com/in/x", "acme.io"][..])
            .prop_map(Value::from),
    ];
    let names = select(
        &[
            "email",
            "timestamp",
            "name",
            "company_name",
            "domain",
            "social_url",
            "linkedin_url",
            "signup_source",
            "type",
            "data",
            "id",
            "primary_email_address_id",
            "email_addresses",
            "email_address",
            "verification",
            "status",
            "external_accounts",
            "provider",
            "created_at",
            "unsafe_metadata",
            "x",
        ][..],
    );
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(names.clone().prop_map(str::to_owned), inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_signed_bytes_make_an_issuer_panic(body in vec(any::<u8>(), 0..512), issuer in select(&ISSUERS[..])) {
        let _ = send(issuer, &body);
    }

    #[test]
    fn no_signed_json_makes_an_issuer_panic_and_a_signup_always_names_somebody(fields in json(), issuer in select(&ISSUERS[..])) {
        let mut body = fields;
        if issuer == "clerk" {
            body = serde_json::json!({"type": "user.created", "data": body});
        }
        if let Ok(Event::Signup(signup)) = send(issuer, body.to_string().as_bytes()) {
            prop_assert_eq!(signup.check(), Ok(()));
            prop_assert!(!signup.delivery.is_empty());
            prop_assert_eq!(signup.issuer.as_str(), issuer);
            prop_assert!(signup.occurred_at <= now() && signup.occurred_at >= now().before(Millis::days(30)));
        }
    }

    #[test]
    fn no_headers_make_a_verifier_panic_or_accept(
        values in vec(vec(any::<u8>().prop_filter("header byte", |byte| *byte >= 32 && *byte != 127), 0..80), 4),
        issuer in select(&ISSUERS[..]),
        millis in any::<i64>(),
    ) {
        let names = ["svix-id", "svix-timestamp", "svix-signature", "x-millrace-signature"];
        let mut headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        for (name, value) in names.into_iter().zip(&values) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        let request = RawRequest { headers, body: b"{}".to_vec(), received_at: now() };
        let refused = taken(issuer, request, &Held(Some(vec![current(SECRET)])), Timestamp::from_millis(millis)).unwrap_err();
        prop_assert_eq!(refused.id(), "signature-refused");
    }

    #[test]
    fn no_text_makes_the_sample_reader_panic(text in any::<String>(), body in json()) {
        let _ = Sample::parse(&text);
        let file = serde_json::json!({"issuer": "signup", "note": "", "body": body}).to_string();
        if let Ok(sample) = Sample::parse(&file) {
            let _ = sample.render(now());
        }
    }
}
