//! RELIABILITY Limits: what a body may do to us.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use intake::{BODY_MAX_BYTES, Problem};
use serde_json::json;

use crate::{Held, now, send, signed, signup_in, taken};

/// A valid form with `rest` as its last field, raw.
fn form(rest: &str) -> Vec<u8> {
    format!(r#"{{"email":"jane@acme.io","timestamp":"2026-04-18T12:34:56Z",{rest}}}"#).into_bytes()
}

fn problem(body: &[u8]) -> (&'static str, u16) {
    let refused = send("signup", body).unwrap_err();
    (refused.id(), refused.status().as_u16())
}

#[test]
fn a_body_over_256_kb_is_413_before_secrets_signature_and_json() {
    let mut request = signed("signup", b"{}", None, now());
    request.body = vec![b'['; BODY_MAX_BYTES + 1];
    let refused = taken("signup", request, &Held(None), now()).unwrap_err();
    assert_eq!((refused.status().as_u16(), refused), (413, Problem::BodyTooLarge));
}

#[test]
fn a_wrong_or_missing_content_type_is_415() {
    let mut request = signed("signup", b"{}", None, now());
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    let refused = taken("signup", request.clone(), &Held(None), now()).unwrap_err();
    assert_eq!((refused.status().as_u16(), refused), (415, Problem::UnsupportedContentType));
    request.headers.remove(CONTENT_TYPE);
    assert_eq!(taken("signup", request, &Held(None), now()), Err(Problem::UnsupportedContentType));
}

#[test]
fn an_unknown_issuer_is_404() {
    let refused = taken("nobody", signed("signup", b"{}", None, now()), &Held(None), now()).unwrap_err();
    assert_eq!((refused.status().as_u16(), refused), (404, Problem::UnknownIssuer));
}

#[test]
fn what_is_not_one_json_object_is_400() {
    let bodies: [&[u8]; 12] =
        [b"", b" ", b"{", b"[]", b"null", b"5", b"\"x\"", b"{}{}", b"{'a':1}", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{\"a\":\"\xc3\x28\"}"];
    for body in bodies {
        assert_eq!(problem(body), ("malformed-json", 400), "{body:?}");
    }
}

#[test]
fn json_nested_128_deep_is_400_by_serde_jsons_own_limit_and_126_more_than_the_object_is_not() {
    let nested = |depth: usize| form(&format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth)));
    assert!(send("signup", &nested(126)).is_ok());
    assert_eq!(problem(&nested(127)), ("malformed-json", 400));
    assert_eq!(problem(&form(&format!(r#""x":{}"#, "[".repeat(200_000)))), ("malformed-json", 400));
}

#[test]
fn of_a_key_given_twice_the_last_counts() {
    let signup = signup_in(send("signup", &form(r#""email":"joan@acme.io""#)));
    assert_eq!(signup.email.map(|email| email.expose().to_owned()).as_deref(), Some("joan@acme.io"));
}

#[test]
fn lone_surrogates_are_400_even_in_fields_that_nobody_reads() {
    for rest in [r#""x":"\ud800""#, r#""x":["\udc00"]"#, r#""x":"\ud800A""#, r#""\ud800":1"#] {
        assert_eq!(problem(&form(rest)), ("malformed-json", 400), "{rest}");
    }
}

#[test]
fn nul_and_other_control_characters_are_dropped_from_text() {
    let signup = signup_in(send("signup", &form(r#""company_name":"Ac\u0000me\u001b","plan":"a\u0000b","\u0000k":"v""#)));
    assert_eq!(signup.company_name.as_deref(), Some("Acme"));
    assert_eq!(json!(signup.custom), json!({"plan": "ab", "k": "v"}));
    assert_eq!(problem(&form("\"x\":\"raw\u{0}\"")), ("malformed-json", 400), "unescaped, JSON itself refuses it");
}

#[test]
fn long_strings_are_cut_at_512_characters_and_a_megabyte_is_413() {
    let long = |chars: usize| form(&format!(r#""company_name":"{0}","note":"{0}""#, "x".repeat(chars)));
    let signup = signup_in(send("signup", &long(100_000)));
    assert_eq!(signup.company_name.map(|name| name.len()), Some(512));
    assert_eq!(signup.custom["note"], json!("x".repeat(512)));
    assert_eq!(problem(&long(1_000_000)), ("body-too-large", 413));
}

#[test]
fn huge_arrays_are_passed_over_and_a_million_elements_are_413() {
    let array = |elements: usize| form(&format!(r#""x":[1{}]"#, ",1".repeat(elements - 1)));
    assert!(signup_in(send("signup", &array(100_000))).custom.is_empty());
    assert_eq!(problem(&array(1_000_000)), ("body-too-large", 413));
}

#[test]
fn a_number_beyond_all_numbers_is_400() {
    assert_eq!(problem(&form(r#""seats":1e400"#)), ("malformed-json", 400));
    assert_eq!(signup_in(send("signup", &form(r#""seats":1e-400"#))).custom["seats"], json!(0.0));
}

#[test]
fn custom_values_are_bounded_in_number_and_name() {
    let many: Vec<String> = (0..500).map(|n| format!(r#""k{n:03}":{n}"#)).collect();
    let custom = signup_in(send("signup", &form(&many.join(",")))).custom;
    assert_eq!((custom.len(), custom.contains_key("k063"), custom.contains_key("k064")), (64, true, false));
    assert!(signup_in(send("signup", &form(&format!(r#""{}":1"#, "k".repeat(65))))).custom.is_empty());
}

#[test]
fn serde_jsons_private_raw_value_key_is_a_name_like_any_other() {
    for rest in [r#""$serde_json::private::RawValue":"{\"email\":1}""#, r#""x":{"$serde_json::private::RawValue":"[[["}"#] {
        let told = send("signup", &form(rest)).map_err(|problem| problem.id());
        assert!(matches!(told, Ok(_) | Err("malformed-json")), "{told:?}");
    }
}
