//! What `config check` says to each mistake an operator can make: file, line and what to write instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

use domain::config::{Finding, Sources};
use platform::bundled_config;

const MAIN: &str = "millrace.yaml";
const SEED: &str = "presets/seed.yaml";
const SIGNUP: &str = "presets/signup.yaml";

/// The findings about the bundled configuration after one text of one file was replaced.
fn findings(file: &str, from: &str, to: &str) -> Vec<Finding> {
    findings_of(&[(file, from, to)])
}

/// After several replacements.
fn findings_of(edits: &[(&str, &str, &str)]) -> Vec<Finding> {
    let sources = bundled_config();
    let files = sources.below("").map(|(path, text)| {
        let of_it = edits.iter().filter(|(file, ..)| *file == path);
        (path.to_owned(), of_it.fold(text.to_owned(), |text, (_, from, to)| text.replacen(from, to, 1)))
    });
    connectors::configure(&Sources::new(files)).err().map(|findings| findings.0).unwrap_or_default()
}

/// The line of the bundled file in which `text` begins.
fn line_of(file: &str, text: &str) -> u64 {
    let sources = bundled_config();
    let (before, _) = sources.text(file).unwrap().split_once(text).unwrap_or_else(|| panic!("{file} has no `{text}`"));
    u64::try_from(before.matches('\n').count()).unwrap() + 1
}

/// Each replacement gives exactly one finding, in the line of the replaced text.
fn assert_found(cases: &[(&str, &str, &str, &str)]) {
    for (file, from, to, said) in cases {
        assert_eq!(findings(file, from, to), [Finding::new(file, line_of(file, from), *said)], "{file}: {from} -> {to}");
    }
}

#[test]
fn the_bundled_configuration_has_no_mistakes() {
    assert_eq!(findings(MAIN, "", ""), []);
}

#[test]
fn an_unknown_version_is_found_in_its_own_line() {
    assert_found(&[(MAIN, "version: 1", "version: 2", "version 2 is not known; write `version: 1`")]);
}

#[test]
fn x_38_another_workspace_than_the_one_that_is_served_is_found() {
    let said = "one deployment serves one workspace today; write `workspace: default`";
    assert_found(&[(MAIN, "workspace: default", "workspace: acme", said)]);
}

#[test]
fn a_mistyped_source_or_provider_is_found_with_the_nearest_name() {
    assert_found(&[
        (MAIN, "crustdata: 8500", "crustdat: 8500", "trust.reliability: there is no source `crustdat`; did you mean `crustdata`?"),
        (
            MAIN,
            "crustdata: 8500",
            "crustdata.compny: 8500",
            "trust.reliability: there is no source `crustdata.compny`; did you mean `crustdata.company`?",
        ),
        (MAIN, "crustdata: 8000", "crustdat: 8000", "credits.caps.provider: there is no provider `crustdat`; did you mean `crustdata`?"),
    ]);
    for known in ["crm: 8500", "crustdata.company: 8500", "website: 8500"] {
        assert_eq!(findings(MAIN, "crustdata: 8500", known), [], "{known}");
    }
}

#[test]
fn a_cap_above_the_allocation_is_found() {
    let said = "this cap is above the month's allocation of 10000, which stops everybody but Critical first; lower it";
    assert_found(&[
        (MAIN, "day: 500", "day: 10001", said),
        (MAIN, "week: 2500", "week: 10000.5", said),
        (MAIN, "crustdata: 8000", "crustdata: 20000", said),
    ]);
    assert_eq!(findings(MAIN, "crustdata: 8000", "crustdata: 10000"), []);
}

#[test]
fn a_cap_under_which_no_paid_call_fits_is_found() {
    let fits = |least: &str| {
        format!("no paid call fits under this cap, so only Critical would pay; write at least {least}, or 0 if that is meant")
    };
    // The cheapest call of all connectors, and the cheapest of one provider.
    let said = findings(MAIN, "day: 500", "day: 0.004999");
    assert!(said.contains(&Finding::new(MAIN, line_of(MAIN, "day: 500"), fits("0.005"))), "{said:?}");
    assert_found(&[(MAIN, "crustdata: 8000", "crustdata: 0.5", &fits("2"))]);
    let never_paid = findings(MAIN, "week: 2500", "week: 1.999999");
    assert_eq!(never_paid.len(), 2, "neither step can be paid for: {never_paid:?}");
    assert!(never_paid.iter().all(|finding| finding.message.contains("is never paid for")), "{never_paid:?}");
    for fits in ["day: 4", "day: 0"] {
        assert_eq!(findings(MAIN, "day: 500", fits), [], "{fits}");
    }
    // A call for the person fits under 2, and none for the company.
    let found = findings(MAIN, "day: 500", "day: 2");
    assert!(matches!(found.as_slice(), [finding] if finding.message.contains("step `company` is never paid for")), "{found:?}");
}

