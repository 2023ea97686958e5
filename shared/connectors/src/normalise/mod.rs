//! Vendors' spellings to canonical values. What says nothing gives nothing, never an empty value (S3-39).

mod checks;
mod country;
mod ladder;
#[cfg(test)]
mod tests;
mod time;

use std::borrow::Cow;

use domain::identity::{Domain, Phone};
use domain::schema::FieldKind;
use domain::units::Timestamp;
use domain::value::Value;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value as Json;
use url::Url;

pub(crate) use ladder::seniority_of;

/// A longer text is cut.
const TEXT_MAX_CHARS: usize = 2000;
/// A longer list is cut.
const LIST_MAX: usize = 200;

/// Ways in which vendors write that they do not know.
const UNKNOWN: &[&str] =
    &["-", "--", "n/a", "nan", "nil", "none", "not available", "not specified", "null", "undefined", "undisclosed", "unknown"];

/// How a vendor's value becomes a canonical one; the names that connector files use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Normaliser {
    Text,
    Word,
    Words,
    Number,
    Percent,
    /// One out of 1,000 as one out of 100.
    Tenth,
    Bool,
    Positive,
    Present,
    /// Yes where its path finds anything; where it does not, that says nothing.
    Found,
    /// No where its path finds anything; where it does not, that says nothing.
    Denied,
    /// Yes where any of the values is, no where all that are there are.
    Any,
    /// `valid` and `invalid`; a vendor that is not sure says something else.
    Validity,
    PhoneType,
    Year,
    Date,
    MonthsSince,
    Url,
    Domain,
    E164,
    Country,
    Seniority,
    FundingStage,
    EmployeeRange,
}

impl Normaliser {
    /// Whether what it makes can stand in a field of this kind.
    pub(crate) fn makes(self, kind: FieldKind) -> bool {
        match self {
            Self::Words => kind == FieldKind::List,
            Self::Number | Self::Percent | Self::Tenth | Self::Year | Self::MonthsSince => kind == FieldKind::Number,
            Self::Bool | Self::Positive | Self::Present | Self::Found | Self::Denied | Self::Any | Self::Validity => {
                kind == FieldKind::Bool
            }
            Self::Date => kind == FieldKind::Date,
            Self::Domain => kind == FieldKind::Domain,
            Self::E164 => kind == FieldKind::Phone,
            Self::Url => kind == FieldKind::Url,
            Self::Word | Self::Country | Self::Seniority | Self::FundingStage | Self::EmployeeRange | Self::PhoneType => {
                matches!(kind, FieldKind::Word | FieldKind::Text)
            }
            Self::Text => matches!(kind, FieldKind::Text | FieldKind::CompanyName | FieldKind::Title | FieldKind::Email),
        }
    }

    /// The names that suit a field of this kind, for findings.
    pub(crate) const fn names_for(kind: FieldKind) -> &'static str {
        match kind {
            FieldKind::List => "words",
            FieldKind::Number => "number, percent, tenth, year or months_since",
            FieldKind::Bool => "bool, any, validity, positive, present, found or denied",
            FieldKind::Date => "date",
            FieldKind::Domain => "domain",
            FieldKind::Phone => "e164",
            FieldKind::Url => "url",
            FieldKind::Word => "word, country, seniority, funding_stage, employee_range or phone_type",
            FieldKind::Text | FieldKind::CompanyName | FieldKind::Title | FieldKind::Email => "text",
        }
    }

    /// The value of what a path found; `None` when it says nothing or something else than it should.
    pub(crate) fn read(self, found: &[&Json], now: Timestamp) -> Option<Value> {
        match self {
            Self::Words => return words(found),
            // An answer that lists what there is says by its silence that there is no more.
            Self::Present => return Some(Value::Bool(is_there(found))),
            Self::Found => return is_there(found).then_some(Value::Bool(true)),
            Self::Denied => return is_there(found).then_some(Value::Bool(false)),
            Self::Any => return checks::any_yes(found),
            _ => {}
        }
        found.iter().find_map(|json| self.read_one(json, now))
    }

    fn read_one(self, json: &Json, now: Timestamp) -> Option<Value> {
        match self {
            Self::Number => number(json).map(Value::Number),
            Self::Percent => Some(Value::Number(number(json)?.checked_div(Decimal::ONE_HUNDRED)?.normalize())),
            Self::Tenth => Some(Value::Number(number(json)?.checked_div(Decimal::TEN)?.normalize())),
            Self::Positive => Some(Value::Bool(number(json)? > Decimal::ZERO)),
            Self::Bool => boolean(json).map(Value::Bool),
            Self::Validity => checks::validity(&said(json)?).map(Value::Bool),
            Self::Year => time::year(&said(json).or_else(|| number(json).map(|year| year.to_string().into()))?).map(Value::number),
            Self::Text => said(json).map(|text| Value::Text(cut(text))),
            _ => self.read_text(&said(json)?, now),
        }
    }

    fn read_text(self, text: &str, now: Timestamp) -> Option<Value> {
        let normal = match self {
            Self::Word => word(text),
            Self::Date => time::date(text),
            Self::Url => web_address(text),
            Self::Domain => Domain::parse(text).ok().map(|domain| domain.as_str().to_owned()),
            Self::E164 => Phone::parse(text).ok().map(|phone| phone.expose().to_owned()),
            Self::Country => Some(country::country(text)),
            Self::Seniority => seniority_of(text).map(str::to_owned),
            Self::FundingStage => ladder::funding_stage(text),
            Self::EmployeeRange => employee_range(text),
            Self::PhoneType => checks::phone_type(text).map(str::to_owned),
            Self::MonthsSince => return time::months_since(text, now).map(Value::number),
            Self::Text | Self::Words | Self::Number | Self::Percent | Self::Tenth | Self::Year => None,
            Self::Bool | Self::Present | Self::Found | Self::Denied | Self::Any | Self::Validity | Self::Positive => None,
        };
        normal.map(Value::Text)
    }
}

