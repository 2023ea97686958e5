//! Rules and sets that nothing comes to.

use domain::config::Finding;

use super::{ASKED, MAIN, SIGNUP, SIXTY, assert_found, findings, last_route, line_of};

#[test]
fn a_route_rule_behind_one_that_always_holds_first_is_found() {
    let sixty = line_of(&[], SIGNUP, SIXTY);
    let large = line_of(&[], SIGNUP, "company.headcount > 5000");
    for (rule, line) in [
        ("{when: score >= 70, to: sdr_queue, because: later}", sixty),
        ("{when: score == 100, to: sdr_queue, because: later}", sixty),
        ("{when: score > 59 && company.hiring, to: sdr_queue, because: later}", sixty),
        ("{when: company.headcount >= 6000, to: sdr_queue, because: later}", large),
        ("{when: 'signup.arrival == \"demo_request\"', to: sdr_queue, because: later}", line_of(&[], SIGNUP, ASKED)),
    ] {
        let said = format!(
            "nothing comes to route rule \"later\": whenever it holds, the one in line {line} holds and comes first; write it above that \
             one, or drop it"
        );
        let (found, at) = last_route(rule);
        assert_eq!(found, [Finding::new(SIGNUP, at, said)], "{rule}");
    }
}

#[test]
fn everything_behind_a_rule_that_always_holds_is_found() {
    let found = findings(&[(SIGNUP, ASKED, &format!("    - {{when: 'true', to: review, because: all}}\n{ASKED}"))]);
    let first = line_of(&[], SIGNUP, ASKED);
    let said = |what: &str| {
        format!(
            "nothing comes to route rule \"{what}\": the one in line {first} always holds and comes first; write it above that one, or drop it"
        )
    };
    assert_eq!(
        found,
        [Finding::new(SIGNUP, first + 1, said("asked for sales")), Finding::new(SIGNUP, first + 2, said("scored 60 or more"))]
    );
}

#[test]
fn a_route_rule_behind_several_that_leave_it_nothing_is_found() {
    let rules = "    - {when: company.headcount <= 50, to: review, because: small}\n    - {when: company.headcount > 50, to: ae_queue, because: rest}\n";
    let found = findings(&[(SIGNUP, SIXTY, &format!("{rules}{SIXTY}"))]);
    let at = line_of(&[], SIGNUP, SIXTY);
    let said = format!(
        "nothing comes to route rule \"scored 60 or more\": whenever it holds, one of those in lines {} and {} holds and comes first; write it \
         above them, or drop it",
        at,
        at + 1
    );
    assert_eq!(found, [Finding::new(SIGNUP, at + 2, said)]);
}

#[test]
fn two_route_rules_that_say_the_same_are_found() {
    let at = line_of(&[], SIGNUP, SIXTY);
    let diverging = |to: &str| {
        format!(
            "route rule \"x\" holds exactly when the one in line {at} does, which comes first and leads to ae_queue: nothing comes here to \
             go to {to}; let the two differ, or drop one of them"
        )
    };
    for (rule, said) in [
        ("{when: score >= 60, to: sdr_queue, because: x}", diverging("sdr_queue")),
        ("{when: 60 <= score, to: review, because: x}", diverging("review")),
        ("{when: not (score < 60), to: review, because: x}", diverging("review")),
        (
            "{when: score > 59, to: ae_queue, because: x}",
            format!("route rule \"x\" says the same as the one in line {at}; drop one of them"),
        ),
    ] {
        assert_eq!(last_route(rule), (vec![Finding::new(SIGNUP, at + 1, said)], at + 1), "{rule}");
    }
    // Also where nobody can look at all that the fields may be.
    let compared = "    - {when: company.name = company.legal_name, to: review, because: x}\n";
    let found = findings(&[(SIGNUP, SIXTY, &format!("{compared}{compared}{SIXTY}")), (SIGNUP, "company.tech_stack,", "company.name,")]);
    assert!(found.iter().any(|finding| finding.line == at + 1 && finding.message.contains("says the same")), "{found:?}");
}

#[test]
fn a_set_that_is_never_used_is_found() {
    let set = |name: &str, when: &str, score: &str| format!("  - name: {name}\n    when: '{when}'\n    {score}\n");
    let any = "score: [{when: company.hiring, points: 50, because: hires}]";
    let sets = |first: &str, second: &str, rules: &str| format!("sets:\n{}{}deadlines:", set("a", first, any), set("b", second, rules));
    let before = line_of(&[], MAIN, "deadlines:") + 2;
    let reach = "route: {rules: [{when: score >= 60, to: review, because: x}], otherwise: review, undecided: review}\n    \
                 score: [{when: company.hiring, points: 50, because: hires}]";
    assert_found(&[
        (
            (MAIN, "deadlines:", &sets("has(product)", "product == \"enterprise\"", any)),
            5,
            &format!(
                "nothing comes to set `b`: whenever it holds, the one in line {before} holds and comes first; write it above that one, or \
                 drop it"
            ),
        ),
        (
            (MAIN, "deadlines:", &sets("product == \"x\"", "\"x\" = product", any)),
            5,
            &format!("set `b` says the same as the one in line {before}; drop one of them"),
        ),
        (
            (MAIN, "deadlines:", &sets("product == \"x\"", "product == \"y\"", reach)),
            6,
            "route rule \"x\": `score >= 60` never holds: the score rules give 0 to 50 points; write a score that they reach, or drop it",
        ),
    ]);
}