#[test]
fn mistakes_of_form_say_in_our_words_what_to_write() {
    assert_found(&[
        (MAIN, "preset: signup", "prest: signup", "there is no key `prest` here; did you mean `preset`? (at column 1)"),
        (MAIN, "  overdraft: 0", "  allocation: 1", "the key `allocation` is written twice; leave one of them (at column 3)"),
    ]);
}

#[test]
fn a_mistyped_property_of_the_decision_is_found_with_the_nearest_name() {
    let said = "`decision.scor` is not said by the decision; did you mean `decision.score`?";
    assert_found(&[(MAIN, "plg_lead_score: decision.score", "plg_lead_score: decision.scor", said)]);
}

#[test]
fn a_rule_that_is_no_arrival_is_found_with_the_nearest_name() {
    let rule = |written: &str| format!("day: 500\n    rule: {{{written}}}");
    let found = findings(MAIN, "day: 500", &rule("free_teir: 10"));
    let said = "credits.caps.rule: there is no rule `free_teir`; did you mean `free_tier`?";
    assert_eq!(found, [Finding::new(MAIN, line_of(MAIN, "day: 500") + 1, said)]);
    let found = findings(MAIN, "day: 500", &rule("vip: 10"));
    let said = "credits.caps.rule: there is no rule `vip`; write one of: contact_sales, demo_request, free_tier, signup, waitlist";
    assert_eq!(found, [Finding::new(MAIN, line_of(MAIN, "day: 500") + 1, said)]);
    let found = findings(MAIN, "day: 500", &rule("free_tier: 10001"));
    let said = "this cap is above the month's allocation of 10000, which stops everybody but Critical first; lower it";
    assert_eq!(found, [Finding::new(MAIN, line_of(MAIN, "day: 500") + 1, said)]);
    assert_eq!(findings(MAIN, "day: 500", &rule("free_tier: 10, waitlist: 2")), []);
}

#[test]
fn credits_below_zero_are_found_where_they_stand() {
    for (from, to, written) in [
        ("overdraft: 0", "overdraft: 0\n  budget: -5", "-5"),
        ("overdraft: 0", "overdraft: -1", "-1"),
        ("day: 500", "day: -0.5", "-0.5"),
        ("day: 500", "day: 500\n    rule: {free_tier: -2}", "-2"),
    ] {
        let found = findings(MAIN, from, to);
        let said = format!("`{written}` is not an amount of credits; write for example 2 or 0.005");
        let is_right = |finding: &Finding| finding.file == MAIN && finding.line > 0 && finding.message.contains(&said);
        assert!(matches!(found.as_slice(), [finding] if is_right(finding)), "{to}: {found:?}");
    }
    assert_eq!(findings(MAIN, "overdraft: 0", "overdraft: 0\n  budget: 8000"), []);
}

#[test]
fn s4_52_a_budget_that_nobody_can_pass_is_found() {
    for (budget, is_found) in [("9090", false), ("9091", true), ("20000", true)] {
        let found = findings(MAIN, "overdraft: 0", &format!("overdraft: 0\n  budget: {budget}"));
        let said = "is never spent, since everything stops at 10000; lower it, or leave it out";
        assert_eq!(matches!(found.as_slice(), [finding] if finding.message.contains(said)), is_found, "{budget}: {found:?}");
    }
}

