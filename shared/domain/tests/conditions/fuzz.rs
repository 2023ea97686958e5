//! No text, however odd, makes the parser panic, answer twice, or work for long.

use domain::condition::{Condition, Truth, View};
use domain::schema::Schema;
use domain::value::Value;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use crate::generate::own;
use crate::{cases, facts};

const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    ",",
    "&&",
    "||",
    "and",
    "or",
    "not",
    "!",
    "in",
    "has",
    "has(",
    "==",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    "company.headcount",
    "headcount",
    "seniority",
    "vp",
    "company.tech_stack",
    "company.last_funding_at",
    "score",
    "\"x\"",
    "'2026-01-01'",
    "\"",
    "5",
    "-1.5",
    "1e3",
    ".",
    "_",
    "-",
    "true",
    "false",
    "é",
    "\u{202e}",
    "\u{0}",
    "🦀",
    "\n",
    "#",
];

/// Whatever comes of the text has the promised shape.
fn check(text: &str) -> Result<(), TestCaseError> {
    match Condition::parse(text, &Schema::default()) {
        Ok(condition) => {
            let view = View::default().with_score(40, 60);
            let clauses = condition.clauses(&view);
            prop_assert!((1..=200).contains(&clauses.len()));
            prop_assert!(!condition.because(&view).is_empty());
            let again = Condition::parse(condition.text(), &Schema::default());
            prop_assert_eq!(again.as_ref(), Ok(&condition));
        }
        Err(error) => {
            prop_assert!(text.is_char_boundary(error.at), "{}: {}", error.at, text);
            prop_assert_eq!(error.column, text[..error.at].chars().count() + 1);
            prop_assert!(!error.message.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn no_text_of_printable_characters_makes_it_panic(text in "\\PC{0,80}") {
        check(&text)?;
    }

    #[test]
    fn no_text_of_its_own_words_makes_it_panic(words in prop::collection::vec(select(WORDS), 0..40), gap in select(&["", " "][..])) {
        check(&words.join(gap))?;
    }

    #[test]
    fn no_text_one_slip_away_from_a_condition_makes_it_panic(
        text in own(), slips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte) in slips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&String::from_utf8_lossy(&bytes))?;
        bytes.truncate(cut.index(bytes.len()));
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn no_text_of_one_word_repeated_makes_it_overflow_the_stack(word in select(WORDS), before in select(WORDS), times in 0usize..3000) {
        check(&format!("{before}{}", word.repeat(times)))?;
        check(&format!("{before} {}phone.valid", format!("{word} ").repeat(times)))?;
    }

    #[test]
    fn no_text_of_digits_makes_a_number_other_than_the_one_written(
        whole in "[0-9]{1,20}", places in "[0-9]{0,20}", is_negative in any::<bool>(),
    ) {
        let sign = if is_negative { "-" } else { "" };
        let number = if places.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{places}") };
        let digits: Option<i128> = format!("{sign}{whole}{places}").parse().ok();
        let written = digits.and_then(|digits| Decimal::try_from_i128_with_scale(digits, u32::try_from(places.len()).unwrap()).ok());
        match Condition::parse(&format!("{number} == loan_amount"), &Schema::default()) {
            Ok(condition) => {
                let known = facts([("loan_amount", Value::Number(written.unwrap()))]);
                prop_assert_eq!(condition.evaluate(&View::of(&known)), Truth::True, "{}", number);
            }
            Err(error) => {
                prop_assert!(whole.len() + places.len() > 28, "{error}");
                prop_assert!(error.message.contains("write at most 28 digits"), "{error}");
            }
        }
    }
}

#[test]
fn a_condition_of_the_largest_size_is_read_and_one_size_more_is_refused() {
    let parse = |text: &str| Condition::parse(text, &Schema::default()).map(drop).map_err(|error| error.to_string());
    let nested = |depth: usize| format!("{}phone.valid{}", "!(".repeat(depth), ")".repeat(depth));
    let clauses = |count: usize| vec!["true"; count].join("||");
    let listed = |count: usize| format!("loan_amount in ({})", vec!["1"; count].join(","));
    let sized = |bytes: usize| format!("phone.valid{}", " ".repeat(bytes - 11));
    for (largest, larger, said) in [
        (nested(20), nested(21), "a condition nests at most 20 deep; leave brackets out or split it into several rules (at column 42)"),
        (clauses(200), clauses(201), "at most 200 clauses and list values together; split it into several rules (at column 1201)"),
        (listed(199), listed(200), "at most 200 clauses and list values together"),
        (sized(2000), sized(2001), "at most 2000 bytes; split it into several rules"),
        ("!".repeat(1989) + "phone.valid", "!".repeat(1990) + "phone.valid", "at most 2000 bytes"),
    ] {
        assert_eq!(parse(&largest), Ok(()));
        let error = parse(&larger).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}
