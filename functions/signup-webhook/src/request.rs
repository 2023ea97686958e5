//! An API Gateway request becomes one of the two calls there are.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::signup::RunId;
use domain::units::{Millis, Timestamp};
use http::{HeaderMap, Method};
use intake::RawRequest;

/// The longest time somebody may wait; API Gateway itself gives up after 30 s.
const WAIT_MAX_SECONDS: i64 = 10;

/// What a request asks for.
pub(crate) enum Call {
    /// `POST /webhook/{issuer}`
    Accept {
        /// Who sent it.
        issuer: String,
        /// The request as it was signed.
        raw: RawRequest,
        /// How long the sender waits for the decision (RFC 7240).
        wait: Option<Millis>,
    },
    /// `GET /webhook/runs/{run}`
    Look {
        /// The run.
        run: RunId,
    },
}

/// A request that is none of the calls.
pub(crate) enum Refusal {
    /// No such page.
    NotFound,
    /// The page exists for another method.
    MethodNotAllowed,
    /// The body is marked as base64 and is not.
    NotBase64,
}

pub(crate) fn read(request: ApiGatewayV2httpRequest, now: Timestamp) -> Result<Call, Refusal> {
    let path = request.raw_path.clone().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let method = &request.request_context.http.method;
    match segments.as_slice() {
        ["webhook", "runs", id] if *method == Method::GET => RunId::parse(id).map(|run| Call::Look { run }).map_err(|_| Refusal::NotFound),
        ["webhook", issuer] if *method == Method::POST => {
            let wait = wait_of(&request.headers);
            let body = body_of(request.body, request.is_base64_encoded)?;
            Ok(Call::Accept { issuer: (*issuer).to_owned(), raw: RawRequest { headers: request.headers, body, received_at: now }, wait })
        }
        ["webhook", _] | ["webhook", "runs", _] => Err(Refusal::MethodNotAllowed),
        _ => Err(Refusal::NotFound),
    }
}

fn body_of(body: Option<String>, is_base64: bool) -> Result<Vec<u8>, Refusal> {
    let text = body.unwrap_or_default();
    if is_base64 { STANDARD.decode(text).map_err(|_| Refusal::NotBase64) } else { Ok(text.into_bytes()) }
}

/// The `wait` preference in seconds; what cannot be read is no preference (RFC 7240 §2).
fn wait_of(headers: &HeaderMap) -> Option<Millis> {
    let values = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let preferences = values.flat_map(|value| value.split([',', ';']));
    let seconds =
        preferences.filter_map(|preference| preference.trim().strip_prefix("wait=")).find_map(|value| value.trim().parse::<i64>().ok())?;
    (seconds > 0).then(|| Millis::seconds(seconds.min(WAIT_MAX_SECONDS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_from_the_prefer_header_and_has_a_ceiling() {
        for (value, wait) in [
            ("wait=2", Some(2)),
            ("respond-async, wait=5", Some(5)),
            ("wait=600", Some(10)),
            ("wait=0", None),
            ("wait=-1", None),
            ("wait=soon", None),
            ("return=minimal", None),
        ] {
            let headers = HeaderMap::from_iter([(http::header::HeaderName::from_static("prefer"), value.parse().unwrap())]);
            assert_eq!(wait_of(&headers), wait.map(Millis::seconds), "{value}");
        }
    }

    #[test]
    fn a_base64_body_is_decoded_before_anything_is_verified() {
        assert!(matches!(body_of(Some("e30=".into()), true), Ok(body) if body == b"{}"));
        assert!(body_of(Some("*".into()), true).is_err());
    }
}