#[test]
fn deadlines_out_of_range_are_found() {
    assert_found(&[
        (MAIN, "interactive: 2s", "interactive: 199ms", "deadlines.interactive: 199ms is out of range; write 200ms to 10s"),
        (MAIN, "interactive: 2s", "interactive: 11s", "deadlines.interactive: 11s is out of range; write 200ms to 10s"),
        (MAIN, "background: 20s", "background: 999ms", "deadlines.background: 999ms is out of range; write 1s to 5m"),
        (MAIN, "background: 20s", "background: 6m", "deadlines.background: 6m is out of range; write 1s to 5m"),
        (MAIN, "patience: 5m", "patience: 61m", "deadlines.patience: 61m is out of range; write 0ms to 1h"),
        (
            MAIN,
            "identity_window: 1h",
            "identity_window: 0h",
            "deadlines.identity_window: without it the same person is paid for again at once; write for example 1h",
        ),
    ]);
    assert_eq!(findings(MAIN, "interactive: 2s", "interactive: 200ms"), []);
}

#[test]
fn a_crm_path_that_is_no_path_is_found() {
    let said = "crm.path: begin with one / and write no //, ? or #, such as /crm/objects/2026-03/contacts";
    for path in ["crm/objects", "//evil.example/contacts", "/crm//contacts", "/crm?x=1", "'/crm#x'", "https://evil.example", "''"] {
        assert_found(&[(MAIN, "/crm/objects/2026-03/contacts", path, said)]);
    }
}

#[test]
fn a_custom_field_that_no_condition_could_read_is_found() {
    for (name, said) in [
        ("score", "fields: `score` is the lead's score in conditions; custom fields need a name of their own"),
        ("lead_score", "fields: `lead_score` is the lead's score in conditions; custom fields need a name of their own"),
        ("has", "fields: `has` is a word of the condition language; custom fields need a name of their own"),
        ("not", "fields: `not` is a word of the condition language; custom fields need a name of their own"),
        (
            "2nd_product",
            "fields: `2nd_product` is not a field name; begin with a letter and write lower-case words joined by dots and underscores, \
             such as product.tier",
        ),
    ] {
        assert_found(&[(MAIN, "preset: signup", &format!("fields: {{{name}: word}}\npreset: signup"), said)]);
    }
}

#[test]
fn mistakes_are_found_in_the_chosen_preset_and_in_those_not_in_use() {
    for file in [SIGNUP, SEED] {
        assert_found(&[
            (file, "freshness: signup", "freshness: sinup", "there is no freshness preset `sinup`; write signup or crm"),
            (
                file,
                "- {when: company.traffic_trend_90d > 0.15",
                "- {when: company.traffic_trnd_90d > 0.15",
                "`company.traffic_trnd_90d` is not a field; did you mean `company.traffic_trend_90d`? (at column 1)",
            ),
            (
                file,
                "- {when: company.traffic_trend_90d > 0.15",
                "- {when: score > 15",
                "the score can be read by routes and steps only: here it does not exist yet",
            ),
        ]);
    }
    assert_found(&[
        (
            SIGNUP,
            "(\"director\", \"vp\", \"c_level\")",
            "(\"direktor\", \"vp\", \"c_level\")",
            "`contact.seniority` is never \"direktor\"; did you mean \"director\"? (at column 23)",
        ),
        (
            SEED,
            "(\"director\", \"vp\", \"c_level\")",
            "(5)",
            "the list holds a number here and `in` follows a text; write values of one kind (at column 22)",
        ),
    ]);
    let findings = findings(SEED, "score:\n", "scores:\n");
    assert_eq!(findings.iter().map(|finding| finding.file.as_str()).collect::<Vec<_>>(), [SEED], "{findings:?}");
}

#[test]
fn a_missing_preset_is_found_beside_the_mistakes_of_the_others() {
    let sources = bundled_config();
    let names: Vec<&str> = sources.below("presets/").filter_map(|(file, _)| file.strip_prefix("presets/")?.strip_suffix(".yaml")).collect();
    let said = format!("there is no preset `sinup`; write one of: {}", names.join(", "));
    assert_found(&[(MAIN, "preset: signup", "preset: sinup", &said)]);
}

#[test]
fn a_mistake_in_a_preset_is_found_also_where_the_main_file_replaces_the_section() {
    let sources = bundled_config();
    let files = sources.below("").map(|(path, text)| {
        let text = match path {
            MAIN => format!("{text}\ngate: []\n"),
            SIGNUP => text.replacen("when: email.disposable", "when: email.disposible", 1),
            _ => text.to_owned(),
        };
        (path.to_owned(), text)
    });
    let findings = connectors::configure(&Sources::new(files)).unwrap_err().0;
    let said = "`email.disposible` is not a field; did you mean `email.disposable`? (at column 1)";
    assert_eq!(findings, [Finding::new(SIGNUP, line_of(SIGNUP, "when: email.disposable"), said)]);
}

