//! What nothing is said of.

use super::{MAIN, SIGNUP, SIXTY, findings};

#[test]
fn nothing_is_said_of_the_bundled_configuration_and_its_presets() {
    for preset in ["signup", "seed", "plg"] {
        assert_eq!(findings(&[(MAIN, "preset: signup", &format!("preset: {preset}"))]), [], "{preset}");
    }
}

#[test]
fn nothing_is_said_of_harmless_changes() {
    let before_sixty = |rule: &str| format!("    - {rule}\n{SIXTY}");
    let after_sixty = |rule: &str| format!("{SIXTY}    - {rule}\n");
    for (file, from, to) in [
        (SIGNUP, SIXTY, &before_sixty("{when: score >= 80, to: sales_assist, because: more}") as &str),
        (SIGNUP, SIXTY, &after_sixty("{when: score >= 40, to: sdr_queue, because: less}")),
        (SIGNUP, SIXTY, &after_sixty("{when: company.hiring, to: sdr_queue, because: hires}")),
        (SIGNUP, SIXTY, &after_sixty("{when: company.headcount > 10, to: sdr_queue, because: overlaps and is not covered}")),
        (SIGNUP, SIXTY, &after_sixty("{when: company.headcount <= 5000, to: sdr_queue, because: overlaps}")),
        (SIGNUP, SIXTY, &after_sixty("{when: 'true', to: review, because: the rest}")),
        (SIGNUP, SIXTY, &before_sixty("{when: 'false', to: review, because: switched off}")),
        (SIGNUP, SIXTY, &after_sixty("{when: 'false', to: review, because: switched off}")),
        (SIGNUP, SIXTY, &after_sixty("{when: company.name = company.domain, to: review, because: two fields}")),
        (SIGNUP, SIXTY, &after_sixty("{when: has(company.name) && company.name = company.domain, to: review, because: two fields}")),
        (SIGNUP, SIXTY, &after_sixty("{when: 'contact.seniority == \"founder\" && score >= 20', to: review, because: founder}")),
        (SIGNUP, SIXTY, &after_sixty("{when: 'company.last_funding_at >= \"2026-01-01\"', to: review, because: fresh money}")),
        (SIGNUP, SIXTY, &after_sixty("{when: '\"php\" in company.tech_stack', to: review, because: php}")),
        (SIGNUP, "score >= 60'", "score >= 100'"),
        (SIGNUP, "company.headcount > 5000", "company.headcount > 50000"),
        (SIGNUP, "points: 30", "points: -30"),
        (SIGNUP, "\"!has(company.headcount)\"", "company.headcount < 10"),
        (SIGNUP, "\"!has(company.headcount)\"", "signup.source == \"partner\" && contact.email != company.name"),
        (SIGNUP, "email.disposable\n", "email.disposable || email.role_account && email.kind == \"role\"\n"),
        (SIGNUP, "order: narrowing", "order: narrowing\n  wanted: [contact.title]"),
        (MAIN, "deadlines:", "fields: {loan_tier: word}\nsegments: {gold: 'loan_tier == \"gold\"'}\ndeadlines:"),
        (MAIN, "deadlines:", "segments: {phoned: 'has(contact.phone) && contact.phone != \"\"', big: company.headcount > 9}\ndeadlines:"),
        (MAIN, "deadlines:", "segments: {hot: score > 99}\naudiences:\n  hot: {when: segment.hot, requires: [phone]}\ndeadlines:"),
        (
            MAIN,
            "deadlines:",
            "sets:\n  - {name: a, when: product == \"x\" || product != \"x\", score: []}\n  \
          - {name: b, when: 'true', score: [{when: company.hiring, points: 70, because: hires}]}\ndeadlines:",
        ),
        (MAIN, "day: 500", "day: 0"),
        (MAIN, "day: 500", "day: 4"),
        (MAIN, "crustdata: 8000", "crustdata: 4"),
        (MAIN, "day: 500", "day: 500\n    rule: {free_tier: 2, contact_sales: 3}"),
        (MAIN, "preset: signup", "preset: seed\nscore: [{when: company.headcount > 5, points: 60, because: x}]"),
    ] {
        assert_eq!(findings(&[(file, from, to)]), [], "{file}: {from} -> {to}");
    }
}
