//! Why a request was not taken: the model's error, and its only translation into HTTP (RFC 9457).

use domain::identity::InvalidAddress;
use domain::signup::NobodyNamed;
use http::StatusCode;

use crate::signature::Refusal;

/// Why a request was not taken. Neither its text nor its JSON holds anything of the body.
///
/// `Display` is for our logs and says more than [`Problem::to_json`], which is for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The path names an issuer that does not exist.
    #[error("no issuer of this name; the path is /webhook/<issuer>, such as /webhook/signup")]
    UnknownIssuer,
    /// More than [`crate::BODY_MAX_BYTES`].
    #[error("the body has more than 262144 bytes")]
    BodyTooLarge,
    /// Anything but JSON.
    #[error("send the body as application/json")]
    UnsupportedContentType,
    /// The secrets cannot be read, or none of them is usable; the sender should come back.
    #[error("the webhook secrets of this issuer are not available; check that one is set and can be read")]
    SecretsUnavailable,
    /// The signature does not hold. The reason is for our logs, never for the sender.
    #[error("the signature was refused: {0}")]
    SignatureRefused(Refusal),
    /// The body is not a JSON object. The position is the parser's, in lines from 1 and bytes.
    #[error("the body must be one JSON object in UTF-8, nested less than 128 deep; reading stopped at line {line}, column {column}")]
    MalformedJson {
        /// The line on which reading stopped.
        line: usize,
        /// The column at which reading stopped, in bytes.
        column: usize,
    },
    /// The `Idempotency-Key` header cannot be used.
    #[error("Idempotency-Key must be 1 to 255 printable ASCII characters")]
    InvalidIdempotencyKey,
    /// A field without which the event says nothing.
    #[error("`{0}` is missing; send it as a non-empty value of its documented type")]
    MissingField(&'static str),
    /// A field that is not a moment in time.
    #[error("`{0}` is not a moment; write RFC 3339, such as 2026-04-18T12:34:56Z")]
    InvalidTimestamp(&'static str),
    /// The address is not one.
    #[error("the email address is malformed: {0}")]
    InvalidEmail(InvalidAddress),
    /// Nothing to look anybody up by.
    #[error("{0}")]
    NobodyNamed(NobodyNamed),
}

impl Problem {
    /// The media type of [`Problem::to_json`].
    pub const CONTENT_TYPE: &'static str = "application/problem+json";

    /// The stable name of the problem, the last part of its `type`.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.row().0
    }

    /// The answer's status. Only 503 asks the sender to try again; 410 is never used, since it makes senders give up for good.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.row().1
    }

    /// The answer's body by RFC 9457: `type`, `title`, `status` and, except for a refused signature, `detail`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (id, status, title) = self.row();
        let mut body = serde_json::json!({
            "type": format!("https://millrace.dev/problems/{id}"),
            "title": title,
            "status": status.as_u16(),
        });
        if let Some(detail) = self.detail() {
            body["detail"] = detail.into();
        }
        body.to_string()
    }

    /// What the sender is told beyond the title: nothing about a signature (SIG), for that would help to forge one.
    fn detail(&self) -> Option<String> {
        match self {
            Self::SignatureRefused(_) => None,
            Self::SecretsUnavailable => Some("the signature cannot be checked at the moment; send the request again later".to_owned()),
            other => Some(other.to_string()),
        }
    }

    const fn row(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::UnknownIssuer => ("unknown-issuer", StatusCode::NOT_FOUND, "Unknown issuer"),
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "Body too large"),
            Self::UnsupportedContentType => ("unsupported-content-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported content type"),
            Self::SecretsUnavailable => ("secrets-unavailable", StatusCode::SERVICE_UNAVAILABLE, "Secrets unavailable"),
            Self::SignatureRefused(_) => ("signature-refused", StatusCode::UNAUTHORIZED, "Signature refused"),
            Self::MalformedJson { .. } => ("malformed-json", StatusCode::BAD_REQUEST, "Malformed JSON"),
            Self::InvalidIdempotencyKey => ("invalid-idempotency-key", StatusCode::BAD_REQUEST, "Invalid idempotency key"),
            Self::MissingField(_) => ("missing-field", StatusCode::UNPROCESSABLE_ENTITY, "Missing field"),
            Self::InvalidTimestamp(_) => ("invalid-timestamp", StatusCode::UNPROCESSABLE_ENTITY, "Invalid timestamp"),
            Self::InvalidEmail(_) => ("invalid-email", StatusCode::UNPROCESSABLE_ENTITY, "Invalid email address"),
            Self::NobodyNamed(_) => ("nobody-named", StatusCode::UNPROCESSABLE_ENTITY, "Nobody named"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_by_rfc_9457() {
        let told: serde_json::Value = serde_json::from_str(&Problem::MissingField("timestamp").to_json()).unwrap();
        let expected = serde_json::json!({
            "type": "https://millrace.dev/problems/missing-field",
            "title": "Missing field",
            "status": 422,
            "detail": "`timestamp` is missing; send it as a non-empty value of its documented type",
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn every_problem_has_its_own_id_and_none_makes_a_sender_give_up_for_good() {
        let problems = [
            Problem::UnknownIssuer,
            Problem::BodyTooLarge,
            Problem::UnsupportedContentType,
            Problem::SecretsUnavailable,
            Problem::SignatureRefused(Refusal::NoMatch),
            Problem::MalformedJson { line: 1, column: 1 },
            Problem::InvalidIdempotencyKey,
            Problem::MissingField("timestamp"),
            Problem::InvalidTimestamp("timestamp"),
            Problem::InvalidEmail(domain::identity::Email::parse("").unwrap_err()),
            Problem::NobodyNamed(NobodyNamed),
        ];
        let ids: std::collections::BTreeSet<&str> = problems.iter().map(Problem::id).collect();
        assert_eq!(ids.len(), problems.len());
        assert!(problems.iter().all(|problem| problem.status() != StatusCode::GONE), "SIG: never 410");
    }

    #[test]
    fn sig_a_refused_signature_is_401_without_detail_whatever_the_reason() {
        let of = |refusal| Problem::SignatureRefused(refusal).to_json();
        assert_eq!(of(Refusal::NoMatch), of(Refusal::Stale));
        assert!(!of(Refusal::NoMatch).contains("detail"));
        assert_eq!(Problem::SignatureRefused(Refusal::NoMatch).status(), StatusCode::UNAUTHORIZED);
    }
}
