//! Consent certificates: the URL that a lead brings, reduced to the id in it.

/// A longer id is none (WIRE-FORMATS 1.13).
const ID_MAX_BYTES: usize = 255;
/// Where certificates are. A lead that names another place names no certificate, and nobody calls what a lead names.
const PLACE: &str = "https://cert.trustedform.com/";

/// The id in the URL of a certificate, `https://cert.trustedform.com/<id>` and nothing after it.
#[must_use]
pub fn certificate_in(url: &str) -> Option<&str> {
    url.trim().strip_prefix(PLACE).filter(|id| is_certificate_id(id))
}

/// Whether a text can be the id of a certificate: letters, digits, `.`, `-` and `_`, the first a letter or a digit.
#[must_use]
pub fn is_certificate_id(text: &str) -> bool {
    text.len() <= ID_MAX_BYTES
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_14_only_the_certificates_own_place_gives_an_id() {
        assert_eq!(certificate_in(" https://cert.trustedform.com/2605ec3a321e "), Some("2605ec3a321e"));
        assert_eq!(certificate_in(&format!("{PLACE}{}", "a".repeat(255))).map(str::len), Some(255));
        for wrong in [
            "2605ec3a321e",
            "http://cert.trustedform.com/2605ec3a321e",
            "https://cert.trustedform.com.evil.example/2605ec3a321e",
            "https://user@cert.trustedform.com/2605ec3a321e",
            "https://cert.trustedform.com/",
            "https://cert.trustedform.com/..",
            "https://cert.trustedform.com/a/b",
            "https://cert.trustedform.com/a?b",
            "https://cert.trustedform.com/a%2fb",
            "https://cert.trustedform.com:8443/a",
        ] {
            assert_eq!(certificate_in(wrong), None, "{wrong}");
        }
        assert_eq!(certificate_in(&format!("{PLACE}{}", "a".repeat(256))), None);
    }
}
