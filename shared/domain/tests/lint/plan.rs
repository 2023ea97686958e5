//! Fields that nobody tells, steps that nobody can pay for, and a budget that leaves Critical nothing.

use domain::config::Finding;

use super::{MAIN, SEED, SIGNUP, assert_found, findings, line_of};

#[test]
fn a_field_that_nobody_tells_is_found_with_who_could() {
    let unknown = |what: &str, field: &str, advice: &str| {
        format!(
            "{what} reads `{field}`, which is never known: no step asks anybody who tells it and no signup brings it; {advice}, or leave it out"
        )
    };
    let nobody = |field: &str| format!("no connector tells it either: write one, or ask `has({field}) && …` first");
    let person = "  - name: person\n    wants: [contact.seniority]\n    providers: [crustdata.person]\n";
    let seniority = findings(&[(SIGNUP, person, "")]);
    let at = line_of(&[(SIGNUP, person, "")], SIGNUP, "contact.seniority in");
    let said = unknown("score rule \"a person who decides\"", "contact.seniority", "let a step ask `crustdata.person`");
    assert_eq!(seniority, [Finding::new(SIGNUP, at, said)]);
    let registration = "  - name: registration\n    wants: [email.domain_registered_at]\n    providers: [rdap]\n    timeout: 800ms\n    \
                        on_rate_limit: continue\n";
    let age = findings(&[(SIGNUP, registration, "")]);
    let at = line_of(&[], SIGNUP, "not fraud.domain_age_plausible");
    let advice = "it is derived from `email.domain_age_days`, `company.headcount`: let a step ask who tells them";
    let gate = "gate rule \"the domain is too young for a company of that size\"";
    assert_eq!(age, [Finding::new(SIGNUP, at, unknown(gate, "fraud.domain_age_plausible", advice))]);
    assert_found(&[
        (
            (SIGNUP, "email.disposable\n", "email.disposable || email.risk_score == \"high\"\n"),
            0,
            &unknown("gate rule \"the address is a throw-away one\"", "email.risk_score", &nobody("email.risk_score")),
        ),
        (
            (SIGNUP, "\"!has(company.headcount)\"", "engagement.score > 50"),
            0,
            &unknown("step `site`", "engagement.score", &nobody("engagement.score")),
        ),
        (
            (SIGNUP, "when: company.headcount > 5000,", "when: company.headcount > 5000 || phone.valid,"),
            0,
            &unknown("route rule \"a very large company goes to sales whatever its score\"", "phone.valid", &nobody("phone.valid")),
        ),
        (
            (MAIN, "deadlines:", "segments:\n  real: identity.verified\ndeadlines:"),
            1,
            &unknown("segment `real`", "identity.verified", &nobody("identity.verified")),
        ),
        (
            (MAIN, "deadlines:", "plan:\n  wanted: [company.headcount, company.erp]\ndeadlines:"),
            1,
            &format!("plan.wanted: no step asks anybody who tells `company.erp`; {}, or leave it out", nobody("company.erp")),
        ),
        (
            (SEED, "company.traffic_trend_90d > 0.15", "company.cms == \"wordpress\""),
            0,
            &unknown("score rule \"web traffic grew by more than 15 % in 90 days\"", "company.cms", "let a step ask `website`"),
        ),
    ]);
}

#[test]
fn s0_77_a_step_that_nobody_can_pay_for_is_found_at_the_limit() {
    let tail = "so step `company` is never paid for: a call of `crustdata.company` costs 4; raise it to that or more, or drop the step";
    let rules = "day: 500\n    rule: {signup: 2, waitlist: 3, free_tier: 2}";
    assert_found(&[
        ((MAIN, "day: 500", "day: 3"), 0, &format!("the day's cap of 3 lets nobody pay but Critical, {tail}")),
        ((MAIN, "week: 2500", "week: 3.5"), 0, &format!("the week's cap of 3.5 lets nobody pay but Critical, {tail}")),
        ((MAIN, "crustdata: 8000", "crustdata: 2"), 0, &format!("the provider's cap of 2 lets nobody pay but Critical, {tail}")),
        ((MAIN, "day: 500", rules), 1, &format!("the caps of all arrivals but Critical are 3 or less, {tail}")),
    ]);
    let little = [(MAIN, "allocation: 10000", "allocation: 3"), (MAIN, "day: 500", "day: 2"), (MAIN, "week: 2500", "week: 2")];
    let found = findings(&[&little[..], &[(MAIN, "crustdata: 8000", "crustdata: 2")]].concat());
    assert_eq!(found, [Finding::new(MAIN, line_of(&[], MAIN, "allocation: 10000"), format!("a month has 3 credits in all, {tail}"))]);
}

#[test]
fn a_budget_that_leaves_critical_nothing_is_found() {
    let caps = "  caps:\n    day: 500\n    week: 2500\n    provider:\n      crustdata: 8000\n";
    let said = "nothing but the allocation of 10000 stops ordinary signups, which may use the last credit of a month before somebody asks \
                for a demo: write a cap by day or week, such as `caps: {day: 500}`, or an `overdraft` for Critical";
    assert_eq!(findings(&[(MAIN, caps, "")]), [Finding::new(MAIN, line_of(&[], MAIN, "allocation: 10000"), said)]);
    for held in [
        "  caps: {day: 10000}\n",
        "  caps: {week: 10000}\n",
        "  caps: {provider: {crustdata: 8000}}\n",
        "  caps: {rule: {signup: 5000, waitlist: 100, free_tier: 100}}\n",
    ] {
        assert_eq!(findings(&[(MAIN, caps, held)]), [], "{held}");
    }
    assert_eq!(findings(&[(MAIN, caps, ""), (MAIN, "overdraft: 0", "overdraft: 100")]), []);
    assert_eq!(findings(&[(MAIN, caps, ""), (MAIN, "allocation: 10000", "allocation: 0")]), [], "nobody is to pay");
}
