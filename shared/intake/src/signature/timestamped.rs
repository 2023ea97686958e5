//! The `t=…,v1=…` family: HMAC-SHA256 in hex over `{t}.{body}`, keyed by the secret's own text (WIRE-FORMATS §3.1).

use domain::units::Timestamp;
use hmac::Mac;

use super::{InvalidSecret, Refusal, SIGNATURES_MAX, Secret, SignedHeaders, Verified, any_matches, check_moment};
use crate::request::RawRequest;

/// Takes the secret's text as it is, which is what the sender does.
pub(crate) fn decode_secret(text: &str) -> Result<Secret, InvalidSecret> {
    if text.trim().is_empty() { Err(InvalidSecret::Empty) } else { Secret::new(text.as_bytes().to_vec()) }
}

/// Checks the signature in `header`. This family signs no delivery id.
pub(crate) fn verify<'a>(request: &'a RawRequest, header: &str, secrets: &[Secret], now: Timestamp) -> Result<Verified<'a>, Refusal> {
    let (moment, signatures) = read_header(request.header(header).ok_or(Refusal::Missing)?)?;
    check_moment(moment, now)?;
    any_matches(secrets, &[moment.as_bytes(), b".", &request.body], &signatures)?;
    Ok(Verified { request, delivery: None })
}

/// The header under which the issuer would send `body`.
pub(crate) fn sign(body: &[u8], header: &'static str, secret: &Secret, now: Timestamp) -> SignedHeaders {
    let moment = now.seconds().to_string();
    let signature = secret.mac(&[moment.as_bytes(), b".", body]).finalize().into_bytes();
    vec![(header, format!("t={moment},v1={}", hex::encode(signature)))]
}

/// The signed moment and the `v1` signatures among the header's first entries; entries of other names are passed over.
fn read_header(text: &str) -> Result<(&str, Vec<Vec<u8>>), Refusal> {
    let mut moment = None;
    let mut signatures = Vec::new();
    for entry in text.split(',').take(SIGNATURES_MAX + 1) {
        match entry.trim().split_once('=') {
            // Two moments would leave open which one was signed.
            Some(("t", _)) if moment.is_some() => return Err(Refusal::Malformed),
            Some(("t", value)) => moment = Some(value),
            Some(("v1", value)) => signatures.extend(hex::decode(value)),
            _ => {}
        }
    }
    Ok((moment.ok_or(Refusal::Malformed)?, signatures))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    const HEADER: &str = "x-millrace-signature";
    const SIGNED_AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"email": "jane@acme.io"}"#;

    fn secret() -> Secret {
        decode_secret("a plain text secret").unwrap()
    }

    fn signature() -> String {
        let (_, value) = sign(BODY, HEADER, &secret(), at(SIGNED_AT)).remove(0);
        value.rsplit_once("v1=").unwrap().1.to_owned()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn check(header: &str, body: &[u8], now: i64) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(header.as_bytes()).unwrap());
        let request = RawRequest { headers, body: body.to_vec(), received_at: Timestamp::default() };
        verify(&request, HEADER, &[secret()], at(now)).map(drop)
    }

    #[test]
    fn sig_a_signed_form_is_verified_and_spaces_after_commas_are_no_matter() {
        let signature = signature();
        assert_eq!(signature.len(), 64);
        assert_eq!(check(&format!("t={SIGNED_AT},v1={signature}"), BODY, SIGNED_AT), Ok(()));
        assert_eq!(check(&format!("v0=x, v1={signature}, t={SIGNED_AT}"), BODY, SIGNED_AT), Ok(()));
    }

    #[test]
    fn sig_the_form_is_signed_as_other_languages_sign_it() {
        // Python: hmac.new(b"a plain text secret", b'1614265330.{"email": "jane@acme.io"}', hashlib.sha256).hexdigest()
        assert_eq!(signature(), "75c61ad4b3eee9c9de74d083065ac68c738f3ac095ec15a5b68e390eb9ff243f");
    }

    #[test]
    fn sig_one_of_several_v1_is_enough() {
        let (good, bad) = (signature(), "00".repeat(32));
        assert_eq!(check(&format!("t={SIGNED_AT},v1={bad},v1={good}"), BODY, SIGNED_AT), Ok(()));
        assert_eq!(check(&format!("t={SIGNED_AT},v1={bad},v2={good}"), BODY, SIGNED_AT), Err(Refusal::NoMatch));
    }

    #[test]
    fn sig_the_seventeenth_v1_is_not_looked_at() {
        let list = |bad: usize| format!("t={SIGNED_AT}{},v1={}", ",v1=00".repeat(bad), signature());
        assert_eq!(check(&list(15), BODY, SIGNED_AT), Ok(()));
        assert_eq!(check(&list(16), BODY, SIGNED_AT), Err(Refusal::NoMatch));
    }

    #[test]
    fn sig_a_prefix_an_empty_and_a_longer_v1_are_refused() {
        let good = signature();
        for wrong in [String::new(), good[..8].to_owned(), format!("{good}00"), good.replace(|_: char| true, "z")] {
            assert_eq!(check(&format!("t={SIGNED_AT},v1={wrong}"), BODY, SIGNED_AT), Err(Refusal::NoMatch), "{wrong}");
        }
    }

    #[test]
    fn sig_another_body_or_moment_is_refused() {
        let good = signature();
        assert_eq!(check(&format!("t={SIGNED_AT},v1={good}"), br#"{"email":"jane@acme.io"}"#, SIGNED_AT), Err(Refusal::NoMatch));
        assert_eq!(check(&format!("t={},v1={good}", SIGNED_AT + 1), BODY, SIGNED_AT), Err(Refusal::NoMatch));
    }

    #[test]
    fn sig_a_missing_doubled_or_malformed_moment_is_refused() {
        let good = signature();
        let headers =
            [format!("v1={good}"), format!("t={SIGNED_AT},t={SIGNED_AT},v1={good}"), format!("t=-5,v1={good}"), format!("t=,v1={good}")];
        for header in headers.iter().map(String::as_str).chain(["", "hello", "t=x"]) {
            assert_eq!(check(header, BODY, SIGNED_AT), Err(Refusal::Malformed), "{header}");
        }
        assert_eq!(check(&format!("t={SIGNED_AT}000,v1={good}"), BODY, SIGNED_AT), Err(Refusal::Stale), "milliseconds");
        assert_eq!(check("t=5,v1=ü", BODY, SIGNED_AT), Err(Refusal::Missing), "not ASCII");
    }

    #[test]
    fn sig_299_seconds_are_tolerated_and_301_are_not() {
        let header = format!("t={SIGNED_AT},v1={}", signature());
        for (skew, expected) in [(299, Ok(())), (-299, Ok(())), (301, Err(Refusal::Stale)), (-301, Err(Refusal::Stale))] {
            assert_eq!(check(&header, BODY, SIGNED_AT + skew), expected, "{skew}");
        }
    }

    #[test]
    fn sig_an_empty_secret_is_refused_at_load() {
        assert_eq!(decode_secret("").err(), Some(InvalidSecret::Empty));
        assert_eq!(decode_secret(" \n").err(), Some(InvalidSecret::Empty));
    }
}
