//! What is refused, where, and with which advice.

use super::Condition;
use crate::schema::Schema;

#[test]
fn mistakes_are_refused_with_column_and_advice() {
    let schema = Schema::default();
    for (text, said) in [
        ("company.headcont > 5", "did you mean `company.headcount`? (at column 1)"),
        ("company.headcount > \"many\"", "a number cannot be compared with a text (at column 1)"),
        ("company.headcount >", "is missing here (at column 20)"),
        ("(phone.valid", "`)` is missing here (at column 13)"),
        ("company.name == \"Acme", "no closing \" (at column 17)"),
        ("company.headcount", "is not a yes-or-no value"),
        ("phone.valid phone.valid", "join clauses with && or ||"),
        ("company.headcount > 5 # x", "`#` has no meaning"),
        ("has(5)", "has() takes a field"),
        ("", "is missing here (at column 1)"),
        (
            "company.headcount in (\"a\", \"b\")",
            "the list holds a text here and `in` follows a number; write values of one kind (at column 23)",
        ),
        ("company.headcount in (50, \"b\")", "write values of one kind (at column 27)"),
        (
            "contact.seniority in (\"vp\", true)",
            "the list holds a yes-or-no value here and `in` follows a text; write values of one kind (at column 29)",
        ),
        (
            "\"aws\" in company.cms",
            "`company.cms` is a text, not a list; compare it with == or write a list in brackets after `in` (at column 10)",
        ),
        ("\"aws\" in company.headcount", "`company.headcount` is a number, not a list"),
        ("true in company.tech_stack", "`company.tech_stack` holds texts and never a yes-or-no value; write a text in quotes"),
        ("5 in company.tech_stack", "never a number; write a text in quotes"),
        ("company.analytics in company.tech_stack", "a list cannot stand before `in`; write `\"aws\" in company.tech_stack` (at column 1)"),
        ("company.tech_stack in (\"aws\")", "a list cannot stand before `in`"),
        ("score in (60)", "the score cannot stand before `in`; compare it, as in `score >= 60` (at column 1)"),
        ("score in company.tech_stack", "the score cannot stand before `in`"),
        ("\"vp\" in score", "`in` is followed by a list in brackets, such as (\"vp\", \"director\"), or by a list field (at column 9)"),
        ("\"vp\" in \"vp\"", "`in` is followed by a list in brackets"),
        ("company.last_funding_at > \"last year\"", "`last year` is no date; write one such as \"2026-04-18\" (at column 27)"),
        ("\"2026-02-30\" < company.last_funding_at", "`2026-02-30` is no date; write one such as \"2026-04-18\" (at column 1)"),
        ("company.last_funding_at in (\"2026-01-01\", \"soon\")", "`soon` is no date"),
        ("company.last_funding_at > 2025", "a date cannot be compared with a number"),
        ("company.last_funding_at > company.name", "a date cannot be compared with a text"),
        ("contact.seniority in (\"vp\"]", "the list was opened with `(`; `,` or `)` is missing here (at column 27)"),
        ("contact.seniority in [\"vp\")", "the list was opened with `[`; `,` or `]` is missing here (at column 27)"),
        ("(phone.valid]", "`)` is missing here (at column 13)"),
        ("has[contact.phone]", "write has(field) (at column 4)"),
        ("signup.arrival == \"demo_requst\"", "`signup.arrival` is never \"demo_requst\"; did you mean \"demo_request\"? (at column 19)"),
        (
            "email.kind in (\"work\", \"privat\")",
            "`email.kind` is never \"privat\"; write one of: work, personal, disposable, role (at column 24)",
        ),
        ("\"direktor\" = person.seniority", "`contact.seniority` is never \"direktor\"; did you mean \"director\"? (at column 1)"),
        ("phone.type != \"voipp\"", "did you mean \"voip\"? (at column 15)"),
        (
            "company.funding_stage in (\"series-b\")",
            "`company.funding_stage` is never \"series-b\"; did you mean \"series_b\"? (at column 27)",
        ),
        (
            "50 <= company.headcount >= 10",
            "a chain of comparisons goes one way, as in `50 <= x <= 5000`; else join two clauses with && (at column 25)",
        ),
        ("phone.valid == true == true", "a chain of comparisons goes one way"),
        ("50 <= company.headcount <= \"many\"", "a number cannot be compared with a text (at column 7)"),
        ("company.headcount > 1e3", "`1e3` is not a number; write the digits out, as in 1000 for 1e3 (at column 21)"),
        ("company.headcount > 100_000", "`100_000` is not a number; write the digits without underscores, as in 100000"),
        ("company.headcount > .5", "`.5` is not a number; write a digit before the point, as in 0.5"),
        ("company.headcount > 5.", "`5.` is not a number; write a digit after the point, as in 5.0"),
        ("company.headcount > 1.2.3", "`1.2.3` is not a number; write digits with at most one point"),
        ("company.headcount > 5k", "`5k` is not a number; write digits"),
        ("company.headcount > - 5", "`-` is not a number; a minus stands before digits only"),
        (
            "company.headcount > 0.1 + 0.2",
            "`+` has no meaning in a condition: it compares and does not calculate; write the result (at column 25)",
        ),
        (
            "company.headcount > 12345678901234567890123456789012345678901234567890",
            "`1234567890123456789012345678901234567890…` has more digits than a number can hold; write at most 28 digits",
        ),
        ("company.headcount > 0.00000000000000000000000000001", "has more digits than a number can hold"),
        ("phone.valid & phone.valid", "`&` has no meaning in a condition; write && or `and`"),
        ("phone.type = “voip”", "`“` has no meaning in a condition; write texts in straight quotes"),
        ("phone.valid = True", "`True` has no meaning in a condition; write `true` (at column 15)"),
        ("phone.valid Or phone.valid", "join clauses with && or ||"),
        ("company.name = \"Züri\" ; true", "`;` has no meaning in a condition (at column 23)"),
        ("company.name = \"🦀é\" and company.headcont > 5", "did you mean `company.headcount`? (at column 25)"),
        ("phone.type = voip", "`voip` is a text; write it in quotes: \"voip\" (at column 14)"),
        ("company.cms in (wordpress)", "`wordpress` is a text; write it in quotes: \"wordpress\" (at column 17)"),
        ("\"vp\" in (vp)", "`vp` is a text; write it in quotes"),
        ("company.cms in (company.name)", "a list holds texts and numbers"),
        ("seniority in (vp, direktor)", "`contact.seniority` is never \"direktor\"; did you mean \"director\"? (at column 19)"),
        ("seniority in ()", "is missing here (at column 15)"),
    ] {
        let error = Condition::parse(text, &schema).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn an_error_stands_at_a_byte_and_is_shown_by_character() {
    let error = Condition::parse("company.name = \"🦀é\" and company.headcont > 5", &Schema::default()).unwrap_err();
    assert_eq!((error.at, error.column), (28, 25));
}

#[test]
fn numbers_are_exact_decimals() {
    let schema = Schema::default();
    let same = |a: &str, b: &str| Condition::parse(&format!("{a} == {b}"), &schema).unwrap().evaluate(&super::View::default());
    assert_eq!(same("0.15", "00.1500"), super::Truth::True);
    assert_eq!(same("-0", "0.0"), super::Truth::True);
    assert_eq!(same("0.1000000000000000000000000001", "0.1"), super::Truth::False);
    assert_eq!(same("9999999999999999999999999999", "9999999999999999999999999998"), super::Truth::False);
}
