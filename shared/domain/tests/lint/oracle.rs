//! The lint against the decision itself: a rule to which nothing comes never decides about any lead, and every other does.

use std::collections::BTreeSet;

use domain::config::{Config, Draft, Sources};
use domain::decide::{Evidence, decide};
use domain::merge::{Fact, Facts};
use domain::plan::Catalogue;
use domain::schema::Schema;
use domain::units::{BasisPoints, Timestamp};
use domain::value::Value;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const MAIN: &str = "version: 1\npreset: small\ncredits: {allocation: 10}\n";
/// Everything up to the first route rule, which stands in the line after.
const BEFORE: &str = "freshness: signup
steps: []
score:
  - {when: company.headcount >= 20, points: 40, because: large}
  - {when: company.hiring, points: 25, because: hires}
  - {when: contact.seniority in (vp), points: 20, because: decides}
  - {when: company.headcount >= 20 && company.hiring, points: -15, because: both}
route:
  otherwise: self_serve
  undecided: verification
  rules:
";

/// Clauses that decide by values alone.
const PLAIN: &[&str] = &[
    "company.headcount > 10",
    "company.headcount >= 20",
    "company.headcount < 20",
    "company.headcount <= 30",
    "company.headcount in (10, 30)",
    "company.hiring",
    "not company.hiring",
    "contact.seniority == \"vp\"",
    "contact.seniority != \"vp\"",
    "score >= 40",
    "score > 60",
    "score < 30",
    "score == 45",
    "score >= 90",
];
/// Those that ask whether somebody told a value.
const TOLD: &[&str] = &["has(company.headcount)", "!has(company.hiring)", "has(contact.seniority)"];

fn rule(clauses: &'static [&'static str]) -> impl Strategy<Value = String> {
    let clause = prop::sample::select(clauses);
    (prop::collection::vec(clause, 1..4), prop::sample::select(&[" && ", " || "][..])).prop_map(|(clauses, word)| clauses.join(word))
}

fn sources(rules: &[String]) -> Sources {
    let tracks = ["ae_queue", "sdr_queue", "sales_assist", "review"];
    let line = |(nth, when): (usize, &String)| format!("    - {{when: '{when}', to: {}, because: r{nth}}}\n", tracks[nth % tracks.len()]);
    let rules: String = rules.iter().enumerate().map(line).collect();
    Sources::new([("millrace.yaml".to_owned(), MAIN.to_owned()), ("presets/small.yaml".to_owned(), format!("{BEFORE}{rules}"))])
}

/// The configuration, and the reasons of the rules to which nothing comes.
fn linted(rules: &[String]) -> (Config, BTreeSet<String>) {
    let sources = sources(rules);
    let config = Draft::read(&sources).unwrap().check_for_use(Catalogue::new()).unwrap();
    let findings = Draft::read(&sources).unwrap().check(Catalogue::new()).err().map(|findings| findings.0).unwrap_or_default();
    let first = u64::try_from(BEFORE.lines().count()).unwrap() + 1;
    (config, findings.iter().map(|finding| format!("r{}", finding.line - first)).collect())
}

/// The reason of the rule that decides, where one does.
fn decides(config: &Config, facts: &Facts) -> Option<String> {
    let evidence = Evidence { facts, calls: &[], open: &[], paid_by: None, before: None, accepted_at: Timestamp::from_millis(0) };
    let route = decide(config, &evidence, 1, Timestamp::from_millis(0)).route;
    (!route.provisional).then(|| route.because.join(" "))
}

/// Every lead that the clauses can tell apart, with what is known of it; with `missing` also those of which less is known.
fn leads(missing: bool) -> Vec<Facts> {
    let fact = |value: Value| Fact {
        value,
        confidence: BasisPoints::ONE,
        sources: vec!["test".into()],
        confirmations: 1,
        observed_at: Timestamp::from_millis(0),
        conflicts: vec![],
        checks: vec![],
    };
    let values = [
        ("company.headcount", [5, 10, 15, 20, 25, 30, 35].map(Value::number).to_vec()),
        ("company.hiring", vec![Value::Bool(true), Value::Bool(false)]),
        ("contact.seniority", vec![Value::text("vp"), Value::text("manager")]),
    ];
    let mut leads = vec![Facts::new()];
    for (path, values) in values {
        let field = Schema::default().field(path).unwrap();
        let known = leads.iter().flat_map(|lead| values.iter().map(|value| (lead.clone(), value.clone())));
        let known = known.map(|(mut lead, value)| {
            lead.insert(field.clone(), fact(value));
            lead
        });
        let known: Vec<Facts> = known.collect();
        leads = if missing { leads.into_iter().chain(known).collect() } else { known };
    }
    leads
}

#[test]
fn what_is_found_never_decides_and_what_is_not_found_decides_about_some_lead() {
    let mut runner = TestRunner::deterministic();
    let (mut found, mut passed) = (0, 0);
    let known = leads(false);
    for _ in 0..300 {
        let rules = prop::collection::vec(rule(PLAIN), 1..6).new_tree(&mut runner).unwrap().current();
        let (config, hidden) = linted(&rules);
        let deciding: BTreeSet<String> = known.iter().filter_map(|lead| decides(&config, lead)).collect();
        for nth in 0..rules.len() {
            let reason = format!("r{nth}");
            assert_ne!(hidden.contains(&reason), deciding.contains(&reason), "{reason} of {rules:#?}");
            *(if hidden.contains(&reason) { &mut found } else { &mut passed }) += 1;
        }
    }
    assert!(found > 100 && passed > 100, "{found} found, {passed} not");
}

#[test]
fn what_is_found_decides_about_no_lead_of_which_less_is_known_either() {
    let mut runner = TestRunner::deterministic();
    let mut found = 0;
    let known = leads(true);
    let clauses: &'static [&'static str] = [PLAIN, TOLD, TOLD].concat().leak();
    for _ in 0..150 {
        let rules = prop::collection::vec(rule(clauses), 1..6).new_tree(&mut runner).unwrap().current();
        let (config, hidden) = linted(&rules);
        let deciding: BTreeSet<String> = known.iter().filter_map(|lead| decides(&config, lead)).collect();
        assert!(hidden.is_disjoint(&deciding), "{hidden:?} but {deciding:?}: {rules:#?}");
        found += hidden.len();
    }
    assert!(found > 50, "{found} found");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn thresholds_within_reach_are_harmless_downwards_and_found_upwards(
        mut thresholds in prop::collection::btree_set(1i64..=60, 2..6).prop_map(|set| set.into_iter().collect::<Vec<_>>()),
    ) {
        let rules = |thresholds: &[i64]| thresholds.iter().map(|least| format!("company.headcount >= {least}")).collect::<Vec<_>>();
        let upwards = linted(&rules(&thresholds)).1;
        prop_assert_eq!(upwards.len(), thresholds.len() - 1, "all but the first");
        thresholds.reverse();
        prop_assert_eq!(linted(&rules(&thresholds)).1, BTreeSet::new());
    }

    #[test]
    fn scores_that_the_rules_give_are_harmless_downwards(steps in prop::collection::btree_set(0usize..7, 1..6)) {
        // 70 is all of them: 40 + 25 + 20 - 15.
        let given = [70, 60, 50, 45, 40, 25, 20];
        let rules: Vec<String> = steps.into_iter().map(|step| format!("score >= {}", given[step])).collect();
        prop_assert_eq!(linted(&rules).1, BTreeSet::new());
    }
}
