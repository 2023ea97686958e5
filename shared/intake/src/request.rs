//! A request as it came over the wire, and the limits that hold before anything in it is read.

use std::fmt;

use domain::units::Timestamp;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::problem::Problem;

/// The longest body that is read, in bytes (256 KB). A longer one is refused before its JSON is looked at.
pub const BODY_MAX_BYTES: usize = 256 * 1024;

/// A request nobody has vouched for yet. `Debug` shows sizes only.
#[derive(Clone)]
pub struct RawRequest {
    /// The headers; names compare without regard to case.
    pub headers: HeaderMap,
    /// The body's bytes as the issuer signed them, base64 of the transport already taken off.
    pub body: Vec<u8>,
    /// When it reached us; stands in where the issuer does not say when the signup happened, or says what cannot be.
    pub received_at: Timestamp,
}

impl RawRequest {
    /// Checks size, then media type.
    pub(crate) fn check_limits(&self) -> Result<(), Problem> {
        if self.body.len() > BODY_MAX_BYTES {
            return Err(Problem::BodyTooLarge);
        }
        if !self.is_json() {
            return Err(Problem::UnsupportedContentType);
        }
        Ok(())
    }

    /// A header's text; `None` when it is absent or not plain ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn is_json(&self) -> bool {
        let Some(value) = self.header(CONTENT_TYPE.as_str()) else { return false };
        let media_type = value.split_once(';').map_or(value, |(media_type, _)| media_type);
        media_type.trim().eq_ignore_ascii_case("application/json")
    }
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (headers, body_bytes) = (self.headers.len(), self.body.len());
        f.debug_struct("RawRequest").field("headers", &headers).field("body_bytes", &body_bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with_content_type(value: &str, body: Vec<u8>) -> RawRequest {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
        RawRequest { headers, body, received_at: Timestamp::default() }
    }

    #[test]
    fn json_is_accepted_with_parameters_and_in_any_case() {
        for value in ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"] {
            assert_eq!(with_content_type(value, Vec::new()).check_limits(), Ok(()), "{value}");
        }
        for value in ["text/plain", "application/x-www-form-urlencoded", "application/jwt", "application/jsonp", ""] {
            assert_eq!(with_content_type(value, Vec::new()).check_limits(), Err(Problem::UnsupportedContentType), "{value}");
        }
    }

    #[test]
    fn a_body_of_256_kb_is_read_and_one_byte_more_is_not() {
        assert_eq!(with_content_type("application/json", vec![b' '; BODY_MAX_BYTES]).check_limits(), Ok(()));
        assert_eq!(with_content_type("application/json", vec![b' '; BODY_MAX_BYTES + 1]).check_limits(), Err(Problem::BodyTooLarge));
    }

    #[test]
    fn debug_shows_neither_headers_nor_body() {
        let text = format!("{:?}", with_content_type("application/canary", b"canary".to_vec()));
        assert!(!text.contains("canary"), "{text}");
    }
}