#[test]
fn a_step_that_wants_or_asks_nothing_is_found() {
    let (config, _) = connectors::configure(&bundled_config()).unwrap();
    let names = config.catalogue.keys().cloned().collect::<Vec<_>>().join(", ");
    let asks_nobody = format!("step `person` asks no provider; write one or more of: {names}");
    assert_found(&[
        (
            SEED,
            "wants: [contact.seniority, company.domain]",
            "wants: []",
            "step `person` wants nothing, so it never asks; write the fields it is for",
        ),
        (SEED, "providers: [crustdata.person]", "providers: []", &asks_nobody),
    ]);
}

#[test]
fn s4_33_a_batch_that_nobody_takes_or_fills_or_waits_for_is_found() {
    const PERSON: &str = "    providers: [crustdata.person]\n";
    const DNS: &str = "    providers: [dns]\n";
    let with = |step: &str, batch: &str| findings(SIGNUP, step, &format!("{step}    batch: {batch}\n"));
    let at = |step: &str| line_of(SIGNUP, step) + 1;
    for batch in ["{size: 2, wait: 1ms}", "{size: 25, wait: 15s}"] {
        assert_eq!(with(PERSON, batch), [], "{batch}");
    }
    let useless = |wait: &str| {
        format!(
            "step `person`: a wait of {wait} is of no use, for all of a run is to end within `deadlines.background`, 20s, and the call itself may take 5s; write more than 0ms and at most 15s, such as 2s"
        )
    };
    for (batch, said) in [
        ("{size: 1, wait: 2s}", "step `person`: a batch of 1 is no batch; write 2 or more, or drop `batch`".to_owned()),
        ("{size: 26, wait: 2s}", "step `person`: `crustdata.person` takes at most 25 in one request; write `size: 25` or less".to_owned()),
        ("{size: 25, wait: 0ms}", useless("0ms")),
        ("{size: 25, wait: 15001ms}", useless("15001ms")),
    ] {
        assert_eq!(with(PERSON, batch), [Finding::new(SIGNUP, at(PERSON), said)], "{batch}");
    }
    let nobody = "no provider of step `domain` has a batch form; these have one: crustdata.company, crustdata.person, pdl.person; write it into the connector, or drop `batch`";
    assert_eq!(with(DNS, "{size: 25, wait: 2s}"), [Finding::new(SIGNUP, at(DNS), nobody)]);
    let (company, most) = ("connectors/crustdata.person.yaml", "  most: 25\n");
    let dear = [(company, most, "  most: 25\n  at_least: 10\n"), (SIGNUP, PERSON, &format!("{PERSON}    batch: {{size: 5, wait: 2s}}\n"))];
    let alone = "step `person`: `crustdata.person` takes no batch of fewer than 10, so each call goes out by itself after its wait; write `size: 10` or more";
    assert_eq!(findings_of(&dear), [Finding::new(SIGNUP, at(PERSON), alone)]);
    assert!(with(PERSON, "{size: 25}")[0].message.contains("wait"), "both are written");
}

#[test]
fn a_word_outside_a_closed_vocabulary_is_found_with_the_nearest_one() {
    assert_found(&[
        (
            SIGNUP,
            "in (\"contact_sales\", \"demo_request\") && score",
            "in (\"contact_sale\", \"demo_request\") && score",
            "`signup.arrival` is never \"contact_sale\"; did you mean \"contact_sales\"? (at column 20)",
        ),
        (
            SIGNUP,
            "when: email.disposable",
            "when: email.kind == \"throwaway\"",
            "`email.kind` is never \"throwaway\"; write one of: work, personal, disposable, role (at column 15)",
        ),
        (SIGNUP, "\"series_a\"", "\"serie_a\"", "`company.funding_stage` is never \"serie_a\"; did you mean \"series_a\"? (at column 27)"),
        (
            SIGNUP,
            "when: email.disposable",
            "when: phone.type == \"voipp\"",
            "`phone.type` is never \"voipp\"; did you mean \"voip\"? (at column 15)",
        ),
    ]);
}
