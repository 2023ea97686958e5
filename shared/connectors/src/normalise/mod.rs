//! Vendors' spellings to canonical values. What says nothing gives nothing, never an empty value (S3-39).

mod checks;
mod country;
mod ladder;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000); // 2026-11-20T12:00:00Z

    fn read(normaliser: Normaliser, json: Json) -> Option<String> {
        normaliser.read(&[&json], NOW).map(|value| value.to_string())
    }

    #[test]
    fn s3_39_what_says_nothing_gives_nothing() {
        for json in [json!(null), json!(""), json!("  "), json!("N/A"), json!("Unknown"), json!([]), json!({}), json!([null, ""])] {
            for normaliser in ALL {
                assert_eq!(read(*normaliser, json.clone()), None, "{normaliser:?} of {json}");
            }
        }
    }

    #[test]
    fn what_is_found_or_denied_says_nothing_where_nothing_is_found() {
        let one = json!("10 mail.acme.io.");
        for (normaliser, of_one) in [(Normaliser::Found, true), (Normaliser::Denied, false)] {
            assert_eq!(normaliser.read(&[&one], NOW), Some(Value::Bool(of_one)));
            assert_eq!(normaliser.read(&[], NOW), None);
            assert_eq!(normaliser.read(&[&Json::Null], NOW), None);
        }
    }

    #[test]
    fn spellings_become_canonical() {
        use Normaliser as N;
        for (normaliser, json, expected) in [
            (N::FundingStage, json!("Series B"), Some("series_b")),
            (N::FundingStage, json!("series_c"), Some("series_c")),
            (N::FundingStage, json!("Seed"), Some("seed")),
            (N::FundingStage, json!("Pre-Seed Round"), Some("pre_seed")),
            (N::FundingStage, json!("Post-IPO Equity"), Some("ipo")),
            (N::FundingStage, json!("Private Equity"), Some("private_equity")),
            (N::FundingStage, json!("Series Unknown"), None),
            (N::Seniority, json!("CXO"), Some("c_level")),
            (N::Seniority, json!("VP"), Some("vp")),
            (N::Seniority, json!("Senior Vice President, Sales"), Some("vp")),
            (N::Seniority, json!("Chief Technology Officer"), Some("c_level")),
            (N::Seniority, json!("Founder & CEO"), Some("c_level")),
            (N::Seniority, json!("Director of Platform"), Some("director")),
            (N::Seniority, json!("Executive Assistant to the CEO"), None),
            (N::Seniority, json!("Chief of Staff"), None),
            (N::Seniority, json!("Software Engineer"), None),
            (N::EmployeeRange, json!("51 - 200 employees"), Some("51-200")),
            (N::EmployeeRange, json!("10,001+"), Some("10001+")),
            (N::EmployeeRange, json!("many"), None),
            (N::E164, json!("+1 (512) 555-0100"), Some("+15125550100")),
            (N::E164, json!("512 555 0100"), None),
            (N::Domain, json!("https://www.acme.io/about"), Some("acme.io")),
            (N::Domain, json!("127.0.0.1"), None),
            (N::Date, json!("2026-03-05T10:00:00Z"), Some("2026-03-05")),
            (N::Date, json!("2026-02-30"), None),
            (N::Year, json!("2017"), Some("2017")),
            (N::Year, json!("2017-01-01"), Some("2017")),
            (N::Year, json!(2017), Some("2017")),
            (N::Year, json!("recently"), None),
            (N::MonthsSince, json!("2024-02-01"), Some("33")),
            (N::MonthsSince, json!("2027-01-01"), None),
            (N::Country, json!("us"), Some("US")),
            (N::Country, json!("United States"), Some("US")),
            (N::Country, json!("UK"), Some("GB")),
            (N::Country, json!("Atlantis  Isles"), Some("atlantis isles")),
            (N::Number, json!("42.50"), Some("42.5")),
            (N::Number, json!("many"), None),
            (N::Percent, json!(31.0), Some("0.31")),
            (N::Tenth, json!(215), Some("21.5")),
            (N::PhoneType, json!("nonFixedVoip"), Some("voip")),
            (N::PhoneType, json!("FIXED_LINE"), Some("landline")),
            (N::PhoneType, json!("MOBILE"), Some("mobile")),
            (N::PhoneType, json!("tollFree"), None),
            (N::Validity, json!("valid"), Some("true")),
            (N::Validity, json!("Invalid"), Some("false")),
            (N::Validity, json!("catchall"), None),
            (N::Positive, json!(0), Some("false")),
            (N::Positive, json!(3), Some("true")),
            (N::Bool, json!("yes"), Some("true")),
            (N::Bool, json!("N"), Some("false")),
            (N::Bool, json!("?"), None),
            (N::Word, json!("Privately Held"), Some("privately_held")),
            (N::Words, json!(["AWS", " Kubernetes ", "AWS", 5]), Some("aws, kubernetes")),
            (N::Url, json!("linkedin.com/in/jane"), Some("https://linkedin.com/in/jane")),
            (N::Url, json!("javascript://alert"), None),
            (N::Text, json!(" Jane \n Doe "), Some("Jane Doe")),
            (N::Text, json!(["Jane"]), None),
        ] {
            assert_eq!(read(normaliser, json.clone()).as_deref(), expected, "{normaliser:?} of {json}");
        }
    }

    #[test]
    fn s4_16_whoever_is_on_any_list_is_on_one_and_a_list_that_could_not_be_read_leaves_it_open() {
        let read = |found: &[Json]| Normaliser::Any.read(&found.iter().collect::<Vec<_>>(), NOW);
        assert_eq!(read(&[json!("N"), json!("Y")]), Some(Value::Bool(true)));
        assert_eq!(read(&[json!("?"), json!("Y")]), Some(Value::Bool(true)));
        assert_eq!(read(&[json!("N"), json!("?")]), None);
        assert_eq!(read(&[json!("N"), json!({}), json!("N")]), Some(Value::Bool(false)));
        assert_eq!(read(&[json!({}), json!("")]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn present_says_whether_a_path_finds_anything() {
        let read = |found: &[&Json]| Normaliser::Present.read(found, NOW);
        assert_eq!(read(&[]), Some(Value::Bool(false)));
        assert_eq!(read(&[&json!(null)]), Some(Value::Bool(false)));
        assert_eq!(read(&[&json!({"type": 15})]), Some(Value::Bool(true)));
    }

    /// But `present`, which reads silence as an answer.
    const ALL: &[Normaliser] = &[
        Normaliser::Text,
        Normaliser::Word,
        Normaliser::Words,
        Normaliser::Number,
        Normaliser::Percent,
        Normaliser::Tenth,
        Normaliser::Bool,
        Normaliser::Positive,
        Normaliser::Any,
        Normaliser::Validity,
        Normaliser::PhoneType,
        Normaliser::Year,
        Normaliser::Date,
        Normaliser::MonthsSince,
        Normaliser::Url,
        Normaliser::Domain,
        Normaliser::E164,
        Normaliser::Country,
        Normaliser::Seniority,
        Normaliser::FundingStage,
        Normaliser::EmployeeRange,
    ];

    proptest! {
        #[test]
        fn blanks_become_single(text in prop_oneof!["[a-z \t\u{1}\u{a0}é]{0,12}", ".*"]) {
            let parts: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty()).collect();
            prop_assert_eq!(single_spaced(&text), parts.join(" "));
        }

        #[test]
        fn no_text_makes_a_normaliser_fall_over_or_give_an_empty_value(text in any::<String>()) {
            for normaliser in ALL {
                if let Some(value) = read(*normaliser, json!(text)) {
                    prop_assert!(!value.trim().is_empty());
                }
            }
        }
    }
}
