//! The values a field can hold, and when two of them say the same.

mod normal;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::identity::{Domain, Email, Phone};
use crate::schema::FieldKind;

pub(crate) use normal::{fold, of_text, title};

/// A field's value. `Debug` shows only the kind: the content may name a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// An exact decimal number.
    Number(#[serde(with = "decimal")] Decimal),
    /// A text, a word, a date (`2026-04-18`) or a URL.
    Text(String),
    /// A set of words, such as a technology stack; sorted, without repeats.
    List(Vec<String>),
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    #[must_use]
    pub fn number(n: i64) -> Self {
        Self::Number(Decimal::from(n))
    }

    /// A list, sorted and without repeats.
    #[must_use]
    pub fn list(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut words: Vec<String> = words.into_iter().map(Into::into).filter(|word| !word.is_empty()).collect();
        words.sort();
        words.dedup();
        Self::List(words)
    }

    /// The value of a JSON scalar or list of texts; `None` for null, objects, the empty string and empty lists,
    /// because a mapping that finds nothing is no match, never an empty value (S3-39).
    #[must_use]
    pub fn of_json(json: &serde_json::Value) -> Option<Self> {
        match json {
            serde_json::Value::Bool(yes) => Some(Self::Bool(*yes)),
            serde_json::Value::Number(number) => {
                if let Some(whole) = number.as_i64() {
                    return Some(Self::number(whole));
                }
                let text = number.to_string();
                let parsed = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text));
                parsed.ok().map(|n| Self::Number(n.normalize()))
            }
            serde_json::Value::String(text) if !text.trim().is_empty() => Some(Self::Text(text.trim().to_owned())),
            serde_json::Value::Array(items) => {
                let words: Vec<&str> =
                    items.iter().filter_map(serde_json::Value::as_str).map(str::trim).filter(|w| !w.is_empty()).collect();
                if words.is_empty() { None } else { Some(Self::list(words)) }
            }
            _ => None,
        }
    }

    /// Whether the value is of the kind that a field asks for.
    #[must_use]
    pub fn fits(&self, kind: FieldKind) -> bool {
        match self {
            Self::Bool(_) => kind == FieldKind::Bool,
            Self::Number(_) => kind == FieldKind::Number,
            Self::List(_) => kind == FieldKind::List,
            Self::Text(text) => match kind {
                FieldKind::Bool | FieldKind::Number | FieldKind::List => false,
                FieldKind::Date => is_date(text),
                FieldKind::Email => Email::parse(text).is_ok(),
                FieldKind::Phone => Phone::parse(text).is_ok(),
                FieldKind::Domain => Domain::parse(text).is_ok(),
                FieldKind::Url => url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")),
                FieldKind::Text | FieldKind::Word | FieldKind::CompanyName | FieldKind::Title => true,
            },
        }
    }

    /// The normal form under which two sources are found to agree (DESIGN §4).
    #[must_use]
    pub fn normal_form(&self, kind: FieldKind) -> Cow<'_, Self> {
        match self {
            Self::Number(number) => Cow::Owned(Self::Number(number.normalize())),
            Self::List(words) if is_normal(words) => Cow::Borrowed(self),
            Self::List(words) => Cow::Owned(Self::list(words.iter().map(|word| fold(word)))),
            Self::Bool(_) => Cow::Borrowed(self),
            Self::Text(text) => match normal::of_text(text, kind) {
                Cow::Borrowed(same) if same.len() == text.len() => Cow::Borrowed(self),
                normal => Cow::Owned(Self::Text(normal.into_owned())),
            },
        }
    }

    /// The number, where the value is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Decimal> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// How two values of one kind compare; `None` when their kinds differ or have no order.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(fold(a).cmp(&fold(b))),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool(_) => "Bool",
            Self::Number(_) => "Number",
            Self::Text(_) => "Text",
            Self::List(_) => "List",
        })
    }
}

/// Shows the value itself: for CRM bodies and `explain`, never for logs.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Number(number) => write!(f, "{}", number.normalize()),
            Self::Text(text) => f.write_str(text),
            Self::List(words) => f.write_str(&words.join(", ")),
        }
    }
}

/// Whether a list is what folding its words would make of it.
fn is_normal(words: &[String]) -> bool {
    let is_sorted = words.windows(2).all(|pair| pair[0] < pair[1]);
    is_sorted && words.iter().all(|word| !word.is_empty() && matches!(fold(word), Cow::Borrowed(_)))
}

fn is_date(text: &str) -> bool {
    let (day, rest) = text.split_at_checked(10).unwrap_or((text, ""));
    day.parse::<jiff::civil::Date>().is_ok() && (rest.is_empty() || rest.starts_with(['T', ' ']))
}

/// Numbers travel as JSON numbers so that logs stay readable; the decimal digits are kept exactly as text is parsed.
mod decimal {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(*number) {
            Ok(whole) if number.is_integer() => serializer.serialize_i64(whole),
            _ => serde::Serialize::serialize(&Exact { decimal: number.normalize().to_string() }, serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Whole(i64),
            Exact(Exact),
        }
        match Written::deserialize(deserializer)? {
            Written::Whole(whole) => Ok(Decimal::from(whole)),
            Written::Exact(exact) => exact.decimal.parse().map_err(serde::de::Error::custom),
        }
    }

    /// A number with places, `{"decimal":"0.15"}`: apart from a text and from a float, which would round.
    #[derive(serde::Serialize, Deserialize)]
    struct Exact {
        decimal: String,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s3_39_what_says_nothing_is_no_value() {
        for json in [serde_json::json!(null), serde_json::json!(""), serde_json::json!("  "), serde_json::json!([]), serde_json::json!({})]
        {
            assert_eq!(Value::of_json(&json), None, "{json}");
        }
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", Value::text("Canary Jones")), "Text");
    }

    proptest! {
        #[test]
        fn a_number_is_read_as_it_is_written(whole in any::<i64>(), other in any::<u64>(), fraction in any::<f32>()) {
            for json in [serde_json::json!(whole), serde_json::json!(other), serde_json::json!(f64::from(fraction) / 8.0)] {
                let text = json.to_string();
                let written = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)).ok();
                prop_assert_eq!(Value::of_json(&json), written.map(|number| Value::Number(number.normalize())));
            }
        }

        #[test]
        fn a_value_survives_the_log(digits in any::<i64>(), places in 0u32..9) {
            for value in [Value::Number(Decimal::new(digits, places).normalize()), Value::text("x"), Value::Bool(true), Value::list(["b", "a"])] {
                let json = serde_json::to_string(&value).unwrap();
                prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
            }
        }
    }
}
