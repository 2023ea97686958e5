//! Sample events: the files of `events/`, which `millrace send` and `cargo dev` post as the issuer would.
//!
//! A file is named `signup-webhook.<case>.json`. It carries no signature, since that is made when it is sent, and a body in
//! which the string `"$NOW"` becomes the moment of sending in RFC 3339 and `"$NOW_MS"` the same in milliseconds.

use domain::units::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::issuers;

/// The secrets of `cargo dev`, known to everybody: for samples on one's own machine and nothing else.
const LOCAL_SECRETS: &[(&str, &str)] =
    &[("signup", "local-form-secret-for-samples-only"), ("clerk", "whsec_bG9jYWwtY2xlcmstc2VjcmV0LWZvci1zYW1wbGVz")];

/// The secret that `cargo dev` expects an issuer to sign with.
#[must_use]
pub fn local_secret(issuer: &str) -> Option<&'static str> {
    LOCAL_SECRETS.iter().find(|(name, _)| *name == issuer).map(|(_, secret)| *secret)
}

/// The most times a sample may ask to be sent.
const REPEAT_MAX: u32 = 100;

/// One sample event. Its body names invented people only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Who sends it: the last part of `/webhook/{issuer}`.
    pub issuer: String,
    /// The delivery id to send it under; without one, the issuer's own way of naming deliveries is followed.
    #[serde(default)]
    pub delivery: Option<String>,
    /// The value of the `Prefer` header, such as `wait=2` (RFC 7240).
    #[serde(default)]
    pub prefer: Option<String>,
    /// How often it is sent.
    #[serde(default = "once")]
    pub repeat: u32,
    /// What a repetition is.
    #[serde(default)]
    pub repeat_as: RepeatAs,
    /// What has to be arranged before it is sent.
    #[serde(default)]
    pub before: Option<Before>,
    /// What the sample shows.
    #[serde(default)]
    pub note: String,
    body: Value,
}

/// What sending a sample again means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatAs {
    /// The issuer's retry: the same bytes under the same delivery id.
    #[default]
    Delivery,
    /// A second click: the body rendered anew, at its own moment.
    Click,
}

/// What has to be arranged before a sample is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// The day's credit cap is used up.
    ExhaustDayCap,
}

/// A file that is not a sample.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSample {
    /// Not of the documented form.
    #[error("not a sample event; one wraps what the issuer posts, as in {{\"issuer\": \"signup\", \"body\": {{…}}}}")]
    Form(#[from] serde_json::Error),
    /// No such issuer.
    #[error("`issuer` is not known; write signup or clerk")]
    UnknownIssuer,
    /// The body is not an object.
    #[error("`body` must be the JSON object that the issuer posts")]
    BodyNotAnObject,
    /// Too often or never.
    #[error("`repeat` must be 1 to 100")]
    Repeat,
}

impl Sample {
    /// Reads a sample's file.
    ///
    /// # Errors
    /// [`InvalidSample`] says what is wrong with it.
    pub fn parse(file: &str) -> Result<Self, InvalidSample> {
        let sample: Self = serde_json::from_str(file)?;
        if issuers::by_name(&sample.issuer).is_none() {
            return Err(InvalidSample::UnknownIssuer);
        }
        if !sample.body.is_object() {
            return Err(InvalidSample::BodyNotAnObject);
        }
        if !(1..=REPEAT_MAX).contains(&sample.repeat) {
            return Err(InvalidSample::Repeat);
        }
        Ok(sample)
    }

    /// The case a file shows: `hot` of `signup-webhook.hot.json`; `None` for a file that is no sample.
    #[must_use]
    pub fn case_of(file_name: &str) -> Option<&str> {
        file_name.strip_prefix("signup-webhook.")?.strip_suffix(".json").filter(|case| !case.is_empty())
    }

    /// The bytes to sign and post at `now`.
    #[must_use]
    pub fn render(&self, now: Timestamp) -> Vec<u8> {
        let mut body = self.body.clone();
        put_moment(&mut body, now);
        body.to_string().into_bytes()
    }
}

fn once() -> u32 {
    1
}

fn put_moment(value: &mut Value, now: Timestamp) {
    match value {
        Value::String(text) if text == "$NOW" => *value = now.to_string().into(),
        Value::String(text) if text == "$NOW_MS" => *value = now.millis().into(),
        Value::Array(items) => items.iter_mut().for_each(|item| put_moment(item, now)),
        Value::Object(fields) => fields.values_mut().for_each(|field| put_moment(field, now)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_put_in_wherever_it_stands_alone_as_a_value() {
        let file = r#"{"issuer":"signup","note":"n","body":{"timestamp":"$NOW","deep":[{"at":"$NOW_MS"}],"text":"not $NOW"}}"#;
        let body: Value = serde_json::from_slice(&Sample::parse(file).unwrap().render(Timestamp::from_millis(1_795_176_000_123))).unwrap();
        let expected =
            serde_json::json!({"timestamp": "2026-11-20T12:00:00.123Z", "deep": [{"at": 1_795_176_000_123_i64}], "text": "not $NOW"});
        assert_eq!(body, expected);
    }

    #[test]
    fn a_sample_with_an_unknown_word_issuer_or_count_is_refused() {
        for file in [
            r#"{"issuer":"signup","note":"n","body":{},"signature":"x"}"#,
            r#"{"issuer":"nobody","note":"n","body":{}}"#,
            r#"{"issuer":"signup","note":"n","body":[]}"#,
            r#"{"issuer":"signup","note":"n","body":{},"repeat":0}"#,
            r#"{"issuer":"signup","note":"n","body":{},"before":"lunch"}"#,
        ] {
            assert!(Sample::parse(file).is_err(), "{file}");
        }
    }

    #[test]
    fn the_case_is_the_middle_of_the_file_name() {
        assert_eq!(Sample::case_of("signup-webhook.spend-cap.json"), Some("spend-cap"));
        assert_eq!(Sample::case_of("expected.json"), None);
    }
}
