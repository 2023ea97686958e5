//! Standard Webhooks, which Svix sends under its own header names: Clerk, Stytch and many others (WIRE-FORMATS §3.1).
//!
//! Signed is `{id}.{timestamp}.{body}` with HMAC-SHA256; the header holds a list of `v1,<base64>` separated by spaces.
//! An id may hold dots, so `a.1` + `2` and `a` + `1.2` sign alike; a moved dot still yields nothing, because a timestamp is
//! digits only and what then stands before the body is no JSON object.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use domain::units::Timestamp;
use hmac::Mac;

use super::{DELIVERY_MAX_BYTES, InvalidSecret, Refusal, SIGNATURES_MAX, Secret, SignedHeaders, Verified, any_matches, check_moment};
use crate::request::RawRequest;

/// Id, timestamp and signature, by Svix's names and by the standard's. The first complete set counts.
const HEADER_NAMES: [[&str; 3]; 2] =
    [["svix-id", "svix-timestamp", "svix-signature"], ["webhook-id", "webhook-timestamp", "webhook-signature"]];

/// Dashboards hand out secrets cut at any length, so neither padding nor the last bits are insisted on.
const SECRET_BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Reads `whsec_<base64>`; the prefix and the padding may be missing.
pub(crate) fn decode_secret(text: &str) -> Result<Secret, InvalidSecret> {
    let text = text.trim();
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    Secret::new(SECRET_BASE64.decode(encoded).map_err(|_| InvalidSecret::NotBase64)?)
}

/// Checks the signature; what comes back carries the signed delivery id.
pub(crate) fn verify<'a>(request: &'a RawRequest, secrets: &[Secret], now: Timestamp) -> Result<Verified<'a>, Refusal> {
    let [id, timestamp, signature] = HEADER_NAMES.iter().find_map(|names| headers(request, names)).ok_or(Refusal::Missing)?;
    if id.is_empty() || id.len() > DELIVERY_MAX_BYTES {
        return Err(Refusal::Malformed);
    }
    check_moment(timestamp, now)?;
    any_matches(secrets, &signed(id, timestamp, &request.body), &signatures(signature))?;
    Ok(Verified { request, delivery: Some(id) })
}

/// The headers under which the issuer would send `body`, by Svix's names.
pub(crate) fn sign(body: &[u8], secret: &Secret, delivery: &str, now: Timestamp) -> SignedHeaders {
    let timestamp = now.seconds().to_string();
    let signature = secret.mac(&signed(delivery, &timestamp, body)).finalize().into_bytes();
    let [id_name, timestamp_name, signature_name] = HEADER_NAMES[0];
    let signature = format!("v1,{}", STANDARD.encode(signature));
    vec![(id_name, delivery.to_owned()), (timestamp_name, timestamp), (signature_name, signature)]
}

fn headers<'a>(request: &'a RawRequest, names: &[&str; 3]) -> Option<[&'a str; 3]> {
    Some([request.header(names[0])?, request.header(names[1])?, request.header(names[2])?])
}

fn signed<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

