//! Conditions that never hold.

use domain::config::Finding;

use super::{ASKED, MAIN, PLG, SEED, SIGNUP, SIXTY, assert_found, findings, last_route, line_of};

#[test]
fn a_route_rule_that_never_holds_is_found_with_the_points_that_there_are() {
    for (rule, said) in [
        (
            "{when: score >= 120, to: review, because: x}",
            "route rule \"x\": `score >= 120` never holds: the score rules give 0 to 100 points; write a score that they reach, or drop it",
        ),
        (
            "{when: company.headcount > 4000 && score > 100, to: review, because: x}",
            "route rule \"x\": `company.headcount > 4000 && score > 100` never holds: where the rest of it does, the score rules give 0 to \
             100 points; write a score that they reach, or drop it",
        ),
        (
            "{when: company.headcount < 50 && score >= 75, to: review, because: x}",
            "route rule \"x\": `company.headcount < 50 && score >= 75` never holds: where the rest of it does, the score rules give 0 to 70 \
             points; write a score that they reach, or drop it",
        ),
        (
            "{when: score > 80 && score < 50, to: review, because: x}",
            "route rule \"x\": `score > 80 && score < 50` never holds; let its clauses leave something over, or drop it (`false` alone \
             switches it off)",
        ),
        (
            "{when: company.headcount > 5 && company.headcount < 3, to: review, because: x}",
            "route rule \"x\": `company.headcount > 5 && company.headcount < 3` never holds, whatever `company.headcount` is; let its \
             clauses leave something over, or drop it (`false` alone switches it off)",
        ),
        (
            "{when: '\"aws\" in company.tech_stack && !(\"aws\" in company.tech_stack || company.hiring)', to: review, because: x}",
            "route rule \"x\": `\"aws\" in company.tech_stack && !(\"aws\" in company.tech_stack || company.hiring)` never holds, whatever \
             `company.hiring` and `company.tech_stack` are; let its clauses leave something over, or drop it (`false` alone switches it off)",
        ),
    ] {
        let (found, at) = last_route(rule);
        assert_eq!(found, [Finding::new(SIGNUP, at, said)], "{rule}");
    }
}

const CONTRADICTION: &str = "let its clauses leave something over, or drop it (`false` alone switches it off)";

#[test]
fn conditions_that_never_hold_are_found_wherever_they_stand() {
    let never = |what: &str, when: &str, whatever: &str| format!("{what}: `{when}` never holds, whatever {whatever}; {CONTRADICTION}");
    let kinds = "email.kind == \"work\" && email.kind == \"personal\"";
    let band = "company.headcount >= 50 && company.headcount < 50";
    let has = "has(company.headcount) && !has(company.headcount)";
    let one_of = "product == \"a\" && product in (\"b\", \"c\")";
    assert_found(&[
        (
            (SIGNUP, "  - when: email.disposable\n", &format!("  - when: '{kinds}'\n")),
            0,
            &never("gate rule \"the address is a throw-away one\"", kinds, "`email.kind` is"),
        ),
        ((SIGNUP, "\"!has(company.headcount)\"", &format!("\"{has}\"")), 0, &never("step `site`", has, "`company.headcount` is")),
        (
            (SIGNUP, "company.headcount >= 50 && company.headcount <= 5000", band),
            0,
            &never("score rule \"headcount between 50 and 5000\"", band, "`company.headcount` is"),
        ),
        (
            (SEED, "company.headcount >= 50 && company.headcount <= 5000", band),
            0,
            &never("score rule \"headcount between 50 and 5000\"", band, "`company.headcount` is"),
        ),
        (
            (MAIN, "deadlines:", &format!("segments:\n  none: {band}\ndeadlines:")),
            1,
            &never("segment `none`", band, "`company.headcount` is"),
        ),
        (
            (MAIN, "deadlines:", &format!("audiences:\n  none: {{when: {band}, requires: [phone]}}\ndeadlines:")),
            1,
            &never("audience `none`", band, "`company.headcount` is"),
        ),
        (
            (MAIN, "deadlines:", &format!("verticals:\n  - {{when: {band}, lacks: [company.crm]}}\ndeadlines:")),
            1,
            &never("vertical", band, "`company.headcount` is"),
        ),
        (
            (MAIN, "deadlines:", &format!("sets:\n  - name: x\n    when: '{one_of}'\n    score: []\ndeadlines:")),
            2,
            &never("set `x`", one_of, "`product` is"),
        ),
        (
            (
                MAIN,
                "deadlines:",
                &format!("rules:\n  - {{name: x, trigger: record_created, filter: {band}, action: all_missing}}\ndeadlines:"),
            ),
            1,
            &never("rule `x`", band, "`company.headcount` is"),
        ),
    ]);
}

#[test]
fn a_mistake_in_a_preset_that_is_not_in_use_and_in_a_section_of_the_main_file_is_found() {
    let route = "route: {rules: [{when: score > 100, to: review, because: x}], otherwise: review, undecided: review}\ndeadlines:";
    let said =
        |when: &str, most: u8| format!("`{when}` never holds: the score rules give 0 to {most} points; write a score that they reach");
    for (edit, below, said) in [
        ((MAIN, "deadlines:", route), 0, said("score > 100", 100)),
        ((PLG, "    - {when: score >= 60", "    - {when: score > 100"), 0, said("score > 100", 100)),
        ((SEED, "score >= 60", "score >= 101"), 0, said("score >= 101", 100)),
    ] {
        let found = findings(&[edit]);
        let at = line_of(&[], edit.0, edit.1) + below;
        assert!(matches!(found.as_slice(), [finding] if finding.line == at && finding.message.contains(&said)), "{edit:?}: {found:?}");
    }
    // The main file's score rules count for the preset's route.
    let found = findings(&[(MAIN, "deadlines:", "score: [{when: company.hiring, points: 30, because: hires}]\ndeadlines:")]);
    let lines: Vec<u64> = found.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [line_of(&[], SIGNUP, ASKED) - 1, line_of(&[], SIGNUP, SIXTY)], "{found:?}");
}
