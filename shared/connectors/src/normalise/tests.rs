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
