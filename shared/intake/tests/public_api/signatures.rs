//! RELIABILITY SIG where it takes the whole way in to show; the families have their own tests beside them.

use domain::units::Millis;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use intake::{InvalidSecret, Problem, Refusal, SignError, WebhookSecret, check_secret};
use serde_json::json;

use crate::{Held, SECRET, current, now, signed, taken};

fn form_body() -> Vec<u8> {
    json!({"email": "jane@acme.io", "timestamp": "2026-04-18T12:34:56Z"}).to_string().into_bytes()
}

#[test]
fn sig_verified_before_parsed() {
    let mut request = signed("signup", b"this is no JSON", None, now());
    assert_eq!(taken("signup", request.clone(), &Held(Some(vec![current(SECRET)])), now()).unwrap_err().id(), "malformed-json");
    request.body.push(b' ');
    let refused = taken("signup", request, &Held(Some(vec![current(SECRET)])), now());
    assert_eq!(refused, Err(Problem::SignatureRefused(Refusal::NoMatch)), "what nobody signed is not even read");
}

#[test]
fn sig_an_unsigned_request_is_401_for_every_issuer() {
    for issuer in ["signup", "clerk"] {
        let mut request = signed(issuer, &form_body(), None, now());
        request.headers =
            request.headers.into_iter().filter_map(|(name, value)| Some((name.filter(|name| name == CONTENT_TYPE)?, value))).collect();
        let refused = taken(issuer, request, &Held(Some(vec![current(SECRET)])), now()).unwrap_err();
        assert_eq!((refused.status().as_u16(), refused), (401, Problem::SignatureRefused(Refusal::Missing)));
    }
}

#[test]
fn sig_two_secrets_are_active_and_the_old_one_until_its_end() {
    let end = now().after(Millis::minutes(1));
    let old = WebhookSecret { value: SECRET.into(), until: Some(end) };
    let keys = Held(Some(vec![current("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), old]));
    for issuer in ["signup", "clerk"] {
        let request = signed(issuer, &form_body(), None, now());
        let at = |moment| taken(issuer, request.clone(), &keys, moment).err();
        assert_ne!(at(end.before(Millis(1))), Some(Problem::SignatureRefused(Refusal::NoMatch)), "{issuer}");
        assert_eq!(at(end), Some(Problem::SignatureRefused(Refusal::NoMatch)), "{issuer}");
    }
}

#[test]
fn sig_an_empty_secret_never_signs_and_is_refused_at_load() {
    for (issuer, secret, why) in
        [("signup", "", InvalidSecret::Empty), ("clerk", "whsec_", InvalidSecret::Empty), ("clerk", "whsec_?", InvalidSecret::NotBase64)]
    {
        assert_eq!(check_secret(issuer, &secret.into()), Err(SignError::InvalidSecret(why)));
        let request = signed(issuer, &form_body(), None, now());
        assert_eq!(taken(issuer, request, &Held(Some(vec![current(secret)])), now()), Err(Problem::SecretsUnavailable));
    }
}

#[test]
fn a_typing_error_in_one_secret_does_not_turn_away_what_the_other_signs() {
    let request = signed("clerk", br#"{"type":"user.updated"}"#, None, now());
    assert!(taken("clerk", request, &Held(Some(vec![current("whsec_?"), current(SECRET)])), now()).is_ok());
}

#[test]
fn without_secrets_the_sender_is_asked_to_come_back() {
    let ended = WebhookSecret { value: SECRET.into(), until: Some(now()) };
    for keys in [Held(None), Held(Some(Vec::new())), Held(Some(vec![ended]))] {
        let refused = taken("signup", signed("signup", &form_body(), None, now()), &keys, now()).unwrap_err();
        assert_eq!((refused.id(), refused.status().as_u16()), ("secrets-unavailable", 503));
    }
}

#[test]
fn sig_a_dot_inside_an_id_shifts_nothing() {
    let body = br#"{"type":"user.updated"}"#;
    let seconds = now().seconds().to_string();
    let mut request = signed("clerk", body, Some(&format!("msg_1.{seconds}")), now());
    // The same signed bytes, with the id's last part read as the timestamp: what is left as body is no JSON object.
    request.headers.insert(HeaderName::from_static("svix-id"), HeaderValue::from_static("msg_1"));
    request.body = [seconds.as_bytes(), b".", body].concat();
    assert_eq!(taken("clerk", request, &Held(Some(vec![current(SECRET)])), now()).unwrap_err().id(), "malformed-json");
}

#[test]
fn sig_another_issuers_signature_does_not_count() {
    let request = signed("clerk", &form_body(), None, now());
    assert_eq!(taken("signup", request, &Held(Some(vec![current(SECRET)])), now()), Err(Problem::SignatureRefused(Refusal::Missing)));
}

#[test]
fn nothing_that_is_shown_or_logged_holds_a_secret() {
    assert!(!format!("{:?}", current(SECRET)).contains("MfKQ"));
}