fn is_there(found: &[&Json]) -> bool {
    found.iter().any(|json| !json.is_null())
}

/// The text of a JSON string, its blanks made single; `None` when it is empty or a way of saying "unknown".
fn said(json: &Json) -> Option<Cow<'_, str>> {
    let text = single_spaced(json.as_str()?);
    let is_unknown = text.is_empty() || UNKNOWN.iter().any(|unknown| text.eq_ignore_ascii_case(unknown));
    (!is_unknown).then_some(text)
}

/// Trimmed, every run of blanks and control characters one space.
pub(crate) fn single_spaced(text: &str) -> Cow<'_, str> {
    if is_single_spaced(text) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len());
    for part in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty()) {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(part);
    }
    Cow::Owned(spaced)
}

/// Whether a text is single-spaced as it is. Beyond ASCII that is not looked into.
fn is_single_spaced(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        if !byte.is_ascii_graphic() && (byte != b' ' || before == b' ') {
            return false;
        }
        before = byte;
    }
    before != b' ' || text.is_empty()
}

fn cut(text: Cow<'_, str>) -> String {
    if text.len() <= TEXT_MAX_CHARS { text.into_owned() } else { text.chars().take(TEXT_MAX_CHARS).collect() }
}

/// A number, or a text that is one.
fn number(json: &Json) -> Option<Decimal> {
    match json {
        Json::Number(_) => Value::of_json(json)?.as_number(),
        Json::String(text) => text.trim().parse::<Decimal>().ok().map(|number| number.normalize()),
        _ => None,
    }
}

fn boolean(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(yes) => Some(*yes),
        Json::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" => Some(true),
            "false" | "no" | "n" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Null, or an empty text, list or object.
pub(crate) fn says_nothing(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

/// All texts that were found, lists opened, in lower case.
fn words(found: &[&Json]) -> Option<Value> {
    let items = found.iter().flat_map(|json| json.as_array().map_or(std::slice::from_ref(*json), Vec::as_slice));
    let words: Vec<String> = items.filter_map(said).map(|text| text.to_lowercase()).take(LIST_MAX).collect();
    if words.is_empty() { None } else { Some(Value::list(words)) }
}

/// Lower case, everything but letters and digits one underscore: `Privately Held` is `privately_held`.
pub(crate) fn word(text: &str) -> Option<String> {
    let mut word = String::with_capacity(text.len());
    for part in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        if !word.is_empty() {
            word.push('_');
        }
        word.push_str(part);
    }
    (!word.is_empty()).then_some(word)
}

fn web_address(text: &str) -> Option<String> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&with_scheme).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.domain().is_some_and(|host| host.contains('.'));
    (is_web && url.username().is_empty()).then(|| url.into())
}

/// `51-200`, or `10001+` for the last band.
fn employee_range(text: &str) -> Option<String> {
    let numbers: Vec<u64> =
        text.replace([',', '.'], "").split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    match numbers.as_slice() {
        [low, high] if low <= high => Some(format!("{low}-{high}")),
        [low] if text.contains('+') || text.to_lowercase().contains("more") => Some(format!("{low}+")),
        _ => None,
    }
}
