//! A body without what it says about a person.

use domain::identity::{Email, Phone};
use serde_json::{Map, Number, Value};

/// What is shown as it is, when it is a word or a number. Everything else may be somebody's, the delivery too: that of a form
/// begins with the address.
const SHOWN: [&str; 10] =
    ["issuer", "arrival", "priority", "accepted_at", "answer_by", "occurred_at", "email_verified", "record", "run", "attempt"];

/// The body with its values masked; `None` when it is no JSON, for then nobody knows what is in it.
pub(super) fn masked(body: &str) -> Option<Value> {
    serde_json::from_str(body).ok().map(|body| mask("", body))
}

fn mask(key: &str, value: Value) -> Value {
    match value {
        // Names and values in there are whatever a form sent.
        Value::Object(fields) if key == "custom" => mask_custom(fields),
        Value::Object(fields) => Value::Object(fields.into_iter().map(mask_field).collect::<Map<String, Value>>()),
        Value::Array(values) => values.into_iter().map(|value| mask(key, value)).collect(),
        Value::String(text) if !(SHOWN.contains(&key) && is_word(&text)) => Value::String(mask_text(&text)),
        Value::Number(number) => mask_number(key, number),
        other => other,
    }
}

/// Names of fields are words; another key may be anything.
fn mask_field((key, value): (String, Value)) -> (String, Value) {
    let value = mask(&key, value);
    (if is_word(&key) { key } else { "[key]".to_owned() }, value)
}

fn mask_custom(fields: Map<String, Value>) -> Value {
    let masked = fields.into_iter().enumerate().map(|(index, (name, value))| {
        // The value is masked as that of no known field.
        (if is_word(&name) && !SHOWN.contains(&name.as_str()) { name } else { format!("[key {index}]") }, mask("", value))
    });
    Value::Object(masked.collect())
}

fn mask_text(text: &str) -> String {
    match (Email::parse(text), Phone::parse(text)) {
        (Ok(email), _) => email.to_string(),
        (_, Ok(phone)) => phone.to_string(),
        _ => "[text]".to_owned(),
    }
}

fn mask_number(key: &str, number: Number) -> Value {
    if SHOWN.contains(&key) { Value::Number(number) } else { Value::String("[number]".to_owned()) }
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_signup_keeps_its_form_and_loses_its_person() {
        let body = json!({
            "signup": {
                "issuer": "signup", "delivery": "jane@acme.io:0a1b", "arrival": "demo_request", "email": "jane@acme.io", "name": "Jane",
                "occurred_at": 1, "custom": {"phone": "+1 555 010 9999", "mobile": 15_550_109_999_i64, "tags": ["jane@acme.io"]},
            },
            "priority": "high", "accepted_at": 2,
        });
        let masked = masked(&body.to_string()).unwrap();
        let expected = json!({
            "signup": {
                "issuer": "signup", "delivery": "[text]", "arrival": "demo_request", "email": "[email]", "name": "[text]",
                "occurred_at": 1, "custom": {"phone": "[phone]", "mobile": "[number]", "tags": ["[email]"]},
            },
            "priority": "high", "accepted_at": 2,
        });
        assert_eq!(masked, expected);
    }

    #[test]
    fn an_address_is_masked_wherever_it_stands() {
        let body = r#"{"jane@acme.io": 1, "issuer": "jane@acme.io", "run": "Jane Doe", "why": "jane@acme.io wrote"}"#;
        assert_eq!(masked(body).unwrap(), json!({"[key]": "[number]", "issuer": "[email]", "run": "[text]", "why": "[text]"}));
    }

    #[test]
    fn what_a_form_sent_beside_is_masked_with_its_names() {
        let body = r#"{"signup": {"custom": {"record": "Jane-Doe", "run": 15550109999}}}"#;
        assert!(!masked(body).unwrap().to_string().contains("Jane-Doe"));
        assert!(!masked(body).unwrap().to_string().contains("15550109999"));
    }

    #[test]
    fn what_is_no_json_is_not_shown() {
        assert_eq!(masked(r#"{"email": "jane@acme.io""#), None);
    }
}