/// The `v1` signatures among the first sixteen entries; `v1a` (ed25519) and whatever comes later is passed over.
fn signatures(header: &str) -> Vec<Vec<u8>> {
    let entries = header.split(' ').take(SIGNATURES_MAX);
    entries.filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1,")?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    // The standard's own vector (WIRE-FORMATS §3.3, row 1).
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SIGNED_AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn request(headers: &[(&str, &str)], body: &[u8]) -> RawRequest {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        RawRequest { headers: map, body: body.to_vec(), received_at: Timestamp::default() }
    }

    fn vector(id: &str, timestamp: &str, signature: &str, body: &[u8]) -> RawRequest {
        request(&[("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)], body)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn check(request: &RawRequest, now: i64) -> Result<(), Refusal> {
        verify(request, &[decode_secret(SECRET).unwrap()], at(now)).map(drop)
    }

    fn check_signature(signature: &str) -> Result<(), Refusal> {
        check(&vector(ID, &SIGNED_AT.to_string(), signature, BODY), SIGNED_AT)
    }

    #[test]
    fn sig_the_official_vector_is_signed_and_verified() {
        let headers = sign(BODY, &decode_secret(SECRET).unwrap(), ID, at(SIGNED_AT));
        assert_eq!(headers[2], ("svix-signature", SIGNATURE.to_owned()));
        assert_eq!(check_signature(SIGNATURE), Ok(()));
    }

    #[test]
    fn sig_both_header_names_are_accepted_and_svix_counts_first() {
        let timestamp = SIGNED_AT.to_string();
        let svix = [("svix-id", ID), ("svix-timestamp", timestamp.as_str()), ("svix-signature", SIGNATURE)];
        assert_eq!(check(&request(&svix, BODY), SIGNED_AT), Ok(()));
        let standard = [("webhook-id", "other"), ("webhook-timestamp", timestamp.as_str()), ("webhook-signature", "v1,bad")];
        let both = request(&[svix.as_slice(), &standard].concat(), BODY);
        assert_eq!(verify(&both, &[decode_secret(SECRET).unwrap()], at(SIGNED_AT)).map(|verified| verified.delivery()), Ok(Some(ID)));
        let svix_wrong = [("svix-id", "other"), svix[1], svix[2], ("webhook-id", ID), standard[1], ("webhook-signature", SIGNATURE)];
        assert_eq!(check(&request(&svix_wrong, BODY), SIGNED_AT), Err(Refusal::NoMatch));
    }

    #[test]
    fn sig_a_wrong_secret_is_refused() {
        let other = decode_secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let request = vector(ID, &SIGNED_AT.to_string(), SIGNATURE, BODY);
        assert_eq!(verify(&request, &[other], at(SIGNED_AT)).map(drop), Err(Refusal::NoMatch));
        assert_eq!(verify(&request, &[], at(SIGNED_AT)).map(drop), Err(Refusal::NoMatch));
    }

    #[test]
    fn sig_one_space_changed_or_reserialised_json_is_refused() {
        for body in [br#"{"test":2432232314}"#.as_slice(), br#"{"test":  2432232314}"#, b""] {
            assert_eq!(check(&vector(ID, &SIGNED_AT.to_string(), SIGNATURE, body), SIGNED_AT), Err(Refusal::NoMatch));
        }
    }

    #[test]
    fn sig_a_prefix_an_empty_a_longer_and_an_altered_signature_are_refused() {
        let longer = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OEA";
        let altered = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=";
        for signature in
            ["", "v1,", "v1", "v1,g0hM9SsE", longer, altered, &SIGNATURE[3..], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE"]
        {
            assert_eq!(check_signature(signature), Err(Refusal::NoMatch), "{signature}");
        }
    }

    #[test]
    fn sig_each_missing_header_is_refused() {
        let timestamp = SIGNED_AT.to_string();
        let all = [("webhook-id", ID), ("webhook-timestamp", timestamp.as_str()), ("webhook-signature", SIGNATURE)];
        for left_out in 0..3 {
            let rest: Vec<_> = all.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, header)| *header).collect();
            assert_eq!(check(&request(&rest, BODY), SIGNED_AT), Err(Refusal::Missing));
        }
    }

    #[test]
    fn sig_a_header_that_is_not_ascii_is_refused() {
        assert_eq!(check_signature("v1,gÖhM"), Err(Refusal::Missing));
        assert_eq!(check(&vector("msg_é", &SIGNED_AT.to_string(), SIGNATURE, BODY), SIGNED_AT), Err(Refusal::Missing));
    }

    #[test]
    fn sig_a_timestamp_that_is_not_digits_is_refused() {
        for timestamp in ["hello", "", "-1614265330", "+1614265330", "1614265330.5", " 1614265330", "1e9", "99999999999999999999999"] {
            assert_eq!(check(&vector(ID, timestamp, SIGNATURE, BODY), SIGNED_AT), Err(Refusal::Malformed), "{timestamp}");
        }
    }

    #[test]
    fn sig_milliseconds_where_seconds_are_due_and_huge_timestamps_are_refused() {
        for timestamp in ["1614265330000", "9223372036854775807", "0"] {
            assert_eq!(check(&vector(ID, timestamp, SIGNATURE, BODY), SIGNED_AT), Err(Refusal::Stale), "{timestamp}");
        }
    }

    #[test]
    fn sig_299_seconds_are_tolerated_and_301_are_not_in_both_directions() {
        let request = vector(ID, &SIGNED_AT.to_string(), SIGNATURE, BODY);
        for (skew, expected) in [(299, Ok(())), (-299, Ok(())), (301, Err(Refusal::Stale)), (-301, Err(Refusal::Stale))] {
            assert_eq!(check(&request, SIGNED_AT + skew), expected, "{skew}");
        }
    }

    #[test]
    fn sig_a_timestamp_other_than_the_signed_one_is_refused() {
        assert_eq!(check(&vector(ID, "1614265331", SIGNATURE, BODY), SIGNED_AT), Err(Refusal::NoMatch));
        assert_eq!(check(&vector(ID, "01614265330", SIGNATURE, BODY), SIGNED_AT), Err(Refusal::NoMatch), "text is signed, not number");
    }

    #[test]
    fn sig_one_valid_signature_of_several_is_enough_and_unknown_versions_are_ignored() {
        let bad = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        assert_eq!(check_signature(&format!("{bad} v2,{} {bad} {SIGNATURE} {bad}", &SIGNATURE[3..])), Ok(()));
        assert_eq!(check_signature(&format!("{bad} {bad}")), Err(Refusal::NoMatch));
        for version in ["v1a", "v2", "V1"] {
            assert_eq!(check_signature(&format!("{version},{}", &SIGNATURE[3..])), Err(Refusal::NoMatch), "{version}");
        }
    }

    #[test]
    fn sig_the_seventeenth_signature_is_not_looked_at() {
        let list = |bad: usize| format!("{}{SIGNATURE}", "v1,AAAA ".repeat(bad));
        assert_eq!(check_signature(&list(15)), Ok(()));
        assert_eq!(check_signature(&list(16)), Err(Refusal::NoMatch));
    }

    #[test]
    fn sig_an_empty_secret_is_refused_at_load() {
        for text in ["", "whsec_", "  ", "whsec_ "] {
            assert_eq!(decode_secret(text).err(), Some(InvalidSecret::Empty), "{text:?}");
        }
        for text in ["whsec_no base64", "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_whsec_AAAA"] {
            assert_eq!(decode_secret(text).err(), Some(InvalidSecret::NotBase64), "{text:?}");
        }
    }

    #[test]
    fn sig_a_secret_is_read_with_and_without_its_prefix() {
        let request = vector(ID, &SIGNED_AT.to_string(), SIGNATURE, BODY);
        let bare = decode_secret(&SECRET[6..]).unwrap();
        assert_eq!(verify(&request, &[bare], at(SIGNED_AT)).map(drop), Ok(()));
    }

    #[test]
    fn sig_a_secret_without_its_padding_is_accepted() {
        for (unpadded, padded) in [("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "="), ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", "==")] {
            let [short, full] = [unpadded.to_owned(), format!("{unpadded}{padded}")].map(|text| decode_secret(&text).unwrap());
            assert_eq!(sign(BODY, &short, ID, at(SIGNED_AT)), sign(BODY, &full, ID, at(SIGNED_AT)));
        }
    }

    #[test]
    fn sig_an_id_may_hold_dots_and_is_bounded() {
        let secret = decode_secret(SECRET).unwrap();
        for (id, expected) in [("msg.1.2", Ok(())), ("", Err(Refusal::Malformed)), (&"x".repeat(257), Err(Refusal::Malformed))] {
            let headers = sign(BODY, &secret, id, at(SIGNED_AT));
            let named: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(check(&request(&named, BODY), SIGNED_AT), expected, "{id}");
        }
    }
}
